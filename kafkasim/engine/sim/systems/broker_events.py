"""What a scenario does to brokers, to the controller, and to links."""

from kafkasim.engine.sim.links import effect_of
from kafkasim.engine.sim.systems.kafka_replication import Replication
from kafkasim.ids import Target
from kafkasim.scenario.events import Crash, Event, LinkEvent, Pause
from kafkasim.scenario.links import CONTROLLER


def begin_at_broker(replication: Replication, event: Event, target: Target) -> str:
    """Do what an event says to a broker or the controller; return what it did."""
    if isinstance(event, LinkEvent):
        return effect_of(event)  # its pipes know when it comes and ends
    if target.kind == CONTROLLER:
        replication.host.crash()
        return "nobody decides until another controller takes over"
    node = int(target.name) - 1
    if isinstance(event, Pause):
        replication.brokers[node].pause()
        return "it stands still; what comes waits"
    assert isinstance(event, Crash)
    effect = replication.crash(node, clean=event.clean)
    return f"{effect}; its disk is lost" if event.lose_disk else effect


def end_at_broker(replication: Replication, event: Event, target: Target) -> None:
    """Undo it: the controller that died comes back as one that follows."""
    if isinstance(event, LinkEvent) or target.kind == CONTROLLER:
        return
    node = int(target.name) - 1
    if isinstance(event, Pause):
        replication.brokers[node].resume()
    else:
        assert isinstance(event, Crash)
        replication.come_back(node, clean=event.clean, lost_disk=event.lose_disk)
