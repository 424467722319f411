"""A run of a cluster whose groups have coordinators.

The second kind of run, as `ReplicatedBroker` is the second kind of broker (decision
11): one in which a group starts cold, or its members come and go. Its groups go through
every request; `__consumer_offsets` is a topic of the cluster, and what a group knows is
in it.
"""

from collections.abc import Sequence
from functools import cached_property, partial

from kafkasim.engine.sim.consumer import Member
from kafkasim.engine.sim.coordinator_parts import CoordinatorCalls, Shard
from kafkasim.engine.sim.group_invariants import (
    OneOwnerOfAnEpoch,
    OwnersPositionsRise,
    RevokedBeforeAssigned,
)
from kafkasim.engine.sim.group_requests import GroupRequest
from kafkasim.engine.sim.invariants import Invariant
from kafkasim.engine.sim.joining_member import JoiningMember
from kafkasim.engine.sim.literal_batches import NO_SOURCE, LiteralBatch
from kafkasim.engine.sim.owning_member import OwningMember
from kafkasim.engine.sim.partition import Partition
from kafkasim.engine.sim.producer import Batch
from kafkasim.engine.sim.replica import Append, Replica
from kafkasim.engine.sim.request import OFFSET_COMMIT, Request
from kafkasim.engine.sim.systems.coordinated_events import MEMBER_KINDS, GroupEvents
from kafkasim.engine.sim.systems.coordinated_groups import CoordinatedGroups
from kafkasim.engine.sim.systems.coordinated_rows import CoordinatedRows
from kafkasim.engine.sim.systems.coordinated_tables import CoordinatedTables
from kafkasim.engine.sim.systems.group_machines import new_shard
from kafkasim.engine.sim.systems.kafka import KafkaRun
from kafkasim.engine.sim.systems.kafka_rows import OF_COORDINATORS
from kafkasim.engine.sim.systems.kafka_tables import KafkaTables
from kafkasim.engine.sim.systems.offsets_topic import OFFSETS_TOPIC
from kafkasim.engine.sim.systems.standing import StandingGroup
from kafkasim.ids import Target
from kafkasim.protocol.cluster.controller_messages import PartitionState
from kafkasim.protocol.errors import NONE
from kafkasim.protocol.groups.coordinator.consumer_target import broker_assignors
from kafkasim.protocol.groups.coordinator.coordinator_shard import CoordinatorShard
from kafkasim.protocol.groups.coordinator_bytes import decode, encode
from kafkasim.protocol.groups.coordinator_records import Record
from kafkasim.protocol.groups.group_messages import (
    LEAVE_FOR_A_WHILE_EPOCH,
    GroupChanged,
    OffsetCommit,
    OffsetsCommitted,
    Response,
)
from kafkasim.protocol.groups.standing_groups import FIRST, offset_records
from kafkasim.protocol.offsets_topic import offsets_partition
from kafkasim.protocol.topic_ids import TopicIds, made_id
from kafkasim.scenario.events import Event


