"""JoinGroup: a member comes, comes back, or comes again.

A dynamic member that has no id yet is given one and told to use it, so that one that
never hears the answer is not a member for long (GR-1). A static member that comes
without an id takes the place of the one with its instance id (GR-14). Who is a member
already may want another generation, or has missed the response to its join (GR-6).
Source: the ``classicGroupJoin`` methods of `GroupMetadataManager` (4.3).
"""

from collections.abc import Callable

from kafkasim.protocol.errors import (
    COORDINATOR_NOT_AVAILABLE,
    FENCED_INSTANCE_ID,
    GROUP_MAX_SIZE_REACHED,
    INCONSISTENT_GROUP_PROTOCOL,
    INVALID_SESSION_TIMEOUT,
    MEMBER_ID_REQUIRED,
    NONE,
    UNKNOWN_MEMBER_ID,
    UNKNOWN_SERVER_ERROR,
)
from kafkasim.protocol.groups.coordinator.classic_group import (
    Cause,
    ClassicGroup,
    ClassicMember,
    State,
)
from kafkasim.protocol.groups.coordinator.classic_group_records import (
    first_record,
    record_of,
)
from kafkasim.protocol.groups.coordinator.classic_rebalances import (
    NEW_MEMBER_JOIN_TIMEOUT_MS,
    Rebalances,
    joined_now,
)
from kafkasim.protocol.groups.coordinator.classic_writes import Made, Replaced, Writes
from kafkasim.protocol.groups.group_messages import (
    UNKNOWN_MEMBER,
    Answer,
    Effect,
    Joined,
    JoinGroup,
    Synced,
)


