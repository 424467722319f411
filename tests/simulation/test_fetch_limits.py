"""How much one answer to a fetch holds, and how far it reaches: KIP-74."""

import pytest

import kafkasim as ks
from kafkasim.engine.sim.systems.kafka import KafkaRun


def traffic(value_bytes: int, *, rate_per_s: float = 100.0) -> ks.Traffic:
    source = ks.Source(
        "orders", ks.Periodic(rate_per_s, 0.0), value_bytes=value_bytes,
        keys=ks.UniformKeys(64),
    )  # fmt: skip
    # It comes when all is there: a fetch finds more than it may take.
    late = ks.Subscriber(["orders"], from_s=0.5, wants="all")
    return ks.Traffic({"shop": source}, {"billing": late}, duration_s=0.5)


def scenario(
    value_bytes: int, *, partitions: int = 1, copies: int = 1, **consumer: int | str
) -> ks.Scenario:
    cluster = ks.Kafka(
        brokers=copies,
        topics={"orders": ks.Topic(partitions=partitions, replication_factor=copies)},
        producers={"shop": ks.Producer(ks.ProducerConfig(linger_ms=0))},
        groups={"billing": ks.Group(config=ks.ConsumerConfig(**consumer))},  # type: ignore[arg-type]
    )
    return ks.Scenario(traffic(value_bytes), cluster)


def sizes(result: ks.Result) -> list[int]:
    """Bytes of each answer that had any."""
    fetches = result.requests.query("api == 'Fetch' and size_bytes > 0")
    return [int(size) for size in fetches.size_bytes]


@pytest.mark.parametrize("copies", [1, 2])
def test_a_batch_above_all_limits_is_answered_alone(copies: int) -> None:
    """BR-30: the first one always comes, however large; so a reader never hangs."""
    result = ks.run(
        scenario(10_000, copies=copies, max_partition_fetch_bytes=1, fetch_max_bytes=1),
        check=True,
    )

    assert result.violations.empty
    assert set(sizes(result)) <= {10_077, 10_078}
    assert len(sizes(result)) == 50
    assert sorted(result.deliveries.record_id) == list(range(50))


def test_only_the_first_partition_of_an_answer_may_be_above_its_limit() -> None:
    """BR-30: of four partitions with data, one gives a batch."""
    result = ks.run(
        scenario(10_000, partitions=4, max_partition_fetch_bytes=1), check=True
    )

    assert result.violations.empty
    assert result.requests.query("api == 'Fetch'").batch_count.max() == 1
    order = result.deliveries.sort_values("started_ms").partition.tolist()
    assert len(set(order[:4])) == 4  # those served longest ago come first


def test_answers_hold_whole_batches_up_to_the_limit_of_a_partition() -> None:
    """BR-31: three batches of 10,078 bytes go into 35,000; a fourth does not."""
    result = ks.run(scenario(10_000, max_partition_fetch_bytes=35_000))

    assert 3 * 10_077 <= sizes(result)[0] <= 3 * 10_078
    assert max(sizes(result)) < 35_000


def test_an_answer_ends_with_the_partition_that_fills_it() -> None:
    """BR-30: `fetch.max.bytes` counts over all partitions of an answer."""
    result = ks.run(scenario(10_000, partitions=4, fetch_max_bytes=45_000))

    assert 4 * 10_077 <= max(sizes(result)) <= 45_000


def test_who_reads_committed_records_reads_what_all_do() -> None:
    """TX-11: without transactions the last stable offset is the high watermark."""
    tables = ("deliveries", "requests", "assignments")
    committed = scenario(200, isolation_level="read_committed")
    runs = [ks.run(each) for each in (committed, scenario(200))]

    for table in tables:
        assert runs[0].table(table).equals(runs[1].table(table))
    started = KafkaRun(committed, committed.plan(), check=False)
    started.run()
    for partition in started.partitions:
        assert partition.log.last_stable_offset == partition.log.high_watermark == 50
