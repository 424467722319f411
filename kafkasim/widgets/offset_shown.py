"""What the offset explorer shows of a run: numbers, from numpy columns."""

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import numpy as np

from kafkasim.analysis.arrays import Bool, Float64, Int64
from kafkasim.analysis.blasts import applies
from kafkasim.catalogue import say, say_many
from kafkasim.result.result import Result
from kafkasim.result.rows import code
from kafkasim.result.table import Table
from kafkasim.units import MISSING_NS, NS_PER_MS, NS_PER_S

_BEGUN_NS: Final = NS_PER_MS
"""Less work than this on a record does not show."""


class Work(IntEnum):
    """How far a process came with a record."""

    NONE = 0
    """It did not have it."""
    IN_HAND = 1
    """`poll()` returned it, and no more."""
    BEGUN = 2
    """It was at work on it."""
    DONE = 3
    """The work was done."""


@dataclass(frozen=True, slots=True)
class Row:
    """A record of `__consumer_offsets`."""

    partition: int
    offset: int
    key: str
    value: str
    newest: bool
    """Nothing was written under its key since."""


@dataclass(frozen=True, slots=True)
class Line:
    """How far a group is, over time: steps."""

    at_s: Float64
    offset: Float64
    """NaN while there is no process."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What the figure shows of one run."""

    crash_s: float
    """When the process died, seconds; NaN if it did not."""
    begins_s: float
    """When the next one was told what to read; NaN without."""
    first: Int64
    """`Work` of the first process on each record, by offset."""
    second: Int64
    """The same of the next one."""
    other: Int64
    """How often the other group did each record."""
    at_work: Line
    """Which record the group works on."""
    committed: Line
    """Its committed offset."""
    others_work: Line
    others_committed: Line
    goes_on_at: int
    """Offset with which the next process began; -1 without one."""
    commits: int
    """Commits that were stored for the group."""
    rows: tuple[Row, ...]
    """Of `__consumer_offsets`, by partition and offset."""
    until_s: float
    """When the run ended."""

    @property
    def times(self) -> Int64:
        """How often each record's work was done, by offset."""
        done: Int64 = np.add(
            self.first == Work.DONE, self.second == Work.DONE, dtype=np.int64
        )
        return done

    @property
    def twice(self) -> int:
        """Records whose work was done twice."""
        return int(np.count_nonzero(self.times == 2))

    @property
    def never(self) -> int:
        """Records whose work was never done."""
        return int(np.count_nonzero(self.times == 0))

    @property
    def crashed(self) -> bool:
        """Whether the process died."""
        return not np.isnan(self.crash_s)


def shown_of(result: Result, crashes: str, other: str) -> Shown:
    """Return what the figure shows of a run.

    Parameters
    ----------
    result : Result
        Of one topic with one partition and two groups of one member.
    crashes, other : str
        The group whose member may crash once, and the other one.
    """
    records = len(result.columns("records"))
    events = result.columns("events")
    begins = events["at_ns"][applies(events)]
    crash_ns = int(begins[0]) if len(begins) else MISSING_NS
    mine, others = _deliveries(result, crashes), _deliveries(result, other)
    is_second = (mine["fetched_ns"] >= crash_ns) & (crash_ns != MISSING_NS)
    commits = result.columns("commits")
    until_s = int(result.facts["end_ns"]) / NS_PER_S
    crash_s = np.nan if crash_ns == MISSING_NS else crash_ns / NS_PER_S
    begins_s, goes_on_at = _next(result.columns("assignments"), crashes)
    return Shown(
        crash_s=crash_s,
        begins_s=begins_s,
        first=_work(mine, ~is_second, records, crash_ns),
        second=_work(mine, is_second, records, crash_ns),
        other=np.bincount(
            others["offset"][others["ended_ns"] != MISSING_NS], minlength=records
        ),
        at_work=_at_work(mine, crash_s, until_s),
        committed=_committed(commits, crashes, until_s),
        others_work=_at_work(others, np.nan, until_s),
        others_committed=_committed(commits, other, until_s),
        goes_on_at=goes_on_at,
        commits=int(np.count_nonzero(_of(commits, "group", crashes))),
        rows=_rows(result.columns("offsets_topic")),
        until_s=until_s,
    )


