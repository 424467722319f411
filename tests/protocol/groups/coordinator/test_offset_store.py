"""What is stored of commits, when it goes again, and that nobody asks for more."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kafkasim.protocol.errors import NONE, OFFSET_METADATA_TOO_LARGE
from kafkasim.protocol.groups.coordinator.offset_store import (
    OffsetSettings,
    OffsetStore,
)
from kafkasim.protocol.groups.coordinator_records import OffsetRecord
from kafkasim.protocol.groups.group_messages import (
    CommittedOffset,
    OffsetCommit,
    OffsetFetch,
)
from kafkasim.protocol.topic_ids import TopicIds, made_id

WEEK_MS = 604_800_000
IDS = TopicIds({"orders": made_id("orders")})


def _at(
    offset: int, *, topic: str = "orders", partition: int = 0, **more: object
) -> CommittedOffset:
    return CommittedOffset(topic=topic, partition=partition, offset=offset, **more)  # type: ignore[arg-type]


def _commit(*offsets: CommittedOffset, group: str = "g") -> OffsetCommit:
    return OffsetCommit(group=group, offsets=offsets)


def _stored(store: OffsetStore, request: OffsetCommit, now_ms: int) -> tuple[int, ...]:
    errors = store.errors(request)
    for record in store.records(request, errors, now_ms):
        store.replay(record)
    return errors


def _fetch(
    store: OffsetStore, *partitions: int, group: str = "g", topic: str = "orders"
) -> list[int]:
    at = tuple((topic, each) for each in partitions)
    response = store.fetch(OffsetFetch(group=group, partitions=at))
    return [each.offset for each in response.offsets]


def _gone(records: tuple[OffsetRecord, ...]) -> list[tuple[str, int]]:
    assert all(record.offset is None for record in records)
    return [(record.topic, record.partition) for record in records]


def test_a_commit_is_one_record_for_each_partition() -> None:
    store = OffsetStore(OffsetSettings(), IDS)
    request = _commit(_at(7, leader_epoch=3, metadata="m"), _at(9, topic="other"))
    records = store.records(request, store.errors(request), 1_000)
    assert records == (
        OffsetRecord("g", "orders", 0, 7, 3, "m", 1_000, topic_id=made_id("orders")),
        OffsetRecord("g", "other", 0, 9, -1, "", 1_000, topic_id=""),
    )
    assert _fetch(store, 0) == [-1]


def test_what_was_committed_last_counts_whatever_it_is() -> None:
    store = OffsetStore(OffsetSettings())
    _stored(store, _commit(_at(7)), 0)
    _stored(store, _commit(_at(3)), 1)
    assert _fetch(store, 0) == [3]
    _stored(store, _commit(_at(10**12)), 2)
    assert _fetch(store, 0, 1) == [10**12, -1]


def test_groups_and_topics_do_not_see_each_others_offsets() -> None:
    store = OffsetStore(OffsetSettings())
    _stored(store, _commit(_at(7)), 0)
    assert _fetch(store, 0, group="h") == [-1]
    assert _fetch(store, 0, topic="other") == [-1]
    assert store.groups == ("g",)


@pytest.mark.parametrize(
    ("metadata", "error"),
    [
        ("a" * 4_096, NONE),
        ("a" * 4_097, OFFSET_METADATA_TOO_LARGE),
        ("ü" * 4_096, NONE),
        ("\N{GRINNING FACE}" * 2_048, NONE),
        ("\N{GRINNING FACE}" * 2_048 + "a", OFFSET_METADATA_TOO_LARGE),
    ],
    ids=["ascii", "one more", "two bytes each", "two units each", "and one more"],
)
def test_metadata_is_limited_by_javas_length_not_by_bytes(
    metadata: str, error: int
) -> None:
    store = OffsetStore(OffsetSettings())
    request = _commit(_at(1, metadata=metadata), _at(2, partition=1))
    assert _stored(store, request, 0) == (error, NONE)
    assert _fetch(store, 0, 1) == [1 if error == NONE else -1, 2]


def test_a_fetch_tells_all_that_was_committed() -> None:
    store = OffsetStore(OffsetSettings())
    at = _at(7, leader_epoch=3, metadata="m")
    _stored(store, _commit(at), 0)
    (found,) = store.fetch(OffsetFetch(group="g", partitions=(("orders", 0),))).offsets
    assert found == at


def test_only_what_is_there_gets_a_tombstone() -> None:
    store = OffsetStore(OffsetSettings())
    _stored(store, _commit(_at(7), _at(8, partition=1)), 0)
    records = store.delete("g", [("orders", 1), ("orders", 2)])
    assert _gone(records) == [("orders", 1)]
    for record in records:
        store.replay(record)
    assert _fetch(store, 0, 1) == [7, -1]
    assert list(store.offsets("g")) == [("orders", 0)]
    assert store.delete("g", [("orders", 1)]) == ()


def test_the_offsets_of_a_deleted_topic_go_in_all_groups() -> None:
    store = OffsetStore(OffsetSettings())
    for group in ("g", "h"):
        _stored(store, _commit(_at(7), _at(8, topic="other"), group=group), 0)
    records = store.delete_topics({"orders"})
    assert [(each.group, each.topic) for each in records] == [
        ("g", "orders"),
        ("h", "orders"),
    ]


@pytest.mark.parametrize("short_ms", [0, 1])
def test_an_offset_lives_its_retention_from_the_commit(short_ms: int) -> None:
    store = OffsetStore(OffsetSettings())
    _stored(store, _commit(_at(7)), 1_000)
    gone = _gone(store.expired("g", 1_000 + WEEK_MS - short_ms))
    assert gone == ([] if short_ms else [("orders", 0)])


@pytest.mark.parametrize("short_ms", [0, 1])
def test_in_a_group_that_lost_its_members_it_lives_from_then_on(short_ms: int) -> None:
    store = OffsetStore(OffsetSettings())
    _stored(store, _commit(_at(7)), 1_000)
    now_ms = 50_000 + WEEK_MS - short_ms
    gone = _gone(store.expired("g", now_ms, empty_since_ms=50_000))
    assert gone == ([] if short_ms else [("orders", 0)])


def test_offsets_of_topics_that_somebody_reads_stay() -> None:
    store = OffsetStore(OffsetSettings())
    _stored(store, _commit(_at(7), _at(8, topic="other"), _at(9, partition=1)), 0)
    assert _gone(store.expired("g", 10 * WEEK_MS, subscribed={"orders"})) == [
        ("other", 0)
    ]


@pytest.mark.parametrize("empty_since_ms", [None, 0, 10 * WEEK_MS])
def test_a_time_that_the_client_named_counts_alone(empty_since_ms: int | None) -> None:
    store = OffsetStore(OffsetSettings())
    store.replay(OffsetRecord("g", "orders", 0, 7, committed_ms=0, expires_ms=500))
    assert store.expired("g", 499, empty_since_ms=empty_since_ms) == ()
    gone = store.expired("g", 500, empty_since_ms=empty_since_ms)
    assert _gone(gone) == [("orders", 0)]


_records = st.builds(
    OffsetRecord,
    st.sampled_from(["g", "h"]),
    st.sampled_from(["orders", "other"]),
    st.integers(0, 1),
    st.none() | st.integers(0, 5),
)


@given(st.lists(_records, max_size=12), st.integers(0, 12))
def test_what_was_replayed_can_be_taken_back(
    records: list[OffsetRecord], keep: int
) -> None:
    store, less = OffsetStore(OffsetSettings()), OffsetStore(OffsetSettings())
    undo = [store.replay(record) for record in records]
    for record in records[:keep]:
        less.replay(record)
    for record in reversed(undo[keep:]):
        store.replay(record)
    for group in ("g", "h"):
        assert store.offsets(group) == less.offsets(group)
    assert sorted(store.groups) == sorted(less.groups)


@given(st.lists(_records, min_size=1, max_size=12))
def test_the_last_record_of_a_key_stands(records: list[OffsetRecord]) -> None:
    store = OffsetStore(OffsetSettings())
    last = {}
    for record in records:
        store.replay(record)
        last[record.group, record.topic, record.partition] = record
    assert all(store.stands(record) for record in last.values())
    gone = [each for each in records if each.offset is not None]
    overwritten = [each for each in gone if not any(each is x for x in last.values())]
    assert not any(store.stands(record) for record in overwritten)
