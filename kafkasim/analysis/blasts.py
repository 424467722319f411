"""What an event interrupts: pairs × seconds, and how long it takes to catch up.

A **pair** is a source and a subscriber that wants its stream. An event hurts a pair
when it brings a silence (`kafkasim.analysis.silences`) of more than `TIMES` times the
pair's usual one: the longest before the first event of the run or, if nothing was
delivered before it, the median one. Such a silence is an **interruption**, in its full
length; it counts for the event that began last before the silence was unusual. One that
never ends counts until the last record of the run was wanted, so that a system is not
blamed for how long somebody waited for it.

The **blast radius** of an event is the sum of its interruptions over all pairs, in pair
seconds. **Recovery** is over when the backlog of every subscriber (records wanted and
to be processed) is no larger than it was at most before the first event; it is counted
from the end of the event, of one for good from its begin.

Events that mean nothing in a system ("not applicable") and those that were to come when
the run was over ("not reached") hurt nobody: their numbers are missing.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from kafkasim.analysis.arrays import Bool, Int64, step_counts
from kafkasim.analysis.dealings import (
    RECEIPT_OUTCOMES,
    Dealings,
    dealings,
    outcome_codes,
)
from kafkasim.analysis.frames import categorical, frame
from kafkasim.analysis.silences import silences, unusual
from kafkasim.result.result import Result
from kafkasim.result.rows import wanted_ns
from kafkasim.result.table import Table
from kafkasim.scenario.applicability import befell
from kafkasim.units import MISSING_NS, NS_PER_MS, NS_PER_S, ns_from_ms

if TYPE_CHECKING:
    import pandas as pd

TIMES: Final = 3.0
"""How many times its usual silence a pair must be silent to be interrupted."""

_PENDING: Final = RECEIPT_OUTCOMES.index("pending")
_NAN: Final = float("nan")


@dataclass(frozen=True, slots=True)
class Pair:
    """A source and a subscriber that wants what it sends."""

    source: str
    subscriber: str
    wanted_ns: Int64
    """When each of its records was wanted by this subscriber."""
    processed_ns: Int64
    """When work on it ended first; `MISSING_NS` when it never did."""


@dataclass(frozen=True, slots=True)
class Interruption:
    """A silence that an event brought to a pair."""

    event: int
    """Row of `events`."""
    source: str
    subscriber: str
    since_ns: int
    until_ns: int
    endless: bool


def pairs_of(result: Result, every: Sequence[Dealings] | None = None) -> list[Pair]:
    """Return the wanted pairs of a run that had a record, subscriber by subscriber.

    Raises
    ------
    TableNotRecorded
        When the run did not record `records` or `deliveries`.
    """
    records = result.columns("records")
    names, sources = records.labels["source"], records["source"]
    wanted = wanted_ns(records)
    found = []
    for dealing in dealings(result) if every is None else every:
        mine = sources[dealing.rows]
        since = np.maximum(wanted[dealing.rows], dealing.want.from_ns)
        for number in np.unique(mine).tolist():
            of = mine == number
            done = dealing.first_processed_ns[of]
            name = dealing.want.subscriber
            found.append(Pair(names[number], name, since[of], done))
    return found


def interruptions_of(
    pairs: Sequence[Pair],
    begins_ns: Int64,
    rows: Int64,
    times: float,
    least_ns: int = 0,
) -> Iterator[Interruption]:
    """Yield what events interrupted, pair by pair.

    Parameters
    ----------
    pairs : sequence of Pair
    begins_ns : int64 array of shape (k,), nanoseconds
        When each event began, rising.
    rows : int64 array of shape (k,)
        Its row in `events`.
    times : float
        How many times its usual silence a pair must be silent.
    least_ns : int
        How long it must be silent at least, nanoseconds.
    """
    last = max((int(pair.wanted_ns.max(initial=0)) for pair in pairs), default=0)
    for pair in pairs:
        found = silences(pair.wanted_ns, pair.processed_ns, last)
        unusually = unusual(found, begins_ns, times, least_ns)
        for place, event in zip(*unusually, strict=True):
            yield Interruption(
                int(rows[event]),
                pair.source,
                pair.subscriber,
                int(found.since_ns[place]),
                int(found.until_ns[place]),
                bool(found.endless[place]),
            )


def interruptions(
    result: Result, *, times: float = TIMES, least_ms: float = 0.0
) -> "pd.DataFrame":
    """Return when events kept a pair of source and subscriber from its records.

    Parameters
    ----------
    result : Result
        With `records`, `deliveries` and `events`.
    times : float
        How many times its usual silence a pair must be silent to be interrupted.
    least_ms : float
        How long it must be silent at least, milliseconds.

    Returns
    -------
    pandas.DataFrame
        One row per interruption, in order of time: `event` (such as `Crash`), `target`,
        `source`, `subscriber`, `since_ms`, `until_ms` (NaN: never over), `stopped_s`
        (of one that is never over, until the last record was wanted).

    Raises
    ------
    TableNotRecorded
        When the run did not record those tables.
    """
    events = result.columns("events")
    found = sorted(
        interruptions_of(
            pairs_of(result), *_begun(events), times, ns_from_ms(least_ms)
        ),
        key=lambda each: (each.since_ns, each.event, each.source, each.subscriber),
    )
    rows = np.array([each.event for each in found], dtype=np.int64)
    since = np.array([each.since_ns for each in found], dtype=np.int64)
    until = np.array([each.until_ns for each in found], dtype=np.int64)
    endless = np.array([each.endless for each in found], dtype=np.bool_)
    return frame(
        result,
        {
            "event": categorical(events["event"][rows], events.labels["event"]),
            "target": categorical(events["target"][rows], events.labels["target"]),
            "source": [each.source for each in found],
            "subscriber": [each.subscriber for each in found],
            "since_ms": since / NS_PER_MS,
            "until_ms": np.where(endless, np.nan, until / NS_PER_MS),
            "stopped_s": (until - since) / NS_PER_S,
        },
    )


def blast_radius(
    result: Result, *, times: float = TIMES, least_ms: float = 0.0
) -> "pd.DataFrame":
    """Return what each event of a run interrupted, and how long recovery took.

    Parameters
    ----------
    result : Result
        With `records`, `deliveries` and `events`.
    times : float
        How many times its usual silence a pair must be silent to be interrupted.
    least_ms : float
        How long it must be silent at least, milliseconds.

    Returns
    -------
    pandas.DataFrame
        One row per event: `event`, `target`, `at_ms`, `until_ms` (NaN: for good),
        `effect`, `pairs` (wanted ones of the run), `pairs_hurt`, `blast_pair_s` (pairs
        × seconds), `longest_s` (interruption), `recovery_s` (after the event; NaN while
        a record is pending or an interruption is never over). All numbers are NaN for
        an event that means nothing in this system, or came too late.

    Raises
    ------
    TableNotRecorded
        When the run did not record those tables.
    """
    events = result.columns("events")
    every = dealings(result)
    pairs = pairs_of(result, every)
    begins, rows = _begun(events)
    least_ns = ns_from_ms(least_ms)
    found = list(interruptions_of(pairs, begins, rows, times, least_ns))
    first = int(begins[0]) if len(begins) else 0
    backlogs = [_backlog(each, result, first) for each in every]
    told = [
        _told(events, row, [each for each in found if each.event == row], backlogs)
        for row in range(len(events))
    ]
    until = events["until_ns"]
    columns: dict[str, object] = {
        "event": categorical(events["event"], events.labels["event"]),
        "target": categorical(events["target"], events.labels["target"]),
        "at_ms": events["at_ns"] / NS_PER_MS,
        "until_ms": np.where(until == MISSING_NS, np.nan, until / NS_PER_MS),
        "effect": categorical(events["effect"], events.labels["effect"]),
        "pairs": np.full(len(events), len(pairs), dtype=np.int64),
    }
    names = ("pairs_hurt", "blast_pair_s", "longest_s", "recovery_s")
    for place, name in enumerate(names):
        columns[name] = np.array([each[place] for each in told], dtype=np.float64)
    return frame(result, columns)


def applies(events: Table) -> Bool:
    """Return which rows of `events` befell the system that ran."""
    labels = [befell(text) for text in events.labels["effect"]]
    return np.array([*labels, True])[events["effect"]]


def _begun(events: Table) -> tuple[Int64, Int64]:
    """Return when the events that apply began, rising, and their rows."""
    rows = np.flatnonzero(applies(events))
    begins = events["at_ns"][rows].astype(np.int64)
    order = np.argsort(begins, kind="stable")
    return begins[order], rows[order]


@dataclass(frozen=True, slots=True)
class _Backlog:
    """Records that one subscriber wants and will process, over time."""

    at_ns: Int64
    counts: Int64
    usual: int
    pending: bool

    def over_ns(self, from_ns: int) -> int:
        """Return when it is as small as usual, from a time on."""
        place = int(np.searchsorted(self.at_ns, from_ns, side="right")) - 1
        if place < 0 or self.counts[place] <= self.usual:
            return from_ns
        small = np.flatnonzero(self.counts[place:] <= self.usual)
        return int(self.at_ns[place + small[0]]) if len(small) else from_ns


def _backlog(dealing: Dealings, result: Result, before_ns: int) -> _Backlog:
    records = result.columns("records")
    pending = bool((outcome_codes(dealing, records) == _PENDING).any())
    done = dealing.done
    came = np.maximum(wanted_ns(records)[dealing.rows], dealing.want.from_ns)[done]
    ones = np.ones(len(came), dtype=np.int64)
    left = dealing.first_processed_ns[done]
    times = np.concatenate([came, left])
    at, counts = step_counts(times, np.concatenate([ones, -ones]))
    usual = int(counts[at < before_ns].max(initial=0))
    return _Backlog(at, counts, usual, pending)


def _told(
    events: Table,
    row: int,
    found: Sequence[Interruption],
    backlogs: Sequence[_Backlog],
) -> tuple[float, float, float, float]:
    """Return pairs hurt, pair seconds, the longest interruption, and recovery."""
    if not applies(events)[row]:
        return _NAN, _NAN, _NAN, _NAN
    lengths = [each.until_ns - each.since_ns for each in found]
    hurt = len({(each.source, each.subscriber) for each in found})
    radius, longest = sum(lengths) / NS_PER_S, max(lengths, default=0) / NS_PER_S
    if any(each.endless for each in found) or any(each.pending for each in backlogs):
        return hurt, radius, longest, _NAN
    until = int(events["until_ns"][row])
    over = int(events["at_ns"][row]) if until == MISSING_NS else until
    again = max([over, *(each.until_ns for each in found)])
    caught_up = max([again, *(each.over_ns(again) for each in backlogs)])
    return hurt, radius, longest, (caught_up - over) / NS_PER_S
