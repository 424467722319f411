"""What a Kafka run writes at its end: columns per record, links, labels."""

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from kafkasim.engine.sim.arranging import Arrangement
from kafkasim.engine.sim.expand import RecordColumns
from kafkasim.engine.sim.hand_outs import POLL_DTYPE, Ghost, deliveries
from kafkasim.engine.sim.handing_over import SourceHandOver
from kafkasim.engine.sim.invariants import Inspection
from kafkasim.engine.sim.laying import constant
from kafkasim.engine.sim.live_records import LiveRecords
from kafkasim.engine.sim.meter import Meter
from kafkasim.engine.sim.partition import Partition
from kafkasim.engine.sim.plan_columns import plan_columns, work_by_record
from kafkasim.engine.sim.request import FETCH, FETCH_FOLLOWER
from kafkasim.engine.sim.survivors import Survivors
from kafkasim.engine.sim.systems.common import (
    write_events,
    write_resources,
    write_violations,
)
from kafkasim.engine.sim.systems.kafka_rows import KafkaRows
from kafkasim.engine.sim.timeline import DoneEvent
from kafkasim.protocol.errors import ERRORS
from kafkasim.result.result import Result
from kafkasim.result.streaming import NOT_STREAMED
from kafkasim.result.table import Table
from kafkasim.scenario.plan import Plan, PlanOutline
from kafkasim.scenario.scenario import Scenario
from kafkasim.units import MISSING_NS

if TYPE_CHECKING:
    from kafkasim.engine.sim.producer import ProducerClient


