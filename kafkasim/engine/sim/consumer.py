"""Consumer group members: fetch, poll, work, commit.

`poll()` commits when the auto-commit interval is over (CO-10: inside poll, before
fetching, and what earlier polls returned), returns up to `max.poll.records` of what has
been fetched, and before returning sends the next fetches, so that the next batch
travels while this one is worked on (CO-3). No fetch goes to a broker that still owes an
answer or leads a partition with records not yet returned. The application works through
the records one after the other and polls again.

A group starts joined: its members own what the range assignor gives them, and nobody
moves. A member that comes back after a crash owns what it owned and goes on from the
committed offsets, as a static member does (GR-14).
"""

from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import Final, NamedTuple

from kafkasim.engine.sim.at_work import UNSLOWED, AtWork, Returned
from kafkasim.engine.sim.broker import Broker
from kafkasim.engine.sim.calendar import Calendar, Rank, key_base
from kafkasim.engine.sim.fetch_buffer import FetchBuffer
from kafkasim.engine.sim.fetch_session import FetchSession, PollSettings
from kafkasim.engine.sim.group import Group
from kafkasim.engine.sim.partition import Partition
from kafkasim.engine.sim.request import (
    FETCH,
    LIST_OFFSETS,
    OFFSET_COMMIT,
    Connection,
    Request,
)
from kafkasim.protocol.batch import NEVER
from kafkasim.units import FOREVER_NS, MISSING_NS

_BROKER_OF: Final = attrgetter("connection.broker")


class MemberCalls(NamedTuple):
    """What a member calls when something is final."""

    next_request_id: Callable[[], int]
    """Gives the number of the next request."""
    write_request: Callable[[Request, int], None]
    """Takes a request and the time of its answer, missing when it never comes."""
    write_returned: Callable[[Returned], None]
    """Takes a row that is final."""
    on_working: Callable[[int], None]
    """Takes the time at which the work that begins now will end."""
    on_processed: Callable[[int], None]
    """Takes the number of newly processed records at the end of a poll's work."""
    on_reset: Callable[["Member", Partition, int], None]
    """Takes a member, a partition and the offset at which it is about to go on, the
    one it had being out of range."""


