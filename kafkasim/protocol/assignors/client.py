"""The assignors of the clients, by the names that Kafka gives them.

`partition.assignment.strategy` lists them, the group's coordinator picks one that all
members know, and the leader runs it. A member has an object of each, which remembers
what a rebalance gave it (`ConsumerPartitionAssignor`).
"""

from collections.abc import Mapping, Sequence
from enum import Enum
from types import MappingProxyType
from typing import ClassVar, Final

from kafkasim.protocol.assignors.in_circles import assign_circles
from kafkasim.protocol.assignors.in_ranges import assign_ranges
from kafkasim.protocol.assignors.inputs import Assignment, Group, Racks, group_of
from kafkasim.protocol.assignors.sticky import UserData, as_written, assign_sticky
from kafkasim.protocol.subscription import NO_GENERATION, Assigned, Subscription


class RebalanceProtocol(Enum):
    """What members do with their partitions before they join again."""

    EAGER = 0
    """Give all up."""
    COOPERATIVE = 1
    """Keep them; give up only what goes to somebody else."""


class ClientAssignor:
    """An assignor of one member.

    Attributes
    ----------
    name : str
        As in `partition.assignment.strategy`.
    protocols : tuple of RebalanceProtocol
        Those that it supports.
    """

    name: ClassVar[str]
    protocols: ClassVar[tuple[RebalanceProtocol, ...]] = (RebalanceProtocol.EAGER,)

    def assign(
        self,
        members: Mapping[str, Subscription],
        topics: Mapping[str, int],
        *,
        instances: Mapping[str, str | None] | None = None,
        racks: Racks | None = None,
    ) -> dict[str, Assigned]:
        """Assign as the leader of a group.

        Parameters
        ----------
        members : mapping of member id to Subscription
            In the order in which the coordinator names them.
        topics : mapping of topic to int
            Partitions of each; a topic that is missing or has none is skipped.
        instances : mapping of member id to str or None, optional
            `group.instance.id` of static members.
        racks : Racks, optional
            For each topic and partition the racks of its replicas.

        Returns
        -------
        dict of member id to tuple of (topic, partition)
            Every member, in the order of `members`; partitions in the order of Kafka's
            list.

        Raises
        ------
        AssignorError
            Where Kafka's class fails too.
        """
        assignment = self._assign(group_of(members, topics, instances, racks))
        return {member: tuple(assignment[member]) for member in members}

    def user_data(self) -> UserData | None:
        """Return what goes into the next subscription as user data."""
        return None

    def on_assignment(self, assigned: Assigned, generation: int) -> None:
        """Note what a rebalance gave to this member."""

    def _assign(self, group: Group) -> Assignment:
        raise NotImplementedError


class RangeAssignor(ClientAssignor):
    """Runs of each topic's partitions (AS-1)."""

    name = "range"

    def _assign(self, group: Group) -> Assignment:
        return assign_ranges(group)


class RoundRobinAssignor(ClientAssignor):
    """One partition after the other, in a circle (AS-2)."""

    name = "roundrobin"

    def _assign(self, group: Group) -> Assignment:
        return assign_circles(group)


class StickyAssignor(ClientAssignor):
    """Balanced, and as it was as far as that goes (AS-3)."""

    name = "sticky"

    def __init__(self) -> None:
        self._had: Assigned | None = None
        self._generation = NO_GENERATION
        self._latest = NO_GENERATION

    def on_assignment(self, assigned: Assigned, generation: int) -> None:
        """Note what a rebalance gave to this member."""
        self._had = assigned
        self._generation = generation

    def user_data(self) -> UserData | None:
        """Return what this member had, topic by topic in Java's order."""
        if self._had is None:
            return None
        return as_written(self._had), self._generation

    def _assign(self, group: Group) -> Assignment:
        assignment, self._latest = assign_sticky(group, self._latest, cooperative=False)
        return assignment


class CooperativeStickyAssignor(ClientAssignor):
    """The same for members that keep what they own while they join (AS-3)."""

    name = "cooperative-sticky"
    protocols = (RebalanceProtocol.COOPERATIVE, RebalanceProtocol.EAGER)

    def __init__(self) -> None:
        self._generation = NO_GENERATION
        self._latest = NO_GENERATION

    def on_assignment(self, assigned: Assigned, generation: int) -> None:
        """Note in which generation this member got what it owns."""
        del assigned
        self._generation = generation

    def user_data(self) -> UserData | None:
        """Return the generation of what this member owns."""
        return (), self._generation

    def _assign(self, group: Group) -> Assignment:
        assignment, self._latest = assign_sticky(group, self._latest, cooperative=True)
        return assignment


CLIENT_ASSIGNORS: Final[Mapping[str, type[ClientAssignor]]] = MappingProxyType(
    {
        one.name: one
        for one in (
            RangeAssignor,
            RoundRobinAssignor,
            StickyAssignor,
            CooperativeStickyAssignor,
        )
    }
)
"""By Kafka's names."""


def common_protocol(names: Sequence[str]) -> RebalanceProtocol:
    """Return the protocol of a member with these assignors.

    The most cooperative one that all of them support (`ConsumerCoordinator`).

    Examples
    --------
    >>> common_protocol(["range", "cooperative-sticky"]).name
    'EAGER'
    """
    common = set(RebalanceProtocol)
    for name in names:
        common &= set(CLIENT_ASSIGNORS[name].protocols)
    return max(common, key=lambda one: one.value)
