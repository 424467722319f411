"""What happens to a system while it runs.

Events stand beside traffic and system: the same crash can befall any of the systems
that are compared. A target is `kind:name`: a subscriber (all its members), or in a
Kafka cluster `broker:1`, or `controller`.
"""

from dataclasses import dataclass

from kafkasim.config.document import Document
from kafkasim.config.rules import Moment, Positive, Seconds


@dataclass(frozen=True, slots=True, repr=False)
class Crash(Document):
    """The target stops at once, without a farewell, and starts again later.

    When the active controller stops, another one takes over; `for_s` says nothing then.
    """

    target: str
    """Such as `subscriber:billing`."""
    at_s: Moment
    """When, in seconds since the run's start."""
    for_s: Seconds | None = None
    """How long, in seconds; none: for good."""
    clean: bool = False
    """A broker: it asks for a controlled shutdown first, and stops when it may."""


@dataclass(frozen=True, slots=True, repr=False)
class Slow(Document):
    """The target's work takes longer for a while."""

    target: str
    """Such as `subscriber:billing`."""
    at_s: Moment
    """When, in seconds since the run's start."""
    for_s: Seconds | None = None
    """How long, in seconds; none: for good."""
    factor: Positive = 10.0
    """How many times longer; below 1 it takes less."""


@dataclass(frozen=True, slots=True, repr=False)
class Pause(Document):
    """The target stands still for a while and then goes on where it was.

    As a process that is stopped and continued, or a long garbage collection: what it
    has at work takes so much longer, what comes meanwhile waits. It does nothing to a
    subscriber that is down or has not come yet, and a crash ends it.
    """

    target: str
    """Such as `subscriber:billing`."""
    at_s: Moment
    """When, in seconds since the run's start."""
    for_s: Seconds | None = None
    """How long, in seconds; none: for good."""


Event = Crash | Pause | Slow
