"""What errors of a coordinator make a member of the classic protocol do.

Source: `JoinGroupResponseHandler`, `SyncGroupResponseHandler` and
`HeartbeatResponseHandler` of `AbstractCoordinator` (clients); errors that are not named
there are unexpected, and thrown.
"""

from collections.abc import Mapping
from enum import Enum, auto
from types import MappingProxyType
from typing import Final, NamedTuple

from kafkasim.protocol import errors


class Again(Enum):
    """When a member that failed to join tries again."""

    AT_ONCE = auto()
    LATER = auto()
    """In its next `poll()`, or after `retry.backoff.ms` if it waits in this one."""
    NEVER = auto()
    """`poll()` throws."""


class Reset(Enum):
    """What a member forgets, if it is still whom it was when it asked."""

    NOTHING = auto()
    GENERATION = auto()
    """It keeps its id: that may hold."""
    ALL = auto()


class Reaction(NamedTuple):
    """What a member does about an error."""

    again: Again
    resets: Reset = Reset.NOTHING
    looks: bool = False
    """It looks for the coordinator anew."""


UNEXPECTED: Final = Reaction(Again.NEVER)
_AT_ONCE: Final = Reaction(Again.AT_ONCE)
_LOOKS: Final = Reaction(Again.LATER, looks=True)
_UNKNOWN: Final = Reaction(Again.AT_ONCE, Reset.ALL)
_OLD: Final = Reaction(Again.AT_ONCE, Reset.GENERATION)

TO_JOIN: Final[Mapping[int, Reaction]] = MappingProxyType({
    errors.COORDINATOR_LOAD_IN_PROGRESS: Reaction(Again.LATER),
    errors.UNKNOWN_MEMBER_ID: _UNKNOWN,
    errors.COORDINATOR_NOT_AVAILABLE: _LOOKS,
    errors.NOT_COORDINATOR: _LOOKS,
    errors.MEMBER_ID_REQUIRED: _AT_ONCE,
    errors.REBALANCE_IN_PROGRESS: _AT_ONCE,
})  # fmt: skip
"""JoinGroup."""

TO_SYNC: Final[Mapping[int, Reaction]] = MappingProxyType({
    errors.REBALANCE_IN_PROGRESS: _AT_ONCE,
    errors.UNKNOWN_MEMBER_ID: _UNKNOWN,
    errors.ILLEGAL_GENERATION: _OLD,
    errors.COORDINATOR_NOT_AVAILABLE: _LOOKS,
    errors.NOT_COORDINATOR: _LOOKS,
})  # fmt: skip
"""SyncGroup."""

TO_HEARTBEAT: Final[Mapping[int, Reaction]] = MappingProxyType({
    errors.COORDINATOR_NOT_AVAILABLE: _LOOKS,
    errors.NOT_COORDINATOR: _LOOKS,
    errors.UNKNOWN_MEMBER_ID: _UNKNOWN,
    errors.ILLEGAL_GENERATION: _OLD,
    errors.FENCED_INSTANCE_ID: Reaction(Again.NEVER, Reset.ALL),
})  # fmt: skip
"""Heartbeat, but for REBALANCE_IN_PROGRESS; what is unexpected is only a beat that
failed: the next one comes after a backoff."""
