"""What means nothing in a system is no error where it may be compared."""

import pytest

from kafkasim.scenario.applicability import not_applicable
from kafkasim.scenario.arrivals import Periodic
from kafkasim.scenario.events import Crash, Cut, Event, Slow
from kafkasim.scenario.member_events import AddMember
from kafkasim.scenario.pipelines import PointToPoint, Relay
from kafkasim.scenario.reader_events import Seek
from kafkasim.scenario.systems import Kafka, System
from kafkasim.scenario.traffic import Source, Subscriber, Traffic

TRAFFIC = Traffic(
    {"web": Source("orders", Periodic(1)), "app": Source("clicks", Periodic(1))},
    {"billing": Subscriber(["orders"])},
    duration_s=2,
)


@pytest.mark.parametrize(
    ("event", "where"),
    [
        (Crash("hub", at_s=1), {"PointToPoint"}),
        (Slow("source:web", at_s=1), {"PointToPoint", "Relay", "Kafka"}),
        (Crash("source:web", at_s=1), set()),
        (AddMember("subscriber:billing", at_s=1), {"PointToPoint", "Relay"}),
        (Seek("subscriber:billing", at_s=1, to=0), {"PointToPoint", "Relay"}),
        (Cut("link:web->billing", at_s=1), {"Kafka", "Relay"}),
        (Cut("link:app->billing", at_s=1), {"Kafka", "Relay", "PointToPoint"}),
        (Cut("link:web->hub", at_s=1), {"PointToPoint"}),
        (Cut("link:hub<->billing", at_s=1), {"PointToPoint"}),
        (Cut("link:web->broker:1", at_s=1), set()),
        (Crash("source:wep", at_s=1), set()),
    ],
)
def test_where_an_event_means_nothing(event: Event, where: set[str]) -> None:
    systems: list[System] = [PointToPoint(), Relay(), Kafka()]
    found = {
        type(system).__name__
        for system in systems
        if not_applicable(event, TRAFFIC, system)
    }

    assert found == where
