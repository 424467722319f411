"""Rebalances of classic groups: when they begin, and when they are over.

A rebalance has two phases, each with a timer. While a group is in
``PreparingRebalance`` it waits for all members to join again, at most as long as the
longest `max.poll.interval.ms` among them; who has not joined by then is removed, unless
it is static (GR-3). A group that was empty waits `group.initial.rebalance.delay.ms` in
any case, and again as long as members keep coming (GR-2). Then, in
``CompletingRebalance``, everybody is to ask for the assignment within that same time;
who does not is removed, and there is another rebalance (GR-5).

A third timer runs for the session of each member (GR-9). Source: the classic part of
`GroupMetadataManager` (4.3), whose methods are named at those that follow them.
"""

from dataclasses import dataclass
from typing import Final

from kafkasim.protocol.errors import NONE, REBALANCE_IN_PROGRESS, UNKNOWN_MEMBER_ID
from kafkasim.protocol.groups.coordinator.classic_group import (
    Cause,
    ClassicGroup,
    ClassicMember,
    State,
)
from kafkasim.protocol.groups.coordinator.classic_group_records import record_of
from kafkasim.protocol.groups.coordinator_records import ClassicGroupRecord
from kafkasim.protocol.groups.group_messages import (
    Answer,
    Effect,
    GroupChanged,
    Joined,
    Subscription,
    Synced,
)
from kafkasim.protocol.timers import Timers

