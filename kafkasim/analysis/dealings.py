"""Records × subscribers: who wanted what, and what became of it.

A **receipt** is a record together with a subscriber that wants it: its stream is one of
the subscriber's, and it was intended at or after the time the subscriber came, unless
that one wants history too (`wants="all"`). What became of it:

A record that the application sent again is none of its own: who wants the original
wants it or any of its repetitions, once. The receipt is about the one that it processed
first; or else one that a log holds, and if none does, one that may still come.

- `once`, `duplicated`: processed once, or more than once;
- `not_accepted`: the client gave it up (outcome `failed`) and no log holds it;
- `not_kept`: intended before the subscriber came, acknowledged without it, and held by
  no log: the system keeps nothing for a latecomer;
- `lost`: acknowledged, held by no log, and not processed: nobody will bring it again;
- `expired`: kept once and gone: it left its log, by retention or compaction, before the
  subscriber had processed it or a reset position had passed it;
- `skipped`: in a log, below an offset at which the subscriber began to read: a reset
  position passed it (KafkaConsumer, `auto.offset.reset`);
- `pending`: none of these when the run ended; it may still come.

A system that keeps no log, but records in queues, writes what it lets go into the table
`drops`, for each subscriber that goes without. Such a record is `lost` if it was
acknowledged, `not_accepted` if it was not, and any other may still come.

Counting is one `bincount` per subscriber, O(records + deliveries).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from kafkasim.analysis.arrays import Bool, Int64
from kafkasim.result.queued import Queued, queued
from kafkasim.result.removals import passed_or_gone
from kafkasim.result.result import Result
from kafkasim.result.rows import code, rows_with_label, wanted_ns
from kafkasim.result.sent_again import roots_of, standing_for
from kafkasim.result.table import Array, Table
from kafkasim.result.wants import Want, wants_of
from kafkasim.units import MISSING_NS

RECEIPT_OUTCOMES: Final = (
    "once",
    "duplicated",
    "lost",
    "expired",
    "skipped",
    "not_kept",
    "not_accepted",
    "pending",
)
"""What can become of a record for a subscriber that wants it; a code is the
position."""


@dataclass(frozen=True, slots=True)
class Dealings:
    """One subscriber's dealings with the records that it wants, as arrays."""

    want: Want
    """Whose they are."""
    rows: Int64
    """Records wanted: rows of the table `records`, rising but for those in whose place
    one stands that was sent again."""
    deliveries: Int64
    """Hand-outs of each to the subscriber."""
    processed: Int64
    """How many of them ended as processed."""
    first_processed_ns: Int64
    """End of the first that did; `MISSING_NS` when none did."""
    skipped_ns: Int64
    """When the subscriber began to read beyond it, or else when compaction removed it;
    `MISSING_NS` when neither ever was, and for what it processed."""
    expired: Bool
    """Which of them left their log before the subscriber had processed them."""
    queue: Queued | None = None
    """What became of them in the subscriber's queue, in a system that has queues."""
    dropped: Bool | None = None
    """Which of them the system let go; none: it does not tell."""

    @property
    def done(self) -> Bool:
        """Which of them were processed at least once."""
        return self.processed > 0

    @property
    def left_ns(self) -> Int64:
        """When each stopped to wait: processed or skipped; `MISSING_NS` if it waits."""
        if self.queue is not None:
            return np.where(self.done, self.first_processed_ns, self.queue.gone_ns)
        if bool((self.skipped_ns == MISSING_NS).all()):
            return self.first_processed_ns
        return np.where(self.done, self.first_processed_ns, self.skipped_ns)

    def appended_ns(self, records: Table) -> Int64:
        """Return when each came into a log, or into the subscriber's queue."""
        if self.queue is not None:
            return self.queue.came_ns
        return self.take(records["appended_ns"])

    def take(self, column: Array) -> Array:
        """Return a column of `records` for the records wanted; no copy when all are."""
        return column if len(column) == len(self.rows) else column[self.rows]


def dealings(result: Result) -> tuple[Dealings, ...]:
    """Return every subscriber's dealings, in the scenario's order.

    Raises
    ------
    TableNotRecorded
        When the run did not record `records` or `deliveries`.
    """
    return dealings_of(result, wants_of(result.scenario.resolve()))


def dealings_of(result: Result, wants: Sequence[Want]) -> tuple[Dealings, ...]:
    """Return the dealings of the subscribers with these wants."""
    read = ["records", "deliveries"]
    more = ("assignments", "removals", "replicas", "queues", "drops")
    read += [name for name in more if name in result.tables]
    tables = {name: result.columns(name) for name in read}
    return tuple(_dealings(want, tables) for want in wants)


