"""The replication explorer's own traffic, its controls and its questions.

Forty seconds of payments to one partition on three brokers. At 4 s brokers go, at 38 s
they are back; meanwhile, at 28 s, the last one that is left may crash, too.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

from kafkasim.catalogue import mark
from kafkasim.config.producer import ProducerConfig
from kafkasim.config.topic import TopicConfig
from kafkasim.scenario.arrivals import Periodic
from kafkasim.scenario.events import Crash
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.systems import Kafka, Producer, Topic
from kafkasim.scenario.traffic import Source, Subscriber, Traffic
from kafkasim.widgets.inputs import Choice, Control, Slider, Switch
from kafkasim.widgets.panel import Preset

TOPIC: Final = "payments"
READER: Final = "ledger"
BROKERS: Final = 3

RATE_PER_S: Final = 200
"""Records sent in a second."""
DURATION_S: Final = 40.0
"""How long, in simulated seconds."""
DOWN_S: Final = 4.0
"""When brokers go."""
BACK_S: Final = 38.0
"""When they are back."""
LAST_S: Final = 28.0
"""When the last one crashes, if it does."""
LAST_BACK_S: Final = 44.0
"""When it is back."""

Acks = Literal["all", "1", "0"]
First = Literal["leader", "followers"]
Leave = Literal["crash", "clean stop"]


@dataclass(frozen=True, slots=True)
class Values:
    """Where the controls stand."""

    replication_factor: int = 3
    """Copies of the partition."""
    min_isr: int = 2
    """`min.insync.replicas`."""
    acks: Acks = "all"
    """What the producer waits for."""
    down: int = 1
    """How many brokers go."""
    first: First = "leader"
    """Which of those with a copy go first."""
    leave: Leave = "crash"
    """Whether they die, or are stopped in good order (controlled shutdown)."""
    last_too: bool = False
    """Whether the last one with a copy crashes, too."""


CONTROLS: Final[Mapping[str, Control]] = {
    "replication_factor": Slider(mark("replication factor"), 1, BROKERS),
    "min_isr": Slider(mark("min.insync.replicas"), 1, BROKERS),
    "acks": Choice(mark("acks"), ("all", "1", "0"), frozenset({"all", "1", "0"})),
    "down": Slider(mark("brokers down"), 0, 2),
    "first": Choice(mark("first"), (mark("leader"), mark("followers"))),
    "leave": Choice(mark("they go by"), (mark("crash"), mark("clean stop"))),
    "last_too": Switch(mark("then the last one crashes")),
}

_TWO_FOLLOWERS: Final[Mapping[str, float | str | bool]] = MappingProxyType(
    {"down": 2, "first": "followers"}
)

PRESETS: Final = (
    Preset(mark("What does the death of a leader cost?"), {}),
    Preset(mark("And of a follower?"), {"first": "followers"}),
    Preset(mark("If nobody waits for it?"), {"first": "followers", "acks": "1"}),
    Preset(mark("And if it leaves in good order?"), {"leave": "clean stop"}),
    Preset(mark("Is anything accepted by one of three?"), {**_TWO_FOLLOWERS}),
    Preset(mark("And if acks=1?"), {**_TWO_FOLLOWERS, "acks": "1"}),
    Preset(
        mark("Is it safe, then?"),
        {**_TWO_FOLLOWERS, "acks": "1", "leave": "clean stop", "last_too": True},
    ),
)


def scenario_at(values: Values) -> Scenario:
    """Return the scenario that the controls' values mean.

    The partition's copies are on brokers 1, 2, 3, as many as there are, and broker 1
    leads at first.
    """
    config = TopicConfig(min_insync_replicas=values.min_isr)
    topic = Topic(replication_factor=values.replication_factor, config=config)
    system = Kafka(
        brokers=BROKERS,
        topics={TOPIC: topic},
        producers={"shop": Producer(config=ProducerConfig(acks=values.acks))},
    )
    traffic = Traffic(
        {"shop": Source(TOPIC, Periodic(RATE_PER_S))},
        {READER: Subscriber([TOPIC])},
        DURATION_S,
    )
    return Scenario(
        traffic, system, seed=1, events=_events(values), name="three brokers"
    )


def _events(values: Values) -> list[Crash]:
    """Return which brokers go, and when they are back.

    One that is to be the last to crash does not go with the others.
    """
    copies = list(range(1, values.replication_factor + 1))
    order = copies if values.first == "leader" else [*copies[1:], copies[0]]
    clean = values.leave == "clean stop"
    down = min(values.down, len(order) - values.last_too)
    events = [
        Crash(f"broker:{broker}", at_s=DOWN_S, for_s=BACK_S - DOWN_S, clean=clean)
        for broker in order[:down]
    ]
    left = order[down:]
    if values.last_too:
        spared = Crash(f"broker:{left[-1]}", at_s=LAST_S, for_s=LAST_BACK_S - LAST_S)
        events.append(spared)
    return events
