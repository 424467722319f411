"""What the batching explorer shows of a run: numbers, from numpy columns."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np

from kafkasim.analysis.arrays import Bool, Float64, Int64
from kafkasim.analysis.dealings import Dealings, dealings_of
from kafkasim.analysis.keeping import kept_of
from kafkasim.analysis.world import world_of
from kafkasim.catalogue import mark
from kafkasim.result.result import Result
from kafkasim.result.rows import code, wanted_ns
from kafkasim.result.schema import CLOSED_BY
from kafkasim.result.table import Table
from kafkasim.units import NS_PER_MS, NS_PER_S, NS_PER_US, ns_from_ms

MOST_ROWS: Final = 12
"""Partitions with a row of their own: those of the first brokers."""

SHARE_BEFORE: Final = 0.3
"""Share of the run that has gone by where the piece that is drawn begins."""

LEAST_MS: Final = 20.0
"""Width of that piece; it is four lingers where that is more."""

STEPS: Final = (mark("at the producer"), mark("to the log"), mark("to the reader"))
"""Parts of a record's way, in order: until its request is sent, until it is appended,
until it is processed."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A few milliseconds of the producer's queues."""

    from_ms: float
    """Where it begins."""
    until_ms: float
    """Where it ends."""
    partitions: Int64
    """Which have a row: those of broker 1, then of broker 2, and so on."""
    leaders: Int64
    """The broker that each of them is sent to; 0 when nothing was sent there."""
    row: Int64
    """Of each batch that is in it: its row."""
    opened_ms: Float64
    """When its first record came."""
    closed_ms: Float64
    """When it took no more."""
    sent_ms: Float64
    """When the request with it was sent."""
    cause: Int64
    """Why it took no more: a place in `CLOSED_BY`."""
    records_ms: Float64
    """When records came."""
    records_row: Int64
    """Into which row each."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What the figure shows of one run."""

    linger_ms: float
    """As it was set."""
    records: int
    """Sent in batches."""
    batches: int
    """That were sent."""
    requests: int
    """Produce requests."""
    sent_for_s: float
    """How long records were sent."""
    causes: Int64
    """Batches closed by each cause of `CLOSED_BY`."""
    size_bytes: int
    """Of all batches, headers included."""
    longest_ms: float
    """The longest that a batch was open."""
    steps_ms: Float64
    """Mean time of a record in each of `STEPS`; they add up to the mean latency."""
    latency_ms: tuple[float, float]
    """Median and 99th percentile."""
    throughput_per_s: float
    """Records processed in a second."""
    thread_us: float
    """Time of the brokers' threads for a record, for produce requests alone."""
    piece: Piece
    """What is drawn of the queues."""

    @property
    def per_batch(self) -> float:
        """Records in a batch, the mean."""
        return self.records / max(1, self.batches)

    @property
    def per_request(self) -> float:
        """Records in a request, the mean."""
        return self.records / max(1, self.requests)

    @property
    def shares(self) -> dict[str, float]:
        """Share of the batches that each cause closed."""
        total = max(1, int(self.causes.sum()))
        return dict(zip(CLOSED_BY, (self.causes / total).tolist(), strict=True))


def shown_of(
    result: Result, topic: str, subscriber: str, linger_ms: float, sent_for_s: float
) -> Shown:
    """Return what the figure shows of a run.

    Parameters
    ----------
    result : Result
    topic : str
        Whose batches are looked at.
    subscriber : str
        Who reads them.
    linger_ms, sent_for_s : float
        As the scenario has them.
    """
    world = world_of(result)
    (want,) = (each for each in world.wants if each.subscriber == subscriber)
    (dealing,) = dealings_of(result, [want])
    (measured,) = kept_of(result).measured([want], world.warmup_ns)
    p50, p99 = measured.latencies.nearest_ranks((0.50, 0.99))
    batches, requests = result.columns("batches"), result.columns("requests")
    produce = requests["api"] == code(requests, "api", "Produce")
    busy_ns = (requests["done_ns"] - requests["dequeued_ns"])[produce].sum()
    open_ns = batches["closed_ns"] - batches["opened_ns"]
    records = int(batches["record_count"].sum())
    return Shown(
        linger_ms=linger_ms,
        records=records,
        batches=len(batches),
        requests=int(produce.sum()),
        sent_for_s=sent_for_s,
        causes=np.bincount(batches["closed_by"], minlength=len(CLOSED_BY)),
        size_bytes=int(batches["size_bytes"].sum()),
        longest_ms=float(open_ns.max(initial=0)) / NS_PER_MS,
        steps_ms=_steps(result, dealing),
        latency_ms=(p50 / NS_PER_MS, p99 / NS_PER_MS),
        throughput_per_s=measured.throughput_per_s,
        thread_us=float(busy_ns) / NS_PER_US / max(1, records),
        piece=_piece(
            result,
            world.partition_counts[topic],
            int(SHARE_BEFORE * sent_for_s * NS_PER_S),
            ns_from_ms(max(LEAST_MS, 4 * linger_ms)),
        ),
    )


def _steps(result: Result, dealing: Dealings) -> Float64:
    """Return the mean time of each step in milliseconds; zeros without records."""
    records, batches = result.columns("records"), result.columns("batches")
    rows = dealing.rows[dealing.done]
    if not len(rows):
        return np.zeros(len(STEPS))
    sent = batches["sent_ns"][records["batch_id"][rows]]
    ends = (
        wanted_ns(records)[rows],
        sent,
        records["appended_ns"][rows],
        dealing.first_processed_ns[dealing.done],
    )
    took = [(later - sooner).mean() for sooner, later in pairwise(ends)]
    return np.array(took) / NS_PER_MS


def _piece(result: Result, partitions: int, from_ns: int, width_ns: int) -> Piece:
    batches, records = result.columns("batches"), result.columns("records")
    until_ns = from_ns + width_ns
    leaders = _leaders(result, partitions)
    order = np.argsort(leaders, kind="stable")
    order = order[leaders[order] > 0] if (leaders > 0).any() else order
    drawn = order[:MOST_ROWS]
    row_of = np.full(partitions, -1)
    row_of[drawn] = np.arange(len(drawn))
    inside = _within(batches, "opened_ns", "sent_ns", from_ns, until_ns)
    rows = np.flatnonzero(inside & (row_of[batches["partition"]] >= 0))
    came = records["created_ns"]
    mine = np.flatnonzero((came >= from_ns) & (came <= until_ns))
    mine = mine[row_of[records["partition"][mine]] >= 0]
    return Piece(
        from_ms=from_ns / NS_PER_MS,
        until_ms=until_ns / NS_PER_MS,
        partitions=drawn,
        leaders=leaders[drawn],
        row=row_of[batches["partition"][rows]],
        opened_ms=batches["opened_ns"][rows] / NS_PER_MS,
        closed_ms=batches["closed_ns"][rows] / NS_PER_MS,
        sent_ms=batches["sent_ns"][rows] / NS_PER_MS,
        cause=batches["closed_by"][rows].astype(np.int64),
        records_ms=came[mine] / NS_PER_MS,
        records_row=row_of[records["partition"][mine]],
    )


def _within(table: Table, since: str, until: str, from_ns: int, until_ns: int) -> Bool:
    inside: Bool = (table[since] <= until_ns) & (table[until] >= from_ns)
    return inside


def _leaders(result: Result, partitions: int) -> Int64:
    """Return each partition's broker, from 1; 0 for one to which nothing was sent."""
    appends = result.columns("appends")
    leaders = np.zeros(partitions, dtype=np.int64)
    leaders[appends["partition"]] = appends["leader"]
    return leaders
