"""One member's way into the next generation: JoinGroup, then SyncGroup.

Both go out without a `poll()` in between: the answer to the first sends the second, and
the leader computes the assignment there (`AbstractCoordinator.sendJoinGroupRequest`,
`onLeaderElected`, `ConsumerCoordinator.onLeaderElected`). How it went is seen by the
next `poll()`.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from kafkasim.protocol import errors
from kafkasim.protocol.assignors import ClientAssignor
from kafkasim.protocol.errors import NONE
from kafkasim.protocol.groups.group_messages import (
    Assigned,
    Joined,
    JoinGroup,
    Subscription,
    Synced,
    SyncGroup,
    TopicPartition,
)
from kafkasim.protocol.groups.member.coordinator_lookup import CoordinatorLookup
from kafkasim.protocol.groups.member.member_effects import Effect, MetadataCame, Send
from kafkasim.protocol.groups.member.member_reactions import (
    TO_JOIN,
    TO_SYNC,
    UNEXPECTED,
    Again,
    Reaction,
    Reset,
)
from kafkasim.protocol.groups.member.member_settings import MemberSettings
from kafkasim.protocol.groups.member.membership import Identity, Membership, Step

LAPSE_MS: Final = 5_000
"""What a JoinGroup may take beyond the rebalance timeout (`JOIN_GROUP_TIMEOUT_LAPSE`).
"""


class JoinEffort:
    """The way in, of one member; it begins anew each time.

    Parameters
    ----------
    settings : MemberSettings
        Its configuration.
    membership : Membership
        How it stands with its group.
    lookup : CoordinatorLookup
        Where the coordinator is.
    assignors : sequence of ClientAssignor
        Its own, in the order of its preference; one computes when it leads.
    on_joined : callable
        Told the time when it is in a generation, before it asks for its assignment.
    """

    def __init__(
        self,
        settings: MemberSettings,
        membership: Membership,
        lookup: CoordinatorLookup,
        assignors: Sequence[ClientAssignor],
        on_joined: Callable[[int], None],
    ) -> None:
        self._settings = settings
        self._membership = membership
        self._lookup = lookup
        self._assignors = {each.name: each for each in assignors}
        self._on_joined = on_joined
        self._request: JoinGroup | SyncGroup | None = None
        self._identity: Identity | None = None
        """As whom the request was sent."""
        self.assigned: Assigned | None = None
        """What it is to own; None: it has not come."""
        self.error = NONE
        """Why it failed; NONE also if it did so without an answer."""
        self.again: Again | None = None
        """When it is to be tried again; None: it has not failed."""
        self.is_leader = False
        self.metadata = MetadataCame({})
        """The latest."""
        self._basis: dict[str, int] | None = None
        """Those by which it has assigned, as leader."""

    @property
    def is_open(self) -> bool:
        """Whether it has begun and no poll has seen how it went."""
        return self._request is not None

    @property
    def is_outdated(self) -> bool:
        """Whether metadata has changed since it assigned as leader (GR-15)."""
        return self._basis is not None and self._basis != self._counts(self._basis)

    def close(self) -> None:
        """Forget how it went: that has been seen."""
        self._request = self._identity = self.assigned = self.again = None
        self.error = NONE

    def remember(self, assigned: Assigned, who: Identity) -> None:
        """Take note of an assignment that holds from now on (`onAssignment`).

        `who` is what the member was when it came; it may be nobody by now.
        """
        assert who.protocol is not None
        self._assignors[who.protocol].on_assignment(assigned, who.generation)
        if not self.is_leader:
            self._basis = None

    # --- JoinGroup ------------------------------------------------------------------

    def begin(self, owned: tuple[TopicPartition, ...]) -> list[Effect]:
        """Send JoinGroup; `owned` is what it has not given up."""
        settings, membership = self._settings, self._membership
        membership.take(Step.JOINS)
        self._identity = membership.identity
        self._request = JoinGroup(
            group=settings.group,
            member_id=membership.identity.member_id,
            instance_id=settings.instance_id,
            client_id=settings.client_id,
            protocols=tuple(
                (each.name, self._subscription(each, owned))
                for each in self._assignors.values()
            ),
            session_timeout_ms=settings.session_timeout_ms,
            rebalance_timeout_ms=settings.max_poll_interval_ms,
        )
        timeout_ms = max(
            settings.request_timeout_ms, settings.max_poll_interval_ms + LAPSE_MS
        )
        return [Send(self._request, timeout_ms)]

    def _subscription(
        self, assignor: ClientAssignor, owned: tuple[TopicPartition, ...]
    ) -> Subscription:
        """Return what it says to an assignor."""
        return Subscription(
            topics=self._settings.topics,
            owned=owned,
            generation=self._membership.identity.generation,
            rack=self._settings.rack,
            user_data=assignor.user_data(),
        )

    def take_joined(
        self, request: JoinGroup, response: Joined, now_ms: int
    ) -> list[Effect]:
        """Take the answer; go on with SyncGroup."""
        if request is not self._request:
            return []
        membership = self._membership
        if response.error != NONE:
            if response.error == errors.MEMBER_ID_REQUIRED:
                membership.identity = Identity(member_id=response.member_id)
            return self._react(TO_JOIN, response.error, now_ms)
        if not membership.is_joining:
            self._fail(NONE, Again.LATER)  # it has left meanwhile
            return []
        membership.take(Step.JOINED)
        membership.identity = Identity(
            response.generation, response.member_id, response.protocol
        )
        self._on_joined(now_ms)
        leads = response.leader == response.member_id
        return self._sync(self._lead(response) if leads else ())

    def _lead(self, response: Joined) -> tuple[tuple[str, Assigned], ...]:
        """Assign, as the leader does, unless it is told not to (KIP-814)."""
        self.is_leader = True
        subscribed = {t for _, _, each in response.members for t in each.topics}
        topics = self._counts(subscribed)
        self._basis = topics
        if response.skip_assignment or response.protocol is None:
            return ()
        assigned = self._assignors[response.protocol].assign(
            {member: subscription for member, _, subscription in response.members},
            topics,
            instances={member: instance for member, instance, _ in response.members},
            racks=self.metadata.racks,
        )
        return tuple(assigned.items())

    def _counts(self, topics: Mapping[str, int] | set[str]) -> dict[str, int]:
        """Return the partitions of topics, 0 of those it does not know."""
        return {topic: self.metadata.topics.get(topic, 0) for topic in sorted(topics)}

    # --- SyncGroup ------------------------------------------------------------------

    def _sync(self, assignments: tuple[tuple[str, Assigned], ...]) -> list[Effect]:
        who = self._membership.identity
        self._identity = who
        self._request = SyncGroup(
            group=self._settings.group,
            generation=who.generation,
            member_id=who.member_id,
            instance_id=self._settings.instance_id,
            protocol=who.protocol,
            assignments=assignments,
        )
        return [Send(self._request)]

    def take_synced(
        self, request: SyncGroup, response: Synced, now_ms: int
    ) -> list[Effect]:
        """Take the assignment."""
        if request is not self._request:
            return []
        if response.error != NONE:
            return self._react(TO_SYNC, response.error, now_ms)
        membership = self._membership
        who = membership.identity
        if who.is_reset or membership.is_stable or not membership.has_joined:
            self._fail(errors.ILLEGAL_GENERATION, Again.AT_ONCE)
        elif response.protocol not in {None, who.protocol}:
            self._fail(errors.INCONSISTENT_GROUP_PROTOCOL, Again.NEVER)
        else:
            membership.take(Step.SYNCED)
            membership.rejoin_needed = False
            self.assigned = response.assigned
        return []

    # --- what goes wrong ------------------------------------------------------------

    def _react(
        self, table: Mapping[int, Reaction], error: int, now_ms: int
    ) -> list[Effect]:
        """Do what an error asks for."""
        reaction = table.get(error, UNEXPECTED)
        membership = self._membership
        if (
            reaction.resets is not Reset.NOTHING
            and membership.identity == self._identity
        ):
            membership.reset(keeps_id=reaction.resets is Reset.GENERATION)
        self._fail(error, reaction.again)
        return self._lookup.lose(now_ms) if reaction.looks else []

    def lost(self, request: JoinGroup | SyncGroup) -> None:
        """Take note that there will be no answer."""
        if request is self._request and self.assigned is None:
            self._fail(NONE, Again.LATER)

    def _fail(self, error: int, again: Again) -> None:
        self.error, self.again = error, again
