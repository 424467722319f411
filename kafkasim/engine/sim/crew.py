"""Several workers behind one member: a poll's records are worked on in parallel.

The next record goes to the worker that is free first, and the member polls again when
all are done, so that what it commits has been processed. Each record is a row of its
own.
"""

import heapq
from collections.abc import Iterator, Mapping

from kafkasim.engine.sim.at_work import AtWork, Returned, slowed_ns
from kafkasim.engine.sim.partition import Partition
from kafkasim.units import MISSING_NS


class Crew(AtWork):
    """Knows when each of some workers is done with what.

    Parameters
    ----------
    group : int
        Index of the group whose work counts.
    partitions : mapping of int to Partition
        Those of the member, by index.
    workers : int
        How many there are.
    """

    def __init__(
        self, group: int, partitions: Mapping[int, Partition], workers: int
    ) -> None:
        super().__init__(group, partitions)
        self._workers = workers

    def begin(
        self, rows: list[Returned], now_ns: int, factor: float
    ) -> tuple[list[Returned], int]:
        """Return the records of rows, the work beginning now, and when all ends."""
        records = [each for row in rows for each in self._records(row)]
        return self._hand_out(records, [], now_ns, factor)

    def slowed(
        self, rows: list[Returned], now_ns: int, factor: float
    ) -> tuple[list[Returned], int]:
        """Return the rows with another speed for the records that begin from now on.

        As of one worker: and the end of all, missing when nothing changed.
        """
        ends = [self.ends_ns(row, row.to_offset) for row in rows]
        if max(ends, default=now_ns) <= now_ns:
            return rows, MISSING_NS
        begun = [row for row in rows if row.started_ns < now_ns]
        rest = rows[len(begun) :]
        laid, end_ns = self._hand_out(rest, ends[: len(begun)], now_ns, factor)
        return begun + laid, end_ns

    def held(
        self, rows: list[Returned], now_ns: int, until_ns: int
    ) -> tuple[list[Returned], int]:
        """Return the rows when nothing goes on until a time.

        As of one worker: records at work have as much left then as they have now.
        """
        ends = [self.ends_ns(row, row.to_offset) for row in rows]
        if max(ends, default=now_ns) <= now_ns:
            return rows, MISSING_NS
        begun: list[Returned] = []
        free_ns: list[int] = []
        for row, end_ns in zip(rows, ends, strict=True):
            if row.started_ns >= now_ns:
                break
            if end_ns > now_ns:
                later_ns = until_ns + end_ns - now_ns
                work_ns = self._work_ns(row, row.from_offset, row.to_offset)
                stretched = (later_ns - row.started_ns) / work_ns
                begun.append(row._replace(slowed=stretched))
                free_ns.append(later_ns)
            else:
                begun.append(row)
        rest = rows[len(begun) :]
        factor = rest[0].slowed if rest else 1.0
        laid, end_ns = self._hand_out(rest, free_ns, until_ns, factor)
        return begun + laid, end_ns

    def _records(self, row: Returned) -> Iterator[Returned]:
        """Yield the records of a row, each with what compaction removed before it."""
        survivors = self._partitions[row.partition].survivors_of(row.cleaned)
        at, count = row.from_offset, self.count(row)
        for number in range(1, count + 1):
            end = at + 1 if survivors is None else survivors.offset_after(at, 1)
            if number == count:
                end = row.to_offset
            yield row._replace(from_offset=at, to_offset=end)
            at = end
        if not count:
            yield row

    def _hand_out(
        self,
        records: list[Returned],
        busy_until_ns: list[int],
        now_ns: int,
        factor: float,
    ) -> tuple[list[Returned], int]:
        """Give records to workers from a time on; return them and the end of all.

        Parameters
        ----------
        records : list of Returned
            One record each, in their order.
        busy_until_ns : list of int
            When those end that have begun.
        now_ns : int
            The time.
        factor : float
            On the work of each.
        """
        busy_ns = [end_ns for end_ns in busy_until_ns if end_ns > now_ns]
        free_ns = busy_ns + [now_ns] * (self._workers - len(busy_ns))
        heapq.heapify(free_ns)
        laid = []
        last_ns = max(free_ns)
        for record in records:
            work_ns = self._work_ns(record, record.from_offset, record.to_offset)
            started_ns = free_ns[0]
            end_ns = started_ns + slowed_ns(work_ns, factor)
            heapq.heapreplace(free_ns, end_ns)
            laid.append(record._replace(started_ns=started_ns, slowed=factor))
            last_ns = max(last_ns, end_ns)
        return laid, last_ns
