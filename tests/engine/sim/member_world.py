"""A member and its brokers, 1 ms apart, whose leaders a test moves by hand.

Serving a request takes no time, a record 10 ms of work. Times are milliseconds.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from kafkasim.engine.sim.at_work import Returned
from kafkasim.engine.sim.calendar import CheckedCalendar, Rank, key_base
from kafkasim.engine.sim.consumer import Member
from kafkasim.engine.sim.failing_broker import FailingBroker
from kafkasim.engine.sim.fetch_session import FetchSession
from kafkasim.engine.sim.group import Group
from kafkasim.engine.sim.hosts import Hosts
from kafkasim.engine.sim.member_calls import MemberCalls
from kafkasim.engine.sim.partition import Partition
from kafkasim.engine.sim.poll_settings import PollSettings
from kafkasim.engine.sim.request import OFFSET_FOR_LEADER_EPOCH, Request
from kafkasim.protocol.cluster.controller_messages import PartitionState
from kafkasim.protocol.errors import (
    ERRORS,
    FENCED_LEADER_EPOCH,
    NONE,
    NOT_LEADER_OR_FOLLOWER,
)
from kafkasim.protocol.producing.batch import Batch
from kafkasim.result.schema import APIS
from kafkasim.scenario.hardware import Link
from kafkasim.units import MISSING_NS
from tests.engine.sim.partitions import partition

MS = 1_000_000

SETTINGS = PollSettings(
    min_bytes=1,
    max_wait_ns=500 * MS,
    max_partition_bytes=1_000_000,
    max_bytes=1_000_000,
    max_poll_records=500,
    auto_commit_ns=None,
)

Row = tuple[str, int, float, float | None, str]
"""A request: API, broker, when it was sent and answered, and the error."""


class Node(FailingBroker):
    """A broker that leads what the test says."""

    __slots__ = ()

    def come_back(self) -> None:
        """Come back, and be let in by the controller at once."""
        super().come_back()
        self.registered = self.serves = True

    def meets(self, partition: Partition, leader_epoch: int) -> int:
        """As a leader that knows its epoch."""
        if partition.leader != self.index:
            return NOT_LEADER_OR_FOLLOWER
        known = self.image[partition.index].leader_epoch
        return NONE if leader_epoch == known else FENCED_LEADER_EPOCH


class World:
    """One member that owns some partitions, each with a leader."""

    def __init__(
        self,
        leaders: Sequence[int] = (0,),
        *,
        brokers: int = 2,
        workers: int = 1,
        resets_to_end: bool = True,
        resets: bool = True,
        **settings: object,
    ) -> None:
        self.calendar = CheckedCalendar()
        self.settings = replace(SETTINGS, workers=workers, **settings)  # type: ignore[arg-type]
        self.partitions = [partition(index) for index in range(len(leaders))]
        for each, leader in zip(self.partitions, leaders, strict=True):
            each.leader = leader
            each.add_group(0, [], 10 * MS)
            each.log.leader_epochs.assign(0, 0)
        self.group = Group(
            0,
            self.partitions,
            late=False,
            resets_to_end=resets_to_end,
            may_crash=True,
            resets=resets,
        )
        self.requests: list[Row] = []
        self.epochs_asked: list[int] = []
        self.rows: list[Returned] = []
        self.commits: list[tuple[float, dict[int, int]]] = []
        self.resets: list[tuple[float, int, int]] = []
        self.stopped: list[float] = []
        self.processed = 0
        self.commit_errors: list[int] = []
        self.hosts = Hosts(Link(delay_ms=1.0, bandwidth_mb_per_s=1e9), seed=1)
        self.brokers = [self._make_broker(index, leaders) for index in range(brokers)]
        self._ids = iter(range(10_000))
        self._command = key_base(Rank.COMMAND, 0)
        self.member = self._make_member(leaders)

    def _make_broker(self, index: int, leaders: Sequence[int]) -> Node:
        node = Node(
            calendar=self.calendar,
            actor=10 + index,
            index=index,
            partitions=self.partitions,
            io_threads=100,
            request_ns=0,
            ns_per_byte=0.0,
            on_append=lambda *_: None,
            commit=self._commit,
        )
        image = [PartitionState((0, 1), (0, 1), leader) for leader in leaders]
        node.connect(
            image,
            lambda: [
                each
                for each in self.hosts.connections
                if each.broker == index and not each.broken
            ],
        )
        return node

    def _make_member(self, leaders: Sequence[int]) -> Member:
        connections = [
            self.hosts.connect("member:a/1", 0, node)
            for node in range(len(self.brokers))
        ]
        sessions = []
        for node in sorted(set(leaders)):
            led = [p for p in self.partitions if p.leader == node]
            session = FetchSession(led, connections[node], self.settings)
            self.brokers[node].open_session(session)
            sessions.append(session)
        coordinator = self.hosts.connect("member:a/1", 0, len(self.brokers) - 1, "/c")
        return Member(
            calendar=self.calendar,
            actor=1,
            code=0,
            group=self.group,
            sessions=sessions,
            connections=[*connections, coordinator],
            brokers=list(self.brokers),
            settings=self.settings,
            draws=np.random.default_rng(1),
            calls=MemberCalls(
                next_request_id=self._ids.__next__,
                write_request=self._write,
                write_returned=self.rows.append,
                on_working=lambda _: None,
                on_processed=self._count,
                on_reset=self._note_reset,
                on_stopped=lambda _: self.stopped.append(self.now),
            ),
        )

    @property
    def now(self) -> float:
        """The time."""
        return self.calendar.now_ns / MS

    def _count(self, records: int) -> None:
        self.processed += records

    def _note_reset(self, _: Member, partition: Partition, offset: int) -> None:
        self.resets.append((self.now, partition.index, offset))
        self.group.pass_over(partition, offset)

    def _write(self, request: Request, answered_ns: int) -> None:
        request.written = True
        if request.api == OFFSET_FOR_LEADER_EPOCH:
            self.epochs_asked += [wish for _, _, wish in request.payload]
        self.requests.append(
            (
                APIS[request.api],
                request.connection.broker,
                request.sent_ns / MS,
                None if answered_ns == MISSING_NS else answered_ns / MS,
                "" if request.error == NONE else ERRORS[request.error],
            )
        )

    def _commit(self, request: Request) -> None:
        _, _, positions, _ = request.payload
        if self.commit_errors:
            request.error = self.commit_errors.pop(0)
        if request.error == NONE:
            self.commits.append((self.now, dict(positions)))

    # --- what a test does -----------------------------------------------------------

    def start(self, positions: Mapping[int, int] | None = None) -> None:
        """Let the member begin, at offset 0 or at these."""
        zero = dict.fromkeys(range(len(self.partitions)), 0)
        self.member.start({**zero, **(positions or {})})

    def run(self, until: float) -> None:
        """Let the time pass, what happens then included."""
        self.calendar.run_entries(round(until * MS))
        self.calendar.now_ns = round(until * MS)

    def append(self, count: int, index: int = 0) -> None:
        """Append records to a partition; readers see them at once."""
        made = self.partitions[index]
        lo = made.log.log_end_offset
        made.append(Batch(0, index, lo, lo + count, 100, self.calendar.now_ns), 0)
        self._tell(made)

    def _tell(self, made: Partition) -> None:
        broker = self.brokers[made.leader]
        for session in broker._sessions.get(made.index, ()):
            session.advanced(made)
            if session.parked is not None and session.has_enough():
                broker._complete_fetch(session, session.parked)

    def move(self, to: int, epoch: int, index: int = 0, *, told: bool = True) -> None:
        """Let another broker lead a partition; `told`: the brokers know."""
        made = self.partitions[index]
        before, made.leader = made.leader, to
        made.log.leader_epochs.assign(epoch, made.log.log_end_offset)
        if told:
            for broker in self.brokers:
                broker.image[index] = PartitionState((0, 1), (0, 1), to, epoch)
        old = self.brokers[before]
        code = FENCED_LEADER_EPOCH if before == to else NOT_LEADER_OR_FOLLOWER
        for session in old._sessions.get(index, ()):
            session.refuse(made, code)
            if session.parked is not None and old.up:
                old._complete_fetch(session, session.parked)

    def sent(self, api: str, since: float = 0.0) -> list[tuple[int, float]]:
        """The requests of an API: to which broker, and when."""
        return [
            (n, at) for name, n, at, _, _ in self.all() if name == api and at >= since
        ]

    def all(self) -> list[Row]:
        """All requests, those without an answer yet last, by when they were sent."""
        open_ = [
            request
            for connection in self.member._network.connections
            for request in connection.in_flight
        ]
        rows = [
            (APIS[r.api], r.connection.broker, r.sent_ns / MS, None, "") for r in open_
        ]
        return sorted([*self.requests, *rows], key=lambda row: row[2])
