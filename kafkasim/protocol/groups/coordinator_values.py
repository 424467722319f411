"""The values of the records of `__consumer_offsets`, field by field.

Every function follows one message (`OffsetCommitValue.json` and so on, 4.3). Those that
write begin with the version; those that read begin behind it.
"""

from typing import Final

from kafkasim.protocol.groups.coordinator_records import (
    ClassicGroupValue,
    ClassicMemberValue,
    ClassicProtocols,
    ConsumerGroupValue,
    CurrentAssignmentValue,
    MemberValue,
    OffsetRecord,
    RegexValue,
    TargetEpochValue,
    TopicMetadata,
)
from kafkasim.protocol.groups.subscription_bytes import (
    by_topic,
    decode_assignment,
    decode_subscription,
    encode_assignment,
    encode_subscription,
)
from kafkasim.protocol.subscription import Assigned
from kafkasim.protocol.topic_ids import TopicIds, id_bytes, id_text
from kafkasim.protocol.wire import Reader, Writer

OFFSET_VERSION: Final = 4
"""Of an offset commit; 1 if it has a time at which it expires."""
CLASSIC_GROUP_VERSION: Final = 3
"""Of the metadata of a classic group, though 4 is known."""

_CONSUMERS: Final = "consumer"
_NO_PROTOCOLS: Final = ClassicProtocols(0, ())


def encode_offset(record: OffsetRecord) -> bytes:
    """Return the value of an offset commit."""
    assert record.offset is not None
    if record.expires_ms is not None:
        out = Writer().int16(1).int64(record.offset).string(record.metadata)
        return out.int64(record.committed_ms).int64(record.expires_ms).done()
    out = Writer(flexible=True).int16(OFFSET_VERSION)
    out.int64(record.offset).int32(record.leader_epoch).string(record.metadata)
    tags = {0: id_bytes(record.topic_id)} if record.topic_id else {}
    return out.int64(record.committed_ms).tags(tags).done()


def decode_offset(
    group: str, topic: str, partition: int, reader: Reader, version: int
) -> OffsetRecord:
    """Return an offset commit, version 0 to 4; those before 3 have no epoch."""
    offset = reader.int64()
    leader_epoch = reader.int32() if version >= 3 else -1
    metadata = reader.string()
    committed_ms = reader.int64()
    expires_ms = reader.int64() if version == 1 else -1
    topic_id = reader.tags().get(0)
    return OffsetRecord(
        group,
        topic,
        partition,
        offset,
        leader_epoch,
        metadata,
        committed_ms,
        None if expires_ms == -1 else expires_ms,
        "" if topic_id is None else id_text(reader.within(topic_id).uuid()),
    )


def encode_classic_group(value: ClassicGroupValue) -> bytes:
    """Return the value of the metadata of a classic group."""
    out = Writer().int16(CLASSIC_GROUP_VERSION)
    out.string(value.protocol_type).int32(value.generation)
    out.nullable_string(value.protocol).nullable_string(value.leader)
    out.int64(value.changed_ms)

    def put(member: ClassicMemberValue) -> None:
        out.string(member.member_id).nullable_string(member.instance_id)
        out.string(member.client_id).string(member.client_host)
        out.int32(member.rebalance_timeout_ms).int32(member.session_timeout_ms)
        said, assigned = member.subscription, member.assigned
        if not isinstance(said, bytes):
            said = encode_subscription(said, value.protocol or "")
        if not isinstance(assigned, bytes):
            assigned = encode_assignment(assigned)
        out.blob(said).blob(assigned)

    return out.array(value.members, put).done()


def decode_classic_group(reader: Reader, version: int) -> ClassicGroupValue:
    """Return the metadata of a classic group, version 0 to 4."""
    protocol_type = reader.string()
    generation = reader.int32()
    protocol = reader.nullable_string()
    leader = reader.nullable_string()
    changed_ms = reader.int64() if version >= 2 else -1

    def read() -> ClassicMemberValue:
        member_id = reader.string()
        instance_id = reader.nullable_string() if version >= 3 else None
        client_id, client_host = reader.string(), reader.string()
        rebalance_timeout_ms = reader.int32() if version >= 1 else -1
        session_timeout_ms = reader.int32()
        subscription, assigned = reader.blob(), reader.blob()
        reader.tags()
        of_consumer = protocol_type == _CONSUMERS
        return ClassicMemberValue(
            member_id=member_id,
            instance_id=instance_id,
            client_id=client_id,
            client_host=client_host,
            rebalance_timeout_ms=rebalance_timeout_ms,
            session_timeout_ms=session_timeout_ms,
            subscription=decode_subscription(subscription, protocol or "")
            if of_consumer
            else subscription,
            assigned=decode_assignment(assigned) if of_consumer else assigned,
        )

    members = reader.array(read)
    reader.tags()
    return ClassicGroupValue(
        protocol_type=protocol_type,
        generation=generation,
        protocol=protocol,
        leader=leader,
        changed_ms=changed_ms,
        members=members,
    )


