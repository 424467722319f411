"""Where a member reads on, and from whom: its positions, sessions and fetches.

A partition is fetched from the leader that the client knows. When it knows another one,
or another leader epoch, the partition moves to that broker's session at the next poll
(`SubscriptionState.maybeValidatePosition`). If the member knows which epoch wrote the
record before its position, it first asks the new leader where that epoch ends
(KIP-320): until the answer the partition is not fetched, and what was fetched and not
returned is dropped. An end below the position tells that the log was truncated; the
member goes on there.

A position out of range is reset by `auto.offset.reset` (CO-6). Errors wait for their
turn among the fetches, as they do in Kafka's `FetchCollector`.
"""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from operator import attrgetter
from typing import Final

from kafkasim.engine.sim.at_work import Returned
from kafkasim.engine.sim.broker import Broker
from kafkasim.engine.sim.client import NetworkClient
from kafkasim.engine.sim.client_metadata import ClientMetadata
from kafkasim.engine.sim.fetch_buffer import Buffered, FetchBuffer
from kafkasim.engine.sim.fetch_session import Fetched, FetchSession
from kafkasim.engine.sim.group import Group
from kafkasim.engine.sim.member_calls import ClientCalls
from kafkasim.engine.sim.offset_fetcher import (
    NO_EPOCH,
    OffsetFetcher,
    leader_of,
)
from kafkasim.engine.sim.partition import Partition
from kafkasim.engine.sim.poll_settings import PollSettings
from kafkasim.engine.sim.request import FETCH, Request
from kafkasim.log.leader_epochs import EpochStart
from kafkasim.protocol.errors import (
    OFFSET_NOT_AVAILABLE,
    OFFSET_OUT_OF_RANGE,
    STALE_METADATA,
)
from kafkasim.units import MISSING_NS

_BROKER_OF: Final = attrgetter("connection.broker")


