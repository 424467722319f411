"""What analysis asks of a run's records, whether it kept every one or only counts.

A full run keeps a row per record and hand-out; a streamed one keeps histograms and
totals in their place. Both answer the same questions, those of `Kept`, and whatever is
built on the answers is the same for both. What needs single records asks the tables
themselves, and a streamed run has none.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

from kafkasim.analysis.arrays import (
    Float64,
    Int64,
    counted_nearest_ranks,
    nearest_ranks,
)
from kafkasim.result.wants import Want
from kafkasim.units import MISSING_NS, NS_PER_S

_NAN = float("nan")


@dataclass(frozen=True, slots=True)
class Spread:
    """Values whose quantiles are asked for, nanoseconds."""

    values: Int64 | Float64
    """Each value, or each bucket's middle."""
    counts: Int64 | None = None
    """How many stand at each; none: one."""

    def nearest_ranks(self, shares: tuple[float, ...]) -> list[float]:
        """Return the nearest-rank quantiles; NaN when there are no values."""
        if self.counts is None:
            return nearest_ranks(self.values, shares)
        return counted_nearest_ranks(self.values, self.counts, shares)


def joined_spread(spreads: Sequence[Spread]) -> Spread:
    """Return the values of several subscribers together."""
    values = np.concatenate([np.zeros(0, np.int64), *(s.values for s in spreads)])
    counts = [spread.counts for spread in spreads if spread.counts is not None]
    return Spread(values, np.concatenate(counts) if counts else None)


@dataclass(frozen=True, slots=True)
class Measured:
    """What one subscriber adds to the metrics; `kafkasim.analysis.measures` says how.

    A time is `MISSING_NS` when there was none.
    """

    want: Want
    """Whose it is."""
    wanted: int
    """Records it wants."""
    outcomes: Mapping[str, int]
    """How many of them came to each of `RECEIPT_OUTCOMES`."""
    last_wanted_ns: int
    """When the last of them was intended."""
    last_processed_ns: int
    """When the last of them was processed for the first time."""
    lag_records_max: float
    """The largest lag; NaN when none of them was in a log."""
    processed: int
    """Measured records (those not intended during warm-up) that were processed."""
    from_ns: int
    """When the first measured record was intended."""
    until_ns: int
    """When the last of them was intended or processed, whichever is later."""
    ordered: int
    """Measured records processed that have an entity."""
    overtaken: int
    """How many of these were overtaken."""
    latencies: Spread
    """Of the measured records processed."""

    @property
    def throughput_per_s(self) -> float:
        """Measured records processed per second; NaN without a span of time."""
        span_ns = self.until_ns - self.from_ns
        return self.processed * NS_PER_S / span_ns if span_ns > 0 else _NAN

    @property
    def drain_s(self) -> float:
        """How long processing went on after the last record was intended."""
        if self.outcomes["pending"] or self.last_processed_ns == MISSING_NS:
            return _NAN
        return max(0.0, (self.last_processed_ns - self.last_wanted_ns) / NS_PER_S)

    @property
    def overtaken_share(self) -> float:
        """Share of the records with an entity that were overtaken."""
        return self.overtaken / self.ordered if self.ordered else _NAN


@dataclass(frozen=True, slots=True)
class Latencies:
    """Latency of all records that one subscriber processed, warm-up included."""

    count: int
    """How many there are."""
    spread: Spread
    """Their values."""
    sum_ns: int
    """Their sum, exact."""
    max_ns: int
    """The largest; `MISSING_NS` when there is none."""


class LatencyBins(NamedTuple):
    """Latency of the records intended in each bin of time."""

    edges: Int64
    """Edges of the bins, nanoseconds."""
    counts: list[Int64]
    """By subscriber: records processed."""
    quantiles_ns: list[Float64]
    """By subscriber: a row per bin, a column per share; NaN without a record."""


class RateBins(NamedTuple):
    """Records that each subscriber wants, by what happened to them in each bin."""

    edges: Int64
    """Edges of the bins, nanoseconds."""
    intended: list[Int64]
    """By subscriber: records intended in each bin."""
    appended: list[Int64]
    """By subscriber: records appended."""
    processed: list[Int64]
    """By subscriber: records processed for the first time."""


class Kept(Protocol):
    """What a run kept of its records."""

    @property
    def record_count(self) -> int:
        """Records that the world wanted sent."""
        ...

    def partitions_seen(self) -> Mapping[str, int]:
        """Return for each topic a number above those of the partitions it used."""
        ...

    def partition_records(self, topic: str, count: int) -> Int64:
        """Return the records in the log of each of a topic's `count` partitions."""
        ...

    def measured(self, wants: Sequence[Want], warmup_ns: int) -> list[Measured]:
        """Return what each subscriber adds to the metrics."""
        ...

    def latencies(self, wants: Sequence[Want]) -> list[Latencies]:
        """Return the latency of all that each subscriber processed."""
        ...

    def latency_bins(
        self, wants: Sequence[Want], bin_ms: float | None, shares: tuple[float, ...]
    ) -> LatencyBins:
        """Return latency by the time intended, up to the last record intended."""
        ...

    def rate_bins(self, wants: Sequence[Want], bin_ms: float | None) -> RateBins:
        """Return counts over time, up to the last thing that happened to a record."""
        ...