class CoordinatedRun(CoordinatedGroups, KafkaRun):
    """Such a run; it is made like a `KafkaRun`."""

    tables_kind = CoordinatedTables

    def _make_tables(self) -> KafkaTables:
        tables = super()._make_tables()
        tables.records_too(OF_COORDINATORS)
        self.rows = CoordinatedRows(
            tables.recorder, list(self.subscribers), self.topics, self.epoch_ms
        )
        return tables

    def _connect_clients(self) -> None:
        self.group_events = GroupEvents(self)
        self._make_coordinators(self._coordinator_calls)
        super()._connect_clients()

    # --- coordinators ----------------------------------------------------------------

    def _coordinator_calls(self, broker: int) -> CoordinatorCalls:
        ids = self._topic_ids
        return CoordinatorCalls(
            new_shard=self._new_shard,
            encode=partial(encode, ids=ids),
            decode=partial(decode, ids=ids),
            on_append=partial(self._coordinator_appended, broker),
            on_changed=self._group_changed,
            on_answered=self._coordinator_answered,
        )

    def _new_shard(self, number: int) -> Shard:
        """Return the machine of a partition of the offsets topic."""
        self._shards[number] = shard = new_shard(
            self.system.broker_config,
            self._topic_ids,
            partial(self._next_uuid, f"{OFFSETS_TOPIC}-{number}"),
            self._partition_count,
        )
        return shard

    @cached_property
    def _shards(self) -> dict[int, CoordinatorShard]:
        """The last machine made for each partition of the offsets topic."""
        return {}

    def _is_member(self, group: str, member_id: str) -> bool:
        """Whether the coordinator of a group of KIP-848 has a member that is there.

        A static one that said it leaves for a while is not: who does not poll in time
        says so and works on, while what it was to give up goes to others.
        """
        number = offsets_partition(group, len(self.by_topic[OFFSETS_TOPIC]))
        shard = self._shards.get(number)
        if shard is None or not shard.consumer.has(group):
            return False
        known = shard.consumer.group(group).members.get(member_id)
        return known is not None and known.epoch != LEAVE_FOR_A_WHILE_EPOCH

    @cached_property
    def _topic_ids(self) -> TopicIds:
        return TopicIds({topic: made_id(topic) for topic in self.topics})

    def _partition_count(self, topic: str) -> int | None:
        known = self.by_topic.get(topic)
        return None if known is None else len(known)

    def _coordinator_appended(
        self,
        broker: int,
        batch: LiteralBatch,
        records: tuple[Record, ...],
        leader_epoch: int,
    ) -> None:
        now_ns = self.calendar.now_ns
        self.rows.appended(batch, records, broker, leader_epoch, now_ns)

    def _group_changed(self, change: GroupChanged) -> None:
        self.rows.changed(change, self.calendar.now_ns)

    def _coordinator_answered(self, request: GroupRequest, answer: Response) -> None:
        """Take note of what a group has committed."""
        if request.api != OFFSET_COMMIT:
            return
        message: OffsetCommit = request.payload
        assert isinstance(answer, OffsetsCommitted)
        self.rows.committed(request, answer, self.calendar.now_ns)
        committed = self.groups[message.group].committed
        for each, (_, error) in zip(message.offsets, answer.errors, strict=True):
            if error == NONE:
                partition = self.by_topic[each.topic][each.partition]
                committed[partition.index] = each.offset

    def _begin(self, event: Event, target: Target, until_ns: int) -> str:
        if target.kind in MEMBER_KINDS:
            return self.group_events.begin(event, target, until_ns)
        return super()._begin(event, target, until_ns)

    def _end(self, event: Event, target: Target) -> None:
        if target.kind in MEMBER_KINDS:
            self.group_events.end(event, target)
        else:
            super()._end(event, target)

    def _closed(self, member: OwningMember) -> None:
        self.group_events.closed(member)

    # --- groups -----------------------------------------------------------------------

    def _join(self, name: str) -> None:
        """Let those members of a group start that are there from the beginning."""
        group = self.groups[name]
        if group.joined:
            return
        if not group.up:
            group.note_absence()
            return
        group.joined = True
        self._start(name)

    def _start(self, name: str) -> None:
        self.groups[name].began_ns = self.calendar.now_ns
        first = [
            member
            for member in self.joining(name)
            if member.code not in self._later and not member.up
        ]
        if self.groups[name].committed and self.calendar.now_ns == 0:
            self._stand(name, first)
            return
        for member in first:
            member.start()

    def _stand(self, name: str, members: Sequence[JoiningMember]) -> None:
        """Let a group have been stable at the start of the run."""
        group = self.groups[name]
        committed = {
            (self.topics[partition.topic], partition.number): offset
            for partition in group.partitions
            for offset in [group.committed[partition.index]]
        }
        mine = self.by_topic[OFFSETS_TOPIC]
        number = offsets_partition(name, len(mine))
        config = self.system.broker_config
        standing = StandingGroup(
            members,
            node=mine[number].leader,
            committed=committed,
            next_uuid=partial(self._next_uuid, f"{OFFSETS_TOPIC}-{number}"),
            now_ms=self.epoch_ms,
        )
        standing.speak(
            broker_assignors(),
            self._partition_count,
            interval_ms=config.group_consumer_heartbeat_interval_ms,
            computed_ms=self.epoch_ms - config.group_consumer_assignment_interval_ms,
        )
        records = [
            *standing.records,
            *offset_records(name, committed, self._topic_ids, self.epoch_ms),
        ]
        self.timeline.command(0, self._put_on_record, (number, records))
        self._group_changed(
            GroupChanged(name, "Stable", FIRST, len(members), "as the run begins")
        )

    def _put_on_record(self, what: tuple[int, list[Record]]) -> None:
        """Have records of before the run in the offsets topic."""
        for coordinators in self.coordinators:
            coordinators.keep(*what)

    def _of_members(self, members: Sequence[Sequence[Member]]) -> list[Invariant]:
        everyone = [member for group in members for member in group]
        return [
            OneOwnerOfAnEpoch(members, self.owners, lambda: self.calendar.now_ns),
            RevokedBeforeAssigned(members, self.owners, self._is_member),
            OwnersPositionsRise(everyone, self.owners),
        ]

    # --- accounts ---------------------------------------------------------------------

    @property
    def _leaders_may_move(self) -> bool:
        """Say yes: a record may be handed out again whenever a partition moves."""
        return True

    def _replicated(self, batch: Batch, partition: Partition, append: Append) -> None:
        if batch.source_index != NO_SOURCE:
            super()._replicated(batch, partition, append)

    def _write_replica(
        self, replica: Replica, state: PartitionState, role: str, cause: str
    ) -> None:
        if replica.partition not in self.unused:
            super()._write_replica(replica, state, role, cause)

    def _open_requests(self) -> list[Request]:
        waiting = [r for each in self.coordinators for r in each.open_requests()]
        found = {r.request_id: r for r in super()._open_requests()}
        found.update((r.request_id, r) for r in waiting if not r.written)
        return [found[number] for number in sorted(found)]

    def _finish(self) -> None:
        super()._finish()
        self.rows.finish()
