"""The partition explorer's own traffic, its controls and its questions."""

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from kafkasim.catalogue import mark
from kafkasim.config.producer import ProducerConfig
from kafkasim.scenario.arrivals import Poisson
from kafkasim.scenario.keys import ZipfKeys
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.systems import Group, Kafka, Producer, Topic
from kafkasim.scenario.traffic import Source, Subscriber, Traffic
from kafkasim.widgets.inputs import Choice, Control, Slider
from kafkasim.widgets.knobs import NO_KEY
from kafkasim.widgets.panel import Preset

BY_KEY: Final = mark("by key")
"""The choice under which a record's key chooses its partition."""

KEYS: Final = 1_000
"""Number of different keys."""

DURATION_S: Final = 3.0
"""How long records are sent, in simulated seconds."""

_CONTROLS: Final = MappingProxyType[str, Control](
    {
        "partitions": Slider(mark("partitions"), 1, 16),
        "members": Slider(mark("members"), 1, 8),
        "keys": Choice(mark("keys"), (NO_KEY, BY_KEY)),
        "rate_per_s": Slider(mark("rate"), 500, 4_000, 100, mark("records/s")),
        "skew": Slider(mark("key skew"), 0.0, 2.0, 0.1),
        "work_ms": Slider(mark("work"), 0.2, 3.0, 0.1, "ms"),
    }
)

_PRESETS: Final = (
    Preset(mark("Does one partition keep up?"), {"partitions": 1}),
    Preset(mark("Do four?"), {"partitions": 4}),
    Preset(mark("What do eight add?"), {"partitions": 8}),
    Preset(
        mark("What happens to order without keys?"), {"partitions": 4, "keys": NO_KEY}
    ),
    Preset(mark("What does one hot key do?"), {"partitions": 4, "skew": 2.0}),
    Preset(mark("Do more partitions help it?"), {"partitions": 16, "skew": 2.0}),
)


@dataclass(frozen=True, slots=True)
class Values:
    """Where the controls stand."""

    partitions: int = 1
    """Of the topic."""
    members: int = 4
    """Of the group."""
    keys: str = BY_KEY
    """Whether a record's key chooses its partition."""
    rate_per_s: int = 3_000
    """Records sent in a second, on average."""
    skew: float = 0.0
    """Exponent of Zipf's law over the keys; at 0 all are equally frequent."""
    work_ms: float = 1.0
    """A member's work on a record, in milliseconds."""


@dataclass(frozen=True, slots=True)
class TrafficKnobs:
    """Traffic of a shop, and how the controls change it.

    Without keys the producer ignores them (`partitioner.ignore.keys`, KIP-794): the
    same records in the same sizes at the same times, each still with the key that it
    would have been sent to its partition by. That key is the entity.
    """

    topic: str = "orders"
    subscriber: str = "billing"
    initial: Values = Values()

    @property
    def controls(self) -> MappingProxyType[str, Control]:
        """One for each value."""
        return _CONTROLS

    @property
    def presets(self) -> tuple[Preset, ...]:
        """Questions, as buttons."""
        return _PRESETS

    def scenario_at(self, values: Values) -> Scenario:
        """Return the scenario with the controls' values."""
        web = Source(
            self.topic,
            Poisson(values.rate_per_s),
            keys=ZipfKeys(KEYS, exponent=values.skew),
            value_bytes=1_000,
        )
        billing = Subscriber([self.topic], work_ms=values.work_ms)
        producers = {}
        if values.keys == NO_KEY:
            config = ProducerConfig(partitioner_ignore_keys=True)
            producers["web"] = Producer(config=config)
        system = Kafka(
            topics={self.topic: Topic(partitions=values.partitions)},
            groups={self.subscriber: Group(members=values.members)},
            producers=producers,
        )
        traffic = Traffic({"web": web}, {self.subscriber: billing}, DURATION_S)
        return Scenario(traffic, system, seed=1)
