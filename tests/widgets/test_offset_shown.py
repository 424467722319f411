"""What the offset explorer shows of a run, in numbers."""

import numpy as np
import pytest

from kafkasim.result.result import Result
from kafkasim.testing.builders import Row, small_result
from kafkasim.widgets.offset_shown import Row as Listed
from kafkasim.widgets.offset_shown import Shown, Work, shown_of

ORDERS = {"topic": "orders", "partition": 0}


def by_hand(*, crash: bool = True) -> Result:
    """Return three records: the first process does one, has two; the next does two."""
    deliveries: list[Row] = [
        given(0, "billing", 100, 200, 300),
        given(0, "audit", 100, 150, 250),
        given(1, "audit", 100, 250, 350),
    ]
    if crash:
        deliveries += [
            given(1, "billing", 100, 300, None),
            given(2, "billing", 100, None, None),
            given(0, "billing", 900, 900, 1_000),
            given(1, "billing", 900, 1_000, 1_100),
        ]
    records = [
        {"intended_ms": each, "acked_ms": 5, "partition": 0, "offset": each}
        for each in range(3)
    ]
    done = {"event": "Crash", "target": "member:billing/1", "at_ms": 350}
    group = {"group": "billing", "member": "billing/1"} | ORDERS
    spans = [group | {"epoch": 1, "since_ms": 90, "start_offset": 0}]
    if crash:
        spans.append(group | {"epoch": 2, "since_ms": 890, "start_offset": 0})
    commits = [
        {"group": name, "member": f"{name}/1", "offset": offset, "at_ms": at_ms}
        | {"kind": "sync", "outcome": "ok"}
        | ORDERS
        for name, offset, at_ms in (("billing", 2, 1_150), ("audit", 1, 255))
    ]
    member = "range, 1 member, leader a"
    return small_result(
        records,
        deliveries,
        events=[done | {"until_ms": 800}] if crash else [],
        assignments=spans,
        commits=commits,
        offsets_topic=[
            written(9, 0, "GroupMetadata", "billing", text=member, epoch=1),
            written(9, 1, "OffsetCommit", "billing", committed_offset=1),
            written(9, 2, "OffsetCommit", "billing", committed_offset=2),
            written(5, 0, "OffsetCommit", "audit", committed_offset=1),
        ],
    )


def given(
    offset: int, who: str, fetched: float, started: float | None, ended: float | None
) -> Row:
    row: dict[str, object] = {"record_id": offset, "subscriber": who}
    row |= {"member": f"{who}/1", "offset": offset, "fetched_ms": fetched}
    if started is not None:
        row["started_ms"] = started
    if ended is not None:
        row["ended_ms"] = ended
    return row | {"outcome": "processed" if ended is not None else "abandoned"}


def written(partition: int, offset: int, kind: str, group: str, **value: object) -> Row:
    row: dict[str, object] = {"partition": partition, "offset": offset, "kind": kind}
    row |= {"at_ms": 10.0 + offset, "leader": 1, "leader_epoch": 0, "group": group}
    if "committed_offset" in value:
        row |= {"topic": "orders", "topic_partition": 0, "text": "", "epoch": 0}
    return row | {"key_bytes": 20, "value_bytes": 20} | value


@pytest.fixture(scope="module")
def shown() -> Shown:
    return shown_of(by_hand(), "billing", "audit")


def test_each_process_has_come_so_far_with_each_record(shown: Shown) -> None:
    assert shown.first.tolist() == [Work.DONE, Work.BEGUN, Work.IN_HAND]
    assert shown.second.tolist() == [Work.DONE, Work.DONE, Work.NONE]
    assert shown.times.tolist() == [2, 1, 0]
    assert (shown.twice, shown.never) == (1, 1)
    assert shown.other.tolist() == [1, 1, 0]


def test_the_next_process_begins_where_it_was_told(shown: Shown) -> None:
    assert (shown.crash_s, shown.begins_s, shown.goes_on_at) == (0.35, 0.89, 0)
    assert shown.crashed


def test_without_a_crash_there_is_one_process() -> None:
    shown = shown_of(by_hand(crash=False), "billing", "audit")

    assert not shown.crashed
    assert shown.goes_on_at == -1
    assert shown.second.tolist() == [Work.NONE] * 3


def test_lines_are_what_is_at_work_and_what_is_committed(shown: Shown) -> None:
    work = shown.at_work
    seconds = np.array([0.2, 0.3, 0.35, 0.9, 1.0, 1.1, 1.15])
    np.testing.assert_allclose(work.at_s, seconds)
    np.testing.assert_array_equal(work.offset, [0, 1, np.nan, 0, 1, np.nan, np.nan])
    np.testing.assert_allclose(shown.committed.at_s, [1.15, shown.until_s])
    assert shown.committed.offset.tolist() == [2, 2]
    assert shown.others_committed.offset.tolist() == [1, 1]
    assert shown.commits == 1


def test_the_newest_record_of_each_key_is_marked(shown: Shown) -> None:
    assert shown.rows == (
        Listed(5, 0, "audit, orders-0", "offset 1", newest=True),
        Listed(9, 0, "billing", "generation 1, 1 member", newest=True),
        Listed(9, 1, "billing, orders-0", "offset 1", newest=False),
        Listed(9, 2, "billing, orders-0", "offset 2", newest=True),
    )
