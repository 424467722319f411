"""The records of `__consumer_offsets` in Kafka's bytes, both ways.

A key is its type in two bytes and the key's message; a value is its version in two
bytes and the value's message (`CoordinatorRecordSerde`). What is written is what 4.3
writes: offset commits as version 4 (1 if the client named a retention), the metadata of
classic groups as version 3, all others as version 0. All versions are read.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final, assert_never

from kafkasim.protocol.groups.coordinator_records import (
    ClassicGroupRecord,
    ConsumerGroupRecord,
    CurrentAssignmentRecord,
    MemberRecord,
    OffsetRecord,
    PartitionMetadataRecord,
    RawRecord,
    Record,
    RegexRecord,
    TargetEpochRecord,
    TargetMemberRecord,
)
from kafkasim.protocol.groups.coordinator_values import (
    decode_classic_group,
    decode_consumer_group,
    decode_current_assignment,
    decode_member,
    decode_offset,
    decode_partition_metadata,
    decode_regex,
    decode_target_epoch,
    decode_target_member,
    encode_classic_group,
    encode_consumer_group,
    encode_current_assignment,
    encode_member,
    encode_offset,
    encode_partition_metadata,
    encode_regex,
    encode_target_epoch,
    encode_target_member,
)
from kafkasim.protocol.topic_ids import TopicIds
from kafkasim.protocol.wire import MalformedError, Reader, Writer

TYPE_NAMES: Final[Mapping[int, str]] = MappingProxyType(
    {
        0: "LegacyOffsetCommit",
        1: "OffsetCommit",
        2: "GroupMetadata",
        3: "ConsumerGroupMetadata",
        4: "ConsumerGroupPartitionMetadata",
        5: "ConsumerGroupMemberMetadata",
        6: "ConsumerGroupTargetAssignmentMetadata",
        7: "ConsumerGroupTargetAssignmentMember",
        8: "ConsumerGroupCurrentMemberAssignment",
        10: "ShareGroupMemberMetadata",
        11: "ShareGroupMetadata",
        12: "ShareGroupTargetAssignmentMetadata",
        13: "ShareGroupTargetAssignmentMember",
        14: "ShareGroupCurrentMemberAssignment",
        15: "ShareGroupStatePartitionMetadata",
        16: "ConsumerGroupRegularExpression",
        17: "StreamsGroupMetadata",
        19: "StreamsGroupMemberMetadata",
        20: "StreamsGroupTargetAssignmentMetadata",
        21: "StreamsGroupTargetAssignmentMember",
        22: "StreamsGroupCurrentMemberAssignment",
        23: "StreamsGroupTopology",
    }
)
"""Names of all types of 4.3 (`CoordinatorRecordType`)."""

NO_IDS: Final = TopicIds()


def encode(record: Record, ids: TopicIds = NO_IDS) -> tuple[bytes, bytes | None]:
    """Return key and value of a record; no value of a tombstone.

    Parameters
    ----------
    record : Record
        What to write.
    ids : TopicIds
        Ids of its topics; only the records of the consumer protocol have them.

    Raises
    ------
    ValueError
        A topic whose id is not known.
    """
    return encode_key(record), encode_value(record, ids)


def encode_key(record: Record) -> bytes:
    """Return the key of a record."""
    out = Writer().int16(record.type)
    match record:
        case OffsetRecord():
            out.string(record.group).string(record.topic).int32(record.partition)
        case MemberRecord() | TargetMemberRecord() | CurrentAssignmentRecord():
            out.string(record.group).string(record.member_id)
        case RegexRecord():
            out.string(record.group).string(record.regex)
        case RawRecord():
            return record.key
        case (
            ClassicGroupRecord()
            | ConsumerGroupRecord()
            | PartitionMetadataRecord()
            | TargetEpochRecord()
        ):
            out.string(record.group)
        case _:
            assert_never(record)
    return out.done()


def encode_value(record: Record, ids: TopicIds = NO_IDS) -> bytes | None:
    """Return the value of a record; None of a tombstone."""
    if isinstance(record, OffsetRecord):
        return None if record.offset is None else encode_offset(record)
    if isinstance(record, RawRecord):
        return record.value
    if record.value is None:
        return None
    return _VALUE[type(record)](record.value, ids)


def decode(key: bytes, value: bytes | None, ids: TopicIds = NO_IDS) -> Record:
    """Return the record of a key and a value.

    What is of another kind of group, of a version that 4.3 does not know, or no such
    record at all becomes a `RawRecord`: it hides nothing of the rest of a log. Tagged
    fields that 4.3 does not know are passed over.
    """
    kind = int.from_bytes(key[:2], signed=True) if len(key) > 1 else -1
    read = _READ.get(kind)
    if read is None:
        return RawRecord(kind, key, value)
    try:
        return read(Reader(key[2:]), _Value(value), ids)
    except MalformedError:
        return RawRecord(kind, key, value)


class _Value:
    """The value of a record that is being read."""

    def __init__(self, value: bytes | None) -> None:
        self._value = value

    def open(self, newest: int = 0, flexible: int = 0) -> tuple[Reader, int] | None:
        """Return a reader and the version, with the first version that is flexible."""
        if self._value is None:
            return None
        version = Reader(self._value).int16()
        if not 0 <= version <= newest:
            raise MalformedError(f"version {version} where {newest} is the newest")
        return Reader(self._value[2:], flexible=version >= flexible), version


def _offset(key: Reader, value: _Value, _: TopicIds) -> Record:
    group, topic, partition = key.string(), key.string(), key.int32()
    opened = value.open(4, 4)
    if opened is None:
        return OffsetRecord(group, topic, partition, None)
    return decode_offset(group, topic, partition, *opened)


def _classic_group(key: Reader, value: _Value, _: TopicIds) -> Record:
    opened = value.open(4, 4)
    return ClassicGroupRecord(
        key.string(), None if opened is None else decode_classic_group(*opened)
    )


def _consumer_group(key: Reader, value: _Value, _: TopicIds) -> Record:
    opened = value.open()
    return ConsumerGroupRecord(
        key.string(), None if opened is None else decode_consumer_group(opened[0])
    )


def _partition_metadata(key: Reader, value: _Value, _: TopicIds) -> Record:
    opened = value.open()
    return PartitionMetadataRecord(
        key.string(), None if opened is None else decode_partition_metadata(opened[0])
    )


def _member(key: Reader, value: _Value, _: TopicIds) -> Record:
    opened = value.open()
    return MemberRecord(
        key.string(),
        key.string(),
        None if opened is None else decode_member(opened[0]),
    )


def _target_epoch(key: Reader, value: _Value, _: TopicIds) -> Record:
    opened = value.open()
    return TargetEpochRecord(
        key.string(), None if opened is None else decode_target_epoch(opened[0])
    )


def _target_member(key: Reader, value: _Value, ids: TopicIds) -> Record:
    opened = value.open()
    return TargetMemberRecord(
        key.string(),
        key.string(),
        None if opened is None else decode_target_member(opened[0], ids),
    )


def _current_assignment(key: Reader, value: _Value, ids: TopicIds) -> Record:
    opened = value.open()
    return CurrentAssignmentRecord(
        key.string(),
        key.string(),
        None if opened is None else decode_current_assignment(opened[0], ids),
    )


def _regex(key: Reader, value: _Value, _: TopicIds) -> Record:
    opened = value.open()
    return RegexRecord(
        key.string(),
        key.string(),
        None if opened is None else decode_regex(opened[0]),
    )


_READ: Final[Mapping[int, Callable[[Reader, _Value, TopicIds], Record]]] = (
    MappingProxyType(
        {
            0: _offset,
            1: _offset,
            2: _classic_group,
            3: _consumer_group,
            4: _partition_metadata,
            5: _member,
            6: _target_epoch,
            7: _target_member,
            8: _current_assignment,
            16: _regex,
        }
    )
)

_VALUE: Final[Mapping[type, Callable[[Any, TopicIds], bytes]]] = MappingProxyType(
    {
        ClassicGroupRecord: lambda value, _: encode_classic_group(value),
        ConsumerGroupRecord: lambda value, _: encode_consumer_group(value),
        PartitionMetadataRecord: lambda value, _: encode_partition_metadata(value),
        MemberRecord: lambda value, _: encode_member(value),
        TargetEpochRecord: lambda value, _: encode_target_epoch(value),
        TargetMemberRecord: encode_target_member,
        CurrentAssignmentRecord: encode_current_assignment,
        RegexRecord: lambda value, _: encode_regex(value),
    }
)
