"""What an event may befall in a scenario."""

from collections.abc import Iterable

from kafkasim.ids import HUB
from kafkasim.scenario.events import (
    AddPartitions,
    Crash,
    DeleteRecords,
    Event,
    FillDisk,
    Pause,
    Slow,
    StreamEvent,
)
from kafkasim.scenario.groups import members_of
from kafkasim.scenario.member_events import MemberEvent, RemoveMember, StuckRecord
from kafkasim.scenario.pipelines import PointToPoint
from kafkasim.scenario.rabbitmq import RabbitMQ
from kafkasim.scenario.rabbitmq_parts import rabbitmq_targets
from kafkasim.scenario.resolution import stream_names
from kafkasim.scenario.systems import Group, Kafka, System
from kafkasim.scenario.traffic import Traffic


def targets_of(
    event: Event, events: Iterable[Event], traffic: Traffic, system: System
) -> list[str]:
    """Return what an event may befall.

    Parameters
    ----------
    event : Event
        Which.
    events : iterable of Event
        All of the scenario: members that come may be befallen, too.
    traffic, system
        Whose parts are befallen; the system may be as it was said.
    """
    if isinstance(system, RabbitMQ):
        return rabbitmq_targets(event, events, traffic, system)
    return _other_targets(event, events, traffic, system)


def _other_targets(
    event: Event, events: Iterable[Event], traffic: Traffic, system: System
) -> list[str]:
    """Return the same for Kafka, and for systems without servers."""
    targets = [f"subscriber:{name}" for name in traffic.subscribers]
    sources = [f"source:{name}" for name in traffic.sources]
    if not isinstance(system, Kafka):
        if isinstance(event, StuckRecord):
            return targets
        hub = [] if isinstance(system, PointToPoint) else [HUB]
        targets += hub if isinstance(event, Slow) else [*sources, *hub]
        is_one_of_kafka = isinstance(event, FillDisk | StreamEvent | MemberEvent)
        return [] if is_one_of_kafka else targets
    numbers = range(1, system.brokers + 1)
    brokers = [f"broker:{number}" for number in numbers]
    members = [
        f"member:{name}"
        for subscriber in traffic.subscribers
        for name in members_of(
            subscriber, system.groups.get(subscriber, Group()), events
        )
    ]
    disks = [f"disk:{number}" for number in numbers]
    if system.hardware.disk is None:
        disks = []
    match event:
        case AddPartitions() | DeleteRecords():
            targets = [f"stream:{name}" for name in stream_names(traffic)]
        case FillDisk():
            targets = brokers
        case RemoveMember():
            targets = members
        case Crash():
            targets += [*members, *brokers, "controller", *sources, HUB]
        case Pause():
            targets += [*members, *brokers, *sources, *disks, HUB]
        case Slow():
            targets += [*members, *brokers, *disks, HUB]
        case _:
            pass  # at subscribers
    return targets
