"""Retention, resets and compaction in a run, with times that can be worked out by hand.

A record every 10 ms, each in a batch of its own (linger 0), appended 1.5 ms after it
was created: 1 ms on the way, 0.5 ms of service.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from kafkasim.config.broker import BrokerConfig
from kafkasim.config.topic import TopicConfig
from kafkasim.engine.sim.run import run
from kafkasim.errors import ValidationError
from kafkasim.result.result import Result
from kafkasim.result.streaming_tables import stream_tables
from kafkasim.scenario.events import Event, Pause
from kafkasim.scenario.keys import UniformKeys
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.systems import Kafka, Topic
from kafkasim.scenario.traffic import Subscriber

Builder = Callable[..., Scenario]
Times = Callable[[Result, str, str], list[float | None]]

EVERY_50_MS = BrokerConfig(
    log_initial_task_delay_ms=0,
    log_retention_check_interval_ms=50,
    log_cleaner_backoff_ms=50,
)


def kept(
    scenario_of: Builder,
    config: TopicConfig,
    *,
    events: tuple[Event, ...] = (),
    wants: str = "all",
    **settings: object,
) -> Scenario:
    """A run of 0.3 s on a topic with these settings, looked at every 50 ms."""
    scenario = scenario_of(
        count=30,
        subscriber=Subscriber(["orders"], work_ms=1.0, wants=wants),  # type: ignore[arg-type]
        events=events,
        **settings,
    )
    system = scenario.system
    assert isinstance(system, Kafka)
    return replace(
        scenario,
        system=replace(
            system,
            topics={"orders": Topic(config=config)},
            broker_config=EVERY_50_MS,
        ),
    )


def test_a_segment_rolls_by_its_first_batch_and_goes_by_its_last(
    scenario_of: Builder, ms: Times
) -> None:
    config = TopicConfig(segment_ms=95, retention_ms=100)
    result = run(kept(scenario_of, config, end="cut"), check=True)
    # Timestamps 0, 10, … 90 are in the first segment: 100 is more than 95 ms later.
    segments = result.columns("segments")
    assert segments["base_offset"].tolist() == [0, 10, 20]
    assert segments["end_offset"].tolist() == [10, 20, 30]
    assert ms(result, "segments", "created_ns") == [0.0, 101.5, 201.5]
    assert ms(result, "segments", "rolled_ns") == [101.5, 201.5, None]
    assert result.segments["rolled_by"].tolist()[:2] == ["time", "time"]
    # Its largest timestamp, 90, is too old from 191 on: the next look is at 200. That
    # of the second one, 190, is so from 291 on.
    assert ms(result, "segments", "deleted_ns") == [200.0, 300.0, None]
    assert result.segments["cause"].tolist()[:2] == ["time", "time"]
    removals = result.columns("removals")
    assert removals["from_offset"].tolist() == [0, 10]
    assert removals["to_offset"].tolist() == [10, 20]
    assert ms(result, "removals", "at_ns") == [200.0, 300.0]


@pytest.mark.parametrize(("delay_ms", "gone_ms"), [(0, 400.0), (130, 430.0)])
def test_all_of_an_idle_log_goes_the_active_segment_too(
    scenario_of: Builder, ms: Times, delay_ms: int, gone_ms: float
) -> None:
    """LG-7, LG-8: looks every 50 ms after the delay; the newest record is of 290."""
    pause = Pause("subscriber:billing", at_s=0.2545, for_s=0.3)
    scenario = kept(scenario_of, TopicConfig(retention_ms=100), events=(pause,))
    assert isinstance(scenario.system, Kafka)
    broker = replace(EVERY_50_MS, log_initial_task_delay_ms=delay_ms)
    system = replace(scenario.system, broker_config=broker)
    result = run(replace(scenario, system=system), check=True)
    assert ms(result, "segments", "deleted_ns") == [gone_ms, None]
    assert ms(result, "segments", "rolled_ns") == [gone_ms, None]
    assert result.segments["rolled_by"].tolist()[0] == "retention"
    assert result.columns("segments")["base_offset"].tolist() == [0, 30]
    assert result.columns("removals")["to_offset"].tolist() == [30]


@pytest.mark.parametrize(("wants", "goes_on"), [("all", 20), ("new", 27)])
def test_a_reader_that_retention_has_passed_is_reset(
    scenario_of: Builder, wants: str, goes_on: int
) -> None:
    config = TopicConfig(segment_ms=95, retention_ms=30)
    pause = Pause("subscriber:billing", at_s=0.055, for_s=0.212)
    result = run(kept(scenario_of, config, events=(pause,), wants=wants), check=True)
    assert result.table("violations").to_dict("records") == []
    # Paused from 55 ms on, it has records 0 to 5; what a fetch under way brings, too.
    begun = result.columns("assignments")
    assert begun["start_offset"].tolist() == [0, goes_on]
    requests = result.table("requests")
    lost = requests[requests["error"] == "OFFSET_OUT_OF_RANGE"]
    assert lost["api"].tolist() == ["Fetch"]
    assert (requests["api"] == "ListOffsets").sum() == 1
    offsets = result.columns("deliveries")["offset"].tolist()
    assert offsets[-1] == 29 and goes_on in offsets
    passed = [offset for offset in range(30) if offset not in offsets]
    assert passed == list(range(passed[0], goes_on))


def test_a_fetch_returns_batches_of_one_segment(scenario_of: Builder) -> None:
    """LocalLog.read: a read goes on to the next segment only when it found nothing."""
    config = TopicConfig(segment_ms=95, retention_ms=-1)
    late = Subscriber(["orders"], work_ms=1.0, from_s=0.2995, wants="all")
    scenario = kept(scenario_of, config)
    traffic = replace(scenario.traffic, subscribers={"billing": late})
    result = run(replace(scenario, traffic=traffic), check=True)
    requests = result.table("requests")
    fetches = requests[(requests["api"] == "Fetch") & (requests["batch_count"] > 0)]
    assert fetches["batch_count"].tolist()[:3] == [10, 10, 10]


def test_compaction_keeps_the_newest_of_each_key_and_the_active_segment(
    scenario_of: Builder, ms: Times
) -> None:
    config = TopicConfig(cleanup_policy="compact", segment_ms=95)
    late = Subscriber(["orders"], work_ms=1.0, from_s=0.28, wants="all")
    scenario = kept(scenario_of, config, keys=UniformKeys(3))
    traffic = replace(
        scenario.traffic, subscribers={**scenario.traffic.subscribers, "late": late}
    )
    system = scenario.system
    assert isinstance(system, Kafka)
    both = replace(scenario, traffic=traffic, system=replace(system, groups={}))
    result = run(both, check=True)
    assert result.table("violations").to_dict("records") == []
    keys = result.columns("records")["key"]
    # Segments roll at 101.5 and 201.5; the cleaner comes every 50 ms and looks at what
    # has been rolled: offsets 0 to 9 at 150, and to 19 at 250.
    at_ms = ms(result, "removals", "at_ns")
    assert set(at_ms) == {150.0, 250.0}
    newest = {int(key): offset for offset, key in enumerate(keys[:20].tolist())}
    deliveries = result.columns("deliveries")
    mine = deliveries["subscriber"] == deliveries.labels["subscriber"].index("late")
    read = sorted(deliveries["offset"][mine].tolist())
    assert read == sorted([*newest.values(), *range(20, 30)])
    gone = np.concatenate(
        [
            np.arange(first, end)
            for first, end in zip(
                result.columns("removals")["from_offset"].tolist(),
                result.columns("removals")["to_offset"].tolist(),
                strict=True,
            )
        ]
    )
    assert sorted(gone.tolist()) == sorted(set(range(20)) - set(newest.values()))
    segments = result.table("segments")
    there = segments[segments["deleted_ms"].isna()]
    assert there["base_offset"].tolist() == [20, 0]
    assert there["record_count"].tolist() == [10, len(newest)]


def test_a_streamed_run_refuses_a_compacted_topic(scenario_of: Builder) -> None:
    scenario = kept(scenario_of, TopicConfig(cleanup_policy="compact"))
    with pytest.raises(ValidationError, match="cleanup_policy"):
        run(scenario, result="streamed")


def test_jitter_takes_something_off_the_time_of_each_segment(
    scenario_of: Builder,
) -> None:
    """`LogConfig.randomSegmentJitter`: at most the jitter, drawn for each segment."""

    def lengths_of(jitter_ms: int, seed: int = 0) -> list[int]:
        config = TopicConfig(segment_ms=45, segment_jitter_ms=jitter_ms)
        segments = run(kept(scenario_of, config, seed=seed)).columns("segments")
        lengths: list[int] = (segments["end_offset"] - segments["base_offset"]).tolist()
        return lengths[:-1]

    # Without it batches 0 to 40 ms after the first; with all of it taken off, one.
    assert lengths_of(0) == [5] * 5
    drawn = lengths_of(45)
    assert len(set(drawn)) > 1
    assert all(1 <= length <= 5 for length in drawn)
    assert lengths_of(45) == drawn
    assert lengths_of(45, seed=1) != drawn


def test_what_a_cut_leaves_without_a_reset_is_counted_as_it_goes_on(
    scenario_of: Builder,
) -> None:
    """A reader that stands still is not told what retention has taken."""
    config = TopicConfig(segment_ms=95, retention_ms=30)
    pause = Pause("subscriber:billing", at_s=0.055, for_s=0.4)
    scenario = kept(scenario_of, config, events=(pause,), end="cut")
    full = stream_tables(run(scenario))
    totals = full.table("totals")
    assert totals["value"][totals["metric"] == "expired"].sum() > 0
    assert len(full.columns("assignments")) == 1
    streamed = run(scenario, result="streamed")
    assert streamed.columns("totals") == full.columns("totals")