class Fetcher:
    """The positions of a member and its fetches.

    Parameters
    ----------
    group : Group
        Of the member.
    code : int
        Of the member.
    sessions : list of FetchSession
        One per broker that leads one of its partitions at the start.
    network, metadata
        Its connections, by broker index, and what it knows of the leaders.
    brokers : sequence of Broker
        By index.
    settings : PollSettings
        Its configuration.
    calls : ClientCalls
        Whom to tell what.
    """

    def __init__(
        self,
        *,
        group: Group,
        code: int,
        sessions: list[FetchSession],
        network: NetworkClient,
        metadata: ClientMetadata,
        brokers: Sequence[Broker],
        settings: PollSettings,
        calls: ClientCalls,
    ) -> None:
        self.owned = [p for session in sessions for p in session.partitions]
        self.sessions = sessions
        self.positions: dict[int, int] = {}
        self._group = group
        self._network = network
        self._metadata = metadata
        self._brokers = brokers
        self._settings = settings
        self._calls = calls
        self._session_of = {p.index: s for s in sessions for p in s.partitions}
        """Partition index → where it is fetched; what has moved is not there any more.
        """
        self._epochs = dict.fromkeys(self._session_of, 0)
        """Partition index → leader epoch under which it is fetched."""
        self._origins: dict[int, int] = {}
        """Partition index → offset at which no epoch was known; it is from then on."""
        self._histories: dict[int, tuple[EpochStart, ...]] = {}
        """Partition index → epochs of the log it was last read from, when it moved."""
        self._idle: list[FetchSession] = []
        """Sessions that may fetch: no request without an answer, nothing buffered."""
        self.buffer = FetchBuffer(group.index, code)
        self._offsets = OffsetFetcher(
            group=group,
            network=network,
            metadata=metadata,
            settings=settings,
            calls=calls,
        )
        self._paused: dict[int, list[Buffered]] = {}
        """Partition index → what was fetched of one that is paused."""
        self._news = False
        """Metadata came since the last look."""
        self.is_unsure = False
        """Whether the next poll has to `update`."""
        self.has_failed = False
        """The next poll throws an exception that ends the application."""
        metadata.on_change.append(self._note_news)

    # --- from start to crash --------------------------------------------------------

    def start(self, positions: Mapping[int, int]) -> None:
        """Read from these offsets, of all partitions."""
        self.positions.clear()
        self.positions.update((p.index, positions[p.index]) for p in self.owned)
        self._origins = dict(self.positions)
        self.has_failed = self.is_unsure = False
        self._offsets.open.clear()
        self._paused.clear()
        self._idle = []
        for partition in self.owned:
            self._fetch_on(partition)

    def stop(self) -> None:
        """Drop all that is under way: the process has gone."""
        self.buffer.clear()
        for session in self.sessions:
            if session.request is not None:
                self._calls.write_request(session.request, MISSING_NS)
            session.hang_up()

    # --- fetches --------------------------------------------------------------------

    def send_fetches(self, now_ns: int) -> None:
        """Send a fetch to every broker that may get one, in the brokers' order.

        Only to one that a partition is to be fetched from, and that can be sent to
        (`AbstractFetch.prepareFetchRequests`).
        """
        idle = self._idle
        if not idle:
            return
        self._idle = []
        if len(idle) > 1:
            idle.sort(key=_BROKER_OF)
        network = self._network
        next_id, received = self._calls.next_request_id, self._calls.received
        for session in idle:
            if (session.goers or not session.cursors) and not session.wants_fetch:
                continue
            node = session.connection.broker
            if not network.can_send(node, now_ns):
                self._idle.append(session)
                continue
            connection = network.connections[node]
            if session.connection is not connection:
                self._reopen(session)
            if session.comers or session.goers:
                for partition in session.prepare(self.positions):
                    self._brokers[node].add_reader(session, partition)
            request = Request(FETCH, connection, now_ns, session, received)
            request.epoch = session.epoch
            session.request = request
            request.request_id = next_id()
            network.send(request)

    def _reopen(self, session: FetchSession) -> None:
        """Let the partitions of a session join anew through a new connection."""
        session.connection = self._network.connections[session.connection.broker]
        for partition in session.partitions:
            index = partition.index
            if self._is_fetched(partition, session):
                session.join(partition, self._epochs[index])
            else:
                session.leave(partition)

    def take_fetch(self, request: Request, now_ns: int) -> None:
        """Take the answer to a fetch into the buffer."""
        session: FetchSession = request.payload
        session.request = None
        self._calls.write_request(request, now_ns)
        answer = request.answer
        if request.hints:
            self._metadata.take_hints(request.hints)
        if self._news:
            self._follow_leaders()
        if session.goers or session.comers or self._offsets.open or self._paused:
            answer = self._wanted(answer, session, now_ns)
        self.buffer.add(session, answer, self.positions, now_ns)
        if not session.buffered and session not in self._idle:
            self._idle.append(session)

    def _wanted(
        self, answer: Sequence[Fetched], session: FetchSession, now_ns: int
    ) -> list[Fetched]:
        """Return what of an answer the member still waits for; keep what is paused."""
        wanted = []
        for each in answer:
            partition, end_offset, survivors = each
            index = partition.index
            if index in self._paused:
                if end_offset > self.positions[index]:
                    kept = session, partition, end_offset, now_ns, survivors
                    self._paused[index].append(kept)
            elif index not in session.goers and self._is_fetched(partition, session):
                wanted.append(each)
        return wanted

    def _is_fetched(self, partition: Partition, session: FetchSession) -> bool:
        index = partition.index
        return self._session_of[index] is session and index not in self._offsets.open

    def _free(self, session: FetchSession) -> None:
        """Let a session fetch, if nothing is under way or buffered."""
        busy = session.request is not None or session.buffered
        if not busy and session not in self._idle:
            self._idle.append(session)

    def lose_fetch(self, request: Request) -> None:
        """Take note that a fetch failed with its connection."""
        session: FetchSession = request.payload
        self._calls.write_request(request, MISSING_NS)
        buffered = session.buffered
        session.hang_up()
        session.buffered = buffered
        self._free(session)

    def take(self, now_ns: int, slowed: float) -> tuple[list[Returned], int]:
        """Return up to `max.poll.records` from the buffer, and when their work ends.

        Errors that are met on the way are seen to.
        """
        rows, end_ns = self.buffer.take(
            self._settings.max_poll_records, self.positions, now_ns, slowed, self._idle
        )
        for partition, code in self.buffer.errors:
            if code == OFFSET_OUT_OF_RANGE:
                self._reset(partition)  # or an exception, at the next poll
            elif code in STALE_METADATA or code == OFFSET_NOT_AVAILABLE:
                self._metadata.request_update(now_ns)
        return rows, end_ns

    def consumed(self) -> Mapping[int, int]:
        """Return the positions that hold, to be committed (`allConsumed`)."""
        unsure = self._offsets.open
        if not unsure:
            return self.positions
        return {i: at for i, at in self.positions.items() if i not in unsure}

    def epoch_at(self, index: int, position: int) -> int:
        """Return the leader epoch of the record before a position; −1: not known."""
        if position <= self._origins.get(index, position):
            return NO_EPOCH
        history = self._session_of[index].histories.get(index)
        if history is None:
            history = self._histories.get(index, ())
        return epoch_before(history, position)

    # --- leaders --------------------------------------------------------------------

    def _note_news(self) -> None:
        self._news = self.is_unsure = True

    def update(self, now_ns: int) -> None:
        """Follow the leaders, and ask what has to be known (`updateFetchPositions`)."""
        if self._news:
            self._follow_leaders()
        self._offsets.ask_due(now_ns)
        self.is_unsure = bool(self._offsets.open)

    def _follow_leaders(self) -> None:
        """Move the partitions that have another leader, or the same one anew.

        A partition without a leader stays where it is, and so does one whose position
        is being reset.
        """
        self._news = False
        for partition in self.owned:
            index = partition.index
            leader, epoch = leader_of(self._metadata, partition)
            if leader < 0 or self._offsets.is_reset(index):
                continue
            is_home = self._session_of[index].connection.broker == leader
            if not is_home or self._epochs[index] != epoch:
                self._move(partition)

    def _move(self, partition: Partition) -> None:
        """Fetch a partition from its new leader, once its position is known to hold."""
        index = partition.index
        session = self._session_of[index]
        history = session.histories.pop(index, None)
        if history is not None:
            self._histories[index] = history
        question = self._offsets.open.get(index)
        position = self.positions[index]
        known = self.epoch_at(index, position)
        if question is not None:
            known = question.epoch
        session.leave(partition)
        self._fetch_on(partition)
        home = self._session_of[index]
        if known == NO_EPOCH:
            count = self.buffer.rehome(partition, home)
            home.buffered += count
            if home.buffered and home in self._idle:
                self._idle.remove(home)
        else:
            count = len(self.buffer.take_out(partition))
            home.leave(partition)
            self._offsets.note(partition, known)
            self.is_unsure = True
        session.buffered -= count
        self._free(session)

    def _fetch_on(self, partition: Partition) -> None:
        """Let a partition be fetched from the leader that the client knows."""
        index = partition.index
        leader, self._epochs[index] = leader_of(self._metadata, partition)
        session = self._session_of[index]
        if leader >= 0 and leader != session.connection.broker:
            session = self._session_of[index] = self._session_at(leader)
        if index in self._paused:
            return
        session.join(partition, self._epochs[index])
        self._free(session)

    def _session_at(self, node: int) -> FetchSession:
        for session in self.sessions:
            if session.connection.broker == node:
                return session
        connection = self._network.connections[node]
        self.sessions.append(FetchSession([], connection, self._settings))
        return self.sessions[-1]

    # --- positions ------------------------------------------------------------------

    def _reset(self, partition: Partition) -> None:
        """See to it that the next poll asks where to go on (CO-6).

        A position is out of range (`SubscriptionState.requestOffsetReset`). With
        `auto.offset.reset=none` the application gets an exception instead. Until
        the answer the partition is not fetched, and a broker with no other one
        gets no fetch (`AbstractFetch.prepareFetchRequests`).
        """
        self._session_of[partition.index].leave(partition)
        self._offsets.note(partition)
        self.is_unsure = True
        self.has_failed |= not self._group.resets

    def take_offset(self, request: Request, now_ns: int) -> None:
        """Go on when it is known where (`maybeCompleteValidation`)."""
        for question, answer in self._offsets.take(request, now_ns):
            partition = question.partition
            index = partition.index
            if question.epoch == NO_EPOCH:
                assert isinstance(answer, int)
                self._go_on(partition, answer)
            elif not isinstance(answer, EpochStart):
                self._reset(partition)
            elif answer.start_offset >= self.positions[index]:
                self._fetch_on(partition)
            elif self._group.resets:
                self._go_on(partition, answer.start_offset)
                self._origins[index] = -1  # the answer names its epoch
            else:
                self.has_failed = self.is_unsure = True  # LogTruncationException

    def _go_on(self, partition: Partition, offset: int) -> None:
        index = partition.index
        self._calls.on_reset(partition, offset)
        self.positions[index] = self._origins[index] = offset
        self._fetch_on(partition)


def epoch_before(history: Sequence[EpochStart], offset: int) -> int:
    """Return the leader epoch of the record before an offset; −1 if it is not known.

    Examples
    --------
    >>> epoch_before([EpochStart(0, 0), EpochStart(3, 20)], 20)
    0
    """
    above = bisect_right(history, offset - 1, key=lambda entry: entry.start_offset)
    return history[above - 1].epoch if above else NO_EPOCH