def _dealings(want: Want, tables: Mapping[str, Table]) -> Dealings:
    records, deliveries = tables["records"], tables["deliveries"]
    count = len(records)
    mine = rows_with_label(deliveries, "subscriber", want.subscriber)
    handed = deliveries["record_id"][mine]
    ended = deliveries["ended_ns"][mine]
    done = deliveries["outcome"][mine] == code(deliveries, "outcome", "processed")
    stands_for = standing_for(records, handed, ended, done)
    if stands_for is not None:
        handed = roots_of(records)[handed]
    handed_out = processed = np.bincount(handed, minlength=count)
    if not done.all():
        handed, ended = handed[done], ended[done]
        processed = np.bincount(handed, minlength=count)
    first = first_times(handed, ended, processed)
    wanted = want.wanted(
        records.labels["stream"], records["stream"], wanted_ns(records)
    )
    if stands_for is not None:
        wanted &= records["resend_of"] < 0
    rows = np.flatnonzero(wanted)
    if len(rows) < count:
        handed_out, processed, first = handed_out[rows], processed[rows], first[rows]
    if stands_for is not None:
        rows = stands_for[rows]
    skipped = np.full(len(rows), MISSING_NS, dtype=np.int64)
    expired = np.zeros(len(rows), dtype=np.bool_)
    if bool((open_ := processed == 0).any()):
        skipped[open_], expired[open_] = passed_or_gone(want, tables, rows[open_])
    queue = None
    if "queues" in tables:
        queue = queued(tables["queues"], want.subscriber, rows)
    dropped = None
    if "drops" in tables:
        drops = tables["drops"]
        theirs = rows_with_label(drops, "subscriber", want.subscriber)
        dropped = np.isin(rows, drops["record_id"][theirs])
    return Dealings(
        want, rows, handed_out, processed, first, skipped, expired, queue, dropped
    )


def first_times(ids: Int64, times: Int64, counts: Int64) -> Int64:
    """Return the earliest time of each id.

    Parameters
    ----------
    ids : int64 array of shape (n,)
    times : int64 array of shape (n,), nanoseconds
    counts : int64 array of shape (m,)
        How often each id occurs.

    Returns
    -------
    int64 array of shape (m,)
        `MISSING_NS` for an id that does not occur.
    """
    first = np.full(len(counts), MISSING_NS, dtype=np.int64)
    if len(ids) and int(counts.max()) > 1:
        latest_first = np.argsort(-times, kind="stable")
        first[ids[latest_first]] = times[latest_first]
    else:
        first[ids] = times
    return first


def outcome_codes(dealing: Dealings, records: Table) -> NDArray[np.int8]:
    """Return what became of each record wanted, as positions in `RECEIPT_OUTCOMES`."""
    codes = np.full(len(dealing.rows), RECEIPT_OUTCOMES.index("once"), dtype=np.int8)
    codes[dealing.processed > 1] = RECEIPT_OUTCOMES.index("duplicated")
    places = np.flatnonzero(dealing.processed == 0)
    if len(places):
        codes[places] = _unprocessed_codes(dealing, places, records)
    return codes


def _unprocessed_codes(
    dealing: Dealings, places: Int64, records: Table
) -> NDArray[np.int8]:
    rows = dealing.rows[places]
    ending = records["outcome"][rows]
    early = wanted_ns(records)[rows] < dealing.want.from_ns
    acked = ending == code(records, "outcome", "acked")
    failed = ending == code(records, "outcome", "failed")
    unheld = records["log_copies"][rows] == 0
    if dealing.queue is not None:
        unheld = ~dealing.queue.held[places]
        acked |= ending == code(records, "outcome", "unacked")
    passed = dealing.skipped_ns[places] != MISSING_NS
    codes = np.full(len(rows), RECEIPT_OUTCOMES.index("pending"), dtype=np.int8)
    codes[passed] = RECEIPT_OUTCOMES.index("skipped")
    codes[dealing.expired[places]] = RECEIPT_OUTCOMES.index("expired")
    lost, passed_by, given_up = unheld & acked, unheld & acked & early, unheld & failed
    if dealing.dropped is not None:
        dropped = dealing.dropped[places]
        lost, given_up = dropped & acked, dropped & ~acked
        early &= records["created_ns"][rows] < dealing.want.from_ns
        passed_by = early & (acked | failed) & ~dropped
    codes[lost] = RECEIPT_OUTCOMES.index("lost")
    codes[passed_by] = RECEIPT_OUTCOMES.index("not_kept")
    codes[given_up] = RECEIPT_OUTCOMES.index("not_accepted")
    return codes


def outcome_counts(dealing: Dealings, records: Table) -> dict[str, int]:
    """Count the records wanted by what became of them."""
    codes = outcome_codes(dealing, records)
    counts = np.bincount(codes, minlength=len(RECEIPT_OUTCOMES))
    return dict(zip(RECEIPT_OUTCOMES, counts.tolist(), strict=True))


def joined(parts: Sequence[Int64]) -> Int64:
    """Join arrays end to end; no arrays give an empty one."""
    return np.concatenate(parts) if parts else np.zeros(0, dtype=np.int64)
