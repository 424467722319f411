"""The groups of the consumer protocol that one coordinator looks after (KIP-848).

A machine: heartbeats go in, effects come out, time is an argument
(`GroupMetadataManager`, 4.3). All that is durable is in records, replayed as soon as
they are decided; members' timers are not, and start anew when another coordinator takes
over (OF-7).

Not modelled: subscriptions by regular expression (N8-11), and members of the classic
protocol in such a group (N8-13); they are answered as if
`group.consumer.migration.policy` were disabled.
"""

from collections.abc import Collection, Mapping
from enum import IntEnum

from kafkasim.protocol.errors import (
    GROUP_ID_NOT_FOUND,
    INCONSISTENT_GROUP_PROTOCOL,
    NONE,
    STALE_MEMBER_EPOCH,
    UNKNOWN_MEMBER_ID,
)
from kafkasim.protocol.groups.coordinator.consumer_admission import (
    RefusedError,
    invalid,
    tombstones,
)
from kafkasim.protocol.groups.coordinator.consumer_group import (
    ConsumerGroup,
    PartitionsOf,
)
from kafkasim.protocol.groups.coordinator.consumer_heartbeat import (
    ConsumerGroupSettings,
    Heartbeats,
)
from kafkasim.protocol.groups.coordinator.consumer_target import ServerAssignor
from kafkasim.protocol.groups.coordinator.coordinator_answers import refused
from kafkasim.protocol.groups.coordinator.reconciliation import GroupMember
from kafkasim.protocol.groups.coordinator_records import (
    UNREVOKED_PARTITIONS,
    ConsumerGroupRecord,
    CurrentAssignmentRecord,
    MemberRecord,
    PartitionMetadataRecord,
    Record,
    TargetEpochRecord,
    TargetMemberRecord,
)
from kafkasim.protocol.groups.group_messages import (
    JOIN_EPOCH,
    Answer,
    Beaten,
    ConsumerGroupHeartbeat,
    Effect,
    GroupChanged,
    Heartbeat,
    Joined,
    JoinGroup,
    LeaveGroup,
    Left,
    OffsetCommit,
    OffsetFetch,
    Synced,
    SyncGroup,
    Write,
    WriteFailed,
    Written,
)
from kafkasim.protocol.timers import Timers

ClassicRequest = JoinGroup | SyncGroup | Heartbeat | LeaveGroup
"""What members of the classic protocol ask."""

GroupOwnRecord = (
    ConsumerGroupRecord
    | MemberRecord
    | TargetEpochRecord
    | TargetMemberRecord
    | CurrentAssignmentRecord
)
"""What is written of such a group."""


class Timer(IntEnum):
    """What a member is given time for."""

    SESSION = 0
    """Its next heartbeat."""
    REBALANCE = 1
    """To give up what it must (N8-6)."""


