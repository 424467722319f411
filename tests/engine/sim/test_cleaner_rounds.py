"""When a broker's cleaner comes, how long it stays, and which log is first."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from kafkasim.config.topic import TopicConfig
from kafkasim.engine.sim.run import run
from kafkasim.result.result import Result
from kafkasim.scenario.arrivals import Periodic
from kafkasim.scenario.keys import UniformKeys
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.systems import Kafka, Topic
from kafkasim.scenario.traffic import Source
from tests.engine.sim.test_log_manager import EVERY_50_MS, kept

Builder = Callable[..., Scenario]
Times = Callable[[Result, str, str], list[float | None]]

COMPACTED = TopicConfig(
    cleanup_policy="compact", segment_ms=95, min_cleanable_dirty_ratio=0.0
)


def two_logs(scenario_of: Builder, seed: int) -> Result:
    """A run of two compacted partitions, on one broker; its cleaner comes every 50 ms.

    Of each a first segment is rolled before 150 ms, and a second before 250 ms.
    """
    scenario = kept(scenario_of, COMPACTED, keys=UniformKeys(8), seed=seed, end="cut")
    assert isinstance(scenario.system, Kafka)
    topics = {"orders": Topic(partitions=2, config=COMPACTED)}
    return run(replace(scenario, system=replace(scenario.system, topics=topics)))


def test_the_cleaner_goes_on_until_no_log_is_due(scenario_of: Builder) -> None:
    """LG-16: all that is due is compacted at once, not a log every 50 ms."""
    segments = two_logs(scenario_of, 1).columns("segments")
    gone = segments["deleted_ns"] == 150_000_000

    assert sorted(segments["partition"][gone].tolist()) == [0, 1]


def test_the_filthiest_log_is_first(scenario_of: Builder) -> None:
    """LG-14: the one with the largest share of bytes that no round has looked at."""
    first = set()
    for seed in range(1, 7):
        result = two_logs(scenario_of, seed)
        segments, removals = result.columns("segments"), result.columns("removals")
        gone = segments["deleted_ns"] == 250_000_000
        seen = segments["created_ns"] == 150_000_000  # made by the round at 150 ms
        ratios = []
        for partition in range(2):
            mine = gone & (segments["partition"] == partition)
            total = segments["size_bytes"][mine].sum()
            ratios.append(segments["size_bytes"][mine & ~seen].sum() / total)
        rows = np.flatnonzero(removals["at_ns"] == 250_000_000)
        order = removals["partition"][rows].tolist()
        if ratios[0] != ratios[1] and set(order) == {0, 1}:
            assert order[0] == int(np.argmax(ratios))
            first.add(order[0])

    assert first == {0, 1}


def test_old_segments_of_a_compacted_log_go_when_the_cleaner_comes(
    scenario_of: Builder, ms: Times
) -> None:
    """LG-16: `LogCleaner.CleanerThread.cleanFilthiestLog`, not the retention task."""
    config = replace(COMPACTED, cleanup_policy="compact,delete", retention_ms=100)
    # Nothing is old enough to be compacted.
    config = replace(config, min_compaction_lag_ms=1_000)
    scenario = kept(scenario_of, config, keys=UniformKeys(3), end="cut")
    assert isinstance(scenario.system, Kafka)
    rarely = replace(EVERY_50_MS, log_retention_check_interval_ms=10_000)
    result = run(
        replace(scenario, system=replace(scenario.system, broker_config=rarely))
    )

    # The largest timestamp of the first is 90 ms, of the second 190 ms.
    assert ms(result, "segments", "deleted_ns") == [200.0, 300.0, None]
    assert result.segments["cause"].tolist()[:2] == ["time", "time"]


def test_the_retention_task_leaves_a_compacted_log_to_the_cleaner(
    scenario_of: Builder, ms: Times
) -> None:
    """LG-7: `LogManager.cleanupLogs` looks at logs that are only deleted."""
    config = TopicConfig(
        cleanup_policy="compact,delete",
        segment_ms=95,
        retention_ms=100,
        min_compaction_lag_ms=1_000,
    )
    scenario = kept(scenario_of, config, keys=UniformKeys(3), end="cut")
    assert isinstance(scenario.system, Kafka)
    rarely = replace(EVERY_50_MS, log_cleaner_backoff_ms=10_000)
    # The task has work to do: there is a topic that is only deleted.
    topics = {**scenario.system.topics, "other": Topic()}
    sources = {
        **scenario.traffic.sources,
        "app": Source("other", Periodic(rate_per_s=10.0)),
    }
    result = run(
        replace(
            scenario,
            traffic=replace(scenario.traffic, sources=sources),
            system=replace(scenario.system, broker_config=rarely, topics=topics),
        )
    )

    assert ms(result, "segments", "deleted_ns") == [None] * 4