def _of(table: Table, column: str, name: str) -> Bool:
    """Tell of each row whether it has a label."""
    return np.equal(table[column], code(table, column, name))


def _next(assignments: Table, group: str) -> tuple[float, int]:
    """Return since when, in seconds, a second process reads, and from which offset."""
    mine = np.flatnonzero(_of(assignments, "group", group))
    if len(mine) < 2:
        return np.nan, -1
    since_ns, offset = (
        assignments[each][mine[1]] for each in ("since_ns", "start_offset")
    )
    return int(since_ns) / NS_PER_S, int(offset)


def _deliveries(result: Result, subscriber: str) -> dict[str, Int64]:
    """Return offsets and times of what a subscriber was given."""
    rows = result.columns("deliveries")
    mine = _of(rows, "subscriber", subscriber)
    names = ("offset", "fetched_ns", "started_ns", "ended_ns")
    return {name: rows[name][mine] for name in names}


def _work(rows: dict[str, Int64], which: Bool, records: int, crash_ns: int) -> Int64:
    """Return how far a process came with each record."""
    work = np.full(records, Work.NONE, dtype=np.int64)
    offset, started = rows["offset"][which], rows["started_ns"][which]
    work[offset] = Work.IN_HAND
    begun = (started != MISSING_NS) & (crash_ns - started >= _BEGUN_NS)
    work[offset[begun]] = Work.BEGUN
    work[offset[rows["ended_ns"][which] != MISSING_NS]] = Work.DONE
    return work


def _at_work(rows: dict[str, Int64], crash_s: float, until_s: float) -> Line:
    """Return the record at work over time, and nothing while no process is there."""
    begun = rows["started_ns"] != MISSING_NS
    at_s = rows["started_ns"][begun] / NS_PER_S
    offset = rows["offset"][begun].astype(np.float64)
    order = np.argsort(at_s, kind="stable")
    at_s, offset = at_s[order], offset[order]
    ended = rows["ended_ns"][rows["ended_ns"] != MISSING_NS]
    last_s = int(ended.max(initial=0)) / NS_PER_S
    at_s, offset = np.append(at_s, last_s), np.append(offset, np.nan)
    if not np.isnan(crash_s):
        place = int(np.searchsorted(at_s, crash_s))
        at_s, offset = np.insert(at_s, place, crash_s), np.insert(offset, place, np.nan)
    return Line(np.append(at_s, until_s), np.append(offset, np.nan))


def _committed(commits: Table, group: str, until_s: float) -> Line:
    """Return the committed offset over time."""
    mine = _of(commits, "group", group)
    at_s = commits["at_ns"][mine] / NS_PER_S
    offset = commits["offset"][mine].astype(np.float64)
    last = offset[-1:] if len(offset) else np.full(1, np.nan)
    return Line(np.append(at_s, until_s), np.concatenate((offset, last)))


def _rows(table: Table) -> tuple[Row, ...]:
    """Return the records of the offsets topic."""
    rows, seen = [], set()
    for row in np.lexsort([-table["offset"], table["partition"]]).tolist():
        group = table.labels["group"][table["group"][row]]
        is_commit = int(table["topic"][row]) >= 0
        key, value = group, _group_value(table, row)
        if is_commit:
            topic = table.labels["topic"][table["topic"][row]]
            key = f"{group}, {topic}-{int(table['topic_partition'][row])}"
            value = say("offset {number}", number=int(table["committed_offset"][row]))
        place = int(table["partition"][row]), int(table["offset"][row])
        rows.append(Row(*place, key, value, key not in seen))
        seen.add(key)
    return tuple(sorted(rows, key=lambda row: (row.partition, row.offset)))


def _group_value(table: Table, row: int) -> str:
    """Return of a group's record its generation and how many are in it."""
    text = table.labels["text"][table["text"][row]]
    counts = [
        int(each.partition(" ")[0])
        for each in text.split(", ")
        if each.endswith(("member", "members"))
    ]
    return ", ".join(
        [
            say("generation {number}", number=int(table["epoch"][row])),
            *(say_many("{n} member", "{n} members", count) for count in counts),
        ]
    )
