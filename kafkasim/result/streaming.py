"""A run's numbers while it goes on, in place of its per-record tables.

`result="streamed"` keeps no row per record. The engine hands blocks of records to a
`Streamed` as they become final and lets them go; what stays is counts: per subscriber a
histogram of latency for each bin of time, sums, and one running maximum per entity.
`finish` lays them out as the tables `histograms` and `totals`, from which analysis
makes the same numbers as from full tables, only latency's quantiles within 0.4 %.

The blocks may come in any order and any size. `advance` is the promise that nothing
earlier will follow; between two such promises the times of what came are kept.
"""

from collections.abc import Iterator, Sequence
from types import MappingProxyType
from typing import Final, TypeVar

import numpy as np

from kafkasim.result.histogram import round_width_ns
from kafkasim.result.schema import OUTCOMES, PER_RECORD_TABLES, TABLES, TOTALS
from kafkasim.result.streaming_blocks import (
    Int32,
    PassedBlock,
    ProcessedBlock,
    RecordBlock,
)
from kafkasim.result.streaming_tally import Tally, Total
from kafkasim.result.table import Table
from kafkasim.result.wants import wants_of
from kafkasim.scenario.scenario import Scenario
from kafkasim.units import MISSING_NS, ns_from_s

OwnedT = TypeVar("OwnedT", ProcessedBlock, PassedBlock)

NOT_STREAMED: Final = MappingProxyType(
    dict.fromkeys(PER_RECORD_TABLES, "run with result='full'")
)
"""Table → why a streamed run lacks it."""

_FAILED: Final = OUTCOMES["records"].index("failed")
_FOREVER_NS: Final = 2**63 - 1


class Streamed:
    """Takes in the records of a run, block by block.

    Records that a subscriber does not want are left out here, for every block.

    Parameters
    ----------
    scenario : Scenario
        Resolved.
    streams, subscribers, topics : sequences of str
        The names that the blocks' codes stand for.
    """

    def __init__(
        self,
        scenario: Scenario,
        *,
        streams: Sequence[str],
        subscribers: Sequence[str],
        topics: Sequence[str],
    ) -> None:
        self._subscribers = tuple(subscribers)
        self._topics = tuple(topics)
        self._bin_ns = round_width_ns(ns_from_s(scenario.traffic.duration_s))
        self._records = 0
        self._last_intended_ns = self._last_appended_ns = MISSING_NS
        self._per_topic = [np.zeros(0, dtype=np.int64) for _ in topics]
        wants = {want.subscriber: want for want in wants_of(scenario)}
        warmup_ns = ns_from_s(scenario.traffic.warmup_s)
        self._tallies = [
            Tally(wants[name], tuple(streams), warmup_ns, self._bin_ns)
            for name in subscribers
        ]

    def records(self, block: RecordBlock) -> None:
        """Take records that are final at their producers."""
        if not len(block.stream):
            return
        self._records += len(block.stream)
        last_ns = int(block.intended_ns.max())
        self._last_intended_ns = max(self._last_intended_ns, last_ns)
        last_ns = int(block.appended_ns.max())
        self._last_appended_ns = max(self._last_appended_ns, last_ns)
        for code in range(len(self._topics)):
            inside = (block.topic == code) & (block.partition >= 0)
            self._count_partitions(code, block.partition[inside])
        refused = (block.outcome == _FAILED) & (block.partition < 0)
        for tally in self._tallies:
            tally.records(block, refused)

    def _count_partitions(self, topic: int, partitions: Int32) -> None:
        counts = self._per_topic[topic]
        more = np.bincount(partitions, minlength=len(counts))
        more[: len(counts)] += counts
        self._per_topic[topic] = more

    def processed(self, block: ProcessedBlock) -> None:
        """Take hand-outs that ended as processed."""
        for tally, part in self._parts(block):
            tally.processed(part)

    def skipped(self, block: PassedBlock) -> None:
        """Take records in a log that a reset position passed."""
        for tally, part in self._parts(block):
            tally.skipped(part)

    def expired(self, block: PassedBlock) -> None:
        """Take records that left their log before the subscriber had read them."""
        for tally, part in self._parts(block):
            tally.expired(part)

    def lost(self, block: PassedBlock) -> None:
        """Take records that were acknowledged and that no log holds."""
        for tally, part in self._parts(block):
            tally.lost(part)

    def _parts(self, block: OwnedT) -> Iterator[tuple[Tally, OwnedT]]:
        """Yield each subscriber's rows of a block."""
        for code, tally in enumerate(self._tallies):
            mine = block.subscriber == code
            if mine.all():
                if len(mine):
                    yield tally, block
                return
            if mine.any():
                yield tally, block.where(mine)

    def advance(self, until_ns: int) -> None:
        """Sum what depends on order, up to and with `until_ns`.

        Whoever calls it promises that every record appended, processed or passed by
        then has been handed over.
        """
        for tally in self._tallies:
            tally.advance(until_ns)

    def finish(self) -> dict[str, Table]:
        """Return the tables `histograms` and `totals`; nothing more can be taken."""
        self.advance(_FOREVER_NS)
        return {"histograms": self._histograms(), "totals": self._totals()}

    def _histograms(self) -> Table:
        parts = [
            {"subscriber": np.full(len(part["count"]), code), **part}
            for code, tally in enumerate(self._tallies)
            for part in tally.histograms()
        ]
        columns = {
            column.name: np.concatenate(
                [np.zeros(0, np.int64), *(part[column.name] for part in parts)]
            ).astype(column.dtype)
            for column in TABLES["histograms"]
        }
        return Table("histograms", columns, {"subscriber": self._subscribers})

    def _totals(self) -> Table:
        rows = [
            ("records", -1, -1, -1, self._records),
            ("bin_ns", -1, -1, -1, self._bin_ns),
            ("last_intended_ns", -1, -1, -1, self._last_intended_ns),
            ("last_appended_ns", -1, -1, -1, self._last_appended_ns),
        ]
        rows += [
            ("partition_records", -1, topic, partition, count)
            for topic, counts in enumerate(self._per_topic)
            for partition, count in enumerate(counts.tolist())
        ]
        rows += [
            (name, code, -1, -1, value)
            for code, tally in enumerate(self._tallies)
            for name, value in tally.totals()
        ]
        return _table_of_totals(rows, self._subscribers, self._topics)


def _table_of_totals(
    rows: Sequence[tuple[Total, int, int, int, int]],
    subscribers: tuple[str, ...],
    topics: tuple[str, ...],
) -> Table:
    coded = [(TOTALS.index(name), *rest) for name, *rest in rows]
    columns = {
        column.name: np.array([row[place] for row in coded], dtype=column.dtype)
        for place, column in enumerate(TABLES["totals"])
    }
    return Table("totals", columns, {"subscriber": subscribers, "topic": topics})
