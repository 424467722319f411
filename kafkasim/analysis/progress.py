"""How far a subscriber has come: log end, position, committed offset, lag.

In a partition the **log start** is the first offset that can be read, the **log end**
that of the next record to be appended; the **position** here is one past the last
record whose work has begun; the **committed** offset is where a member that takes over
would go on. Committed ≤ position ≤ log end in a healthy run, and position − committed
is what a crash at that moment makes a group begin twice. A log start that has passed a
position leaves its reader out of range.

This line is finer than Kafka's `consumer.position()`, which jumps by a whole poll when
the poll returns it (`KafkaConsumer.position`): for that one position − committed is an
upper bound, since of what was returned not all has been begun.

**Lag** here is records appended and not yet processed, of those the subscriber wants;
what a reset position skips leaves it when the subscriber begins to read beyond it.
It differs from `kafka-consumer-groups --describe`, which takes log end − committed:
that one grows and shrinks with the commit interval even when no record waits. **Lag in
seconds** is how long the oldest of them has waited; it grows by a second each second
until that one is processed, be the others many or few.
"""

from typing import TYPE_CHECKING, Final, Literal, NamedTuple

import numpy as np

from kafkasim.analysis.arrays import (
    Bool,
    Int64,
    step_at,
    step_counts,
    step_last,
    step_peaks,
)
from kafkasim.analysis.dealings import Dealings, dealings, joined
from kafkasim.analysis.frames import categorical, frame, offsets_column
from kafkasim.analysis.oldest import Waits
from kafkasim.analysis.time_bins import time_bins
from kafkasim.analysis.world import world_of
from kafkasim.catalogue import say
from kafkasim.errors import ValidationError
from kafkasim.result.leaders import leaders_of
from kafkasim.result.result import Result
from kafkasim.result.rows import code
from kafkasim.result.table import Table
from kafkasim.result.wants import Want
from kafkasim.units import FOREVER_NS, MISSING_NS, NS_PER_MS, NS_PER_S, ms_from_ns

if TYPE_CHECKING:
    import pandas as pd

SUBSCRIBER: Final = "subscriber"
"""Key of the `attrs` of `offsets` that holds whose they are."""

Steps = tuple[Int64, Int64]


class _Lag(NamedTuple):
    """Lag of one series."""

    records: Steps
    waits: Waits


def lag(
    result: Result,
    *,
    subscriber: str | None = None,
    partition: int | None = None,
    by: Literal["subscriber", "partition"] = "subscriber",
    bin_ms: float | None = None,
) -> "pd.DataFrame":
    """Return lag over time.

    Parameters
    ----------
    result : Result
        With the tables `records` and `deliveries`.
    subscriber : str, optional
        Only this one.
    partition : int, optional
        Only records in the partition of this number.
    by : {"subscriber", "partition"}
        Summed over partitions, or one series per topic and partition.
    bin_ms : float, optional
        Width of a bin in milliseconds; without it a round width.

    Returns
    -------
    pandas.DataFrame
        One row per series and bin: `subscriber` (and `topic`, `partition`), `at_ms`
        (where the bin begins), `lag_records` (then), `lag_records_max` (the largest
        within the bin, exact); `lag_s`, the age of the oldest record that waits then,
        in seconds since it was appended (0: none waits), and `lag_s_max`, the largest
        within the bin. No rows for a system that keeps no log.

    Raises
    ------
    ValidationError
        An unknown subscriber, `by` is neither, `bin_ms` is not above 0.
    TableNotRecorded
        When the run did not record those tables.
    """
    if by not in ("subscriber", "partition"):
        raise ValidationError("by", by, say("subscriber or partition"))
    records = result.columns("records")
    every = dealings(result)
    if subscriber is not None:
        chosen_want(result, subscriber)
        every = tuple(d for d in every if d.want.subscriber == subscriber)
    edges = time_bins(records, every, bin_ms)
    series = [
        (place, topic, number, _lag_of(records, dealing, kept))
        for place, dealing in enumerate(every)
        for topic, number, kept in _parts(records, dealing, by, partition)
    ]
    return _lag_frame(result, [d.want.subscriber for d in every], by, series, edges)


