"""What left a log before a subscriber came to it, on tables written by hand."""

import numpy as np
import pytest

from kafkasim.result.removals import passed_or_gone, removed_ns
from kafkasim.result.result import Result
from kafkasim.result.wants import Want
from kafkasim.testing.builders import Row, small_result
from kafkasim.units import MISSING_NS

MS = 1_000_000
BILLING = Want("billing", ("orders",), 0, "new")


def placed(*places: tuple[int, int], topic: str = "orders") -> list[Row]:
    """Records of a stream by partition and offset; -1 for one in no log."""
    return [
        {
            "stream": topic,
            "intended_ms": number,
            "appended_ms": number + 1 if offset >= 0 else None,
            "partition": partition,
            "offset": offset,
        }
        for number, (partition, offset) in enumerate(places)
    ]


def removal(partition: int, first: int, end: int, at_ms: int, **other: str) -> Row:
    row = {"topic": "orders", "broker": 1, "cause": "time"} | other
    offsets = {"partition": partition, "from_offset": first, "to_offset": end}
    return row | offsets | {"at_ms": at_ms}


def gone_ms(result: Result, rows: list[int] | None = None) -> list[int | None]:
    records = result.columns("records")
    asked = np.arange(len(records)) if rows is None else np.array(rows)
    found = removed_ns(records, asked, result.columns("removals"))
    return [None if at == MISSING_NS else at // MS for at in found.tolist()]


def test_a_record_left_with_the_run_of_offsets_it_lay_in() -> None:
    result = small_result(
        placed((0, 0), (0, 1), (0, 2), (0, 3), (0, 4), (0, -1)),
        removals=[removal(0, 3, 4, 30), removal(0, 0, 2, 20)],
    )

    assert gone_ms(result) == [20, 20, None, 30, None, None]
    assert gone_ms(result, [3, 5, 0]) == [30, None, 20]


def test_equal_offsets_of_other_partitions_and_topics_are_other_records() -> None:
    result = small_result(
        [*placed((0, 5), (1, 5), (2, 5)), *placed((0, 5), (1, 5), topic="refunds")],
        removals=[
            removal(1, 5, 9, 10),
            removal(0, 0, 6, 20, topic="refunds"),
            removal(0, 0, 9, 30, topic="elsewhere"),
        ],
    )

    assert gone_ms(result) == [None, 10, None, 20, None]


def test_a_run_of_offsets_ends_where_the_next_partition_begins() -> None:
    """Partitions stand one after the other, as far apart as the largest offset."""
    result = small_result(
        placed((0, 9), (1, 0), (1, 9), (2, 0)), removals=[removal(1, 0, 9, 10)]
    )

    assert gone_ms(result) == [None, 10, None, None]


def test_without_records_in_a_log_or_removals_nothing_left() -> None:
    assert gone_ms(small_result(placed((0, -1)), removals=[removal(0, 0, 9, 1)])) == [
        None
    ]
    assert gone_ms(small_result(placed((0, 0)), removals=[])) == [None]


def outcome(result: Result) -> tuple[list[int | None], list[bool]]:
    """When each record left the way of billing, and which had left the log."""
    names = [name for name in result.tables if name != "histograms"]
    tables = {name: result.columns(name) for name in names}
    rows = np.arange(len(tables["records"]))
    at_ns, expired = passed_or_gone(BILLING, tables, rows)
    times = [None if at == MISSING_NS else at // MS for at in at_ns.tolist()]
    return times, expired.tolist()


@pytest.mark.parametrize(
    ("began_ms", "expected"),
    [
        # Nobody has told it yet: to it the two still wait.
        (None, ([None, None, None], [True, True, False])),
        # Passed first, and gone later: a reset skipped it.
        (19, ([19, 19, None], [False, False, False])),
        # Gone at once or first: the reset found it no more.
        (20, ([20, 20, None], [True, True, False])),
        (25, ([25, 25, None], [True, True, False])),
    ],
)
def test_what_came_first_decides_a_reset_or_the_end_in_the_log(
    began_ms: int | None, expected: tuple[list[int | None], list[bool]]
) -> None:
    began = [{"since_ms": began_ms, "start_offset": 2}]
    result = small_result(
        placed((0, 0), (0, 1), (0, 2)),
        removals=[removal(0, 0, 2, 20)],
        assignments=[] if began_ms is None else began,
    )

    assert outcome(result) == expected


def test_what_compaction_took_waits_no_more_from_then_on() -> None:
    """A reader goes on behind the gap: there is no reset that could pass it."""
    result = small_result(
        placed((0, 0), (0, 1), (0, 2)),
        removals=[
            removal(0, 0, 1, 30),
            removal(0, 1, 2, 20, cause="compaction"),
        ],
    )

    assert outcome(result) == ([None, 20, None], [True, True, False])


def test_what_is_at_work_at_the_cut_did_not_expire() -> None:
    result = small_result(
        placed((0, 0), (0, 1), (0, 2)),
        [
            {"record_id": 0, "started_ms": 5},  # at work
            {"record_id": 1, "started_ms": 5, "outcome": "abandoned"},
            {"record_id": 2, "started_ms": 5, "subscriber": "audit"},
        ],
        removals=[removal(0, 0, 3, 20, cause="compaction")],
    )

    assert outcome(result) == ([None, 20, 20], [False, True, True])


def test_a_run_without_those_tables_lets_nothing_expire() -> None:
    assert outcome(small_result(placed((0, 0)))) == ([None], [False])