class Member:
    """One member of a group and the application behind it.

    Parameters
    ----------
    calendar, actor
        Where its deadlines go, and its number among the run's actors.
    code : int
        Code of its name in the tables.
    group : Group
        The group it belongs to.
    sessions : list of FetchSession
        One per broker that leads a partition it owns.
    commit_connection : Connection
        To the group's coordinator.
    brokers : list of Broker
        By index.
    settings : PollSettings
        Its configuration.
    calls : MemberCalls
        Whom to tell what.
    """

    def __init__(
        self,
        *,
        calendar: Calendar,
        actor: int,
        code: int,
        group: Group,
        sessions: list[FetchSession],
        commit_connection: Connection,
        brokers: list[Broker],
        settings: PollSettings,
        calls: MemberCalls,
    ) -> None:
        self.code = code
        self.group = group
        self.sessions = sessions
        self.positions: dict[int, int] = {}
        self._calendar = calendar
        self._commit_connection = commit_connection
        self._brokers = brokers
        self._settings = settings
        self._next_request_id = calls.next_request_id
        self._write_request = calls.write_request
        self._write_returned = calls.write_returned
        self._on_working = calls.on_working
        self._on_processed = calls.on_processed
        self._on_reset = calls.on_reset
        self.owned = [p for session in sessions for p in session.partitions]
        self._partitions = {p.index: p for p in self.owned}
        self._idle: list[FetchSession] = []
        """Sessions that may fetch: no request without an answer, nothing buffered."""
        self._buffer = FetchBuffer(group.index, code)
        self._at_work = AtWork(group.index, self._partitions)
        self._working: list[Returned] = []
        self._held: list[tuple[Callable[[Request], None], Request]] | None = None
        """What came during a pause, and who takes it; none: there is no pause."""
        self._for_good = False
        """Whether it stands still and nothing will let it go on but a crash."""
        self.epoch = 0
        self.up = False
        self.begun: dict[int, tuple[int, int]] = {}
        """Partition index → when and at which offset it began to read it."""
        self._wake = 0
        self._slowed = UNSLOWED
        self._commit_at_ns = FOREVER_NS
        self._sent_key = key_base(Rank.ARRIVAL, actor)
        self._wake_key = key_base(Rank.WAKE, actor)
        self._timer_key = key_base(Rank.TIMER, actor)

    def start(self, positions: Mapping[int, int]) -> None:
        """Begin to poll at these offsets, of all its partitions."""
        now_ns = self._calendar.now_ns
        self.epoch += 1
        self.up = True
        self.positions = {index: positions[index] for index in self._partitions}
        self.begun = {index: (now_ns, at) for index, at in self.positions.items()}
        for session in self.sessions:
            session.seek(self.positions)
        self._idle = list(self.sessions)
        if self._settings.auto_commit_ns is not None and self.owned:
            self._commit_at_ns = now_ns + self._settings.auto_commit_ns
            self._arm_commit_timer()
        self._send_fetches(now_ns)

    @property
    def begun_ns(self) -> int:
        """When the oldest work under way began; `NEVER` when it is idle."""
        return self._working[0].started_ns if self._working else NEVER

    def slow(self, factor: float) -> None:
        """Multiply the work of the records that begin from now on."""
        self._slowed = factor
        now_ns = self._calendar.now_ns
        self._working, end_ns = self._at_work.slowed(self._working, now_ns, factor)
        if end_ns != MISSING_NS:
            self._wake_at(end_ns)

    def pause(self, until_ns: int) -> None:
        """Stand still: what is at work, and what the client would do, waits.

        Parameters
        ----------
        until_ns : int
            When `resume` will be called; `FOREVER_NS`: never.
        """
        self._held = []
        self._for_good = until_ns == FOREVER_NS
        now_ns = self._calendar.now_ns
        self._working, end_ns = self._at_work.held(self._working, now_ns, until_ns)
        if self._working:
            self._wake_at(max(until_ns, end_ns))

    def resume(self) -> None:
        """Go on after a pause, with what came meanwhile in the order it came."""
        if self._held is None:
            return  # a crash has ended it, or it found nobody here
        held, self._held = self._held, None
        self._commit_timer(self.epoch)
        for take, request in held:
            take(request)

    @property
    def held(self) -> list[Request]:
        """What was answered during a pause and the client has not seen yet."""
        return [request for _, request in self._held or ()]

    def crash(self) -> None:
        """Stop at once; what was not finished is abandoned."""
        now_ns = self._calendar.now_ns
        self.up = False
        self.epoch += 1
        self._wake += 1
        self._buffer.clear()
        held, self._held = self._held or [], None
        self._for_good = False
        for session in self.sessions:
            if session.request is not None:
                self._write_request(session.request, MISSING_NS)
            session.hang_up()
        self._commit_connection = self._commit_connection.renewed()
        for take, request in held:
            take(request)
        self._end_work(now_ns, crashed=1)

    def cut(self) -> None:
        """End the run: write what is being worked on as it stands."""
        self._end_work(self._calendar.now_ns, crashed=0)

    def _end_work(self, now_ns: int, *, crashed: int) -> None:
        for row in self._working:
            if row.started_ns <= now_ns:
                count = self._newly_processed(
                    row, self._at_work.processed_until(row, now_ns)
                )
                if count:
                    self._on_processed(count)
            self._write_returned(row._replace(until_ns=now_ns, crashed=crashed))
        self._working = []

    # --- poll ---------------------------------------------------------------------

    def _wake_at(self, time_ns: int) -> None:
        """Poll again then, and not when it was meant to before."""
        self._wake += 1
        if self._for_good:
            return
        self._wake_key += 1
        self._on_working(time_ns)
        self._calendar.push((time_ns, self._wake_key, self._poll, self._wake))

    def _poll(self, wake: int) -> None:
        """End the work of the last poll and poll again."""
        if wake != self._wake:
            return
        now_ns = self._calendar.now_ns
        while True:
            if self._working:
                self._end_poll()
            if now_ns >= self._commit_at_ns:
                self._commit(now_ns)
            if not self._buffer.fetches:
                self._send_fetches(now_ns)
                return
            end_ns = self._take_records(now_ns)
            self._send_fetches(now_ns)
            if end_ns > now_ns:
                self._wake_at(end_ns)
                return

    def _end_poll(self) -> None:
        """Write what the last poll returned, all of it being processed now."""
        processed = 0
        for row in self._working:
            self._write_returned(row)
            processed += self._newly_processed(row, row.to_offset)
        self._working = []
        if processed:
            self._on_processed(processed)

    def _take_records(self, now_ns: int) -> int:
        """Return up to `max.poll.records` from the buffer; when their work ends."""
        rows, end_ns = self._buffer.take(
            self._settings.max_poll_records,
            self.positions,
            now_ns,
            self._slowed,
            self._idle,
        )
        self._working += rows
        for session, partition in self._buffer.lost:
            self._list_offsets(session, partition, now_ns)
            if not session.cursors and session in self._idle:
                self._idle.remove(session)  # nothing to fetch until the answer
        return end_ns

    def _newly_processed(self, row: Returned, offset: int) -> int:
        """Return how many of a row's records below `offset` never were before."""
        done = self.group.processed
        before = done[row.partition]
        if offset <= before:
            return 0
        done[row.partition] = offset
        return offset - (row.from_offset if row.from_offset > before else before)

    # --- fetch --------------------------------------------------------------------

    def _send_fetches(self, now_ns: int) -> None:
        """Send a fetch to every broker that may get one, in the brokers' order."""
        idle = self._idle
        if not idle:
            return
        self._idle = []
        if len(idle) > 1:
            idle.sort(key=_BROKER_OF)
        for session in idle:
            request = Request(FETCH, session.connection, now_ns, session, self._fetched)
            request.epoch = session.epoch
            session.request = request
            self._send(request, now_ns)

    def _send(self, request: Request, now_ns: int) -> None:
        request.request_id = self._next_request_id()
        connection = request.connection
        self._sent_key += 1
        arrived_ns = connection.up.transfer(now_ns, 0)
        arrive = self._brokers[connection.broker].arrive
        self._calendar.push((arrived_ns, self._sent_key, arrive, request))

    def _fetched(self, request: Request) -> None:
        """Take an answer into the buffer; go on at once when poll waits for it."""
        session: FetchSession = request.payload
        if request.epoch != session.epoch:
            return
        if self._held is not None:
            self._held.append((self._fetched, request))
            return
        session.request = None
        now_ns = self._calendar.now_ns
        self._write_request(request, now_ns)
        self._buffer.add(session, request.answer, self.positions, now_ns)
        if not session.buffered:
            self._idle.append(session)
        if not self._working:
            self._poll(self._wake)

    # --- reset --------------------------------------------------------------------

    def _list_offsets(
        self, session: FetchSession, partition: Partition, now_ns: int
    ) -> None:
        """Ask where to go on: a position is out of range.

        By `auto.offset.reset`, at the log end or the log start (`OffsetFetcher`
        `.resetPositionsIfNeeded`); until the answer the partition is not fetched, and
        a broker with no other one gets no fetch (`AbstractFetch.prepareFetchRequests`).
        """
        wish = (session, partition, self.group.resets_to_end)
        request = Request(LIST_OFFSETS, session.connection, now_ns, wish, self._listed)
        request.epoch = session.epoch
        self._send(request, now_ns)

    def _listed(self, request: Request) -> None:
        """Go on at the offset that was asked for."""
        session, partition, _ = request.payload
        if self._held is not None:
            self._held.append((self._listed, request))
            return
        known = request.epoch == session.epoch
        now_ns = self._calendar.now_ns
        self._write_request(request, now_ns if known else MISSING_NS)
        if known:
            offset = request.answer
            self._on_reset(self, partition, offset)
            self.begun[partition.index] = (now_ns, offset)
            self.positions[partition.index] = offset
            session.seek_one(partition, offset)
            if not (session.buffered or session.request or session in self._idle):
                self._idle.append(session)
                if not self._working:
                    self._poll(self._wake)

    # --- commit -------------------------------------------------------------------

    def _arm_commit_timer(self) -> None:
        self._timer_key += 1
        self._calendar.at(
            self._commit_at_ns, self._timer_key, self._commit_timer, self.epoch
        )

    def _commit_timer(self, epoch: int) -> None:
        """Commit in a poll that waits for records; one that works does it later."""
        if epoch != self.epoch or not self.up or self._working:
            return
        if self._held is not None:
            return  # `resume` comes back to it
        now_ns = self._calendar.now_ns
        if now_ns >= self._commit_at_ns:
            self._commit(now_ns)

    def _commit(self, now_ns: int) -> None:
        assert self._settings.auto_commit_ns is not None
        self._commit_at_ns = now_ns + self._settings.auto_commit_ns
        self._arm_commit_timer()
        connection = self._commit_connection
        what = (self.group, self.code, dict(self.positions))
        request = Request(OFFSET_COMMIT, connection, now_ns, what, self._committed)
        request.epoch = self.epoch
        self._send(request, now_ns)

    def _committed(self, request: Request) -> None:
        """Take a commit's answer; a member that crashed meanwhile never gets it."""
        if self._held is not None:
            self._held.append((self._committed, request))
            return
        known = request.epoch == self.epoch
        self._write_request(request, self._calendar.now_ns if known else MISSING_NS)
