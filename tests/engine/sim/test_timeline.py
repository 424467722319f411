"""When runs end, and what events do to a cluster on the way, by hand."""

from collections.abc import Callable
from typing import Literal

import pytest

from kafkasim.config.consumer import ConsumerConfig
from kafkasim.config.producer import ProducerConfig
from kafkasim.engine.sim.calendar import Calendar
from kafkasim.engine.sim.run import run
from kafkasim.engine.sim.timeline import Timeline
from kafkasim.result.result import Result
from kafkasim.scenario.applicability import befell
from kafkasim.scenario.arrivals import Periodic
from kafkasim.scenario.events import Crash, Slow
from kafkasim.scenario.hardware import Cpu, Hardware, Link
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.systems import Group, Kafka, Producer
from kafkasim.scenario.traffic import Source, Subscriber, Traffic

MS = 1_000_000
AT_ONCE = Producer(config=ProducerConfig(linger_ms=0))
PLAIN = Hardware(
    link=Link(delay_ms=1.0, bandwidth_mb_per_s=1e9), cpu=Cpu(request_ms=0.5, mb_ms=0.0)
)
"""1 ms each way, 0.5 ms a request, bytes cost nothing."""

Builder = Callable[..., Scenario]
Times = Callable[[Result, str, str], list[float | None]]


def test_a_crashed_group_comes_back_at_its_committed_offset_and_repeats(
    scenario_of: Builder,
) -> None:
    config = ConsumerConfig(auto_commit_interval_ms=20)
    result = run(
        scenario_of(
            rate_per_s=100,
            count=6,
            work_ms=3.0,
            group=Group(members=1, config=config),
            events=(Crash("subscriber:billing", at_s=0.036, for_s=0.1),),
        ),
        check=True,
    )
    table = result.table("deliveries")
    # Committed 2 at 21.5 ms. Records 2 and 3 were handed out before the crash at 36:
    # record 2 worked off (22.5 to 25.5), record 3 too (32.5 to 35.5).
    assert table["record_id"].tolist() == [0, 1, 2, 3, 2, 3, 4, 5]
    assert table["delivery_count"].tolist() == [1, 1, 1, 1, 2, 2, 1, 1]
    assert set(table["outcome"]) == {"processed"}
    assert (result.columns("deliveries")["started_ns"][4:] > 136 * MS).all()
    assert result.table("violations").empty


def test_a_crash_in_the_middle_of_work_abandons_what_was_not_finished(
    scenario_of: Builder,
) -> None:
    result = run(
        scenario_of(
            rate_per_s=1000,
            count=4,
            work_ms=10.0,
            producer=Producer(config=ProducerConfig(linger_ms=5)),
            events=(Crash("subscriber:billing", at_s=0.025, for_s=0.01),),
        ),
        check=True,
    )
    first = result.table("deliveries").iloc[:4]
    # Fetched at 7.5; work ends at 17.5, 27.5, …; the crash comes at 25.
    assert first["outcome"].tolist() == [
        "processed",
        "abandoned",
        "abandoned",
        "abandoned",
    ]
    assert first["started_ms"].tolist()[:2] == [7.5, 17.5]
    assert first["started_ms"].isna().tolist() == [False, False, True, True]
    assert result.facts["drained"] == 1


def test_a_slowed_subscriber_takes_that_many_times_as_long(
    scenario_of: Builder,
) -> None:
    result = run(
        scenario_of(
            rate_per_s=10,
            count=3,
            work_ms=4.0,
            events=(Slow("subscriber:billing", at_s=0.05, for_s=0.1, factor=2.5),),
        ),
        check=True,
    )
    deliveries = result.columns("deliveries")
    took = (deliveries["ended_ns"] - deliveries["started_ns"]) / MS
    assert took.tolist() == [4.0, 10.0, 4.0]
    events = result.table("events")
    assert events["until_ms"].tolist() == [150.0]


@pytest.mark.parametrize(("wants", "first"), [("new", 5), ("all", 0)])
def test_a_late_subscriber_gets_history_only_when_it_wants_it(
    scenario_of: Builder, wants: Literal["new", "all"], first: int
) -> None:
    late = Subscriber(["orders"], work_ms=0.0, from_s=0.045, wants=wants)
    result = run(scenario_of(rate_per_s=100, count=8, subscriber=late), check=True)
    offsets = result.columns("deliveries")["offset"]
    assert offsets.tolist() == list(range(first, 8))
    assert (result.columns("deliveries")["fetched_ns"] >= 45 * MS).all()
    assert result.facts["drained"] == 1


