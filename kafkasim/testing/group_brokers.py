"""The brokers of a group that talks: one of them coordinates, all have its log.

Every broker has the partition of `__consumer_offsets` that keeps the group, as a list
of records. The one that leads it has a `CoordinatorShard`; another that takes over
makes its own from the records, and knows what was known before.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from kafkasim.protocol.assignors import assign_at_broker
from kafkasim.protocol.errors import (
    COORDINATOR_LOAD_IN_PROGRESS,
    NOT_COORDINATOR,
    NOT_LEADER_OR_FOLLOWER,
)
from kafkasim.protocol.groups.coordinator.classic_groups import ClassicGroups
from kafkasim.protocol.groups.coordinator.classic_rebalances import ClassicSettings
from kafkasim.protocol.groups.coordinator.consumer_groups import ConsumerGroups
from kafkasim.protocol.groups.coordinator.consumer_heartbeat import (
    ConsumerGroupSettings,
)
from kafkasim.protocol.groups.coordinator.coordinator_answers import refusal
from kafkasim.protocol.groups.coordinator.coordinator_shard import CoordinatorShard
from kafkasim.protocol.groups.coordinator_records import Record
from kafkasim.protocol.groups.group_messages import (
    Answer,
    Assigned,
    CoordinatorFound,
    Effect,
    FindCoordinator,
    GroupChanged,
    Request,
    Response,
    Subscription,
    Write,
    WriteFailed,
    Written,
)
from kafkasim.protocol.topic_ids import TopicIds, made_id


class BrokerCalls(NamedTuple):
    """What brokers call."""

    at: Callable[[int, Callable[[], None]], None]
    """Does something at a time, in ms."""
    now_ms: Callable[[], int]
    """Tells the time."""
    say: Callable[[str], None]
    """Writes a line."""
    answer: Callable[[int, Request, Response], None]
    """Sends an answer from a broker."""


class GroupBrokers:
    """Brokers, and the log that the group is kept in.

    Parameters
    ----------
    new_shard : callable
        Returns a coordinator that knows nothing yet.
    count : int
        How many brokers there are; the first one leads.
    log_ms : int
        How long a write takes until it is replicated.
    calls : BrokerCalls
        What to call.
    """

    def __init__(
        self,
        new_shard: Callable[[], CoordinatorShard],
        count: int,
        log_ms: int,
        calls: BrokerCalls,
    ) -> None:
        self._new_shard = new_shard
        self._count = count
        self._log_ms = log_ms
        self._calls = calls
        self.leader = 0
        """Index of the broker that leads the partition."""
        self.log: list[Record] = []
        """What is replicated."""
        self._shard = new_shard()
        self._do(self._shard.load((), 0))
        self._loads = False
        self._under_way: list[tuple[Write, list[Answer]]] = []
        """Writes that are not replicated, each with answers that wait for it."""

    def name(self, node: int) -> str:
        """Return what a broker is called: by number if there are several."""
        return "coordinator" if self._count == 1 else f"broker {node + 1}"

    @property
    def next_deadline_ms(self) -> int | None:
        """When to call `handle_timeout`; None: not on account of time."""
        return None if self._loads else self._shard.next_deadline_ms

    def handle_timeout(self) -> None:
        """Do what is due."""
        if not self._loads:
            self._do(self._shard.handle_timeout(self._calls.now_ms()))

    def take(self, node: int, request: Request) -> None:
        """Let a broker have a request."""
        if isinstance(request, FindCoordinator):
            self._calls.answer(node, request, CoordinatorFound(node=self.leader))
        elif node != self.leader:
            self._calls.answer(node, request, refusal(request, NOT_COORDINATOR))
        elif self._loads:
            error = COORDINATOR_LOAD_IN_PROGRESS
            self._calls.answer(node, request, refusal(request, error))
        else:
            self._do(self._shard.handle(request, self._calls.now_ms()))

    def move(self, node: int, loads_ms: int) -> None:
        """Let another broker lead the partition; it has to read the log first."""
        now_ms = self._calls.now_ms()
        for write, answers in self._under_way:
            failed = WriteFailed(write, NOT_LEADER_OR_FOLLOWER)
            self._do(self._shard.handle(failed, now_ms))
            for each in answers:
                response = refusal(each.request, NOT_COORDINATOR)
                self._calls.answer(self.leader, each.request, response)
        self._under_way = []
        self._do(self._shard.unload(now_ms))
        self.leader, self._loads = node, True
        self._calls.say(f"{self.name(node)} leads the partition of the group")
        self._calls.at(now_ms + loads_ms, self._load)

    def _load(self) -> None:
        self._shard, self._loads = self._new_shard(), False
        count = len(self.log)
        self._calls.say(f"{self.name(self.leader)} has replayed {count} records")
        self._do(self._shard.load(self.log, self._calls.now_ms()))

    # --- effects ----------------------------------------------------------------------

    def _do(self, effects: list[Effect]) -> None:
        for effect in effects:
            match effect:
                case Answer(after_writes=True) if self._under_way:
                    self._under_way[-1][1].append(effect)
                case Answer():
                    self._answer(effect)
                case GroupChanged():
                    self._calls.say(
                        f"{self.name(self.leader)}: {effect.state}, "
                        f"{self._generation_of(effect)}, "
                        f"members {effect.members} ({effect.cause})"
                    )
                case Write():
                    self._under_way.append((effect, []))
                    due_ms = self._calls.now_ms() + self._log_ms
                    self._calls.at(due_ms, self._end_of(effect))

    def _generation_of(self, changed: GroupChanged) -> str:
        is_consumer = self._shard.consumer.has(changed.group)
        return f"{'group epoch' if is_consumer else 'generation'} {changed.epoch}"

    def _end_of(self, write: Write) -> Callable[[], None]:
        def end() -> None:
            if not self._under_way or self._under_way[0][0] is not write:
                return  # it has failed
            _, answers = self._under_way.pop(0)
            self.log += write.records
            for answer in write.answers:
                self._answer(answer)
            self._do(self._shard.handle(Written(write), self._calls.now_ms()))
            for answer in answers:
                self._answer(answer)

        return end

    def _answer(self, answer: Answer) -> None:
        self._calls.answer(self.leader, answer.request, answer.response)


def new_shard(
    topics: Mapping[str, int], settings: ClassicSettings, next_id: Callable[[], str]
) -> CoordinatorShard:
    """Return a coordinator that knows nothing yet.

    Parameters
    ----------
    topics : mapping
        How many partitions each topic has.
    settings : ClassicSettings
        Of groups of the classic protocol.
    next_id : callable
        Returns the random part of the next member id.
    """
    ids = TopicIds({topic: made_id(topic) for topic in topics})

    def uniform(
        members: Mapping[str, Subscription],
        topics: Mapping[str, int],
        instances: Mapping[str, str | None],
    ) -> Mapping[str, Assigned]:
        numbers = {topic: int.from_bytes(ids.raw(topic)) for topic in topics}
        return assign_at_broker(
            "uniform", members, topics, instances=instances, topic_ids=numbers
        )

    return CoordinatorShard(
        ClassicGroups(settings, next_id),
        ConsumerGroups(ConsumerGroupSettings(), {"uniform": uniform}, topics.get),
        ids=ids,
    )
