"""Batches by cause, sticky runs, and what each partition got."""

import numpy as np
import pytest

from kafkasim.analysis.measures import metrics
from kafkasim.analysis.producing import batching, skew
from kafkasim.config.producer import ProducerConfig
from kafkasim.errors import TableNotRecorded
from kafkasim.scenario.arrivals import Periodic
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.systems import Kafka, Producer, Topic
from kafkasim.scenario.traffic import Source, Subscriber, Traffic
from kafkasim.testing.builders import small_result


def test_batches_are_counted_by_producer_and_cause() -> None:
    result = small_result(
        records=[{"intended_ms": 0}],
        batches=[
            {"record_count": 30, "size_bytes": 600, "closed_by": "full"},
            {"record_count": 4, "size_bytes": 100},
            {"record_count": 2, "size_bytes": 50},
            {"record_count": 3, "size_bytes": 90},
            {"record_count": 1, "size_bytes": 70, "producer": "pay"},
        ],
    )
    table = batching(result)
    assert table["producer"].tolist() == ["web", "web", "pay"]
    assert table["closed_by"].tolist() == ["full", "linger", "linger"]
    assert table["batches"].tolist() == [1, 3, 1]
    assert table["batches_share"].tolist() == [0.25, 0.75, 1.0]
    assert table["records_per_batch"].tolist() == [30, 3, 1]
    assert table["bytes_per_batch"].tolist() == [600, 80, 70]


def test_a_sticky_run_is_a_stretch_of_keyless_records_to_one_partition() -> None:
    # Keyless: partitions 0 0 0 1 1 0, so three runs; records with keys do not count.
    partitions = [0, 0, 1, 0, 1, 1, 0]
    keys = [None, None, "a", None, None, None, None]
    result = small_result(
        records=[
            {"intended_ms": number, "key": key, "partition": partition, "offset": 0}
            for number, (key, partition) in enumerate(
                zip(keys, partitions, strict=True)
            )
        ],
        batches=[{}, {"producer": "pay"}],
    )
    runs = batching(result).set_index("producer")["records_per_run"]
    assert runs["web"] == 2.0
    assert np.isnan(runs["pay"])


def test_with_keys_ignored_every_record_counts_in_a_sticky_run() -> None:
    traffic = Traffic(
        {"web": Source(stream="orders", arrivals=Periodic(rate_per_s=1.0))},
        {"billing": Subscriber(streams=["orders"])},
        duration_s=1.0,
    )
    config = ProducerConfig(partitioner_ignore_keys=True)
    kafka = Kafka(producers={"web": Producer(config=config)})
    result = small_result(
        records=[
            {"intended_ms": number, "key": "a", "partition": partition, "offset": 0}
            for number, partition in enumerate([0, 0, 1, 1, 1, 0])
        ],
        batches=[{}],
        scenario=Scenario(traffic, kafka),
    )
    assert batching(result)["records_per_run"].tolist() == [2.0]


def test_a_record_that_a_cut_run_never_appended_is_in_no_partition() -> None:
    traffic = Traffic(
        {"web": Source(stream="orders", arrivals=Periodic(rate_per_s=1.0))},
        {"billing": Subscriber(streams=["orders"])},
        duration_s=1.0,
    )
    result = small_result(
        records=[
            {"intended_ms": 0, "key": "a", "partition": 0, "offset": 0},
            {"intended_ms": 1, "key": "b", "partition": 1, "offset": 0},
            {"intended_ms": 2, "key": "c", "partition": 1},
            {"intended_ms": 3, "entity": "N", "partition": 1},
        ],
        scenario=Scenario(traffic, Kafka(topics={"orders": Topic(partitions=2)})),
    )
    table = skew(result)
    assert table["records"].tolist() == [1, 1]
    assert table["keys"].tolist() == [1, 1]
    assert table["null_keys"].tolist() == [0, 0]
    assert table["entities"].tolist() == [1, 1]
    assert metrics(result)["partition_imbalance"] == 1.0


def test_every_partition_has_a_row_the_empty_ones_too() -> None:
    traffic = Traffic(
        {"web": Source(stream="orders", arrivals=Periodic(rate_per_s=1.0))},
        {"billing": Subscriber(streams=["orders"])},
        duration_s=1.0,
    )
    result = small_result(
        records=[
            {"intended_ms": 0, "key": "a", "partition": 0, "offset": 0},
            {"intended_ms": 1, "key": "b", "partition": 0, "offset": 1},
            {"intended_ms": 2, "key": "a", "partition": 0, "offset": 2},
            {"intended_ms": 3, "entity": "N", "partition": 2, "offset": 0},
            {"intended_ms": 4},
        ],
        scenario=Scenario(traffic, Kafka(topics={"orders": Topic(partitions=3)})),
    )
    table = skew(result)
    assert table["topic"].tolist() == ["orders"] * 3
    assert table["partition"].tolist() == [0, 1, 2]
    assert table["records"].tolist() == [3, 0, 1]
    assert table["records_share"].tolist() == [0.75, 0.0, 0.25]
    assert table["keys"].tolist() == [2, 0, 0]
    assert table["null_keys"].tolist() == [0, 0, 1]
    assert table["entities"].tolist() == [2, 0, 1]


def test_a_system_without_batches_says_so() -> None:
    with pytest.raises(TableNotRecorded, match="batches"):
        batching(small_result(records=[{"intended_ms": 0}]))
