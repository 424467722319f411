"""Where every subscriber stands in every partition, at one moment.

The words are those of `progress`: log end, position (one past the last record whose
work has begun) and committed offset. A position belongs to a subscriber and a
partition; reading moves that one position and deletes nothing
(`kafka-consumer-groups --describe` lists a group's partitions in the same way).

Times and offsets that are set one after the other are looked at once, at the moment
asked for: O(appends + hand-outs + commits before it), sorted.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final

import numpy as np

from kafkasim.analysis.arrays import Bool, Int64
from kafkasim.analysis.frames import categorical, frame, offsets_column
from kafkasim.analysis.world import World, world_of
from kafkasim.catalogue import say
from kafkasim.errors import ValidationError
from kafkasim.result.leaders import leaders_of, met_by_readers
from kafkasim.result.result import Result
from kafkasim.result.rows import code
from kafkasim.result.table import Table
from kafkasim.result.wants import Want
from kafkasim.units import FOREVER_NS, MISSING_NS, NS_PER_S, ns_from_s

if TYPE_CHECKING:
    import pandas as pd

NONE: Final = -1
"""An offset that there is not."""

Runs = tuple[tuple[int, int], ...]
"""Runs of offsets: of each the first, and one past the last."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Log ends and everyone's offsets at one moment, as arrays.

    A column is a partition: those of the first topic by number, then the next topic's.
    A row is a subscriber.
    """

    at_ns: int
    """The moment."""
    wants: tuple[Want, ...]
    """Of the subscribers, in the scenario's order."""
    partitions: tuple[tuple[str, int], ...]
    """Topic and number of each column."""
    log_end: Int64
    """Shape (partitions,)."""
    reads: Bool
    """Whether a subscriber wants that topic; shape (subscribers, partitions)."""
    there: Bool
    """Whether a subscriber has come; shape (subscribers,)."""
    first: Int64
    """Offset of the record with which its work began; `NONE` when it has not."""
    position: Int64
    """One past the last record whose work has begun; `NONE` for a latecomer that has
    begun none."""
    committed: Int64
    """Committed offset; `NONE` for a latecomer that has committed none."""
    gone: tuple[Runs, ...] = ()
    """By partition, the runs of offsets whose records have left the log: the first,
    one past the last. They rise, and none overlaps another. Empty: nothing is gone."""

    @property
    def kept(self) -> Int64:
        """Records that are in the log; shape (partitions,)."""
        return self.log_end - self._gone_before(self.log_end)

    @property
    def unread(self) -> Int64:
        """Records in the log that each has not begun; shape (subscribers, partitions).

        What retention or compaction took counts no more. A latecomer that has begun
        nothing in a partition has all of it before it when it wants all, and none when
        it wants what is new. 0 where it does not read.
        """
        wants_all = np.array([want.history == "all" for want in self.wants], np.bool_)
        unbegun = np.where(wants_all[:, None], 0, self.log_end)
        position = np.where(self.position == NONE, unbegun, self.position)
        passed = position - self._gone_before(position)
        return np.where(self.reads, self.kept - passed, 0)

    def _gone_before(self, offsets: Int64) -> Int64:
        """Return how many records below offsets are gone; last axis: partitions."""
        counts = np.zeros_like(offsets)
        for column, runs in enumerate(self.gone):
            if not runs:
                continue
            firsts, ends = np.array(runs, dtype=np.int64).T
            below = offsets[..., column, None]
            counts[..., column] = (np.clip(below, firsts, ends) - firsts).sum(axis=-1)
        return counts


