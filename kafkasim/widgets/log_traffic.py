"""The log explorer's own traffic, its controls and its questions.

Kafka's defaults delete nothing in a run of a minute, so three of them are shrunk:
`shrunk` says in one line from what to what.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from kafkasim.catalogue import mark, say, say_many
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
    "retention_s": Slider(mark("retention"), 5, 40, 1, "s"),
    "segment_s": Slider(mark("segment"), 1, 10, 1, "s"),
    "policy": Choice(mark("policy"), (DELETE, COMPACT), frozenset({DELETE, COMPACT})),
    "keys": Slider(mark("keys"), 1, 50),
    "slow_reader": Switch(mark("slow reader")),
}

PRESETS: Final = (
    Preset(mark("Is a slow reader waited for?"), {}),
    Preset(mark("Does keeping longer save it?"), {"retention_s": 40}),
    Preset(
        mark("Do records go, or segments?"), {"segment_s": 10, "slow_reader": False}
    ),
    Preset(
        mark("What does compaction keep?"), {"policy": COMPACT, "slow_reader": False}
    ),
    Preset(
        mark("And of fifty keys?"),
        {"policy": COMPACT, "keys": 50, "slow_reader": False},
    ),
    Preset(mark("What does a slow reader miss there?"), {"policy": COMPACT}),
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
    said: dict[str, object] = {
        "size": f"{topic.segment_bytes / 2**30:g} GiB",
        "least": LEAST_SEGMENT,
        "week": span(topic.segment_ms),
        "segment": f"{values.segment_s} s",
        "check": span(CHECK_MS),
    }
    if values.policy == COMPACT:
        return say(
            "By default nothing would go in a minute: a segment is written up to "
            "{size} ({least} at least) or for {week}, and the cleaner, which leaves "
            "that one alone, looks every {looks}. Here, so that it is seen, it is "
            "written for {segment}, retention plays no part, and the cleaner looks "
            "every {check}.",
            looks=span(broker.log_cleaner_backoff_ms),
            **said,
        )
    return say(
        "By default nothing would go in a minute: a segment is written up to {size} "
        "({least} at least) or for {week}, is kept for {kept}, and a check is made "
        "every {looks}. Here, so that it is seen, it is written for {segment}, it is "
        "kept for {retention}, and a check is made every {check}.",
        kept=span(topic.retention_ms),
        looks=span(broker.log_retention_check_interval_ms),
        retention=f"{values.retention_s} s",
        **said,
    )


def span(ms: float) -> str:
    """Return a span of time in the largest unit of which it has whole ones.

    >>> span(604_800_000), span(300_000), span(15_000), span(60_000)
    ('7 days', '5 minutes', '15 s', '1 minute')
    """
    days, hours, minutes = (
        int(ms // size) if ms >= size and ms % size == 0 else 0
        for size in (86_400_000, 3_600_000, 60_000)
    )
    if days:
        return say_many("{n} day", "{n} days", days)
    if hours:
        return say_many("{n} hour", "{n} hours", hours)
    if minutes:
        return say_many("{n} minute", "{n} minutes", minutes)
    return f"{ms / 1_000:g} s"
