"""Lines of subscribers: each its rows and its look, and one look for all beyond six."""

from typing import TYPE_CHECKING, Any, Final

from kafkasim.catalogue import say_many
from kafkasim.plot.style import GREY, listed_as, marked, stroke

if TYPE_CHECKING:
    import pandas as pd

MOST_LINES: Final = 6
"""Subscribers with a look and a label of their own; lines of others are grey."""


def by_subscriber(table: "pd.DataFrame") -> "list[tuple[str, pd.DataFrame]]":
    """Return each subscriber's name and rows, in the table's order."""
    names = table["subscriber"].astype(str)
    return [(name, table[names == name]) for name in dict.fromkeys(names)]


def look_of(
    number: int, count: int, label: str, table: "pd.DataFrame"
) -> dict[str, Any]:
    """Return the look and label of a subscriber's line; grey beyond the sixth.

    Parameters
    ----------
    number : int
        Which subscriber.
    count : int
        How many points the line has.
    label : str
        Its label.
    table : DataFrame
        With all subscribers.
    """
    if number < MOST_LINES:
        return marked(number, count) | {"label": listed_as(label)}
    others = table["subscriber"].astype(str).nunique() - MOST_LINES
    text = say_many("{n} other", "{n} others", others)
    shown = text if number == MOST_LINES else "_"
    return {"color": GREY, "linewidth": stroke(0.8), "label": shown}
