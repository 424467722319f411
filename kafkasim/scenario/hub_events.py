"""What befalls the hub of a Kafka cluster: all its brokers."""

from dataclasses import replace

from kafkasim.ids import HUB
from kafkasim.scenario.events import Crash, Event, Pause, Slow
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.systems import Kafka


def at_all_brokers(scenario: Scenario) -> Scenario:
    """Return a cluster's scenario with an event for each broker in place of the hub.

    The same scenario if nothing befalls the hub.

    Examples
    --------
    >>> from kafkasim.scenario.traffic import Traffic, Source
    >>> from kafkasim.scenario.arrivals import Periodic
    >>> traffic = Traffic({"web": Source("orders", Periodic(1))}, {}, duration_s=9)
    >>> crash = Crash("hub", at_s=3, for_s=1)
    >>> told = Scenario(traffic, Kafka(brokers=2), events=[crash])
    >>> [event.target for event in at_all_brokers(told).events]
    ['broker:1', 'broker:2']
    """
    if not any(event.target == HUB for event in scenario.events):
        return scenario
    assert isinstance(scenario.system, Kafka)
    events: list[Event] = []
    for event in scenario.events:
        if event.target == HUB and isinstance(event, Crash | Pause | Slow):
            events += [
                replace(event, target=f"broker:{number}")
                for number in range(1, scenario.system.brokers + 1)
            ]
        else:
            events.append(event)
    return replace(scenario, events=events)
