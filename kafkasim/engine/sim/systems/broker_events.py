"""What a scenario does to brokers and to the controller."""

from kafkasim.engine.sim.systems.kafka_replication import CONTROLLER, Replication
from kafkasim.ids import Target
from kafkasim.scenario.events import Crash, Event, Pause


def begin_at_broker(replication: Replication, event: Event, target: Target) -> str:
    """Do what an event says to a broker or the controller; return what it did."""
    if target.kind == CONTROLLER:
        replication.host.crash()
        return "nobody decides until another controller takes over"
    node = int(target.name) - 1
    if isinstance(event, Pause):
        replication.brokers[node].pause()
        return "it stands still; what comes waits"
    assert isinstance(event, Crash)
    return replication.crash(node, clean=event.clean)


def end_at_broker(replication: Replication, event: Event, target: Target) -> None:
    """Undo it: the controller that died comes back as one that follows."""
    if target.kind == CONTROLLER:
        return
    node = int(target.name) - 1
    if isinstance(event, Pause):
        replication.brokers[node].resume()
    else:
        assert isinstance(event, Crash)
        replication.come_back(node, clean=event.clean)
