"""What happens to consumer groups: members that come and go, and their offsets.

Any of these in a scenario makes its group one that really joins, with a coordinator and
heartbeats, whatever `Group.start` says of its beginning.
"""

from typing import Annotated, ClassVar

from kafkasim.catalogue import say
from kafkasim.config.document import Document, document
from kafkasim.config.offset_reset import SeekTo
from kafkasim.config.rules import AtLeastZero, Moment, Name, Positive, Whole
from kafkasim.errors import ValidationError

_PARTITION = Annotated[int, Whole(0, 1_000_000)]


@document
class AddMember(Document):
    """A process more reads for a subscriber, and joins its group."""

    for_s: ClassVar[None] = None

    target: str
    """Such as `subscriber:billing`."""
    at_s: Moment
    """When it starts, in seconds since the run's start."""
    name: Annotated[str, Name()] | None = None
    """Its name in the group, such as `4`; none: the next number."""
    instance_id: str | None = None
    """`group.instance.id` of a static member; none: it is a dynamic one."""


@document
class RemoveMember(Document):
    """A member stops in order and for good (`KafkaConsumer.close`).

    It finishes the work it is at, commits if it does so automatically, and a dynamic
    one leaves its group. A static one does not: its partitions wait for it until its
    session is over.
    """

    for_s: ClassVar[None] = None

    target: str
    """Such as `member:billing/2`."""
    at_s: Moment
    """When it is told to, in seconds since the run's start."""


@document
class RollingRestart(Document):
    """The members of a subscriber are stopped in order and started, one by one.

    In the order of their names, as when a new version is deployed.
    """

    for_s: ClassVar[None] = None

    target: str
    """Such as `subscriber:billing`."""
    at_s: Moment
    """When the first stops, in seconds since the run's start."""
    down_s: AtLeastZero = 5.0
    """Seconds from its end to its start."""
    every_s: Positive = 30.0
    """Seconds from the stop of one member to that of the next; more than `down_s`."""

    def check(self) -> None:
        """Check that one is back before the next is stopped."""
        if self.every_s <= self.down_s:
            allowed = say("more than down_s, {down_s:g}", down_s=self.down_s)
            why = say("one member after the other")
            raise ValidationError("every_s", self.every_s, allowed, why)


@document
class MoveCoordinator(Document):
    """Another broker becomes the coordinator of a subscriber's group.

    The leader of the group's partition of `__consumer_offsets` moves, as when an
    administrator reassigns it, to another of its copies that is in sync.
    """

    for_s: ClassVar[None] = None

    target: str
    """Such as `subscriber:billing`."""
    at_s: Moment
    """When, in seconds since the run's start."""
    to: Annotated[int, Whole(1, 1_000)] | None = None
    """To which broker, from 1; none: to the next copy in sync."""


@document
class ResetOffsets(Document):
    """An administrator sets what a subscriber's group has committed.

    As `kafka-consumer-groups.sh --reset-offsets --execute` does, which refuses it while
    the group has members.
    """

    for_s: ClassVar[None] = None

    target: str
    """Such as `subscriber:billing`."""
    at_s: Moment
    """When, in seconds since the run's start."""
    to: Annotated[int | str, SeekTo()] = "earliest"
    """To an offset; to `earliest` or `latest`; or `by_duration:` and how long ago, as
    ISO 8601 has it."""
    stream: str | None = None
    """In the partitions of this stream; none: of all that it reads."""
    partition: _PARTITION | None = None
    """In this partition; none: in all."""


@document
class StuckRecord(Document):
    """One record takes a subscriber very long to process, or for ever.

    It does so each time that it is handed out, to whomever.
    """

    for_s: ClassVar[None] = None
    at_s: ClassVar[float] = 0.0

    target: str
    """Such as `subscriber:billing`."""
    source: str
    """The source that sends it."""
    ordinal: Annotated[int, Whole(0)]
    """Which of that source's records, from 0."""
    work_ms: Positive | None = None
    """Milliseconds of work on it; none: it never ends."""


MemberEvent = (
    AddMember
    | RemoveMember
    | RollingRestart
    | MoveCoordinator
    | ResetOffsets
    | StuckRecord
)
"""What happens to a subscriber's group."""
