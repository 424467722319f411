"""Records of `__consumer_offsets` as the text of Kafka's own tool.

`kafka-dump-log --offsets-decoder` prints a key as JSON with its type, and a value with
its version; no value is `<DELETE>`. The fields, their order and what is left out are
those of the messages' files (`OffsetCommitValue.json` and so on) and of the converters
that are made from them. Subscriptions and assignments of consumers are read too.
Source: `DumpLogSegments.OffsetsMessageParser` (4.3.1).
"""

import json
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from kafkasim.protocol.groups.coordinator.classic_group_records import CONSUMERS
from kafkasim.protocol.topic_ids import id_text
from kafkasim.protocol.wire import MalformedError, Reader

DELETE: Final = "<DELETE>"
"""What stands for a tombstone."""

Read = Callable[[Reader, int], Any]
"""Reads one value of a version, as JSON has it."""


@dataclass(frozen=True, slots=True)
class _Field:
    """A field of a message."""

    name: str
    read: Read
    since: int = 0
    until: int = 99
    """Versions of the message that have it."""
    tag: int | None = None
    """Number of a tagged field, which is left out where it is not said."""


def _struct(*parts: _Field) -> Read:
    def read(reader: Reader, version: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        here = [each for each in parts if each.since <= version <= each.until]
        for each in here:
            if each.tag is None:
                found[each.name] = each.read(reader, version)
        tags = reader.tags() if reader.flexible else {}
        for each in here:
            if each.tag in tags:
                found[each.name] = each.read(reader.within(tags[each.tag]), version)
        return found

    return read


def _array(of: Read) -> Read:
    return lambda reader, version: list(reader.array(lambda: of(reader, version)))


def _array_or_null(of: Read) -> Read:
    def read(reader: Reader, version: int) -> list[Any] | None:
        found = reader.nullable_array(lambda: of(reader, version))
        return None if found is None else list(found)

    return read


def _struct_or_null(of: Read) -> Read:
    """Read what comes only where a byte says so."""

    def read(reader: Reader, version: int) -> Any:  # noqa: ANN401 - as JSON has it
        return of(reader, version) if reader.uvarint() else None

    return read


def _bytes_text(data: bytes | None) -> str | None:
    return None if data is None else b64encode(data).decode()


def _int8(reader: Reader, _: int) -> int:
    return reader.int8()


def _int32(reader: Reader, _: int) -> int:
    return reader.int32()


def _int64(reader: Reader, _: int) -> int:
    return reader.int64()


def _text(reader: Reader, _: int) -> str:
    return reader.string()


def _text_or_null(reader: Reader, _: int) -> str | None:
    return reader.nullable_string()


def _uuid(reader: Reader, _: int) -> str:
    return id_text(reader.uuid())


def _blob(reader: Reader, _: int) -> bytes:
    return reader.blob()


def _blob_text(reader: Reader, _: int) -> str | None:
    return _bytes_text(reader.blob())


def _blob_or_null(reader: Reader, _: int) -> str | None:
    return _bytes_text(reader.nullable_blob())


_BY_NAME: Final = _array(
    _struct(_Field("topic", _text), _Field("partitions", _array(_int32)))
)
_SUBSCRIPTION: Final = _struct(
    _Field("topics", _array(_text)),
    _Field("userData", _blob_or_null),
    _Field("ownedPartitions", _BY_NAME, since=1),
    _Field("generationId", _int32, since=2),
    _Field("rackId", _text_or_null, since=3),
)
_ASSIGNMENT: Final = _struct(
    _Field("assignedPartitions", _BY_NAME), _Field("userData", _blob_or_null)
)
_NEWEST_OF_CONSUMERS: Final = 3
"""Of both; a later version is read as this one (`ConsumerProtocol`)."""

_MEMBER: Final = _struct(
    _Field("memberId", _text),
    _Field("groupInstanceId", _text_or_null, since=3),
    _Field("clientId", _text),
    _Field("clientHost", _text),
    _Field("rebalanceTimeout", _int32, since=1),
    _Field("sessionTimeout", _int32),
    _Field("subscription", _blob),
    _Field("assignment", _blob),
)
_BY_ID: Final = (_Field("topicId", _uuid), _Field("partitions", _array(_int32)))
_BY_ID_AND_EPOCH: Final = _array(
    _struct(
        *_BY_ID,
        _Field("assignmentEpochs", _array_or_null(_int32), tag=0),
    )
)
_CLASSIC_MEMBER: Final = _struct_or_null(
    _struct(
        _Field("sessionTimeoutMs", _int32),
        _Field(
            "supportedProtocols",
            _array(_struct(_Field("name", _text), _Field("metadata", _blob_text))),
        ),
    )
)
_GROUP: Final = _struct(_Field("groupId", _text))
_GROUP_MEMBER: Final = _struct(_Field("groupId", _text), _Field("memberId", _text))
_COMMIT_KEY: Final = _struct(
    _Field("group", _text), _Field("topic", _text), _Field("partition", _int32)
)

_KEYS: Final[Mapping[int, Read]] = MappingProxyType(
    {
        0: _COMMIT_KEY,
        1: _COMMIT_KEY,
        2: _struct(_Field("group", _text)),
        3: _GROUP,
        4: _GROUP,
        5: _GROUP_MEMBER,
        6: _GROUP,
        7: _GROUP_MEMBER,
        8: _GROUP_MEMBER,
        16: _struct(_Field("groupId", _text), _Field("regularExpression", _text)),
    }
)

_LEGACY: Final = _struct(
    _Field("offset", _int64),
    _Field("metadata", _text),
    _Field("commitTimestamp", _int64),
)
_COMMIT: Final = _struct(
    _Field("offset", _int64),
    _Field("leaderEpoch", _int32, since=3),
    _Field("metadata", _text),
    _Field("commitTimestamp", _int64),
    _Field("expireTimestamp", _int64, since=1, until=1),
    _Field("topicId", _uuid, since=4, tag=0),
)
_CLASSIC_GROUP: Final = _struct(
    _Field("protocolType", _text),
    _Field("generation", _int32),
    _Field("protocol", _text_or_null),
    _Field("leader", _text_or_null),
    _Field("currentStateTimestamp", _int64, since=2),
    _Field("members", _array(_MEMBER)),
)

_CLASSIC: Final = 2
"""Type of a classic group."""
_FLEXIBLE: Final = MappingProxyType({0: 99, 1: 4, 2: 4})
"""Type → the first version that is flexible; of all others every one is."""
_NEWEST: Final = MappingProxyType({1: 4, 2: 4})
"""Type → its newest version; of all others that is 0."""

_VALUES: Final[Mapping[int, Read]] = MappingProxyType(
    {
        0: _LEGACY,
        1: _COMMIT,
        2: _CLASSIC_GROUP,
        3: _struct(
            _Field("epoch", _int32),
            _Field("metadataHash", _int64, tag=0),
        ),
        4: _struct(
            _Field(
                "topics",
                _array(
                    _struct(
                        _Field("topicId", _uuid),
                        _Field("topicName", _text),
                        _Field("numPartitions", _int32),
                        _Field(
                            "partitionMetadata",
                            _array(
                                _struct(
                                    _Field("partition", _int32),
                                    _Field("racks", _array(_text)),
                                )
                            ),
                        ),
                    )
                ),
            )
        ),
        5: _struct(
            _Field("instanceId", _text_or_null),
            _Field("rackId", _text_or_null),
            _Field("clientId", _text),
            _Field("clientHost", _text),
            _Field("subscribedTopicNames", _array(_text)),
            _Field("subscribedTopicRegex", _text_or_null),
            _Field("rebalanceTimeoutMs", _int32),
            _Field("serverAssignor", _text_or_null),
            _Field("classicMemberMetadata", _CLASSIC_MEMBER, tag=0),
        ),
        6: _struct(
            _Field("assignmentEpoch", _int32),
            _Field("assignmentTimestamp", _int64, tag=0),
        ),
        7: _struct(_Field("topicPartitions", _array(_struct(*_BY_ID)))),
        8: _struct(
            _Field("memberEpoch", _int32),
            _Field("previousMemberEpoch", _int32),
            _Field("state", _int8),
            _Field("assignedPartitions", _BY_ID_AND_EPOCH),
            _Field("partitionsPendingRevocation", _BY_ID_AND_EPOCH),
        ),
        16: _struct(
            _Field("topics", _array(_text)),
            _Field("version", _int64),
            _Field("timestamp", _int64),
        ),
    }
)


def key_text(key: bytes) -> str | None:
    """Return a key as JSON with its type; None if it is of no type known here.

    Examples
    --------
    >>> key_text(bytes.fromhex("00020001 67"))
    '{"type":"2","data":{"group":"g"}}'
    """
    kind = _type_of(key)
    if kind not in _KEYS:
        return None
    try:
        data = _KEYS[kind](Reader(key[2:]), 0)
    except MalformedError:
        return None
    return _json({"type": str(kind), "data": data})


def value_text(key: bytes, value: bytes | None) -> str | None:
    """Return the value of a key as JSON with its version; None if it is not understood.

    Examples
    --------
    >>> value_text(bytes.fromhex("00020001 67"), None)
    '<DELETE>'
    """
    if value is None:
        return DELETE
    kind, version = _type_of(key), _type_of(value)
    if kind not in _VALUES or not 0 <= version <= _NEWEST.get(kind, 0):
        return None
    reader = Reader(value[2:], flexible=version >= _FLEXIBLE.get(kind, 0))
    try:
        data = _VALUES[kind](reader, version)
        if kind == _CLASSIC:
            _read_members(data)
    except MalformedError:
        return None
    return _json({"version": str(version), "data": data})


def _type_of(data: bytes) -> int:
    """Return the number that a key or a value begins with; -1: it has none."""
    return int.from_bytes(data[:2], signed=True) if len(data) > 1 else -1


def _read_members(group: dict[str, Any]) -> None:
    """Put words in the place of what members gave to the coordinator as bytes."""
    of_consumers = group["protocolType"] == CONSUMERS
    for member in group["members"]:
        for name, read in (
            ("subscription", _SUBSCRIPTION),
            ("assignment", _ASSIGNMENT),
        ):
            data = member[name]
            known = of_consumers and data
            member[name] = _given(data, read) if known else _bytes_text(data)


def _given(data: bytes, read: Read) -> Any:  # noqa: ANN401 - as JSON has it
    reader = Reader(data)
    version = reader.int16()
    if version < 0:
        raise MalformedError(f"version {version}")
    return read(reader, min(version, _NEWEST_OF_CONSUMERS))


def _json(message: dict[str, Any]) -> str:
    return json.dumps(message, ensure_ascii=False, separators=(",", ":"))
