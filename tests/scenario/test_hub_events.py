"""The hub of a Kafka cluster is all its brokers."""

import pytest

from kafkasim.errors import ValidationError
from kafkasim.scenario.arrivals import Periodic
from kafkasim.scenario.events import Crash, Event, Slow
from kafkasim.scenario.hub_events import at_all_brokers
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.systems import Kafka
from kafkasim.scenario.traffic import Source, Subscriber, Traffic

TRAFFIC = Traffic(
    {"web": Source("orders", Periodic(20))},
    {"billing": Subscriber(["orders"])},
    duration_s=2,
)


def test_every_broker_has_the_event() -> None:
    events: list[Event] = [Crash("hub", at_s=0.5, for_s=0.2)]
    events.append(Slow("broker:1", at_s=1.5))
    scenario = Scenario(TRAFFIC, Kafka(brokers=2), events=events)

    every = at_all_brokers(scenario).events
    assert every == (
        Crash("broker:1", at_s=0.5, for_s=0.2),
        Crash("broker:2", at_s=0.5, for_s=0.2),
        Slow("broker:1", at_s=1.5),
    )


def test_without_such_an_event_nothing_is_touched() -> None:
    scenario = Scenario(TRAFFIC, Kafka())

    assert at_all_brokers(scenario) is scenario


def test_the_hub_and_one_of_its_brokers_do_not_crash_at_once() -> None:
    events = [Crash("hub", at_s=0.5, for_s=1), Crash("broker:1", at_s=1.0)]
    with pytest.raises(ValidationError, match="a time at which no Crash"):
        Scenario(TRAFFIC, Kafka(), events=events)
