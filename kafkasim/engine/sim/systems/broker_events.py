"""What a scenario does to brokers, their hardware, the controller, and to links."""

from collections.abc import Sequence

from kafkasim.engine.sim.at_work import UNSLOWED
from kafkasim.engine.sim.broker import Broker
from kafkasim.engine.sim.links import effect_of
from kafkasim.engine.sim.systems.kafka_replication import Replication
from kafkasim.ids import Target
from kafkasim.scenario.events import Crash, Event, FillDisk, LinkEvent, Pause, Slow
from kafkasim.scenario.links import CONTROLLER


def begin_at(
    brokers: Sequence[Broker],
    replication: Replication | None,
    event: Event,
    target: Target,
    times_ns: tuple[int, int],
) -> str:
    """Do what an event says to a cluster; return what it did.

    Parameters
    ----------
    brokers : sequence of Broker
        Of the run.
    replication : Replication or None
        Its followers and controller, if it has them: always when an event may stop a
        broker.
    event, target
        What is done, and to what.
    times_ns : tuple of two int
        Now, and when it will be undone.
    """
    if isinstance(event, LinkEvent):
        return effect_of(event)  # its pipes know when it comes and ends
    if _is_of_hardware(event, target):
        return _begin_at_hardware(_broker_of(brokers, target), event, target, times_ns)
    assert replication is not None
    if target.kind == CONTROLLER:
        replication.host.crash()
        return "nobody decides until another controller takes over"
    node = int(target.name) - 1
    if isinstance(event, Pause):
        replication.brokers[node].pause()
        return "it stands still; what comes waits"
    if isinstance(event, FillDisk):
        return replication.fill_disk(node)
    assert isinstance(event, Crash)
    effect = replication.crash(node, clean=event.clean)
    return f"{effect}; its disk is lost" if event.lose_disk else effect


def end_at(
    brokers: Sequence[Broker],
    replication: Replication | None,
    event: Event,
    target: Target,
    now_ns: int,
) -> None:
    """Undo it: the controller that died comes back as one that follows."""
    if isinstance(event, LinkEvent):
        return
    if _is_of_hardware(event, target):
        _end_at_hardware(_broker_of(brokers, target), target, now_ns)
        return
    assert replication is not None
    if target.kind == CONTROLLER:
        return
    node = int(target.name) - 1
    if isinstance(event, Pause):
        replication.brokers[node].resume()
    elif isinstance(event, FillDisk):
        replication.empty_disk(node)
    else:
        assert isinstance(event, Crash)
        replication.come_back(node, clean=event.clean, lost_disk=event.lose_disk)


def _broker_of(brokers: Sequence[Broker], target: Target) -> Broker:
    return brokers[int(target.name) - 1]


def _is_of_hardware(event: Event, target: Target) -> bool:
    """Say whether an event befalls what a broker runs on, and stops nobody."""
    return target.kind == "disk" or (
        target.kind == "broker" and isinstance(event, Slow)
    )


def _begin_at_hardware(
    broker: Broker, event: Event, target: Target, times_ns: tuple[int, int]
) -> str:
    now_ns, until_ns = times_ns
    if target.kind == "broker":
        assert isinstance(event, Slow)
        broker.slow(event.factor)
        return f"each request takes {event.factor:g} times as long"
    assert broker.cache is not None
    broker.cache.write_back(now_ns)
    if isinstance(event, Slow):
        broker.cache.queue.factor = event.factor
        return f"reading and writing take {event.factor:g} times as long"
    broker.cache.queue.stand_still(now_ns, until_ns)
    return "it answers nobody; what is in memory is read and appended"


def _end_at_hardware(broker: Broker, target: Target, now_ns: int) -> None:
    """Undo it; a disk that stood still goes on by itself."""
    if target.kind == "broker":
        broker.slow(UNSLOWED)
        return
    assert broker.cache is not None
    broker.cache.write_back(now_ns)
    broker.cache.queue.factor = UNSLOWED
