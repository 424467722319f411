"""The application of a source: what it sends beyond what the world planned.

With `on_error="resend"` it sends a record again that has failed, as a new one, if
another try may help: Kafka marks such errors (`RetriableException`; a
`TimeoutException` is one). Whether the log has the record already is not known then, so
it may come to stand there twice, whatever the client does against duplicates: to the
client it is another record (PR-36, DS-12, DS-13).

In a closed loop a record is created when an earlier one is acknowledged, or has failed,
and some time to think is over. Several instances of a source share one loop.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from kafkasim.engine.sim.calendar import SEQUENCE_BITS, Calendar, Rank, key_base
from kafkasim.engine.sim.live_records import Cause, LiveRecords
from kafkasim.engine.sim.pace import Pace
from kafkasim.engine.sim.timeline import Timeline
from kafkasim.protocol.errors import NONE, REQUEST_TIMED_OUT, RETRIABLE
from kafkasim.protocol.producing.batch import Batch
from kafkasim.protocol.producing.columns import RecordColumns
from kafkasim.protocol.producing.joining import Joining
from kafkasim.scenario.blocks import SourceBlock
from kafkasim.units import FOREVER_NS

CRASH: Final = "Crash"
"""Why what was in memory is lost, and sent again."""


class JoinedClient(Protocol):
    """A producer client, as far as its application sees it."""

    def join(self) -> None:
        """Take in what joins now, and send what is ready."""
        ...

    def ordinals_of(self, batch: Batch) -> NDArray[np.int64]:
        """Return the ordinals of a batch's records."""
        ...

    @property
    def columns_of(self) -> Callable[[SourceBlock], RecordColumns]:
        """What the accumulator must know of some records."""
        ...


@dataclass(slots=True)
class LiveLane:
    """One client of the application, and what waits to join its records."""

    records: LiveRecords
    actor: int
    client: JoinedClient | None = None
    due: int = 0
    """Records of the loop that are created now."""
    repeats: list[int] = field(default_factory=list)
    """Ordinals of the records to be sent again now."""
    causes: list[Cause] = field(default_factory=list)
    """Why."""
    waking: bool = False