def encode_consumer_group(value: ConsumerGroupValue) -> bytes:
    """Return the value of the metadata of a group of the consumer protocol."""
    hashed = value.metadata_hash
    tags = {0: Writer().int64(hashed).done()} if hashed else {}
    return Writer(flexible=True).int16(0).int32(value.epoch).tags(tags).done()


def decode_consumer_group(reader: Reader) -> ConsumerGroupValue:
    """Return the metadata of a group of the consumer protocol."""
    epoch = reader.int32()
    return ConsumerGroupValue(epoch, _tagged_int64(reader))


def encode_partition_metadata(value: tuple[TopicMetadata, ...]) -> bytes:
    """Return the value of the topics of a group."""
    out = Writer(flexible=True).int16(0)

    def put_racks(racks: tuple[int, tuple[str, ...]]) -> None:
        out.int32(racks[0]).array(racks[1], out.string).tags()

    def put(topic: TopicMetadata) -> None:
        out.raw(id_bytes(topic.topic_id)).string(topic.topic).int32(topic.partitions)
        out.array(topic.racks, put_racks).tags()

    return out.array(value, put).tags().done()


def decode_partition_metadata(reader: Reader) -> tuple[TopicMetadata, ...]:
    """Return the topics of a group."""

    def read_racks() -> tuple[int, tuple[str, ...]]:
        racks = reader.int32(), reader.array(reader.string)
        reader.tags()
        return racks

    def read() -> TopicMetadata:
        topic = TopicMetadata(
            id_text(reader.uuid()),
            reader.string(),
            reader.int32(),
            reader.array(read_racks),
        )
        reader.tags()
        return topic

    topics = reader.array(read)
    reader.tags()
    return topics


def encode_member(value: MemberValue) -> bytes:
    """Return the value of a member of the consumer protocol."""
    out = Writer(flexible=True).int16(0)
    out.nullable_string(value.instance_id).nullable_string(value.rack)
    out.string(value.client_id).string(value.client_host)
    out.array(value.topics, out.string).nullable_string(value.regex)
    out.int32(value.rebalance_timeout_ms).nullable_string(value.assignor)
    plain = value.classic == _NO_PROTOCOLS
    return out.tags({} if plain else {0: _classic_protocols(value.classic)}).done()


def _classic_protocols(value: ClassicProtocols | None) -> bytes:
    """Return the tagged field: a byte that says whether it is null, and the structure.

    Null is written too: a field that is missing stands for a structure of zeros.
    """
    out = Writer(flexible=True)
    if value is None:
        return out.uvarint(0).done()

    def put(protocol: tuple[str, bytes]) -> None:
        out.string(protocol[0]).blob(protocol[1]).tags()

    out.uvarint(1).int32(value.session_timeout_ms)
    return out.array(value.protocols, put).tags().done()


def decode_member(reader: Reader) -> MemberValue:
    """Return a member of the consumer protocol."""
    instance_id, rack = reader.nullable_string(), reader.nullable_string()
    client_id, client_host = reader.string(), reader.string()
    topics, regex = reader.array(reader.string), reader.nullable_string()
    rebalance_timeout_ms, assignor = reader.int32(), reader.nullable_string()
    classic = reader.tags().get(0)
    return MemberValue(
        instance_id=instance_id,
        rack=rack,
        client_id=client_id,
        client_host=client_host,
        topics=topics,
        regex=regex,
        rebalance_timeout_ms=rebalance_timeout_ms,
        assignor=assignor,
        classic=_NO_PROTOCOLS
        if classic is None
        else _read_classic(reader.within(classic)),
    )


def _read_classic(reader: Reader) -> ClassicProtocols | None:
    if reader.uvarint() == 0:
        return None
    session_timeout_ms = reader.int32()

    def read() -> tuple[str, bytes]:
        protocol = reader.string(), reader.blob()
        reader.tags()
        return protocol

    return ClassicProtocols(session_timeout_ms, reader.array(read))


