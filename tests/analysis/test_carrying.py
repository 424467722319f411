"""What is wanted and carried in the second half, on a run written by hand."""

import pytest

from kafkasim.analysis.carrying import carrying, is_saturated
from kafkasim.result.result import Result
from kafkasim.scenario.arrivals import Periodic
from kafkasim.scenario.pipelines import PointToPoint
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.traffic import Source, Subscriber, Traffic
from kafkasim.testing.builders import small_result


def run_of(ends_ms: list[float]) -> Result:
    """Return a run of 100 ms with a record wanted every 10 ms, for two subscribers."""
    traffic = Traffic(
        {"web": Source("orders", Periodic(rate_per_s=100.0))},
        {name: Subscriber(["orders"]) for name in ("a", "b")},
        duration_s=0.1,
    )
    return small_result(
        records=[{"intended_ms": 10.0 * n, "acked_ms": 10.0 * n} for n in range(10)],
        deliveries=[
            {"record_id": n, "subscriber": name, "ended_ms": end}
            for name in ("a", "b")
            for n, end in enumerate(ends_ms)
        ],
        links=[{"sender": "source:web", "receiver": "subscriber:a"}],
        scenario=Scenario(traffic, PointToPoint()),
    )


def test_only_the_second_half_of_the_time_of_sending_counts() -> None:
    """Done at 50 and 99.9 ms counts, at 49.9 and 100 ms does not."""
    found = carrying(run_of([1.0, 49.9, 50.0, 99.9, 100.0, 140.0]))

    assert found["wanted_per_s"] == pytest.approx(100)
    assert found["saturation_per_s"] == pytest.approx(2 / 0.05)
    assert found["saturation_per_machine_s"] == pytest.approx(40 / 3)


@pytest.mark.parametrize(("count", "is_too_much"), [(0, False), (2, True), (3, False)])
def test_twice_as_much_as_is_carried_is_too_much(
    count: int,
    is_too_much: bool,  # noqa: FBT001 - what is expected
) -> None:
    ends_ms = [60.0 + n for n in range(count)]
    assert is_saturated(carrying(run_of(ends_ms))) == is_too_much