def test_a_cut_run_ends_at_its_duration_and_says_what_was_in_flight(
    scenario_of: Builder,
) -> None:
    result = run(
        scenario_of(rate_per_s=100, count=3, work_ms=100.0, end="cut"), check=True
    )
    assert result.facts["end_ns"] == 30 * MS
    assert result.table("deliveries")["outcome"].tolist() == ["in_flight"]
    assert result.facts["drained"] == 0


def test_a_run_that_makes_no_progress_ends_at_its_drain_limit(
    scenario_of: Builder,
) -> None:
    result = run(
        scenario_of(
            count=3,
            events=(Crash("subscriber:billing", at_s=0.001),),
            drain_limit_s=2.0,
        )
    )
    assert result.facts["drained"] == 0
    assert 2.0 <= int(result.facts["end_ns"]) / 1e9 < 2.1


def test_a_crash_before_a_subscriber_comes_only_delays_its_coming(
    scenario_of: Builder,
) -> None:
    late = Subscriber(["orders"], work_ms=0.0, from_s=0.045, wants="all")
    result = run(
        scenario_of(
            rate_per_s=100,
            count=8,
            subscriber=late,
            events=(Crash("subscriber:billing", at_s=0.01, for_s=0.1),),
        ),
        check=True,
    )
    assert result.table("events")["effect"].tolist() == ["it had not come yet"]
    assert result.table("assignments")["since_ms"].tolist() == [110.0]
    assert (result.columns("deliveries")["fetched_ns"] >= 110 * MS).all()


@pytest.mark.parametrize("end", ["drain", "cut"])
def test_what_comes_after_the_end_is_told_last_and_by_its_time(
    scenario_of: Builder, end: Literal["drain", "cut"]
) -> None:
    at_s = (9.0, 0.01, 8.0)
    events = [Slow("subscriber:billing", at_s=each, for_s=0.5) for each in at_s]
    result = run(scenario_of(count=5, events=events).where({"end": end}), check=True)

    done = result.table("events")
    assert done["at_ms"].tolist() == [10.0, 8_000.0, 9_000.0]
    assert [befell(effect) for effect in done["effect"]] == [True, False, False]
    assert done["effect"][1] == "not reached: the run was over"
    assert done["until_ms"].isna().tolist() == [False, True, True]


def test_a_crash_that_is_not_reached_ends_no_wait(scenario_of: Builder) -> None:
    crash = Crash("subscriber:billing", at_s=5.0)
    scenario = scenario_of(rate_per_s=100, count=3, work_ms=100.0, events=(crash,))
    result = run(scenario.where({"end": "cut"}), check=True)

    assert result.table("violations").empty


def test_what_ends_at_a_time_ends_before_anything_begins_at_it(
    scenario_of: Builder,
) -> None:
    second = Crash("subscriber:billing", at_s=0.020, for_s=0.010)
    first = Crash("subscriber:billing", at_s=0.010, for_s=0.010)
    result = run(scenario_of(count=5, events=(second, first)), check=True)

    # Back at 20 for no time, then down until 30.
    since = result.table("assignments")["since_ms"].tolist()
    assert since == [0.0, 20.0, 30.0]
    assert result.table("events")["at_ms"].tolist() == [10.0, 20.0]


def test_a_late_subscriber_that_is_back_when_it_is_to_come_comes_once(
    scenario_of: Builder,
) -> None:
    late = Subscriber(["orders"], work_ms=0.0, from_s=0.045, wants="all")
    result = run(
        scenario_of(
            rate_per_s=100,
            count=8,
            subscriber=late,
            events=(Crash("subscriber:billing", at_s=0.040, for_s=0.005),),
        ),
        check=True,
    )
    assert result.table("violations").empty
    fetches = result.table("requests").query("api == 'Fetch'")
    assert (fetches["sent_ms"] == 45.0).sum() == 1


@pytest.mark.parametrize("at_s", [0.030, 0.0325])
def test_slowing_in_the_middle_of_a_poll_slows_what_begins_from_then_on(
    scenario_of: Builder, ms: Times, at_s: float
) -> None:
    together = Producer(config=ProducerConfig(linger_ms=10))
    result = run(
        scenario_of(
            rate_per_s=1000,
            count=5,
            work_ms=10.0,
            producer=together,
            events=(Slow("subscriber:billing", at_s=at_s, for_s=0.020, factor=3.0),),
        ),
        check=True,
    )
    # One poll of five records from 12.5 on. At 30 the second is at work, at 32.5 the
    # third begins; it and what follows take 30 ms, until some 20 ms later the speed is
    # back: from the fourth on.
    assert ms(result, "deliveries", "started_ns") == [12.5, 22.5, 32.5, 62.5, 72.5]
    assert ms(result, "deliveries", "ended_ns") == [22.5, 32.5, 62.5, 72.5, 82.5]
    assert set(result.table("deliveries")["outcome"]) == {"processed"}


