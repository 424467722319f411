"""How a member of the classic protocol stands with its group.

Source: `AbstractCoordinator.MemberState` and `Generation` (clients). What takes it from
one state to the other is a table; what is not in it cannot happen, and raises.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto
from types import MappingProxyType
from typing import Final

from kafkasim.protocol.groups.group_messages import NO_GENERATION, UNKNOWN_MEMBER


class State(Enum):
    """Its state, by Kafka's name."""

    UNJOINED = "UNJOINED"
    """In no group."""
    PREPARING_REBALANCE = "PREPARING_REBALANCE"
    """It wants to be in the next generation, and was not answered yet."""
    COMPLETING_REBALANCE = "COMPLETING_REBALANCE"
    """It is in the generation, and waits for its assignment."""
    STABLE = "STABLE"
    """It has its assignment."""


class Step(Enum):
    """What takes it from state to state."""

    JOINS = auto()
    """It sends JoinGroup (`initiateJoinGroup`)."""
    JOINED = auto()
    """It is answered, and sends SyncGroup (`JoinGroupResponseHandler`)."""
    SYNCED = auto()
    """It has its assignment (`SyncGroupResponseHandler`)."""
    RESETS = auto()
    """It is no member, or leaves (`resetStateAndGeneration`)."""


STEPS: Final[Mapping[tuple[State, Step], State]] = MappingProxyType({
    **{(state, Step.JOINS): State.PREPARING_REBALANCE for state in State},
    (State.PREPARING_REBALANCE, Step.JOINED): State.COMPLETING_REBALANCE,
    (State.COMPLETING_REBALANCE, Step.SYNCED): State.STABLE,
    **{(state, Step.RESETS): State.UNJOINED for state in State},
})  # fmt: skip
"""All transitions."""


@dataclass(frozen=True, slots=True)
class Identity:
    """As whom it speaks to the coordinator (`Generation`)."""

    generation: int = NO_GENERATION
    member_id: str = UNKNOWN_MEMBER
    protocol: str | None = None

    @property
    def is_reset(self) -> bool:
        """Whether it is of no generation (`hasGenerationReset`)."""
        return self.generation == NO_GENERATION and self.protocol is None


NOBODY: Final = Identity()
"""One that was never in a group."""


class Membership:
    """State and identity of a member, and whether it has to join."""

    __slots__ = ("identity", "prepare_needed", "rejoin_needed", "state")

    def __init__(self) -> None:
        self.state = State.UNJOINED
        self.identity = NOBODY
        self.rejoin_needed = True
        self.prepare_needed = True
        """Whether it has to give up what it has to before it joins."""

    def take(self, step: Step) -> None:
        """Go to the next state.

        Raises
        ------
        ValueError
            If that step does not lead from the state it is in.
        """
        to = STEPS.get((self.state, step))
        if to is None:
            raise ValueError(f"a member in {self.state.value} cannot do {step.name}")
        self.state = to

    def reset(self, *, keeps_id: bool) -> None:
        """Be in no group, and join anew (`resetStateAndRejoin`).

        Parameters
        ----------
        keeps_id : bool
            Whether its member id may still hold, as after ILLEGAL_GENERATION.
        """
        self.take(Step.RESETS)
        member_id = self.identity.member_id if keeps_id else UNKNOWN_MEMBER
        self.identity = Identity(member_id=member_id)
        self.rejoin_needed = self.prepare_needed = True

    @property
    def has_joined(self) -> bool:
        """Whether it has a generation to beat for (not `hasNotJoinedGroup`)."""
        return self.state in {State.COMPLETING_REBALANCE, State.STABLE}

    @property
    def is_stable(self) -> bool:
        """Whether it has its assignment, so that it may commit."""
        return self.state is State.STABLE

    @property
    def is_joining(self) -> bool:
        """Whether it waits for the answer to JoinGroup."""
        return self.state is State.PREPARING_REBALANCE

    @property
    def is_rebalancing(self) -> bool:
        """Whether it joins and has no assignment yet (`rebalanceInProgress`)."""
        return self.state in {State.PREPARING_REBALANCE, State.COMPLETING_REBALANCE}

    @property
    def was_expelled(self) -> bool:
        """Whether what it owns is lost: it has no generation, or no id."""
        who = self.identity
        return who.generation == NO_GENERATION or who.member_id == UNKNOWN_MEMBER
