"""Overtaken records by partition, key and entity."""

import pytest

from kafkasim.analysis.order import ordering, overtakings
from kafkasim.errors import ValidationError
from kafkasim.result.result import Result
from kafkasim.testing.builders import small_result


def five_records() -> Result:
    # Partition 0 holds A and D, partition 1 holds B, C and E, all of aircraft N1.
    # Intended A B C D E, processed B C E A D.
    places = [(0, 0), (1, 0), (1, 1), (0, 1), (1, 2)]
    return small_result(
        records=[
            {
                "key": "UA",
                "entity": "N1",
                "intended_ms": at,
                "appended_ms": at + 0.5,
                "partition": partition,
                "offset": offset,
            }
            for at, (partition, offset) in enumerate(places)
        ],
        deliveries=[
            {"record_id": record, "ended_ms": ended}
            for record, ended in enumerate([7, 2, 3, 9, 5])
        ],
    )


def test_four_pairs_are_overtaken_across_two_partitions() -> None:
    table = ordering(five_records(), per="entity")
    assert table.to_dict("records") == [
        {
            "subscriber": "billing",
            "stream": "orders",
            "entity": "N1",
            "records": 5,
            "overtaken": 2,
            "overtaken_share": 0.4,
            "overtaken_pairs": 4,
        }
    ]


def test_each_overtaken_record_names_who_overtook_it_first() -> None:
    table = overtakings(five_records(), per="entity")
    assert table["record_id"].tolist() == [0, 3]
    assert table["overtakers"].tolist() == [3, 1]
    assert table["first_overtaker"].tolist() == [1, 4]
    assert table["record_partition"].tolist() == [0, 0]
    assert table["overtaker_partition"].tolist() == [1, 1]
    assert table["intended_ms"].tolist() == [0.0, 3.0]
    assert table["processed_ms"].tolist() == [7.0, 9.0]
    assert table["overtaker_intended_ms"].tolist() == [1.0, 4.0]
    assert table["overtaker_processed_ms"].tolist() == [2.0, 5.0]


def test_within_a_partition_nothing_is_overtaken() -> None:
    table = ordering(five_records(), per="partition")
    assert table["partition"].tolist() == [0, 1]
    assert table["source"].tolist() == ["web", "web"]
    assert table["records"].tolist() == [2, 3]
    assert table["overtaken_pairs"].tolist() == [0, 0]
    assert len(overtakings(five_records(), per="partition")) == 0


def test_a_partition_promises_the_order_of_each_source_alone() -> None:
    # The record of pay was intended first and appended second: no overtaking.
    result = small_result(
        records=[
            {"source": "pay", "intended_ms": 0, "partition": 0, "offset": 1},
            {"source": "web", "intended_ms": 1, "partition": 0, "offset": 0},
        ],
        deliveries=[{"record_id": 1, "ended_ms": 2}, {"record_id": 0, "ended_ms": 3}],
    )
    assert ordering(result, per="partition")["overtaken"].tolist() == [0, 0]


def test_keys_are_groups_of_their_own_and_null_keys_are_in_none() -> None:
    result = small_result(
        records=[
            {"key": "a", "entity": "N", "intended_ms": 0},
            {"key": "b", "entity": "N", "intended_ms": 1},
            {"key": None, "entity": "N", "intended_ms": 2},
            {"key": "a", "entity": None, "intended_ms": 3},
        ],
        deliveries=[
            {"record_id": record, "ended_ms": ended}
            for record, ended in enumerate([9, 8, 7, 6])
        ],
    )
    by_key = ordering(result, per="key")
    assert by_key["key"].tolist() == ["a", "b"]
    assert by_key["records"].tolist() == [2, 1]
    assert by_key["overtaken_pairs"].tolist() == [1, 0]
    by_entity = ordering(result, per="entity")
    assert by_entity["records"].tolist() == [3]
    assert by_entity["overtaken_pairs"].tolist() == [3]


def test_subscribers_are_counted_apart() -> None:
    result = small_result(
        records=[{"key": "a", "intended_ms": 0}, {"key": "a", "intended_ms": 1}],
        deliveries=[
            {"record_id": 0, "subscriber": "audit", "ended_ms": 2},
            {"record_id": 1, "subscriber": "audit", "ended_ms": 3},
            {"record_id": 0, "subscriber": "billing", "ended_ms": 9},
            {"record_id": 1, "subscriber": "billing", "ended_ms": 3},
        ],
    )
    table = ordering(result)
    assert table["subscriber"].tolist() == ["audit", "billing"]
    assert table["overtaken"].tolist() == [0, 1]


def test_a_record_not_processed_overtakes_nobody() -> None:
    result = small_result(
        records=[{"key": "a", "intended_ms": 0}, {"key": "a", "intended_ms": 1}],
        deliveries=[
            {"record_id": 0, "started_ms": 1, "outcome": "abandoned"},
            {"record_id": 1, "ended_ms": 3},
        ],
    )
    assert ordering(result)["records"].tolist() == [1]


def test_another_grouping_is_refused() -> None:
    with pytest.raises(ValidationError, match="one of partition, key, entity"):
        ordering(five_records(), per="topic")  # type: ignore[arg-type]
    with pytest.raises(ValidationError, match="one of partition, key, entity"):
        overtakings(five_records(), per="topic")  # type: ignore[arg-type]