class ConsumerGroups:
    """The groups of the consumer protocol of one partition of `__consumer_offsets`.

    Parameters
    ----------
    settings : ConsumerGroupSettings
        Configuration.
    assignors : mapping of str to ServerAssignor
        By name; the first one is that of members that do not ask for one.
    partitions_of : callable
        How many partitions a topic has now; None if it does not exist.
    """

    def __init__(
        self,
        settings: ConsumerGroupSettings,
        assignors: Mapping[str, ServerAssignor],
        partitions_of: PartitionsOf,
    ) -> None:
        self.settings = settings
        self._heartbeats = Heartbeats(settings, assignors, partitions_of)
        self._groups: dict[str, ConsumerGroup] = {}
        self._timers: Timers[tuple[Timer, str, str, int]] = Timers()
        """What each is for, group, member, and the epoch in which it was set."""
        self._undo: dict[int, tuple[str, list[Record]]] = {}
        """By identity of a write under way: its group, and the records that undo it."""

    # What is asked of a group from outside

    def has(self, group: str) -> bool:
        """Tell whether there is such a group."""
        return group in self._groups

    def group(self, group: str) -> ConsumerGroup:
        """Return a group as it is now; not to be changed."""
        return self._groups[group]

    @property
    def groups(self) -> tuple[str, ...]:
        """Ids of all groups, in the order in which they came."""
        return tuple(self._groups)

    def subscribed(self, group: str) -> tuple[str, ...] | None:
        """Return the topics its members subscribe to; None if it has no members."""
        found = self._groups[group]
        return tuple(sorted(found.topics)) if found.members else None

    def empty_since_ms(self, _group: str) -> int | None:
        """Return None: offsets of such a group expire by when they were committed."""
        return None

    def tombstones(self, group: str) -> tuple[Record, ...]:
        """Return the records that delete a group (`createGroupTombstoneRecords`)."""
        members = self._groups[group].members.walk()
        by_member = [tombstones(group, member_id) for member_id in members]
        currents, targets, said = (
            [records[place] for records in by_member] for place in range(3)
        )
        return (
            *currents,
            *targets,
            TargetEpochRecord(group, None),
            *said,
            PartitionMetadataRecord(group, None),  # of a broker before 4.1, if any
            ConsumerGroupRecord(group, None),
        )

    def may_commit(self, request: OffsetCommit, _now_ms: int) -> int:
        """Return the error that a commit as a whole is refused with, or `NONE`.

        See `commit_errors` for what is asked of each partition (N8-9). A commit is no
        heartbeat here.
        """
        group = self._groups[request.group]
        if request.generation < 0 and not group.members:
            return NONE
        member = group.members.get(request.member_id)
        if member is None:
            return UNKNOWN_MEMBER_ID
        return STALE_MEMBER_EPOCH if request.generation > member.epoch else NONE

    def commit_errors(self, request: OffsetCommit, now_ms: int) -> tuple[int, ...]:
        """Return the error of each partition of a commit, or `NONE`.

        A member that has gone on to another epoch may still commit what it has had
        since the epoch it names (KIP-1251, since 4.3).
        """
        error = self.may_commit(request, now_ms)
        member = self._groups[request.group].members.get(request.member_id)
        if error != NONE or member is None or request.generation == member.epoch:
            return (error,) * len(request.offsets)
        epochs = [member.got_in((at.topic, at.partition)) for at in request.offsets]
        return tuple(
            STALE_MEMBER_EPOCH if epoch is None or request.generation < epoch else NONE
            for epoch in epochs
        )

    def may_fetch(self, request: OffsetFetch) -> int:
        """Return the error that asking for offsets is refused with, or `NONE`."""
        if request.member_id is None and request.member_epoch < 0:
            return NONE
        members = self._groups[request.group].members
        member = members.get(request.member_id or "")
        if member is None:
            return UNKNOWN_MEMBER_ID
        return NONE if request.member_epoch == member.epoch else STALE_MEMBER_EPOCH

    # What happens

    def handle(
        self,
        request: ConsumerGroupHeartbeat | ClassicRequest | Written | WriteFailed,
        now_ms: int,
    ) -> list[Effect]:
        """Decide on a request; what is decided is written before it is answered."""
        match request:
            case ConsumerGroupHeartbeat():
                return self._heartbeat(request, now_ms)
            case Written():
                self._undo.pop(id(request.write), None)
                return []
            case WriteFailed():
                return self._take_back(request)
            case _:
                return [_other_protocol(request)]

    @property
    def next_deadline_ms(self) -> int | None:
        """When to call `handle_timeout`; None if nobody is waited for."""
        return self._timers.next_deadline_ms

    def handle_timeout(self, now_ms: int) -> list[Effect]:
        """Remove the members whose time is up (N8-6)."""
        effects: list[Effect] = []
        while (due := self._timers.pop_due(now_ms)) is not None:
            timer, group_id, member_id, epoch = due
            group = self._groups.get(group_id)
            member = None if group is None else group.members.get(member_id)
            if group is None or member is None:
                continue
            if timer is Timer.SESSION:
                effects += self._fence(group, member, "session expired")
            elif member.epoch == epoch:
                effects += self._fence(group, member, "revocation took too long")
        return effects

    def metadata_changed(self, topics: Collection[str]) -> None:
        """Let groups of these look at the next heartbeat (`onMetadataUpdate`)."""
        for group in self._groups.values():
            if not group.topics.keys().isdisjoint(topics):
                group.request_refresh()

    def replay(self, record: Record, _now_ms: int) -> None:
        """Take over what a record says; records of other groups are none of ours.

        Raises
        ------
        ValueError
            If it cannot follow what was replayed before it.
        """
        if not isinstance(record, GroupOwnRecord):
            return
        group = self._groups.get(record.group)
        if group is None:
            if record.value is None:
                return
            group = self._groups[record.group] = ConsumerGroup(record.group)
        if isinstance(record, ConsumerGroupRecord) and record.value is None:
            group.check_deletable()
            del self._groups[record.group]
        else:
            group.replay(record)

    def loaded(self, now_ms: int) -> list[Effect]:
        """Give every member a session from now on, for all records are replayed."""
        for group in self._groups.values():
            for member in map(group.members.__getitem__, group.members.walk()):
                self._heard_of(group.group, member.member_id, now_ms)
                if member.state == UNREVOKED_PARTITIONS:
                    self._wait_for(group.group, member, now_ms)
        return []

    # Heartbeats

    def _heartbeat(self, request: ConsumerGroupHeartbeat, now_ms: int) -> list[Effect]:
        error = invalid(request, self._heartbeats.assignors)
        group = self._groups.get(request.group)
        joins = request.member_epoch == JOIN_EPOCH
        if error == NONE and group is None and not joins:
            error = GROUP_ID_NOT_FOUND
        if error != NONE:
            return [refused(request, error)]
        known = ConsumerGroup(request.group) if group is None else group
        leaves = request.member_epoch < JOIN_EPOCH
        try:
            outcome = (
                self._heartbeats.leave(known, request)
                if leaves
                else self._heartbeats.heartbeat(known, request, now_ms)
            )
        except RefusedError as because:
            return [refused(request, because.error)]
        member = outcome.member
        if not leaves:
            if outcome.moved and member.state == UNREVOKED_PARTITIONS:
                self._wait_for(request.group, member, now_ms)
            elif outcome.moved:
                self._timers.cancel((Timer.REBALANCE, request.group, member.member_id))
            self._heard_of(request.group, member.member_id, now_ms)
        elif outcome.removed:
            self._forget(request.group, member.member_id)
        if not outcome.records:
            return [Answer(request, outcome.response, after_writes=True)]
        answers = (Answer(request, outcome.response),)
        return self._write(known, outcome.records, answers, outcome.cause)

    def _fence(
        self, group: ConsumerGroup, member: GroupMember, cause: str
    ) -> list[Effect]:
        records = self._heartbeats.without(group, member)
        self._forget(group.group, member.member_id)
        return self._write(group, records, (), cause)

    def _heard_of(self, group: str, member_id: str, now_ms: int) -> None:
        at_ms = now_ms + self.settings.session_timeout_ms
        task = (Timer.SESSION, group, member_id, 0)
        self._timers.schedule(task[:3], at_ms, task)

    def _wait_for(self, group: str, member: GroupMember, now_ms: int) -> None:
        """Give a member its rebalance timeout, from now on."""
        at_ms = now_ms + member.said.rebalance_timeout_ms
        task = (Timer.REBALANCE, group, member.member_id, member.epoch)
        self._timers.schedule(task[:3], at_ms, task)

    def _forget(self, group: str, member_id: str) -> None:
        for timer in Timer:
            self._timers.cancel((timer, group, member_id))

    # Writing

    def _write(
        self,
        group: ConsumerGroup,
        records: list[Record],
        answers: tuple[Answer, ...],
        cause: str,
    ) -> list[Effect]:
        """Replay records, and say that they are to be written."""
        before = group.standing
        undo: list[Record] = []
        if group.group not in self._groups:
            self._groups[group.group] = group
            undo.append(ConsumerGroupRecord(group.group, None))
        for record in records:
            undo.append(group.before(record))
            group.replay(record)
        write = Write(tuple(records), answers)
        self._undo[id(write)] = group.group, undo
        after = group.standing
        effects: list[Effect] = [write]
        if after != before:
            changed = GroupChanged(
                group.group, after.state, after.epoch, after.members, cause
            )
            effects.append(changed)
        return effects

    def _take_back(self, failed: WriteFailed) -> list[Effect]:
        """Answer with an error what was to be answered after a write (OF-6).

        Records that did not get into the log are as if they had never been decided.
        """
        group_id, undo = self._undo.pop(id(failed.write), ("", []))
        if undo and not failed.appended:
            group = self._groups[group_id]
            is_new = undo[0] == ConsumerGroupRecord(group_id, None)
            for record in reversed(undo[is_new:]):
                group.replay(record)
            if is_new:
                del self._groups[group_id]
        return [
            refused(answer.request, failed.error)
            for answer in failed.write.answers
            if isinstance(answer.request, ConsumerGroupHeartbeat)
        ]


def _other_protocol(request: ClassicRequest) -> Answer:
    """Refuse a member of the classic protocol."""
    match request:
        case JoinGroup():
            return Answer(request, Joined(error=INCONSISTENT_GROUP_PROTOCOL))
        case SyncGroup():
            return Answer(request, Synced(error=UNKNOWN_MEMBER_ID))
        case Heartbeat():
            return Answer(request, Beaten(error=UNKNOWN_MEMBER_ID))
        case LeaveGroup():
            return Answer(request, Left(error=UNKNOWN_MEMBER_ID))
