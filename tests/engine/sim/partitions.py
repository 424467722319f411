"""Partitions of which a test says only what it is about."""

from kafkasim.config.topic import TopicConfig
from kafkasim.engine.sim.partition import Partition
from kafkasim.engine.sim.plan_facts import KeyCodes, PlanFacts
from kafkasim.protocol.producing.batch import Batch


def partition(index: int = 0, config: TopicConfig | None = None) -> Partition:
    """A partition of topic 0; batches of sources 0 and 1 are as old as they opened."""
    made = Partition(
        index=index,
        topic=0,
        number=index,
        nodes=[0],
        config=(config or TopicConfig()).resolve(),
        facts=PlanFacts([], KeyCodes([]), lambda _: NotImplemented, []),
    )
    for source in range(2):
        made.add_source(source, _opened_ns)
    return made


def _opened_ns(batch: Batch) -> int:
    return batch.opened_ns
