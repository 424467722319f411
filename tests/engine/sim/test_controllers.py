"""The controller's host: who registers when, 1 ms away from the controller."""

from collections.abc import Callable
from typing import Any, cast

from kafkasim.engine.sim.calendar import CheckedCalendar
from kafkasim.engine.sim.controllers import ControllerHost
from kafkasim.engine.sim.network import Nic, Pipe
from kafkasim.engine.sim.replicated_broker import ReplicatedBroker
from kafkasim.protocol.controller import Controller
from kafkasim.protocol.controller_messages import (
    Changed,
    ControllerSettings,
    PartitionState,
)
from kafkasim.scenario.systems import Link
from kafkasim.units import NS_PER_MS


class Broker:
    """A broker that does nothing but live and die."""

    def __init__(self, index: int) -> None:
        self.index = index
        self.up = True
        self.incarnation = 0
        self.epoch = index

    def holds(self, _function: Callable[[Any], None], _argument: object) -> bool:
        return False

    def apply(self, _changed: Changed) -> None:
        return

    def crash(self, _cause: str = "") -> None:
        self.up = False
        self.incarnation += 1


class Cluster:
    """Three brokers, and what their controller decides."""

    def __init__(self) -> None:
        self.calendar = CheckedCalendar()
        self.brokers = [Broker(node) for node in range(3)]
        link = Link(delay_ms=1.0)
        pipes = [
            Pipe(Nic(1e9), link, seed=1, name=f"pipe/{number}") for number in range(7)
        ]
        self.host = ControllerHost(
            calendar=self.calendar,
            actor=0,
            machine=Controller(
                ControllerSettings(), [PartitionState((0, 1, 2), (0, 1, 2), 0)], 3
            ),
            brokers=cast("list[ReplicatedBroker]", self.brokers),
            up=pipes[:3],
            down=pipes[3:6],
            quorum=pipes[6],
            heartbeat_ns=2_000 * NS_PER_MS,
            phases_ns=[500 * NS_PER_MS, 600 * NS_PER_MS, 700 * NS_PER_MS],
        )
        self.host.watch()

    def run_until(self, until_ms: int) -> None:
        self.calendar.run_entries(until_ms * NS_PER_MS)


def test_a_broker_that_is_back_too_early_asks_again_at_doubling_intervals() -> None:
    cluster = Cluster()
    broker = cluster.brokers[0]
    cluster.run_until(3_000)  # it was heard of at 2,501
    broker.crash()
    cluster.run_until(4_000)
    broker.up = True
    cluster.host.register(0, clean=False)
    cluster.run_until(15_000)

    # Refused at 4,001, 4,103, 4,305, 4,707, 5,509, 7,111 and 10,313, each answer taking
    # 1 ms, and the request after the wait another; its session was over after 11,501,
    # and the check at 12,375 fenced it. So the next one, 6,400 ms later, succeeds.
    asked_ms = 10_313 + 1 + 6_400 + 1
    assert cluster.host.machine.brokers[0].epoch == 0
    cluster.run_until(asked_ms)
    registered = cluster.host.machine.brokers[0]
    assert registered.epoch > 0 and registered.fenced
    cluster.run_until(asked_ms + 100)
    assert cluster.host.machine.brokers[0].active


def test_a_broker_that_dies_again_before_it_is_let_in_asks_no_more() -> None:
    cluster = Cluster()
    cluster.run_until(3_000)
    cluster.brokers[0].crash()
    cluster.brokers[0].up = True
    cluster.host.register(0, clean=False)
    cluster.run_until(3_050)
    cluster.brokers[0].crash()
    cluster.run_until(60_000)

    assert cluster.host.machine.brokers[0].fenced
    assert cluster.host.machine.brokers[0].epoch == 0
