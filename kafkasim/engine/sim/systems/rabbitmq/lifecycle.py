"""The life of a message in a queue: ready, unacknowledged, gone.

`TRANSITIONS` is the table of the ways between these states, with what can cause each;
`Lives` follows the effects of a queue and refuses a way that is not in it. So reading
alone deletes nothing: a message is gone when its consumer, or the queue, says why.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from kafkasim.engine.sim.systems.rabbitmq.messages import Reason, Returned
from kafkasim.engine.sim.systems.rabbitmq.queue_messages import (
    Enqueued,
    Handed,
    QueueEffect,
    Removed,
    Requeued,
)


class State(StrEnum):
    """Where a message is."""

    NEW = "published"
    READY = "ready"
    """In the queue; after a return it may have to wait for its retry."""
    UNACKED = "unacknowledged"
    """With a consumer."""
    GONE = "gone"


class Step(StrEnum):
    """What happens to a message, beside its end and its return."""

    ENQUEUED = "enqueued"
    HANDED = "handed to a consumer"


Cause = Step | Reason | Returned

_LOST: Final = (
    *(Reason.NOT_PERSISTENT, Reason.NOT_ON_DISK),
    *(Reason.NOT_DURABLE, Reason.DISK_LOST),
)
_SETTLED: Final = (
    *(Reason.ACKED, Reason.AUTO_ACKED, Reason.NACKED),
    *(Reason.REJECTED, Reason.DELIVERY_LIMIT),
)

TRANSITIONS: Final[Mapping[tuple[State, State], tuple[Cause, ...]]] = MappingProxyType(
    {
        (State.NEW, State.READY): (Step.ENQUEUED,),
        (State.READY, State.UNACKED): (Step.HANDED,),
        (State.READY, State.GONE): _LOST,
        (State.UNACKED, State.READY): tuple(Returned),
        (State.UNACKED, State.GONE): (*_SETTLED, *_LOST),
    }
)
"""What leads from one state to another; no other way is legal."""


class IllegalTransitionError(Exception):
    """A queue told of a message what cannot be."""


class Lives:
    """The state of each message of a queue, as its effects tell."""

    def __init__(self) -> None:
        self.states: dict[int, State] = {}
        """By position."""

    def count(self, state: State) -> int:
        """Return how many messages are in a state."""
        return sum(each == state for each in self.states.values())

    def follow(self, effect: QueueEffect) -> None:
        """Take a step, if the effect is one of a message.

        Raises
        ------
        IllegalTransitionError
            `TRANSITIONS` has no such way for that cause; nothing is changed.
        """
        match effect:
            case Enqueued():
                self._go(effect.position, State.READY, Step.ENQUEUED)
            case Handed():
                self._go(effect.position, State.UNACKED, Step.HANDED)
            case Removed():
                self._go(effect.position, State.GONE, effect.reason)
            case Requeued():
                self._go(effect.was, State.READY, effect.cause)
                self.states[effect.position] = self.states.pop(effect.was)
            case _:
                pass

    def _go(self, position: int, state: State, cause: Cause) -> None:
        before = self.states.get(position, State.NEW)
        if cause not in TRANSITIONS.get((before, state), ()):
            raise IllegalTransitionError(
                f"message at {position}: {before} to {state}, {cause}"
            )
        self.states[position] = state
