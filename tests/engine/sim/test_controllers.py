"""The controller's host: who registers when, 1 ms away from the controller."""

from collections.abc import Callable
from typing import Any, cast

from kafkasim.engine.sim.calendar import CheckedCalendar
from kafkasim.engine.sim.controllers import ControllerHost
from kafkasim.engine.sim.network import Nic, Pipe
from kafkasim.engine.sim.replicated_broker import ReplicatedBroker
from kafkasim.protocol.cluster.controller import Controller
from kafkasim.protocol.cluster.controller_messages import (
    Changed,
    ControllerSettings,
    PartitionState,
)
from kafkasim.scenario.hardware import Link
from kafkasim.units import NS_PER_MS


class Broker:
    """A broker that does nothing but live and die."""

    def __init__(self, index: int, calendar: CheckedCalendar) -> None:
        self.calendar = calendar
        self.index = index
        self.up = True
        self.incarnation = 0
        self.epoch = index
        self.metadata_offset = 3
        self.told: list[tuple[int, Changed]] = []
        self.died_ns = -1

    def holds(self, _function: Callable[[Any], None], _argument: object) -> bool:
        return False

    def apply(self, changed: Changed) -> None:
        self.told.append((self.calendar.now_ns, changed))
        self.metadata_offset = changed.offset

    def crash(self, _cause: str = "") -> None:
        self.died_ns = self.calendar.now_ns
        self.up = False
        self.incarnation += 1


class Cluster:
    """Three brokers, and what their controller decides."""

    def __init__(self) -> None:
        self.calendar = CheckedCalendar()
        self.brokers = [Broker(node, self.calendar) for node in range(3)]
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


def test_what_changes_reaches_brokers_after_a_linger_and_three_ways() -> None:
    """CT-14: 25 ms, to the other controllers and back, and to the broker."""
    cluster = Cluster()
    cluster.run_until(3_000)  # broker 1 was heard of at 2,501
    cluster.brokers[0].crash()
    cluster.run_until(20_000)

    # Looked at every 1,125 ms; 9 s and more after 2,501 that is at 12,375 (CT-1).
    at_ms = [at_ns / NS_PER_MS for at_ns, _ in cluster.brokers[1].told]
    assert at_ms == [12_375 + 25 + 3]
    (_, changed) = cluster.brokers[1].told[0]
    assert changed.partitions[0][1].leader == 1


def test_a_broker_that_leads_asks_to_stop_again_and_again() -> None:
    """CT-11; `BrokerLifecycleManager`: it may go when all have heard that others lead.

    The request takes 1 ms, and so does the answer once the change is replicated: 27 ms
    after the request came. All others tell at their next beats (600, 700 ms and every
    2 s) how far they are; so the third request finds that it may go, and fences it.
    """
    cluster = Cluster()
    cluster.run_until(1_000)
    cluster.host.stop_in_order(0)
    cluster.run_until(10_000)

    second = 1_001 + 27 + 1 + 50
    third = second + 2 + 2_000
    assert cluster.brokers[0].died_ns == (third + 1 + 27 + 1) * NS_PER_MS


def test_another_controller_takes_over_and_hears_of_all_anew() -> None:
    """CT-15: the first heartbeats after it keep everybody in."""
    cluster = Cluster()
    cluster.run_until(1_000)
    active = [cluster.host.machine.active]
    cluster.host.crash()
    for until_ms in (1_000, 3_001, 3_002, 30_000):
        cluster.run_until(until_ms)
        active.append(cluster.host.machine.active)

    assert active == [True, False, False, True, True]
    assert not any(broker.fenced for broker in cluster.host.machine.brokers)