def encode_target_epoch(value: TargetEpochValue) -> bytes:
    """Return the value of a target assignment's epoch."""
    tags = {0: Writer().int64(value.at_ms).done()} if value.at_ms else {}
    return Writer(flexible=True).int16(0).int32(value.epoch).tags(tags).done()


def decode_target_epoch(reader: Reader) -> TargetEpochValue:
    """Return a target assignment's epoch."""
    epoch = reader.int32()
    return TargetEpochValue(epoch, _tagged_int64(reader))


def encode_target_member(value: Assigned, ids: TopicIds) -> bytes:
    """Return the value of what a member is to own."""
    out = Writer(flexible=True).int16(0)
    _put_partitions(out, value, None, ids)
    return out.tags().done()


def decode_target_member(reader: Reader, ids: TopicIds) -> Assigned:
    """Return what a member is to own."""
    assigned, _ = _partitions(reader, ids)
    reader.tags()
    return assigned


def encode_current_assignment(value: CurrentAssignmentValue, ids: TopicIds) -> bytes:
    """Return the value of how far a member is."""
    out = Writer(flexible=True).int16(0)
    out.int32(value.epoch).int32(value.previous_epoch).int8(value.state)
    _put_partitions(out, value.assigned, value.assigned_epochs, ids)
    _put_partitions(out, value.revoking, value.revoking_epochs, ids)
    return out.tags().done()


def decode_current_assignment(reader: Reader, ids: TopicIds) -> CurrentAssignmentValue:
    """Return how far a member is."""
    epoch, previous_epoch = reader.int32(), reader.int32()
    state = reader.int8()
    assigned, assigned_epochs = _partitions(reader, ids, epoch)
    revoking, revoking_epochs = _partitions(reader, ids, epoch)
    reader.tags()
    return CurrentAssignmentValue(
        epoch=epoch,
        previous_epoch=previous_epoch,
        state=state,
        assigned=assigned,
        assigned_epochs=assigned_epochs,
        revoking=revoking,
        revoking_epochs=revoking_epochs,
    )


def encode_regex(value: RegexValue) -> bytes:
    """Return the value of a regular expression."""
    out = Writer(flexible=True).int16(0)
    out.array(value.topics, out.string).int64(value.version).int64(value.at_ms)
    return out.tags().done()


def decode_regex(reader: Reader) -> RegexValue:
    """Return what a regular expression stands for."""
    value = RegexValue(reader.array(reader.string), reader.int64(), reader.int64())
    reader.tags()
    return value


def _tagged_int64(reader: Reader) -> int:
    data = reader.tags().get(0)
    return 0 if data is None else reader.within(data).int64()


def _put_partitions(
    out: Writer, partitions: Assigned, epochs: tuple[int, ...] | None, ids: TopicIds
) -> None:
    """Write partitions by topic; with `epochs`, one to each partition, as tag 0."""
    given = {} if epochs is None else dict(zip(partitions, epochs, strict=True))

    def put(entry: tuple[str, list[int]]) -> None:
        topic, numbers = entry
        tags = {}
        if epochs is not None:
            each = [given[topic, number] for number in numbers]
            inner = out.within()
            tags[0] = inner.array(each, inner.int32).done()
        out.raw(ids.raw(topic)).array(numbers, out.int32).tags(tags)

    out.array(by_topic(partitions).items(), put)


def _partitions(
    reader: Reader, ids: TopicIds, member_epoch: int = 0
) -> tuple[Assigned, tuple[int, ...] | None]:
    """Return partitions, and the epoch of each; None if those of no topic are known.

    Where they are not, they are the member's (`Utils.assignmentFromTopicPartitions`).
    """

    def read() -> tuple[str, tuple[int, ...], tuple[int, ...] | None]:
        topic, numbers = ids.name(reader.uuid()), reader.array(reader.int32)
        data = reader.tags().get(0)
        if data is None:
            return topic, numbers, None
        inner = reader.within(data)
        epochs = inner.nullable_array(inner.int32)
        return topic, numbers, epochs if _fits(epochs, numbers) else None

    topics = reader.array(read)
    assigned = tuple((topic, each) for topic, numbers, _ in topics for each in numbers)
    if topics and all(epochs is None for _, _, epochs in topics):
        return assigned, None
    default = max(member_epoch, 0)
    each = [
        (default,) * len(numbers) if epochs is None else epochs
        for _, numbers, epochs in topics
    ]
    return assigned, tuple(epoch for epochs in each for epoch in epochs)


def _fits(epochs: tuple[int, ...] | None, numbers: tuple[int, ...]) -> bool:
    return epochs is not None and len(epochs) == len(numbers)
