"""What a broker does to its logs from time to time: delete old segments, compact.

Retention looks every `log.retention.check.interval.ms`, for the first time after
`log.initial.task.delay.ms` (LG-7). The cleaner has one thread: it compacts the log with
the largest dirty ratio, again and again until none is due, deletes old segments of logs
that are compacted and deleted, and then waits for `log.cleaner.backoff.ms` (LG-14,
LG-16). Both take no time here. What they do is in the logs; this writes down what has
gone, and lets readers look again where they are. Each broker does it to its own copies.

A broker that is down does neither, and one that stands still does it late. A new
process begins anew: its cleaner looks at once.
"""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kafkasim.config.broker import BrokerConfig
from kafkasim.engine.sim.calendar import SEQUENCE_BITS, Calendar, Rank, key_base
from kafkasim.engine.sim.partition import Partition
from kafkasim.engine.sim.planned_batches import offsets_in
from kafkasim.engine.sim.replica import (
    Life,
    LogSegment,
    Placed,
    Replica,
    contents_of,
    placed_in,
)
from kafkasim.log.batch_retention import Fate
from kafkasim.log.cleaner import clean, range_to_clean
from kafkasim.log.cleaning_range import filthiest
from kafkasim.log.offset_map import keys_that_fit
from kafkasim.units import NS_PER_MS

COMPACTION: Final = "compaction"
_AT_ONCE_NS: Final = 1
"""The engine's least time."""

Ints = NDArray[np.int64]


class Gone(NamedTuple):
    """Records that left a log together: a row of `removals`."""

    replica: Replica
    from_offset: int
    to_offset: int
    at_ns: int
    cause: str


class LogCalls(NamedTuple):
    """Whom to tell what."""

    write_segment: Callable[[Replica, LogSegment, Life, int, str | None], None]
    """Takes a segment that has gone: when it came, when it went and why."""
    write_removal: Callable[[Gone], None]
    """Takes records that have gone."""
    relocate: Callable[[Partition], None]
    """Takes a partition whose readers must look again where they are."""
    forget_places: Callable[[int], None]
    """Takes the index of a partition whose followers must."""


