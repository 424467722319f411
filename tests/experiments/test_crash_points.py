"""A crash at each point of the poll loop: what it costs with each way to commit."""

import numpy as np
import pandas as pd
import pytest

from kafkasim.errors import ValidationError
from kafkasim.experiments.crash_points import (
    COMMITS,
    POINTS,
    crash_points,
    crash_scenario,
)
from kafkasim.experiments.running import run
from kafkasim.result.result import Result
from kafkasim.result.rows import code


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return crash_points()


def numbers(table: pd.DataFrame, column: str) -> dict[str, list[int]]:
    """Return a column by way to commit, over the points of the loop."""
    return {
        str(commit): part[column].tolist()
        for commit, part in table.groupby("commit", sort=False)
    }


def test_every_pair_has_a_run_of_its_own(table: pd.DataFrame) -> None:
    assert table["commit"].unique().tolist() == list(COMMITS)
    assert table["point"].tolist() == list(POINTS) * len(COMMITS)
    assert table["digest"].is_unique


def test_what_is_done_and_not_committed_is_done_twice(table: pd.DataFrame) -> None:
    """DS-14 and DS-16: of four records k are done; auto has not committed before."""
    assert numbers(table, "twice") == {
        "auto": [4, 6, 8, 0],
        "each_poll": [0, 2, 4, 0],
        "before_work": [0, 0, 0, 0],
        "after_work": [0, 2, 4, 0],
        "manual(every=3)": [0, 2, 1, 0],
    }


def test_what_is_committed_and_not_done_is_never_done(table: pd.DataFrame) -> None:
    """DS-15: n − k of the poll's n records, where k are done."""
    never = numbers(table, "never")

    assert never.pop("before_work") == [0, 2, 0, 4]
    assert set(map(tuple, never.values())) == {(0, 0, 0, 0)}


def test_the_next_process_goes_on_at_the_committed_offset(table: pd.DataFrame) -> None:
    ahead = table["done"] - table["committed"]

    np.testing.assert_array_equal(table["twice"], np.maximum(ahead, 0))
    np.testing.assert_array_equal(table["never"], np.maximum(-ahead, 0))


def test_the_other_group_notices_nothing(table: pd.DataFrame) -> None:
    assert table["other"].tolist() == [0] * len(table)


def outcomes(result: Result, offset: int) -> list[str]:
    rows = result.columns("deliveries")
    mine = rows["subscriber"] == code(rows, "subscriber", "billing")
    codes = rows["outcome"][mine & (rows["offset"] == offset)]
    return [rows.labels["outcome"][each] for each in codes]


def test_a_crash_in_the_work_cuts_one_record_off() -> None:
    result = run(crash_scenario("after_work", "in the work"))

    assert outcomes(result, 13) == ["processed", "processed"]
    assert outcomes(result, 14) == ["abandoned", "processed"]


def test_a_run_without_a_crash_has_none() -> None:
    assert crash_scenario("auto", None).events == ()


def test_what_is_no_point_and_no_way_to_commit_is_refused() -> None:
    with pytest.raises(ValidationError, match="one of before the work, in the work"):
        crash_scenario("auto", "at lunch")
    with pytest.raises(ValidationError, match="'after_work'"):
        crash_points(commits=["later"])
