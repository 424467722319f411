"""When brokers of a run may refuse batches, and what they ask then.

Where brokers refuse nothing, clients need to expect nothing: such a run is the fast
one. Settings tell most of the others at once. That a batch is too large may show only
when it is sent, and then the run begins anew.
"""

from collections.abc import Sequence
from typing import Final

from kafkasim.catalogue import mark, say
from kafkasim.config.rules import INT64_MAX
from kafkasim.config.topic import TopicConfig
from kafkasim.engine.sim.admission import Admission
from kafkasim.engine.sim.producer import ProducerClient
from kafkasim.engine.sim.source_columns import KEYLESS
from kafkasim.errors import ValidationError
from kafkasim.scenario.blocks import SourceBlocks
from kafkasim.scenario.systems import Kafka, Topic

_USUAL_BYTES: Final = TopicConfig().resolve().max_message_bytes
_WHY: Final = mark("a broker may refuse a batch; run with result='full'")


class Refusal(Exception):  # noqa: N818 - it is no error of the user's
    """A broker would refuse a batch: the run has to begin anew with clients that care.

    Parameters
    ----------
    topic : str
        Name of the topic.
    config : TopicConfig
        Its settings, resolved.
    size_bytes : int
        Size of the batch.
    """

    def __init__(self, topic: str, config: TopicConfig, size_bytes: int) -> None:
        super().__init__(topic)
        self.topic = topic
        self.config = config
        self.size_bytes = size_bytes

    def in_streamed_run(self) -> ValidationError:
        """Return what says that a streamed run cannot go on."""
        config, name = self.config, "segment_bytes"
        if self.size_bytes > config.max_message_bytes:
            name = "max_message_bytes"
        elif config.internal_segment_bytes:
            name = "internal_segment_bytes"
        return ValidationError(
            f"system.topics.{self.topic}.config.{name}",
            getattr(config, name),
            say(
                "at least {size_bytes}, the size of a batch, in a streamed run",
                size_bytes=self.size_bytes,
            ),
            say(_WHY),
        )


def may_refuse(system: Kafka, sources: Sequence[SourceBlocks]) -> bool:
    """Say whether settings tell that a broker may refuse a batch."""
    return any(_limits(topic) for topic in system.topics.values()) or any(
        may_lack_keys(system, source) for source in sources
    )


def _limits(topic: Topic) -> bool:
    config = topic.config
    return (
        config.max_message_bytes < _USUAL_BYTES
        or config.message_timestamp_before_max_ms < INT64_MAX
    )


def may_lack_keys(system: Kafka, source: SourceBlocks) -> bool:
    """Say whether a source may send records without a key to a compacted topic."""
    return source.may_lack_keys and system.topics[source.stream].config.compacts


def check_refuses_nothing(system: Kafka) -> None:
    """Refuse, in a run that lets its records go, topics that may refuse a batch."""
    for name, topic in system.topics.items():
        config = topic.config
        for field, least in (
            ("max_message_bytes", _USUAL_BYTES),
            ("message_timestamp_before_max_ms", INT64_MAX),
        ):
            value = getattr(config, field)
            if value < least:
                raise ValidationError(
                    f"system.topics.{name}.config.{field}",
                    value,
                    say(
                        "at least {least}, the default, in a streamed run", least=least
                    ),
                    say(_WHY),
                )


def admission(
    system: Kafka,
    topic: str,
    sources: Sequence[SourceBlocks],
    producers: Sequence[ProducerClient],
) -> Admission:
    """Return what the leaders of a topic's partitions admit.

    Parameters
    ----------
    system : Kafka
        Resolved.
    topic : str
        Its name.
    sources, producers : sequences
        All of the run, by number.
    """
    mine = {n: source for n, source in enumerate(sources) if source.stream == topic}
    return Admission(
        system.topics[topic].config,
        {number: producers[number] for number in mine},
        {
            number: producers[number].work_of(KEYLESS)
            for number, source in mine.items()
            if may_lack_keys(system, source)
        },
    )
