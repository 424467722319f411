"""One group of the classic protocol: its states, its members, their votes.

A group is in one of five states; `TRANSITIONS` is the table of the ways between them,
with what can cause each:

* ``Empty``: no members. Offsets may be kept for it.
* ``PreparingRebalance``: it waits until all members have (re)joined; joins are parked.
* ``CompletingRebalance``: a new generation has begun, and its leader has to bring the
  assignment; syncs are parked.
* ``Stable``: everybody can fetch its assignment.
* ``Dead``: its coordinator is another one.

This is the bookkeeping alone: what a request does to a group, and what it is answered,
is in `kafkasim.protocol.groups.coordinator.classic_groups`. Members are kept in the
order of Java's `HashMap`, which decides who leads when the leader is gone. Sources:
`ClassicGroup`, `ClassicGroupState`, `ClassicGroupMember` (4.3).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from kafkasim.protocol.errors import FENCED_INSTANCE_ID, NONE, UNKNOWN_MEMBER_ID
from kafkasim.protocol.groups.group_messages import JoinGroup, SyncGroup
from kafkasim.protocol.java_hash_map import JavaHashMap
from kafkasim.protocol.subscription import Assigned, Subscription


class State(StrEnum):
    """States of a classic group, as Kafka prints them."""

    EMPTY = "Empty"
    PREPARING = "PreparingRebalance"
    COMPLETING = "CompletingRebalance"
    STABLE = "Stable"
    DEAD = "Dead"


class Cause(StrEnum):
    """Why a group goes from one state to another."""

    JOINED = "member joined"
    LEFT = "member left"
    EXPIRED = "session expired"
    LEADER_REJOINED = "leader rejoined"
    SUBSCRIPTION = "subscription changed"
    STATIC_REJOINED = "static member came back"
    NO_SYNC = "no sync in time"
    NOT_STORED = "assignment could not be stored"
    TOO_LARGE = "group is too large"
    ALL_JOINED = "all have joined"
    DELAY_OVER = "initial delay is over"
    TIMEOUT = "rebalance timeout is over"
    NOBODY = "nobody is left"
    ASSIGNED = "assignment stored"
    MOVED = "coordinator moved"


_LOST: Final = (Cause.LEFT, Cause.EXPIRED, Cause.NO_SYNC)
_REJOINED: Final = (Cause.SUBSCRIPTION, Cause.STATIC_REJOINED)

TRANSITIONS: Final[Mapping[tuple[State, State], tuple[Cause, ...]]] = MappingProxyType(
    {
        (State.EMPTY, State.PREPARING): (Cause.JOINED,),
        (State.PREPARING, State.COMPLETING): (
            *(Cause.ALL_JOINED, Cause.DELAY_OVER, Cause.TIMEOUT),
        ),
        (State.PREPARING, State.EMPTY): (Cause.NOBODY,),
        (State.COMPLETING, State.STABLE): (Cause.ASSIGNED,),
        (State.COMPLETING, State.PREPARING): (
            *(Cause.JOINED, *_REJOINED),
            *(*_LOST, Cause.NOT_STORED),
        ),
        (State.STABLE, State.PREPARING): (
            *(Cause.JOINED, Cause.LEADER_REJOINED, *_REJOINED),
            *(*_LOST, Cause.TOO_LARGE),
        ),
        (State.EMPTY, State.DEAD): (Cause.MOVED,),
        (State.PREPARING, State.DEAD): (Cause.MOVED,),
        (State.COMPLETING, State.DEAD): (Cause.MOVED,),
        (State.STABLE, State.DEAD): (Cause.MOVED,),
    }
)
"""What leads from one state to another; no other way is legal."""


class IllegalTransitionError(Exception):
    """A group was to go a way that is not in `TRANSITIONS`; it stayed where it was."""


@dataclass(slots=True, kw_only=True)
class ClassicMember:
    """A member, as its coordinator knows it (`ClassicGroupMember`)."""

    member_id: str
    instance_id: str | None
    client_id: str
    protocols: tuple[tuple[str, Subscription], ...]
    """In the order of its preference; after a load the group's only."""
    rebalance_timeout_ms: int
    session_timeout_ms: int
    assigned: Assigned | None = None
    """None: no assignment was ever brought for it."""
    joining: JoinGroup | None = None
    """The request that waits for the next generation."""
    told: bool = False
    """It had an error for it, though it counts as one that waits."""
    syncing: SyncGroup | None = None
    """The request that waits for the assignment."""
    new: bool = False
    """It has never had a response to its join: it cannot heartbeat."""

    @property
    def satisfied(self) -> bool:
        """Whether it needs no heartbeat: its request waits at the coordinator."""
        return not self.new and (self.joining is not None or self.syncing is not None)

    def subscription(self, protocol: str) -> Subscription:
        """Return what it said to be used with a protocol."""
        return next(said for name, said in self.protocols if name == protocol)

    def vote(self, candidates: set[str]) -> str:
        """Return the first of its protocols that all members have (GR-4)."""
        return next(name for name, _ in self.protocols if name in candidates)


