"""What the queue explorer shows of two runs: numbers, from numpy columns."""

from dataclasses import dataclass

import numpy as np

from kafkasim.analysis.arrays import Bool, Float64, Int64
from kafkasim.analysis.blasts import applies
from kafkasim.result.result import Result
from kafkasim.result.rows import code
from kafkasim.units import MISSING_NS, NS_PER_S


@dataclass(frozen=True, slots=True)
class Readings:
    """What one subscriber was given, in the order of time."""

    record: Int64
    """Which record was done."""
    at_s: Float64
    """When, in seconds."""
    left_record: Int64
    """Which record was left in the middle of its work."""
    left_at_s: Float64
    """When its work began, in seconds."""

    def times(self, records: int) -> Int64:
        """Return how often each record was done."""
        counted: Int64 = np.bincount(self.record, minlength=records).astype(np.int64)
        return counted


@dataclass(frozen=True, slots=True)
class Side:
    """What a system holds of each record, and who read it."""

    since_s: Float64
    """From when it has each record, seconds; NaN if it never had it."""
    until_s: Float64
    """When it forgot it; NaN if it still has it in the end."""
    first: Readings
    second: Readings

    @property
    def kept(self) -> Bool:
        """Whether each record is still there in the end."""
        there: Bool = ~np.isnan(self.since_s) & np.isnan(self.until_s)
        return there

    @property
    def left(self) -> int:
        """Records that are still there in the end."""
        return int(np.count_nonzero(self.kept))

    @property
    def first_times(self) -> Int64:
        """How often the first reader did each record."""
        return self.first.times(len(self.since_s))

    @property
    def second_times(self) -> Int64:
        """How often the second reader did each record."""
        return self.second.times(len(self.since_s))

    @property
    def got(self) -> int:
        """Records that the second reader did."""
        return int(np.count_nonzero(self.second_times))

    @property
    def again(self) -> int:
        """Records that the first reader did more than once."""
        return int(np.count_nonzero(self.first_times > 1))

    @property
    def handed_out_again(self) -> int:
        """Records that were left in the middle of the work, and done later."""
        return int(np.count_nonzero(np.isin(self.first.left_record, self.first.record)))


@dataclass(frozen=True, slots=True)
class Shown:
    """What the figure shows: the same records in a queue and in a log."""

    queue: Side
    log: Side
    comes_s: float
    """When the second reader comes, seconds."""
    dies_s: float
    """When the first one dies, seconds; NaN if it does not."""
    replay_s: float
    """When the first one was told to read again, seconds; NaN if it was not."""


def shown_of(queue: Result, log: Result, first: str, second: str) -> Shown:
    """Return what the figure shows of two runs of the same records.

    Parameters
    ----------
    queue : Result
        With the table `queues`.
    log : Result
        With the table `records` of a system with offsets.
    first, second : str
        The subscribers.
    """
    subscribers = log.scenario.resolve().traffic.subscribers
    return Shown(
        queue=_side(queue, _queued(queue), first, second),
        log=_side(log, _logged(log), first, second),
        comes_s=subscribers[second].from_s,
        dies_s=_moment(log, "Crash"),
        replay_s=_moment(log, "Seek"),
    )


def _side(
    result: Result, held: tuple[Float64, Float64], first: str, second: str
) -> Side:
    return Side(*held, _readings(result, first), _readings(result, second))


def _queued(result: Result) -> tuple[Float64, Float64]:
    """Return from when until when any queue has each record.

    It is gone when it has left every queue that it was put into.
    """
    rows, count = result.columns("queues"), len(result.columns("records"))
    record, at_s = rows["record_id"], rows["at_ns"] / NS_PER_S
    came = rows["change"] == code(rows, "change", "enqueued")
    went = rows["change"] == code(rows, "change", "acked")
    since, until = np.full(count, np.inf), np.full(count, -np.inf)
    np.minimum.at(since, record[came], at_s[came])
    np.maximum.at(until, record[went], at_s[went])
    copies, gone = (np.bincount(record[each], minlength=count) for each in (came, went))
    until[gone < copies] = np.nan
    return np.where(copies > 0, since, np.nan), np.where(copies > 0, until, np.nan)


def _logged(result: Result) -> tuple[Float64, Float64]:
    """Return from when until when a log has each record: nothing has removed any."""
    appended = result.columns("records")["appended_ns"]
    since = np.where(appended == MISSING_NS, np.nan, appended / NS_PER_S)
    return since, np.full(len(since), np.nan)


def _readings(result: Result, subscriber: str) -> Readings:
    """Return what a subscriber did, and what it left undone."""
    rows = result.columns("deliveries")
    mine = np.equal(rows["subscriber"], code(rows, "subscriber", subscriber))
    ended, started = rows["ended_ns"], rows["started_ns"]
    done = np.flatnonzero(mine & (ended != MISSING_NS))
    done = done[np.argsort(ended[done], kind="stable")]
    left = np.flatnonzero(mine & (started != MISSING_NS) & (ended == MISSING_NS))
    return Readings(
        record=rows["record_id"][done],
        at_s=ended[done] / NS_PER_S,
        left_record=rows["record_id"][left],
        left_at_s=started[left] / NS_PER_S,
    )


def _moment(result: Result, event: str) -> float:
    """Return when an event happened first, seconds; NaN if it did not."""
    rows = result.columns("events")
    if event not in rows.labels["event"]:
        return np.nan
    happened = applies(rows) & (rows["event"] == code(rows, "event", event))
    at = rows["at_ns"][happened]
    return int(at.min()) / NS_PER_S if len(at) else np.nan