def positions(
    result: Result, *, at_s: float | None = None, topic: str | None = None
) -> "pd.DataFrame":
    """Return every subscriber's offsets in every partition it reads, at one moment.

    Parameters
    ----------
    result : Result
        With the tables `appends`, `deliveries` and `commits`.
    at_s : float, optional
        The moment, in seconds of simulated time; the run's end without it.
    topic : str, optional
        Only this one.

    Returns
    -------
    pandas.DataFrame
        One row per subscriber and partition: `subscriber`, `topic`, `partition`,
        `there` (whether it has come by then), and as `Int64` `log_end`,
        `first_offset` (of the record with which its work began), `position` and
        `committed`, the last two as in `analysis.offsets`: of a subscriber that came
        later `<NA>` until its work begins, and until its first commit.

    Raises
    ------
    ValidationError
        There is no such topic, or the moment is none from the run's start on.
    TableNotRecorded
        When the run did not record those tables: a system without a log has none.
    """
    world = world_of(result)
    found = standing(
        result, world, chosen_topics(world, topic), moment_ns(result, at_s)
    )
    rows, columns = np.nonzero(found.reads)
    names = list(dict.fromkeys(name for name, _ in found.partitions))
    numbers = np.array([p for _, p in found.partitions], dtype=np.int64)
    codes = np.array([names.index(name) for name, _ in found.partitions], np.int64)
    made = frame(
        result,
        {
            "subscriber": categorical(rows, [w.subscriber for w in found.wants]),
            "topic": categorical(codes[columns], names),
            "partition": numbers[columns],
            "there": found.there[rows],
            "log_end": found.log_end[columns],
        }
        | {
            name: offsets_column(values[rows, columns], values[rows, columns] == NONE)
            for name, values in (
                ("first_offset", found.first),
                ("position", found.position),
                ("committed", found.committed),
            )
        },
    )
    made["log_end"] = made["log_end"].astype("Int64")
    made.attrs["title"] = f"Positions at {found.at_ns / NS_PER_S:g} s"
    return made


def chosen_topics(world: World, topic: str | None) -> tuple[str, ...]:
    """Return the topic named, or all of them.

    Raises
    ------
    ValidationError
        There is no such topic.
    """
    known = tuple(world.partition_counts)
    if topic is None:
        return known
    if topic not in known:
        raise ValidationError(
            "topic", topic, say("one of {names}", names=", ".join(known))
        )
    return (topic,)


def moment_ns(result: Result, at_s: float | None) -> int:
    """Return a moment in nanoseconds; the run's end when none is given.

    Raises
    ------
    ValidationError
        It lies before the run's start, or beyond what any run takes.
    """
    if at_s is None:
        return int(result.facts["end_ns"])
    if not 0 <= at_s <= FOREVER_NS / NS_PER_S:
        raise ValidationError("at_s", at_s, say("at least 0 and less than 146 years"))
    return ns_from_s(at_s)


def standing(
    result: Result, world: World, topics: Sequence[str], at_ns: int
) -> Standing:
    """Return log ends and everyone's offsets at one moment.

    Parameters
    ----------
    result : Result
        With the tables `appends`, `deliveries` and `commits`.
    world : World
        The result's.
    topics : sequence of str
        Whose partitions; they are in `world.partition_counts`.
    at_ns : int
        The moment, nanoseconds since the run's start.

    Raises
    ------
    TableNotRecorded
        When the run did not record those tables.
    """
    wants, counts = world.wants, world.partition_counts
    grid = _Grid(topics, counts, [want.subscriber for want in wants])
    shape = (len(wants), grid.width)
    appends = result.columns("appends")
    deliveries, commits = result.columns("deliveries"), result.columns("commits")
    begun = _Settings(
        grid.cells(deliveries, "subscriber"),
        deliveries["started_ns"],
        deliveries["offset"],
        at_ns,
    )
    kept = grid.cells(commits, "group")
    kept[commits["outcome"] != code(commits, "outcome", "ok")] = NONE
    stored = _Settings(kept, commits["at_ns"], commits["offset"], at_ns)
    grown = _Settings(
        grid.columns(appends),
        appends["appended_ns"],
        appends["base_offset"] + appends["record_count"],
        at_ns,
    )
    reads = [[t in want.streams for t, _ in grid.partitions] for want in wants]
    came_ns = np.array([want.from_ns for want in wants], dtype=np.int64)
    none = np.full(shape, NONE, dtype=np.int64)
    zero = none.copy()
    zero[came_ns == 0] = 0
    last = begun.last(none)
    return Standing(
        at_ns=at_ns,
        wants=wants,
        partitions=grid.partitions,
        log_end=grown.last(np.zeros(grid.width, dtype=np.int64)),
        reads=np.array(reads, dtype=np.bool_).reshape(shape),
        there=came_ns <= at_ns,
        first=begun.first(none),
        position=np.where(last == NONE, zero, last + 1),
        committed=stored.last(zero),
        gone=_gone_by(result, grid, at_ns),
    )


