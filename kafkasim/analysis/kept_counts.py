"""A streamed run's answers: read from its histograms and totals.

Counts, sums, peaks and extremes are those of the full run; a quantile of latency is the
geometric middle of its bucket, at most 0.4 % from the value itself.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from kafkasim.analysis.arrays import Bool, Int64, bin_edges
from kafkasim.analysis.kept import Latencies, LatencyBins, Measured, RateBins, Spread
from kafkasim.catalogue import say
from kafkasim.errors import ValidationError
from kafkasim.result.histogram import middles
from kafkasim.result.result import Result
from kafkasim.result.rows import code
from kafkasim.result.wants import Want
from kafkasim.units import NS_PER_MS, NS_PER_S, ns_from_ms

_LEFT: Final = ("lost", "expired", "skipped", "not_kept", "not_accepted")
"""Outcomes of a receipt that was not processed and is not pending."""


class KeptCounts:
    """What a run with `histograms` and `totals` answers; see `Kept`.

    Raises
    ------
    TableNotRecorded
        When the run did not record them.
    """

    def __init__(self, result: Result) -> None:
        self._rows = result.columns("histograms")
        self._totals = totals = result.columns("totals")
        names = [*totals.labels["subscriber"], ""]
        self._values: dict[tuple[str, str], int] = {
            (totals.labels["metric"][metric], names[subscriber]): value
            for metric, subscriber, value in zip(
                *(totals[name].tolist() for name in ("metric", "subscriber", "value")),
                strict=True,
            )
        }
        self._bin_ns = self._value("bin_ns")

    def _value(self, metric: str, subscriber: str = "") -> int:
        return self._values[metric, subscriber]

    @property
    def record_count(self) -> int:
        """Records that the world wanted sent."""
        return self._value("records")

    def partitions_seen(self) -> Mapping[str, int]:
        """Return the highest partition of each topic's records, plus one."""
        return {
            topic: int(self._totals["partition"].max(initial=-1, where=mine)) + 1
            for topic in self._totals.labels["topic"]
            for mine in (self._of_topic(topic),)
        }

    def partition_records(self, topic: str, count: int) -> Int64:
        """Return the records in the log of each partition."""
        mine = self._of_topic(topic)
        counts = np.zeros(count, dtype=np.int64)
        counts[self._totals["partition"][mine]] = self._totals["value"][mine]
        return counts

    def _of_topic(self, topic: str) -> Bool:
        mine: Bool = self._totals["topic"] == code(self._totals, "topic", topic)
        return mine

    def measured(self, wants: Sequence[Want], warmup_ns: int) -> list[Measured]:
        """Return what each subscriber adds to the metrics.

        The counts were made under the scenario's own `warmup_ns`.
        """
        del warmup_ns
        return [self._measured(want) for want in wants]

    def _measured(self, want: Want) -> Measured:
        of = {
            metric: value
            for (metric, subscriber), value in self._values.items()
            if subscriber == want.subscriber
        }
        outcomes = {name: of[name] for name in _LEFT}
        outcomes |= {
            "once": of["processed"] - of["duplicated"],
            "duplicated": of["duplicated"],
            "pending": of["wanted"] - of["processed"] - sum(outcomes.values()),
        }
        return Measured(
            want=want,
            wanted=of["wanted"],
            outcomes=outcomes,
            last_wanted_ns=of["last_wanted_ns"],
            last_processed_ns=of["last_processed_ns"],
            lag_records_max=(
                float(of["lag_records_max"]) if of["appended"] else float("nan")
            ),
            processed=of["measured_processed"],
            from_ns=of["measured_from_ns"],
            until_ns=of["measured_until_ns"],
            ordered=of["ordered"],
            overtaken=of["overtaken"],
            latencies=self._spread(want, self._rows["measured"] == 1),
        )

    def latencies(self, wants: Sequence[Want]) -> list[Latencies]:
        """Return the latency of all that each subscriber processed."""
        return [
            Latencies(
                count=self._value("processed", want.subscriber),
                spread=self._spread(want, self._rows["measured"] >= 0),
                sum_ns=self._value("latency_s_sum", want.subscriber) * NS_PER_S
                + self._value("latency_ns_sum", want.subscriber),
                max_ns=self._value("latency_ns_max", want.subscriber),
            )
            for want in wants
        ]

    def _of(self, metric: str, want: Want) -> Bool:
        mine: Bool = self._rows["metric"] == code(self._rows, "metric", metric)
        mine &= self._rows["subscriber"] == code(
            self._rows, "subscriber", want.subscriber
        )
        return mine

    def _spread(self, want: Want, kept: Bool) -> Spread:
        """Return the latencies of the rows kept."""
        return self._spread_at(want, np.flatnonzero(self._of("latency", want) & kept))

    def _spread_at(self, want: Want, rows: Int64) -> Spread:
        values = middles(self._rows["low_ns"][rows], self._rows["high_ns"][rows])
        largest = self._value("latency_ns_max", want.subscriber)
        return Spread(np.minimum(values, largest), self._rows["count"][rows])

    def latency_bins(
        self, wants: Sequence[Want], bin_ms: float | None, shares: tuple[float, ...]
    ) -> LatencyBins:
        """Return latency by the time intended, up to the last record intended.

        Raises
        ------
        ValidationError
            `bin_ms` is not the width in which the run counted.
        """
        edges = self._edges(bin_ms, self._value("last_intended_ns"))
        found = LatencyBins(edges, [], [])
        for want in wants:
            found.counts.append(self._binned("latency", want, edges))
            rows = np.flatnonzero(self._of("latency", want))
            rows = rows[np.argsort(self._rows["at_ns"][rows], kind="stable")]
            splits = np.searchsorted(self._rows["at_ns"][rows], edges[1:-1])
            spreads = [self._spread_at(want, part) for part in np.split(rows, splits)]
            found.quantiles_ns.append(
                np.array([spread.nearest_ranks(shares) for spread in spreads])
            )
        return found

    def rate_bins(self, wants: Sequence[Want], bin_ms: float | None) -> RateBins:
        """Return counts over time, up to the last thing that happened to a record.

        Raises
        ------
        ValidationError
            `bin_ms` is not the width in which the run counted.
        """
        ends = [self._value(name) for name in ("last_intended_ns", "last_appended_ns")]
        ends += [self._value("last_processed_ns", want.subscriber) for want in wants]
        edges = self._edges(bin_ms, max(ends))
        return RateBins(
            edges,
            [self._binned("intended", want, edges) for want in wants],
            [self._binned("appended", want, edges) for want in wants],
            [self._binned("processed", want, edges) for want in wants],
        )

    def _edges(self, bin_ms: float | None, end_ns: int) -> Int64:
        if bin_ms is not None and ns_from_ms(bin_ms) != self._bin_ns:
            width_ms = self._bin_ns / NS_PER_MS
            raise ValidationError(
                "bin_ms",
                bin_ms,
                say(
                    "{width_ms:g}, the width in which this streamed run counted",
                    width_ms=width_ms,
                ),
                say("run with result='full' for another"),
            )
        return bin_edges(max(0, end_ns), self._bin_ns)

    def _binned(self, metric: str, want: Want, edges: Int64) -> Int64:
        mine = np.flatnonzero(self._of(metric, want))
        counts = np.zeros(len(edges) - 1, dtype=np.int64)
        np.add.at(
            counts, self._rows["at_ns"][mine] // self._bin_ns, self._rows["count"][mine]
        )
        return counts
