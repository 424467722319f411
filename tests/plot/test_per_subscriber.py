"""Whose line it is, and how it looks."""

import pandas as pd

from kafkasim.plot.per_subscriber import MOST_LINES, by_subscriber, look_of
from kafkasim.plot.style import GREY


def test_subscribers_stand_in_the_order_of_the_table() -> None:
    table = pd.DataFrame({"subscriber": ["b", "b", "a"], "at_ms": [0.0, 2.0, 0.0]})
    (one, first), (two, second) = by_subscriber(table)
    assert (one, two) == ("b", "a")
    assert (len(first), len(second)) == (2, 1)


def test_beyond_the_sixth_lines_are_grey_and_named_once() -> None:
    table = pd.DataFrame({"subscriber": [f"s{number}" for number in range(9)]})
    looks = [look_of(number, 12, f"s{number}", table) for number in range(9)]
    assert [look["label"] for look in looks[:MOST_LINES]] == [
        f"s{number}" for number in range(MOST_LINES)
    ]
    assert [look["label"] for look in looks[MOST_LINES:]] == ["3 others", "_", "_"]
    assert {look["color"] for look in looks[MOST_LINES:]} == {GREY}
    assert GREY not in {look["color"] for look in looks[:MOST_LINES]}
    one_more = look_of(MOST_LINES, 12, "s6", table.iloc[: MOST_LINES + 1])
    assert one_more["label"] == "1 other"
