"""Members that join their group, brokers 1 ms apart, and a coordinator on one of them.

The coordinator is that of the protocol; what it writes is replicated at once, and
offsets are kept in a table. Serving a request takes no time, a record 10 ms of work.
Times are milliseconds.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial as bound

import numpy as np

from kafkasim.engine.sim.at_work import Returned
from kafkasim.engine.sim.calendar import CheckedCalendar, Rank, key_base
from kafkasim.engine.sim.group import Group
from kafkasim.engine.sim.group_requests import GROUP_APIS, error_of
from kafkasim.engine.sim.hosts import Hosts
from kafkasim.engine.sim.joining_member import JoiningMember
from kafkasim.engine.sim.member_calls import MemberCalls
from kafkasim.engine.sim.owning_member import OwnerCalls, OwningMember
from kafkasim.engine.sim.partition import Partition
from kafkasim.engine.sim.request import Request
from kafkasim.protocol.cluster.controller_messages import PartitionState
from kafkasim.protocol.errors import ERRORS, NONE, NOT_COORDINATOR
from kafkasim.protocol.groups.coordinator.classic_groups import ClassicGroups
from kafkasim.protocol.groups.coordinator.classic_rebalances import ClassicSettings
from kafkasim.protocol.groups.coordinator.coordinator_answers import refusal
from kafkasim.protocol.groups.group_messages import (
    Answer,
    CommittedOffset,
    CoordinatorFound,
    Effect,
    FindCoordinator,
    OffsetCommit,
    OffsetFetch,
    OffsetsCommitted,
    OffsetsFetched,
    Write,
    Written,
)
from kafkasim.protocol.groups.member.classic_member import ClassicMember
from kafkasim.protocol.groups.member.member_effects import (
    Assigned,
    Consumed,
    Input,
    Lost,
    Revoked,
)
from kafkasim.protocol.groups.member.member_effects import Effect as ClientEffect
from kafkasim.protocol.groups.member.member_settings import MemberSettings
from kafkasim.protocol.producing.batch import Batch
from kafkasim.result.schema import APIS
from kafkasim.scenario.hardware import Link
from kafkasim.units import MISSING_NS
from tests.engine.sim.member_world import MS, SETTINGS, Node
from tests.engine.sim.partitions import partition
from tests.protocol.groups.member.driven_member import TOPIC


class Coordinating(Node):
    """A broker that coordinates the group if the world says so."""

    __slots__ = ("world",)

    world: "GroupWorld"

    def _serviced(self, request: Request) -> None:
        if request.api not in GROUP_APIS:
            super()._serviced(request)
            return
        if self._queue:
            self._serve(self._queue.popleft())
        else:
            self._free_threads += 1
        self.world.serve(self, request)


class Watched(ClassicMember):
    """A machine whose callbacks are noted."""

    def __init__(
        self,
        settings: MemberSettings,
        note: Callable[[Revoked | Lost | Assigned], None],
        *,
        consumed: Consumed,
        backoff_ms: Callable[[int], int],
        now_ms: int,
    ) -> None:
        super().__init__(
            settings, consumed=consumed, backoff_ms=backoff_ms, now_ms=now_ms
        )
        self._note = note

    def handle(self, event: Input, now_ms: int) -> list[ClientEffect]:
        effects = super().handle(event, now_ms)
        for effect in effects:
            if isinstance(effect, Revoked | Lost | Assigned):
                self._note(effect)
        return effects


class GroupWorld:
    """Some members, and the partitions of one topic, all led by the first broker."""

    committed: dict[int, int]
    """Partition → offset."""
    epochs: dict[int, int]
    """Partition → leader epoch with which that is said to have been committed."""

    def __init__(
        self,
        members: int = 1,
        partitions: int = 1,
        *,
        joining: dict[str, object] | None = None,
        delay_ms: int = 0,
        instances: Sequence[str] = (),
        work_ms: int = 10,
        **settings: object,
    ) -> None:
        self.calendar = CheckedCalendar()
        self.settings = replace(SETTINGS, **settings)  # type: ignore[arg-type]
        self.joining = MemberSettings(
            group="g", client_id="c", topics=(TOPIC,), assignors=("range",),
            auto_commit_ms=None,
        )  # fmt: skip
        self.joining = replace(self.joining, **(joining or {}))  # type: ignore[arg-type]
        self.instances = instances
        self.partitions = [partition(index) for index in range(partitions)]
        for each in self.partitions:
            each.leader = 0
            each.add_group(0, [], work_ms * MS)
            each.log.leader_epochs.assign(0, 0)
        self.group = Group(
            0, self.partitions, late=False, resets_to_end=False, may_crash=True
        )
        self.groups = ClassicGroups(
            ClassicSettings(initial_rebalance_delay_ms=delay_ms),
            iter(map(str, range(100))).__next__,
        )
        self.coordinator = 1
        self._armed_ms = -1
        self.committed, self.epochs = {}, {}
        self.commit_errors: list[int] = []
        """With which the next commits are refused."""
        self.open: dict[int, tuple[Coordinating, Request]] = {}
        self.log: list[tuple[float, str]] = []
        """What is told of ownership: when, and what."""
        self.callbacks: list[tuple[float, int, str, list[int]]] = []
        """When a member's callback was called, which, and with what."""
        self.requests: list[tuple[float, str, int, str]] = []
        self.rows: list[Returned] = []
        self.stopped: list[int] = []
        self.hosts = Hosts(Link(delay_ms=1.0, bandwidth_mb_per_s=1e9), seed=1)
        self.brokers = [self._make_broker(index) for index in range(3)]
        self._ids = iter(range(100_000))
        self._key = key_base(Rank.COMMAND, 0)
        self.members = [self._make_member(number) for number in range(members)]

    def _make_broker(self, index: int) -> Coordinating:
        node = Coordinating(
            calendar=self.calendar,
            actor=10 + index,
            index=index,
            partitions=self.partitions,
            io_threads=100,
            request_ns=0,
            ns_per_byte=0.0,
            on_append=lambda *_: None,
            commit=lambda _: None,
        )
        node.world = self
        node.connect(
            [PartitionState((0, 1), (0, 1), 0) for _ in self.partitions],
            lambda: [
                each
                for each in self.hosts.connections
                if each.broker == index and not each.broken
            ],
        )
        return node

    def _make_member(self, number: int) -> JoiningMember:
        name = f"member:g/{number + 1}"
        connections = [
            self.hosts.connect(name, number, node, way)
            for way in ("", "/coordinator")
            for node in range(len(self.brokers))
        ]
        instance = self.instances[number] if self.instances else None
        joining = replace(self.joining, client_id=f"c{number}", instance_id=instance)
        return JoiningMember(
            calendar=self.calendar,
            actor=1 + number,
            code=number,
            group=self.group,
            connections=connections,
            brokers=list(self.brokers),
            settings=self.settings,
            draws=np.random.default_rng(number),
            calls=MemberCalls(
                next_request_id=self._ids.__next__,
                write_request=self._write,
                write_returned=self.rows.append,
                on_working=lambda _: None,
                on_processed=lambda _: None,
                on_reset=lambda _, p, at: self._say(f"reset {p.index} to {at}"),
                on_stopped=lambda member: self._say(f"{member.code} threw"),
            ),
            topics={TOPIC: self.partitions},
            joining=joining,
            new_machine=lambda consumed, backoff_ms, now_ms: Watched(
                joining,
                bound(self._called, number),
                consumed=consumed,
                backoff_ms=backoff_ms,
                now_ms=now_ms,
            ),
            owner_calls=OwnerCalls(self._owns, self._gives_up, self._closed),
        )

    def _called(self, number: int, effect: Revoked | Lost | Assigned) -> None:
        what = type(effect).__name__.lower(), [p for _, p in effect.partitions]
        self.callbacks.append((self.now, number, *what))

    # --- what is told -----------------------------------------------------------------

    @property
    def now(self) -> float:
        """The time."""
        return self.calendar.now_ns / MS

    def _say(self, text: str) -> None:
        self.log.append((self.now, text))

    def _owns(self, member: OwningMember, made: Partition, epoch: int, at: int) -> None:
        self._say(f"{member.code} reads {made.index} from {at}, generation {epoch}")

    def _gives_up(self, member: OwningMember, made: Partition, cause: str) -> None:
        self._say(f"{member.code} {cause} {made.index}")

    def _closed(self, member: OwningMember) -> None:
        self._say(f"{member.code} closed")

    def _write(self, request: Request, answered_ns: int) -> None:
        assert not request.written
        request.written = True
        outcome = "" if request.error == NONE else ERRORS[request.error]
        if answered_ns == MISSING_NS:
            outcome = "failed"
        node = request.connection.broker
        self.requests.append((request.sent_ns / MS, APIS[request.api], node, outcome))

    # --- the coordinator --------------------------------------------------------------

    @property
    def now_ms(self) -> int:
        """The time of the coordinator."""
        return self.calendar.now_ns // MS

    def serve(self, broker: Coordinating, request: Request) -> None:
        """Let a broker answer a request of a group."""
        message = request.payload = replace(request.payload)
        self.open[id(message)] = (broker, request)
        if isinstance(message, FindCoordinator):
            self._do([Answer(message, CoordinatorFound(node=self.coordinator))])
        elif broker.index != self.coordinator:
            self._do([Answer(message, refusal(message, NOT_COORDINATOR))])
        elif isinstance(message, OffsetCommit):
            self._commit(message)
        elif isinstance(message, OffsetFetch):
            found = tuple(
                CommittedOffset(
                    topic=topic,
                    partition=number,
                    offset=self.committed.get(number, -1),
                    leader_epoch=self.epochs.get(number, -1),
                )
                for topic, number in message.partitions
            )
            self._do([Answer(message, OffsetsFetched(offsets=found))])
        else:
            self._do(self.groups.handle(message, self.now_ms))
            self._arm()

    def _commit(self, message: OffsetCommit) -> None:
        error = self.groups.may_commit(message, self.now_ms)
        if self.commit_errors:
            error = self.commit_errors.pop(0)
        errors = tuple(((o.topic, o.partition), error) for o in message.offsets)
        if error == NONE:
            self.committed.update((o.partition, o.offset) for o in message.offsets)
        self._do([Answer(message, OffsetsCommitted(errors=errors))])
        self._arm()

    def _do(self, effects: list[Effect]) -> None:
        for effect in effects:
            if isinstance(effect, Answer):
                broker, request = self.open.pop(id(effect.request))
                request.answer = effect.response
                request.error = error_of(effect.response)
                broker._answer(request, 0)
            elif isinstance(effect, Write):
                self._do(list(effect.answers))
                self._do(self.groups.handle(Written(effect), self.now_ms))

    def _arm(self) -> None:
        due = self.groups.next_deadline_ms
        if due is not None and due != self._armed_ms:
            self._armed_ms = due
            self.at(due, self._due)

    def _due(self) -> None:
        self._do(self.groups.handle_timeout(self.now_ms))
        self._arm()

    # --- what a test does -------------------------------------------------------------

    def at(self, ms: float, call: Callable[[], object]) -> None:
        """Do something then."""
        self._key += 1
        at_ns = max(round(ms * MS), self.calendar.now_ns + 1)
        self.calendar.at(at_ns, self._key, bound(_drop, call), None)

    def run(self, until: float) -> list[tuple[float, str]]:
        """Let time pass, what happens then included; return what was told."""
        self.calendar.run_entries(round(until * MS))
        self.calendar.now_ns = round(until * MS)
        told, self.log = self.log, []
        return told

    def append(self, count: int, index: int = 0) -> None:
        """Append records to a partition; readers see them at once."""
        made = self.partitions[index]
        lo = made.log.log_end_offset
        made.append(Batch(0, index, lo, lo + count, 100, self.calendar.now_ns), 0)
        broker = self.brokers[made.leader]
        for session in broker._sessions.get(made.index, ()):
            session.advanced(made)
            if session.parked is not None and session.has_enough():
                broker._complete_fetch(session, session.parked)

    def sent(self, api: str) -> list[float]:
        """When requests of an API were sent that are over."""
        return [at for at, name, *_ in self.requests if name == api]


def _drop(call: Callable[[], object], _: object) -> None:
    call()