class LogManager:
    """Looks after the logs of one broker.

    Parameters
    ----------
    calendar, actor
        Where its deadlines go, and the broker's number among the run's actors.
    replicas : sequence of Replica
        Those on the broker.
    partitions : sequence of Partition
        All of the run, by index.
    up : callable
        Says whether the broker runs.
    holds : callable
        Takes a function and its argument; says whether the broker stands still, and
        calls it then when it goes on.
    config : BrokerConfig
        Resolved.
    calls : LogCalls
        Whom to tell what.
    """

    def __init__(
        self,
        *,
        calendar: Calendar,
        actor: int,
        replicas: Sequence[Replica],
        partitions: Sequence[Partition],
        up: Callable[[], bool],
        holds: Callable[[Callable[[int], None], int], bool],
        config: BrokerConfig,
        calls: LogCalls,
    ) -> None:
        self._calendar = calendar
        self._calls = calls
        self._config = config
        self._partitions = partitions
        self._up = up
        self._holds = holds
        self._process = 0
        self._began_ns = 0
        self._deleting = [r for r in replicas if r.config.deletes]
        self._compacting = [r for r in replicas if r.config.compacts]
        self._most_keys = keys_that_fit(
            config.log_cleaner_dedupe_buffer_size,
            config.log_cleaner_io_buffer_load_factor,
        )
        self._deleted: dict[int, int] = {}
        """Partition index → below which offset it is written what has gone."""
        # Apart from the deadlines of the broker's fetches.
        self._key = key_base(Rank.TIMER, actor) + (1 << SEQUENCE_BITS - 1)

    def add(self, replica: Replica) -> None:
        """Look after one log more, a copy of a partition that was added."""
        idle = all(r.config.compacts for r in self._deleting), not self._compacting
        config, now_ns = replica.config, self._calendar.now_ns
        if config.deletes:
            self._deleting.append(replica)
        if config.compacts:
            self._compacting.append(replica)
        if config.deletes and not config.compacts and idle[0]:
            first_ns = self._config.log_initial_task_delay_ms * NS_PER_MS
            step_ns = self._config.log_retention_check_interval_ms * NS_PER_MS
            steps = max(0, -((first_ns - (now_ns - self._began_ns)) // step_ns))
            at_ns = self._began_ns + first_ns + steps * step_ns
            self._after(at_ns - now_ns, self._look)
        if config.compacts and idle[1] and self._config.log_cleaner_enable:
            backoff_ns = self._config.log_cleaner_backoff_ms * NS_PER_MS
            self._after(backoff_ns, self._clean)

    def start(self) -> None:
        """Set the first deadlines; there is nothing to compact yet."""
        self._begin(self._config.log_cleaner_backoff_ms * NS_PER_MS)

    def start_again(self) -> None:
        """Begin anew with a new process (`LogManager.startup`)."""
        self._process += 1
        self._begin(_AT_ONCE_NS)

    def _begin(self, clean_after_ns: int) -> None:
        self._began_ns = self._calendar.now_ns
        if any(not p.config.compacts for p in self._deleting):
            delay_ms = self._config.log_initial_task_delay_ms
            self._after(delay_ms * NS_PER_MS, self._look)
        if self._compacting and self._config.log_cleaner_enable:
            self._after(clean_after_ns, self._clean)

    def _after(self, delay_ns: int, function: Callable[[int], None]) -> None:
        self._key += 1
        at_ns = self._calendar.now_ns + delay_ns
        self._calendar.at(at_ns, self._key, function, self._process)

    def _is_over(self, function: Callable[[int], None], process: int) -> bool:
        """Say whether a deadline is another process's, or has to wait."""
        return (
            process != self._process or not self._up() or self._holds(function, process)
        )

    # --- retention ----------------------------------------------------------------

    def _look(self, process: int) -> None:
        """Delete what is too old or too much (`LogManager.cleanupLogs`)."""
        if self._is_over(self._look, process):
            return
        for replica in self._deleting:
            if not replica.config.compacts:
                self._delete_old(replica)
        interval_ms = self._config.log_retention_check_interval_ms
        self._after(interval_ms * NS_PER_MS, self._look)

    def _delete_old(self, replica: Replica) -> None:
        now_ns = self._calendar.now_ns
        log = replica.log
        last = log.active
        written = min(self._deleted.get(replica.partition, 0), log.log_start_offset)
        removed = log.delete_old_segments(now_ns // NS_PER_MS)
        if not removed:
            return
        if log.active is not last:
            self._noted_by(replica).note_roll(last, now_ns, "retention")
        for segment, cause in removed:
            self._forget(replica, segment, cause)
            offsets = offsets_in(contents_of(segment))
            self._write_gone(replica, offsets[offsets >= written], cause)
        replica.note_deleted()
        self._relocate(replica)

    def delete_records(self, replica: Replica, offset: int) -> int:
        """Let a leader's log begin at an offset (LG-23); return where it begins.

        Raises
        ------
        LogError
            As `TrimmableLog.delete_records`; nothing has changed then.
        """
        log = replica.log
        before = log.log_start_offset
        start = log.delete_records(offset)
        if start > before:
            held = [offsets_in(contents_of(segment)) for segment in log.segments]
            offsets = np.concatenate(held)
            gone = offsets[(offsets >= before) & (offsets < start)]
            self._write_gone(replica, gone, "start_offset")
            self._deleted[replica.partition] = start
            self._relocate(replica)
        return start

    def _forget(self, replica: Replica, segment: LogSegment, cause: str) -> None:
        life = replica.lives.pop(segment)
        now_ns = self._calendar.now_ns
        self._calls.write_segment(replica, segment, life, now_ns, cause)

    def _write_gone(self, replica: Replica, offsets: Ints, cause: str) -> None:
        """Write offsets that hold no record any more, run by run."""
        if not len(offsets):
            return
        breaks = np.flatnonzero(np.diff(offsets) > 1)
        firsts = offsets[np.concatenate([[0], breaks + 1])].tolist()
        lasts = offsets[np.concatenate([breaks, [len(offsets) - 1]])].tolist()
        now_ns = self._calendar.now_ns
        for first, last in zip(firsts, lasts, strict=True):
            gone = Gone(replica, first, last + 1, now_ns, cause)
            self._calls.write_removal(gone)

    def _noted_by(self, replica: Replica) -> Replica | Partition:
        """Return who has to know of what happens to a copy's segments."""
        partition = self._partitions[replica.partition]
        return partition if partition.home is replica else replica

    def _relocate(self, replica: Replica) -> None:
        self._calls.forget_places(replica.partition)
        partition = self._partitions[replica.partition]
        if partition.home is replica:
            self._calls.relocate(partition)

    # --- compaction ---------------------------------------------------------------

    def _clean(self, process: int) -> None:
        """Compact what is due, the filthiest first (`LogCleaner.CleanerThread`)."""
        if self._is_over(self._clean, process):
            return
        now_ms = self._calendar.now_ns // NS_PER_MS
        while (due := self._due(now_ms)) is not None:
            self._compact(due, now_ms)
        for replica in self._compacting:
            if replica.config.deletes:
                self._delete_old(replica)
        self._after(self._config.log_cleaner_backoff_ms * NS_PER_MS, self._clean)

    def _due(self, now_ms: int) -> Replica | None:
        ranges = [range_to_clean(r.log, now_ms) for r in self._compacting]
        ratios = [r.config.min_cleanable_dirty_ratio for r in self._compacting]
        place = filthiest(ranges, ratios)
        return None if place is None else self._compacting[place]

    def _compact(self, replica: Replica, now_ms: int) -> None:
        log, now_ns = replica.log, self._calendar.now_ns
        before = list(log.segments)
        done = clean(log, now_ms, most_keys=self._most_keys)
        offsets = np.concatenate(
            [part.offsets[part.fates != Fate.KEPT] for part in done.segments]
        )
        there = set(log.segments)
        for segment in before:
            if segment not in there:
                self._forget(replica, segment, COMPACTION)
        for segment in log.segments:
            if segment not in replica.lives:
                replica.lives[segment] = Life(now_ns, now_ns)
        self._write_gone(replica, offsets, COMPACTION)
        replica.note_removed(_lost(before, log.segments))
        partition = self._partitions[replica.partition]
        if partition.home is replica:
            partition.note_compaction(done.first_dirty_offset)
        self._relocate(replica)


def _lost(before: Sequence[LogSegment], now: Sequence[LogSegment]) -> list[Placed]:
    """Return the batches of which nothing is left in the segments of a log."""
    there, left = set(now), set(before)
    held = {base for base, _ in placed_in([s for s in now if s not in left])}
    gone = placed_in([s for s in before if s not in there])
    return [each for each in gone if each[0] not in held]
