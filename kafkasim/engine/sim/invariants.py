"""What must hold after every entry of the calendar, whatever a scenario does.

Each invariant is a small class that remembers what it needs and yields what is wrong.
They look at the engine's own state, not at its tables. A broken one is a row of
`violations`, once per rule and place; a healthy run has none. At the end the tables are
held against that state by Little's law.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from kafkasim.engine.sim.consumer import Member
from kafkasim.engine.sim.group import Group
from kafkasim.engine.sim.little import RULE, LittlesLaw
from kafkasim.engine.sim.partition import Partition
from kafkasim.result.result import Result


@dataclass(frozen=True, slots=True)
class Violation:
    """A row of `violations`."""

    rule: str
    at_ns: int
    where: str
    text: str


class Invariant(Protocol):
    """Something that must hold."""

    rule: str

    def broken(self) -> Iterator[tuple[str, str]]:
        """Yield where it does not hold and what was seen."""
        ...


class HighWatermark:
    """The high watermark never goes back nor passes the log end (BR-11, BR-12)."""

    rule = "high watermark"

    def __init__(self, partitions: Sequence[Partition]) -> None:
        self._partitions = partitions
        self._last = [0] * len(partitions)

    def broken(self) -> Iterator[tuple[str, str]]:
        """Compare with the last look."""
        for partition in self._partitions:
            log = partition.log
            if log.high_watermark > log.log_end_offset:
                yield _name(partition), f"{log.high_watermark} > {log.log_end_offset}"
            if log.high_watermark < self._last[partition.index]:
                yield _name(partition), f"{self._last[partition.index]} went back"
            self._last[partition.index] = log.high_watermark


class OffsetsWithoutGaps:
    """A batch begins where the one before it ended."""

    rule = "offsets without gaps"

    def __init__(self, partitions: Sequence[Partition]) -> None:
        self._partitions = partitions
        self._seen = [0] * len(partitions)
        self._next = [0] * len(partitions)
        self._cuts = [0] * len(partitions)

    def broken(self) -> Iterator[tuple[str, str]]:
        """Look at the batches appended since the last look."""
        for each in (self._seen, self._next, self._cuts):
            each.extend([0] * (len(self._partitions) - len(each)))
        for partition in self._partitions:
            if partition.cuts != self._cuts[partition.index]:
                self._cuts[partition.index] = partition.cuts
                self._seen[partition.index] = self._next[partition.index] = 0
                if partition.base_offsets:
                    self._next[partition.index] = partition.base_offsets[0]
            for number in range(self._seen[partition.index], len(partition.batches)):
                batch, base = partition.batches[number], partition.base_offsets[number]
                expected = self._next[partition.index]
                if base != expected:
                    yield _name(partition), f"{base} != {expected}"
                self._next[partition.index] = expected + batch.hi - batch.lo
            self._seen[partition.index] = len(partition.batches)


class CommittedWithinLog:
    """No group has committed beyond the log end, nor beyond what it processed.

    An application that commits before the work does the latter. Where a log was cut
    off, what a group has committed may lie beyond its end; it never lies beyond the
    largest end that the log had.
    """

    rule = "committed"

    def __init__(
        self, groups: Sequence[Group], partitions: Sequence[Partition]
    ) -> None:
        self._groups = groups
        self._partitions = partitions
        self._largest = [0] * len(partitions)

    def broken(self) -> Iterator[tuple[str, str]]:
        """Compare committed with processed and with the log end."""
        self._largest += [0] * (len(self._partitions) - len(self._largest))
        for partition in self._partitions:
            end = partition.log.log_end_offset
            if end > self._largest[partition.index]:
                self._largest[partition.index] = end
        for group in self._groups:
            for index, committed in group.committed.items():
                log_end = self._partitions[index].log.log_end_offset
                if self._partitions[index].cuts:
                    if committed > self._largest[index]:
                        where = f"group {group.index}, {_name(self._partitions[index])}"
                        yield where, f"committed {committed} > {self._largest[index]}"
                    continue
                ahead = group.commits_ahead and committed <= log_end
                if not (ahead or committed <= group.processed[index] <= log_end):
                    where = f"group {group.index}, {_name(self._partitions[index])}"
                    done = group.processed[index]
                    yield where, f"committed {committed}, processed {done}, {log_end}"


class OneOwner:
    """A partition has one owner in a group."""

    rule = "one owner"

    def __init__(self, members: Sequence[Sequence[Member]]) -> None:
        self._members = members

    def broken(self) -> Iterator[tuple[str, str]]:
        """Count the owners of each partition."""
        for members in self._members:
            owned = [p.index for member in members for p in member.owned]
            if len(owned) != len(set(owned)):
                yield f"group {members[0].group.index}", f"owners of {sorted(owned)}"


class PositionsRise:
    """Offsets handed to a member rise until it starts anew, is reset or seeks.

    In a log that was ever cut off, it may go on at the new end.
    """

    rule = "positions rise"

    def __init__(self, members: Sequence[Member]) -> None:
        self._members = members
        self._last: list[tuple[int, dict[int, int]]] = [(0, {}) for _ in members]
        self._begun: list[dict[int, tuple[int, int]]] = [{} for _ in members]

    def broken(self) -> Iterator[tuple[str, str]]:
        """Compare each member's positions with the last look in the same epoch."""
        for number, member in enumerate(self._members):
            epoch, last = self._last[number]
            if epoch == member.epoch:
                cut = {partition.index for partition in member.owned if partition.cuts}
                for index, offset in last.items():
                    anew = self._begun[number][index] != member.begun[index]
                    goes_back = member.positions[index] < offset
                    if goes_back and not anew and index not in cut:
                        yield f"member {number}", f"{offset} went back"
            self._last[number] = (member.epoch, dict(member.positions))
            self._begun[number] = dict(member.begun)


