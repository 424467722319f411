"""Lag and offsets over time, from a partition that can be followed by hand."""

import pytest

from kafkasim.analysis.progress import lag, offsets
from kafkasim.errors import TableNotRecorded, ValidationError
from kafkasim.result.result import Result
from kafkasim.scenario.arrivals import Periodic
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.systems import Kafka, Topic
from kafkasim.scenario.traffic import Source, Subscriber, Traffic
from kafkasim.testing.builders import small_result


def one_partition(**fields: object) -> Result:
    # Two batches of two records; the second record is done again after a crash.
    return small_result(
        records=[
            {
                "intended_ms": number,
                "appended_ms": 2 if number < 2 else 5,
                "partition": 0,
                "offset": number,
            }
            for number in range(4)
        ],
        deliveries=[
            {"record_id": 0, "started_ms": 3, "ended_ms": 4},
            {"record_id": 1, "started_ms": 4, "outcome": "abandoned"},
            {"record_id": 1, "started_ms": 8, "ended_ms": 9, "delivery_count": 2},
            {"record_id": 2, "started_ms": 9, "ended_ms": 10},
            {"record_id": 3, "started_ms": 10, "ended_ms": 11},
        ],
        appends=[
            {"base_offset": 0, "record_count": 2, "appended_ms": 2},
            {"base_offset": 2, "record_count": 2, "appended_ms": 5},
        ],
        commits=[
            {"offset": 1, "at_ms": 4},
            {"offset": 4, "at_ms": 12},
        ],
        **fields,  # type: ignore[arg-type]
    )


def test_offsets_change_when_they_do_and_at_no_other_time() -> None:
    table = offsets(one_partition())
    assert table["at_ms"].tolist() == [0, 2, 3, 4, 5, 8, 9, 10, 12]
    assert table["log_end"].tolist() == [0, 2, 2, 2, 4, 4, 4, 4, 4]
    assert table["position"].tolist() == [0, 0, 1, 2, 2, 2, 3, 4, 4]
    assert table["committed"].tolist() == [0, 0, 0, 1, 1, 1, 1, 1, 4]
    assert table.attrs["title"] == "Offsets of orders-0, read by billing"


def test_a_position_falls_when_work_is_begun_again() -> None:
    result = small_result(
        records=[
            {"intended_ms": n, "appended_ms": n, "partition": 0, "offset": n}
            for n in range(2)
        ],
        deliveries=[
            {"record_id": 0, "started_ms": 2, "ended_ms": 3},
            {"record_id": 1, "started_ms": 3, "outcome": "abandoned"},
            {"record_id": 0, "started_ms": 7, "ended_ms": 8, "delivery_count": 2},
        ],
        appends=[{"base_offset": 0, "record_count": 2, "appended_ms": 1}],
        commits=[],
    )
    assert offsets(result)["position"].tolist() == [0, 0, 1, 2, 1]


def test_a_position_rises_where_a_member_begins_beyond_what_was_begun() -> None:
    beginnings = [
        {"since_ms": 0, "until_ms": 1},
        {"since_ms": 4, "start_offset": 3},
    ]
    appends = [{"base_offset": 0, "record_count": 4, "appended_ms": 0}]
    result = skipping(assignments=beginnings, appends=appends, commits=[])
    table = offsets(result)
    beyond = table[table["at_ms"] == 4]
    assert beyond["position"].tolist() == [3]


def test_a_latecomer_has_no_position_until_it_begins() -> None:
    source = Source(stream="orders", arrivals=Periodic(rate_per_s=1.0))
    late = Subscriber(streams=["orders"], from_s=0.003, wants="all")
    traffic = Traffic({"web": source}, {"billing": late}, duration_s=1.0)
    table = offsets(one_partition(scenario=Scenario(traffic)))
    assert table["position"].isna().tolist() == [True, True, *([False] * 7)]
    assert table["committed"].isna().sum() == 3
    assert table["log_end"].isna().sum() == 0


def skipping(**fields: object) -> Result:
    # Four records are appended at 0, 1, 2 and 3 ms. The group works on the first, is
    # gone, and begins again at offset 3 at 5 ms.
    return small_result(
        records=[
            {"intended_ms": n, "appended_ms": n, "partition": 0, "offset": n}
            for n in range(4)
        ],
        deliveries=[
            {"record_id": 0, "ended_ms": 1},
            {"record_id": 3, "ended_ms": 6},
        ],
        **fields,  # type: ignore[arg-type]
    )


def test_what_a_reset_skips_leaves_lag_when_reading_begins_beyond_it() -> None:
    beginnings = [
        {"since_ms": 0, "until_ms": 1},
        {"since_ms": 5, "start_offset": 3},
    ]
    table = lag(skipping(assignments=beginnings), bin_ms=1)
    assert table["lag_records"].tolist() == [1, 1, 2, 3, 3, 1, 0]
    table = lag(skipping(), bin_ms=1)
    assert table["lag_records"].tolist() == [1, 1, 2, 3, 3, 3, 2]