class SourceApplication:
    """What one source sends beyond its plan.

    Parameters
    ----------
    calendar, timeline
        The run's.
    lanes : sequence of LiveLane
        Its clients.
    finals : int
        What has to become final of a record: itself, and whoever wants it.
    resends : bool
        Whether it sends again what has failed.
    until_ns : int
        When it stops to: by then nothing helps.
    loop : Loop, optional
        A closed loop that is its traffic.
    """

    def __init__(
        self,
        *,
        calendar: Calendar,
        timeline: Timeline,
        lanes: Sequence[LiveLane],
        finals: int,
        resends: bool,
        until_ns: int,
        loop: "Loop | None" = None,
    ) -> None:
        self._calendar = calendar
        self._timeline = timeline
        self.lanes = lanes
        self._finals = finals
        self._resends = resends
        self._until_ns = until_ns
        self._loop = loop
        self._due_key = key_base(Rank.COMMAND, lanes[0].actor)
        self._due_at: dict[int, int] = {}
        """When the next records of the loop are created, and how many."""
        half = 1 << (SEQUENCE_BITS - 1)
        self._wake_keys = [key_base(Rank.WAKE, lane.actor) + half for lane in lanes]

    def start(self) -> None:
        """Begin with the loop."""
        if self._loop is not None:
            self._timeline.unsettled += 1
            self._create(self._loop.outstanding)

    # --- what becomes of records ------------------------------------------------------

    def done(self, number: int, batches: Sequence[Batch]) -> None:
        """Take note of batches that are final at a client, before others do.

        Parameters
        ----------
        number : int
            The client's position in `lanes`.
        batches : sequence of Batch
            Acknowledged or not (`Batch.error`).
        """
        for batch in batches:
            if batch.error != NONE and self._may_help(batch.error):
                client = self.lanes[number].client
                assert client is not None
                again = client.ordinals_of(batch).tolist()
                quiet = len(again) * (self._finals if batch.base_offset < 0 else 1)
                self._send_again(number, again, batch.error, quiet)
            else:
                self._release(batch.hi - batch.lo)

    def timed_out(self, number: int, ordinal: int) -> None:
        """Take note of a record for which there was no memory in time."""
        if self._may_help(REQUEST_TIMED_OUT):
            self._send_again(number, [ordinal], REQUEST_TIMED_OUT, self._finals)
        else:
            self._release(1)

    def _may_help(self, error: int) -> bool:
        return (
            self._resends
            and error in RETRIABLE
            and self._calendar.now_ns < self._until_ns
        )

    def _send_again(
        self, number: int, ordinals: Sequence[int], cause: Cause, quiet: int
    ) -> None:
        """Send some records again, now; `quiet` of what settles next is no progress."""
        lane = self.lanes[number]
        lane.repeats += ordinals
        lane.causes += [cause] * len(ordinals)
        self._timeline.renew(len(ordinals) * self._finals, quiet)
        self._wake(number)

    # --- the loop ---------------------------------------------------------------------

    def _release(self, count: int) -> None:
        """Let so many of the loop's users think, and then send the next record."""
        loop = self._loop
        if loop is None:
            return
        now_ns = self._calendar.now_ns
        at_once = 0
        for _ in range(count):
            next_ns = now_ns + loop.think_ns()
            if next_ns >= loop.duration_ns:
                loop.outstanding -= 1
            elif next_ns == now_ns:
                at_once += 1
            elif next_ns in self._due_at:
                self._due_at[next_ns] += 1
            else:
                self._due_at[next_ns] = 1
                self._due_key += 1
                self._calendar.push((next_ns, self._due_key, self._due, next_ns))
        if not loop.outstanding:
            self._timeline.settle(1)
        if at_once:
            self._create(at_once)

    def _due(self, now_ns: int) -> None:
        """Create the records whose time has come."""
        for number in sorted(self._deal(self._due_at.pop(now_ns))):
            client = self.lanes[number].client
            assert client is not None
            client.join()

    def _create(self, count: int) -> None:
        """Create records now, as part of what happens at this time."""
        for number in sorted(self._deal(count)):
            self._wake(number)

    def _deal(self, count: int) -> set[int]:
        """Deal new records out to the clients, in turns; return to whom."""
        loop = self._loop
        assert loop is not None
        loop.pace.count(count, self._calendar.now_ns)
        self._timeline.unsettled += count * self._finals
        lanes = self.lanes
        for _ in range(count):
            lanes[loop.created % len(lanes)].due += 1
            loop.created += 1
        return {
            (loop.created - 1 - i) % len(lanes) for i in range(min(count, len(lanes)))
        }

    def _wake(self, number: int) -> None:
        """See to it that a client takes in what joins, if nothing else does at once."""
        lane = self.lanes[number]
        if not lane.waking:
            lane.waking = True
            self._wake_keys[number] += 1
            now_ns = self._calendar.now_ns
            self._calendar.push((now_ns, self._wake_keys[number], self._woken, number))

    def _woken(self, number: int) -> None:
        lane = self.lanes[number]
        lane.waking = False
        if lane.due or lane.repeats:
            assert lane.client is not None
            lane.client.join()

    # --- a crash ----------------------------------------------------------------------

    def crashed(self, number: int, lost: Sequence[int], until_ns: int) -> None:
        """Take note of what was in a client's memory; be back at a time.

        What the application does not know to be acknowledged it sends again then, if
        that is its way: it keeps a list of it that the crash leaves alone.
        """
        lane = self.lanes[number]
        lane.records.lost += [(ordinal, CRASH) for ordinal in lost]
        if until_ns >= FOREVER_NS:
            return
        if self._resends:
            self._timeline.renew(len(lost) * self._finals, 0)
            lane.repeats += lost
            lane.causes += [CRASH] * len(lost)
            self._wake(number)
        elif self._loop is not None:
            self._due_key += 1
            self._calendar.push((until_ns, self._due_key, self._release, len(lost)))

    # --- at a client ------------------------------------------------------------------

    def joining(self, number: int, now_ns: int) -> Joining | None:
        """Return what joins a client's records now."""
        lane = self.lanes[number]
        if not (lane.due or lane.repeats):
            return None
        begun, lane.due = lane.due, 0
        added = None
        if lane.repeats:
            assert lane.client is not None
            ordinals = np.array(lane.repeats, np.int64)
            block = lane.records.block_of(ordinals, now_ns)
            added = lane.client.columns_of(block)
        return Joining(begun, added)

    def joined(self, number: int, joining: Joining, added_at: int) -> None:
        """Take note that it has joined, and where."""
        lane = self.lanes[number]
        now_ns = self._calendar.now_ns
        lane.records.begin(joining.begun, now_ns)
        if joining.added is not None:
            lane.records.add(added_at, lane.repeats, lane.causes, now_ns)
            lane.repeats, lane.causes = [], []

    def refused(self, count: int) -> None:
        """Take note of records that a client refused: in a loop they are done."""
        if self._loop is not None:
            self._release(count)
            self._timeline.settle(count * self._finals)


@dataclass(slots=True)
class LaneJoiner:
    """One client's way to its application: a `Joiner`."""

    application: SourceApplication
    number: int

    @property
    def lane(self) -> LiveLane:
        """What waits there."""
        return self.application.lanes[self.number]

    def joining(self, now_ns: int) -> Joining | None:
        """Return what joins now."""
        return self.application.joining(self.number, now_ns)

    def joined(self, joining: Joining, added_at: int) -> None:
        """Take note that it has joined."""
        self.application.joined(self.number, joining, added_at)

    def refused(self, count: int) -> None:
        """Take note of records that are too large."""
        self.application.refused(count)

    def done(self, batches: Sequence[Batch]) -> None:
        """Take note of batches that are final at the client."""
        self.application.done(self.number, batches)


class Loop:
    """The state of a closed loop.

    Parameters
    ----------
    source : str
        Name of the source.
    outstanding : int
        Records that are sent or thought about at a time; falls as users stop.
    thinks : iterator of int
        Times to think, nanoseconds.
    duration_ns : int
        No record is created from then on.

    Attributes
    ----------
    created : int
        Records so far.
    """

    def __init__(
        self, source: str, outstanding: int, thinks: Iterator[int], duration_ns: int
    ) -> None:
        self.outstanding = outstanding
        self.duration_ns = duration_ns
        self.think_ns: Callable[[], int] = thinks.__next__
        self.created = 0
        self.pace = Pace(source, outstanding)
