"""What pipelines without a log may be set to."""

import pytest

from kafkasim.errors import ValidationError
from kafkasim.scenario.arrivals import Periodic
from kafkasim.scenario.pipelines import PointToPoint, Relay
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.systems import System
from kafkasim.scenario.traffic import Source, Subscriber, Traffic

TRAFFIC = Traffic(
    {"web": Source("orders", Periodic(1))},
    {"billing": Subscriber(["orders"])},
    duration_s=2,
)


def test_a_synchronous_source_has_no_queues() -> None:
    with pytest.raises(ValidationError, match="has no queues") as caught:
        PointToPoint(queue_events=5)

    assert caught.value.path == "queue_events"
    assert PointToPoint(mode="asynchronous", queue_events=5).queue_events == 5


@pytest.mark.parametrize("kind", [PointToPoint, Relay])
def test_the_longest_backoff_is_no_shorter_than_the_first(
    kind: type[PointToPoint] | type[Relay],
) -> None:
    said = {"retry_backoff_ms": 50.0, "retry_backoff_max_ms": 10.0}
    if kind is PointToPoint:
        said |= {"mode": "asynchronous"}  # type: ignore[dict-item]
    with pytest.raises(ValidationError, match="at least retry_backoff_ms"):
        kind(**said)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "system",
    [
        PointToPoint(mode="asynchronous", give_up_s=3.0, on_full="drop"),
        Relay(prefetch=1, queue_mb=0.5),
    ],
)
def test_a_file_brings_it_back_and_words_tell_of_it(system: System) -> None:
    scenario = Scenario(TRAFFIC, system, seed=3)

    assert Scenario.from_toml(scenario.to_toml()) == scenario
    text = scenario.describe()
    assert "give_up_s 3.0" in text or "prefetch 1" in text
    assert scenario.value_at("system.hardware.link.delay_ms") == 0.2
