"""The classic groups of one coordinator: what each request does, and what it is told.

A machine: requests go in, effects come out, time is an argument. It follows the classic
part of `GroupMetadataManager` of Kafka 4.3 (GR-1 to GR-7, GR-9 to GR-11, GR-14). Groups
change in memory at once, but members get an assignment only when it is replicated; so
its host tells it of each write how it went (`Written`, `WriteFailed`). From the records
alone another one goes on: `replay` them, then `loaded`.

In each state a group answers like this. Who is not a member, is fenced, or names
another generation, is told so first.

==================  ==================  ===================  =====================
state               heartbeat           sync                 commit of a member
==================  ==================  ===================  =====================
Empty               UNKNOWN_MEMBER_ID   UNKNOWN_MEMBER_ID    UNKNOWN_MEMBER_ID
PreparingRebalance  REBALANCE_IN_PROG.  REBALANCE_IN_PROG.   accepted
CompletingRebal.    no error            waits for assignm.   REBALANCE_IN_PROGRESS
Stable              no error            its assignment       accepted
Dead                COORDINATOR_NOT_AVAILABLE in any case
==================  ==================  ===================  =====================
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import assert_never

from kafkasim.protocol.errors import (
    COORDINATOR_NOT_AVAILABLE,
    GROUP_ID_NOT_FOUND,
    NONE,
    NOT_COORDINATOR,
    REBALANCE_IN_PROGRESS,
    UNKNOWN_MEMBER_ID,
)
from kafkasim.protocol.groups.coordinator.classic_checks import (
    wrong,
    wrong_commit,
    wrong_sync,
)
from kafkasim.protocol.groups.coordinator.classic_group import (
    Cause,
    ClassicGroup,
    ClassicMember,
    State,
)
from kafkasim.protocol.groups.coordinator.classic_group_records import (
    group_of,
    record_of,
)
from kafkasim.protocol.groups.coordinator.classic_joins import Joins
from kafkasim.protocol.groups.coordinator.classic_rebalances import (
    ClassicSettings,
    DelayOver,
    JoinOver,
    Rebalances,
    SessionOver,
    SyncOver,
    Task,
    go,
)
from kafkasim.protocol.groups.coordinator.classic_writes import (
    Emptied,
    Made,
    Replaced,
    Stored,
    Writes,
)
from kafkasim.protocol.groups.coordinator.coordinator_answers import told_to_members
from kafkasim.protocol.groups.coordinator_records import ClassicGroupRecord
from kafkasim.protocol.groups.group_messages import (
    UNKNOWN_MEMBER,
    Answer,
    Beaten,
    Effect,
    Heartbeat,
    Joined,
    JoinGroup,
    LeaveGroup,
    Left,
    OffsetCommit,
    OffsetFetch,
    Synced,
    SyncGroup,
    WriteFailed,
    Written,
)

Heard = JoinGroup | SyncGroup | Heartbeat | LeaveGroup | Written | WriteFailed
"""What it is told."""


class ClassicGroups:
    """All classic groups that one partition of `__consumer_offsets` keeps.

    Parameters
    ----------
    settings : ClassicSettings
        Of the coordinator's broker.
    next_uuid : callable
        Returns the second half of the id of each new member.
    """

    def __init__(self, settings: ClassicSettings, next_uuid: Callable[[], str]) -> None:
        self._rebalances = Rebalances(settings)
        self._groups = self._rebalances.groups
        self._writes = Writes()
        self._joins = Joins(self._rebalances, self._writes, next_uuid)

    @property
    def groups(self) -> Mapping[str, ClassicGroup]:
        """All of them by name, to be looked at."""
        return MappingProxyType(self._groups)

    # Requests

    def handle(self, heard: Heard, now_ms: int) -> list[Effect]:
        """Decide on a request, or go on when a write has ended."""
        match heard:
            case JoinGroup():
                return self._joins.handle(heard, now_ms)
            case SyncGroup():
                return self._sync(heard)
            case Heartbeat():
                return [self._heartbeat(heard, now_ms)]
            case LeaveGroup():
                return self._leave(heard, now_ms)
            case Written():
                return self._written(heard, now_ms)
            case WriteFailed():
                return self._failed(heard, now_ms)
        assert_never(heard)

    def _sync(self, request: SyncGroup) -> list[Effect]:
        """`classicGroupSync`: the leader's brings the assignment (GR-5)."""
        group = self._groups.get(request.group)
        error = wrong_sync(group, request)
        if group is None or error != NONE:
            return [Answer(request, Synced(error=error))]
        member = group.members[request.member_id]
        group.pending_syncs.discard(request.member_id)
        if not group.pending_syncs:
            self._rebalances.timers.cancel(("sync", group.name))
        if group.state == State.STABLE:
            assigned = member.assigned or ()
            return [Answer(request, Synced(protocol=group.protocol, assigned=assigned))]
        member.syncing = request
        if group.leader != request.member_id:
            return []
        assignments = dict(request.assignments)
        waiting = Stored(group, request, assignments)
        return [self._writes.begin(record_of(group, assignments), waiting)]

    def _heartbeat(self, request: Heartbeat, now_ms: int) -> Answer:
        """`classicGroupHeartbeat` (GR-7)."""
        group = self._groups.get(request.group)
        error = UNKNOWN_MEMBER_ID
        if group is not None:
            error = wrong(group, request)
        if group is None or error != NONE:
            return Answer(request, Beaten(error=error))
        member = group.members[request.member_id]
        self._rebalances.expect_heartbeat(group, member, now_ms)
        if group.state == State.PREPARING:
            error = REBALANCE_IN_PROGRESS
        return Answer(request, Beaten(error=error), after_writes=True)

    def _leave(self, request: LeaveGroup, now_ms: int) -> list[Effect]:
        """`classicGroupLeave`: one member, or whoever has an instance id."""
        group = self._groups.get(request.group)
        if group is None:
            return [Answer(request, Left(error=UNKNOWN_MEMBER_ID))]
        if group.state == State.DEAD:
            answer = Answer(request, Left(error=COORDINATOR_NOT_AVAILABLE))
            return [answer]
        member_id = request.member_id
        if member_id == UNKNOWN_MEMBER:
            member_id = group.static_ids.get(request.instance_id or "", UNKNOWN_MEMBER)
        out: list[Effect] = []
        record = None
        error = NONE
        if member_id in group.pending_joins:
            group.remove(member_id)
        else:
            error = group.check(member_id, request.instance_id)
            if error == NONE:
                self._rebalances.dismiss(group, group.members[member_id], out)
        if error == NONE:
            self._rebalances.timers.cancel((group.name, member_id))
            record = self._left(group, now_ms, out)
        answer = Answer(request, Left(error=error), after_writes=record is None)
        if record is None:
            return [*out, answer]
        return [*out, self._writes.begin(record, Emptied(), (answer,))]

    def _left(
        self, group: ClassicGroup, now_ms: int, out: list[Effect]
    ) -> ClassicGroupRecord | None:
        if group.state == State.EMPTY:
            return None
        return self._rebalances.prepare_or_complete(group, Cause.LEFT, now_ms, out)

    # Writes

    def _written(self, written: Written, now_ms: int) -> list[Effect]:
        out: list[Effect] = []
        match self._writes.end(written.write):
            case Stored(group, request, assignments):
                if _goes_on(group, request):
                    for member in group.members.values():
                        member.assigned = assignments.get(member.member_id)
                    self._rebalances.propagate(group, NONE, now_ms, out)
                    go(group, State.STABLE, Cause.ASSIGNED, now_ms, out)
            case Replaced() as waiting:
                self._joins.replaced(waiting, out)
            case Made() | Emptied() | None:
                pass
        return out

    def _failed(self, failed: WriteFailed, now_ms: int) -> list[Effect]:
        out: list[Effect] = []
        error = told_to_members(failed.error)
        match self._writes.end(failed.write):
            case Made(group, request):
                self._joins.not_made(group, request, error, out)
                if not failed.appended and self._groups.get(group.name) is group:
                    self._rebalances.drop(group)
            case Emptied():
                out += [
                    Answer(each.request, Left(error=error))
                    for each in failed.write.answers
                ]
            case Stored(group, request):
                if _goes_on(group, request):
                    self._rebalances.propagate(group, error, now_ms, out)
                    cause = Cause.NOT_STORED
                    self._rebalances.prepare_or_complete(group, cause, now_ms, out)
            case Replaced() as waiting:
                self._joins.not_replaced(waiting, error, now_ms, out)
            case None:
                pass
        return out

    # Time

    @property
    def next_deadline_ms(self) -> int | None:
        """When to call `handle_timeout`; None while no timer runs."""
        return self._rebalances.timers.next_deadline_ms

    def handle_timeout(self, now_ms: int) -> list[Effect]:
        """Do what is due, if anything is."""
        out: list[Effect] = []
        while (task := self._rebalances.timers.pop_due(now_ms)) is not None:
            record = self._do(task, now_ms, out)
            if record is not None:
                out.append(self._writes.begin(record, Emptied()))
        return out

    def _do(
        self, task: Task, now_ms: int, out: list[Effect]
    ) -> ClassicGroupRecord | None:
        match task:
            case SessionOver():
                return self._rebalances.handle_session_over(task, now_ms, out)
            case DelayOver():
                return self._rebalances.handle_delay_over(task, now_ms, out)
            case JoinOver():
                return self._rebalances.handle_join_over(task, now_ms, out)
            case SyncOver():
                return self._rebalances.handle_sync_over(task, now_ms, out)
        assert_never(task)

    # The log

    def replay(self, record: ClassicGroupRecord, now_ms: int) -> None:  # noqa: ARG002
        """Take over what a record says, in the order of the log."""
        if record.value is None:
            self._groups.pop(record.group, None)
        else:
            self._groups[record.group] = group_of(record.group, record.value)

    def loaded(self, now_ms: int) -> list[Effect]:
        """Begin to coordinate what was replayed (`onLoaded`).

        The sessions of all members start now; a group that is larger than
        `group.max.size` has to rebalance.
        """
        out: list[Effect] = []
        for group in self._groups.values():
            for member in group.members.values():
                self._rebalances.expect_heartbeat(group, member, now_ms)
            if len(group.members) > self._rebalances.settings.max_size:
                self._rebalances.prepare(group, Cause.TOO_LARGE, now_ms, out)
        return out

    def unloaded(self, now_ms: int) -> list[Effect]:
        """Stop to coordinate: whoever waits is told, and all groups are dead.

        `onUnloaded`. Writes under way are to have failed before, with NOT_COORDINATOR.
        """
        out: list[Effect] = []
        self._rebalances.timers.clear()
        for group in self._groups.values():
            if group.state != State.DEAD:
                go(group, State.DEAD, Cause.MOVED, now_ms, out)
                for member in group.members.values():
                    out += _not_here(group, member)
        return out

    # Offsets

    def create(self, name: str, now_ms: int) -> None:
        """Make a group that only keeps offsets, if there is none of that name."""
        if name not in self._groups:
            self._groups[name] = ClassicGroup(name, now_ms)

    def may_commit(self, request: OffsetCommit, now_ms: int) -> int:
        """Return the error of a commit, or NONE (GR-10); it counts as a heartbeat.

        `OffsetMetadataManager.validateOffsetCommit` (GR-11). One from outside any group
        makes the group if there is none.
        """
        group = self._groups.get(request.group)
        outside = request.generation < 0
        if group is None:
            if outside:
                self.create(request.group, now_ms)
            return NONE if outside else GROUP_ID_NOT_FOUND
        error = wrong_commit(group, request)
        if error == NONE and group.state in (State.STABLE, State.PREPARING):
            member = group.members[request.member_id]
            self._rebalances.expect_heartbeat(group, member, now_ms)
        return error

    def may_fetch(self, request: OffsetFetch) -> int:
        """Return the error of a fetch of offsets, or NONE (`validateOffsetFetch`)."""
        group = self._groups.get(request.group)
        if group is None or group.state == State.DEAD:
            return GROUP_ID_NOT_FOUND
        return NONE

    # What the shard asks

    def has(self, name: str) -> bool:
        """Whether there is a group of that name."""
        return name in self._groups

    def subscribed(self, name: str) -> tuple[str, ...] | None:
        """Return the topics that a group reads, sorted; None if it is empty."""
        group = self._groups[name]
        return None if group.state == State.EMPTY else group.subscribed

    def empty_since_ms(self, name: str) -> int | None:
        """Return when a group that had members became empty; None if it is not."""
        group = self._groups[name]
        if group.state != State.EMPTY or not group.consumers:
            return None
        return group.changed_ms

    def offsets_may_expire(self, name: str) -> bool:
        """Whether old offsets may go now: not in a rebalance.

        `ClassicGroup.offsetExpirationCondition`. In a stable group those of topics that
        nobody reads, by the time of their commit; in an empty one all, by the time when
        it became empty; in one that never had members all, by that of their commit.
        """
        group = self._groups[name]
        return not group.consumers or group.state in (State.EMPTY, State.STABLE)


def _goes_on(group: ClassicGroup, request: SyncGroup) -> bool:
    """Whether a group still waits for the assignment that its leader brought."""
    waits = group.state == State.COMPLETING
    return waits and group.generation == request.generation


def _not_here(group: ClassicGroup, member: ClassicMember) -> list[Effect]:
    """Tell a member that waits that its coordinator is another one."""
    if group.previous == State.PREPARING:
        joining = group.take_join(member)
        joined = Joined(error=NOT_COORDINATOR, member_id=member.member_id)
        return [] if joining is None else [Answer(joining, joined)]
    syncing, member.syncing = member.syncing, None
    return [] if syncing is None else [Answer(syncing, Synced(error=NOT_COORDINATOR))]
