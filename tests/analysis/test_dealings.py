"""What became of each record for each subscriber that wants it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kafkasim.analysis.dealings import RECEIPT_OUTCOMES, dealings
from kafkasim.analysis.receiving import receipts
from kafkasim.engine.sim.run import run
from kafkasim.errors import TableNotRecorded
from kafkasim.result.recorder import Recorder
from kafkasim.result.result import Result
from kafkasim.scenario.arrivals import Periodic
from kafkasim.scenario.rabbitmq import RabbitMQ
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.traffic import Source, Subscriber, Traffic
from kafkasim.testing.builders import small_result
from kafkasim.units import MISSING_NS


def scenario(**subscribers: Subscriber) -> Scenario:
    sources = {
        "pay": Source(stream="payments", arrivals=Periodic(rate_per_s=1.0)),
        "web": Source(stream="orders", arrivals=Periodic(rate_per_s=1.0)),
    }
    return Scenario(Traffic(sources, subscribers, duration_s=1.0))


def outcomes(result: Result, subscriber: str) -> dict[int, str]:
    table = receipts(result)
    mine = table[table["subscriber"] == subscriber]
    return dict(zip(mine["record_id"], mine["outcome"].astype(str), strict=True))


def test_a_receipt_is_a_record_and_a_subscriber_that_wants_its_stream() -> None:
    result = small_result(
        records=[
            {"source": "pay", "stream": "payments", "intended_ms": 0},
            {"intended_ms": 1},
        ],
        deliveries=[{"record_id": 1, "ended_ms": 3}],
        scenario=scenario(
            billing=Subscriber(streams=["orders"]),
            audit=Subscriber(streams=["orders", "payments"]),
        ),
    )
    table = receipts(result)
    assert list(table) == [
        "record_id",
        "subscriber",
        "deliveries",
        "first_processed_ms",
        "outcome",
    ]
    assert table["record_id"].tolist() == [1, 0, 1]
    assert table["subscriber"].tolist() == ["billing", "audit", "audit"]
    assert table["deliveries"].tolist() == [1, 0, 0]
    assert table["outcome"].tolist() == ["once", "pending", "pending"]
    assert table["first_processed_ms"].iloc[0] == 3.0
    assert table["first_processed_ms"].isna().tolist() == [False, True, True]


def test_processed_twice_is_duplicated_and_the_first_time_counts() -> None:
    result = small_result(
        records=[{"intended_ms": 0}],
        deliveries=[
            {"record_id": 0, "ended_ms": 9},
            {"record_id": 0, "ended_ms": 4, "delivery_count": 2},
        ],
    )
    table = receipts(result)
    assert table["outcome"].tolist() == ["duplicated"]
    assert table["first_processed_ms"].tolist() == [4.0]
    assert table["deliveries"].tolist() == [2]


def test_abandoned_work_is_a_delivery_and_no_processing() -> None:
    result = small_result(
        records=[{"intended_ms": 0}, {"intended_ms": 1}],
        deliveries=[
            {"record_id": 0, "started_ms": 2, "outcome": "abandoned"},
            {"record_id": 0, "ended_ms": 8, "delivery_count": 2},
            {"record_id": 1, "started_ms": 2, "outcome": "abandoned"},
        ],
    )
    table = receipts(result)
    assert table["deliveries"].tolist() == [2, 1]
    assert table["outcome"].tolist() == ["once", "pending"]


def test_what_a_client_gave_up_is_not_accepted() -> None:
    result = small_result(
        records=[{"intended_ms": 0, "outcome": "failed"}, {"intended_ms": 1}],
        deliveries=[{"record_id": 1, "ended_ms": 3}],
    )
    assert outcomes(result, "billing") == {0: "not_accepted", 1: "once"}


def test_acknowledged_and_held_by_no_log_is_lost() -> None:
    result = small_result(
        records=[
            {"intended_ms": 0, "acked_ms": 2},
            {
                "intended_ms": 1,
                "acked_ms": 2,
                "partition": 0,
                "offset": 0,
                "appended_ms": 2,
            },
        ],
        scenario=scenario(billing=Subscriber(streams=["orders"])),
    )
    assert outcomes(result, "billing") == {0: "lost", 1: "pending"}


def in_log(number: int, partition: int, offset: int, **more: str) -> dict[str, object]:
    return {
        "intended_ms": number,
        "appended_ms": number,
        "acked_ms": number,
        "partition": partition,
        "offset": offset,
        **more,
    }


def test_what_a_reset_position_passed_is_skipped() -> None:
    result = small_result(
        records=[
            *(in_log(offset, 0, offset) for offset in range(4)),
            *(in_log(offset, 1, offset) for offset in range(3)),
            {"intended_ms": 9, "partition": 0},
        ],
        deliveries=[{"record_id": 1, "ended_ms": 7}],
        assignments=[
            # Partition 1 is begun at 2 only by another group.
            {"partition": 0, "since_ms": 9, "start_offset": 2},
            {"partition": 0, "since_ms": 5, "start_offset": 3},
            {"partition": 1, "since_ms": 5, "start_offset": 1},
            {"partition": 1, "since_ms": 5, "start_offset": 2, "group": "audit"},
        ],
    )
    assert outcomes(result, "billing") == {
        0: "skipped",
        1: "once",
        2: "skipped",
        3: "pending",
        4: "skipped",
        5: "pending",
        6: "pending",
        7: "pending",
    }
    (billing,) = dealings(result)
    ms = [at // 1_000_000 for at in billing.left_ns.tolist()]
    assert ms[:3] == [5, 7, 5]
    assert ms[4] == 5
    assert billing.skipped_ns[1] == billing.left_ns[3] == MISSING_NS


def test_the_first_beginning_beyond_a_record_is_when_it_was_skipped() -> None:
    result = small_result(
        records=[in_log(number, 0, number) for number in range(4)],
        assignments=[
            {"since_ms": 0, "start_offset": 0},
            {"since_ms": 4, "start_offset": 1},
            {"since_ms": 6, "start_offset": 3},
        ],
        scenario=scenario(billing=Subscriber(streams=["orders"])),
    )
    (billing,) = dealings(result)
    found = billing.skipped_ns.tolist()
    assert found == [4_000_000, 6_000_000, 6_000_000, MISSING_NS]


def test_a_position_skips_nothing_of_another_topic() -> None:
    result = small_result(
        records=[
            in_log(0, 0, 0, source="pay", stream="payments"),
            in_log(1, 0, 0),
        ],
        assignments=[
            {"group": "audit", "topic": "elsewhere", "start_offset": 9},
            {"group": "audit", "topic": "orders", "start_offset": 0},
            {"group": "audit", "topic": "payments", "start_offset": 1},
        ],
        scenario=scenario(audit=Subscriber(streams=["orders", "payments"])),
    )
    assert outcomes(result, "audit") == {0: "skipped", 1: "pending"}


POSITIONS = st.tuples(st.integers(0, 2), st.integers(0, 9), st.integers(0, 6))


@given(
    st.sets(st.tuples(st.integers(0, 2), st.integers(0, 5)), min_size=1, max_size=12),
    st.lists(POSITIONS, max_size=8),
    st.sets(st.integers(0, 11)),
)
@settings(max_examples=60, deadline=None)
def test_skipped_is_what_its_definition_says(
    places: set[tuple[int, int]],
    beginnings: list[tuple[int, int, int]],
    done: set[int],
) -> None:
    kept = sorted(places)
    result = small_result(
        records=[in_log(0, *place) for place in kept],
        deliveries=[
            {"record_id": n, "ended_ms": 20} for n in range(len(kept)) if n in done
        ],
        assignments=[
            {"partition": partition, "since_ms": since, "start_offset": start}
            for partition, since, start in beginnings
        ],
        scenario=scenario(billing=Subscriber(streams=["orders"])),
    )
    (billing,) = dealings(result)
    for number, (partition, offset) in enumerate(kept):
        passed = [
            since * 1_000_000
            for theirs, since, start in beginnings
            if theirs == partition and start > offset and number not in done
        ]
        assert billing.skipped_ns[number] == min(passed, default=MISSING_NS)


def test_a_latecomer_that_wants_all_is_told_what_was_not_kept() -> None:
    result = small_result(
        records=[
            {"intended_ms": 0, "acked_ms": 1},
            {"intended_ms": 40, "acked_ms": 60},
            {"intended_ms": 70, "acked_ms": 75},
        ],
        deliveries=[
            {"record_id": 1, "subscriber": "late", "ended_ms": 60},
            {"record_id": 2, "subscriber": "late", "ended_ms": 75},
        ],
        scenario=scenario(
            late=Subscriber(streams=["orders"], from_s=0.05, wants="all")
        ),
    )
    assert outcomes(result, "late") == {0: "not_kept", 1: "once", 2: "once"}


def test_what_a_blocked_source_still_holds_is_pending_for_a_latecomer_too() -> None:
    result = small_result(
        records=[{"intended_ms": 0}],
        scenario=scenario(
            late=Subscriber(streams=["orders"], from_s=0.05, wants="all")
        ),
    )
    assert outcomes(result, "late") == {0: "pending"}


def test_a_latecomer_that_wants_what_is_new_has_no_receipt_for_the_old() -> None:
    result = small_result(
        records=[{"intended_ms": 0}, {"intended_ms": 50}],
        deliveries=[
            {"record_id": 0, "subscriber": "late", "ended_ms": 60},
            {"record_id": 1, "subscriber": "late", "ended_ms": 61},
        ],
        scenario=scenario(late=Subscriber(streams=["orders"], from_s=0.05)),
    )
    assert outcomes(result, "late") == {1: "once"}
    (late,) = dealings(result)
    assert late.rows.tolist() == [1]
    assert late.done.tolist() == [True]


def test_no_record_is_no_receipt() -> None:
    empty = small_result(scenario=scenario(billing=Subscriber(streams=["orders"])))
    assert len(receipts(empty)) == 0
    assert receipts(empty)["outcome"].cat.categories.tolist() == list(RECEIPT_OUTCOMES)


def test_without_deliveries_there_are_no_receipts_to_make() -> None:
    recorder = Recorder()
    document = scenario(billing=Subscriber(streams=["orders"]))
    bare = recorder.finish(document, document.plan(), {}, {"records": "only counts"})
    with pytest.raises(TableNotRecorded, match="only counts"):
        receipts(bare)


def test_a_queue_holds_a_record_for_its_own_subscriber_alone() -> None:
    traffic = Traffic(
        {"web": Source("orders", Periodic(100.0))},
        {
            "slow": Subscriber(["orders"], work_ms=1_000.0),
            "late": Subscriber(["orders"], from_s=0.015, wants="all"),
        },
        duration_s=0.03,
    )
    result = run(Scenario(traffic, RabbitMQ(), end="cut"))
    became = receipts(result)
    of = {name: rows.tolist() for name, rows in became.groupby("subscriber")["outcome"]}
    assert of["slow"] == ["pending"] * 3
    assert of["late"] == ["not_kept", "not_kept", "once"]
