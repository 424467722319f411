"""What is worked out ahead of its time is what would have been, step by step.

Not yet where messages of several publishers meet at a node's card that is busy: there
those sent step by step may be taken in by the node in another order.
"""

from dataclasses import replace
from typing import Literal

import pytest

from kafkasim.engine.sim.run import run
from kafkasim.result.result import Result
from kafkasim.scenario.arrivals import Bursts, Periodic
from kafkasim.scenario.distributions import Exponential
from kafkasim.scenario.events import Crash, Event, Slow
from kafkasim.scenario.hardware import Cpu, Disk, Hardware, Link
from kafkasim.scenario.rabbitmq import Consumers, Publisher, Queue, RabbitMQ
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.traffic import Source, Subscriber, Traffic
from tests.engine.sim.systems.rabbitmq.small_runs import PLAIN, scenario_of

NOTHING = Slow("hub", at_s=0.0, factor=1.0)
"""After an event nothing is worked out ahead of its time."""


def busy_world(
    kind: Literal["classic", "quorum"], hardware: Hardware, events: tuple[Event, ...]
) -> Scenario:
    """Two sources and two queues that hardly keep up, one with two consumers."""
    traffic = Traffic(
        sources={
            "web": Source("orders", Periodic(400.0), value_bytes=500),
            "app": Source("orders", Bursts(300.0, burst=6), value_bytes=2_000),
        },
        subscribers={
            "a": Subscriber(["orders"], work_ms=Exponential(1.0)),
            "b": Subscriber(["orders"], work_ms=Exponential(2.0)),
        },
        duration_s=0.06,
    )
    system = RabbitMQ(
        nodes=3 if kind == "quorum" else 1,
        queues={name: Queue(type=kind) for name in ("a", "b")},
        consumers={"b": Consumers(count=2, prefetch=3)},
        hardware=hardware,
    )
    return Scenario(traffic, system, events=events)


def is_as_step_by_step(ahead: Scenario) -> Result:
    """Run it ahead and step by step, see that it is the same, and return it."""
    step_by_step = replace(ahead, events=(NOTHING, *ahead.events))
    result = run(ahead)
    one, other = dict(result.digests), dict(run(step_by_step).digests)
    del one["events"], other["events"]
    assert one == other
    return result


@pytest.mark.parametrize("kind", ["classic", "quorum"])
@pytest.mark.parametrize(
    "hardware",
    [
        Hardware(Link(0.2, 1.0), Cpu(0.7)),  # everybody waits for everybody
        Hardware(Link(0.2, 1e9), Cpu(0.0)),  # much happens at one time
        Hardware(Link(Exponential(0.5)), Cpu(Exponential(0.5))),
        Hardware(disk=Disk(access_ms=0.6)),
    ],
)
@pytest.mark.parametrize(
    "later", [(), (Crash("node:1", at_s=0.04, for_s=0.02),)], ids=["calm", "crash"]
)
def test_so_it_is_while_all_are_busy_and_one_breaks(
    kind: Literal["classic", "quorum"], hardware: Hardware, later: tuple[Event, ...]
) -> None:
    ahead = busy_world(kind, hardware, later)
    is_as_step_by_step(ahead)


@pytest.mark.parametrize("most", [None, 5])
def test_each_message_of_a_burst_is_confirmed_by_itself(most: int | None) -> None:
    """Members say at one time that they have it; each says so of each message."""
    system = RabbitMQ(
        nodes=3,
        queues={"a": Queue(type="quorum")},
        publishers={"web": Publisher(max_unconfirmed=most)},
        hardware=PLAIN,
    )
    ahead = scenario_of(system, arrivals=Bursts(100.0, burst=6), count=12)
    result = is_as_step_by_step(ahead)
    links = result.table("links").set_index(["sender", "receiver"])["request_count"]
    sent, confirms = links["source:web", "node:1"], links["node:1", "source:web"]
    assert (sent, confirms) == (len(result.table("records")),) * 2
    assert sent > 6


def test_what_has_no_bytes_does_not_overtake_what_was_sent_before_it() -> None:
    source = Source("orders", Bursts(200.0, burst=8), value_bytes=1_000, tombstones=0.5)
    traffic = Traffic({"web": source}, {"a": Subscriber(["orders"])}, duration_s=0.1)
    slow = RabbitMQ(hardware=Hardware(Link(0.2, 1.0)))
    result = is_as_step_by_step(Scenario(traffic, slow))
    assert result.table("records")["appended_ms"].is_monotonic_increasing