class ClassicGroup:
    """A classic group with its members.

    Parameters
    ----------
    name : str
        Its group id.
    now_ms : int
        When it was made; it is empty.
    """

    def __init__(self, name: str, now_ms: int) -> None:
        self.name = name
        self.state = State.EMPTY
        self.previous = State.DEAD
        self.changed_ms: int = now_ms
        """When it came into its state; -1 if its record did not say."""
        self.generation = 0
        self.consumers = False
        """Whether it ever had members; one that only keeps offsets has none."""
        self.protocol: str | None = None
        self.leader: str | None = None
        self.members = JavaHashMap[ClassicMember]()
        self.static_ids: dict[str, str] = {}
        """Member id of each instance id."""
        self.pending_joins: set[str] = set()
        """Ids that were given out and not yet used to join."""
        self.pending_syncs: set[str] = set()
        """Members of this generation that have not yet asked for the assignment."""
        self.subscribed: tuple[str, ...] | None = None
        """Topics that members of this generation read, sorted; None: not known."""
        self.joined_meanwhile = False
        """A member joined during the initial delay (GR-2)."""
        self.awaiting = 0
        """How many members wait for the response to their join."""
        self._supported: dict[str, int] = {}
        """How many members know a protocol."""

    # Its state

    def go(self, state: State, cause: Cause, now_ms: int) -> None:
        """Go to another state.

        Raises
        ------
        IllegalTransitionError
            `TRANSITIONS` has no such way for that cause; nothing is changed.
        """
        if cause not in TRANSITIONS.get((self.state, state), ()):
            raise IllegalTransitionError(
                f"group {self.name!r}: {self.state} to {state}, {cause}"
            )
        self.previous, self.state, self.changed_ms = self.state, state, now_ms

    @property
    def can_rebalance(self) -> bool:
        """Whether it can go to `PreparingRebalance` from where it is."""
        return (self.state, State.PREPARING) in TRANSITIONS

    def next_generation(self, cause: Cause, now_ms: int) -> None:
        """Begin the next generation with those who are members now (GR-4)."""
        self.generation += 1
        if self.members:
            self.protocol = self.elect_protocol()
            self.go(State.COMPLETING, cause, now_ms)
        else:
            self.protocol = None
            self.go(State.EMPTY, Cause.NOBODY, now_ms)
        self.subscribed = self.topics()
        self.pending_syncs.clear()

    # Its members

    def add(self, member: ClassicMember, joining: JoinGroup | None = None) -> None:
        """Take a member in; the first one leads until there is another choice."""
        if member.instance_id is not None:
            self.static_ids[member.instance_id] = member.member_id
        self.consumers = True
        if self.leader is None:
            self.leader = member.member_id
        self.members[member.member_id] = member
        self._count(member, 1)
        member.joining = joining
        self.awaiting += joining is not None
        self.pending_joins.discard(member.member_id)

    def remove(self, member_id: str) -> None:
        """Forget a member, or an id that was given out; another one leads if it did."""
        member = self.members.pop(member_id)
        if member is not None:
            self._count(member, -1)
            self.awaiting -= member.joining is not None
            if member.instance_id is not None:
                self.static_ids.pop(member.instance_id, None)
        if self.leader == member_id:
            self.leader = next(iter(self.members), None)
        self.pending_joins.discard(member_id)
        self.pending_syncs.discard(member_id)

    def replace(self, instance_id: str, member_id: str) -> ClassicMember:
        """Give a static member a new id; return it as it was, out of the group (GR-14).

        Whoever still waits under the old id is to be told that it is fenced.
        """
        old = self.members.pop(self.static_ids[instance_id])
        assert old is not None
        self.awaiting -= old.joining is not None
        self.members[member_id] = ClassicMember(
            member_id=member_id,
            instance_id=instance_id,
            client_id=old.client_id,
            protocols=old.protocols,
            rebalance_timeout_ms=old.rebalance_timeout_ms,
            session_timeout_ms=old.session_timeout_ms,
            assigned=old.assigned,
        )
        if self.leader == old.member_id:
            self.leader = member_id
        self.static_ids[instance_id] = member_id
        return old

    def update(
        self,
        member: ClassicMember,
        protocols: tuple[tuple[str, Subscription], ...],
        timeouts_ms: tuple[int, int],
        joining: JoinGroup | None,
    ) -> None:
        """Take over what a member says when it joins again.

        Its rebalance timeout comes first in `timeouts_ms`, then that of its session.
        """
        self._count(member, -1)
        member.protocols = protocols
        self._count(member, 1)
        member.rebalance_timeout_ms, member.session_timeout_ms = timeouts_ms
        self.awaiting += (joining is not None) - (member.joining is not None)
        member.joining, member.told = joining, False

    def take_join(self, member: ClassicMember) -> JoinGroup | None:
        """Take the join of a member that waits for its response; None if it has one."""
        joining, member.joining = member.joining, None
        self.awaiting -= joining is not None
        return None if member.told else joining

    def check(self, member_id: str, instance_id: str | None) -> int:
        """Return what is wrong with who sends a request (`validateMember`)."""
        if instance_id is not None:
            known = self.static_ids.get(instance_id)
            if known is not None and known != member_id:
                return FENCED_INSTANCE_ID
            if known is None:
                return UNKNOWN_MEMBER_ID
        return NONE if member_id in self.members else UNKNOWN_MEMBER_ID

    @property
    def all_joined(self) -> bool:
        """Whether nobody is missing in the next generation."""
        return self.awaiting == len(self.members) and not self.pending_joins

    @property
    def rebalance_timeout_ms(self) -> int:
        """The longest one of its members; 0 without any (GR-3)."""
        return max(
            (each.rebalance_timeout_ms for each in self.members.unordered()), default=0
        )

    def elect_leader(self) -> bool:
        """Keep a leader that has rejoined, or take another that has.

        Returns
        -------
        bool
            False if nobody has (`maybeElectNewJoinedLeader`).
        """
        if self.leader is None:
            return False
        if self.members[self.leader].joining is None:
            joined = (each for each in self.members.values() if each.joining)
            leader = next(joined, None)
            if leader is None:
                return False
            self.leader = leader.member_id
        return True

    # Their protocols

    def supports(self, protocols: tuple[tuple[str, Subscription], ...]) -> bool:
        """Whether one of these protocols is known to all members."""
        if self.state == State.EMPTY:
            return bool(protocols)
        everybody = len(self.members)
        return any(self._supported.get(name, 0) == everybody for name, _ in protocols)

    def elect_protocol(self) -> str:
        """Return the protocol with most votes; of equals the first in Java's order."""
        everybody = len(self.members)
        candidates = {name for name, n in self._supported.items() if n == everybody}
        votes = JavaHashMap[int]()
        for member in self.members.values():
            name = member.vote(candidates)
            votes[name] = (votes.get(name) or 0) + 1
        return max(votes.items(), key=lambda item: item[1])[0]

    def _count(self, member: ClassicMember, by: int) -> None:
        for name, _ in member.protocols:
            self._supported[name] = self._supported.get(name, 0) + by

    def topics(self) -> tuple[str, ...] | None:
        """Return what its members read (`computeSubscribedTopics`)."""
        if not self.consumers:
            return None
        if not self.members:
            return ()
        if self.protocol is None:
            return None
        read: set[str] = set()
        for member in self.members.unordered():
            read.update(member.subscription(self.protocol).topics)
        return tuple(sorted(read))
