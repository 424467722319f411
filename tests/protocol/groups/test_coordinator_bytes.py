"""Records of `__consumer_offsets` byte for byte as the real classes write them."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kafkasim.protocol.groups.coordinator_bytes import decode, encode
from kafkasim.protocol.groups.coordinator_records import (
    UNRELEASED_PARTITIONS,
    UNREVOKED_PARTITIONS,
    ClassicGroupRecord,
    CurrentAssignmentRecord,
    OffsetRecord,
    RawRecord,
    Record,
    TargetMemberRecord,
)
from kafkasim.protocol.offsets_topic import offsets_partition
from kafkasim.protocol.topic_ids import id_bytes, made_id
from kafkasim.protocol.wire import Writer
from tests.protocol.groups.coordinator_cases import OFFSET, ORDERS, PAID, SAYS
from tests.protocol.groups.coordinator_data import IDS, WRITTEN, logged, understood


@pytest.mark.parametrize("name", SAYS)
def test_a_record_has_the_bytes_that_the_real_class_writes(name: str) -> None:
    assert encode(SAYS[name]) == WRITTEN[name]
    assert decode(*WRITTEN[name]) == SAYS[name]


@pytest.mark.parametrize(
    ("name", "leader_epoch"),
    [("OffsetCommit v0", -1), ("OffsetCommit v2", -1), ("OffsetCommit v3", 5)],
)
def test_older_offset_commits_are_read(name: str, leader_epoch: int) -> None:
    older = decode(*WRITTEN[name])
    at = 1_700_000_000_123
    assert older == OffsetRecord("billing", "orders", 7, 42, leader_epoch, "note ü", at)


def test_the_oldest_type_of_an_offset_commit_is_read_as_the_other() -> None:
    assert decode(*WRITTEN["LegacyOffsetCommit"]) == OffsetRecord(
        "g", "t", 0, 9, committed_ms=3
    )


@pytest.mark.parametrize("version", [0, 1, 2, 4])
def test_other_versions_of_a_classic_group_are_read(version: int) -> None:
    newest = decode(*WRITTEN["GroupMetadata v3 range"])
    other = decode(*WRITTEN[f"GroupMetadata v{version} range"])
    assert isinstance(newest, ClassicGroupRecord) and newest.value is not None
    assert isinstance(other, ClassicGroupRecord) and other.value is not None
    assert (other.value.changed_ms == newest.value.changed_ms) == (version >= 2)
    for theirs, ours in zip(other.value.members, newest.value.members, strict=True):
        assert theirs.subscription == ours.subscription
        assert theirs.assigned == ours.assigned
        assert theirs.session_timeout_ms == 45_000
        assert theirs.rebalance_timeout_ms == (300_000 if version >= 1 else -1)
        assert theirs.instance_id == (ours.instance_id if version >= 3 else None)


def test_a_subscription_of_an_older_client_keeps_its_bytes() -> None:
    older = [name for name in WRITTEN if " subscription v" in name]
    assert len(older) >= 6
    for name in older:
        record = decode(*WRITTEN[name])
        assert isinstance(record, ClassicGroupRecord) and record.value is not None
        assert isinstance(record.value.members[0].subscription, bytes)
        assert encode(record) == WRITTEN[name]


@pytest.mark.parametrize("name", ["ShareGroupMetadata", "StreamsGroupMetadata"])
def test_records_of_other_kinds_of_groups_stay_as_they_are(name: str) -> None:
    record = decode(*WRITTEN[name])
    assert isinstance(record, RawRecord)
    assert record.type == {"ShareGroupMetadata": 11, "StreamsGroupMetadata": 17}[name]
    assert encode(record) == WRITTEN[name]


@pytest.mark.parametrize("partition", [1, 2, 3])
def test_a_brokers_own_log_is_understood_and_written_again(partition: int) -> None:
    records = logged(partition)
    assert len(records) == {1: 31, 2: 51, 3: 18}[partition]
    for record, says in zip(records, understood(partition), strict=True):
        assert not isinstance(says, RawRecord)
        assert encode(says, IDS) == (record.key, record.value)
        assert offsets_partition(says.group, 4) == partition


def test_topics_of_the_consumer_protocol_have_names_where_they_are_known() -> None:
    states = [
        record.value
        for record in understood(2)
        if isinstance(record, CurrentAssignmentRecord) and record.value is not None
    ]
    revoking = next(each for each in states if each.state == UNREVOKED_PARTITIONS)
    assert revoking.assigned == (("orders", 0), ("orders", 1))
    assert revoking.revoking == (("orders", 2), ("paid", 0))
    waiting = next(each for each in states if each.state == UNRELEASED_PARTITIONS)
    assert waiting.assigned == ()


def test_a_topic_without_an_id_cannot_be_written() -> None:
    with pytest.raises(ValueError, match="'ledger' is not the id of a topic"):
        encode(TargetMemberRecord("g", "m", (("ledger", 0),)), IDS)
    assert encode(TargetMemberRecord("g", "m", ((made_id("ledger"), 0),)), IDS)


@pytest.mark.parametrize("epochs", [None, (7,)])
def test_where_epochs_do_not_fit_their_partitions_it_is_the_members(
    epochs: tuple[int, ...] | None,
) -> None:
    out = Writer(flexible=True).int16(0).int32(11).int32(10).int8(0)

    def put(topic: str) -> None:
        tags = {0: bytes.fromhex("03 00000002 00000003")}
        if topic == PAID:
            tag = Writer(flexible=True)
            tags = {} if epochs is None else {0: tag.array(epochs, tag.int32).done()}
        out.raw(id_bytes(topic)).array((0, 1), out.int32).tags(tags)

    value = out.array((ORDERS, PAID), put).array((), put).tags().done()
    record = decode(WRITTEN["CurrentMemberAssignment"][0], value)
    assert isinstance(record, CurrentAssignmentRecord) and record.value is not None
    assert record.value.assigned_epochs == (2, 3, 11, 11)


def test_a_tagged_field_of_a_later_version_is_passed_over() -> None:
    key, value = WRITTEN["OffsetCommit v4"]
    assert value is not None and value.endswith(b"\0")
    later = value[:-1] + bytes.fromhex("01 05 03") + b"new"
    assert decode(key, later) == OFFSET


def test_a_version_that_is_not_known_is_not_guessed_at() -> None:
    key, value = WRITTEN["ConsumerGroupMetadata"]
    assert value is not None
    assert decode(key, b"\0\1" + value[2:]) == RawRecord(3, key, b"\0\1" + value[2:])


@given(st.binary(max_size=40), st.none() | st.binary(max_size=60))
def test_no_bytes_are_an_error(key: bytes, value: bytes | None) -> None:
    record = decode(key, value)
    if isinstance(record, RawRecord):
        assert encode(record) == (key, value)


@given(st.sampled_from(sorted(SAYS)), st.data())
def test_what_is_cut_off_or_changed_never_hides_what_follows(
    name: str, data: st.DataObject
) -> None:
    key, value = WRITTEN[name]
    if value is None:
        return
    end = data.draw(st.integers(0, len(value)))
    wrong = bytearray(value[:end])
    for _ in range(data.draw(st.integers(0, 3)) if wrong else 0):
        wrong[data.draw(st.integers(0, len(wrong) - 1))] = data.draw(
            st.integers(0, 255)
        )
    assert isinstance(decode(key, bytes(wrong)), Record)


_offsets = st.builds(
    OffsetRecord,
    st.text(max_size=8),
    st.text(max_size=8),
    st.integers(0, 2**31 - 1),
    st.integers(-1, 2**63 - 1),
    st.integers(-1, 2**31 - 1),
    st.text(max_size=40),
    st.integers(0, 2**63 - 1),
)


@given(_offsets)
def test_every_offset_commit_and_its_tombstone_come_back(record: OffsetRecord) -> None:
    assert decode(*encode(record)) == record
    gone = OffsetRecord(record.group, record.topic, record.partition, None)
    assert decode(*encode(gone)) == gone
    assert encode(gone)[0] == encode(record)[0]


def test_every_name_of_a_case_is_compared() -> None:
    rest = {name for name in WRITTEN if name not in SAYS}
    others = r"OffsetCommit v[023]|Legacy.*|Share.*|Streams.*|GroupMetadata v\d .*"
    assert [name for name in rest if not re.fullmatch(others, name)] == []
