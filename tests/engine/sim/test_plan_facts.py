"""What batches hold, looked up while the producers' lists still grow."""

from pathlib import Path

import pytest

from kafkasim.config.broker import BrokerConfig
from kafkasim.config.producer import ProducerConfig
from kafkasim.config.topic import TopicConfig
from kafkasim.engine.sim.run import run
from kafkasim.scenario.arrivals import Bursts, Poisson
from kafkasim.scenario.hardware import Cpu, Hardware, Link
from kafkasim.scenario.keys import UniformKeys
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.systems import Kafka, Producer, Topic
from kafkasim.scenario.traffic import Source, Subscriber, Traffic
from kafkasim.units import MISSING_NS

COMPACTED = TopicConfig(
    cleanup_policy="compact",
    internal_segment_bytes=20_000,
    segment_ms=5,
    min_cleanable_dirty_ratio=0.0,
    delete_retention_ms=0,
)
STICKY = Producer(
    config=ProducerConfig(
        batch_size=200,
        linger_ms=0,
        max_in_flight_requests_per_connection=2,
        partitioner_ignore_keys=True,
    )
)


@pytest.mark.parametrize("seed", range(8))
def test_a_list_is_believed_as_far_as_it_was_appended(
    tmp_path: Path, seed: int
) -> None:
    """What waits in a sticky producer may yet come to stand elsewhere in its list.

    The cleaner looks at batches while some wait; the log that is written at the end
    must have the sizes that the engine reckoned with.
    """
    traffic = Traffic(
        {
            "app": Source(
                "orders",
                Poisson(rate_per_s=400.0),
                keys=UniformKeys(9),
                value_bytes=60,
                tombstones=0.05,
            ),
            "web": Source(
                "orders",
                Bursts(rate_per_s=50.0, burst=20),
                keys=UniformKeys(9),
                value_bytes=5_000,
                tombstones=0.05,
            ),
        },
        {"billing": Subscriber(["orders"])},
        duration_s=0.3,
    )
    system = Kafka(
        brokers=2,
        topics={"orders": Topic(partitions=2, config=COMPACTED)},
        producers={"app": STICKY, "web": STICKY},
        hardware=Hardware(
            link=Link(delay_ms=0.1, bandwidth_mb_per_s=5.0), cpu=Cpu(request_ms=1.0)
        ),
        broker_config=BrokerConfig(log_cleaner_backoff_ms=7),
    )

    result = run(Scenario(traffic, system=system, seed=seed), logs=tmp_path)

    segments = result.columns("segments")
    there = segments["deleted_ns"] == MISSING_NS
    sizes = segments["size_bytes"][there].tolist()
    files = [file.stat().st_size for file in tmp_path.glob("*/orders-*/*.log")]
    assert sorted(files) == sorted(sizes)
