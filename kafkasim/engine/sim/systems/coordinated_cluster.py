"""A cluster whose groups have coordinators: the offsets topic, and who keeps groups.

Runs in which every group starts joined and stays so have none of it: there the commits
of members are stored at once, and cost nothing but themselves.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from kafkasim.engine.sim.broker import Broker
from kafkasim.engine.sim.coordinating_broker import (
    CoordinatingBroker,
    EquippedCoordinator,
)
from kafkasim.engine.sim.coordinator_parts import CoordinatorCalls, CoordinatorSettings
from kafkasim.engine.sim.coordinators import Coordinators
from kafkasim.engine.sim.literal_batches import NO_SOURCE, LiteralFacts, newest_ns
from kafkasim.engine.sim.partition import Partition
from kafkasim.engine.sim.systems.kafka_hosts import KafkaHosts
from kafkasim.engine.sim.systems.offsets_topic import OFFSETS_TOPIC, with_offsets_topic
from kafkasim.protocol.offsets_topic import offsets_partition
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.systems import Kafka
from kafkasim.units import NS_PER_MS, ns_from_ms


class CoordinatedCluster(KafkaHosts):
    """A cluster's hosts, with a topic for what groups must not forget."""

    internal_topics = (OFFSETS_TOPIC,)

    def __init__(self, scenario: Scenario, *arguments: Any, **options: Any) -> None:  # noqa: ANN401
        self.epoch_ms = epoch_ms_of(scenario.resolve().traffic.start_time)
        super().__init__(scenario, *arguments, **options)

    def _with_internal_topics(self, system: Kafka) -> Kafka:
        return with_offsets_topic(system)

    def _replicates(self) -> bool:
        return True

    def _number_actors(self) -> dict[str, int]:
        actors = super()._number_actors()
        for broker in range(self.system.brokers):
            actors[_host(broker)] = len(actors) + 1
        return actors

    def _make_partition(
        self, index: int, topic: str, number: int, nodes: Sequence[int]
    ) -> Partition:
        if topic != OFFSETS_TOPIC:
            return super()._make_partition(index, topic, number, nodes)
        facts = LiteralFacts()
        self._facts.append(facts)
        partition = Partition(
            index=index,
            topic=self.topics.index(topic),
            number=number,
            nodes=nodes,
            config=self.system.topics[topic].config,
            facts=facts,
        )
        partition.add_source(NO_SOURCE, newest_ns)
        return partition

    def _broker_kind(self, *, is_equipped: bool) -> type[Broker]:
        return EquippedCoordinator if is_equipped else CoordinatingBroker

    @property
    def offsets(self) -> range:
        """Indices of the offsets topic's partitions."""
        mine = self.by_topic[OFFSETS_TOPIC]
        return range(mine[0].index, mine[-1].index + 1)

    def _make_coordinators(self, calls: Callable[[int], CoordinatorCalls]) -> None:
        """Give brokers their coordinators; `calls` takes the index of a broker."""
        partitions = self.by_topic[OFFSETS_TOPIC]
        config = self.system.broker_config
        count = len(partitions)
        keeping = {offsets_partition(name, count) for name in self.subscribers}
        self.unused = {p.index for p in partitions if p.number not in keeping}
        linger_ms = config.group_coordinator_append_linger_ms
        settings = CoordinatorSettings(
            write_timeout_ns=ns_from_ms(config.offsets_commit_timeout_ms),
            linger_ns=linger_ms * NS_PER_MS,
            epoch_ms=self.epoch_ms,
        )
        for broker in self.brokers:
            assert isinstance(broker, CoordinatingBroker)
            coordinators = Coordinators(
                calendar=self.calendar,
                actor=self._actors[_host(broker.index)],
                broker=broker,
                partitions=partitions,
                settings=settings,
                calls=calls(broker.index),
            )
            broker.coordinate_with(coordinators, self.offsets, self.topics)

    @property
    def coordinators(self) -> list[Coordinators]:
        """Those of each broker."""
        return [
            broker.coordinators
            for broker in self.brokers
            if isinstance(broker, CoordinatingBroker)
        ]


def _host(broker: int) -> str:
    return f"coordinators:{broker + 1}"


def epoch_ms_of(start_time: str) -> int:
    """Return a scenario's start in milliseconds since 1970."""
    return round(datetime.fromisoformat(start_time).timestamp() * 1_000)
