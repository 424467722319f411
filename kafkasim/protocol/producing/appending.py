"""Records on their way into a producer's queues, one by one, and back.

Where a record without a key goes depends on how many bytes went to the sticky partition
and on whether its last batch is still open, and so on when batches were drained
(KIP-794, PR-12 to PR-15b). So records are appended one by one, in order, up to the time
in question. To name its next deadline the accumulator goes on appending, as far as
until a node is ready; if a drain comes before that, it goes back to the last settled
time and appends again up to now. Random choices are read by index, so going back
restores them.

Nothing happens in a stretch of keyless records that fit the open batch without filling
it: such a stretch is one bisection.

A record for which there is no memory stops it
(`kafkasim.protocol.producing.buffer_pool`); so do all behind it wait. What the sender
does not notice by itself it sees when it looks the next time
(`kafkasim.protocol.producing.attention`).
"""

from abc import abstractmethod
from bisect import bisect_right
from collections import deque
from collections.abc import Sequence
from typing import Final

from kafkasim.protocol.producing.accumulator import Settings
from kafkasim.protocol.producing.batch import NEVER, Batch
from kafkasim.protocol.producing.buffer_pool import HandOver
from kafkasim.protocol.producing.columns import (
    ROUND_ROBIN,
    STICKY,
    Keeper,
    RecordBlocks,
)
from kafkasim.protocol.producing.joining import Joiner
from kafkasim.protocol.producing.loads import available
from kafkasim.protocol.producing.partitioner import Draws
from kafkasim.protocol.producing.queued import QueuedAccumulator
from kafkasim.protocol.producing.window import Window

_NO_FRONTS: Final[dict[int, deque[Batch]]] = {}
_STRETCH: Final = 4
"""Keyless records in a row from which on a bisection pays."""


