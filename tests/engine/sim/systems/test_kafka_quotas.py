"""A producer over its quota gets no more than that through, each broker by itself."""

from typing import Literal

import pytest

from kafkasim.config.producer import ProducerConfig
from kafkasim.experiments.running import run
from kafkasim.result.result import Result
from kafkasim.scenario.arrivals import Periodic
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.systems import Kafka, Producer
from kafkasim.scenario.traffic import Source, Traffic


def produced(quota: float | None, acks: Literal["all", "0"] = "all") -> Result:
    """Ten records of 10,000 bytes a second, for a minute."""
    traffic = Traffic(
        {"web": Source("orders", Periodic(10.0), value_bytes=10_000)}, {}, duration_s=60
    )
    config = ProducerConfig(acks=acks, linger_ms=0)
    producers = {"web": Producer(config, byte_rate_quota=quota)}
    return run(Scenario(traffic, system=Kafka(producers=producers), end="cut"))


@pytest.mark.parametrize("acks", ["all", "0"])
def test_what_goes_through_is_the_quota(acks: Literal["all", "0"]) -> None:
    """QU-1 to QU-3: 50 kB/s of the 100 kB/s that are sent."""
    appends = produced(50_000, acks).appends
    late = appends[appends.appended_ms > 20_000]

    assert late.record_count.sum() / 40 == pytest.approx(5.0, rel=0.1)


def test_who_is_below_the_quota_never_waits() -> None:
    free, bounded = produced(None), produced(200_000)

    assert (free.records.acked_ms == bounded.records.acked_ms).all()
