"""The accumulator of a source with records that have no key.

They are appended one by one, see `kafkasim.protocol.producing.appending`, as far as
until a node is ready, to know when that is.

The records come in blocks, and the accumulator holds a window of them: when it appends
beyond its end the next block is added, and at a settled time what nobody needs any more
is let go. Records are known by their place in the window.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from kafkasim.protocol.producing.accumulator import NodeQueue, Settings, WorkOf
from kafkasim.protocol.producing.appending import AppendingAccumulator
from kafkasim.protocol.producing.batch import (
    CUT,
    DRAINED,
    FULL,
    LINGER,
    NEVER,
    OPEN,
    Batch,
)
from kafkasim.protocol.producing.buffer_pool import HandOver
from kafkasim.protocol.producing.columns import REFUSED, Keeper, RecordBlocks
from kafkasim.protocol.producing.joining import Joiner, Joining
from kafkasim.protocol.producing.partitioner import Draws
from kafkasim.units import NOT_YET_NS

_LOOK: Final = 128
"""Records to look ahead at most before it comes back: bounds what going back costs."""
_TRIM: Final = 1 << 14
"""Records appended between two tries to let go of what is not needed."""


class StickyAccumulator(AppendingAccumulator):
    """Batches of one producer and topic, some records having no key.

    Parameters
    ----------
    settings : Settings
        Configuration and cluster.
    blocks : RecordBlocks
        The records.
    draws : Draws
        Random integers for the sticky partitioner.
    keeper : Keeper, optional
        Says what is still needed; without one everything is kept.
    hand_over : HandOver, optional
        Told how long the application waits for memory.
    """

    def __init__(
        self,
        settings: Settings,
        blocks: RecordBlocks,
        draws: Draws,
        keeper: Keeper | None = None,
        hand_over: HandOver | None = None,
    ) -> None:
        super().__init__(settings, blocks, draws, keeper, hand_over)
        self._trim_from = _TRIM
        """Place from which on letting go is tried."""

    # The window

    def _trim(self) -> None:
        """Let go of what is not needed, if that is at least half of the window."""
        count = len(self._window)
        self._trim_from = self._next + max(_TRIM, count // 8)
        needed = self._keeper.needed()
        places = self._queues.first_needed(needed, self._next)
        if 2 * places < count:
            return
        for partition, appends in enumerate(self._queues.appends):
            gone = needed[partition] - self._queues.firsts[partition]
            if gone > 0:
                ordinals = np.frombuffer(appends, np.int32)[:gone] + self._window.base
                self._keeper.released(partition, ordinals.astype(np.int32))
        self._queues.trim(needed, places)
        self._window.trim(places)
        self._next -= places
        self._trim_from -= places

    def look_ahead(self, may_send: Sequence[bool], now_ns: int) -> int:
        """Append on until a node that may be sent to is ready; return that time.

        When that is far, return an earlier time at which to look further.
        """
        if self._horizon_ns <= now_ns:
            self._settle()
            if self._next >= self._trim_from:
                self._trim()
                self._settle()
        self._sendable = may_send
        if not any(may_send):
            # Who answers must hear at once of a wait that was in vain.
            answers = self.joiner is not None and self._pool.waiting_bytes > 0
            return self._pool.deadline_ns if answers else NEVER
        wake_ns = self._first_ready_ns(may_send)
        if self._horizon_ns < wake_ns and (self._more() or self.attentive):
            self._append_until(wake_ns, may_send, self._next + _LOOK)
            wake_ns = self._first_ready_ns(may_send)
            if self._pool.waiting_bytes:
                return min(wake_ns, self._pool.deadline_ns)
            if self._horizon_ns < wake_ns and self._more():
                wake_ns = self._horizon_ns
        return wake_ns

    def _more(self) -> bool:
        """Return whether there are records to append."""
        return self._next < len(self._window) or not self._blocks.exhausted

    def append_list(self, partition: int) -> NDArray[np.int32]:
        """Return the ordinals of the records in the partition's batches so far.

        What lies beyond the batches that were drained may still change.
        """
        places = np.array(self._queues.appends[partition], np.int32)
        return places + np.int32(self._window.base)

    def ordinals_of(self, batch: Batch) -> NDArray[np.int64]:
        """Return the ordinals of a batch's records."""
        return self._places_of(batch) + self._window.base

    def column(self, name: str) -> NDArray[np.signedinteger]:
        """Return a column of the window, in the order of ordinals."""
        return self._window.column(name)

    def places(
        self,
        partitions: NDArray[np.signedinteger],
        los: NDArray[np.int64],
        counts: NDArray[np.int64],
    ) -> NDArray[np.int64]:
        """Return where in the window's columns these ranges of append lists are."""
        found: list[NDArray[np.signedinteger]] = [np.zeros(0, np.int64)]
        firsts = self._queues.firsts
        for partition, lo, count in zip(
            partitions.tolist(), los.tolist(), counts.tolist(), strict=True
        ):
            at = lo - firsts[partition]
            appends = np.frombuffer(self._queues.appends[partition], np.int32)
            found.append(appends[at : at + count])
        return np.concatenate(found).astype(np.int64)

    def rest(self, ends: Sequence[int]) -> NDArray[np.int64]:
        """Return where in the window the records beyond these positions stand."""
        later = np.arange(self._next, len(self._window), dtype=np.int64)
        found = [later[self._window.column("partition")[self._next :] != REFUSED]]
        for partition, end in enumerate(ends):
            appends = np.array(self._queues.appends[partition], np.int64)
            found.append(appends[end - self._queues.firsts[partition] :])
        return np.concatenate(found)

    def newest_ns(self, batch: Batch) -> int:
        """Return when the last record of a batch was created."""
        queues, number = self._queues, batch.partition
        place = queues.appends[number][batch.hi - 1 - queues.firsts[number]]
        return self._window.created_ns[place]

    def created_ns_of(self, partition: int, position: int) -> int:
        """Return when a record of an append list was created."""
        queues = self._queues
        place = queues.appends[partition][position - queues.firsts[partition]]
        return self._window.created_ns[place]

    def work_of(self, name: str) -> WorkOf:
        """Return how to sum a carried column over a batch's first records."""
        queues, numbers = self._queues, self._window.numbers

        def from_list(batch: Batch, count: int) -> int:
            column = numbers(name)
            lo = batch.lo - queues.firsts[batch.partition]
            places = queues.appends[batch.partition][lo : lo + count]
            return sum([column[place] for place in places])

        return from_list

    def finish(self, now_ns: int) -> list[Batch]:
        """Return the batches that were never sent, by partition and age."""
        self.catch_up(now_ns)
        self._go_back(now_ns)
        if self._pool.waiting_bytes or self._pool.busy_until_ns > now_ns:
            self._end_waiting(now_ns)
        batches = [batch for waiting in self._queues.waiting for batch in waiting]
        for batch in batches:
            if batch.closed_by == OPEN:
                batch.closed_by = CUT
                batch.closed_ns = now_ns
        return batches

    def _end_waiting(self, now_ns: int) -> None:
        """Take leave of the records that wait behind one without memory.

        Or for a process that is down, or stands still.
        """
        while self._blocks.known_ns < now_ns:
            self._window.extend()
        first = self._next + (self._pool.waiting_bytes > 0)
        intended_ns = self._window.column("intended_ns")[first:]
        behind = range(first, first + int(intended_ns.searchsorted(now_ns, "right")))
        self._pool.end(now_ns, [self._window.base + place for place in behind])

    # A topic that grows

    def set_leaders(self, leaders: Sequence[int], now_ns: int) -> None:
        """Let each partition be sent to the node that leads it now, −1 for none.

        There may be more than there were. What is appended stays where it is, and so
        does a record that waits for memory, which has chosen; others with a key go by
        the new number.
        """
        more = len(leaders) - len(self._leaders)
        if more > 0:
            self._come_to(now_ns)
            self._queues.grow(more)
            self._loads.grow(more)
            self._slots += [0] * more
            self._leaders += [-1] * more
            self._window.spread(self._next, len(leaders))
            self._settle()
        super().set_leaders(leaders, now_ns)

    # A process that crashes

    def start_anew(self, now_ns: int, until_ns: int) -> int:
        """Forget what was handed over; nothing is until a time.

        To be called when no batch waits any more. Returns the ordinal of the record
        that has waited for memory and is lost, −1 if none has.
        """
        self.catch_up(now_ns)
        self._come_to(now_ns)
        lost = -1
        if self._pool.waiting_bytes:
            lost = self._window.base + self._next
            self._next += 1
            self._pool.give_way(now_ns)
            self._end_wait(now_ns)
        if self._pool.busy_until_ns > now_ns:  # it stood still
            self._window.forget_delay(self._next)
        self._pool.busy_until_ns = until_ns
        self._partition, self._produced = -1, 0
        self._settle()
        return lost

    def stand_still(self, now_ns: int, until_ns: int) -> None:
        """Hand nothing over until a time."""
        self.catch_up(now_ns)
        self._come_to(now_ns)
        self._pool.busy_until_ns = max(self._pool.busy_until_ns, until_ns)
        self._settle()

    # Records that join

    def join(self, now_ns: int) -> None:
        """Take in what joins now; the next `catch_up`, at this time, appends it."""
        if self.joiner is None:
            return
        self._come_to(now_ns)
        if self._take_in(self.joiner, now_ns):
            self._has_joined = True

    def _take_in(self, joiner: Joiner, now_ns: int) -> bool:
        """Put what joins behind all records created up to now."""
        any_joined = False
        while (joining := joiner.joining(now_ns)) is not None:
            any_joined = True
            self._begin(joining, now_ns)
            place = bisect_right(self._window.created_ns, now_ns, self._next)
            if joining.added is not None:
                self._window.insert(place, joining.added)
                self._queues.insert(place, joining.added)
            joiner.joined(joining, self._window.base + place)
        return any_joined

    def _begin(self, joining: Joining, now_ns: int) -> None:
        """Let the next records be created now."""
        if not joining.begun:
            return
        window = self._window
        first = bisect_left(window.created_ns, NOT_YET_NS, self._next)
        while len(window) < first + joining.begun:
            self._queues.extend(window.extend())
        self._queues.begin(first, first + joining.begun, now_ns)
        window.begin(first, first + joining.begun, now_ns)

    # Draining

    def _awake(self, queue: NodeQueue, now_ns: int) -> list[int]:
        self._go_back(now_ns)
        queue.active.sort()
        return queue.active

    def _peek(self, partition: int, now_ns: int) -> Batch:  # noqa: ARG002
        return self._queues.waiting[partition][0]

    def _take(
        self,
        queue: NodeQueue,  # noqa: ARG002
        slot: int,  # noqa: ARG002
        batch: Batch,
        now_ns: int,
    ) -> bool:
        partition = batch.partition
        if batch.closed_by == OPEN:
            over = now_ns - batch.opened_ns >= self._settings.linger_ns
            batch.closed_by = LINGER if over else DRAINED
            batch.closed_ns = now_ns
            self._queues.tails[partition] = None
        batch.sent_ns = now_ns
        waiting = self._queues.waiting[partition]
        waiting.popleft()
        return bool(waiting)

    def _next_ready_ns(self, queue: NodeQueue, now_ns: int) -> int:
        ready_ns = NEVER
        for slot in queue.active:
            if ready_ns <= now_ns:
                break
            head = self._queues.waiting[queue.partitions[slot]][0]
            head_ns = (
                head.closed_ns
                if head.closed_by == FULL
                else head.opened_ns + self._linger_ns
            )
            ready_ns = min(ready_ns, head_ns)
        return ready_ns
