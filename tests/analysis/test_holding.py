"""What a queue and a log hold, on runs written by hand."""

from typing import Any

from kafkasim.analysis.holding import held, readings
from kafkasim.result.result import Result
from kafkasim.scenario.arrivals import Periodic
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.traffic import Source, Subscriber, Traffic
from kafkasim.testing.builders import small_result

SCENARIO = Scenario(
    Traffic(
        {"web": Source(stream="orders", arrivals=Periodic(rate_per_s=1.0))},
        {
            "billing": Subscriber(streams=["orders"]),
            "late": Subscriber(streams=["orders"], from_s=0.015, wants="all"),
        },
        duration_s=1.0,
    )
)


def delivery(record: int, who: str, ended: float | None) -> dict[str, Any]:
    fetched = None if ended is None else ended - 1
    outcome = "in_flight" if ended is None else "processed"
    return {
        "record_id": record,
        "subscriber": who,
        "fetched_ms": fetched,
        "ended_ms": ended,
        "outcome": outcome,
    }


def steps(result: Result) -> list[tuple[float, int]]:
    table = held(result)
    return list(zip(table["at_ms"].tolist(), table["held"].tolist(), strict=True))


def test_a_queue_holds_a_record_until_all_who_were_there_have_read_it() -> None:
    result = small_result(
        records=[
            {"intended_ms": 0.0, "acked_ms": 2.0},  # before `late` came
            {"intended_ms": 20.0, "acked_ms": 22.0},
            {"intended_ms": 30.0, "acked_ms": 32.0},
        ],
        deliveries=[
            *(delivery(0, "billing", 5.0), delivery(1, "billing", 25.0)),
            *(delivery(1, "late", 40.0), delivery(2, "billing", 35.0)),
            delivery(2, "late", None),
        ],
        scenario=SCENARIO,
    )

    # The last is acknowledged, held by no log, and not read: it is lost, and not held.
    assert steps(result) == [(0, 0), (2, 1), (5, 0), (22, 1), (32, 2), (35, 1), (40, 0)]


def test_what_is_handed_out_before_the_source_knows_is_held_from_then() -> None:
    result = small_result(
        records=[{"intended_ms": 0.0, "acked_ms": 9.0}],
        deliveries=[delivery(0, "billing", 5.0)],
        scenario=SCENARIO,
    )

    assert steps(result) == [(0, 0), (4, 1), (5, 0)]


def test_a_log_holds_a_record_whoever_read_it_until_it_is_removed() -> None:
    at = {"topic": "orders", "partition": 0}
    result = small_result(
        records=[
            at | {"acked_ms": 2.0 + n, "appended_ms": 1.0 + n, "offset": n}
            for n in range(3)
        ],
        deliveries=[delivery(n, "billing", 5.0 + n) for n in range(3)],
        removals=[
            at | {"from_offset": 0, "to_offset": 2, "at_ms": 50.0, "cause": "time"}
        ],
        scenario=SCENARIO,
    )

    assert steps(result) == [(0, 0), (1, 1), (2, 2), (3, 3), (50, 1)]


def test_readings_count_every_time_and_the_first_times_apart() -> None:
    result = small_result(
        records=[{"acked_ms": 2.0}, {"acked_ms": 3.0}],
        deliveries=[
            *(delivery(0, "billing", 5.0), delivery(1, "billing", 6.0)),
            *(delivery(0, "billing", 9.0), delivery(0, "late", 7.0)),
            delivery(1, "late", None),
        ],
        scenario=SCENARIO,
    )

    table = readings(result)
    assert table["subscriber"].tolist() == ["billing", "billing", "billing", "late"]
    assert table["at_ms"].tolist() == [5, 6, 9, 7]
    assert table["readings"].tolist() == [1, 2, 3, 1]
    assert table["first_readings"].tolist() == [1, 2, 2, 1]
