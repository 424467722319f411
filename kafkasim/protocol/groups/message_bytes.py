"""What requests of groups and their answers look like on the wire, and so their sizes.

Each function follows one message, in the version that a client of 4.3 asks a broker of
4.3 in (`JoinGroupRequest.json` and so on). All are flexible: lengths are varints, and
every structure ends with its tagged fields, of which there are none. Topics of offsets
are named (OffsetCommit and OffsetFetch, version 9); clients of the consumer protocol
may give their ids instead (version 10). Reasons and messages in words are left empty.
"""

from collections.abc import Sequence
from typing import Final, assert_never

from kafkasim.protocol.errors import NONE
from kafkasim.protocol.groups.group_messages import (
    Beaten,
    CommittedOffset,
    ConsumerGroupBeaten,
    ConsumerGroupHeartbeat,
    CoordinatorFound,
    FindCoordinator,
    Heartbeat,
    Joined,
    JoinGroup,
    LeaveGroup,
    Left,
    OffsetCommit,
    OffsetFetch,
    OffsetsCommitted,
    OffsetsFetched,
    Request,
    Response,
    Subscription,
    Synced,
    SyncGroup,
    TopicPartition,
)
from kafkasim.protocol.groups.subscription_bytes import (
    by_topic,
    encode_assignment,
    encode_subscription,
)
from kafkasim.protocol.wire import Writer

CONSUMERS: Final = "consumer"
"""The type of protocol of all groups."""
_UUID: Final = bytes(16)
_HOST: Final = "broker-1"
"""Stands for a broker's host."""
_PORT: Final = 9092
_LENGTH_BYTES: Final = 4
"""In front of every message on a connection."""


def request_bytes(request: Request) -> int:
    """Return how large a request is, with its header and its length in front.

    The header names the client, by what Kafka calls one that was given no name
    (`ConsumerConfig.maybeOverrideClientId`).
    """
    header = Writer().int16(0).int16(0).int32(0)
    header.string(f"consumer-{request.group}-1")
    body = _request(request).tags()
    return _LENGTH_BYTES + len(header.done()) + 1 + len(body.done())


def response_bytes(request: Request, response: Response) -> int:
    """Return how large the response to a request is, header and length included."""
    body = _response(request, response).tags()
    return _LENGTH_BYTES + 4 + 1 + len(body.done())


def _request(request: Request) -> Writer:
    out = Writer(flexible=True)
    match request:
        case FindCoordinator():
            out.int8(0).array((request.group,), out.string)
        case JoinGroup():
            _join(out, request)
        case SyncGroup():
            _sync(out, request)
        case Heartbeat():
            out.string(request.group).int32(request.generation)
            out.string(request.member_id).nullable_string(request.instance_id)
        case LeaveGroup():
            out.string(request.group)
            out.array((request,), lambda who: _leaves(out, who))
        case OffsetCommit():
            out.string(request.group).int32(request.generation)
            out.string(request.member_id).nullable_string(request.instance_id)
            _commits(out, request.offsets)
        case OffsetFetch():
            out.array((request,), lambda one: _fetches(out, one)).int8(1)
        case ConsumerGroupHeartbeat():
            _beat(out, request)
        case _:
            assert_never(request)
    return out


def _join(out: Writer, request: JoinGroup) -> None:
    def protocol(each: tuple[str, Subscription]) -> None:
        name, subscription = each
        out.string(name).blob(encode_subscription(subscription, name)).tags()

    out.string(request.group).int32(request.session_timeout_ms)
    out.int32(request.rebalance_timeout_ms).string(request.member_id)
    out.nullable_string(request.instance_id).string(CONSUMERS)
    out.array(request.protocols, protocol).nullable_string("")


def _sync(out: Writer, request: SyncGroup) -> None:
    out.string(request.group).int32(request.generation).string(request.member_id)
    out.nullable_string(request.instance_id).nullable_string(CONSUMERS)
    out.nullable_string(request.protocol)
    out.array(
        request.assignments,
        lambda its: out.string(its[0]).blob(encode_assignment(its[1])).tags(),
    )


def _leaves(out: Writer, request: LeaveGroup) -> None:
    out.string(request.member_id).nullable_string(request.instance_id)
    out.nullable_string("").tags()


