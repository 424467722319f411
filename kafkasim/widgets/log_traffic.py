"""The log explorer's own traffic, its controls and its questions.

Kafka's defaults delete nothing in a run of a minute, so three of them are shrunk:
`shrunk` says in one line from what to what.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from kafkasim.config.broker import BrokerConfig
from kafkasim.config.producer import ProducerConfig
from kafkasim.config.topic import TopicConfig
from kafkasim.scenario.arrivals import Poisson
from kafkasim.scenario.keys import ZipfKeys
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.systems import Kafka, Producer, Topic
from kafkasim.scenario.traffic import Source, Subscriber, Traffic
from kafkasim.widgets.inputs import Choice, Control, Slider, Switch
from kafkasim.widgets.panel import Preset

Policy = Literal["delete", "compact"]
DELETE: Final[Policy] = "delete"
COMPACT: Final[Policy] = "compact"
"""The two values of `cleanup.policy`."""

TOPIC: Final = "prices"
SLOW: Final = "slow"
LATE: Final = "late"
"""The subscribers."""

RATE_PER_S: Final = 50
"""Records written in a second, on average."""
DURATION_S: Final = 60
"""How long, in simulated seconds."""
SKEW: Final = 2.5
"""Exponent of Zipf's law over the keys: some change all the time, others rarely."""
LINGER_MS: Final = 200
"""How long a batch waits for more records: some ten of them share one."""
SLOW_WORK_MS: Final = 60.0
"""Of the slow reader on a record: a third of the records written."""
LATE_WORK_MS: Final = 0.1
"""Of the late reader on a record."""
LATE_FROM_S: Final = 45.5
"""When it comes; half a second after the log was looked at."""
CHECK_MS: Final = 1_000
"""How often the log is looked at, for what is to be deleted or compacted."""
LEAST_SEGMENT: Final = "1 MiB"
"""The least `segment.bytes` that Kafka takes."""


@dataclass(frozen=True, slots=True)
class Values:
    """Where the controls stand."""

    retention_s: int = 10
    """How long a closed segment is kept after its newest record: `retention.ms`."""
    segment_s: int = 2
    """How long one segment is written: `segment.ms`."""
    policy: Policy = DELETE
    """`cleanup.policy`."""
    keys: int = 8
    """Number of different keys, each rarer than the one before; of many the last may
    not come up in a minute."""
    slow_reader: bool = True
    """Whether there is a reader that works longer on a record than the next takes to
    come."""


CONTROLS: Final[Mapping[str, Control]] = {
    "retention_s": Slider("retention", 5, 40, 1, "s"),
    "segment_s": Slider("segment", 1, 10, 1, "s"),
    "policy": Choice("policy", (DELETE, COMPACT)),
    "keys": Slider("keys", 1, 50),
    "slow_reader": Switch("slow reader"),
}

PRESETS: Final = (
    Preset("Is a slow reader waited for?", {}),
    Preset("Does keeping longer save it?", {"retention_s": 40}),
    Preset("Do records go, or segments?", {"segment_s": 10, "slow_reader": False}),
    Preset("What does compaction keep?", {"policy": COMPACT, "slow_reader": False}),
    Preset("And of fifty keys?", {"policy": COMPACT, "keys": 50, "slow_reader": False}),
    Preset("What does a slow reader miss there?", {"policy": COMPACT}),
)


def scenario_at(values: Values) -> Scenario:
    """Return the scenario that the controls' values mean; who is off is left out."""
    late = Subscriber([TOPIC], work_ms=LATE_WORK_MS, from_s=LATE_FROM_S, wants="all")
    slow = Subscriber([TOPIC], work_ms=SLOW_WORK_MS, wants="all")
    readers = {SLOW: slow, LATE: late} if values.slow_reader else {LATE: late}
    shop = Source(TOPIC, Poisson(RATE_PER_S), keys=ZipfKeys(values.keys, exponent=SKEW))
    topic = TopicConfig(
        cleanup_policy=values.policy,
        segment_ms=1_000 * values.segment_s,
        retention_ms=1_000 * values.retention_s,
    )
    broker = BrokerConfig(
        log_retention_check_interval_ms=CHECK_MS,
        log_initial_task_delay_ms=0,
        log_cleaner_backoff_ms=CHECK_MS,
    )
    system = Kafka(
        topics={TOPIC: Topic(config=topic)},
        producers={"shop": Producer(config=ProducerConfig(linger_ms=LINGER_MS))},
        broker_config=broker,
    )
    traffic = Traffic({"shop": shop}, readers, DURATION_S)
    return Scenario(traffic, system, seed=1, name="a log of a minute")


def shrunk(values: Values) -> str:
    """Say what Kafka does by default, and what was shrunk so that something is seen."""
    topic, broker = TopicConfig().resolve(), BrokerConfig().resolve()
    gib, week = topic.segment_bytes / 2**30, span(topic.segment_ms)
    if values.policy == COMPACT:
        looks = f"looks every {span(broker.log_cleaner_backoff_ms)}"
        kept = "and the cleaner, which leaves that one alone, "
        here = "retention plays no part, and the cleaner looks every"
    else:
        looks = f"a check is made every {span(broker.log_retention_check_interval_ms)}"
        kept = f"is kept for {span(topic.retention_ms)}, and "
        here = f"it is kept for {values.retention_s} s, and a check is made every"
    return (
        f"By default nothing would go in a minute: a segment is written up to {gib:g} "
        f"GiB ({LEAST_SEGMENT} at least) or for {week}, {kept}{looks}. Here, so that "
        f"it is seen, it is written for {values.segment_s} s, {here} "
        f"{span(CHECK_MS)}."
    )


def span(ms: float) -> str:
    """Return a span of time in the largest unit of which it has whole ones.

    >>> span(604_800_000), span(300_000), span(15_000), span(60_000)
    ('7 days', '5 minutes', '15 s', '1 minute')
    """
    for unit, size in (("day", 86_400_000), ("hour", 3_600_000), ("minute", 60_000)):
        if ms >= size and ms % size == 0:
            count = int(ms // size)
            return f"{count} {unit}{'s' * (count != 1)}"
    return f"{ms / 1_000:g} s"
