"""Pipelines without a log: from source to subscriber, or through a hub that forgets."""

from typing import Annotated, Literal

from kafkasim.catalogue import say
from kafkasim.config.document import Document, document
from kafkasim.config.rules import INT32_MAX, Positive, Seconds, Whole
from kafkasim.errors import ValidationError
from kafkasim.scenario.hardware import Hardware

_OF_QUEUES = (
    "queue_events", "queue_mb", "on_full", "in_flight", "timeout_ms",
    "retry_backoff_ms", "retry_backoff_max_ms", "give_up_s",
)  # fmt: skip
"""Fields of `PointToPoint` that say something of its queues."""


@document
class PointToPoint(Document):
    """No broker: each source sends each record to each subscriber itself.

    Synchronous, it waits for all answers before it sends the next, so a subscriber that
    is slow or down blocks it. Asynchronous, it has a queue for each subscriber, sends
    to all of them side by side and sends again what is not answered; a subscriber that
    is slow or down fills its queue at every source.
    """

    mode: Literal["synchronous", "asynchronous"] = "synchronous"
    """Whether a source waits for the answers to one record before it sends the next.
    The fields below, but for the hardware, are of the asynchronous kind; a synchronous
    source tries again as soon as a subscriber is back, and 100 ms after a connection
    was lost."""
    queue_events: Annotated[int, Whole(1, INT32_MAX)] = 10_000
    """Records that a source holds for one subscriber at most until it has answered."""
    queue_mb: Positive | None = None
    """Their bytes at most, in 10⁶; none: as many as they have."""
    on_full: Literal["block", "drop"] = "block"
    """What happens to a record for which a queue has no room: its source waits, and all
    its subscribers with it, or that subscriber does not get it."""
    in_flight: Annotated[int, Whole(1, 1_000)] = 1
    """Requests on their way to one subscriber at a time, each over a connection of its
    own; with more than one a record that is sent again may be overtaken."""
    timeout_ms: Positive = 30_000.0
    """Without an answer for so long a source closes the connection and sends again, in
    milliseconds."""
    retry_backoff_ms: Positive = 100.0
    """Until the first try after a failure, in milliseconds; twice as long each time."""
    retry_backoff_max_ms: Positive = 1_000.0
    """The longest time between two tries, in milliseconds."""
    give_up_s: Seconds | None = None
    """How long after a record came into a queue its source lets go of it, in seconds,
    when it would send it the next time; none: it never does."""
    hardware: Hardware = Hardware()
    """Network and processors."""

    def check(self) -> None:
        """Check that nothing is said of queues that are not there."""
        if self.mode == "synchronous":
            plain = {each: type(self).__dataclass_fields__[each] for each in _OF_QUEUES}
            for name, field in plain.items():
                if getattr(self, name) != field.default:
                    raise ValidationError(
                        name,
                        getattr(self, name),
                        say(
                            "{default!r} while mode is 'synchronous'",
                            default=field.default,
                        ),
                        say("a source that waits for all answers has no queues"),
                    )
        check_backoff(self.retry_backoff_ms, self.retry_backoff_max_ms)


@document
class Relay(Document):
    """A hub without a log: it passes on what it gets, and forgets what is answered.

    A source sends each record to the hub once, one after the other. The hub has it in
    memory when it answers, in one queue for each subscriber that has come, and pushes
    it until the subscriber has answered. What is in memory a crash of the hub loses.
    """

    buffer_events: Annotated[int, Whole(1, INT32_MAX)] = 10_000
    """Records that a source's client holds at most until the hub has answered; with
    more to send, the source waits."""
    queue_events: Annotated[int, Whole(1, INT32_MAX)] = 10_000
    """Records that the hub holds for one subscriber at most."""
    queue_mb: Positive | None = None
    """Their bytes at most, in 10⁶; none: as many as they have."""
    on_full: Literal["block", "drop"] = "block"
    """What happens when a queue has no room: the hub takes nothing more from any source
    until it has, or that subscriber does not get the record."""
    prefetch: Annotated[int, Whole(1, INT32_MAX)] = 100
    """Records on their way to one subscriber, or at it, at a time."""
    threads: Annotated[int, Whole(1, 1_000)] = 8
    """Requests and pushes that the hub serves at a time, one of each connection; as
    many as a Kafka broker has IO threads (`num.io.threads`)."""
    timeout_ms: Positive = 30_000.0
    """Without an answer for so long a sender closes the connection and sends again, in
    milliseconds."""
    retry_backoff_ms: Positive = 100.0
    """Until the first try after a failure, in milliseconds; twice as long each time."""
    retry_backoff_max_ms: Positive = 1_000.0
    """The longest time between two tries, in milliseconds."""
    give_up_s: Seconds | None = None
    """How long after a record came into its buffer a source lets go of it, in seconds,
    when it would send it the next time; none: it never does."""
    hardware: Hardware = Hardware()
    """Network and processors, also the hub's."""

    def check(self) -> None:
        """Check the times between two tries."""
        check_backoff(self.retry_backoff_ms, self.retry_backoff_max_ms)


def check_backoff(first_ms: float, longest_ms: float) -> None:
    """Check that the longest time between two tries is no shorter than the first.

    Raises
    ------
    ValidationError
        It is.
    """
    if longest_ms < first_ms:
        allowed = say("at least retry_backoff_ms, {first_ms:g}", first_ms=first_ms)
        raise ValidationError("retry_backoff_max_ms", longest_ms, allowed)