class AppendingAccumulator(QueuedAccumulator):
    """The half of an accumulator that appends records, one by one.

    Parameters
    ----------
    settings : Settings
        Configuration and cluster.
    blocks : RecordBlocks
        The records.
    draws : Draws
        Random integers for the sticky partitioner.
    keeper : Keeper or None
        Says what is still needed; without one everything is kept.
    hand_over : HandOver or None
        Told how long the application waits for memory.
    """

    def __init__(
        self,
        settings: Settings,
        blocks: RecordBlocks,
        draws: Draws,
        keeper: Keeper | None,
        hand_over: HandOver | None,
    ) -> None:
        super().__init__(settings, blocks, draws, keeper, hand_over)
        self._batch_size = settings.batch_size
        self._window = Window(blocks)
        # The sticky partition, and how many bytes went to it.
        self._partition = -1
        self._produced = 0
        self._chosen = -1
        """Partition of a record that waits for memory, if it is not for the sticky one;
        it was chosen when the record was handed over."""
        # How far records are appended: the next one, and the time up to which.
        self._next = 0
        self._horizon_ns = -1
        self._has_joined = False
        """Some have that are to be appended now."""
        self._refused = 0
        """Records that were too large, of which nobody was told yet."""
        self._settle()

    def catch_up(self, now_ns: int) -> None:
        """Append at least all records created at `now_ns` or before."""
        if self._has_joined:
            self._has_joined = False
            if self._released:
                self._take_back(now_ns)
            self._append_until(now_ns, self._nobody, NEVER)
        if self._horizon_ns < now_ns or self._pool.is_overdue(now_ns):
            self._append_until(now_ns, self._nobody, NEVER)
        if self._released:
            self._take_back(now_ns)

    def _append_until(
        self, limit_ns: int, may_send: Sequence[bool], look_end: int
    ) -> None:
        """Append records up to `limit_ns`.

        Stops at an earlier time, all records of that time included, when a node that
        may be sent to is ready or record `look_end` is reached. Nobody may be sent to
        where this is no look ahead: then a wait for memory may end in vain.
        """
        self._limit_ns = limit_ns
        self._may_send = may_send
        self._hand_over(look_end)
        if self._attention.needed:
            pool = self._pool
            waits = pool.waiting_bytes > 0
            self._look_by(pool.deadline_ns - 1 if waits else self._limit_ns)
        self._horizon_ns = self._limit_ns

    def _hand_over(self, look_end: int) -> None:
        """Append records up to the limit; in vain where there is no memory in time."""
        pool = self._pool
        while True:
            if not pool.waiting_bytes:
                self._append_records(look_end)
                if self._refused and self._tell_refused():
                    continue
            if not pool.waiting_bytes:
                return
            deadline_ns = pool.deadline_ns
            if self._may_send is not self._nobody:
                last_ns = max(deadline_ns - 1, pool.since_ns)
                self._limit_ns = min(self._limit_ns, last_ns)
                return
            if self._limit_ns < deadline_ns:
                return
            self._give_up(deadline_ns)

    def _append_records(self, look_end: int) -> None:  # noqa: C901, PLR0912 - hot path
        """Append records until one is beyond the limit, or must wait for memory."""
        created_ns = self._window.created_ns
        partitions = self._window.partitions
        try_append = self._queues.try_append
        busy_until_ns = self._pool.busy_until_ns
        attention = self._attention
        closed, always = attention.closed, attention.always
        at = self._next
        count = len(created_ns)
        while True:
            if at == count:
                if self._blocks.known_ns >= self._limit_ns:
                    break
                self._queues.extend(self._window.extend())
                created_ns = self._window.created_ns
                partitions = self._window.partitions
                count = len(created_ns)
            now_ns = created_ns[at]
            if now_ns < busy_until_ns:
                now_ns = self._delay(at)
            if now_ns > self._limit_ns:
                break
            if closed or always:
                self._look_by(now_ns - 1)
                if now_ns > self._limit_ns:
                    break
            if at >= look_end:
                self._limit_ns = now_ns
            partition = partitions[at]
            if partition == STICKY:
                after = self._append_sticky(at, now_ns)
                if after == at:
                    break
                at = after
                continue
            if partition == ROUND_ROBIN:
                partition = available(self._leaders, self._window.base + at)
            if partition >= 0:
                if try_append(partition, at, now_ns, now_ns) >= 0:
                    if closed or always:
                        self._may_wake(partition, now_ns)
                elif not self._append_new_batch(partition, at, now_ns):
                    break
            else:
                self._refused += 1
            at += 1
        self._next = at

    def _delay(self, at: int) -> int:
        """Hand a record over when the last wait is over; return that time."""
        now_ns = self._pool.busy_until_ns
        self._window.delay(at, now_ns)
        self._pool.delay(self._window.base + at)
        return now_ns

    def _append_sticky(self, at: int, now_ns: int) -> int:
        """Append a record without key, or a stretch of them.

        Returns the place of the next record; the same if it must wait for memory.
        """
        if self._partition < 0:
            self._switch(now_ns)
        attention = self._attention
        if (
            self._window.stretch_ends[at] - at >= _STRETCH
            and now_ns > self._pool.busy_until_ns
            and not (attention.closed or attention.always)
        ):
            end = self._append_stretch(at)
            if end > at:
                return end
        tails = self._queues.tails
        # Test 1 of PR-15b: a switch that was put off while the batch was open.
        if tails[self._partition] is None and self._produced >= self._batch_size:
            self._switch(now_ns)
        appended = self._queues.try_append(self._partition, at, now_ns, now_ns)
        if appended < 0:
            if self._loads.unqueued:
                self._loads.queue(self._partition, now_ns)
            if not self._take_memory(at, now_ns):
                return at
            self._append_with_memory(at, now_ns, now_ns)
            return at + 1
        if attention.closed or attention.always:
            self._may_wake(self._partition, now_ns)
        self._produced += appended
        # Test 3, after the append; at twice the size an open batch is no obstacle.
        times = 2 if tails[self._partition] is not None else 1
        if self._produced >= times * self._batch_size:
            self._switch(now_ns)
        return at + 1

    def _append_with_memory(self, at: int, called_ns: int, now_ns: int) -> None:
        """Append a record without key that has memory for a batch of its own."""
        queues = self._queues
        while True:
            partition = self._partition
            # Test 2, after the batch had no room and was closed for appends.
            if queues.tails[partition] is None and self._produced >= self._batch_size:
                self._switch(now_ns)
                self._loads.queue(self._partition, now_ns)
                continue
            appended = -1
            if queues.tails[partition] is not None:
                appended = queues.try_append(partition, at, called_ns, now_ns)
            if appended >= 0:
                self._pool.free_bytes += queues.capacity_for(at)
                self._may_wake(partition, now_ns)
            else:
                appended = self._open_batch(partition, at, called_ns, now_ns)
            self._produced += appended
            times = 2 if queues.tails[partition] is not None else 1
            if self._produced >= times * self._batch_size:
                self._switch(now_ns)
            return

    def _append_stretch(self, at: int) -> int:
        """Append keyless records while nothing else can happen; return the next one."""
        end = bisect_right(
            self._window.created_ns,
            self._limit_ns,
            at + 1,
            self._window.stretch_ends[at],
        )
        appends = self._queues.appends[self._partition]
        before = len(appends)
        self._produced += self._queues.append_stretch(
            self._partition, at, end, 2 * self._batch_size - self._produced
        )
        return at + len(appends) - before

    def _append_new_batch(self, partition: int, at: int, now_ns: int) -> int:
        """Open a batch with record `at`; return its size, 0 without memory for it."""
        if self._loads.unqueued:
            self._loads.queue(partition, now_ns)
        if not self._take_memory(at, now_ns):
            self._chosen = partition
            return 0
        return self._open_batch(partition, at, now_ns, now_ns)

    def _go_on(self, now_ns: int) -> None:
        """Append a record that waited for memory, and all that waited behind it."""
        at = self._next
        called_ns = self._window.created_ns[at]
        self._pool.go_on(now_ns)
        self._end_wait(now_ns)
        if self._window.partitions[at] == STICKY:
            self._append_with_memory(at, called_ns, now_ns)
        else:
            self._open_batch(self._chosen, at, called_ns, now_ns)
        self._next = at + 1
        # The sender looks when all this is done, and not before.
        self._limit_ns, self._may_send = now_ns, self._nobody
        self._hand_over(NEVER)

    def _give_up(self, deadline_ns: int) -> None:
        """Let the record fail that has waited for memory until now."""
        self._look_by(deadline_ns - 1)
        intended_ns = int(self._window.column("intended_ns")[self._next])
        self._pool.give_up(self._window.base + self._next, intended_ns)
        self._next += 1
        self._end_wait(deadline_ns)
        if self.joiner is not None:
            self._take_in(self.joiner, deadline_ns)

    def _switch(self, now_ns: int) -> None:
        """Draw the next sticky partition."""
        fronts = self.retries.fronts if self.retries is not None else _NO_FRONTS
        self._partition = self._loads.draw(now_ns, fronts)
        self._produced = 0

    # Records that join

    @abstractmethod
    def _take_in(self, joiner: Joiner, now_ns: int) -> bool:
        """Put what joins behind all records created up to now; return if anything."""

    def _tell_refused(self) -> bool:
        """Say what was too large (PR-5); return whether something joins because of it.

        It is said when the application's thread comes to it, not by a look ahead.
        """
        refused, self._refused = self._refused, 0
        if self.joiner is None or self._may_send is not self._nobody:
            return False
        self.joiner.refused(refused)
        return self._take_in(self.joiner, self._limit_ns)

    # Going back

    def _settle(self) -> None:
        """Make the present state the one to go back to."""
        self._queues.settle()
        self._loads.settle()
        self._pool.settle()
        self._attention.settle()
        self._settled = (
            self._next,
            self._horizon_ns,
            self._partition,
            self._produced,
            self._linger_ns,
        )
        self._settled_ready_ns = self.ready_ns.copy()
        self._settled_active = [len(queue.active) for queue in self._nodes]

    def _go_back(self, now_ns: int) -> None:
        """Undo what was appended of the time after `now_ns`."""
        if self._horizon_ns <= now_ns:
            return
        self._queues.go_back()
        self._loads.go_back()
        self._pool.go_back()
        self._attention.go_back()
        (
            self._next,
            self._horizon_ns,
            self._partition,
            self._produced,
            self._linger_ns,
        ) = self._settled
        self.ready_ns[:] = self._settled_ready_ns
        for queue, count in zip(self._nodes, self._settled_active, strict=True):
            del queue.active[count:]
        self.catch_up(now_ns)