def _parts(
    records: Table, dealing: Dealings, by: str, partition: int | None
) -> list[tuple[int, int, Bool]]:
    """Return topic code, partition and mask of each series of one subscriber."""
    topics = records["topic"][dealing.rows].astype(np.int64)
    partitions = records["partition"][dealing.rows].astype(np.int64)
    kept = dealing.appended_ns(records) != MISSING_NS
    if partition is not None:
        kept &= partitions == partition
    if by == "subscriber":
        return [(-1, -1, kept)] if kept.any() else []
    span = int(partitions.max(initial=0)) + 1
    packed = topics * span + partitions
    return [
        (int(each // span), int(each % span), kept & (packed == each))
        for each in np.unique(packed[kept])
    ]


def _lag_of(records: Table, dealing: Dealings, kept: Bool) -> _Lag:
    appended = dealing.appended_ns(records)[kept]
    every = dealing.left_ns[kept]
    left = every[every != MISSING_NS]
    times = np.concatenate((np.maximum(appended, dealing.want.from_ns), left))
    one = np.ones(len(times), dtype=np.int64)
    one[len(appended) :] = -1
    return _Lag(
        step_counts(times, one), Waits.of(appended, every, dealing.want.from_ns)
    )


def _lag_frame(
    result: Result,
    names: list[str],
    by: str,
    series: list[tuple[int, int, int, _Lag]],
    edges: Int64,
) -> "pd.DataFrame":
    bins = len(edges) - 1
    owners = np.repeat(np.array([each[0] for each in series], dtype=np.int64), bins)
    columns: dict[str, object] = {"subscriber": categorical(owners, names)}
    if by == "partition":
        topics = np.array([each[1] for each in series], dtype=np.int64)
        numbers = np.array([each[2] for each in series], dtype=np.int64)
        labels = result.columns("records").labels["topic"]
        columns["topic"] = categorical(np.repeat(topics, bins), labels)
        columns["partition"] = np.repeat(numbers, bins)
    columns["at_ms"] = np.tile(edges[:-1] / NS_PER_MS, len(series))
    lags = [each[3] for each in series]
    starts = edges[:-1]
    columns["lag_records"] = joined([step_at(*e.records, starts) for e in lags])
    columns["lag_records_max"] = joined([step_peaks(*e.records, edges) for e in lags])
    columns["lag_s"] = joined([e.waits.ages_ns(starts) for e in lags]) / NS_PER_S
    columns["lag_s_max"] = joined([e.waits.peaks_ns(edges) for e in lags]) / NS_PER_S
    return frame(result, columns)


def offsets(
    result: Result,
    *,
    subscriber: str | None = None,
    topic: str | None = None,
    partition: int = 0,
) -> "pd.DataFrame":
    """Return log start, log end, position and committed offset of one partition.

    Parameters
    ----------
    result : Result
        With the tables `appends`, `deliveries` and `commits`; and `segments`, unless it
        was saved before there was that table.
    subscriber : str, optional
        Whose position and commits; the scenario's first without it.
    topic : str, optional
        The first of the subscriber's streams without it.
    partition : int
        From 0.

    Returns
    -------
    pandas.DataFrame
        One row at time 0 and at each time when one of the four changed, none left out:
        `at_ms`, `log_start`, `log_end`, `position`, `committed` (`Int64`). The log
        start moves when retention deletes segments. The position is one past the last
        record whose work has begun, finer than Kafka's `consumer.position()`; it falls
        when work is begun again after a crash, and rises where a member begins beyond
        what the one before had begun. Of a subscriber that came later it is
        `<NA>` until its work begins, and the committed offset until its first commit.
        `attrs["title"]` names the partition and who reads, `attrs["subscriber"]` them.

    Raises
    ------
    ValidationError
        An unknown subscriber, or the topic has no such partition.
    TableNotRecorded
        When the run did not record those tables: a system without a log has none.
    """
    appends = result.columns("appends")
    want = chosen_want(result, subscriber)
    name = want.streams[0] if topic is None else topic
    _check_partition(result, name, partition)
    ends = _log_ends(appends, name, partition)
    positions = _positions(result, want, name, partition)
    commits = _committed(result.columns("commits"), want, name, partition)
    starts = _log_starts(result, name, partition)
    zero = np.zeros(1, dtype=np.int64)
    at = np.unique(np.concatenate((zero, starts[0], ends[0], positions[0], commits[0])))
    start = 0 if want.from_ns == 0 else -1
    position = step_at(*positions, at, before=start)
    committed = step_at(*commits, at, before=start)
    made = frame(
        result,
        {
            "at_ms": ms_from_ns(at),
            "log_start": offsets_column(step_at(*starts, at), at < 0),
            "log_end": offsets_column(step_at(*ends, at), at < 0),
            "position": offsets_column(position, position < 0),
            "committed": offsets_column(committed, committed < 0),
        },
    )
    made.attrs[SUBSCRIBER] = want.subscriber
    made.attrs["title"] = say(
        "Offsets of {partition}, read by {name}",
        partition=f"{name}-{partition}",
        name=want.subscriber,
    )
    return made


def chosen_want(result: Result, subscriber: str | None) -> Want:
    """Return the want of the subscriber named, or the scenario's first.

    Raises
    ------
    ValidationError
        The scenario has no such subscriber.
    """
    known = world_of(result).wants
    for want in known:
        if subscriber is None or want.subscriber == subscriber:
            return want
    names = ", ".join(want.subscriber for want in known)
    allowed = (
        say("one of {names}", names=names)
        if known
        else say("a run with one: nobody reads in this one")
    )
    raise ValidationError("subscriber", subscriber, allowed)


def _check_partition(result: Result, topic: str, partition: int) -> None:
    counts = world_of(result).partition_counts
    if topic not in counts:
        raise ValidationError(
            "topic", topic, say("one of {names}", names=", ".join(counts))
        )
    if not 0 <= partition < counts[topic]:
        raise ValidationError(
            "partition",
            partition,
            say("{low} to {high}", low=0, high=counts[topic] - 1),
        )


def _in_partition(table: Table, topic: str, partition: int) -> Bool:
    inside: Bool = (table["topic"] == code(table, "topic", topic)) & (
        table["partition"] == partition
    )
    return inside


def _log_ends(appends: Table, topic: str, partition: int) -> Steps:
    inside = _in_partition(appends, topic, partition)
    ends = appends["base_offset"][inside] + appends["record_count"][inside]
    return step_last(appends["appended_ns"][inside], ends)


def _log_starts(result: Result, topic: str, partition: int) -> Steps:
    """Return where the log starts: at the oldest segment that retention has left.

    That need not be where a deleted one ended: compaction leaves gaps between them. Of
    several copies the leader's counts.
    """
    if "segments" not in result.tables:
        return np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64)
    segments = result.columns("segments")
    inside = _in_partition(segments, topic, partition)
    bases = segments["base_offset"][inside]
    came, went = segments["created_ns"][inside], segments["deleted_ns"][inside]
    retained = segments["cause"][inside] != code(segments, "cause", "compaction")
    at = np.unique(went[(went != MISSING_NS) & retained])
    there = np.ones((len(at), len(bases)), dtype=np.bool_)
    leaders = leaders_of({name: result.columns(name) for name in result.tables})
    if leaders is not None and len(at):
        number = code(segments, "topic", topic) * leaders.span + partition
        steps = leaders.partition == number
        since, broker = leaders.at_ns[steps], leaders.broker[steps]
        at = np.unique(np.concatenate([at, since[since > at[0]]]))
        leader = broker[np.maximum(np.searchsorted(since, at, "right") - 1, 0)]
        there = segments["broker"][inside] == leader[:, np.newaxis]
    starts = [
        bases[mine & (came <= now) & ((went == MISSING_NS) | (went > now))].min()
        for now, mine in zip(at.tolist(), there, strict=True)
    ]
    return at, np.array(starts, dtype=np.int64)


def _positions(result: Result, want: Want, topic: str, partition: int) -> Steps:
    """Return one past the last record begun, or where a member began beyond that."""
    deliveries = result.columns("deliveries")
    inside = _in_partition(deliveries, topic, partition)
    inside &= deliveries["subscriber"] == code(
        deliveries, "subscriber", want.subscriber
    )
    inside &= deliveries["started_ns"] != MISSING_NS
    at, begun = deliveries["started_ns"][inside], deliveries["offset"][inside] + 1
    if "assignments" in result.tables:
        since, first = _beginnings(
            result.columns("assignments"), want, topic, partition
        )
        beyond = first > step_at(*step_last(at, begun), since, before=FOREVER_NS)
        at = np.concatenate((at, since[beyond]))
        begun = np.concatenate((begun, first[beyond]))
    return step_last(at, begun)


def _beginnings(assignments: Table, want: Want, topic: str, partition: int) -> Steps:
    """Return when members began to read a partition, and with which offset."""
    inside = _in_partition(assignments, topic, partition)
    inside &= assignments["group"] == code(assignments, "group", want.subscriber)
    return assignments["since_ns"][inside], assignments["start_offset"][inside]


def _committed(commits: Table, want: Want, topic: str, partition: int) -> Steps:
    inside = _in_partition(commits, topic, partition)
    inside &= commits["group"] == code(commits, "group", want.subscriber)
    inside &= commits["outcome"] == code(commits, "outcome", "ok")
    inside &= commits["at_ns"] != MISSING_NS
    return step_last(commits["at_ns"][inside], commits["offset"][inside])
