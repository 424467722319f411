"""The eleven metrics: by hand, and against their definitions in plain Python."""

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kafkasim.analysis.measures import METRICS, metrics, summary
from kafkasim.result.result import Result
from kafkasim.scenario.arrivals import Periodic
from kafkasim.scenario.pipelines import PointToPoint
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.systems import Kafka, Topic
from kafkasim.scenario.traffic import Source, Subscriber, Traffic
from kafkasim.testing.builders import small_result


def placed(
    intended_ms: float, partition: int, offset: int, **more: str
) -> dict[str, Any]:
    """Return a record appended 1 ms after it was intended, acknowledged 1 ms later."""
    return {
        "intended_ms": intended_ms,
        "appended_ms": intended_ms + 1,
        "acked_ms": intended_ms + 2,
        "partition": partition,
        "offset": offset,
        **more,
    }


def scenario(
    system: Kafka | PointToPoint,
    *,
    subscribers: dict[str, Subscriber] | None = None,
    warmup_s: float = 0.0,
) -> Scenario:
    names = subscribers or {"billing": Subscriber(streams=["orders"])}
    sources = {"web": Source(stream="orders", arrivals=Periodic(rate_per_s=1.0))}
    return Scenario(Traffic(sources, names, duration_s=1.0, warmup_s=warmup_s), system)


def five_records() -> Result:
    # Entity N: intended 0 1 2 3 4 ms, processed at 7 2.5 3.5 9 5.5 ms.
    places = [(0, 0), (1, 0), (1, 1), (0, 1), (1, 2)]
    return small_result(
        records=[
            placed(at, partition, offset, key="N")
            for at, (partition, offset) in enumerate(places)
        ],
        deliveries=[
            {"record_id": record, "ended_ms": ended}
            for record, ended in enumerate([7, 2.5, 3.5, 9, 5.5])
        ],
        scenario=scenario(Kafka(topics={"orders": Topic(partitions=4)})),
    )


def test_five_records_by_hand() -> None:
    found = metrics(five_records())
    assert list(found) == list(METRICS)
    # Five records from the first intended (0 ms) to the last processed (9 ms).
    assert found["throughput_per_s"] == pytest.approx(5 / 0.009)
    # Latencies 7, 1.5, 1.5, 6, 1.5 ms.
    assert found["latency_ms_p50"] == 1.5
    assert found["latency_ms_p99"] == 7.0
    # Waiting after 1, 2, 3, 4 and 5 ms: 1, 2, 2, 2, 3.
    assert found["lag_records_max"] == 3
    assert found["drain_s"] == pytest.approx(0.005)
    # Records per partition 2, 3, 0, 0: fullest 3, mean 5 / 4.
    assert found["partition_imbalance"] == pytest.approx(2.4)
    # The first and the fourth were overtaken.
    assert found["overtaken_share"] == pytest.approx(0.4)
    assert found["duplicated"] == 0
    assert found["lost"] == 0
    assert found["records"] == 5


def test_a_system_without_a_log_has_neither_lag_nor_partitions() -> None:
    result = small_result(
        records=[{"intended_ms": 0, "acked_ms": 3}, {"intended_ms": 1, "acked_ms": 4}],
        deliveries=[{"record_id": 0, "ended_ms": 2}, {"record_id": 1, "ended_ms": 4}],
        scenario=scenario(PointToPoint()),
    )
    found = metrics(result)
    assert math.isnan(found["lag_records_max"])
    assert math.isnan(found["partition_imbalance"])
    assert math.isnan(found["overtaken_share"])
    assert found["throughput_per_s"] == pytest.approx(2 / 0.004)


def test_while_a_record_is_pending_nothing_has_drained() -> None:
    result = small_result(
        records=[placed(0, 0, 0), placed(1, 0, 1)],
        deliveries=[{"record_id": 0, "ended_ms": 5}],
    )
    found = metrics(result)
    assert math.isnan(found["drain_s"])
    assert found["pending"] == 1
    assert found["latency_ms_p99"] == 5.0
    assert summary(result)["pending"].tolist() == [1]


