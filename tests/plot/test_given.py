"""The wrong kind of thing is named, with what draws it."""

from collections.abc import Callable

import pandas as pd
import pytest

from kafkasim import plot
from kafkasim.errors import ValidationError
from kafkasim.plot.given import (
    rows_of,
    run_given,
    subscriber_given,
    table_given,
    table_with,
)
from kafkasim.result.result import Result


def test_a_run_where_a_table_is_drawn_says_what_draws_a_run(five: Result) -> None:
    with pytest.raises(ValidationError, match=r"'Result'.*drawn by throughput"):
        table_given(five, "a table")
    with pytest.raises(ValidationError, match="table: 'Result' is not allowed"):
        plot.sweep(five)  # type: ignore[arg-type]


def test_a_table_where_a_run_is_drawn_says_what_draws_a_table() -> None:
    with pytest.raises(
        ValidationError, match=r"'DataFrame'.*table of a sweep is drawn"
    ):
        run_given(pd.DataFrame())
    with pytest.raises(
        ValidationError, match=r"'DataFrame'.*table of a sweep is drawn"
    ):
        plot.braid(pd.DataFrame())  # type: ignore[arg-type]


@pytest.mark.parametrize("thing", [None, 3, "flights.csv", object(), [1, 2]])
@pytest.mark.parametrize("draw", [plot.sweep, plot.ordering, plot.braid])
def test_anything_else_is_refused_by_name(
    draw: Callable[[object], object], thing: object
) -> None:
    with pytest.raises(ValidationError) as caught:
        draw(thing)
    shown = repr(thing) if isinstance(thing, str | int | None) else type(thing).__name__
    assert shown in str(caught.value)


def test_what_is_right_comes_back_itself(five: Result) -> None:
    table = pd.DataFrame()

    assert run_given(five) is five
    assert table_given(table, "a table") is table


def test_without_a_name_it_is_the_first_subscriber_though_it_has_no_row() -> None:
    column = pd.Categorical(["crew"], categories=["board", "crew"])
    table = pd.DataFrame({"subscriber": column})

    assert subscriber_given(table, None) == "board"
    assert len(rows_of(table, "board")) == 0
    assert subscriber_given(table, "crew") == "crew"
    with pytest.raises(ValidationError, match="one of board and crew"):
        subscriber_given(table, "billing")


def test_names_that_are_plain_text_will_do() -> None:
    table = pd.DataFrame({"subscriber": ["crew", "board"]})

    assert subscriber_given(table, None) == "crew"
    assert subscriber_given(table[:0], None) == "nobody"


def test_a_table_that_lacks_a_column_says_which_and_who_makes_it() -> None:
    table = pd.DataFrame({"records": [1]})

    assert table_with(table, ("records",), "ordering") is table
    with pytest.raises(ValidationError, match=r"analysis\.ordering.*, with overtaken"):
        table_with(table, ("records", "overtaken"), "ordering")
    with pytest.raises(ValidationError, match=r"'dict'.*analysis\.ordering"):
        table_with({}, ("records",), "ordering")
