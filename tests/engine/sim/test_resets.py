"""What a member does while it asks where to go on, its position being out of range."""

from collections.abc import Callable

import pytest

from kafkasim.config.topic import TopicConfig
from kafkasim.engine.sim.run import run
from kafkasim.scenario.events import Pause
from kafkasim.scenario.scenario import Scenario
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
