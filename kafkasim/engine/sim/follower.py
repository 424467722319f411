"""What one broker fetches from another: the copies of which that one leads.

A broker has one fetcher for each broker that it follows (`num.replica.fetchers`), with
one request on its way at a time. The request says where each copy ends; so the leader
learns what is replicated. It is answered when there is something to copy, or after
`replica.fetch.wait.max.ms`. What comes is appended, and the next request goes out at
once (`AbstractFetcherThread`, `ReplicaFetcherThread`).

Fetch sessions (KIP-227) are taken at their word: a request only carries what changed.
A copy that has been at the leader's end since its last report needs none; that it was
still there is said by the time of the last request.
"""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple, Protocol

from kafkasim.engine.sim.calendar import Calendar, Rank, key_base
from kafkasim.engine.sim.following import Copied, Following, Holding
from kafkasim.engine.sim.planned_batches import PlannedBatches, Taken
from kafkasim.engine.sim.replica import Placed, Replica, contents_of
from kafkasim.engine.sim.request import FETCH_FOLLOWER, Connection, Request
from kafkasim.units import MISSING_NS, NS_PER_MS


class Leading(Holding, Protocol):
    """A broker as a leader."""

    def arrive(self, request: Request) -> None:
        """Take a request off the network."""

    def answer_follower(self, fetcher: "ReplicaFetcher", request: Request) -> None:
        """Send a follower what there is."""


TIMEOUT_NS: Final = 30_000 * NS_PER_MS
"""`replica.socket.timeout.ms`, with its default."""


class FetchSettings(NamedTuple):
    """A follower's settings, in the engine's units."""

    wait_ns: int
    """`replica.fetch.wait.max.ms`."""
    most_partition_bytes: int
    """`replica.fetch.max.bytes`."""
    most_bytes: int
    """`replica.fetch.response.max.bytes`."""
    backoff_ns: int
    """`replica.fetch.backoff.ms`."""


