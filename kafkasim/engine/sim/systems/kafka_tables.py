"""What a Kafka run writes: rows as they become final, per-record columns at the end."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from kafkasim.engine.sim.at_work import Returned
from kafkasim.engine.sim.consumer import Member
from kafkasim.engine.sim.expand import RecordColumns
from kafkasim.engine.sim.group import Group
from kafkasim.engine.sim.hand_outs import POLL_DTYPE, POLL_FORMAT, Ghost, deliveries
from kafkasim.engine.sim.handing_over import SourceHandOver
from kafkasim.engine.sim.invariants import Inspection
from kafkasim.engine.sim.laying import constant
from kafkasim.engine.sim.log_manager import Gone
from kafkasim.engine.sim.partition import Partition
from kafkasim.engine.sim.plan_columns import plan_columns, work_by_record
from kafkasim.engine.sim.plan_facts import LEADER_EPOCH
from kafkasim.engine.sim.producer import Batch
from kafkasim.engine.sim.replica import (
    Append,
    Life,
    LogSegment,
    Replica,
    contents_of,
)
from kafkasim.engine.sim.request import FETCH, FETCH_FOLLOWER, Request
from kafkasim.engine.sim.systems.common import write_events, write_violations
from kafkasim.engine.sim.timeline import DoneEvent
from kafkasim.protocol.controller_messages import PartitionState
from kafkasim.protocol.errors import ERRORS
from kafkasim.result.recorder import Recorder
from kafkasim.result.result import Result
from kafkasim.result.schema import REMOVED_BY, REPLICA_CAUSES, ROLES, ROLLED_BY
from kafkasim.result.streaming import NOT_STREAMED
from kafkasim.result.table import Table
from kafkasim.scenario.blocks import SourceBlocks
from kafkasim.scenario.plan import Plan, PlanOutline
from kafkasim.scenario.scenario import Scenario
from kafkasim.units import MISSING_NS

if TYPE_CHECKING:
    from kafkasim.engine.sim.producer import ProducerClient

GENERATION = 1
"""Of every group: it has joined once, before the run."""


class KafkaTables:
    """The recorder of a Kafka run and the names its codes stand for.

    Parameters
    ----------
    topics, subscribers, members : sequences of str
        Names by code.
    sources : sequence of SourceBlocks
        By code.
    brokers : int
        How many.
    """

    def __init__(
        self,
        *,
        topics: Sequence[str],
        subscribers: Sequence[str],
        members: Sequence[str],
        sources: Sequence[SourceBlocks],
        brokers: int,
    ) -> None:
        self.recorder = Recorder()
        self._topics = tuple(topics)
        self._subscribers = tuple(subscribers)
        self._members = tuple(members)
        self._sources = tuple(source.source for source in sources)
        self._topic_of_source = [topics.index(source.stream) for source in sources]
        self._brokers = tuple(f"broker:{i + 1}" for i in range(brokers))
        self._clients = tuple(
            [f"member:{name}" for name in members]
            + [f"source:{name}" for name in self._sources]
        )
        self._hosts = self._clients + self._brokers
        self._codes = {name: code for code, name in enumerate(self._hosts)}
        self._append_count = 0
        self._partitions: Sequence[Partition] = ()
        self._missing: dict[str, str] = {}
        self._ordinals: dict[tuple[int, int], list[NDArray[np.int32]]] = {}
        self._write_batch = self.recorder.writer("batches")
        self._write_append = self.recorder.writer("appends")
        self._write_replica = self.recorder.writer("replicas")
        self._write_request = self.recorder.writer("requests")
        self._write_commit = self.recorder.writer("commits")
        self._write_assignment = self.recorder.writer("assignments")
        self._write_segment = self.recorder.writer("segments")
        self._write_removal = self.recorder.writer("removals")
        self.blocked = self.recorder.writer("blocked")
        """Writes that a source has waited: its code, since, until, cause."""
        self._write_poll = self.recorder.hashed("polls", POLL_FORMAT)

    def know(self, partitions: Sequence[Partition]) -> None:
        """Take the run's partitions, by index."""
        self._partitions = partitions

    def client_code(self, name: str) -> int:
        """Return the code of `source:…`, `member:…` or `broker:…` as a sender."""
        return self._codes[name]

    # --- rows ---------------------------------------------------------------------

    def batch(self, batch: Batch) -> None:
        """Write a batch that is final: answered, or left when the run was cut."""
        self._write_batch(
            batch.batch_id,
            -1,
            batch.source_index,
            self._topic_of_source[batch.source_index],
            batch.partition,
            batch.hi - batch.lo,
            batch.size_bytes,
            batch.opened_ns,
            batch.closed_ns,
            batch.closed_by,
            batch.sent_ns,
            batch.acked_ns,
            batch.attempts + (batch.sent_ns != MISSING_NS),
            batch.error,
        )

    def append(self, batch: Batch, partition: Partition) -> None:
        """Write an append; with one replica it is committed at once (BR-20)."""
        self._write_append(
            self._append_count,
            batch.batch_id,
            1,
            partition.topic,
            partition.number,
            batch.base_offset,
            batch.hi - batch.lo,
            0,
            partition.leader + 1,
            LEADER_EPOCH,
            batch.appended_ns,
            batch.appended_ns,
            MISSING_NS,
        )
        self._append_count += 1

    def replicated_append(self, append: Append, partition: Partition) -> None:
        """Write an append of which no more will be known."""
        self._write_append(
            append.append_id, append.batch.batch_id, append.attempt, partition.topic,
            partition.number, append.base_offset,
            append.end_offset - append.base_offset, 0, append.leader + 1,
            append.leader_epoch, append.appended_ns, append.committed_ns,
            append.truncated_ns,
        )  # fmt: skip

    def replica(
        self, replica: Replica, state: PartitionState, role: str, cause: str, at_ns: int
    ) -> None:
        """Write how a copy is now, and why it changed."""
        partition = self._partitions[replica.partition]
        self._write_replica(
            partition.topic, partition.number, replica.node + 1, ROLES.index(role),
            state.leader_epoch, replica.log.log_end_offset, replica.log.high_watermark,
            int(replica.node in state.isr), at_ns, REPLICA_CAUSES.index(cause),
        )  # fmt: skip

    def request(self, request: Request, answered_ns: int) -> None:
        """Write a request whose answer has come, or that awaits none."""
        request.written = True
        connection = request.connection
        self._write_request(
            request.request_id,
            request.api,
            connection.client,
            connection.broker,
            request.sent_ns,
            request.received_ns,
            request.dequeued_ns,
            request.done_ns,
            answered_ns,
            request.size_bytes,
            request.batch_count,
            request.error,
        )

    def returned(self, row: Returned) -> None:
        """Write what a poll returned, once work on it has ended."""
        self._write_poll(*row)

    def commits(
        self,
        group: Group,
        member: int,
        positions: Iterable[tuple[Partition, int]],
        at_ns: int,
        kind: int = 0,
    ) -> None:
        """Write a stored commit, a row per partition."""
        for partition, offset in positions:
            self._write_commit(
                group.index, member, partition.topic, partition.number, offset,
                at_ns, kind, 0,
            )  # fmt: skip

    def assignments(
        self, group: Group, members: Sequence[Member], until_ns: int
    ) -> None:
        """Write what members have read since they began, and from where."""
        for member in members:
            for partition in member.owned:
                self.assignment(group, member, partition, until_ns)

    def assignment(
        self, group: Group, member: Member, partition: Partition, until_ns: int
    ) -> None:
        """Write since when and from where a member has read a partition."""
        since_ns, start_offset = member.begun[partition.index]
        self._write_assignment(
            group.index, GENERATION, member.code, partition.topic, partition.number,
            since_ns, until_ns, start_offset,
        )  # fmt: skip

    def segment(
        self,
        replica: Replica,
        segment: LogSegment,
        life: Life,
        deleted_ns: int = MISSING_NS,
        cause: str | None = None,
    ) -> None:
        """Write a segment that has gone, or that is there when the run ends."""
        batches = contents_of(segment)
        partition = self._partitions[replica.partition]
        self._write_segment(
            partition.topic, partition.number, replica.node + 1,
            segment.base_offset, batches.next_offset, life.created_ns, life.rolled_ns,
            -1 if life.rolled_by is None else ROLLED_BY.index(life.rolled_by),
            deleted_ns, -1 if cause is None else REMOVED_BY.index(cause),
            segment.size_bytes, batches.record_count,
        )  # fmt: skip

    def segments(self, partition: Partition) -> None:
        """Write the segments that are there when the run ends, of each copy."""
        for replica in partition.replicas.values():
            for segment, life in replica.lives.items():
                self.segment(replica, segment, life)

    def removal(self, gone: Gone) -> None:
        """Write records that left a log together."""
        partition = self._partitions[gone.replica.partition]
        self._write_removal(
            partition.topic, partition.number, gone.replica.node + 1,
            gone.from_offset, gone.to_offset, gone.at_ns,
            REMOVED_BY.index(gone.cause),
        )  # fmt: skip

    def ordinals(
        self,
        source: int,
        partition: int,
        ordinals: NDArray[np.int32],
        *,
        keep: bool,
    ) -> None:
        """Take the next part of a source's append list; keep it to lay it out later."""
        name = f"append_list/{self._sources[source]}/{partition}"
        self.recorder.hash_array(name, ordinals)
        if keep:
            self._ordinals.setdefault((source, partition), []).append(ordinals)

    # --- the end ------------------------------------------------------------------

    def lay_out(
        self,
        plan: Plan,
        producers: "Sequence[ProducerClient]",
        handed: Sequence[SourceHandOver],
        partitions: Sequence[Partition],
        end_ns: int,
        *,
        again: bool,
    ) -> None:
        """Lay out the per-record tables of a run that ended at `end_ns`.

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
        )
        self._record_columns(plan, records)
        self._delivery_columns(plan, records, partitions, again=again)

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
    ) -> Result:
        """Return the result, once per-record tables or their like are there."""
        write_events(self.recorder, done_events)
        self._link_rows()
        self._labels()
        missing = self._missing | write_violations(self.recorder, inspection)
        return self.recorder.finish(scenario, plan, facts, missing)

    def _record_columns(self, plan: Plan, records: RecordColumns) -> None:
        columns, labels = plan_columns(plan)
        count = records.count
        columns |= records.columns
        columns |= {
            "resend_of": constant(-1, count, np.int64),
            "caused_by": constant(-1, count, np.int16),
        }
        labels |= {"topic": self._topics, "error": ERRORS, "caused_by": ()}
        self.recorder.columns("records", columns, labels)

    def _delivery_columns(
        self,
        plan: Plan,
        records: RecordColumns,
        partitions: Sequence[Partition],
        *,
        again: bool,
    ) -> None:
        topics = np.array([p.topic for p in partitions], np.int16)
        numbers = np.array([p.number for p in partitions], np.int32)
        appends = self.recorder.rows("appends")
        cut = appends["truncated_ns"] != MISSING_NS
        ghosts = appends[cut & (appends["committed_ns"] != MISSING_NS)]
        appends = appends[~cut]
        first = np.searchsorted(topics, np.arange(len(self._topics)))
        index = first[appends["topic"]] + appends["partition"]
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
                    int(first[row["topic"]] + row["partition"]),
                    row,
                    records.rows_of(row),
                )
                for row in ghosts
            ],
            removed_in=_removed_in(partitions, starts),
        )
        labels = {
            "subscriber": self._subscribers,
            "member": self._members,
            "topic": self._topics,
        }
        self.recorder.columns("deliveries", columns, labels)

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
        names("blocked", "cause", ("buffer.memory",))


def _removed_in(
    partitions: Sequence[Partition], starts: NDArray[np.int64]
) -> NDArray[np.int32] | None:
    """Return for each offset the round of compaction that removed its record.

    Partition after partition, each beginning at its start; 0 where none did. None when
    there was no compaction.
    """
    if all(partition.survivors is None for partition in partitions):
        return None
    removed_in = np.zeros(starts[-1], np.int32)
    for partition, start in zip(partitions, starts.tolist(), strict=False):
        removed_in[start : start + len(partition.removed_in)] = partition.removed_in
    return removed_in