NEW_MEMBER_JOIN_TIMEOUT_MS: Final = 300_000
"""How long a new member may wait for its first generation
(`classicGroupNewMemberJoinTimeoutMs`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassicSettings:
    """What a broker is told about classic groups (`GroupCoordinatorConfig`)."""

    initial_rebalance_delay_ms: int = 3_000
    """`group.initial.rebalance.delay.ms`."""
    min_session_timeout_ms: int = 6_000
    """`group.min.session.timeout.ms`."""
    max_session_timeout_ms: int = 1_800_000
    """`group.max.session.timeout.ms`."""
    max_size: int = 2**31 - 1
    """`group.max.size`."""


@dataclass(frozen=True, slots=True)
class SessionOver:
    """A member was not heard of for too long."""

    group: str
    member_id: str


@dataclass(frozen=True, slots=True)
class DelayOver:
    """The initial delay, or what it was extended by, is over."""

    group: str
    delay_ms: int
    """How long it was."""
    remaining_ms: int
    """By how much it may still be extended."""


@dataclass(frozen=True, slots=True)
class JoinOver:
    """The time to join again is over."""

    group: str


@dataclass(frozen=True, slots=True)
class SyncOver:
    """The time to ask for the assignment is over."""

    group: str


Task = SessionOver | DelayOver | JoinOver | SyncOver
"""What a timer is for."""


class Rebalances:
    """What happens to the groups of one coordinator, and when.

    What a method decides it appends to `out`. Those that may leave a group without
    members return the record that says so, which its caller is to write.

    Parameters
    ----------
    settings : ClassicSettings
        Of the coordinator's broker.
    """

    def __init__(self, settings: ClassicSettings) -> None:
        self.settings = settings
        self.groups: dict[str, ClassicGroup] = {}
        self.timers = Timers[Task]()

    # The beginning

    def prepare_or_complete(
        self, group: ClassicGroup, cause: Cause, now_ms: int, out: list[Effect]
    ) -> ClassicGroupRecord | None:
        """Begin a rebalance, or see whether the one under way can go on.

        `maybePrepareRebalanceOrCompleteJoin`.
        """
        if group.can_rebalance:
            return self.prepare(group, cause, now_ms, out)
        return self.maybe_complete(group, now_ms, out)

    def prepare(
        self, group: ClassicGroup, cause: Cause, now_ms: int, out: list[Effect]
    ) -> ClassicGroupRecord | None:
        """Begin a rebalance: all members have to join again (`prepareRebalance`)."""
        if group.state == State.COMPLETING:
            self.propagate(group, REBALANCE_IN_PROGRESS, now_ms, out)
        group.pending_syncs.clear()
        self.timers.cancel(("sync", group.name))
        initial = group.state == State.EMPTY
        if initial:
            delay_ms = self.settings.initial_rebalance_delay_ms
            remaining_ms = max(group.rebalance_timeout_ms - delay_ms, 0)
            self._delay(group, delay_ms, remaining_ms, now_ms)
        go(group, State.PREPARING, cause, now_ms, out)
        if initial:
            return None
        if group.all_joined:
            return self._complete(group, Cause.ALL_JOINED, now_ms, out)
        self._wait_for_joins(group, now_ms)
        return None

    def _delay(
        self, group: ClassicGroup, delay_ms: int, remaining_ms: int, now_ms: int
    ) -> None:
        task = DelayOver(group.name, delay_ms, remaining_ms)
        self.timers.schedule(("join", group.name), now_ms + delay_ms, task)

    def _wait_for_joins(self, group: ClassicGroup, now_ms: int) -> None:
        deadline_ms = now_ms + group.rebalance_timeout_ms
        self.timers.schedule(("join", group.name), deadline_ms, JoinOver(group.name))

    def handle_delay_over(
        self, task: DelayOver, now_ms: int, out: list[Effect]
    ) -> ClassicGroupRecord | None:
        """Wait a little longer if somebody joined meanwhile, or begin (GR-2).

        `tryCompleteInitialRebalanceElseSchedule`: what is left for later extensions
        shrinks by the delay that is over, not by the one that begins.
        """
        group = self.groups.get(task.group)
        if group is None:
            return None
        if group.joined_meanwhile and task.remaining_ms:
            group.joined_meanwhile = False
            delay_ms = min(self.settings.initial_rebalance_delay_ms, task.remaining_ms)
            left_ms = max(task.remaining_ms - task.delay_ms, 0)
            self._delay(group, delay_ms, left_ms, now_ms)
            return None
        return self._complete(group, Cause.DELAY_OVER, now_ms, out)

    # The end of the first phase

    def maybe_complete(
        self, group: ClassicGroup, now_ms: int, out: list[Effect]
    ) -> ClassicGroupRecord | None:
        """End the first phase if all are there, but not the delay of an initial one.

        `maybeCompleteJoinPhase`.
        """
        waits = group.state == State.PREPARING and group.previous != State.EMPTY
        if waits and group.all_joined:
            return self._complete(group, Cause.ALL_JOINED, now_ms, out)
        return None

    def handle_join_over(
        self, task: JoinOver, now_ms: int, out: list[Effect]
    ) -> ClassicGroupRecord | None:
        """Go on with those who have joined (GR-3)."""
        group = self.groups.get(task.group)
        if group is None:
            return None
        return self._complete(group, Cause.TIMEOUT, now_ms, out)

    def _complete(
        self, group: ClassicGroup, cause: Cause, now_ms: int, out: list[Effect]
    ) -> ClassicGroupRecord | None:
        """Begin the next generation (`completeClassicGroupJoin`)."""
        self.timers.cancel(("join", group.name))
        for member in group.members.values():
            if member.joining is None and member.instance_id is None:
                group.remove(member.member_id)
                self.timers.cancel((group.name, member.member_id))
        if group.state == State.DEAD:
            return None
        if not group.elect_leader() and group.members:
            self._wait_for_joins(group, now_ms)
            return None
        group.next_generation(cause, now_ms)
        out.append(changed(group, Cause.NOBODY if not group.members else cause))
        if group.state == State.EMPTY:
            return record_of(group, {})
        for member in group.members.values():
            self.answer_join(group, member, out)
            self.expect_heartbeat(group, member, now_ms)
            member.new = False
            group.pending_syncs.add(member.member_id)
        self.timers.schedule(
            ("sync", group.name),
            now_ms + group.rebalance_timeout_ms,
            SyncOver(group.name),
        )
        return None

    def answer_join(
        self,
        group: ClassicGroup,
        member: ClassicMember,
        out: list[Effect],
        *,
        skip_assignment: bool = False,
    ) -> None:
        """Tell a member that waits which generation it is in."""
        joining = group.take_join(member)
        if joining is not None:
            joined = joined_now(group, member, skip_assignment=skip_assignment)
            out.append(Answer(joining, joined))

    # The second phase

    def handle_sync_over(
        self, task: SyncOver, now_ms: int, out: list[Effect]
    ) -> ClassicGroupRecord | None:
        """Remove who has not asked for the assignment (`expirePendingSync`, GR-5)."""
        group = self.groups.get(task.group)
        waits = group is not None and group.state in (State.COMPLETING, State.STABLE)
        if group is None or not waits or not group.pending_syncs:
            return None
        for member_id in sorted(group.pending_syncs):
            group.remove(member_id)
            self.timers.cancel((group.name, member_id))
        return self.prepare(group, Cause.NO_SYNC, now_ms, out)

    def propagate(
        self, group: ClassicGroup, error: int, now_ms: int, out: list[Effect]
    ) -> None:
        """Answer all who wait for the assignment; with an error nobody has one.

        `propagateAssignment`: their sessions begin anew, since they could not
        heartbeat.
        """
        protocol = group.protocol if error == NONE else None
        for member in group.members.values():
            if error != NONE:
                member.assigned = None
            syncing, member.syncing = member.syncing, None
            if syncing is not None:
                synced = Synced(
                    error=error, protocol=protocol, assigned=member.assigned or ()
                )
                out.append(Answer(syncing, synced))
                self.expect_heartbeat(group, member, now_ms)

    # Sessions

    def expect_heartbeat(
        self, group: ClassicGroup, member: ClassicMember, now_ms: int
    ) -> None:
        """Start a member's session anew (GR-9)."""
        self.expect(group, member.member_id, now_ms + member.session_timeout_ms)

    def expect(self, group: ClassicGroup, member_id: str, deadline_ms: int) -> None:
        """Expect to hear of a member, or of an id that was given out."""
        task = SessionOver(group.name, member_id)
        self.timers.schedule((group.name, member_id), deadline_ms, task)

    def handle_session_over(
        self, task: SessionOver, now_ms: int, out: list[Effect]
    ) -> ClassicGroupRecord | None:
        """Remove a member, or an id that nobody used (GR-9).

        `expireClassicGroupMemberHeartbeat`: one whose request waits here is alive,
        unless it is new.
        """
        group = self.groups.get(task.group)
        if group is None or group.state == State.DEAD:
            return None
        member = group.members.get(task.member_id)
        if task.member_id not in group.pending_joins:
            if member is None or member.satisfied:
                return None
            self.dismiss(group, member, out)
            if group.state in (State.STABLE, State.COMPLETING):
                return self.prepare(group, Cause.EXPIRED, now_ms, out)
        else:
            group.remove(task.member_id)
        if group.state == State.PREPARING and group.all_joined:
            return self._complete(group, Cause.ALL_JOINED, now_ms, out)
        return None

    def drop(self, group: ClassicGroup) -> None:
        """Forget a group whose first record is not in the log, with its timers.

        Kafka leaves the timers, which trip over the next group of that name.
        """
        del self.groups[group.name]
        for key in (("join", group.name), ("sync", group.name)):
            self.timers.cancel(key)
        for member_id in (*group.members, *group.pending_joins):
            self.timers.cancel((group.name, member_id))

    def dismiss(
        self, group: ClassicGroup, member: ClassicMember, out: list[Effect]
    ) -> None:
        """Forget a member; if it waits for a generation it is told to begin anew."""
        joining = group.take_join(member)
        if joining is not None:
            out.append(Answer(joining, Joined(error=UNKNOWN_MEMBER_ID)))
        group.remove(member.member_id)


def changed(group: ClassicGroup, cause: Cause) -> GroupChanged:
    """Return what is to be said of a group that is in another state."""
    size = len(group.members)
    return GroupChanged(group.name, group.state, group.generation, size, cause)


def go(
    group: ClassicGroup, state: State, cause: Cause, now_ms: int, out: list[Effect]
) -> None:
    """Bring a group into another state, and say so."""
    group.go(state, cause, now_ms)
    out.append(changed(group, cause))


def joined_now(
    group: ClassicGroup, member: ClassicMember, *, skip_assignment: bool = False
) -> Joined:
    """Return what a member is told of the generation that is; its leader, of all."""
    leads = group.leader == member.member_id
    return Joined(
        generation=group.generation,
        protocol=group.protocol,
        leader=group.leader or "",
        member_id=member.member_id,
        members=subscriptions(group) if leads else (),
        skip_assignment=skip_assignment,
    )


def subscriptions(
    group: ClassicGroup,
) -> tuple[tuple[str, str | None, Subscription], ...]:
    """Return what each member reads (`currentClassicGroupMembers`)."""
    protocol = group.protocol or ""
    return tuple(
        (each.member_id, each.instance_id, each.subscription(protocol))
        for each in group.members.values()
    )