def test_what_a_reset_skipped_is_waited_for_no_more() -> None:
    given = {
        "records": [placed(at, 0, at) for at in range(5)],
        "deliveries": [
            {"record_id": 0, "ended_ms": 1.5},
            {"record_id": 4, "ended_ms": 9},
        ],
    }
    # Appended at 1, 2, 3, 4 and 5 ms; at 4.5 ms reading begins again at offset 4.
    beginnings = [{"since_ms": 0}, {"since_ms": 4.5, "start_offset": 4}]
    result = small_result(**given, assignments=beginnings)  # type: ignore[arg-type]
    found = metrics(result)
    assert found["drain_s"] == pytest.approx(0.005)
    assert found["lag_records_max"] == 3
    assert found["lost"] == 0
    assert summary(result)["skipped"].tolist() == [3]
    assert summary(result)["pending"].tolist() == [0]

    waiting = small_result(**given)  # type: ignore[arg-type]
    assert math.isnan(metrics(waiting)["drain_s"])
    assert metrics(waiting)["lag_records_max"] == 4
    assert summary(waiting)["pending"].tolist() == [3]


def test_warm_up_leaves_out_what_was_intended_in_it_but_not_its_backlog() -> None:
    result = small_result(
        records=[placed(at, 0, at) for at in range(6)],
        deliveries=[
            {"record_id": record, "ended_ms": ended}
            for record, ended in enumerate([5.5, 6.5, 7.5, 8.5, 9.5, 10.5])
        ],
        scenario=scenario(Kafka(), warmup_s=0.004),
    )
    found = metrics(result)
    # Only the records intended at 4 and 5 ms: latencies 5.5, until 10.5 ms.
    assert found["latency_ms_p50"] == 5.5
    assert found["throughput_per_s"] == pytest.approx(2 / 0.0065)
    # At 5 ms five have been appended and none processed; at 6 ms six and one.
    assert found["lag_records_max"] == 5
    assert found["records"] == 6


def test_a_backlog_that_warm_up_saw_the_end_of_is_not_measured() -> None:
    result = small_result(
        records=[placed(0, 0, 0), placed(0, 0, 1), placed(0, 0, 2), placed(5, 0, 3)],
        deliveries=[{"record_id": record, "ended_ms": 2} for record in range(3)]
        + [{"record_id": 3, "ended_ms": 7}],
        scenario=scenario(Kafka(), warmup_s=0.004),
    )
    assert metrics(result)["lag_records_max"] == 1


def test_the_lag_of_a_latecomer_counts_from_when_it_comes() -> None:
    subscribers = {
        "late": Subscriber(streams=["orders"], from_s=0.0035, wants="all"),
    }
    result = small_result(
        records=[placed(at, 0, at) for at in range(4)],
        deliveries=[
            {"record_id": record, "subscriber": "late", "ended_ms": 3.6}
            for record in range(3)
        ]
        + [{"record_id": 3, "subscriber": "late", "ended_ms": 4.5}],
        scenario=scenario(Kafka(), subscribers=subscribers),
    )
    # When it comes at 3.5 ms three records have been appended.
    assert metrics(result)["lag_records_max"] == 3


def test_over_subscribers_means_and_the_worst_are_taken() -> None:
    subscribers = {
        "audit": Subscriber(streams=["orders"]),
        "billing": Subscriber(streams=["orders"]),
    }
    result = small_result(
        records=[placed(0, 0, 0, key="N"), placed(1, 0, 1, key="N")],
        deliveries=[
            {"record_id": 0, "subscriber": "billing", "ended_ms": 2},
            {"record_id": 1, "subscriber": "billing", "ended_ms": 4},
            {"record_id": 0, "subscriber": "audit", "ended_ms": 20},
            {"record_id": 1, "subscriber": "audit", "ended_ms": 10},
            {"record_id": 1, "subscriber": "audit", "ended_ms": 12},
        ],
        scenario=scenario(Kafka(), subscribers=subscribers),
    )
    found = metrics(result)
    assert found["throughput_per_s"] == pytest.approx((2 / 0.004 + 2 / 0.020) / 2)
    assert found["latency_ms_p50"] == 3.0
    assert found["latency_ms_p99"] == 20.0
    assert found["drain_s"] == pytest.approx(0.019)
    assert found["overtaken_share"] == pytest.approx(0.25)
    assert found["duplicated"] == 1

    table = summary(result)
    assert table["subscriber"].tolist() == ["audit", "billing"]
    assert table["overtaken_share"].tolist() == [0.5, 0.0]
    assert table["duplicated"].tolist() == [1, 0]
    assert table["records"].tolist() == [2, 2]
    assert list(table)[1:12] == list(METRICS)


