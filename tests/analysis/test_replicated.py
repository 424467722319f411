"""What replication did to each partition, as a table."""

import pytest

from kafkasim.analysis.replicated import replication
from kafkasim.scenario.pipelines import PointToPoint
from kafkasim.scenario.scenario import Scenario
from kafkasim.testing.builders import small_result
from tests.analysis.test_copies import by_hand, leader_dies, leader_is_lost, start


def test_a_row_says_how_long_nothing_was_told_and_who_led() -> None:
    table = replication(leader_dies())

    (row,) = table.to_dict("records")
    assert (row["topic"], row["partition"]) == ("orders", 0)
    assert (row["log_end"], row["high_watermark"]) == (800, 800)
    assert row["leader_changes"] == 1
    assert row["silent_ms"] == pytest.approx(9_200.0)
    assert (row["hidden_records"], row["acked_lost"]) == (0, 0)
    assert table.attrs["scenario"].startswith("Kafka, 1 broker")


def test_a_row_says_what_was_hidden_and_what_was_lost() -> None:
    (row,) = replication(leader_is_lost()).to_dict("records")

    assert (row["acked_lost"], row["hidden_records"]) == (20, 20)
    assert row["hidden_ms"] == pytest.approx(3_990.0)


def test_a_partition_without_records_has_a_row_of_nothing() -> None:
    silent = by_hand(1.0, replicas=start(), appends=[], batches=[])

    (row,) = replication(silent).to_dict("records")
    assert [row[name] for name in ("log_end", "acked_lost", "refused")] == [0, 0, 0]


def test_a_system_without_partitions_has_no_row() -> None:
    one = small_result([{"intended_ms": 0}])
    direct = Scenario(one.scenario.traffic, PointToPoint())
    result = small_result([{"intended_ms": 0}], scenario=direct)

    assert len(replication(result)) == 0
