"""Subscriptions and assignments of the classic protocol in Kafka's bytes.

A coordinator does not look into them but for the topics; it keeps the bytes that
members gave it. Sources: `ConsumerProtocol`, `ConsumerProtocolSubscription.json`,
`ConsumerProtocolAssignment.json`, `StickyAssignor`, `CooperativeStickyAssignor` (4.3).
"""

from collections.abc import Iterable
from typing import Final

from kafkasim.protocol.subscription import (
    NO_GENERATION,
    Assigned,
    Subscription,
    TopicPartition,
)
from kafkasim.protocol.wire import MalformedError, Reader, Writer

VERSION: Final = 3
"""Of both, as a client of 4.3 writes them."""

STICKY: Final = "sticky"
COOPERATIVE_STICKY: Final = "cooperative-sticky"


def by_topic(partitions: Iterable[TopicPartition]) -> dict[str, list[int]]:
    """Return the partitions of each topic, topics in the order of their first one."""
    found: dict[str, list[int]] = {}
    for topic, partition in partitions:
        found.setdefault(topic, []).append(partition)
    return found


def encode_subscription(subscription: Subscription, protocol: str) -> bytes:
    """Return the bytes of a subscription for an assignor.

    With `cooperative-sticky` its generation is also the assignor's user data.

    Raises
    ------
    ValueError
        User data of an assignor that is not sticky.
    """
    out = Writer().int16(VERSION)
    out.array(sorted(subscription.topics), out.string)
    out.nullable_blob(_user_data(subscription, protocol))
    _put_partitions(out, sorted(subscription.owned))
    out.int32(subscription.generation)
    return out.nullable_string(subscription.rack).done()


def parse_subscription(data: bytes, protocol: str) -> Subscription:
    """Return what a subscription of any version says (`deserializeSubscription`).

    User data of an assignor that is not sticky is left out.

    Raises
    ------
    MalformedError
        It is none.
    """
    reader = Reader(data)
    version = _version(reader)
    topics = reader.array(reader.string)
    user_data = reader.nullable_blob()
    owned = _partitions(reader) if version >= 1 else ()
    generation = reader.int32() if version >= 2 else NO_GENERATION
    rack = reader.nullable_string() if version >= 3 else None
    return Subscription(
        topics,
        owned,
        generation,
        rack or None,
        _had(user_data, protocol, generation),
    )


def decode_subscription(data: bytes, protocol: str) -> Subscription | bytes:
    """Return a subscription; its bytes if a client of 4.3 would write others for it.

    So do those of older clients, of another type of protocol (Connect, Streams), and
    with user data of an unknown assignor.
    """
    try:
        found = parse_subscription(data, protocol)
        same = encode_subscription(found, protocol) == data
    except ValueError:
        return data
    return found if same else data


def encode_assignment(assigned: Assigned) -> bytes:
    """Return the bytes of an assignment, partitions in the order given."""
    out = Writer().int16(VERSION)
    _put_partitions(out, assigned)
    return out.nullable_blob(None).done()


def parse_assignment(data: bytes) -> Assigned:
    """Return the partitions of an assignment of any version.

    Raises
    ------
    MalformedError
        It is none.
    """
    reader = Reader(data)
    _version(reader)
    assigned = _partitions(reader)
    reader.nullable_blob()
    return assigned


def decode_assignment(data: bytes) -> Assigned | bytes:
    """Return an assignment; its bytes if a client of 4.3 would write others for it."""
    try:
        found = parse_assignment(data)
    except MalformedError:
        return data
    return found if encode_assignment(found) == data else data


def _version(reader: Reader) -> int:
    version = reader.int16()
    if version < 0:
        raise MalformedError(f"version {version}")
    return version


def _put_partitions(out: Writer, partitions: Iterable[TopicPartition]) -> None:
    def put(topic: tuple[str, list[int]]) -> None:
        out.string(topic[0]).array(topic[1], out.int32)

    out.array(by_topic(partitions).items(), put)


def _partitions(reader: Reader) -> tuple[TopicPartition, ...]:
    def read() -> tuple[str, tuple[int, ...]]:
        return reader.string(), reader.array(reader.int32)

    topics = reader.array(read)
    return tuple((topic, number) for topic, numbers in topics for number in numbers)


def _user_data(subscription: Subscription, protocol: str) -> bytes | None:
    had = subscription.user_data
    if protocol == COOPERATIVE_STICKY:
        generation = subscription.generation if had is None else had[1]
        return Writer().int32(generation).done()
    if had is None:
        return None
    if protocol != STICKY:
        raise ValueError(f"user data, but {protocol} has none")
    out = Writer()
    _put_partitions(out, had[0])
    return out.int32(had[1]).done()


def _had(
    data: bytes | None, protocol: str, generation: int
) -> tuple[tuple[TopicPartition, ...], int] | None:
    """Return what user data says of the assignment before.

    That of `cooperative-sticky` is a generation, and only kept if it is another one
    than the subscription's.
    """
    if data is None or protocol not in {STICKY, COOPERATIVE_STICKY}:
        return None
    reader = Reader(data)
    if protocol == STICKY:
        partitions = _partitions(reader)
        return partitions, reader.int32() if reader.rest else NO_GENERATION
    own = reader.int32()
    return None if own == generation else ((), own)
