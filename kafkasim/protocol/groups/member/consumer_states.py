"""The states of a member of the consumer protocol, on the client's side (KIP-848).

The steps between them are a table; a step that is not in it cannot happen, and raises.
Sources: `MemberState`, `AbstractHeartbeatRequestManager` (clients, 4.3).
"""

from collections.abc import Mapping
from enum import Enum, auto
from types import MappingProxyType
from typing import Final

from kafkasim.protocol import errors


class State(Enum):
    """Its state, by Kafka's name."""

    UNSUBSCRIBED = "UNSUBSCRIBED"
    """In no group."""
    JOINING = "JOINING"
    """It sends heartbeats with epoch 0."""
    RECONCILING = "RECONCILING"
    """It was told to own something else, and gets there."""
    ACKNOWLEDGING = "ACKNOWLEDGING"
    """It got there; its next heartbeat says so, at once."""
    STABLE = "STABLE"
    """It owns what it was told to."""
    FENCED = "FENCED"
    """It was expelled, and gives up what it had before it joins again."""
    PREPARE_LEAVING = "PREPARE_LEAVING"
    """It gives up what it has, to leave."""
    LEAVING = "LEAVING"
    """Its next heartbeat leaves, at once."""
    FATAL = "FATAL"
    """It failed for good."""
    STALE = "STALE"
    """It left because the application did not poll, and joins again when it does."""


BEFORE: Final[Mapping[State, tuple[State, ...]]] = MappingProxyType({
    State.STABLE: (State.JOINING, State.ACKNOWLEDGING, State.RECONCILING),
    State.RECONCILING: (
        State.STABLE, State.JOINING, State.ACKNOWLEDGING, State.RECONCILING,
    ),
    State.ACKNOWLEDGING: (State.RECONCILING,),
    State.FATAL: (
        State.JOINING, State.STABLE, State.RECONCILING, State.ACKNOWLEDGING,
        State.PREPARE_LEAVING, State.LEAVING, State.UNSUBSCRIBED,
    ),
    State.FENCED: (
        State.JOINING, State.STABLE, State.RECONCILING, State.ACKNOWLEDGING,
        State.PREPARE_LEAVING, State.LEAVING,
    ),
    State.JOINING: (State.FENCED, State.UNSUBSCRIBED, State.STALE),
    State.PREPARE_LEAVING: (
        State.JOINING, State.STABLE, State.RECONCILING, State.ACKNOWLEDGING,
        State.UNSUBSCRIBED,
    ),
    State.LEAVING: (State.PREPARE_LEAVING,),
    State.UNSUBSCRIBED: (State.PREPARE_LEAVING, State.LEAVING, State.FENCED),
    State.STALE: (State.LEAVING,),
})  # fmt: skip
"""From which states a member comes into each (`MemberState.previousValidStates`)."""

NOT_IN_GROUP: Final = frozenset({
    State.UNSUBSCRIBED, State.FENCED, State.FATAL, State.STALE,
})  # fmt: skip
"""States in which it sends no heartbeats, and hears none."""
AT_ONCE: Final = frozenset({State.ACKNOWLEDGING, State.LEAVING, State.JOINING})
"""States in which the next heartbeat does not wait for its interval."""


class Reaction(Enum):
    """What a member does about an error in the answer to a heartbeat."""

    LOOKS = auto()
    """It looks for the coordinator anew, and sends the next one without a backoff."""
    WAITS = auto()
    """It tries again after a backoff."""
    REJOINS = auto()
    """It was expelled: it gives all up, and joins again (N8-8)."""
    FAILS = auto()
    """`poll()` throws, and that is the end."""


REACTIONS: Final[Mapping[int, Reaction]] = MappingProxyType({
    errors.NOT_COORDINATOR: Reaction.LOOKS,
    errors.COORDINATOR_NOT_AVAILABLE: Reaction.LOOKS,
    errors.COORDINATOR_LOAD_IN_PROGRESS: Reaction.WAITS,
    errors.FENCED_MEMBER_EPOCH: Reaction.REJOINS,
    errors.UNKNOWN_MEMBER_ID: Reaction.REJOINS,
})  # fmt: skip
"""By error; one that is not here is fatal (`onErrorResponse`)."""
