"""The application behind a member: what it was given, works on, and has done.

It works through the records that a poll returned one after the other, or several at a
time. An application that commits by itself within that may let some of them wait for a
commit.
"""

from collections.abc import Callable, Mapping
from typing import Final

from kafkasim.engine.sim.at_work import UNSLOWED, AtWork, Returned
from kafkasim.engine.sim.crew import Crew
from kafkasim.engine.sim.group import Group
from kafkasim.engine.sim.partition import Partition
from kafkasim.protocol.producing.batch import NEVER
from kafkasim.units import FOREVER_NS

_ALL: Final = 1 << 62
"""More than there are records."""


class Application:
    """What is at work.

    Parameters
    ----------
    group : Group
        Of the member: how far it is.
    partitions : mapping of int to Partition
        Those of the member, by index.
    every : int
        Records after which it commits; 0 when it does not count them.
    workers : int
        How many records it works on at a time.
    write_returned : callable
        Takes a row that is final.
    on_processed : callable
        Takes the number of newly processed records.

    Attributes
    ----------
    rows : list of Returned
        What is at work now.
    waiting : list of Returned
        What a poll returned and the work has not come to.
    slowed : float
        Factor on the work of what begins.
    polled_ns : int
        When a poll last returned.
    """

    def __init__(
        self,
        group: Group,
        partitions: Mapping[int, Partition],
        *,
        every: int,
        workers: int = 1,
        write_returned: Callable[[Returned], None],
        on_processed: Callable[[int], None],
    ) -> None:
        self.workers = workers
        self._partitions = mine = dict(partitions)
        self.at_work = (
            AtWork(group.index, mine)
            if workers == 1
            else Crew(group.index, mine, workers)
        )
        self.rows: list[Returned] = []
        self.waiting: list[Returned] = []
        self.slowed = UNSLOWED
        self.polled_ns = 0
        self._group = group
        self._every = every
        self._write_returned = write_returned
        self._on_processed = on_processed
        self._done: dict[int, int] = {}
        """Partition index → offset after what was processed since the last commit."""
        self._done_count = 0

    def own(self, partition: Partition) -> None:
        """Take records of one partition more."""
        self._partitions[partition.index] = partition

    @property
    def begun_ns(self) -> int:
        """When the oldest work under way began; `NEVER` when there is none."""
        return self.rows[0].started_ns if self.rows else NEVER

    def slow(self, now_ns: int, factor: float) -> int:
        """Multiply the work of the records that begin from now on.

        Return when the work ends; missing when that has not changed.
        """
        self.slowed = factor
        self.rows, end_ns = self.at_work.slowed(self.rows, now_ns, factor)
        return end_ns

    def hold(self, now_ns: int, until_ns: int) -> int:
        """Let nothing go on until a time; return when the work ends, as `slow`."""
        self.rows, end_ns = self.at_work.held(self.rows, now_ns, until_ns)
        return end_ns

    def begin(self, now_ns: int) -> int:
        """Begin to work on what waits, up to the next commit; return when that ends."""
        most = self._every - self._done_count if self._every else _ALL
        rows, self.waiting = self.at_work.split(self.waiting, most)
        self.rows, end_ns = self.at_work.begin(rows, now_ns, self.slowed)
        return end_ns

    def finish(self) -> None:
        """Write what was at work, all of it being processed now."""
        processed = 0
        for row in self.rows:
            self._write_returned(row)
            processed += self._newly_processed(row, row.to_offset)
        if self._every:
            for row in self.rows:
                self._done[row.partition] = row.to_offset
                self._done_count += self.at_work.count(row)
        self.rows = []
        if processed:
            self._on_processed(processed)

    def done_since_commit(self) -> dict[int, int]:
        """Return what to commit now by partition index; nothing if it is not time."""
        if self._done_count < self._every:
            return {}
        return self.done_so_far()

    def done_so_far(self) -> dict[int, int]:
        """Return what was done since the last commit, though it is not time yet."""
        done, self._done = self._done, {}
        self._done_count = 0
        return done

    def stop(self, now_ns: int, *, crashed: int) -> None:
        """Write what is at work as it stands; none of it goes on."""
        unfinished: set[int] = set()
        for row in self.rows:
            if row.partition not in unfinished and row.started_ns <= now_ns:
                offset = self.at_work.processed_until(row, now_ns)
                count = self._newly_processed(row, offset)
                if count:
                    self._on_processed(count)
                if offset < row.to_offset:
                    unfinished.add(row.partition)  # the next ones are read again
            else:
                unfinished.add(row.partition)
            self._write_returned(row._replace(until_ns=now_ns, crashed=crashed))
        for row in self.waiting:
            self._write_never_begun(row, now_ns, crashed)
        self.rows, self.waiting = [], []
        self._done.clear()
        self._done_count = 0

    def drop(self, partition: Partition, now_ns: int) -> None:
        """Begin no work on what waits of a partition: it is taken from the member."""
        waiting, self.waiting = self.waiting, []
        for row in waiting:
            if row.partition == partition.index:
                self._write_never_begun(row, now_ns, crashed=1)
            else:
                self.waiting.append(row)

    def _write_never_begun(self, row: Returned, now_ns: int, crashed: int) -> None:
        never = row._replace(started_ns=FOREVER_NS, until_ns=now_ns)
        self._write_returned(never._replace(crashed=crashed))

    def _newly_processed(self, row: Returned, offset: int) -> int:
        """Return how many of a row's records below `offset` never were before."""
        group = self._group
        if group.cuts and row.partition in group.cuts:
            cut_ns, end_offset = group.cuts[row.partition]
            if row.fetched_ns <= cut_ns:  # what lies beyond are other records now
                offset = min(offset, end_offset)
        done = group.processed
        before = done[row.partition]
        if offset <= before:
            return 0
        done[row.partition] = offset
        return offset - (row.from_offset if row.from_offset > before else before)
