"""What a pause does to the members of a group, by hand."""

from collections.abc import Callable

import pytest

from kafkasim.config.consumer import ConsumerConfig
from kafkasim.config.producer import ProducerConfig
from kafkasim.engine.sim.run import run
from kafkasim.result.result import Result
from kafkasim.scenario.events import Crash, Pause, Slow
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.systems import Group, Producer
from kafkasim.scenario.traffic import Subscriber

MS = 1_000_000

Builder = Callable[..., Scenario]
Times = Callable[[Result, str, str], list[float | None]]


@pytest.mark.parametrize(
    ("at_s", "started", "ended"),
    [
        (0.030, [12.5, 22.5, 52.5, 62.5, 72.5], [22.5, 52.5, 62.5, 72.5, 82.5]),
        (0.0325, [12.5, 22.5, 52.5, 62.5, 72.5], [22.5, 32.5, 62.5, 72.5, 82.5]),
        (0.0125, [32.5, 42.5, 52.5, 62.5, 72.5], [42.5, 52.5, 62.5, 72.5, 82.5]),
    ],
    ids=["within a record", "between two", "as work is to begin"],
)
def test_a_pause_stretches_what_is_at_work_and_moves_what_follows(
    scenario_of: Builder,
    ms: Times,
    at_s: float,
    started: list[float],
    ended: list[float],
) -> None:
    # One poll of five records from 12.5 on, 10 ms each, as without a pause.
    together = Producer(config=ProducerConfig(linger_ms=10))
    result = run(
        scenario_of(
            rate_per_s=1000,
            count=5,
            work_ms=10.0,
            producer=together,
            events=(Pause("subscriber:billing", at_s=at_s, for_s=0.020),),
        ),
        check=True,
    )
    assert ms(result, "deliveries", "started_ns") == started
    assert ms(result, "deliveries", "ended_ns") == ended
    assert set(result.table("deliveries")["outcome"]) == {"processed"}


def test_what_comes_during_a_pause_is_seen_after_it(
    scenario_of: Builder, ms: Times
) -> None:
    pause = Pause("subscriber:billing", at_s=0.001, for_s=0.050)
    usual = run(scenario_of(count=3, work_ms=1.0), check=True)
    result = run(scenario_of(count=3, work_ms=1.0, events=(pause,)), check=True)

    assert ms(usual, "deliveries", "fetched_ns")[0] == 2.5
    fetched = ms(result, "deliveries", "fetched_ns")
    # The answer that came at 2.5 is seen at 51; the next fetch goes out then.
    assert fetched == [51.0, 53.5, 53.5]
    assert ms(result, "deliveries", "started_ns") == [51.0, 53.5, 54.5]
    assert result.table("records")["appended_ms"].tolist() == (
        usual.table("records")["appended_ms"].tolist()
    )
    (event,) = result.table("events").to_dict("records")
    assert (event["event"], event["at_ms"], event["until_ms"]) == ("Pause", 1.0, 51.0)
    assert event["effect"] == "1 member stopped for a while, partitions kept"


def test_a_commit_waits_for_the_end_of_a_pause(scenario_of: Builder) -> None:
    often = Group(members=1, config=ConsumerConfig(auto_commit_interval_ms=20))
    pause = Pause("subscriber:billing", at_s=0.015, for_s=0.040)
    result = run(
        scenario_of(
            count=1, work_ms=1.0, group=often, events=(pause,), end="cut"
        ).where({"traffic.duration_s": 0.08}),
        check=True,
    )
    commits = result.table("requests").query("api == 'OffsetCommit'")
    assert commits["sent_ms"].tolist() == [55.0, 75.0]


def test_a_crash_ends_a_pause(scenario_of: Builder) -> None:
    target = "subscriber:billing"
    result = run(
        scenario_of(
            count=5,
            work_ms=1.0,
            events=(
                Pause(target, at_s=0.001),
                Crash(target, at_s=0.040, for_s=0.010),
            ),
        ),
        check=True,
    )
    assert result.facts["drained"] == 1
    done = result.columns("deliveries")
    assert (done["started_ns"] >= 50 * MS).all()
    fetches = result.table("requests").query("api == 'Fetch'")
    # The first came in the pause, and its client never saw it; the last still waits.
    assert fetches["answered_ms"].isna().tolist() == [True, False, True]


@pytest.mark.parametrize("at_s", [0.001, 0.010])
def test_a_pause_for_good_leaves_the_rest_pending_at_any_speed(
    scenario_of: Builder, at_s: float
) -> None:
    target = "subscriber:billing"
    result = run(
        scenario_of(
            count=3,
            work_ms=20.0,
            events=(Pause(target, at_s=at_s), Slow(target, at_s=0.02, for_s=0.1)),
            drain_limit_s=2.0,
        ),
        check=True,
    )
    assert result.facts["drained"] == 0
    assert int(result.facts["end_ns"]) / 1e9 < 2.1
    assert "processed" not in set(result.table("deliveries")["outcome"])
    assert result.table("events")["until_ms"].isna().tolist() == [True, False]


def test_a_pause_finds_nobody_before_a_subscriber_comes(scenario_of: Builder) -> None:
    late = Subscriber(["orders"], work_ms=0.0, from_s=0.045, wants="all")
    result = run(
        scenario_of(
            count=8,
            subscriber=late,
            events=(Pause("subscriber:billing", at_s=0.01, for_s=0.1),),
        ),
        check=True,
    )
    assert result.table("events")["effect"].tolist() == ["it was not there"]
    assert result.table("assignments")["since_ms"].tolist() == [45.0]
