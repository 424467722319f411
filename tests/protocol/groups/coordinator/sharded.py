"""A coordinator of one partition with its host: a clock, and a real compacted log.

The log holds Kafka's bytes. `reloaded` is what another broker makes of it.
"""

from collections.abc import Mapping
from dataclasses import replace
from itertools import count
from typing import Any

from kafkasim.config.topic import TopicConfig
from kafkasim.log.decode import decode_batch
from kafkasim.log.header import unpack_header
from kafkasim.log.partition_log import PartitionLog
from kafkasim.log.record import Record as LogRecord
from kafkasim.protocol.errors import ERRORS, NONE
from kafkasim.protocol.groups.coordinator.classic_group import State
from kafkasim.protocol.groups.coordinator.classic_groups import ClassicGroups
from kafkasim.protocol.groups.coordinator.classic_rebalances import ClassicSettings
from kafkasim.protocol.groups.coordinator.consumer_group import ConsumerGroup
from kafkasim.protocol.groups.coordinator.consumer_groups import ConsumerGroups
from kafkasim.protocol.groups.coordinator.consumer_heartbeat import (
    ConsumerGroupSettings,
)
from kafkasim.protocol.groups.coordinator.coordinator_shard import CoordinatorShard
from kafkasim.protocol.groups.coordinator_bytes import decode, encode
from kafkasim.protocol.groups.coordinator_records import OffsetRecord, Record
from kafkasim.protocol.groups.group_messages import (
    Answer,
    CommittedOffset,
    ConsumerGroupHeartbeat,
    Effect,
    GroupChanged,
    Joined,
    JoinGroup,
    OffsetCommit,
    OffsetFetch,
    OffsetsCommitted,
    OffsetsFetched,
    Request,
    Response,
    Subscription,
    SyncGroup,
    Write,
    WriteFailed,
    Written,
)
from kafkasim.protocol.subscription import Assigned
from kafkasim.protocol.topic_ids import TopicIds, made_id
from tests.protocol.groups.coordinator_data import batches

TOPICS = {"orders": 3, "other": 1}
IDS = TopicIds({topic: made_id(topic) for topic in TOPICS})
DAY_MS = 86_400_000
RANGE = (("range", Subscription(("orders",))),)


def deal(
    members: Mapping[str, Subscription],
    topics: Mapping[str, int],
    _instances: Mapping[str, str | None],
) -> dict[str, Assigned]:
    """Deal the partitions of each topic to its subscribers in turn."""
    result: dict[str, Assigned] = dict.fromkeys(members, ())
    for topic, number in topics.items():
        names = [name for name in sorted(members) if topic in members[name].topics]
        for partition in range(number if names else 0):
            result[names[partition % len(names)]] += ((topic, partition),)
    return result


def name(error: int) -> str:
    return "NONE" if error == NONE else ERRORS[error]


class Sharded:
    """A shard, a clock, a log."""

    def __init__(self) -> None:
        self._numbers = count(1)
        self.now_ms = 1_000
        self.log = PartitionLog[Any](
            config=TopicConfig(
                cleanup_policy="compact",
                internal_segment_bytes=700,
                delete_retention_ms=DAY_MS,
            )
        )
        self.holds = False
        """Whether writes wait, to be ended by `end`."""
        self.waiting: list[Write] = []
        self.fails: int = NONE
        """With what error the next write fails."""
        self.answers: list[tuple[Request, Response]] = []
        self.changes: list[GroupChanged] = []
        self.shard = self.fresh()
        self.take(self.shard.load((), self.now_ms))

    def fresh(self) -> CoordinatorShard:
        """Return a machine that knows nothing yet."""
        classic = ClassicGroups(ClassicSettings(), lambda: str(next(self._numbers)))
        settings = ConsumerGroupSettings()
        consumer = ConsumerGroups(settings, {"dealer": deal}, TOPICS.get)
        return CoordinatorShard(classic, consumer, ids=IDS)

    # Time

    def wait(self, ms: int) -> "Sharded":
        """Let time go by; what is due happens at its time."""
        until_ms = self.now_ms + ms
        while (due_ms := self.shard.next_deadline_ms) is not None:
            if due_ms > until_ms:
                break
            self.now_ms = max(due_ms, self.now_ms)
            self.take(self.shard.handle_timeout(self.now_ms))
        self.now_ms = until_ms
        return self

    # Effects

    def take(self, effects: list[Effect]) -> None:
        for effect in effects:
            match effect:
                case Answer():
                    self.answers.append((effect.request, effect.response))
                case GroupChanged():
                    self.changes.append(effect)
                case Write():
                    self.append(effect)

    def append(self, write: Write) -> None:
        failed, self.fails = self.fails, NONE
        if failed != NONE:
            self.tell(WriteFailed(write, failed))
            return
        self.log.append(
            [LogRecord(self.now_ms, *encode(record, IDS)) for record in write.records],
            now_ms=self.now_ms,
        )
        self.log.high_watermark = self.log.log_end_offset
        self.waiting.append(write)
        if not self.holds:
            self.end()

    def end(self, error: int = NONE) -> None:
        """Say of the oldest write how it went: replicated, or too late."""
        write = self.waiting.pop(0)
        if error != NONE:
            self.tell(WriteFailed(write, error, appended=True))
            return
        for answer in write.answers:
            self.answers.append((answer.request, answer.response))
        self.tell(Written(write))

    def tell(self, heard: Request | Written | WriteFailed) -> None:
        self.take(self.shard.handle(heard, self.now_ms))

    def ask(self, request: Request) -> Any:  # noqa: ANN401 - the request's own kind
        """Hand a request over; return its response if it comes at once, else None."""
        before = len(self.answers)
        self.tell(request)
        for asked, response in self.answers[before:]:
            if asked is request:
                return response
        return None

    # Offsets

    def commit(
        self,
        group: str,
        offset: int,
        *,
        partition: int = 0,
        **more: Any,  # noqa: ANN401
    ) -> str | None:
        """Commit an offset of orders; return the error, None while nobody answers."""
        at = CommittedOffset(topic="orders", partition=partition, offset=offset)
        response = self.ask(OffsetCommit(group=group, offsets=(at,), **more))
        if response is None:
            return None
        assert isinstance(response, OffsetsCommitted)
        return name(response.errors[0][1])

    def committed(self, group: str, partition: int = 0, **more: Any) -> int | str:  # noqa: ANN401
        """Return what is committed of a partition of orders, or the error."""
        at = (("orders", partition),)
        response = self.ask(OffsetFetch(group=group, partitions=at, **more))
        assert isinstance(response, OffsetsFetched)
        return response.offsets[0].offset if response.offsets else name(response.error)

    # The log

    def records(self) -> list[Record]:
        """Return what is in the log now."""
        found: list[LogRecord] = []
        at = self.log.log_start_offset
        while at < self.log.log_end_offset and (data := self.log.read(at).data):
            for batch in batches(bytes(data)):
                found += decode_batch(batch)
                at = unpack_header(batch, 0).last_offset + 1
        return [decode(record.key or b"", record.value, IDS) for record in found]

    def reloaded(self) -> CoordinatorShard:
        """Return what another broker knows that has read the log."""
        shard = self.fresh()
        shard.load(self.records(), self.now_ms)
        return shard


