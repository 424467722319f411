"""What a member does while it asks where to go on, its position being out of range."""

from collections.abc import Callable

import pytest

from kafkasim.config.broker import BrokerConfig
from kafkasim.config.consumer import ConsumerConfig
from kafkasim.config.topic import TopicConfig
from kafkasim.engine.sim.run import run
from kafkasim.scenario.arrivals import Periodic
from kafkasim.scenario.events import Pause
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.systems import Group, Kafka, Topic
from kafkasim.scenario.traffic import Source, Subscriber, Traffic
from tests.engine.sim.test_log_manager import kept

Builder = Callable[..., Scenario]


@pytest.mark.parametrize("wants", ["all", "new"])
def test_a_broker_with_no_other_partition_gets_no_fetch_until_the_answer(
    scenario_of: Builder, wants: str
) -> None:
    """`AbstractFetch.prepareFetchRequests`: a position being reset is not fetchable."""
    config = TopicConfig(segment_ms=95, retention_ms=30)
    pause = Pause("subscriber:billing", at_s=0.055, for_s=0.212)
    result = run(kept(scenario_of, config, events=(pause,), wants=wants), check=True)

    requests = result.table("requests")
    asked = requests[requests["api"] == "ListOffsets"].iloc[0]
    fetches = requests["sent_ms"][requests["api"] == "Fetch"]
    assert not fetches.between(asked["sent_ms"], asked["answered_ms"] - 1e-6).any()
    # It goes on at once when it knows.
    assert (fetches == asked["answered_ms"]).sum() == 1


def behind(reset: str, from_s: float = 0.0) -> Scenario:
    """One record a second, kept for 10 s, and a reader that takes 2 s for each."""
    looks = BrokerConfig(
        log_retention_check_interval_ms=1_000, log_initial_task_delay_ms=0
    )
    short = TopicConfig(segment_ms=2_000, retention_ms=10_000)
    slow = Subscriber(["orders"], work_ms=2_000, wants="all", from_s=from_s)
    config = ConsumerConfig(auto_offset_reset=reset)
    return Scenario(
        Traffic({"web": Source("orders", Periodic(1))}, {"slow": slow}, duration_s=50),
        Kafka(
            topics={"orders": Topic(config=short)},
            broker_config=looks,
            groups={"slow": Group(config=config)},
        ),
        drain_limit_s=60,
    )


@pytest.mark.parametrize(
    ("reset", "offset"), [("earliest", 30), ("latest", 43), ("by_duration:PT5S", 38)]
)
def test_a_position_out_of_range_is_reset_as_the_setting_says(
    reset: str, offset: int
) -> None:
    """It asks at 42 s, when record k was created at k seconds (KIP-1106)."""
    result = run(behind(reset), check=True)
    starts = result.columns("assignments")["start_offset"].tolist()
    assert starts[:2] == [0, offset]
    assert result.facts["drained"] == 1
    assert result.table("violations").empty


def test_when_no_record_is_so_young_it_asks_again_after_request_timeout() -> None:
    """An unknown offset is no answer (`OffsetFetcherUtils`)."""
    result = run(behind("by_duration:PT0S"), check=True)
    requests = result.table("requests")
    asked = requests["sent_ms"][requests["api"] == "ListOffsets"].tolist()
    assert asked[1] - asked[0] == 30_000


@pytest.mark.parametrize("from_s", [0.0, 20.0])
def test_without_a_reset_an_exception_ends_the_application(from_s: float) -> None:
    """OffsetOutOfRangeException; NoOffsetForPartitionException at the start."""
    result = run(behind("none", from_s), check=True)
    assignments = result.table("assignments")
    if from_s:
        assert assignments.empty
    else:
        assert assignments["until_ms"].tolist() == pytest.approx([42_006], abs=1)
    assert result.facts["drained"] == 0
    assert "ListOffsets" not in result.table("requests")["api"].tolist()
    assert result.table("violations").empty