def test_lag_steps_at_appends_and_ends_of_work() -> None:
    table = lag(one_partition(), bin_ms=1)
    assert table["at_ms"].tolist() == list(range(12))
    assert table["lag_records"].tolist() == [0, 0, 2, 2, 1, 3, 3, 3, 3, 2, 1, 0]
    assert table["lag_records_max"].tolist() == [0, 0, 2, 2, 1, 3, 3, 3, 3, 2, 1, 0]


def test_a_wide_bin_keeps_the_exact_peak() -> None:
    table = lag(one_partition(), bin_ms=6)
    assert table["lag_records"].tolist() == [0, 3]
    assert table["lag_records_max"].tolist() == [3, 3]


def test_lag_in_seconds_is_the_age_of_the_oldest_that_waits() -> None:
    """Appended at 1, 1 and 2 ms; one of the first two is never done."""
    table = lag(two_partitions(), by="partition", bin_ms=1)
    ages = (1e3 * table["lag_s"]).groupby(table["partition"]).apply(list).to_dict()
    assert ages == {0: [0, 0, 1, 0], 2: [0, 0, 1, 2]}
    peaks = (1e3 * table["lag_s_max"]).groupby(table["partition"]).apply(list).to_dict()
    assert peaks == {0: [0, 1, 2, 0], 2: [0, 1, 2, 3]}


def two_partitions() -> Result:
    traffic = Traffic(
        {"web": Source(stream="orders", arrivals=Periodic(rate_per_s=1.0))},
        {"billing": Subscriber(streams=["orders"])},
        duration_s=1.0,
    )
    return small_result(
        records=[
            {"intended_ms": 0, "appended_ms": 1, "partition": 0, "offset": 0},
            {"intended_ms": 0, "appended_ms": 1, "partition": 2, "offset": 0},
            {"intended_ms": 1, "appended_ms": 2, "partition": 2, "offset": 1},
        ],
        deliveries=[{"record_id": 0, "ended_ms": 3}],
        scenario=Scenario(traffic, Kafka(topics={"orders": Topic(partitions=3)})),
    )


def test_lag_by_partition_has_a_series_for_each_that_holds_records() -> None:
    table = lag(two_partitions(), by="partition", bin_ms=1)
    series = table.groupby("partition")["lag_records"].apply(list).to_dict()
    assert series == {0: [0, 1, 1, 0], 2: [0, 1, 2, 2]}
    assert set(table["topic"]) == {"orders"}


def test_lag_of_one_partition_leaves_out_the_others() -> None:
    table = lag(two_partitions(), partition=0, bin_ms=1)
    assert table["lag_records"].tolist() == [0, 1, 1, 0]
    assert len(lag(two_partitions(), partition=1)) == 0


def test_a_system_without_a_log_has_no_lag_and_no_offsets() -> None:
    result = small_result(
        records=[{"intended_ms": 0}], deliveries=[{"record_id": 0, "ended_ms": 1}]
    )
    assert len(lag(result)) == 0
    assert list(lag(result)) == [
        "subscriber",
        "at_ms",
        "lag_records",
        "lag_records_max",
        "lag_s",
        "lag_s_max",
    ]
    with pytest.raises(TableNotRecorded, match="appends"):
        offsets(result)


def test_what_does_not_exist_is_named() -> None:
    result = one_partition()
    with pytest.raises(ValidationError, match="one of billing"):
        lag(result, subscriber="nobody")
    with pytest.raises(ValidationError, match="one of billing"):
        offsets(result, subscriber="nobody")
    with pytest.raises(ValidationError, match="one of orders"):
        offsets(result, topic="payments")
    with pytest.raises(ValidationError, match="0 to 0"):
        offsets(result, partition=1)
    with pytest.raises(ValidationError, match="subscriber or partition"):
        lag(result, by="topic")  # type: ignore[arg-type]
    with pytest.raises(ValidationError, match="above 0 ms"):
        lag(result, bin_ms=0)


def test_one_subscriber_can_be_asked_for() -> None:
    table = lag(one_partition(), subscriber="billing", bin_ms=6)
    assert table["subscriber"].tolist() == ["billing", "billing"]


def test_a_log_starts_at_the_oldest_segment_that_is_left() -> None:
    """With a gap before it: compaction emptied what had come between."""
    segment = {"topic": "orders", "partition": 0, "broker": 1, "created_ms": 0}
    compacted = {"deleted_ms": 7, "cause": "compaction"}
    result = one_partition(
        segments=[
            segment | compacted | {"base_offset": 0, "end_offset": 2},
            segment | {"created_ms": 7, "deleted_ms": 8, "cause": "time"}
            | {"base_offset": 0, "end_offset": 1},
            segment | {"base_offset": 2, "end_offset": 3, "deleted_ms": 10}
            | {"cause": "size"},
            segment | {"created_ms": 5, "base_offset": 3, "end_offset": 4},
        ]
    )  # fmt: skip

    rows = offsets(result)

    assert rows["log_start"][rows["at_ms"] >= 8].tolist() == [2, 2, 3, 3]
    assert rows["log_start"][rows["at_ms"] < 8].unique().tolist() == [0]
