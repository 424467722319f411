"""What is kept of one subscriber's records when a run is streamed."""

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from kafkasim.result.backlog import Backlog
from kafkasim.result.histogram import BucketCounts, TimeCounts, bucket_bounds
from kafkasim.result.schema import HISTOGRAMS
from kafkasim.result.streaming_blocks import PassedBlock, ProcessedBlock, RecordBlock
from kafkasim.result.streaming_order import Overtaking, ProcessedRows
from kafkasim.result.wants import Want
from kafkasim.units import MISSING_NS, NS_PER_S

Array = NDArray[Any]
Int64 = NDArray[np.int64]
Bool = NDArray[np.bool_]

Total = str
"""A label of `totals.metric`."""


class Tally:
    """Counts, sums and extremes of the records that one subscriber wants.

    Parameters
    ----------
    want : Want
        Whose records, and which.
    streams : tuple of str
        Streams by code.
    warmup_ns : int
        What was intended before is not measured.
    bin_ns : int
        Width of a bin of time.
    """

    def __init__(
        self, want: Want, streams: tuple[str, ...], warmup_ns: int, bin_ns: int
    ) -> None:
        self._want = want
        self._streams = streams
        self._warmup_ns = warmup_ns
        self._counts: dict[Total, int] = dict.fromkeys(_COUNTED, 0)
        self._latest: dict[Total, int] = dict.fromkeys(_LATEST, MISSING_NS)
        self._measured_from_ns = MISSING_NS
        self._latency_ns_sum = 0
        self._backlog = Backlog(max(warmup_ns, want.from_ns))
        self._overtaking = Overtaking()
        self._times = {name: TimeCounts(bin_ns) for name in HISTOGRAMS[1:]}
        self._latencies = [BucketCounts(bin_ns), BucketCounts(bin_ns)]
        """Of what was intended during warm-up; of what is measured."""

    # --- taking in ----------------------------------------------------------------

    def records(self, block: RecordBlock, refused: Bool) -> None:
        """Take records that are final at their producers; which of them it refused."""
        intended, appended = block.intended_ns, block.appended_ns
        wanted = self._wanted(block)
        if not wanted.all():
            intended, appended = intended[wanted], appended[wanted]
            refused = refused[wanted]
        if not len(intended):
            return
        self._counts["wanted"] += len(intended)
        self._counts["not_accepted"] += int(np.count_nonzero(refused))
        self._note_latest("last_wanted_ns", intended)
        self._times["intended"].add(intended)
        measured = intended[intended >= self._warmup_ns]
        if len(measured):
            first = int(measured.min())
            if self._measured_from_ns != MISSING_NS:
                first = min(first, self._measured_from_ns)
            self._measured_from_ns = first
            self._note_latest("measured_until_ns", measured)
        in_log = appended[appended != MISSING_NS]
        self._counts["appended"] += len(in_log)
        self._times["appended"].add(in_log)
        self._backlog.came(in_log)

    def processed(self, block: ProcessedBlock) -> None:
        """Take hand-outs that ended as processed."""
        wanted = self._wanted(block)
        first = wanted & (block.earlier == 0)
        if not first.all():
            again = wanted & (block.earlier == 1)
            self._counts["duplicated"] += int(np.count_nonzero(again))
            block = block.where(first)
        ended = block.ended_ns
        if not len(ended):
            return
        self._counts["processed"] += len(ended)
        self._note_latest("last_processed_ns", ended)
        self._times["processed"].add(ended)
        self._backlog.went(ended if block.in_log.all() else ended[block.in_log])
        self._count_latency(block.intended_ns, ended)
        if self._warmup_ns > 0:
            block = block.where(block.intended_ns >= self._warmup_ns)
        self._counts["measured_processed"] += len(block.ended_ns)
        self._note_latest("measured_until_ns", block.ended_ns)
        self._order(block)

    def _order(self, block: ProcessedBlock) -> None:
        group = block.entity.astype(np.int64) * len(self._streams) + block.stream
        rows = ProcessedRows(group, block.intended_ns, block.record, block.ended_ns)
        owned = block.entity >= 0
        self._overtaking.add(rows if owned.all() else rows.where(owned))

    def _count_latency(self, intended: Int64, ended: Int64) -> None:
        latency = ended - intended
        self._note_latest("latency_ns_max", latency)
        # In two halves: a plain sum of many long waits would not fit 64 bits.
        high, low = int((latency >> 32).sum()), int((latency & 0xFFFF_FFFF).sum())
        self._latency_ns_sum += (high << 32) + low
        if self._warmup_ns > 0:
            measured = intended >= self._warmup_ns
            self._latencies[0].add(intended[~measured], latency[~measured])
            intended, latency = intended[measured], latency[measured]
        self._latencies[1].add(intended, latency)

    def skipped(self, block: PassedBlock) -> None:
        """Take records that a reset position passed."""
        wanted = self._wanted(block)
        self._counts["skipped"] += int(np.count_nonzero(wanted))
        self._backlog.went(block.at_ns[wanted])

    def expired(self, block: PassedBlock) -> None:
        """Take records that left their log before the subscriber had read them."""
        wanted = self._wanted(block)
        self._counts["expired"] += int(np.count_nonzero(wanted))
        self._backlog.went(block.at_ns[wanted & (block.at_ns != MISSING_NS)])

    def lost(self, block: PassedBlock) -> None:
        """Take records that no log holds; before the subscriber came, none was kept."""
        wanted = self._wanted(block)
        early = wanted & (block.intended_ns < self._want.from_ns)
        self._counts["not_kept"] += int(np.count_nonzero(early))
        self._counts["lost"] += int(np.count_nonzero(wanted & ~early))
        self._backlog.went(block.at_ns[wanted & (block.at_ns != MISSING_NS)])

    def _wanted(self, block: RecordBlock | ProcessedBlock | PassedBlock) -> Bool:
        return self._want.wanted(self._streams, block.stream, block.intended_ns)

    def advance(self, until_ns: int) -> None:
        """Sum what depends on order, up to and with `until_ns`."""
        self._backlog.advance(until_ns)
        self._overtaking.advance(until_ns)

    def _note_latest(self, name: Total, times: Int64) -> None:
        if len(times):
            self._latest[name] = max(self._latest[name], int(times.max()))

    # --- giving back --------------------------------------------------------------

    def histograms(self) -> Iterator[dict[str, Array]]:
        """Yield columns of `histograms`, without the subscriber."""
        for measured, buckets in enumerate(self._latencies):
            at, codes, counts = buckets.filled()
            lows, highs = bucket_bounds(codes)
            yield _rows("latency", at, counts, measured, (lows, highs))
        for name, times in self._times.items():
            at, counts = times.filled()
            missing = np.full(len(at), MISSING_NS, dtype=np.int64)
            yield _rows(name, at, counts, -1, (missing, missing))

    def totals(self) -> Iterator[tuple[Total, int]]:
        """Yield rows of `totals`."""
        yield from self._counts.items()
        yield "lag_records_max", self._backlog.peak
        yield "ordered", self._overtaking.records
        yield "overtaken", self._overtaking.overtaken
        seconds, nanoseconds = divmod(self._latency_ns_sum, NS_PER_S)
        yield "latency_s_sum", seconds
        yield "latency_ns_sum", nanoseconds
        yield from self._latest.items()
        yield "measured_from_ns", self._measured_from_ns


_COUNTED: Final = (
    "wanted",
    "processed",
    "duplicated",
    "lost",
    "expired",
    "skipped",
    "not_kept",
    "not_accepted",
    "appended",
    "measured_processed",
)

_LATEST: Final = (
    "last_wanted_ns",
    "last_processed_ns",
    "latency_ns_max",
    "measured_until_ns",
)
"""The largest of these is kept; missing when there was none."""


def _rows(
    metric: str, at: Int64, counts: Int64, measured: int, bounds: tuple[Int64, Int64]
) -> dict[str, Array]:
    return {
        "metric": np.full(len(at), HISTOGRAMS.index(metric)),
        "at_ns": at,
        "measured": np.full(len(at), measured),
        "low_ns": bounds[0],
        "high_ns": bounds[1],
        "count": counts,
    }
