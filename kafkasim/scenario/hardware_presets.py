"""Hardware that somebody measured or sells, with where each number comes from.

Only what a source states is set; the rest stands at the defaults of `Hardware`. Sizes
in MiB become 10⁶ bytes here, because `Link` counts so.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

_MIB: Final = 1.048576
_UNLIMITED: Final = 1e12


@dataclass(frozen=True, slots=True)
class HardwarePreset:
    """Numbers of one source."""

    what: str
    """The machines, in a few words."""
    source: str
    """Who states the numbers."""
    link: Mapping[str, float] = field(default_factory=dict)
    """Fields of `Link` that the source states."""
    cpu: Mapping[str, float] = field(default_factory=dict)
    """Fields of `Cpu` that it states."""
    disk: Mapping[str, float] = field(default_factory=dict)
    """Fields of `Disk` that it states; without any the machines have no disk."""


def _aws(size: str, nic_mib_per_s: float, ebs_mib_per_s: float) -> HardwarePreset:
    return HardwarePreset(
        what=f"Amazon MSK, brokers of kafka.m5.{size}",
        source="the network, and the one to the disk (EBS), of msk_sizing.py in AWS's "
        f"agent toolkit: {nic_mib_per_s:g} and {ebs_mib_per_s:g} MiB/s",
        link={"bandwidth_mb_per_s": nic_mib_per_s * _MIB},
        disk={"bandwidth_mb_per_s": ebs_mib_per_s * _MIB},
    )


PRESETS: Final[Mapping[str, HardwarePreset]] = MappingProxyType(
    {
        "aws_m5_large": _aws("large", 96.0, 81.0),
        "aws_m5_xlarge": _aws("xlarge", 160.0, 144.0),
        "aws_m5_2xlarge": _aws("2xlarge", 320.0, 250.0),
        "aws_m5_4xlarge": _aws("4xlarge", 640.0, 593.75),
        "kafka_sim": HardwarePreset(
            what="the virtual cluster of kafka-sim, which runs the real Java producer",
            source="its baseline: 200 µs each way, 1 ms for a request, one at a time "
            "(set `num_io_threads` to 1)",
            link={"delay_ms": 0.2, "bandwidth_mb_per_s": _UNLIMITED},
            cpu={"request_ms": 1.0, "mb_ms": 0.0},
        ),
        "linkedin_2014": HardwarePreset(
            what="three machines with six cores and one network card of 1 Gbit/s each",
            source="J. Kreps, 2 million writes per second, LinkedIn Engineering 2014",
            link={"bandwidth_mb_per_s": 125.0},
        ),
        "loopback": HardwarePreset(
            what="Kafka 4.3.1 and its producer on one machine of two cores",
            source="request-latency-avg of its Java producer, the median of six paced "
            "loads of three repeats: 0.96 ms from sending to the answer; only the sum "
            "was measured, so all of it is the broker's",
            link={"delay_ms": 0.0, "bandwidth_mb_per_s": _UNLIMITED},
            cpu={"request_ms": 0.96, "mb_ms": 0.0},
        ),
    }
)
"""By name."""