def durable(shard: CoordinatorShard) -> dict[str, Any]:
    """Return what a coordinator must not forget, by group.

    Of a classic group in the middle of a rebalance that is only that it is there.
    """
    known: dict[str, Any] = {}
    for group in shard.offsets.groups:
        known[group] = {"offsets": dict(shard.offsets.offsets(group))}
    for group in shard.consumer.groups:
        own = shard.consumer.group(group)
        assert isinstance(own, ConsumerGroup)
        known.setdefault(group, {})["consumer"] = (
            own.epoch, own.metadata_hash, own.target_epoch, dict(own.targets),
            dict(own.members),
        )  # fmt: skip
    return known


def settled(shard: CoordinatorShard) -> dict[str, Any]:
    """Return the classic groups that are not in a rebalance, and how they stand."""
    known = {}
    for group, own in shard.classic.groups.items():
        if own.state in {State.STABLE, State.EMPTY} and own.consumers:
            members = {
                each.member_id: (each.instance_id, each.assigned)
                for each in own.members.values()
            }
            standing = own.state, own.generation, own.protocol, own.leader
            known[group] = (*standing, members)
    return known


def joined(sharded: Sharded, group: str = "g", **more: Any) -> tuple[str, int]:  # noqa: ANN401
    """Let one classic member form a stable group; return its id and generation."""
    request = JoinGroup(group=group, protocols=RANGE, **more)
    request = replace(request, member_id=sharded.ask(request).member_id)
    assert sharded.ask(request) is None
    sharded.wait(3_000)
    (joined,) = [answer for asked, answer in sharded.answers if asked is request]
    assert isinstance(joined, Joined)
    sharded.tell(
        SyncGroup(
            group=group,
            member_id=joined.member_id,
            generation=joined.generation,
            assignments=((joined.member_id, (("orders", 0),)),),
        )
    )
    return joined.member_id, joined.generation


def beat(
    sharded: Sharded,
    member: str,
    epoch: int,
    *,
    group: str = "g",
    **more: Any,  # noqa: ANN401
) -> tuple[str, int]:
    """Return the error and the epoch of a heartbeat of the consumer protocol."""
    if epoch == 0:
        more = {"topics": ("orders",), "rebalance_timeout_ms": 300_000, "owned": ()}
    request = ConsumerGroupHeartbeat(
        group=group,
        member_id=member,
        member_epoch=epoch,
        **more,
    )
    before = len(sharded.answers)
    sharded.tell(request)
    beaten = [answer for asked, answer in sharded.answers[before:] if asked is request]
    return name(beaten[0].error), beaten[0].member_epoch  # type: ignore[union-attr]


def kinds(sharded: Sharded, last: int) -> list[str]:
    """Return the last records in the log by what they are."""
    return [
        type(record).__name__.removesuffix("Record")
        + ("" if _value(record) is not None else " gone")
        for record in sharded.records()[-last:]
    ]


def _value(record: object) -> object:
    if isinstance(record, OffsetRecord):
        return record.offset
    return record.value  # type: ignore[attr-defined]
