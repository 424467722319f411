"""What the application of a subscriber asks of its consumer while it runs.

It may read on somewhere else (`KafkaConsumer.seek`), or let partitions be for a while
(`KafkaConsumer.pause`, `resume`). Whoever has its partitions for good does so between
two polls: what is at work is finished first.
"""

from typing import Annotated, ClassVar

from kafkasim.config.document import Document, document
from kafkasim.config.offset_reset import SeekTo
from kafkasim.config.rules import Moment, Seconds, Whole

_PARTITION = Annotated[int, Whole(0, 1_000_000)]


@document
class Seek(Document):
    """The members of a subscriber read on at another offset (`KafkaConsumer.seek`).

    What was fetched is dropped. Offsets that are committed stay as they are, until the
    next commit.
    """

    for_s: ClassVar[None] = None

    target: str
    """Such as `subscriber:billing`."""
    at_s: Moment
    """When, in seconds since the run's start; a member that is at work does it when it
    is done with that."""
    to: Annotated[int | str, SeekTo()] = "earliest"
    """Where: an offset; `earliest` or `latest`, the start or the end of the log
    (`seekToBeginning`, `seekToEnd`); or `by_duration:` and how long ago, as ISO 8601
    has it (`offsetsForTimes`)."""
    stream: str | None = None
    """In the partitions of this stream; none: of all that it reads."""
    partition: _PARTITION | None = None
    """In this partition; none: in all."""


@document
class PausePartitions(Document):
    """The members of a subscriber let partitions be (`KafkaConsumer.pause`, `resume`).

    These are not fetched, and what was fetched of them is kept and not returned. The
    members go on with the others. A crash ends it: who comes back knows nothing of it.
    """

    target: str
    """Such as `subscriber:billing`."""
    at_s: Moment
    """When, in seconds since the run's start; a member that is at work does it when it
    is done with that."""
    for_s: Seconds | None = None
    """How long, in seconds; none: for good."""
    stream: str | None = None
    """The partitions of this stream; none: of all that it reads."""
    partition: _PARTITION | None = None
    """This partition; none: all."""


ReaderEvent = Seek | PausePartitions
"""What a subscriber's application asks of its consumer."""
