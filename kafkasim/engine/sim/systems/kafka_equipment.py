"""What a broker has beside its IO threads: network threads, a disk, a page cache."""

from kafkasim.config.rules import INT64_MAX
from kafkasim.engine.sim.disk import DiskQueue
from kafkasim.engine.sim.equipped_broker import Equipment
from kafkasim.engine.sim.meter import BrokerMeter, Meter, MeteredDisk
from kafkasim.engine.sim.page_cache import PageCache
from kafkasim.scenario.systems import Kafka
from kafkasim.units import ns_from_ms


def equipment_of(
    system: Kafka, seed: int, host: str, *, clients: int, meter: Meter | None
) -> Equipment | None:
    """Return what a broker has, None if none of it could be noticed.

    Parameters
    ----------
    system : Kafka
        Resolved.
    seed : int
        Of the scenario.
    host : str
        The broker, such as `broker:1`.
    clients : int
        How many connections it may have; each has one request in its hands.
    meter : Meter or None
        What measures how busy its parts are.
    """
    config, hardware = system.broker_config, system.hardware
    queue_fills = clients > config.queued_max_requests + config.num_io_threads
    if hardware.disk is None and meter is None and not queue_fills:
        return None
    measured = None
    if meter is not None:
        measured = BrokerMeter(
            meter,
            host,
            io_threads=config.num_io_threads,
            network_threads=config.num_network_threads,
            has_disk=hardware.disk is not None,
        )
    return Equipment(
        _page_cache(system, seed, host, meter),
        config.num_network_threads,
        config.queued_max_requests,
        measured,
        None
        if config.log_flush_scheduler_interval_ms == INT64_MAX
        else ns_from_ms(config.log_flush_scheduler_interval_ms),
    )


def _page_cache(
    system: Kafka, seed: int, host: str, meter: Meter | None
) -> PageCache | None:
    disk = system.hardware.disk
    if disk is None:
        return None
    kind = DiskQueue if meter is None else MeteredDisk
    queue = kind(disk.bandwidth_mb_per_s, disk.access_ms, seed=seed, host=host)
    if isinstance(queue, MeteredDisk):
        assert meter is not None
        queue.track = meter.track(host, "disk")
    return PageCache(disk, queue)