def test_no_records_give_nothing_to_measure() -> None:
    found = metrics(small_result(scenario=scenario(Kafka())))
    assert found["records"] == 0
    assert found["duplicated"] == 0
    assert all(math.isnan(found[name]) for name in METRICS[:7])


def test_the_worst_topic_decides_the_imbalance() -> None:
    result = small_result(
        records=[
            placed(0, 0, 0),
            placed(1, 1, 0),
            placed(2, 0, 0, stream="payments", source="pay"),
            placed(3, 0, 1, stream="payments", source="pay"),
            placed(4, 2, 0, stream="payments", source="pay"),
        ],
    )
    # orders 1 and 1; payments 2, 0 and 1: 2 ÷ 1.
    assert metrics(result)["partition_imbalance"] == pytest.approx(2.0)


RUNS = st.lists(
    st.tuples(
        st.integers(0, 40),  # intended
        st.integers(0, 2),  # partition
        st.integers(0, 9),  # appended after
        st.lists(st.integers(0, 30), max_size=2),  # processed after the append
        st.sampled_from(["a", "b", None]),
    ),
    min_size=1,
    max_size=25,
)


@given(RUNS)
@settings(max_examples=60, deadline=None)
def test_metrics_equal_their_definitions(
    run: list[tuple[int, int, int, list[int], str | None]],
) -> None:
    run.sort(key=lambda record: record[0])
    records = [
        {
            "intended_ms": at,
            "appended_ms": at + wait,
            "acked_ms": at + wait,
            "partition": partition,
            "offset": number,
            "entity": entity,
        }
        for number, (at, partition, wait, _, entity) in enumerate(run)
    ]
    deliveries = [
        {"record_id": number, "ended_ms": at + wait + after}
        for number, (at, _, wait, ends, _) in enumerate(run)
        for after in ends
    ]
    system = Kafka(topics={"orders": Topic(partitions=3)})
    found = metrics(small_result(records, deliveries, scenario=scenario(system)))
    expected = by_definition(run)
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, nan_ok=True), name


def by_definition(
    run: list[tuple[int, int, int, list[int], str | None]],
) -> dict[str, float]:
    first = [at + wait + min(ends) if ends else None for at, _, wait, ends, _ in run]
    done = [number for number, end in enumerate(first) if end is not None]
    ended = {number: float(end) for number, end in enumerate(first) if end is not None}
    latencies = sorted(ended[number] - run[number][0] for number in done)
    span = max([*ended.values(), run[-1][0]]) - run[0][0]
    lags = [
        sum(at + wait <= now for at, _, wait, _, _ in run)
        - sum(end <= now for end in ended.values())
        for now in range(90)
    ]
    owned = [number for number in done if run[number][4] is not None]
    overtaken = [
        number
        for number in owned
        if any(
            later > number
            and run[later][4] == run[number][4]
            and ended[later] < ended[number]
            for later in owned
        )
    ]
    sizes = np.bincount([record[1] for record in run], minlength=3)
    nan = math.nan
    return {
        "throughput_per_s": len(done) / span * 1000 if span else nan,
        "latency_ms_p50": latencies[math.ceil(len(done) / 2) - 1] if done else nan,
        "latency_ms_p99": latencies[math.ceil(0.99 * len(done)) - 1] if done else nan,
        "lag_records_max": max(lags),
        "drain_s": (
            max(0.0, max(ended.values()) - run[-1][0]) / 1000
            if len(done) == len(run)
            else nan
        ),
        "partition_imbalance": sizes.max() * 3 / len(run),
        "overtaken_share": len(overtaken) / len(owned) if owned else nan,
        "duplicated": sum(len(record[3]) > 1 for record in run),
        "lost": 0,
        "records": len(run),
    }
