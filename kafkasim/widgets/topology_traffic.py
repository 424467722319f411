"""The topology explorer's own traffic, its two systems, its controls and its questions.

Each source sends a record a second, for all who want its stream. They are carried by
point to point, and by Kafka on three brokers with three copies. At 4 s a subscriber or
the hub dies, for 4 s; at 9 s one more subscriber comes, and wants history too.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from kafkasim.catalogue import mark
from kafkasim.config.topic import TopicConfig
from kafkasim.scenario.arrivals import Periodic
from kafkasim.scenario.events import Crash
from kafkasim.scenario.many_to_many import many_to_many
from kafkasim.scenario.pipelines import PointToPoint
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.systems import Kafka, Topic
from kafkasim.scenario.traffic import Subscriber, Traffic
from kafkasim.widgets.inputs import Choice, Control, Slider, Switch
from kafkasim.widgets.panel import Preset

RATE_PER_S: Final = 1.0
"""Records of a source in a second: few, and cheap to simulate."""
WORK_MS: Final = 5.0
"""Work of a subscriber on each."""
DURATION_S: Final = 18.0
"""How long records are wanted, in simulated seconds."""
CRASH_S: Final = 4.0
"""When one dies."""
DEAD_S: Final = 4.0
"""For how long."""
COMES_S: Final = 9.0
"""When one more subscriber comes."""
BROKERS: Final = 3
"""Machines of the hub, and copies of each stream."""

MOST: Final = 10

NOBODY: Final = "none"
SUBSCRIBER: Final = "a subscriber"
HUB: Final = "the hub"

_DIES: Final = (mark("none"), mark("a subscriber"), mark("the hub"))

Dies = Literal["none", "a subscriber", "the hub"]
Mode = Literal["asynchronous", "synchronous"]


@dataclass(frozen=True, slots=True)
class Values:
    """Where the controls stand."""

    sources: int = 4
    """N."""
    subscribers: int = 4
    """M, at the start."""
    density: float = 1.0
    """Share of the pairs that is wanted; more, where somebody would be left alone."""
    one_more: bool = False
    """Whether one more subscriber comes."""
    crash: Dies = "none"
    """Who dies: nobody, subscriber 2 (1 if it is alone), or all machines of the hub."""
    mode: Mode = "asynchronous"
    """How sources send without a hub: from a queue for each subscriber, or waiting for
    all answers to a record before they send the next."""


CONTROLS: Final[Mapping[str, Control]] = {
    "sources": Slider(mark("sources"), 1, MOST),
    "subscribers": Slider(mark("subscribers"), 1, MOST),
    "density": Slider(mark("density"), 0.1, 1.0, 0.1),
    "one_more": Switch(mark("+1 subscriber")),
    "crash": Choice(mark("crash"), _DIES),
    "mode": Choice(mark("point to point"), (mark("asynchronous"), mark("synchronous"))),
}

PRESETS: Final = (
    Preset(mark("How many links?"), {}),
    Preset(mark("One more subscriber?"), {"one_more": True}),
    Preset(mark("And for one source?"), {"sources": 1}),
    Preset(mark("If half of the pairs are wanted?"), {"density": 0.5}),
    Preset(mark("A subscriber dies?"), {"crash": SUBSCRIBER, "mode": "synchronous"}),
    Preset(mark("And with a queue for each?"), {"crash": SUBSCRIBER}),
    Preset(mark("The hub dies?"), {"crash": HUB}),
)


def victim(values: Values) -> str:
    """Return the name of the subscriber that dies."""
    return f"subscriber-{min(2, values.subscribers)}"


def newcomer(values: Values) -> str | None:
    """Return the name of the subscriber that comes, if one does."""
    return f"subscriber-{values.subscribers + 1}" if values.one_more else None


def traffic_at(values: Values) -> Traffic:
    """Return who sends, and who wants what.

    The newcomer wants the same share of the sources, and changes nobody else's wishes.
    """
    sources, subscribers = values.sources, values.subscribers
    density = max(values.density, 1 / min(sources, subscribers))
    arrivals = Periodic(RATE_PER_S)
    traffic = many_to_many(
        sources,
        subscribers,
        density,
        arrivals=arrivals,
        work_ms=WORK_MS,
        duration_s=DURATION_S,
    )
    name = newcomer(values)
    if name is None:
        return traffic
    count = max(1, int(density * sources + 0.5))
    streams = [f"stream-{number}" for number in range(1, count + 1)]
    comes = Subscriber(streams, work_ms=WORK_MS, from_s=COMES_S, wants="all")
    return Traffic(traffic.sources, {**traffic.subscribers, name: comes}, DURATION_S)


def tangle_at(values: Values) -> Scenario:
    """Return the scenario without a hub."""
    system = PointToPoint(mode=values.mode)
    return _scenario(traffic_at(values), system, values)


def star_at(values: Values) -> Scenario:
    """Return the scenario with one: the same traffic and events through Kafka."""
    traffic = traffic_at(values)
    copies = Topic(1, BROKERS, config=TopicConfig(min_insync_replicas=BROKERS - 1))
    topics = {source.stream: copies for source in traffic.sources.values()}
    return _scenario(traffic, Kafka(BROKERS, topics), values)


def _scenario(
    traffic: Traffic, system: Kafka | PointToPoint, values: Values
) -> Scenario:
    events = []
    if values.crash != NOBODY:
        dies = "hub" if values.crash == HUB else f"subscriber:{victim(values)}"
        events.append(Crash(dies, at_s=CRASH_S, for_s=DEAD_S))
    return Scenario(traffic, system, seed=1, events=events, name="tangle and star")
