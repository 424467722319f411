"""What a scenario does to a cluster and its clients."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from kafkasim.engine.sim.at_work import UNSLOWED
from kafkasim.engine.sim.calendar import Calendar
from kafkasim.engine.sim.links import effect_of
from kafkasim.engine.sim.systems.rabbitmq.cluster import Cluster
from kafkasim.engine.sim.systems.rabbitmq.consumers import Consuming
from kafkasim.engine.sim.systems.rabbitmq.node import Node
from kafkasim.engine.sim.systems.rabbitmq.publisher import Publishing
from kafkasim.engine.sim.systems.stuck_records import told
from kafkasim.ids import HUB, Target
from kafkasim.scenario.applicability import NOT_APPLICABLE
from kafkasim.scenario.events import Crash, Event, LinkEvent, Pause, Slow
from kafkasim.scenario.member_events import (
    AddMember,
    MoveCoordinator,
    RemoveMember,
    RollingRestart,
    StuckRecord,
)

_WHY: Final[Mapping[type, str]] = {
    MoveCoordinator: "a queue has no coordinator",
    RollingRestart: "not modelled; RemoveMember and AddMember are",
}
_OTHERWISE: Final = "a queue keeps no positions"
CRASHED_BY: Final = 0
"""Code of the cause of what a crash of its source let fail."""
NOT_THERE: Final = "it is not there"


class Happenings:
    """Does the events of a scenario.

    Parameters
    ----------
    calendar, cluster
        The run's.
    publishers : sequence of Publishing
        All.
    consumers : sequence of Consuming
        All, those that come later too.
    joining : callable
        Takes the consumer that an `AddMember` lets come.
    """

    def __init__(
        self,
        calendar: Calendar,
        cluster: Cluster,
        *,
        publishers: Sequence[Publishing],
        consumers: Sequence[Consuming],
        joining: Callable[[AddMember], Consuming],
    ) -> None:
        self._calendar = calendar
        self._cluster = cluster
        self._publishers = {each.feed.plan.source: each for each in publishers}
        self._consumers = consumers
        self._joining = joining

    def begin(self, event: Event, target: Target, until_ns: int) -> str:
        """Do an event; return its effect in words."""
        match event:
            case Crash() | Pause() | Slow():
                effect = self._befall(event, target, until_ns)
            case StuckRecord():
                feed = self._publishers[event.source].feed
                count = None if feed.loop is not None else len(feed.created_ns)
                effect = told(event, count)
            case AddMember():
                effect = f"{self._joining(event).name} subscribes"
            case RemoveMember():
                effect = self._remove(self._befallen(target)[0])
            case _ if isinstance(event, LinkEvent):
                effect = effect_of(event)
            case _:
                effect = f"{NOT_APPLICABLE}: {_WHY.get(type(event), _OTHERWISE)}"
        return effect

    def _befall(
        self, event: Crash | Pause | Slow, target: Target, until_ns: int
    ) -> str:
        if target.kind == "source":
            return self._befall_source(event, self._publishers[target.name], until_ns)
        if target.kind in {HUB, "node"}:
            return self._befall_nodes(event, self._nodes(target), until_ns)
        return self._befall_consumers(event, self._befallen(target), until_ns)

    def end(self, event: Event, target: Target) -> None:
        """Undo an event."""
        if not isinstance(event, Crash | Pause | Slow):
            return
        if target.kind == "source":
            publisher = self._publishers[target.name]
            if isinstance(event, Crash):
                publisher.restart()
            elif isinstance(event, Pause):
                publisher.resume()
        elif target.kind in {HUB, "node"}:
            self._restore_nodes(event, self._nodes(target))
        else:
            self._restore_consumers(event, self._befallen(target))

    def _nodes(self, target: Target) -> list[Node]:
        nodes = self._cluster.nodes
        return nodes if target.kind == HUB else [nodes[int(target.name) - 1]]

    def _befallen(self, target: Target) -> list[Consuming]:
        if target.kind == "subscriber":
            return [each for each in self._consumers if each.queue == target.name]
        return [each for each in self._consumers if each.name == target.name]

    # --- sources ------------------------------------------------------------------

    def _befall_source(
        self, event: Crash | Pause | Slow, publisher: Publishing, until_ns: int
    ) -> str:
        if isinstance(event, Slow):
            return NOT_APPLICABLE
        if isinstance(event, Pause):
            publisher.stand_still(until_ns)
            return "it stands still; what is wanted meanwhile waits"
        self._cluster.leave(publisher)
        lost = publisher.crash(until_ns, CRASHED_BY)
        return f"it stopped; {lost} messages were not confirmed"

    # --- nodes --------------------------------------------------------------------

    def _befall_nodes(
        self, event: Crash | Pause | Slow, nodes: Sequence[Node], until_ns: int
    ) -> str:
        for node in nodes:
            if isinstance(event, Slow):
                node.slowed = event.factor
            elif isinstance(event, Pause):
                if node.up and not node.paused:
                    self._cluster.stand_still(node, until_ns)
            elif node.up:
                self._cluster.crash(node)
        if isinstance(event, Slow):
            return f"its queues take {event.factor:g} times as long"
        if isinstance(event, Pause):
            return "it stands still; what comes waits"
        return "it stopped, and all connections to it broke"

    def _restore_nodes(
        self, event: Crash | Pause | Slow, nodes: Sequence[Node]
    ) -> None:
        for node in nodes:
            if isinstance(event, Slow):
                node.slowed = UNSLOWED
            elif isinstance(event, Pause):
                self._cluster.go_on(node)
            elif not node.up:
                self._cluster.restart(node)

    # --- consumers ----------------------------------------------------------------

    def _befall_consumers(
        self, event: Crash | Pause | Slow, consumers: Sequence[Consuming], until_ns: int
    ) -> str:
        if isinstance(event, Slow):
            for each in consumers:
                each.slowed = event.factor
            return f"its work takes {event.factor:g} times as long"
        there = [each for each in consumers if each.is_here and each.up]
        if isinstance(event, Pause):
            for each in there:
                if not each.paused:
                    each.stand_still(until_ns)
            return "it stands still; what it holds waits" if there else NOT_THERE
        for each in consumers:
            if each.up:
                each.crash()
        if not there:
            return NOT_THERE
        return "it stopped; what it had not acknowledged goes back to its queue"

    def _restore_consumers(
        self, event: Crash | Pause | Slow, consumers: Sequence[Consuming]
    ) -> None:
        for each in consumers:
            if isinstance(event, Slow):
                each.slowed = UNSLOWED
            elif isinstance(event, Pause):
                each.resume()
            elif not each.up:
                each.restart()

    def _remove(self, consumer: Consuming) -> str:
        if not consumer.is_here:
            return NOT_THERE
        if not consumer.up:
            consumer.is_here = False
            return "it was down, and does not come back"
        consumer.leave()
        return "it finishes what it is at; what else it holds goes back to its queue"
