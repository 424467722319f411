"""The offsets topic as a table, from a run by hand."""

import pytest

from kafkasim.analysis.offset_records import offsets_topic
from kafkasim.errors import TableNotRecorded
from kafkasim.result.result import Result
from kafkasim.testing.builders import Row, small_result

RECORDS: list[Row] = [{"intended_ms": 0.0, "created_ms": 0.0}]


def commit(
    offset: int, at_ms: float, committed: int, *, group: str = "g", number: int = 0
) -> Row:
    return {
        "partition": 3, "offset": offset, "leader": 1, "leader_epoch": 0,
        "at_ms": at_ms, "kind": "OffsetCommit", "group": group, "topic": "orders",
        "topic_partition": number, "committed_offset": committed, "epoch": -1,
        "key_bytes": 20, "value_bytes": 42 if committed >= 0 else -1,
    }  # fmt: skip


def removed(low: int, high: int, at_ms: float, *, cause: str = "compaction") -> Row:
    return {
        "topic": "__consumer_offsets", "partition": 3, "broker": 1, "from_offset": low,
        "to_offset": high, "at_ms": at_ms, "cause": cause,
    }  # fmt: skip


def group(offset: int, at_ms: float, epoch: int) -> Row:
    return {
        "partition": 3, "offset": offset, "leader": 1, "leader_epoch": 0,
        "at_ms": at_ms, "kind": "GroupMetadata", "group": "g", "topic": None,
        "topic_partition": -1, "member": None, "committed_offset": -1, "epoch": epoch,
        "text": "range, 2 members", "key_bytes": 5, "value_bytes": 300,
    }  # fmt: skip


def by_hand(*more: Row) -> Result:
    return small_result(
        records=RECORDS,
        offsets_topic=[
            group(0, 10.0, 1),
            commit(1, 20.0, 5),
            commit(2, 30.0, 6, number=1),
            commit(3, 40.0, 9),
            commit(4, 50.0, -1, number=1),
            commit(5, 60.0, 2, group="h"),
            *more,
        ],
        removals=[removed(1, 3, 70.0), removed(4, 5, 90.0)],
    )


def test_each_record_is_a_row_with_its_key_and_value_in_words() -> None:
    table = offsets_topic(by_hand())
    assert table["key"].tolist() == [
        "g", "g, orders-0", "g, orders-1", "g, orders-0", "g, orders-1", "h, orders-0"
    ]  # fmt: skip
    assert table["value"].tolist() == [
        "epoch 1, range, 2 members", "offset 5", "offset 6", "offset 9", "", "offset 2"
    ]  # fmt: skip
    assert table["tombstone"].tolist() == [False] * 4 + [True, False]
    assert table["size_bytes"].tolist() == [305, 62, 62, 62, 20, 62]
    assert table["type"].tolist() == ["GroupMetadata"] + ["OffsetCommit"] * 5


def test_the_newest_of_a_key_is_that_with_nothing_after_it() -> None:
    newest = offsets_topic(by_hand())["newest"].tolist()
    assert newest == [True, False, False, True, True, True]


def test_what_compaction_took_is_gone_from_then_on() -> None:
    table = offsets_topic(by_hand())
    assert table["there"].tolist() == [True, False, False, True, False, True]
    assert table["gone_ms"].dropna().tolist() == [70.0, 70.0, 90.0]


def test_a_moment_shows_what_was_written_and_removed_until_then() -> None:
    table = offsets_topic(by_hand(), at_s=0.055)
    assert table["offset"].tolist() == [0, 1, 2, 3, 4]
    assert table["there"].all()
    assert table["newest"].tolist() == [True, False, False, True, True]
    assert offsets_topic(by_hand(), at_s=0.075)["there"].tolist() == [
        True, False, False, True, True, True
    ]  # fmt: skip


def test_an_offset_that_was_cut_off_and_written_again_is_there() -> None:
    result = small_result(
        records=RECORDS,
        offsets_topic=[commit(0, 10.0, 5), commit(0, 30.0, 6)],
        removals=[removed(0, 1, 20.0, cause="truncation")],
    )
    table = offsets_topic(result)
    assert table["there"].tolist() == [False, True]
    assert table["value"].tolist() == ["offset 5", "offset 6"]


def test_without_removals_all_is_there() -> None:
    result = small_result(records=RECORDS, offsets_topic=[commit(0, 10.0, 5)])
    assert offsets_topic(result)["there"].tolist() == [True]


def test_a_run_without_coordinators_has_no_such_table() -> None:
    with pytest.raises(TableNotRecorded):
        offsets_topic(small_result(records=RECORDS))
