"""The topic `__consumer_offsets` of a run whose groups have coordinators (OF-1).

It is a topic like any other: placed, replicated and led like them, and compacted by the
same cleaner. Kafka makes it when the first group looks for its coordinator, and needs
as many brokers as it has copies; here it is there from the start. A cluster with fewer
brokers than `offsets.topic.replication.factor` has as many copies as brokers: what one
sets by hand in a cluster of one broker, as Kafka's own quickstart does.

Sources: `GroupCoordinatorConfig`, `GroupCoordinatorService.groupMetadataTopicConfigs`,
`AutoTopicCreationManager` (4.3).
"""

from dataclasses import replace
from typing import Final

from kafkasim.config.frozen import FrozenDict
from kafkasim.config.topic import TopicConfig
from kafkasim.scenario.systems import Kafka, Topic

OFFSETS_TOPIC: Final = "__consumer_offsets"


def offsets_topic(system: Kafka) -> Topic:
    """Return the topic, its settings filled in."""
    config = system.broker_config
    return Topic(
        partitions=config.offsets_topic_num_partitions,
        replication_factor=min(config.offsets_topic_replication_factor, system.brokers),
        config=TopicConfig(
            cleanup_policy="compact",
            segment_bytes=config.offsets_topic_segment_bytes,
        ).resolve(),
    )


def with_offsets_topic(system: Kafka) -> Kafka:
    """Return a resolved system that has the topic."""
    topics = {**system.topics, OFFSETS_TOPIC: offsets_topic(system)}
    return replace(system, topics=FrozenDict(topics))