class Joins:
    """Answers joins to the groups of one coordinator.

    A group that somebody joins has a member, so what a rebalance would have to write of
    one without is no matter here.

    Parameters
    ----------
    rebalances : Rebalances
        The groups.
    writes : Writes
        Where what waits for a write is kept.
    next_uuid : callable
        Returns the second half of the id of each new member.
    """

    def __init__(
        self, rebalances: Rebalances, writes: Writes, next_uuid: Callable[[], str]
    ) -> None:
        self._rebalances = rebalances
        self._writes = writes
        self._next_uuid = next_uuid

    def handle(self, request: JoinGroup, now_ms: int) -> list[Effect]:
        """Decide on a join; the response may come much later."""
        settings, groups = self._rebalances.settings, self._rebalances.groups
        shortest_ms = settings.min_session_timeout_ms
        longest_ms = settings.max_session_timeout_ms
        if not shortest_ms <= request.session_timeout_ms <= longest_ms:
            return [refused(request, INVALID_SESSION_TIMEOUT, request.member_id)]
        group = groups.get(request.group)
        if group is None and request.member_id != UNKNOWN_MEMBER:
            return [refused(request, UNKNOWN_MEMBER_ID, request.member_id)]
        made = group is None
        if group is None:
            group = groups[request.group] = ClassicGroup(request.group, now_ms)
        out: list[Effect] = []
        if not self._accepts(group, request.member_id):
            group.remove(request.member_id)
            out.append(refused(request, GROUP_MAX_SIZE_REACHED, UNKNOWN_MEMBER))
        elif request.member_id == UNKNOWN_MEMBER:
            self._join_new(group, request, now_ms, out)
        else:
            self._join_again(group, request, now_ms, out)
        if made:
            made_by = Made(group, request)
            out.append(self._writes.begin(first_record(group), made_by))
        return out

    def _accepts(self, group: ClassicGroup, member_id: str) -> bool:
        """Whether there is room for who joins (`acceptJoiningMember`).

        While the group waits for joins those who wait already are counted: if it is
        over its size, the last ones to join again have to go.
        """
        most = self._rebalances.settings.max_size
        member = group.members.get(member_id)
        if group.state in (State.EMPTY, State.DEAD):
            return True
        if group.state == State.PREPARING:
            waits = member is not None and member.joining is not None
            return waits or group.awaiting < most
        return member is not None or len(group.members) < most

    # Who has no id yet

    def _join_new(
        self, group: ClassicGroup, request: JoinGroup, now_ms: int, out: list[Effect]
    ) -> None:
        error = self._wrong(group, request)
        if error != NONE:
            out.append(refused(request, error, UNKNOWN_MEMBER))
            return
        named = request.instance_id
        first = request.client_id if named is None else named
        member_id = f"{first}-{self._next_uuid()}"
        if named is not None and named in group.static_ids:
            self._replace(group, request, member_id, now_ms, out)
        elif named is not None:
            self._add(group, request, member_id, now_ms, out)
        else:
            group.pending_joins.add(member_id)
            deadline_ms = now_ms + request.session_timeout_ms
            self._rebalances.expect(group, member_id, deadline_ms)
            out.append(refused(request, MEMBER_ID_REQUIRED, member_id))

    @staticmethod
    def _wrong(group: ClassicGroup, request: JoinGroup) -> int:
        if group.state == State.DEAD:
            return COORDINATOR_NOT_AVAILABLE
        if not group.supports(request.protocols):
            return INCONSISTENT_GROUP_PROTOCOL
        return NONE

    def _add(
        self,
        group: ClassicGroup,
        request: JoinGroup,
        member_id: str,
        now_ms: int,
        out: list[Effect],
    ) -> None:
        """Take a member in (`addMemberThenRebalanceOrCompleteJoin`)."""
        member = ClassicMember(
            member_id=member_id,
            instance_id=request.instance_id,
            client_id=request.client_id,
            protocols=request.protocols,
            rebalance_timeout_ms=request.rebalance_timeout_ms,
            session_timeout_ms=request.session_timeout_ms,
            new=True,
        )
        if group.state == State.PREPARING and group.previous == State.EMPTY:
            group.joined_meanwhile = True
        group.add(member, request)
        deadline_ms = now_ms + NEW_MEMBER_JOIN_TIMEOUT_MS
        self._rebalances.expect(group, member_id, deadline_ms)
        self._rebalances.prepare_or_complete(group, Cause.JOINED, now_ms, out)

    # Who has an id

    def _join_again(
        self, group: ClassicGroup, request: JoinGroup, now_ms: int, out: list[Effect]
    ) -> None:
        """`classicGroupJoinExistingMember`."""
        member_id, instance_id = request.member_id, request.instance_id
        error = self._wrong(group, request)
        if error == NONE and member_id in group.pending_joins:
            if instance_id is None:
                self._add(group, request, member_id, now_ms, out)
                return
            out.append(refused(request, UNKNOWN_SERVER_ERROR, UNKNOWN_MEMBER))
            return
        if error == NONE:
            error = group.check(member_id, instance_id)
        if error != NONE:
            out.append(refused(request, error, member_id))
            return
        member = group.members[member_id]
        cause = self._cause(group, member, request)
        if cause is None:
            out.append(Answer(request, joined_now(group, member)))
            return
        timeouts_ms = request.rebalance_timeout_ms, request.session_timeout_ms
        group.update(member, request.protocols, timeouts_ms, request)
        self._rebalances.prepare_or_complete(group, cause, now_ms, out)

    @staticmethod
    def _cause(
        group: ClassicGroup, member: ClassicMember, request: JoinGroup
    ) -> Cause | None:
        """Return why there is to be a rebalance; None if there is none (GR-6).

        A leader that joins again has seen something that the coordinator has not,
        such as new partitions. Anybody else who says what it said before has missed
        the response to its join.
        """
        if group.state == State.STABLE and group.leader == member.member_id:
            return Cause.LEADER_REJOINED
        if group.state == State.PREPARING or member.protocols != request.protocols:
            return Cause.SUBSCRIPTION
        return None

    # Who has an instance id

    def _replace(
        self,
        group: ClassicGroup,
        request: JoinGroup,
        member_id: str,
        now_ms: int,
        out: list[Effect],
    ) -> None:
        """Put a static member in its own place (GR-14).

        `updateStaticMemberThenRebalanceOrCompleteJoin`: in a stable group whose
        protocol stays the same there is no rebalance, only another record.
        """
        leader = group.leader
        old = self._fence(group, request.instance_id or "", member_id, out)
        member = group.members[member_id]
        self._rebalances.expect_heartbeat(group, member, now_ms)
        timeouts_ms = request.rebalance_timeout_ms, request.session_timeout_ms
        group.update(member, request.protocols, timeouts_ms, request)
        if group.state != State.STABLE or group.protocol != group.elect_protocol():
            cause = Cause.STATIC_REJOINED
            self._rebalances.prepare_or_complete(group, cause, now_ms, out)
        else:
            waiting = Replaced(
                group=group,
                request=request,
                member=member,
                old_id=old.member_id,
                old_leader=leader,
                old_protocols=old.protocols,
                old_timeouts_ms=(old.rebalance_timeout_ms, old.session_timeout_ms),
            )
            assigned = {
                each.member_id: each.assigned for each in group.members.values()
            }
            record = record_of(group, assigned)
            out.append(self._writes.begin(record, waiting))

    @staticmethod
    def _fence(
        group: ClassicGroup, instance_id: str, member_id: str, out: list[Effect]
    ) -> ClassicMember:
        """Give a static member a new id; who waits under the old one is fenced."""
        old = group.replace(instance_id, member_id)
        joining, old.joining = old.joining, None
        if joining is not None and not old.told:
            out.append(refused(joining, FENCED_INSTANCE_ID, old.member_id))
        if old.syncing is not None:
            out.append(Answer(old.syncing, Synced(error=FENCED_INSTANCE_ID)))
        return old

    @staticmethod
    def not_made(
        group: ClassicGroup, request: JoinGroup, error: int, out: list[Effect]
    ) -> None:
        """Tell a static member that its group could not be written.

        It counts as one that waits all the same, if the group stays.
        """
        for member in group.members.unordered():
            if member.joining is request and not member.told:
                member.told = True
                out.append(refused(request, error, UNKNOWN_MEMBER))

    def replaced(self, waiting: Replaced, out: list[Effect]) -> None:
        """Answer a static member whose new id is in the log.

        Its leader need not compute an assignment, since there is one (KIP-814).
        """
        group, member = waiting.group, waiting.member
        leads = group.leader == member.member_id
        if not leads or group.state not in (State.DEAD, State.PREPARING):
            self._rebalances.answer_join(group, member, out, skip_assignment=leads)

    def not_replaced(
        self, waiting: Replaced, error: int, now_ms: int, out: list[Effect]
    ) -> None:
        """Put the old id of a static member back: the new one is not in the log."""
        group, member = waiting.group, waiting.member
        waits = member.joining is not None
        if group.members.get(member.member_id) is member:
            group.update(member, waiting.old_protocols, waiting.old_timeouts_ms, None)
            self._fence(group, member.instance_id or "", waiting.old_id, out)
            back = group.members[waiting.old_id]
            self._rebalances.expect_heartbeat(group, back, now_ms)
        if waits:
            joined = Joined(
                error=error,
                generation=group.generation,
                protocol=group.protocol,
                leader=waiting.old_leader or "",
            )
            out.append(Answer(waiting.request, joined))


def refused(request: JoinGroup, error: int, member_id: str) -> Answer:
    """Return the answer to a join that did not succeed, or not yet."""
    return Answer(request, Joined(error=error, member_id=member_id))