def _gone_by(result: Result, grid: "_Grid", at_ns: int) -> tuple[Runs, ...]:
    """Return by column the runs of offsets whose records had left the log by a time."""
    if "removals" not in result.tables:
        return ((),) * grid.width
    rows = result.columns("removals")
    leaders = leaders_of({name: result.columns(name) for name in result.tables})
    met_ns = met_by_readers(rows, leaders)
    columns = np.where(met_ns <= at_ns, grid.columns(rows), NONE)
    runs = np.column_stack((rows["from_offset"], rows["to_offset"]))
    runs = runs[np.lexsort((rows["from_offset"], columns))]
    ends = np.searchsorted(np.sort(columns), np.arange(grid.width + 1))
    return tuple(
        _joined(runs[low:high].tolist()) for low, high in pairwise(ends.tolist())
    )


def _joined(runs: Sequence[tuple[int, int]]) -> Runs:
    """Return runs, rising by their begin, that do not overlap: one for those that did.

    What one copy of a log lost and then another, readers lost once.
    """
    joined: list[tuple[int, int]] = []
    for first, end in runs:
        if joined and first < joined[-1][1]:
            joined[-1] = joined[-1][0], max(joined[-1][1], end)
        else:
            joined.append((first, end))
    return tuple(joined)


class _Grid:
    """Numbers the partitions of some topics, and the pairs of subscriber and one."""

    def __init__(
        self,
        topics: Sequence[str],
        counts: Mapping[str, int],
        subscribers: Sequence[str],
    ) -> None:
        self.partitions = tuple(
            (t, number) for t in topics for number in range(counts[t])
        )
        self.width = len(self.partitions)
        ends = np.cumsum([0, *(counts[topic] for topic in topics)])
        self._base = dict(zip(topics, ends.tolist(), strict=False))
        self._subscribers = {name: row for row, name in enumerate(subscribers)}

    def columns(self, table: Table) -> Int64:
        """Return the column of each row's partition; `NONE` for another topic's."""
        bases = _coded(table, "topic", self._base)
        return np.where(bases == NONE, NONE, bases + table["partition"])

    def cells(self, table: Table, owner: str) -> Int64:
        """Return the cell of each row, in flat order; `NONE` when it is in none."""
        rows = _coded(table, owner, self._subscribers)
        columns = self.columns(table)
        outside = (rows == NONE) | (columns == NONE)
        return np.where(outside, NONE, rows * self.width + columns)


def _coded(table: Table, column: str, numbers: Mapping[str, int]) -> Int64:
    """Return the number of each row's label; `NONE` when it has none."""
    found = [numbers.get(name, NONE) for name in table.labels[column]]
    return np.array([*found, NONE], dtype=np.int64)[table[column]]


class _Settings:
    """Values that are set in cells, those up to a moment, in order.

    Of several that are set in a cell at one time the largest is the last.
    """

    def __init__(
        self, cells: Int64, times_ns: Int64, values: Int64, at_ns: int
    ) -> None:
        known = (cells != NONE) & (times_ns != MISSING_NS) & (times_ns <= at_ns)
        values = values[known]
        order = np.lexsort((values, times_ns[known]))
        self._cells, self._values = cells[known][order], values[order]

    def last(self, before: Int64) -> Int64:
        """Return what each cell was set to last; `before` where it was not set."""
        found = before.copy()
        # Of a cell that is named more than once the last value stays.
        found.reshape(-1)[self._cells] = self._values
        return found

    def first(self, before: Int64) -> Int64:
        """Return what each cell was set to first; `before` where it was not set."""
        found = before.copy()
        found.reshape(-1)[self._cells[::-1]] = self._values[::-1]
        return found
