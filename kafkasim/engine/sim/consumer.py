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

from collections import deque
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from kafkasim.engine.sim.broker import Broker
from kafkasim.engine.sim.calendar import Calendar, Rank, key_base
from kafkasim.engine.sim.fetch_session import FetchSession, PollSettings
from kafkasim.engine.sim.partition import Partition
from kafkasim.engine.sim.request import FETCH, OFFSET_COMMIT, Connection, Request
from kafkasim.units import MISSING_NS

UNSLOWED: Final = 1.0


class Returned(NamedTuple):
    """Records of one partition that one poll returned: one row of `polls`."""

    group: int
    member: int
    partition: int
    from_offset: int
    to_offset: int
    fetched_ns: int
    started_ns: int
    """When work on the first of them begins."""
    slowed: float
    """Factor on the work of each record."""
    until_ns: int
    """When the member crashed or the run was cut; missing when all were processed."""
    crashed: int
    """1 when `until_ns` is a crash, 0 otherwise."""


class Group:
    """A consumer group: who reads a subscriber's topics, and how far it is.

    Attributes
    ----------
    index : int
        Code of the subscriber.
    committed, processed : dict of int to int
        Partition index → committed offset; → offset after the last processed record.
    joined, up : bool
        Whether it has come; whether it is not down after a crash.
    """

    __slots__ = ("committed", "index", "joined", "partitions", "processed", "up")

    def __init__(self, index: int, partitions: list[Partition]) -> None:
        self.index = index
        self.partitions = partitions
        self.joined = False
        self.up = True
        self.committed = {partition.index: 0 for partition in partitions}
        self.processed = {partition.index: 0 for partition in partitions}


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
    request : callable
        Numbers a request that is being sent.
    write_request : callable
        Called with a request whose answer has come.
    returned : callable
        Called with a `Returned` row when it is final.
    processed : callable
        Called with the number of newly processed records at the end of a poll's work.
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
        number_request: Callable[[Request], None],
        write_request: Callable[[Request], None],
        write_returned: Callable[[Returned], None],
        on_processed: Callable[[int], None],
    ) -> None:
        self.code = code
        self.group = group
        self.sessions = sessions
        self.positions: dict[int, int] = {}
        self._calendar = calendar
        self._commit_connection = commit_connection
        self._brokers = brokers
        self._settings = settings
        self._number_request = number_request
        self._write_request = write_request
        self._write_returned = write_returned
        self._on_processed = on_processed
        self._session_of = {
            partition.index: session
            for session in sessions
            for partition in session.partitions
        }
        self._partitions = {
            partition.index: partition
            for session in sessions
            for partition in session.partitions
        }
        self.owned = [p for session in sessions for p in session.partitions]
        self._buffer: deque[tuple[Partition, int, int]] = deque()
        self._working: list[Returned] = []
        self.epoch = 0
        self._up = False
        self._slowed = UNSLOWED
        self._commit_at_ns = MISSING_NS
        self._sent_key = key_base(Rank.ARRIVAL, actor)
        self._wake_key = key_base(Rank.WAKE, actor)
        self._timer_key = key_base(Rank.TIMER, actor)

    def start(self, positions: Mapping[int, int]) -> None:
        """Begin to poll at these offsets, of all its partitions."""
        now_ns = self._calendar.now_ns
        self.epoch += 1
        self._up = True
        self.positions = {index: positions[index] for index in self._session_of}
        for session in self.sessions:
            session.seek(self.positions)
        if self._settings.auto_commit_ns is not None and self._session_of:
            self._commit_at_ns = now_ns + self._settings.auto_commit_ns
            self._arm_commit_timer()
        self._send_fetches()

    def slow(self, factor: float) -> None:
        """Multiply the work of the polls that begin from now on."""
        self._slowed = factor

    def crash(self) -> None:
        """Stop at once; what was not finished is abandoned."""
        now_ns = self._calendar.now_ns
        self._up = False
        self.epoch += 1
        self._buffer.clear()
        for session in self.sessions:
            session.hang_up()
        self._commit_connection = self._commit_connection.renewed()
        self._end_work(now_ns, crashed=1)

    def cut(self) -> None:
        """End the run: write what is being worked on as it stands."""
        self._end_work(self._calendar.now_ns, crashed=0)

    def _end_work(self, now_ns: int, *, crashed: int) -> None:
        for row in self._working:
            if row.started_ns <= now_ns:
                self._count_processed(row, self._processed_until(row, now_ns))
            self._write_returned(row._replace(until_ns=now_ns, crashed=crashed))
        self._working = []

    def _processed_until(self, row: Returned, now_ns: int) -> int:
        """Return the offset after the last record whose work ended by `now_ns`."""
        partition = self._partitions[row.partition]
        group = self.group.index
        offset = row.from_offset
        while offset < row.to_offset:
            work = partition.work_between(group, row.from_offset, offset + 1)
            if row.started_ns + slowed_ns(work, row.slowed) > now_ns:
                break
            offset += 1
        return offset

    # --- poll ---------------------------------------------------------------------

    def _poll(self, epoch: int) -> None:
        """End the work of the last poll and poll again."""
        if epoch != self.epoch:
            return
        while True:
            for row in self._working:
                self._write_returned(row)
                self._count_processed(row, row.to_offset)
            self._working = []
            self._commit_if_due()
            if not self._buffer:
                self._send_fetches()
                return
            end_ns = self._take_records()
            self._send_fetches()
            if end_ns > self._calendar.now_ns:
                self._wake_key += 1
                self._calendar.at(end_ns, self._wake_key, self._poll, self.epoch)
                return

    def _take_records(self) -> int:
        """Return up to `max.poll.records` from the buffer; when their work ends."""
        left = self._settings.max_poll_records
        at_ns = self._calendar.now_ns
        group = self.group.index
        buffer = self._buffer
        while left and buffer:
            partition, to_offset, fetched_ns = buffer[0]
            from_offset = self.positions[partition.index]
            if to_offset - from_offset <= left:
                buffer.popleft()
                self._session_of[partition.index].buffered -= 1
            else:
                to_offset = from_offset + left
            if to_offset > from_offset:
                self._working.append(
                    Returned(
                        group, self.code, partition.index, from_offset, to_offset,
                        fetched_ns, at_ns, self._slowed, MISSING_NS, 0,
                    )
                )  # fmt: skip
                self.positions[partition.index] = to_offset
                left -= to_offset - from_offset
                work = partition.work_between(group, from_offset, to_offset)
                at_ns += slowed_ns(work, self._slowed)
        return at_ns

    def _count_processed(self, row: Returned, offset: int) -> None:
        """Count what was processed for the first time, up to `offset`."""
        done = self.group.processed
        before = done[row.partition]
        if offset > before:
            done[row.partition] = offset
            first = row.from_offset if row.from_offset > before else before
            self._on_processed(offset - first)

    # --- fetch --------------------------------------------------------------------

    def _send_fetches(self) -> None:
        now_ns = self._calendar.now_ns
        for session in self.sessions:
            if session.in_flight or session.buffered:
                continue
            session.in_flight = True
            request = Request(
                api=FETCH,
                connection=session.connection,
                sent_ns=now_ns,
                payload=session,
                on_answer=self._fetched,
            )
            request.epoch = session.epoch
            self._send(request, now_ns)

    def _send(self, request: Request, now_ns: int) -> None:
        self._number_request(request)
        connection = request.connection
        self._sent_key += 1
        self._calendar.at(
            connection.up.transfer(now_ns, 0),
            self._sent_key,
            self._brokers[connection.broker].arrive,
            request,
        )

    def _fetched(self, request: Request) -> None:
        """Take an answer into the buffer; go on at once when poll waits for it."""
        session: FetchSession = request.payload
        self._write_request(request)
        if request.epoch != session.epoch:
            return
        session.in_flight = False
        now_ns = self._calendar.now_ns
        for partition, end_offset in request.answer:
            if end_offset > self.positions[partition.index]:
                self._buffer.append((partition, end_offset, now_ns))
                session.buffered += 1
        if not self._working:
            self._poll(self.epoch)

    # --- commit -------------------------------------------------------------------

    def _arm_commit_timer(self) -> None:
        self._timer_key += 1
        self._calendar.at(
            self._commit_at_ns, self._timer_key, self._commit_timer, self.epoch
        )

    def _commit_timer(self, epoch: int) -> None:
        """Commit in a poll that waits for records; one that works does it later."""
        if epoch == self.epoch and self._up and not self._working:
            self._commit_if_due()

    def _commit_if_due(self) -> None:
        interval_ns = self._settings.auto_commit_ns
        now_ns = self._calendar.now_ns
        if interval_ns is None or not self._session_of or now_ns < self._commit_at_ns:
            return
        self._commit_at_ns = now_ns + interval_ns
        self._arm_commit_timer()
        request = Request(
            api=OFFSET_COMMIT,
            connection=self._commit_connection,
            sent_ns=now_ns,
            payload=(self.group, self.code, dict(self.positions)),
            on_answer=self._write_request,
        )
        self._send(request, now_ns)


def slowed_ns(work_ns: int, factor: float) -> int:
    """Return work times a factor, in whole nanoseconds."""
    return work_ns if factor == UNSLOWED else round(work_ns * factor)
