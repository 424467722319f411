"""The twin's group members: a process that polls and works, and one for each fetch.

What a member does is in `kafkasim.engine.sim.consumer`.
"""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import simpy

from benchmarks.twin.broker import Broker, Fetcher, Steps
from benchmarks.twin.clock import Clock
from kafkasim.engine.sim.at_work import UNSLOWED, Returned
from kafkasim.engine.sim.fetch_session import FetchSession
from kafkasim.engine.sim.group import Group
from kafkasim.engine.sim.member_calls import MemberCalls
from kafkasim.engine.sim.partition import Partition
from kafkasim.engine.sim.poll_settings import PollSettings
from kafkasim.engine.sim.request import FETCH, OFFSET_COMMIT, Connection, Request
from kafkasim.protocol.producing.batch import NEVER
from kafkasim.units import MISSING_NS


class Member:
    """One member of a group and the application behind it.

    Parameters
    ----------
    env : Clock
        Counts nanoseconds.
    code : int
        Code of its name in the tables.
    group : Group
        The group it belongs to.
    sessions : sequence of FetchSession
        One per broker that leads a partition it owns.
    positions : mapping of int to int
        Partition index → offset at which it begins.
    commit_connection : Connection
        To the group's coordinator.
    brokers : sequence of Broker
        By index.
    settings : PollSettings
        Its configuration.
    calls : MemberCalls
        Whom to tell what.
    number_request : callable
        Gives a request its number.
    store_commit : callable
        Called with a commit when a broker handles it.
    """

    def __init__(
        self,
        env: Clock,
        *,
        code: int,
        group: Group,
        sessions: Sequence[FetchSession],
        positions: Mapping[int, int],
        commit_connection: Connection,
        brokers: Sequence[Broker],
        settings: PollSettings,
        calls: MemberCalls[Any],
        number_request: Callable[[Request], None],
        store_commit: Callable[[Request], None],
    ) -> None:
        self._env = env
        self._code = code
        self._group = group
        self._positions = dict(positions)
        self._commit_connection = commit_connection
        self._commit_turn = simpy.Resource(env)
        self._coordinator = brokers[commit_connection.broker]
        self._settings = settings
        self._calls = calls
        self._number_request = number_request
        self._store_commit = store_commit
        self._buffer: deque[tuple[Partition, int, int]] = deque()
        self._working: list[Returned] = []
        self._arrived: simpy.Event | None = None
        """What poll waits for when it has nothing to return."""
        self._committed: simpy.Event | None = None
        """What the commit timer waits for when poll is late."""
        self._fetchers = [Fetcher(env, session) for session in sessions]
        self._fetcher_of = {
            p.index: f for f in self._fetchers for p in f.session.partitions
        }
        for fetcher in self._fetchers:
            fetcher.session.seek(self._positions)
            broker = brokers[fetcher.connection.broker]
            broker.add(fetcher)
            env.process(self._fetch(fetcher, broker))
        env.process(self._poll())
        self._commit_at_ns = NEVER
        if settings.auto_commit_ns is not None and sessions:
            self._commit_at_ns = settings.auto_commit_ns
            env.process(self._commit_when_idle())

    def _poll(self) -> Steps:
        """Poll, work, and poll again."""
        env = self._env
        while True:
            if env.now >= self._commit_at_ns:
                self._commit()
            if not self._buffer:
                self._send_fetches()
                self._arrived = env.event()
                yield self._arrived
                continue
            end_ns = self._take_records()
            self._send_fetches()
            if end_ns > env.now:
                self._calls.on_working(end_ns)
                yield env.timeout(end_ns - env.now)
            for row in self._working:
                self._calls.write_returned(row)
                self._count_processed(row)
            self._working = []

    def _take_records(self) -> int:
        """Return up to `max.poll.records` from the buffer; when their work ends."""
        left = self._settings.max_poll_records
        at_ns = self._env.now
        group = self._group.index
        while left and self._buffer:
            partition, to_offset, fetched_ns = self._buffer[0]
            from_offset = self._positions[partition.index]
            if to_offset - from_offset < left:
                self._buffer.popleft()
                self._fetcher_of[partition.index].session.buffered -= 1
            else:
                to_offset = from_offset + left
            if to_offset > from_offset:
                self._working.append(
                    Returned(
                        group, self._code, partition.index, from_offset, to_offset,
                        fetched_ns, at_ns, UNSLOWED, MISSING_NS, 0, 0,
                    )
                )  # fmt: skip
                self._positions[partition.index] = to_offset
                left -= to_offset - from_offset
                at_ns += partition.work_between(group, from_offset, to_offset)
        return at_ns

    def _count_processed(self, row: Returned) -> None:
        """Count records of which, without crashes, each is processed once."""
        self._group.processed[row.partition] = row.to_offset
        self._calls.on_processed(row.to_offset - row.from_offset)

    def _send_fetches(self) -> None:
        """Send a fetch to every broker that owes none and has nothing in the buffer."""
        now_ns = self._env.now
        for fetcher in self._fetchers:
            if fetcher.busy or fetcher.session.buffered:
                continue
            fetcher.busy = True
            connection = fetcher.connection
            request = Request(
                api=FETCH,
                connection=connection,
                sent_ns=now_ns,
                payload=fetcher.session,
                on_answer=None,
            )
            self._number_request(request)
            fetcher.go.succeed((request, connection.up.transfer(now_ns, 0)))

    def _fetch(self, fetcher: Fetcher, broker: Broker) -> Steps:
        """Carry one fetch after the other to the broker and its answer back."""
        env, session, down = self._env, fetcher.session, fetcher.connection.down
        timer = env.timeout(0)
        while True:
            request, arrives_ns = yield fetcher.go
            fetcher.go = env.event()
            yield env.timeout(arrives_ns - env.now)
            request.received_ns = env.now
            with broker.io_threads.request() as thread:
                yield thread
                request.dequeued_ns = env.now
                yield env.timeout(next(broker.services_ns))
            if session.max_wait_ns and not session.has_enough():
                over_ns = env.now + session.max_wait_ns
                parked = fetcher.parked = env.event()
                while not parked.triggered and env.now < over_ns:
                    if timer.processed:
                        timer = env.timeout(over_ns - env.now)
                    yield parked | timer
                fetcher.parked = None
            request.answer, request.size_bytes, request.batch_count = session.read()
            request.done_ns = env.now
            answered_ns = down.transfer(env.now, request.size_bytes)
            yield env.timeout(answered_ns - env.now)
            if request.size_bytes:
                there_ns = down.receive(env.now, request.size_bytes)
                if there_ns > env.now:
                    yield env.timeout(there_ns - env.now)
            fetcher.busy = False
            self._calls.write_request(request, env.now)
            for partition, end_offset, _ in request.answer:
                if end_offset > self._positions[partition.index]:
                    self._buffer.append((partition, end_offset, env.now))
                    session.buffered += 1
            if self._arrived is not None:
                self._arrived.succeed()
                self._arrived = None

    def _commit_when_idle(self) -> Steps:
        """Commit on time while poll waits for records; one that works does it later."""
        env = self._env
        while True:
            while env.now < self._commit_at_ns:
                yield env.timeout(self._commit_at_ns - env.now)
            if self._arrived is not None:
                self._commit()
            else:
                self._committed = env.event()
                yield self._committed

    def _commit(self) -> None:
        """Send the positions to the coordinator; the answer is not waited for."""
        now_ns = self._env.now
        assert self._settings.auto_commit_ns is not None
        self._commit_at_ns = now_ns + self._settings.auto_commit_ns
        request = Request(
            api=OFFSET_COMMIT,
            connection=self._commit_connection,
            sent_ns=now_ns,
            payload=(self._group, self._code, dict(self._positions), 0),
            on_answer=None,
        )
        self._number_request(request)
        arrives_ns = self._commit_connection.up.transfer(now_ns, 0)
        self._env.process(self._carry_commit(request, arrives_ns))
        if self._committed is not None:
            self._committed.succeed()
            self._committed = None

    def _carry_commit(self, request: Request, arrives_ns: int) -> Steps:
        """Carry one commit to the coordinator and its answer back."""
        env, broker, down = self._env, self._coordinator, self._commit_connection.down
        yield env.timeout(arrives_ns - env.now)
        with self._commit_turn.request() as turn:
            yield turn
            request.received_ns = env.now
            with broker.io_threads.request() as thread:
                yield thread
                request.dequeued_ns = env.now
                yield env.timeout(next(broker.services_ns))
            request.done_ns = env.now
            self._store_commit(request)
        answered_ns = down.transfer(env.now, 0)
        yield env.timeout(answered_ns - env.now)
        self._calls.write_request(request, env.now)

    def cut(self, now_ns: int) -> None:
        """End the run: write what is being worked on as it stands."""
        for row in self._working:
            self._calls.write_returned(row._replace(until_ns=now_ns))
