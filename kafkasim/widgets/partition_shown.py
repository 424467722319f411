"""What the partition explorer shows of a run: numbers, from numpy columns."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from kafkasim.analysis.arrays import (
    Bool,
    Float64,
    Int64,
    bin_edges,
    step_at,
    step_counts,
    step_peaks,
)
from kafkasim.analysis.dealings import Dealings, dealings_of
from kafkasim.analysis.keeping import kept_of
from kafkasim.analysis.measures import partition_imbalance
from kafkasim.analysis.world import world_of
from kafkasim.result.result import Result
from kafkasim.result.rows import code, wanted_ns
from kafkasim.result.table import Table
from kafkasim.units import MISSING_NS, NS_PER_MS, NS_PER_S
from kafkasim.widgets.braided import Braid, braid_of

BINS: Final = 150
"""Bins of time in which lag is drawn."""

BUILT_UP: Final = 0.1
"""Share of the records sent from which waiting ones are a lag that has built up."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What the figure shows of one run, for one subscriber and topic."""

    at_s: Float64
    """Where each bin of time begins, and where the run ended, in simulated seconds."""
    lag: Float64
    """Per partition (rows) and bin: the most records that were appended and not yet
    processed; last, what was left."""
    total: Float64
    """The same, over all partitions together."""
    sent: int
    """Records appended."""
    sent_until_s: float
    """When the last of them was intended."""
    lag_then: Int64
    """Per partition: its lag at that moment."""
    numbers: dict[str, float]
    """Metrics of the subscriber by their names in `analysis.METRICS`."""
    braid: Braid
    """One entity's records."""

    @property
    def partitions(self) -> int:
        """How many there are."""
        return len(self.lag)

    @property
    def times_ms(self) -> Float64:
        """Median and 99th percentile of latency, and the time to drain; NaN: none."""
        p50, p99 = (self.numbers[f"latency_ms_{name}"] for name in ("p50", "p99"))
        return np.array([p50, p99, 1_000 * self.numbers["drain_s"]])

    @property
    def built_up(self) -> bool:
        """Whether a tenth of the records sent or more waited when sending ended."""
        return self.sent > 0 and bool(self.lag_then.sum() >= BUILT_UP * self.sent)

    @property
    def climbs_per_s(self) -> float:
        """Records by which lag grew in a second while records were sent; the mean."""
        return float(self.lag_then.sum()) / self.sent_until_s if self.built_up else 0.0

    @property
    def stalled(self) -> int | None:
        """The partition that holds over two thirds of a lag that has built up."""
        if self.partitions < 2 or not self.built_up:
            return None
        fullest = int(self.lag_then.argmax())
        others = self.lag_then.sum() - self.lag_then[fullest]
        return fullest if self.lag_then[fullest] > 2 * others else None


def shown_of(result: Result, topic: str, subscriber: str) -> Shown:
    """Return what the figure shows of a run.

    Parameters
    ----------
    result : Result
    topic : str
        Whose partitions are looked at.
    subscriber : str
        Whose lag, latency and order.
    """
    world, records = world_of(result), result.columns("records")
    (want,) = (each for each in world.wants if each.subscriber == subscriber)
    (dealing,) = dealings_of(result, [want])
    count = world.partition_counts[topic]
    inside = records["topic"][dealing.rows] == code(records, "topic", topic)
    kept = inside & (records["appended_ns"][dealing.rows] != MISSING_NS)
    rows, left = dealing.rows[kept], dealing.left_ns[kept]
    intended = wanted_ns(records)[rows]
    sent_until = int(intended.max(initial=0))
    edges, lag, total, then = _lag(
        np.maximum(records["appended_ns"][rows], want.from_ns),
        left,
        records["partition"][rows],
        count,
        sent_until,
    )
    return Shown(
        at_s=edges / NS_PER_S,
        lag=lag,
        total=total,
        sent=len(rows),
        sent_until_s=sent_until / NS_PER_S,
        lag_then=then,
        numbers=_numbers(result, subscriber),
        braid=_braid(records, dealing, inside),
    )


def _lag(
    appended: Int64, left: Int64, partitions: Int64, count: int, sent_until: int
) -> tuple[Int64, Float64, Float64, Int64]:
    """Return edges of bins; lag by partition, in all, and when sending ended."""
    end = max(int(appended.max(initial=0)), int(left.max(initial=0)), sent_until)
    edges = bin_edges(end, max(1, end // BINS))[: BINS + 1]
    edges = np.append(edges[edges < end], end)
    lag = np.zeros((count, len(edges)))
    then = np.zeros(count, dtype=np.int64)
    for partition in np.unique(partitions).tolist():
        own = partitions == partition
        steps = _steps(appended[own], left[own])
        lag[partition] = _peaks(steps, edges)
        then[partition] = step_at(*steps, np.array([sent_until]))[0]
    total = lag[0] if count == 1 else _peaks(_steps(appended, left), edges)
    return edges, lag, total, then


def _steps(appended: Int64, left: Int64) -> tuple[Int64, Int64]:
    gone = left[left != MISSING_NS]
    ones = np.ones(len(appended) + len(gone), dtype=np.int64)
    ones[len(appended) :] = -1
    return step_counts(np.concatenate((appended, gone)), ones)


def _peaks(steps: tuple[Int64, Int64], edges: Int64) -> Float64:
    """Return the largest value in each bin, and the one at the end."""
    peaks = step_peaks(*steps, edges)
    return np.append(peaks, step_at(*steps, edges[-1:])).astype(np.float64)


def _numbers(result: Result, subscriber: str) -> dict[str, float]:
    """Return the metrics of one subscriber, as `analysis.summary` defines them."""
    world, kept = world_of(result), kept_of(result)
    wants = [want for want in world.wants if want.subscriber == subscriber]
    (measured,) = kept.measured(wants, world.warmup_ns)
    p50, p99 = measured.latencies.nearest_ranks((0.50, 0.99))
    return {
        "throughput_per_s": measured.throughput_per_s,
        "latency_ms_p50": p50 / NS_PER_MS,
        "latency_ms_p99": p99 / NS_PER_MS,
        "lag_records_max": measured.lag_records_max,
        "drain_s": measured.drain_s,
        "partition_imbalance": partition_imbalance(kept, world.partition_counts),
        "overtaken_share": measured.overtaken_share,
    }


def _braid(records: Table, dealing: Dealings, inside: Bool) -> Braid:
    entities = records["entity"][dealing.rows]
    kept = inside & dealing.done & (entities >= 0)
    return braid_of(
        wanted_ns(records)[dealing.rows[kept]],
        dealing.first_processed_ns[kept],
        entities[kept].astype(np.int64),
        records.labels["entity"],
    )
