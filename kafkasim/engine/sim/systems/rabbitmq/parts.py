"""What a run of RabbitMQ is made of, from its description."""

from collections.abc import Iterator, Sequence
from typing import Final

from kafkasim.engine.sim.disk import DiskQueue
from kafkasim.engine.sim.meter import Meter, MeteredDisk
from kafkasim.engine.sim.systems.rabbitmq.classic_queue import ClassicQueue
from kafkasim.engine.sim.systems.rabbitmq.node import Node
from kafkasim.engine.sim.systems.rabbitmq.quorum_queue import QuorumQueue
from kafkasim.engine.sim.systems.rabbitmq.quorum_settings import QuorumSettings
from kafkasim.scenario.hardware import Disk
from kafkasim.scenario.rabbitmq import Consumers, Queue, RabbitMQ
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.streams import stream
from kafkasim.units import ns_from_s

_DRAWS: Final = 256


def calm_until_ns(scenario: Scenario) -> int:
    """Return until when messages come and nothing else happens.

    Before that time what a link carries arrives, nobody stops, and the run goes on.
    """
    times_s = [scenario.traffic.duration_s, *(each.at_s for each in scenario.events)]
    return min(map(ns_from_s, times_s))


def disks_of(
    disk: Disk | None, nodes: Sequence[Node], seed: int, meter: Meter | None
) -> dict[int, DiskQueue]:
    """Return the disk of each node; none if writing takes no time."""
    disks: dict[int, DiskQueue] = {}
    if disk is None:
        return disks
    for node in nodes:
        kind = DiskQueue if meter is None else MeteredDisk
        made = disks[node.code] = kind(
            disk.bandwidth_mb_per_s, disk.access_ms, seed=seed, host=node.host
        )
        if isinstance(made, MeteredDisk) and meter is not None:
            made.track = meter.track(node.host, "disk")
    return disks


def members_of(settings: Queue, code: int, node_count: int) -> tuple[int, ...]:
    """Return the nodes that keep a quorum queue, its leader first; none of a classic.

    Queue number k is led by node k, counted round, and kept by those after it too.
    """
    if settings.type == "classic":
        return ()
    return tuple((code + step) % node_count for step in range(settings.members))


def machine_of(
    name: str, system: RabbitMQ, nodes: Sequence[int], seed: int
) -> ClassicQueue | QuorumQueue:
    """Return the machine of a queue, led by the first of some nodes."""
    settings = system.queues[name]
    if settings.type == "classic":
        return ClassicQueue(
            name,
            node=nodes[0],
            durable=settings.durable,
            single_active=settings.single_active_consumer,
            sync_interval_ms=round(system.sync_interval_ms),
        )
    limit = settings.delivery_limit
    draws = stream(seed, f"elections/{name}")
    return QuorumQueue(
        name,
        members=nodes,
        settings=QuorumSettings(
            delivery_limit=None if limit < 0 else limit,
            single_active=settings.single_active_consumer,
        ),
        draw=lambda most: int(draws.integers(1, most + 1)),
    )


def failures(settings: Consumers, seed: int, name: str) -> Iterator[bool]:
    """Yield whether work on a delivery fails, one after the other."""
    if not settings.failing_share:
        return
    generator = stream(seed, f"failures/{name}")
    while True:
        yield from (generator.random(_DRAWS) < settings.failing_share).tolist()
