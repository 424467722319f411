"""What is worked out ahead of its time is what would have been, step by step."""

from dataclasses import replace
from typing import Literal

import pytest

from kafkasim.engine.sim.run import run
from kafkasim.scenario.arrivals import Bursts, Periodic
from kafkasim.scenario.distributions import Exponential
from kafkasim.scenario.events import Crash, Event, Slow
from kafkasim.scenario.hardware import Cpu, Disk, Hardware, Link
from kafkasim.scenario.rabbitmq import Consumers, Queue, RabbitMQ
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.traffic import Source, Subscriber, Traffic

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
    step_by_step = replace(ahead, events=(NOTHING, *later))
    one, other = (dict(run(each).digests) for each in (ahead, step_by_step))
    del one["events"], other["events"]
    assert one == other