class KafkaTables(KafkaRows):
    """The recorder of a Kafka run; it is made like its rows."""

    def lay_out(
        self,
        plan: Plan,
        producers: "Sequence[ProducerClient]",
        handed: Sequence[SourceHandOver],
        partitions: Sequence[Partition],
        end_ns: int,
        *,
        live: Mapping[int, LiveRecords],
        arrangement: Arrangement,
        again: bool,
    ) -> None:
        """Lay out the per-record tables of a run that ended at `end_ns`.

        The plan is that of the clients, all that was sent being in it.

        `again` says whether a group may have been given a record more than once.
        """
        lists = [
            [
                np.concatenate(self._ordinals.pop((source, number)))
                for number in range(producer.partition_count)
            ]
            for source, producer in enumerate(producers)
        ]
        records = RecordColumns(
            plan,
            self.recorder.rows("batches"),
            self.recorder.rows("appends"),
            lists,
            producers,
            handed,
            end_ns,
            live,
        )
        self._record_columns(plan, records, arrangement)
        self._delivery_columns(plan, records, partitions, arrangement, again=again)

    def take_tables(self, tables: Mapping[str, Table]) -> None:
        """Take what stands in the place of the per-record tables."""
        for name, table in tables.items():
            self.recorder.columns(name, table.columns, table.labels)
        self._missing |= NOT_STREAMED

    def finish(
        self,
        scenario: Scenario,
        plan: Plan | PlanOutline,
        *,
        done_events: Sequence[DoneEvent],
        inspection: Inspection | None,
        facts: Mapping[str, int | float | str],
        meter: Meter | None = None,
    ) -> Result:
        """Return the result, once per-record tables or their like are there."""
        write_events(self.recorder, done_events)
        self._link_rows()
        self._labels()
        missing = self._missing | write_violations(self.recorder, inspection)
        missing |= write_resources(self.recorder, meter, int(facts["end_ns"]))
        return self.recorder.finish(scenario, plan, facts, missing)

    def _record_columns(
        self, plan: Plan, records: RecordColumns, arrangement: Arrangement
    ) -> None:
        columns, labels = plan_columns(plan)
        count = records.count
        columns |= records.columns
        columns |= {
            "resend_of": constant(-1, count, np.int64),
            "caused_by": constant(-1, count, np.int16),
        }
        labels |= {"topic": self._topics, "error": ERRORS, "caused_by": ()}
        if not arrangement.is_plain:
            columns, changed = arrangement.records(columns)
            labels |= changed
            self.recorder.hash_array("created", columns["created_ns"])
        self.recorder.columns("records", columns, labels)

    def _delivery_columns(
        self,
        plan: Plan,
        records: RecordColumns,
        partitions: Sequence[Partition],
        arrangement: Arrangement,
        *,
        again: bool,
    ) -> None:
        topics = np.array([p.topic for p in partitions], np.int16)
        numbers = np.array([p.number for p in partitions], np.int32)
        appends = self.recorder.rows("appends")
        cut = appends["truncated_ns"] != MISSING_NS
        ghosts = appends[cut & (appends["committed_ns"] != MISSING_NS)]
        appends = appends[~cut]
        index_of = np.zeros((len(self._topics), int(numbers.max()) + 1), np.int64)
        index_of[topics, numbers] = np.arange(len(partitions))
        index = index_of[appends["topic"], appends["partition"]]
        rows_at, starts = records.record_at(appends, index, len(partitions))
        columns = deliveries(
            self.recorder.rows("polls").view(POLL_DTYPE),
            topics,
            numbers,
            rows_at,
            starts,
            [work_by_record(plan, name) for name in self._subscribers],
            again=again,
            ghosts=[
                Ghost(
                    int(index_of[row["topic"], row["partition"]]),
                    row,
                    records.rows_of(row),
                )
                for row in ghosts
            ],
            survivors_of=_survivors_of(partitions),
        )
        if not arrangement.is_plain:
            columns["record_id"] = arrangement.rows[columns["record_id"]]
        columns["epoch"] = self._epochs(columns)
        labels = {
            "subscriber": self._subscribers,
            "member": self._members,
            "topic": self._topics,
        }
        self.recorder.columns("deliveries", columns, labels)

    def _epochs(self, columns: Mapping[str, NDArray[Any]]) -> NDArray[np.int32]:
        """Return in which generation each hand-out was, given the other columns."""
        return columns["epoch"]

    def _link_rows(self) -> None:
        """Sum the requests by who talked to whom; fetched bytes flow the other way."""
        hosts = self._hosts
        rows = self.recorder.rows("requests")
        pairs = rows["sender"].astype(np.int64) * len(self._brokers) + rows["receiver"]
        fetched = (rows["api"] == FETCH) | (rows["api"] == FETCH_FOLLOWER)
        size = rows["size_bytes"]
        count = len(hosts) * len(self._brokers)
        requests = np.bincount(pairs, minlength=count)
        commits = np.bincount(pairs[rows["api"] == 2], minlength=count)
        up = np.bincount(pairs, np.where(fetched, 0, size), minlength=count)
        down = np.bincount(pairs, np.where(fetched, size, 0), minlength=count)
        del rows
        write = self.recorder.writer("links")
        for pair in np.flatnonzero(requests).tolist():
            client, broker = divmod(pair, len(self._brokers))
            host = len(self._clients) + broker
            connections = 1 + bool(0 < commits[pair] < requests[pair])
            write(client, host, connections, int(requests[pair]), int(up[pair]))
            if down[pair]:
                write(host, client, connections, int(requests[pair]), int(down[pair]))
        self.recorder.labels("links", "sender", hosts)
        self.recorder.labels("links", "receiver", hosts)

    def _labels(self) -> None:
        names = self.recorder.labels
        names("batches", "producer", self._sources)
        for table in (
            "batches", "appends", "commits", "assignments", "segments", "removals",
            "replicas",
        ):  # fmt: skip
            names(table, "topic", self._topics)
        for table in ("commits", "assignments"):
            names(table, "group", self._subscribers)
            names(table, "member", self._members)
        names("requests", "sender", self._hosts)
        names("requests", "receiver", self._brokers)
        for table in ("requests", "batches"):
            names(table, "error", ERRORS)
        names("blocked", "source", self._sources)
        names("blocked", "cause", ("buffer.memory", "crashed", "paused"))


def _survivors_of(
    partitions: Sequence[Partition],
) -> Callable[[int, int], Survivors | None] | None:
    """Return what knows what compaction had left; None when there was none."""
    if not any(partition.was_compacted for partition in partitions):
        return None
    return lambda index, number: partitions[index].survivors_of(number)