class ReplicaFetcher:
    """One broker's fetches from another one.

    Parameters
    ----------
    calendar, actor
        Where its deadlines go, and the follower's number among the run's actors.
    node, leader : int
        Indices of the follower and of the broker that it fetches from.
    connection : Connection
        From the follower to the leader.
    settings : FetchSettings
        The follower's.
    next_request_id : callable
        Gives the number of the next request.
    write_request : callable
        Takes a request and when its answer came, missing if it never does.

    Attributes
    ----------
    copies : dict of int to Replica
        Partition index → the follower's copy.
    ready : dict of int to Replica
        Partition index → the leader's copy, of those with more than the follower has.
    report : dict of int to None
        Indices of those whose end the next request tells.
    fetched_ns : int
        When the leader last looked at a request.
    parked : Request or None
        The request that waits at the leader.
    """

    __slots__ = (
        "_arrival_key", "_calendar", "_cursors", "_next_request_id", "_process",
        "_timer_key", "_write_request", "backing_off", "broker", "connection", "copies",
        "epoch", "fetched_ns", "leader", "moved", "node", "parked", "ready", "report",
        "request", "settings", "source", "taken", "timeout_set", "timer_set",
        "wait_over_ns",
    )  # fmt: skip

    def __init__(
        self,
        *,
        calendar: Calendar,
        actor: int,
        node: int,
        leader: int,
        connection: Connection,
        settings: FetchSettings,
        next_request_id: Callable[[], int],
        write_request: Callable[[Request, int], None],
    ) -> None:
        self._calendar = calendar
        # Apart from what else the follower sends.
        self._arrival_key = key_base(Rank.ARRIVAL, actor) + ((leader + 1) << 24)
        self._timer_key = key_base(Rank.TIMER, actor) + ((leader + 1) << 24)
        self._next_request_id = next_request_id
        self._write_request = write_request
        self.node = node
        self.leader = leader
        self.connection = connection
        self.settings = settings
        self.broker: Following
        """The follower."""
        self.source: Leading
        """Whom it fetches from."""
        self.copies: dict[int, Replica] = {}
        self.ready: dict[int, Replica] = {}
        self.moved: dict[int, Replica] = {}
        self.report: dict[int, None] = {}
        self._cursors: dict[int, tuple[PlannedBatches, int]] = {}
        self.epoch = 0
        self.fetched_ns = 0
        self.request: Request | None = None
        self.parked: Request | None = None
        self.wait_over_ns = MISSING_NS
        self.timer_set = self.timeout_set = False
        self.backing_off = False
        self._process = 0
        """How often its own process has died."""
        self.taken: list[Taken] | None = None
        """What the last read took, and from where, if the leader wants to know."""

    # --- at the follower ----------------------------------------------------------

    def add(self, replica: Replica) -> None:
        """Begin to copy a partition from where the follower's log ends."""
        self.copies[replica.partition] = replica
        self.report[replica.partition] = None
        self.ready.pop(replica.partition, None)
        self._cursors.pop(replica.partition, None)
        self.send()

    def remove(self, index: int) -> None:
        """Stop copying a partition."""
        self.copies.pop(index, None)
        self.report.pop(index, None)
        self.ready.pop(index, None)
        self._cursors.pop(index, None)

    def stop(self) -> None:
        """Stop at once: the follower's process has died."""
        self.copies.clear()
        self.report.clear()
        self._hang_up()
        self._process += 1
        self.backing_off = False

    def send(self) -> None:
        """Ask for what comes next, if no request is on its way."""
        if self.request is not None or self.backing_off or not self.copies:
            return
        now_ns = self._calendar.now_ns
        connection = self.connection
        request = Request(FETCH_FOLLOWER, connection, now_ns, self, self._answered)
        request.epoch = self.epoch
        request.request_id = self._next_request_id()
        self.request = request
        arrived_ns = connection.up.transfer(now_ns, 0)
        self._arrival_key += 1
        self._calendar.push(
            (arrived_ns, self._arrival_key, self.source.arrive, request)
        )
        may_stall = connection.up.may_stall or connection.down.may_stall
        if may_stall and not self.timeout_set:
            self._watch(request)

    def _watch(self, request: Request) -> None:
        """Look at a request again when its answer ought to be here."""
        self.timeout_set = True
        self._timer_key += 1
        at_ns = request.sent_ns + TIMEOUT_NS
        self._calendar.at(at_ns, self._timer_key, self._timed_out, request)

    def _timed_out(self, request: Request) -> None:
        """Give up the connection of a request that was not answered (PR-37)."""
        if self.broker.holds(self._timed_out, request):
            return
        self.timeout_set = False
        if self.request is request:
            self.lost(self.connection)
        elif self.request is not None:
            self._watch(self.request)

    def _answered(self, request: Request) -> None:
        """Append what came and ask for more (`processPartitionData`)."""
        if request.epoch != self.epoch or self.broker.holds(self._answered, request):
            return
        self._write_request(request, self._calendar.now_ns)
        self.broker.make_room_for_copies(request.answer, self._copy, request)

    def _copy(self, request: Request) -> None:
        """Append what came, once there is room, and ask for more."""
        if request.epoch != self.epoch:
            return
        self.request = None
        copied: list[Copied] = request.answer
        for one in copied:
            replica = one.replica
            index = replica.partition
            if self.copies.get(index) is not replica:
                continue
            self.report[index] = None
            if one.truncate_to >= 0:
                self.broker.truncate(replica, one.truncate_to)
                self._cursors.pop(index, None)
                continue
            replica.checked = True
            if one.begin_at >= 0:
                self.broker.begin_anew(replica, one.begin_at)
                self._cursors.pop(index, None)
                continue
            self.broker.append_copies(one)
        if request.errors:
            for index in request.errors:
                self._retry_later(index)
        self.send()

    def _retry_later(self, index: int) -> None:
        """Leave out for a while a partition that met an error."""
        replica = self.copies.get(index)
        if replica is None:
            return
        self.remove(index)
        self._after_backoff(self._retry, (replica, replica.leader_epoch))

    def _retry(self, what: tuple[Replica, int]) -> None:
        if self.broker.holds(self._retry, what):
            return
        replica, epoch = what
        if (
            self.broker.up
            and replica.leader == self.leader
            and replica.leader_epoch == epoch
            and replica.state is None
        ):
            self.add(replica)

    def lost(self, connection: Connection) -> None:
        """Learn that the connection has gone; try anew after a while."""
        if connection is not self.connection or self.broker.holds(
            self.lost, connection
        ):
            return
        self._hang_up()
        if not self.backing_off:
            self.backing_off = True
            self._after_backoff(self._go_on, self._process)

    def _go_on(self, process: int) -> None:
        if process != self._process or self.broker.holds(self._go_on, process):
            return
        self.backing_off = False
        self.send()

    def _hang_up(self) -> None:
        """Drop what is on its way, and connect anew: all is told again."""
        self.epoch += 1
        if self.request is not None and not self.request.written:
            self._write_request(self.request, MISSING_NS)
        self.request = self.parked = None
        self.connection = self.connection.renewed()
        self.ready.clear()
        self._cursors.clear()
        self.report = dict.fromkeys(self.copies)

    def _after_backoff(self, function: Callable[..., None], argument: object) -> None:
        self._timer_key += 1
        at_ns = self._calendar.now_ns + self.settings.backoff_ns
        self._calendar.at(at_ns, self._timer_key, function, argument)

    # --- at the leader ------------------------------------------------------------

    def park(self, request: Request) -> None:
        """Let a request wait until there is something to copy."""
        self.parked = request
        self.wait_over_ns = self._calendar.now_ns + self.settings.wait_ns
        if not self.timer_set:
            self._set_timer()

    def _set_timer(self) -> None:
        self.timer_set = True
        self._timer_key += 1
        self._calendar.at(self.wait_over_ns, self._timer_key, self._wait_over, None)

    def _wait_over(self, _: None) -> None:
        self.timer_set = False
        if self.parked is None or self.source.holds(self._wait_over, None):
            return
        if self.wait_over_ns > self._calendar.now_ns:
            self._set_timer()
        else:
            self.source.answer_follower(self, self.parked)

    def read(self) -> tuple[list[Copied], int, int]:
        """Return what the limits allow of what the follower lacks, bytes and batches.

        The first partition with data always gives a batch (BR-30).
        """
        _, most_partition, left, _ = self.settings
        copied: list[Copied] = []
        total = count = 0
        for index, replica in list(self.ready.items()):
            if left <= 0:
                break
            copy = self.copies.get(index)
            if copy is None:
                del self.ready[index]
                continue
            log = replica.ends
            begin = copy.ends.log_end_offset
            if begin < log.log_start_offset:  # OFFSET_OUT_OF_RANGE
                at = log.high_watermark, log.log_start_offset
                copied.append(Copied(copy, (), *at, begin_at=log.log_start_offset))
                del self.ready[index]
                continue
            batches, first = self._place(index, replica, copy)
            limit = min(most_partition, left)
            end = batches.read_end(first, limit, batches.next_offset, not total)
            if end == first:
                continue
            held = batches.held_between(first, end)
            removed: Sequence[Placed] = ()
            if replica.removed:
                removed = replica.removed_between(begin, batches.end_offset(end - 1))
            at = log.high_watermark, log.log_start_offset
            # As Copied(...), without the Python function a NamedTuple has there.
            one = tuple.__new__(Copied, (copy, held, *at, -1, -1, removed))
            copied.append(one)
            self._cursors[index] = (batches, end)
            if batches is replica.active and end == len(batches.base_offsets):
                del self.ready[index]
            positions = batches.positions
            size = positions[end] - positions[first]
            if self.taken is not None:
                self.taken.append(Taken(batches, positions[first], positions[end]))
            total += size
            count += end - first
            left -= size
        if self.moved:
            copied += self._moved_starts()
        return copied, total, count

    def _moved_starts(self) -> list[Copied]:
        """Return where logs begin now that have lost records (LG-12)."""
        told = []
        for index, replica in self.moved.items():
            if (copy := self.copies.get(index)) is not None:
                ends = replica.ends.high_watermark, replica.ends.log_start_offset
                told.append(Copied(copy, [], *ends))
        self.moved.clear()
        return told

    def _place(
        self, index: int, replica: Replica, copy: Replica
    ) -> tuple[PlannedBatches, int]:
        """Return where in the leader's log the follower goes on."""
        found = self._cursors.get(index)
        if found is not None and found[0] is replica.active:
            return found
        segments = replica.ends.segments  # a leader has no copies to lay
        if found is None:
            offset = copy.ends.log_end_offset
            for segment in reversed(segments):
                if segment.base_offset <= offset:
                    batches = contents_of(segment)
                    found = batches, batches.number_of(offset)
                    break
            else:
                found = contents_of(segments[0]), 0
        batches, first = found
        while batches is not replica.active and first == len(batches.base_offsets):
            later = [s for s in segments if s.base_offset > batches.base_offset]
            batches, first = contents_of(later[0]), 0
        return batches, first

    def forget_place(self, index: int) -> None:
        """Look up anew where the follower is: the leader's log has lost segments."""
        self._cursors.pop(index, None)
