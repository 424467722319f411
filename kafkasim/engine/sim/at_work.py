"""What an application has at work: the records of its last poll, one after the other.

Rows say when work on the first of some records begins and how fast it goes; the rest
follows from the plan. When the speed changes, or all stands still for a while, the rows
that are not over are laid anew.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

from kafkasim.engine.sim.partition import Partition
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
    """Factor on the work of each record; a record that a pause met took that longer."""
    until_ns: int
    """When the member crashed or the run was cut; missing when all were processed."""
    crashed: int
    """1 when `until_ns` is a crash, 0 otherwise."""
    cleaned: int
    """Round of compaction after which they were read; 0 for none."""


class AtWork:
    """Knows the work on each record of a member's partitions.

    Parameters
    ----------
    group : int
        Index of the group whose work counts.
    partitions : mapping of int to Partition
        Those of the member, by index.
    """

    def __init__(self, group: int, partitions: Mapping[int, Partition]) -> None:
        self._group = group
        self._partitions = partitions

    def begin(
        self, rows: list[Returned], now_ns: int, factor: float
    ) -> tuple[list[Returned], int]:
        """Return rows whose work begins now at a speed, and when it ends."""
        return self._behind([], [row._replace(slowed=factor) for row in rows], now_ns)

    def count(self, row: Returned) -> int:
        """Return how many records a row has."""
        survivors = self._partitions[row.partition].survivors_of(row.cleaned)
        if survivors is None:
            return row.to_offset - row.from_offset
        return survivors.count(row.from_offset, row.to_offset)

    def split(
        self, rows: list[Returned], most: int
    ) -> tuple[list[Returned], list[Returned]]:
        """Return the rows of the first `most` records, and those of the others."""
        for number, row in enumerate(rows):
            count = self.count(row)
            if count > most:
                at = row.from_offset + most
                survivors = self._partitions[row.partition].survivors_of(row.cleaned)
                if survivors is not None:
                    at = survivors.offset_after(row.from_offset, most)
                first = [*rows[:number], row._replace(to_offset=at)]
                rest = [row._replace(from_offset=at), *rows[number + 1 :]]
                return [r for r in first if r.to_offset > r.from_offset], rest
            most -= count
        return rows, []

    def slowed(
        self, rows: list[Returned], now_ns: int, factor: float
    ) -> tuple[list[Returned], int]:
        """Return the rows with another speed for the records that begin from now on.

        Returns
        -------
        rows : list of Returned
            Split where the speed changes.
        end_ns : int
            When the last of them ends; missing when nothing changed.
        """
        laid, rest = self._over(rows, now_ns)
        if not rest:
            return laid, MISSING_NS
        first, split = rest[0], self._begun_until(rest[0], now_ns)
        end_ns = self.ends_ns(first, split)
        if split > first.from_offset:
            laid.append(first._replace(to_offset=split))
        rest[0] = first._replace(from_offset=split)
        return self._behind(laid, [row._replace(slowed=factor) for row in rest], end_ns)

    def held(
        self, rows: list[Returned], now_ns: int, until_ns: int
    ) -> tuple[list[Returned], int]:
        """Return the rows when nothing goes on until a time.

        The record at work has as much left then as it has now; what was to begin now or
        later begins so much later.

        Returns
        -------
        rows : list of Returned
            Split before and behind the record at work.
        end_ns : int
            When the last of them ends; missing when nothing changed.
        """
        laid, rest = self._over(rows, now_ns)
        if not rest:
            return laid, MISSING_NS
        first, split = rest[0], self._begun_until(rest[0], now_ns)
        left_ns = self.ends_ns(first, split) - now_ns
        end_ns = until_ns
        if split > first.from_offset and left_ns > 0:
            met = split - 1
            began_ns = self.ends_ns(first, met)
            end_ns += left_ns
            stretched = (end_ns - began_ns) / self._work_ns(first, met, split)
            if met > first.from_offset:
                laid.append(first._replace(to_offset=met))
            laid.append(
                first._replace(
                    from_offset=met,
                    to_offset=split,
                    started_ns=began_ns,
                    slowed=stretched,
                )
            )
        elif split > first.from_offset:
            laid.append(first._replace(to_offset=split))
        rest[0] = first._replace(from_offset=split)
        return self._behind(laid, rest, end_ns)

    def ends_ns(self, row: Returned, offset: int) -> int:
        """Return when the work on a row's records below `offset` ends."""
        work = self._work_ns(row, row.from_offset, offset)
        return row.started_ns + slowed_ns(work, row.slowed)

    def processed_until(self, row: Returned, now_ns: int) -> int:
        """Return the offset after the last record whose work ended by `now_ns`."""
        offset = row.from_offset
        while offset < row.to_offset and self.ends_ns(row, offset + 1) <= now_ns:
            offset += 1
        return offset

    def _over(
        self, rows: list[Returned], now_ns: int
    ) -> tuple[list[Returned], list[Returned]]:
        """Return the rows at the front that are over, and all others."""
        for number, row in enumerate(rows):
            if self.ends_ns(row, row.to_offset) > now_ns:
                return rows[:number], rows[number:]
        return list(rows), []

    def _begun_until(self, row: Returned, now_ns: int) -> int:
        """Return the offset of the row's first record that begins now or later."""
        offset = row.from_offset
        while offset < row.to_offset and self.ends_ns(row, offset) < now_ns:
            offset += 1
        return offset

    def _behind(
        self, laid: list[Returned], rest: list[Returned], end_ns: int
    ) -> tuple[list[Returned], int]:
        """Lay rows one behind the other from a time on; leave out empty ones."""
        for row in rest:
            if row.to_offset > row.from_offset:
                laid.append(row._replace(started_ns=end_ns))
                end_ns = self.ends_ns(laid[-1], row.to_offset)
        return laid, end_ns

    def _work_ns(self, row: Returned, from_offset: int, to_offset: int) -> int:
        """Return the work on some records of a row's partition, at its usual speed."""
        partition = self._partitions[row.partition]
        return partition.work_between(
            self._group, from_offset, to_offset, partition.survivors_of(row.cleaned)
        )


def slowed_ns(work_ns: int, factor: float) -> int:
    """Return work times a factor, in whole nanoseconds."""
    return work_ns if factor == UNSLOWED else round(work_ns * factor)
