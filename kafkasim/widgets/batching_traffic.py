"""The batching explorer's own traffic, its controls and its questions."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from kafkasim.catalogue import mark
from kafkasim.config.producer import ProducerConfig
from kafkasim.scenario.arrivals import Poisson
from kafkasim.scenario.keys import UniformKeys
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.systems import Kafka, Producer, Topic
from kafkasim.scenario.traffic import Source, Subscriber, Traffic
from kafkasim.widgets.inputs import Control, Slider
from kafkasim.widgets.panel import Preset

TOPIC: Final = "orders"
SUBSCRIBER: Final = "billing"

DURATION_S: Final = 0.5
"""How long records are sent, in simulated seconds."""
VALUE_BYTES: Final = 200
"""Of a record; with key and lengths some 75 of them fill the usual batch of 16 KiB."""
KEYS: Final = 1_000
"""Number of different keys, all equally frequent."""
MOST_BROKERS: Final = 6
"""As many as there are partitions at first: each request then carries one batch."""


@dataclass(frozen=True, slots=True)
class Values:
    """Where the controls stand."""

    linger_ms: int = 5
    """How long a batch may wait for more records: `linger.ms`."""
    batch_kib: int = 16
    """How many bytes a batch may have: `batch.size`."""
    rate_per_s: int = 5_000
    """Records sent in a second, on average."""
    partitions: int = 6
    """Of the topic."""
    brokers: int = MOST_BROKERS
    """Which lead the partitions in turn; a request goes to one of them."""


CONTROLS: Final[Mapping[str, Control]] = {
    "linger_ms": Slider(mark("linger"), 0, 50, 1, "ms"),
    "batch_kib": Slider(mark("batch.size"), 1, 64, 1, "KiB"),
    "rate_per_s": Slider(mark("rate"), 500, 20_000, 500, mark("records/s")),
    "partitions": Slider(mark("partitions"), 1, 32),
    "brokers": Slider(mark("brokers"), 1, MOST_BROKERS),
}

PRESETS: Final = (
    Preset(mark("How long does a batch wait?"), {}),
    Preset(mark("And if nobody waits?"), {"linger_ms": 0}),
    Preset(
        mark("Does a full batch wait for its linger?"),
        {"rate_per_s": 20_000, "batch_kib": 2},
    ),
    Preset(mark("What do 32 partitions do to a batch?"), {"partitions": 32}),
    Preset(mark("And to a request?"), {"partitions": 32, "brokers": 1}),
    Preset(mark("Does waiting longer fill it?"), {"linger_ms": 50}),
)


def scenario_at(values: Values) -> Scenario:
    """Return the scenario that the controls' values mean."""
    web = Source(
        TOPIC,
        Poisson(values.rate_per_s),
        keys=UniformKeys(KEYS),
        value_bytes=VALUE_BYTES,
    )
    config = ProducerConfig(
        linger_ms=values.linger_ms,
        batch_size=1_024 * values.batch_kib,
    )
    system = Kafka(
        brokers=values.brokers,
        topics={TOPIC: Topic(partitions=values.partitions)},
        producers={"web": Producer(config=config)},
    )
    billing = Subscriber([TOPIC], work_ms=0)
    traffic = Traffic({"web": web}, {SUBSCRIBER: billing}, DURATION_S)
    return Scenario(traffic, system, seed=1, name="batches of half a second")