def _commits(out: Writer, offsets: Sequence[CommittedOffset]) -> None:
    def partition(each: CommittedOffset) -> None:
        out.int32(each.partition).int64(each.offset).int32(each.leader_epoch)
        out.nullable_string(each.metadata).tags()

    def topic(name: str) -> None:
        mine = [each for each in offsets if each.topic == name]
        out.string(name).array(mine, partition).tags()

    out.array(dict.fromkeys(each.topic for each in offsets), topic)


def _fetches(out: Writer, request: OffsetFetch) -> None:
    out.string(request.group).nullable_string(request.member_id)
    out.int32(request.member_epoch)
    out.array(
        by_topic(request.partitions).items(),
        lambda its: out.string(its[0]).array(its[1], out.int32).tags(),
    )
    out.tags()


def _by_id(out: Writer, partitions: Sequence[TopicPartition]) -> None:
    out.array(
        by_topic(partitions).values(),
        lambda numbers: out.raw(_UUID).array(numbers, out.int32).tags(),
    )


def _beat(out: Writer, request: ConsumerGroupHeartbeat) -> None:
    timeout_ms = request.rebalance_timeout_ms
    out.string(request.group).string(request.member_id).int32(request.member_epoch)
    out.nullable_string(request.instance_id).nullable_string(request.rack)
    out.int32(-1 if timeout_ms is None else timeout_ms)
    if request.topics is None:
        out.uvarint(0)
    else:
        out.array(request.topics, out.string)
    out.nullable_string(None).nullable_string(request.server_assignor)
    if request.owned is None:
        out.uvarint(0)
    else:
        _by_id(out, request.owned)


def _response(request: Request, response: Response) -> Writer:
    out = Writer(flexible=True).int32(0)  # for how long the client is throttled
    match response:
        case CoordinatorFound():
            out.array((response,), lambda found: _found(out, request.group, found))
        case Joined():
            _joined(out, response)
        case Synced():
            out.int16(response.error).nullable_string(CONSUMERS)
            out.nullable_string(response.protocol)
            out.blob(encode_assignment(response.assigned))
        case Beaten():
            out.int16(response.error)
        case Left():
            assert isinstance(request, LeaveGroup)
            out.int16(response.error).array((request,), lambda who: _left(out, who))
        case OffsetsCommitted():
            _committed(out, response)
        case OffsetsFetched():
            out.array((response,), lambda one: _fetched(out, request.group, one))
        case ConsumerGroupBeaten():
            _beaten(out, response)
        case _:
            assert_never(response)
    return out


def _found(out: Writer, group: str, response: CoordinatorFound) -> None:
    is_known = response.error == NONE
    out.string(group).int32(response.node).string(_HOST if is_known else "")
    out.int32(_PORT if is_known else -1).int16(response.error)
    out.nullable_string("").tags()


def _joined(out: Writer, response: Joined) -> None:
    name = response.protocol or ""
    out.int16(response.error).int32(response.generation).nullable_string(CONSUMERS)
    out.nullable_string(response.protocol).string(response.leader)
    out.int8(response.skip_assignment).string(response.member_id)
    out.array(
        response.members,
        lambda its: (
            out.string(its[0])
            .nullable_string(its[1])
            .blob(encode_subscription(its[2], name))
            .tags()
        ),
    )


def _left(out: Writer, request: LeaveGroup) -> None:
    out.string(request.member_id).nullable_string(request.instance_id)
    out.int16(0).tags()


def _committed(out: Writer, response: OffsetsCommitted) -> None:
    out.array(
        by_topic(at for at, _ in response.errors).items(),
        lambda its: (
            out.string(its[0])
            .array(its[1], lambda number: out.int32(number).int16(0).tags())
            .tags()
        ),
    )


def _fetched(out: Writer, group: str, response: OffsetsFetched) -> None:
    def partition(each: CommittedOffset) -> None:
        out.int32(each.partition).int64(each.offset).int32(each.leader_epoch)
        out.nullable_string(each.metadata).int16(0).tags()

    def topic(name: str) -> None:
        mine = [each for each in response.offsets if each.topic == name]
        out.string(name).array(mine, partition).tags()

    out.string(group)
    out.array(dict.fromkeys(each.topic for each in response.offsets), topic)
    out.int16(response.error).tags()


def _beaten(out: Writer, response: ConsumerGroupBeaten) -> None:
    out.int16(response.error).nullable_string(None).nullable_string(response.member_id)
    out.int32(response.member_epoch).int32(response.heartbeat_interval_ms)
    if response.assigned is None:
        out.int8(-1)
    else:
        out.int8(1)
        _by_id(out, response.assigned)
        out.tags()
