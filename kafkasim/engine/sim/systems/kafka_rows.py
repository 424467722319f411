"""What a Kafka run writes: rows, as they become final."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from kafkasim.engine.sim.at_work import Returned
from kafkasim.engine.sim.consumer import Member
from kafkasim.engine.sim.group import Group
from kafkasim.engine.sim.hand_outs import POLL_FORMAT
from kafkasim.engine.sim.log_manager import Gone
from kafkasim.engine.sim.partition import Partition
from kafkasim.engine.sim.plan_facts import LEADER_EPOCH
from kafkasim.engine.sim.producer import Batch
from kafkasim.engine.sim.replica import (
    Append,
    Life,
    LogSegment,
    Replica,
    contents_of,
)
from kafkasim.engine.sim.request import Request
from kafkasim.protocol.cluster.controller_messages import PartitionState
from kafkasim.result.recorder import Recorder
from kafkasim.result.schema import REMOVED_BY, REPLICA_CAUSES, ROLES, ROLLED_BY
from kafkasim.scenario.blocks import SourceBlocks
from kafkasim.units import MISSING_NS

if TYPE_CHECKING:
    pass

OF_COORDINATORS = ("group_states", "offsets_topic")
"""Tables of a run whose groups have coordinators."""
GENERATION = 1
"""Of every group: it has joined once, before the run."""


class KafkaRows:
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
        self._missing = dict.fromkeys(OF_COORDINATORS, "let a group start cold")
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

    def records_too(self, tables: Iterable[str]) -> None:
        """Take note that these are recorded, too."""
        for table in tables:
            self._missing.pop(table, None)

    def client_code(self, name: str) -> int:
        """Return the code of `source:…`, `member:…` or `broker:…` as a sender."""
        return self._codes[name]

    # --- rows ---------------------------------------------------------------------

    def batch(self, batch: Batch) -> None:
        """Write a batch that is final: answered, or left when the run was cut."""
        self._write_batch(
            batch.batch_id,
            batch.parent_id,
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
            batch.sends,
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
        partition, log = self._partitions[replica.partition], replica.ends
        self._write_replica(
            partition.topic, partition.number, replica.node + 1, ROLES.index(role),
            state.leader_epoch, log.log_end_offset, log.high_watermark,
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
            request.size_bytes + request.said_bytes,
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
        """Write since when and from where a member has read a partition, if it has."""
        if partition.index not in member.begun:
            return  # it was added just now
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