class Inspection:
    """Runs invariants and keeps what they find, once per rule and place.

    Parameters
    ----------
    invariants : sequence of Invariant
        Checked at every look.
    law : LittlesLaw or None
        Looks on, and is held against the tables at the end.
    """

    def __init__(self, invariants: Sequence[Invariant], law: LittlesLaw | None) -> None:
        self._invariants = invariants
        self._law = law
        self._seen: set[tuple[str, str]] = set()
        self.violations: list[Violation] = []

    def inspect(self, now_ns: int) -> None:
        """Check all."""
        if self._law is not None:
            self._law.look(now_ns)
        for invariant in self._invariants:
            for where, text in invariant.broken():
                if (invariant.rule, where) not in self._seen:
                    self._seen.add((invariant.rule, where))
                    self.violations.append(
                        Violation(invariant.rule, now_ns, where, text)
                    )

    def hold_against(self, result: Result) -> bool:
        """Compare the result's tables with what was seen; return whether they differ.

        Each stage in which Little's law does not hold is a violation, at the end.
        """
        if self._law is None:
            return False
        end_ns = int(result.facts["end_ns"])
        wrong = [
            Violation(RULE, end_ns, where, text)
            for where, text in self._law.disagreements(result)
        ]
        self.violations += wrong
        return bool(wrong)


def inspection_of(
    partitions: Sequence[Partition],
    groups: Sequence[Group],
    members: Sequence[Sequence[Member]],
    law: LittlesLaw | None,
    *,
    of_copies: Sequence[Invariant] = (),
    of_logs: Sequence[Invariant] = (),
    of_members: Sequence[Invariant] = (),
) -> Inspection:
    """Return the inspection of a Kafka run; `members` are by group.

    `of_copies` stand in place of what holds where there is one copy, `of_logs` beside
    it, and `of_members` in place of what holds where members keep what they own.
    """
    everyone = [member for group in members for member in group]
    return Inspection(
        [
            *(of_copies or [HighWatermark(partitions)]),
            OffsetsWithoutGaps(partitions),
            *of_logs,
            CommittedWithinLog(groups, partitions),
            *(of_members or [OneOwner(members), PositionsRise(everyone)]),
        ],
        law,
    )


def _name(partition: Partition) -> str:
    return f"topic {partition.topic} partition {partition.number}"
