"""Sources whose producer has no memory: they wait, and what waits too long fails."""

from dataclasses import replace

import numpy as np
import pytest
from pandas.testing import assert_frame_equal

from kafkasim.config.producer import ProducerConfig
from kafkasim.engine.sim.run import run
from kafkasim.engine.sim.systems import kafka
from kafkasim.errors import ValidationError
from kafkasim.protocol.producing.memory_watch import OutOfMemory
from kafkasim.result.result import Result
from kafkasim.result.streaming_tables import stream_tables
from kafkasim.scenario.arrivals import Periodic, Poisson
from kafkasim.scenario.hardware import Cpu, Hardware, Link
from kafkasim.scenario.keys import NoKeys, UniformKeys
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.systems import Kafka, Producer, Topic
from kafkasim.scenario.traffic import Source, Subscriber, Traffic

MS = 1_000_000
KEYS = UniformKeys(20)
PRODUCER = Producer()
SLOW = Hardware(link=Link(delay_ms=1.0), cpu=Cpu(request_ms=20.0, mb_ms=0.0))


def scenario(
    *,
    keys: UniformKeys | NoKeys = KEYS,
    memory: int = 2_000,
    max_block_ms: int = 60_000,
    adaptive: bool = True,
    partitions: int = 3,
    producer: Producer = PRODUCER,
) -> Scenario:
    """500 records a second of 100 bytes against a broker that needs 20 ms a request."""
    settings = ProducerConfig(
        batch_size=1_000,
        buffer_memory=memory,
        max_block_ms=max_block_ms,
        partitioner_adaptive_partitioning_enable=adaptive,
    )
    return Scenario(
        Traffic(
            {"web": Source("orders", Periodic(500.0), keys=keys, value_bytes=100)},
            {"billing": Subscriber(["orders"])},
            duration_s=1.0,
        ),
        system=Kafka(
            topics={"orders": Topic(partitions=partitions)},
            producers={"web": replace(producer, config=settings)},
            hardware=SLOW,
        ),
        seed=4,
    )


def checked(asked: Scenario) -> Result:
    result = run(asked, check=True)
    assert result.table("violations").empty
    return result


@pytest.mark.parametrize("keys", [UniformKeys(20), NoKeys()])
def test_what_waits_is_created_later_and_both_latencies_say_so(
    keys: UniformKeys | NoKeys,
) -> None:
    result = checked(scenario(keys=keys))

    records, blocked = result.columns("records"), result.columns("blocked")
    late_ns = records["created_ns"] - records["intended_ns"]
    assert (late_ns >= 0).all()
    assert late_ns.max() > 100 * MS
    assert (records["acked_ns"] > records["created_ns"]).all()
    assert (np.diff(records["created_ns"]) >= 0).all()
    assert set(result.table("blocked")["cause"]) == {"buffer.memory"}
    # One thread: its waits follow each other, and all that is late is due to them.
    since_ns, until_ns = blocked["since_ns"], blocked["until_ns"]
    assert (since_ns[1:] >= until_ns[:-1]).all()
    assert set(records["created_ns"][late_ns > 0]) <= set(until_ns)


def test_a_record_that_waits_longer_than_max_block_ms_fails() -> None:
    result = checked(scenario(max_block_ms=10))

    records = result.table("records")
    failed = records[records["outcome"] == "failed"]
    assert 0 < len(failed) < len(records)
    assert set(failed["error"]) == {"REQUEST_TIMED_OUT"}
    assert failed["batch_id"].eq(-1).all()
    blocked = result.columns("blocked")
    waits_ns = blocked["until_ns"] - blocked["since_ns"]
    assert waits_ns.max() == 10 * MS
    assert (waits_ns == 10 * MS).sum() == len(failed)
    assert len(result.table("deliveries")) == len(records) - len(failed)


def test_with_memory_enough_nothing_waits() -> None:
    result = checked(scenario(memory=1 << 25))

    records = result.columns("records")
    assert (records["created_ns"] == records["intended_ns"]).all()
    assert result.table("blocked").empty


def test_records_with_keys_are_the_same_one_by_one_where_memory_is_enough() -> None:
    asked = scenario(memory=200_000)
    fast = kafka.KafkaRun(asked, asked.plan(), check=False).run()
    slow = kafka.KafkaRun(asked, asked.plan(), check=False, by_record=[0]).run()

    assert fast.digest == slow.digest


def test_the_fast_way_gives_up_where_memory_is_short() -> None:
    asked = scenario(memory=20_000)
    with pytest.raises(OutOfMemory) as raised:
        kafka.KafkaRun(asked, asked.plan(), check=False).run()

    assert raised.value.source_index == 0


def test_a_streamed_run_counts_what_a_full_one_does() -> None:
    asked = scenario(max_block_ms=10)
    expected, streamed = stream_tables(run(asked)), run(asked, result="streamed")

    for name in ("histograms", "totals", "blocked"):
        assert_frame_equal(streamed.table(name), expected.table(name))


def test_what_waits_decides_about_partitions_unless_that_is_turned_off() -> None:
    adaptive, even = (
        run(scenario(keys=NoKeys(), memory=1 << 25, adaptive=adaptive))
        for adaptive in (True, False)
    )

    placed, placed_evenly = (
        result.columns("records")["partition"].tolist() for result in (adaptive, even)
    )
    assert placed != placed_evenly


def test_round_robin_goes_by_turns_whatever_the_keys() -> None:
    result = checked(
        scenario(memory=1 << 25, producer=Producer(partitioner="round_robin"))
    )

    partitions = result.columns("records")["partition"]
    assert (partitions == np.arange(len(partitions)) % 3).all()


def test_a_named_partition_takes_all() -> None:
    result = checked(scenario(memory=1 << 25, producer=Producer(partition=2)))

    assert set(result.columns("records")["partition"].tolist()) == {2}


def test_a_partition_that_is_not_there_is_refused() -> None:
    with pytest.raises(ValidationError, match=r"producers\.web\.partition"):
        run(scenario(producer=Producer(partition=3)))


def test_a_memory_smaller_than_a_batch_is_refused() -> None:
    with pytest.raises(ValidationError, match="at least batch_size"):
        run(scenario(memory=999))


def test_random_arrivals_wait_alike_with_a_plan_and_without() -> None:
    asked = scenario(keys=NoKeys())
    traffic = replace(
        asked.traffic,
        sources={"web": Source("orders", Poisson(400.0), value_bytes=100)},
    )
    asked = replace(asked, traffic=traffic)

    assert run(asked).digest == run(asked, plan=asked.plan()).digest
