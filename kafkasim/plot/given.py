"""What a figure was given: a clear error when it is the wrong kind of thing.

A run (`Result`) and the table of a sweep look alike to someone in a hurry; the error
says which function draws what was given.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from kafkasim.catalogue import mark, say
from kafkasim.errors import ValidationError
from kafkasim.plot.words import listed
from kafkasim.result.result import Result

if TYPE_CHECKING:
    import pandas as pd

NOBODY: Final = mark("nobody")
"""Who processed the records of a run without subscribers."""

_OF_A_RUN: Final = mark(
    "one run is drawn by throughput, latency, lag, ordering or braid"
)
_OF_A_SWEEP: Final = mark(
    "the table of a sweep is drawn by sweep, of a comparison by it"
)
_A_RUN: Final = mark("a Result, as run returns it")


def is_table(thing: object) -> bool:
    """Tell whether `thing` is a DataFrame, without importing pandas for it."""
    return hasattr(thing, "columns") and hasattr(thing, "attrs")


def table_given(thing: Any, expected: str) -> "pd.DataFrame":  # noqa: ANN401 - anything
    """Return `thing` when it is a DataFrame.

    Parameters
    ----------
    thing : object
        What a figure was given.
    expected : str
        What it draws, for the message.

    Raises
    ------
    ValidationError
        It is something else; for a run, the message says what draws a run.
    """
    if is_table(thing) and not isinstance(thing, Result):
        table: pd.DataFrame = thing
        return table
    why = say(_OF_A_RUN) if isinstance(thing, Result) else ""
    raise ValidationError("table", _named(thing), expected, why)


def table_with(
    thing: Any,  # noqa: ANN401 - anything
    columns: Sequence[str],
    maker: str,
) -> "pd.DataFrame":
    """Return `thing` when it is a table with these columns.

    Parameters
    ----------
    thing : object
        What a figure of a run was given in place of the run.
    columns : sequence of str
        Columns that the figure draws.
    maker : str
        The function of `kafkasim.analysis` that makes such a table.

    Raises
    ------
    ValidationError
        It is something else; the message says what makes such a table.
    """
    expected = say("a run, or what analysis.{maker} made of one", maker=maker)
    if not is_table(thing):
        raise ValidationError("data", _named(thing), expected)
    table: pd.DataFrame = thing
    for column in columns:
        if column not in table:
            raise ValidationError(
                "data",
                list(table),
                say("{expected}, with {column}", expected=expected, column=column),
            )
    return table


def check_column(table: "pd.DataFrame", column: str, name: str) -> None:
    """Check that a table has a column asked for by parameter `name`.

    Raises
    ------
    ValidationError
        It has not; lists those it has.
    """
    if column not in table:
        raise ValidationError(
            name, column, say("one of {names}", names=", ".join(map(str, table)))
        )


def run_given(thing: object, expected: str = "") -> Result:
    """Return `thing` when it is a run.

    Parameters
    ----------
    thing : object
        What a figure was given.
    expected : str
        What it draws, for the message; by default any run.

    Raises
    ------
    ValidationError
        It is something else; for a table, the message says what draws tables.
    """
    if isinstance(thing, Result):
        return thing
    why = say(_OF_A_SWEEP) if is_table(thing) else ""
    raise ValidationError("data", _named(thing), expected or say(_A_RUN), why)


def subscriber_given(table: "pd.DataFrame", subscriber: str | None) -> str:
    """Return whose rows to draw: the one named, or the table's first.

    Parameters
    ----------
    table : DataFrame
        With a column `subscriber`.
    subscriber : str or None
        What a figure was asked for.

    Raises
    ------
    ValidationError
        The table has no such subscriber.
    """
    column = table["subscriber"]
    labelled = hasattr(column, "cat")
    names = [str(name) for name in (column.cat.categories if labelled else column)]
    if subscriber is None:
        return names[0] if names else say(NOBODY)
    if subscriber not in names:
        raise ValidationError(
            "subscriber", subscriber, say("one of {names}", names=listed(names))
        )
    return subscriber


def rows_of(table: "pd.DataFrame", subscriber: str) -> "pd.DataFrame":
    """Return the rows of one subscriber."""
    return table[table["subscriber"] == subscriber]


def _named(thing: object) -> object:
    """Return what a message shows: a short value, or its kind and not its contents."""
    short = thing is None or isinstance(thing, str | int | float)
    return thing if short else type(thing).__name__
