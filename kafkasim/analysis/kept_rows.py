"""A full run's answers: computed from a row per record and per hand-out."""

from collections.abc import Mapping, Sequence

import numpy as np

from kafkasim.analysis.arrays import (
    Int64,
    counts_in_bins,
    grouped_nearest_ranks,
)
from kafkasim.analysis.dealings import Dealings, dealings_of, outcome_counts
from kafkasim.analysis.inversions import overtaken_mask, sequences
from kafkasim.analysis.kept import Latencies, LatencyBins, Measured, RateBins, Spread
from kafkasim.analysis.time_bins import bins_until, time_bins
from kafkasim.result.backlog import peak_backlog
from kafkasim.result.result import Result
from kafkasim.result.rows import code, wanted_ns
from kafkasim.result.wants import Want
from kafkasim.units import MISSING_NS


class KeptRows:
    """What a run with `records` and `deliveries` answers; see `Kept`.

    Raises
    ------
    TableNotRecorded
        When the run did not record `records`; from a method, `deliveries`.
    """

    def __init__(self, result: Result) -> None:
        self._result = result
        self._records = result.columns("records")

    @property
    def record_count(self) -> int:
        """Rows of `records`."""
        return len(self._records)

    def partitions_seen(self) -> Mapping[str, int]:
        """Return the highest partition of each topic's records, plus one."""
        topics, partitions = self._records["topic"], self._records["partition"]
        return {
            topic: int(partitions.max(initial=-1, where=topics == number)) + 1
            for number, topic in enumerate(self._records.labels["topic"])
        }

    def partition_records(self, topic: str, count: int) -> Int64:
        """Count the records appended to each partition.

        A record that a cut run left in a batch at its producer has no offset, and is
        none.
        """
        inside = self._records["topic"] == code(self._records, "topic", topic)
        inside &= self._records["offset"] >= 0
        partitions = self._records["partition"]
        if not inside.all():
            partitions = partitions[inside]
        return np.bincount(partitions, minlength=count).astype(np.int64)

    def measured(self, wants: Sequence[Want], warmup_ns: int) -> list[Measured]:
        """Return what each subscriber adds to the metrics."""
        return [self._measured(d, warmup_ns) for d in dealings_of(self._result, wants)]

    def _measured(self, dealing: Dealings, since: int) -> Measured:
        rows, first = dealing.rows, dealing.first_processed_ns
        intended = dealing.take(wanted_ns(self._records))
        last_wanted, last_processed = latest(intended), latest(first)
        lag = self._peak_lag(dealing, max(since, dealing.want.from_ns))
        if since > 0 and len(rows) and int(intended.min()) < since:
            measured = intended >= since
            rows, first, intended = rows[measured], first[measured], intended[measured]
        from_ns = int(intended.min()) if len(intended) else MISSING_NS
        until_ns = max(latest(intended), latest(first))
        done = first != MISSING_NS
        if not done.all():
            rows, first, intended = rows[done], first[done], intended[done]
        ordered, overtaken = self._overtaken(rows, intended, first)
        return Measured(
            want=dealing.want,
            wanted=len(dealing.rows),
            outcomes=outcome_counts(dealing, self._records),
            last_wanted_ns=last_wanted,
            last_processed_ns=last_processed,
            lag_records_max=lag,
            processed=len(first),
            from_ns=from_ns,
            until_ns=until_ns,
            ordered=ordered,
            overtaken=overtaken,
            latencies=Spread(first - intended),
        )

    def _peak_lag(self, dealing: Dealings, since_ns: int) -> float:
        appended = dealing.appended_ns(self._records)
        left = dealing.left_ns
        kept = appended != MISSING_NS
        if not kept.all():
            appended, left = appended[kept], left[kept]
        if not len(appended):
            return float("nan")
        gone = left != MISSING_NS
        arrivals = np.maximum(appended, since_ns) if since_ns > 0 else appended
        return float(peak_backlog(arrivals, left if gone.all() else left[gone]))

    def _overtaken(self, rows: Int64, intended: Int64, first: Int64) -> tuple[int, int]:
        """Return how many of the rows have an entity, and were overtaken."""
        records = self._records
        entity, streams = records["entity"], records["stream"]
        if len(rows) < len(records):
            entity, streams = entity[rows], streams[rows]
        owned = entity >= 0
        if not owned.all():
            entity, streams = entity[owned], streams[owned]
            intended, first = intended[owned], first[owned]
        groups = streams.astype(np.int64) * len(records.labels["entity"]) + entity
        mask = overtaken_mask(sequences(intended, first, groups))
        return len(mask), int(np.count_nonzero(mask))

    def latencies(self, wants: Sequence[Want]) -> list[Latencies]:
        """Return the latency of all that each subscriber processed."""
        found = []
        for dealing in dealings_of(self._result, wants):
            _, values = self._latencies_ns(dealing)
            found.append(
                Latencies(
                    len(values), Spread(values), exact_sum(values), latest(values)
                )
            )
        return found

    def _latencies_ns(self, dealing: Dealings) -> tuple[Int64, Int64]:
        """Return when each processed record was intended, and its latency (ns)."""
        intended = dealing.take(wanted_ns(self._records))
        first = dealing.first_processed_ns
        done = first != MISSING_NS
        if not done.all():
            intended, first = intended[done], first[done]
        return intended, first - intended

    def latency_bins(
        self, wants: Sequence[Want], bin_ms: float | None, shares: tuple[float, ...]
    ) -> LatencyBins:
        """Return latency by the time intended, up to the last record intended."""
        intended = wanted_ns(self._records)
        edges = bins_until(int(intended.max(initial=0)), bin_ms)
        count = len(edges) - 1
        found = LatencyBins(edges, [], [])
        for dealing in dealings_of(self._result, wants):
            begun, values = self._latencies_ns(dealing)
            bins = begun // int(edges[1])
            found.counts.append(np.bincount(bins, minlength=count).astype(np.int64))
            found.quantiles_ns.append(
                grouped_nearest_ranks(values, bins, count, shares)
            )
        return found

    def rate_bins(self, wants: Sequence[Want], bin_ms: float | None) -> RateBins:
        """Return counts over time, up to the last thing that happened to a record."""
        records = self._records
        every = dealings_of(self._result, wants)
        edges = time_bins(records, every, bin_ms)
        return RateBins(
            edges,
            [counts_in_bins(d.take(wanted_ns(records)), edges) for d in every],
            [counts_in_bins(d.appended_ns(records), edges) for d in every],
            [counts_in_bins(d.first_processed_ns, edges) for d in every],
        )


def latest(times: Int64) -> int:
    """Return the largest; `MISSING_NS` when there is none."""
    return int(times.max(initial=MISSING_NS))


def exact_sum(values: Int64) -> int:
    """Return the sum, which 64 bits need not hold.

    Examples
    --------
    >>> exact_sum(np.array([2**62, 2**62, 5])) == 2**63 + 5
    True
    """
    high, low = int((values >> 32).sum()), int((values & 0xFFFF_FFFF).sum())
    return (high << 32) + low