def test_what_is_refused_later_is_waited_for(scenario_of: Builder) -> None:
    small = Producer(config=ProducerConfig(linger_ms=0, max_request_size=100))
    result = run(scenario_of(rate_per_s=10, count=5, producer=small), check=True)
    records = result.table("records")
    assert records["outcome"].tolist() == ["failed"] * 5
    assert records["error"].tolist() == ["MESSAGE_TOO_LARGE"] * 5
    assert result.facts["drained"] == 1
    assert result.facts["end_ns"] == 400 * MS


def test_a_cut_run_ends_at_its_duration_though_nothing_is_left_to_do() -> None:
    idle = Scenario(
        Traffic(
            {"web": Source("orders", Periodic(rate_per_s=1.0, phase_s=0.0))},
            {},
            duration_s=0.9,
        ),
        system=Kafka(hardware=PLAIN),
        end="cut",
    )
    for check in (False, True):
        assert run(idle, check=check).facts["end_ns"] == 900 * MS


@pytest.mark.parametrize(("wants", "offsets"), [("new", [5, 9]), ("all", [0, 0])])
def test_a_late_group_that_never_committed_begins_again_by_its_reset_policy(
    scenario_of: Builder, wants: Literal["new", "all"], offsets: list[int]
) -> None:
    result = run(
        scenario_of(
            rate_per_s=100,
            count=12,
            subscriber=Subscriber(["orders"], from_s=0.045, wants=wants),
            events=(Crash("subscriber:billing", at_s=0.062, for_s=0.025),),
        ),
        check=True,
    )
    # It comes at 45 ms, when records 0 … 4 are in the log, and again at 87, after 8.
    assignments = result.table("assignments")
    assert assignments["start_offset"].tolist() == offsets
    assert assignments["since_ms"].tolist() == [45.0, 87.0]
    assert assignments["until_ms"].tolist()[0] == 62.0
    read = result.columns("deliveries")["offset"].tolist()
    assert read[-3:] == [9, 10, 11]
    assert (7 in read) == (wants == "all")
    assert result.facts["drained"] == 1


def test_work_that_takes_longer_than_the_drain_limit_is_not_cut_off(
    scenario_of: Builder,
) -> None:
    together = Producer(config=ProducerConfig(linger_ms=10))
    result = run(
        scenario_of(
            rate_per_s=1000,
            count=5,
            work_ms=1_000.0,
            producer=together,
            drain_limit_s=2.0,
        )
    )
    # One poll of five records: nothing is settled for five seconds, yet it goes on.
    assert result.facts["drained"] == 1
    assert set(result.table("deliveries")["outcome"]) == {"processed"}


def test_work_that_is_done_again_and_again_does_not_keep_a_run_from_its_end(
    scenario_of: Builder,
) -> None:
    """As where each member that gets a record is expelled before it is done with it."""
    scenario = scenario_of(rate_per_s=1, count=1, drain_limit_s=5.0)
    calendar = Calendar()
    timeline = Timeline(calendar, scenario)
    timeline.unsettled = 1

    def begins_again(_: object) -> None:
        assert calendar.now_ns < 100_000 * MS, "the run does not end"
        timeline.expect(calendar.now_ns + 4_000 * MS)
        timeline.command(calendar.now_ns + 1_000 * MS, begins_again, None)

    timeline.command(0, begins_again, None)
    timeline.run()

    # Sources send until 1 s; what is begun at 6 s counts, until 10 s, what comes later
    # does not.
    assert calendar.now_ns == (1 + 5 + 4 + 5) * 1_000 * MS


@pytest.mark.parametrize("end", ["drain", "cut"])
def test_to_be_told_how_far_a_run_is_changes_nothing(
    scenario_of: Builder, end: Literal["drain", "cut"]
) -> None:
    scenario = scenario_of(
        rate_per_s=100,
        count=8,
        work_ms=30.0,
        events=(Crash("subscriber:billing", at_s=0.02, for_s=0.05),),
    ).where({"end": end})
    told: list[tuple[int, int]] = []
    plain = run(scenario, check=True)
    assert run(scenario, check=True, report=lambda *at: told.append(at)) == plain
    duration_ns = round(scenario.traffic.duration_s * 1_000 * MS)
    during = [at for at, _ in told if at <= duration_ns]
    assert during == [duration_ns * k // 200 for k in range(1, 201)]
    assert all(left > 0 for _, left in told)
    after = [at for at, _ in told if at > duration_ns]
    assert (len(after) > 0) == (end == "drain")
    assert after == [duration_ns + duration_ns * 2**k // 200 for k in range(len(after))]
