"""From ranges to columns."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from kafkasim.engine.sim.hand_outs import POLL_DTYPE, deliveries
from kafkasim.protocol.producing.columns import ranges
from kafkasim.units import MISSING_NS


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 5))))
def test_ranges_are_laid_one_behind_the_other(pairs: list[tuple[int, int]]) -> None:
    starts = np.array([start for start, _ in pairs], np.int64)
    counts = np.array([count for _, count in pairs], np.int64)
    expected = [i for start, count in pairs for i in range(start, start + count)]
    assert ranges(starts, counts).tolist() == expected


def polls_of(*rows: tuple[float, ...]) -> np.ndarray:
    return np.array([(*row, 0) for row in rows], dtype=POLL_DTYPE)


def once(
    polls: np.ndarray, records: int, work_ns: list[np.ndarray]
) -> dict[str, np.ndarray]:
    """Return the deliveries of one partition whose records are each given once."""
    return of_one_partition(polls, records, work_ns, again=False)


def of_one_partition(
    polls: np.ndarray, records: int, work_ns: list[np.ndarray], *, again: bool
) -> dict[str, np.ndarray]:
    topic, number = np.zeros(1, np.int16), np.array([4], np.int32)
    starts = np.array([0, records])
    return deliveries(
        polls, topic, number, np.arange(records), starts, work_ns, again=again
    )


def test_work_on_the_records_of_a_poll_runs_one_after_the_other() -> None:
    polls = polls_of((0, 7, 0, 0, 3, 90, 100, 1.0, MISSING_NS, 0))
    work = np.array([10, 20, 30])
    columns = once(polls, 3, [work])
    assert columns["started_ns"].tolist() == [100, 110, 130]
    assert columns["ended_ns"].tolist() == [110, 130, 160]
    assert columns["member"].tolist() == [7, 7, 7]
    assert columns["fetched_ns"].tolist() == [90, 90, 90]


def test_slowed_work_is_rounded_along_the_poll_and_leaves_no_gap() -> None:
    polls = polls_of((0, 0, 0, 0, 3, 0, 0, 1.5, MISSING_NS, 0))
    columns = once(polls, 3, [np.array([1, 1, 1])])
    assert columns["ended_ns"].tolist() == [2, 3, 4]
    assert columns["started_ns"].tolist() == [0, 2, 3]


def test_a_crash_and_a_cut_end_work_that_had_not_ended() -> None:
    polls = polls_of(
        (0, 0, 0, 0, 3, 0, 0, 1.0, 15, 1), (0, 0, 0, 0, 3, 0, 20, 1.0, 35, 0)
    )
    work = np.array([10, 10, 10])
    columns = once(polls, 3, [work])
    assert columns["outcome"].tolist() == [0, 1, 1, 0, 2, 2]
    assert columns["ended_ns"].tolist() == [
        10, MISSING_NS, MISSING_NS, 30, MISSING_NS, MISSING_NS,
    ]  # fmt: skip
    assert columns["started_ns"].tolist() == [0, 10, MISSING_NS, 20, 30, MISSING_NS]


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 4)), max_size=20))
def test_hand_outs_of_a_record_to_a_group_are_counted(
    pairs: list[tuple[int, int]],
) -> None:
    polls = polls_of(
        *[(group, 0, 0, at, at + 1, 0, 0, 1.0, MISSING_NS, 0) for group, at in pairs]
    )
    work = [np.zeros(5, np.int64)] * 3
    columns = of_one_partition(polls, 5, work, again=True)
    expected = [pairs[: i + 1].count(pair) for i, pair in enumerate(pairs)]
    assert columns["delivery_count"].tolist() == expected


def test_a_run_without_polls_has_no_deliveries() -> None:
    columns = once(polls_of(), 0, [])
    assert all(len(column) == 0 for column in columns.values())
