"""One source, one topic and perhaps one group, for tests of how figures bend.

Each figure is read off the run's stored columns.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from kafkasim.config.broker import BrokerConfig
from kafkasim.config.producer import ProducerConfig
from kafkasim.engine.sim.run import run
from kafkasim.result.result import Result
from kafkasim.scenario.arrivals import Poisson
from kafkasim.scenario.events import Event
from kafkasim.scenario.hardware import Hardware, Link
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.systems import Group, Kafka, Producer, Topic
from kafkasim.scenario.traffic import Source, Subscriber, Traffic

MB = 1e6
ENOUGH_MEMORY = 1 << 30
"""The application never waits for the client: an open loop stays one."""
MORE_THAN_ANY_CAN_TAKE = 2e6
"""Records per second."""

Acks = Literal["all", "1", "0"]
Partitioner = Literal["builtin", "round_robin"]


def card(mb_per_s: float) -> Hardware:
    """Return the usual hardware with another network card."""
    return Hardware(link=Link(bandwidth_mb_per_s=mb_per_s))


def shape(
    *events: Event,
    seed: int,
    rate: float,
    duration_s: float,
    value_bytes: int = 100,
    partitions: int = 3,
    brokers: int = 3,
    copies: int = 1,
    partitioner: Partitioner = "builtin",
    hardware: Hardware | None = None,
    io_threads: int = 8,
    members: int = 0,
    work_ms: float = 1.0,
    **producer: Any,  # noqa: ANN401 - settings by name
) -> Result:
    """Run records without keys; the rest of the arguments are the producer's."""
    config = ProducerConfig(buffer_memory=ENOUGH_MEMORY, **producer)
    topic = Topic(partitions=partitions, replication_factor=copies)
    cluster = Kafka(
        brokers=brokers,
        topics={"orders": topic},
        producers={"shop": Producer(config, partitioner=partitioner)},
        groups={"billing": Group(members=members)} if members else {},
        hardware=hardware or Hardware(),
        broker_config=BrokerConfig(num_io_threads=io_threads),
    )
    source = Source("orders", Poisson(rate), value_bytes=value_bytes)
    reader = Subscriber(["orders"], work_ms=work_ms)
    traffic = Traffic(
        {"shop": source}, {"billing": reader} if members else {}, duration_s=duration_s
    )
    return run(Scenario(traffic, cluster, events=events, seed=seed))


def acked_per_s(result: Result) -> float:
    """Return the rate at which records were acknowledged, up to the last one."""
    acked_ns = result.columns("records")["acked_ns"]
    return float(len(acked_ns) / (acked_ns.max() / 1e9))


def processed_per_s(result: Result) -> float:
    """Return the rate at which a group was done with records, up to the last one."""
    ended_ns = result.columns("deliveries")["ended_ns"]
    return float(len(ended_ns) / (ended_ns.max() / 1e9))


def waits_ms(result: Result) -> NDArray[np.float64]:
    """Return from when each record was to be sent to its acknowledgement."""
    records = result.columns("records")
    waits: NDArray[np.float64] = (records["acked_ns"] - records["intended_ns"]) / 1e6
    return waits


def rises(values: Sequence[float], by: float = 0.0) -> bool:
    """Whether each value is greater than the one before, by a share of it at least."""
    return all(after > before * (1 + by) for before, after in pairwise(values))


def falls(values: Sequence[float]) -> bool:
    """Whether each value is less than the one before."""
    return rises(values[::-1])
