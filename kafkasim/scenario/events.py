"""What happens to a system while it runs.

Events stand beside traffic and system: the same crash can befall any of the systems
that are compared. A target is `kind:name`: a subscriber (all its members), or in a
Kafka cluster one of them, `member:billing/2`; `source:web` (all its instances; it may
crash, or stand still); the `hub` of a relay, or all brokers; `broker:1`, its `disk:1`,
or `controller`; or `link:web->broker:2`, the way between two hosts
(`kafkasim.scenario.links`); or `stream:orders`, a topic. What means nothing in a system
is no error at a source, a subscriber, the hub, or a link between them: the table
`events` says so (`kafkasim.scenario.applicability`).
"""

from typing import Annotated, ClassVar, Literal

from kafkasim.catalogue import say
from kafkasim.config.document import Document, document
from kafkasim.config.rules import (
    INT32_MAX,
    INT64_MAX,
    AtLeastZero,
    Moment,
    Number,
    Positive,
    Seconds,
    Whole,
)
from kafkasim.errors import ValidationError
from kafkasim.scenario.member_events import MemberEvent
from kafkasim.scenario.reader_events import PausePartitions, Seek

Messages = Literal["requests", "responses"]
"""What of the messages on a link."""


@document
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
    lose_disk: bool = False
    """A broker: it comes back with an empty disk, and copies all that others have."""


@document
class Slow(Document):
    """The target's work takes longer for a while.

    A broker takes longer for every request, a disk for all that it reads and writes.
    """

    target: str
    """Such as `subscriber:billing`."""
    at_s: Moment
    """When, in seconds since the run's start."""
    for_s: Seconds | None = None
    """How long, in seconds; none: for good."""
    factor: Positive = 10.0
    """How many times longer; below 1 it takes less."""


@document
class Pause(Document):
    """The target stands still for a while and then goes on where it was.

    As a process that is stopped and continued, or a long garbage collection: what it
    has at work takes so much longer, what comes meanwhile waits. It does nothing to a
    subscriber that is down or has not come yet, and a crash ends it. A disk that stands
    still is one that does not answer; its broker goes on with what needs none. A source
    that stands still hands nothing over and sees no answer; its timers act late.
    """

    target: str
    """Such as `subscriber:billing`."""
    at_s: Moment
    """When, in seconds since the run's start."""
    for_s: Seconds | None = None
    """How long, in seconds; none: for good."""


@document
class FillDisk(Document):
    """Nothing more fits on a broker's disk for a while.

    What it tries to append then fails, and as its only log directory has failed the
    broker halts (`ReplicaManager.handleLogDirFailure`). That is at once or half a
    second later: with nothing else to write it appends the metadata of an idle cluster
    (`metadata.max.idle.interval.ms`). It starts again when there is room.
    """

    target: str
    """Such as `broker:1`."""
    at_s: Moment
    """When, in seconds since the run's start."""
    for_s: Seconds | None = None
    """How long, in seconds; none: for good."""


@document
class Cut(Document):
    """Nothing arrives over a link for a while.

    A network that is cut loses packets, and TCP sends them again: after 200 ms, and
    then each time after twice as long. So messages come late, in their order, if the
    link is whole again before a client gives up: after `request.timeout.ms` it closes
    the connection and makes a new one.
    """

    target: str
    """Such as `link:web->broker:1`, one way, or `link:web<->broker:1`, both."""
    at_s: Moment
    """When, in seconds since the run's start."""
    for_s: Seconds | None = None
    """How long, in seconds; none: for good."""
    only: Messages | None = None
    """Only of requests, or only of responses; none: of all."""


@document
class Delay(Document):
    """Messages take longer on a link for a while.

    What is sent in that time takes `factor` times the link's delay, and `extra_ms`
    more. On one connection nothing overtakes.
    """

    target: str
    """Such as `link:web->broker:1`, one way, or `link:web<->broker:1`, both."""
    at_s: Moment
    """When, in seconds since the run's start."""
    for_s: Seconds | None = None
    """How long, in seconds; none: for good."""
    extra_ms: AtLeastZero = 0.0
    """Milliseconds that are added to each message's way."""
    factor: Positive = 1.0
    """How many times longer the way takes."""
    only: Messages | None = None
    """Only of requests, or only of responses; none: of all."""

    def check(self) -> None:
        """Check that it says how much.

        Raises
        ------
        ValidationError
            It leaves everything as it is.
        """
        if self.extra_ms == 0.0 and self.factor == 1.0:
            allowed = say("more than 0, or a factor")
            raise ValidationError(
                "extra_ms", self.extra_ms, allowed, say("how much later?")
            )


@document
class Lose(Document):
    """A share of the messages on a link is lost for a while, with its connection.

    A packet that is lost is sent again by TCP, so a message is lost only when its
    connection breaks: here it breaks at the very message. Both ends learn of it, the
    client connects anew, and sends again what has no answer, if it may.
    """

    target: str
    """Such as `link:web->broker:1`, one way, or `link:web<->broker:1`, both."""
    at_s: Moment
    """When, in seconds since the run's start."""
    for_s: Seconds | None = None
    """How long, in seconds; none: for good."""
    share: Annotated[float, Number(above=0.0, high=1.0)] = 1.0
    """The probability that a message is lost."""
    only: Messages | None = None
    """Only of requests, or only of responses; none: of all."""


@document
class DeleteRecords(Document):
    """An administrator lets the logs of a topic begin at a later offset.

    The leaders do so at once, and followers when they fetch next. Readers that were
    behind are reset; the files go with the next retention.
    """

    for_s: ClassVar[None] = None

    target: str
    """Such as `stream:orders`."""
    at_s: Moment
    """When, in seconds since the run's start."""
    to: Annotated[int, Whole(0, INT64_MAX)] | Literal["high_watermark"] = (
        "high_watermark"
    )
    """The first offset that stays; or all go that are replicated."""
    partition: Annotated[int, Whole(0, INT32_MAX)] | None = None
    """Of which partition, from 0; none: of all."""


@document
class AddPartitions(Document):
    """An administrator lets a topic have more partitions.

    What was sent stays where it is. Each producer learns of it with its next metadata
    (`metadata.max.age.ms`, or when something fails); from then on a key may be another
    partition's. Consumers read the new ones once the leader of their group has looked.
    """

    for_s: ClassVar[None] = None

    target: str
    """Such as `stream:orders`."""
    at_s: Moment
    """When, in seconds since the run's start."""
    to: Annotated[int, Whole(2, 1_000_000)]
    """How many there are then; more than before."""


LinkEvent = Cut | Delay | Lose
"""What befalls the way between two hosts."""
StreamEvent = AddPartitions | DeleteRecords
"""What befalls a topic."""
_Other = StreamEvent | Seek | PausePartitions | MemberEvent
Event = Crash | FillDisk | Pause | Slow | Cut | Delay | Lose | _Other
