"""What a cluster takes at most: the runs behind `docs/evidence/cluster-ceiling.md`.

    python docs/evidence/cluster-ceiling/measure.py

Three brokers and three copies of each partition, on the hardware of AWS's presets. The
producers offer a quarter more than AWS's equation lets through; what the high watermark
passes in the second half of the run is the throughput.
"""

from dataclasses import replace
from typing import Final

import numpy as np

from kafkasim.config.producer import ProducerConfig
from kafkasim.engine.sim.run import run
from kafkasim.result.result import Result
from kafkasim.scenario.arrivals import Periodic
from kafkasim.scenario.hardware import Hardware
from kafkasim.scenario.hardware_presets import PRESETS
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.systems import Kafka, Producer, Topic
from kafkasim.scenario.traffic import Source, Subscriber, Traffic

MIB: Final = 1_048_576
SIZES: Final = ("large", "xlarge", "2xlarge", "4xlarge")
GROUPS: Final = (1, 2, 4, 8)
BROKERS = COPIES = 3
PRODUCERS: Final = 6
FROM_S, UNTIL_S = 3.0, 6.0
"""What is measured of the run."""
OFFERED: Final = 1.25
"""Times the ceiling."""


def ceiling(size: str, groups: int) -> float:
    """Return AWS's equation 1 in MiB/s.

    t ≤ min(disk × B / r, network × B / (groups + r − 1)) for B brokers and r copies.
    """
    preset = PRESETS[f"aws_m5_{size}"]
    disk, card = (
        of["bandwidth_mb_per_s"] * 1e6 / MIB for of in (preset.disk, preset.link)
    )
    return min(disk * BROKERS / COPIES, card * BROKERS / (groups + COPIES - 1))


def scenario(size: str, groups: int) -> Scenario:
    """Return the cluster under more than it can take."""
    hardware = Hardware.preset(f"aws_m5_{size}")
    assert hardware.disk is not None
    # Little memory: what may wait for the disk is full before it is measured.
    memory_mb = hardware.disk.bandwidth_mb_per_s
    hardware = replace(hardware, disk=replace(hardware.disk, page_cache_mb=memory_mb))
    value_bytes = round(1_000 * hardware.disk.bandwidth_mb_per_s)
    rate = OFFERED * ceiling(size, groups) * MIB / value_bytes / PRODUCERS
    config = ProducerConfig(
        linger_ms=20, batch_size=1_000_000, buffer_memory=67_108_864,
        max_request_size=4_194_304,
    )  # fmt: skip
    sources = {
        f"source{number}": Source(
            "orders",
            Periodic(rate, phase_s=number / rate / PRODUCERS),
            value_bytes=value_bytes,
        )
        for number in range(PRODUCERS)
    }
    return Scenario(
        Traffic(
            sources,
            {f"group{n}": Subscriber(["orders"]) for n in range(groups)},
            duration_s=UNTIL_S,
        ),
        system=Kafka(
            brokers=BROKERS,
            topics={"orders": Topic(partitions=6, replication_factor=COPIES)},
            producers={
                name: Producer(config=config, partition=number)
                for number, name in enumerate(sources)
            },
            hardware=hardware,
        ),
        end="cut",
    )


def committed_mib_per_s(result: Result) -> float:
    """Return what the high watermark passed per second, while it was measured."""
    appends, batches = result.columns("appends"), result.columns("batches")
    committed_ns = appends["committed_ns"]
    measured = (committed_ns >= FROM_S * 1e9) & (committed_ns < UNTIL_S * 1e9)
    order = np.argsort(batches["batch_id"])
    place = np.searchsorted(
        batches["batch_id"], appends["batch_id"][measured], sorter=order
    )
    size_bytes = batches["size_bytes"][order[place]].sum()
    return float(size_bytes) / MIB / (UNTIL_S - FROM_S)


def binds(result: Result) -> str:
    """Return which part of the brokers was busiest while it was measured."""
    table = result.table("resources")
    measured = (table.at_ms >= FROM_S * 1e3) & (table.at_ms < UNTIL_S * 1e3)
    parts = table.kind.isin(["disk", "nic_in", "nic_out", "io_thread"])
    brokers = table.resource.str.startswith("broker:")
    busy = table[measured & parts & brokers].groupby("kind", observed=True).busy_share
    return str(busy.mean().idxmax())


def main() -> None:
    """Print the page's table."""
    print("| machines | groups | equation (MiB/s) | simulated | off | busiest |")
    print("|---|--:|--:|--:|--:|---|")
    for size in SIZES:
        for groups in GROUPS:
            result = run(scenario(size, groups), resources=True)
            known, found = ceiling(size, groups), committed_mib_per_s(result)
            print(
                f"| {size} | {groups} | {known:g} | {found:.2f} "
                f"| {found / known - 1:+.2%} | {binds(result)} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
