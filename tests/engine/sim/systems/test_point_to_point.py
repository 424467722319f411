"""Point to point, by hand: a source waits for all its subscribers."""

import numpy as np

from kafkasim.engine.sim.run import run
from kafkasim.result.result import Result
from kafkasim.scenario.arrivals import Bursts, Periodic
from kafkasim.scenario.distributions import Exponential, draw_ns
from kafkasim.scenario.events import Crash, Event, Pause, Slow
from kafkasim.scenario.hardware import Cpu, Hardware, Link
from kafkasim.scenario.pipelines import PointToPoint
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.streams import stream
from kafkasim.scenario.traffic import Source, Subscriber, Traffic

MS = 1_000_000
PLAIN = Hardware(
    link=Link(delay_ms=1.0, bandwidth_mb_per_s=1e9), cpu=Cpu(request_ms=0.0, mb_ms=0.0)
)
"""1 ms each way; taking a request in costs nothing."""


def scenario_of(
    *,
    rate_per_s: float = 500.0,
    count: int = 3,
    subscribers: dict[str, Subscriber] | None = None,
    hardware: Hardware = PLAIN,
    events: tuple[Event, ...] = (),
    **settings: object,
) -> Scenario:
    """One source, `a` with 1 ms and `b` with 4 ms of work."""
    return Scenario(
        Traffic(
            sources={"web": Source("orders", Periodic(rate_per_s), value_bytes=100)},
            subscribers=subscribers
            or {
                "a": Subscriber(["orders"], work_ms=1.0),
                "b": Subscriber(["orders"], work_ms=4.0),
            },
            duration_s=count / rate_per_s,
        ),
        system=PointToPoint(hardware=hardware),
        events=events,
        **settings,  # type: ignore[arg-type]
    )


def of(result: Result, subscriber: str, column: str) -> list[float]:
    """A time column of one subscriber's deliveries, in milliseconds."""
    table = result.columns("deliveries")
    code = table.labels["subscriber"].index(subscriber)
    times = table[column][table["subscriber"] == code] / MS
    return [float(time) for time in times]


def test_a_source_is_as_fast_as_its_slowest_subscriber() -> None:
    result = run(scenario_of(), check=True)
    records = result.columns("records")
    # Wanted at 0, 2, 4 ms. The first is answered by b at 1 + 4 + 1 = 6 ms.
    assert (records["intended_ns"] / MS).tolist() == [0, 2, 4]
    assert (records["created_ns"] / MS).tolist() == [0, 6, 12]
    assert (records["acked_ns"] / MS).tolist() == [6, 12, 18]
    assert of(result, "a", "ended_ns") == [2, 8, 14]
    assert of(result, "b", "ended_ns") == [5, 11, 17]
    assert result.facts["end_ns"] == 18 * MS


def test_the_time_a_source_was_blocked_is_a_row() -> None:
    blocked = run(scenario_of(), check=True).table("blocked")
    assert blocked[["since_ms", "until_ms"]].to_numpy().tolist() == [[2.0, 18.0]]


def test_a_source_that_is_not_overrun_is_never_blocked() -> None:
    assert run(scenario_of(rate_per_s=100), check=True).table("blocked").empty


def test_a_subscriber_that_is_down_blocks_the_others() -> None:
    result = run(
        scenario_of(events=(Crash("subscriber:b", at_s=0.003, for_s=0.010),)),
        check=True,
    )
    # b was at work on the first event (1 to 5) when it stopped at 3; it does it again
    # from 13 to 17, and only then does a get the second.
    table = result.table("deliveries")
    b = table[table["subscriber"] == "b"]
    assert b["outcome"].tolist()[:2] == ["abandoned", "processed"]
    assert b["delivery_count"].tolist()[:2] == [1, 2]
    assert b["ended_ms"].tolist()[1] == 17.0
    assert of(result, "a", "ended_ns") == [2, 20, 26]
    assert result.facts["drained"] == 1


def test_an_answer_under_way_when_its_subscriber_stops_still_arrives() -> None:
    result = run(
        scenario_of(count=1, events=(Crash("subscriber:b", at_s=0.0055, for_s=1.0),)),
        check=True,
    )
    assert (result.columns("records")["acked_ns"] / MS).tolist() == [6]
    assert len(result.columns("deliveries")) == 2


def test_a_subscriber_down_for_good_leaves_its_source_blocked() -> None:
    result = run(
        scenario_of(events=(Crash("subscriber:b", at_s=0.003),), drain_limit_s=1.0)
    )
    assert result.facts["drained"] == 0
    assert result.table("records")["outcome"].tolist() == ["in_flight"] * 3


def test_who_comes_late_gets_nothing_of_what_was_sent_before() -> None:
    result = run(
        scenario_of(
            rate_per_s=100,
            count=4,
            subscribers={
                "a": Subscriber(["orders"], work_ms=1.0),
                "late": Subscriber(["orders"], from_s=0.015, wants="all"),
            },
        ),
        check=True,
    )
    table = result.table("deliveries")
    assert table[table["subscriber"] == "late"]["record_id"].tolist() == [2, 3]


def test_thousands_of_events_that_nobody_wants_yet_pass_at_once() -> None:
    late = {"late": Subscriber(["orders"], from_s=5.0)}
    result = run(scenario_of(rate_per_s=1e9, count=5_000, subscribers=late))
    assert result.facts["drained"] == 1
    assert len(result.columns("deliveries")) == 0


def test_slowing_a_subscriber_slows_the_source() -> None:
    result = run(
        scenario_of(
            rate_per_s=100,
            count=2,
            events=(Slow("subscriber:a", at_s=0.005, factor=20.0),),
        ),
        check=True,
    )
    assert of(result, "a", "ended_ns") == [2, 31]


def test_a_paused_subscriber_holds_up_its_source_and_goes_on_where_it_was() -> None:
    result = run(
        scenario_of(
            rate_per_s=100,
            count=3,
            events=(Pause("subscriber:b", at_s=0.003, for_s=0.030),),
        ),
        check=True,
    )
    # b has had 2 of 4 ms of the first event at 3; it has the other 2 from 33 on.
    assert of(result, "b", "started_ns") == [1, 37, 43]
    assert of(result, "b", "ended_ns") == [35, 41, 47]
    assert of(result, "a", "started_ns") == [1, 37, 43]
    assert result.table("events")["effect"].tolist() == [
        "it stands still; whoever sends to it waits"
    ]


def test_what_arrives_during_a_pause_is_begun_after_it() -> None:
    pause = Pause("subscriber:b", at_s=0.0005, for_s=0.009)
    result = run(scenario_of(count=1, events=(pause,)), check=True)
    assert of(result, "b", "started_ns") == [9.5]


def test_a_crash_ends_a_pause_and_a_pause_of_one_that_is_down_does_nothing() -> None:
    paused = Pause("subscriber:b", at_s=0.002, for_s=1.0)
    crash = Crash("subscriber:b", at_s=0.010, for_s=0.010)
    result = run(scenario_of(count=1, events=(paused, crash)), check=True)
    assert of(result, "b", "ended_ns")[-1] == 24

    late = Pause("subscriber:b", at_s=0.015, for_s=1.0)
    crash = Crash("subscriber:b", at_s=0.0, for_s=0.020)
    result = run(scenario_of(count=1, events=(crash, late)), check=True)
    assert of(result, "b", "ended_ns") == [24]
    assert result.table("events")["effect"].tolist()[1] == "it was down"


def test_links_count_what_was_sent_to_whom() -> None:
    links = run(scenario_of(), check=True).table("links")
    assert links["receiver"].tolist() == ["subscriber:a", "subscriber:b"]
    assert links["request_count"].tolist() == [3, 3]
    assert links["moved_bytes"].tolist() == [300, 300]


def test_a_subscriber_takes_a_request_in_before_it_works() -> None:
    slow = Hardware(link=PLAIN.link, cpu=Cpu(request_ms=0.5, mb_ms=1_000.0))
    result = run(scenario_of(count=1, hardware=slow), check=True)
    # 100 bytes at 1,000 ms per 10⁶ bytes are 0.1 ms, on top of 0.5 ms.
    assert of(result, "a", "started_ns") == [1.6]
    assert of(result, "a", "ended_ns") == [2.6]


def test_each_subscriber_draws_what_it_takes_to_take_a_request_in() -> None:
    drawn = Hardware(link=PLAIN.link, cpu=Cpu(request_ms=Exponential(2.0), mb_ms=0.0))
    result = run(scenario_of(count=5, hardware=drawn, seed=5), check=True)
    for name in ("a", "b"):
        times = draw_ns(Exponential(2.0), stream(5, f"service/subscriber:{name}"), 5)
        table = result.table("deliveries")
        mine = table[table["subscriber"] == name]
        taken_ms = (mine["started_ms"] - mine["fetched_ms"]).to_numpy()
        assert np.rint(taken_ms * MS).tolist() == times.tolist()


def test_work_that_never_began_is_not_counted_as_a_hand_out() -> None:
    result = run(
        scenario_of(count=1, events=(Crash("subscriber:b", at_s=0.0005, for_s=0.01),)),
        check=True,
    )
    table = result.table("deliveries")
    b = table[table["subscriber"] == "b"]
    assert b["delivery_count"].tolist() == [1]
    assert b["ended_ms"].tolist() == [14.5]


def test_an_answer_that_was_lost_in_a_crash_holds_nothing_up() -> None:
    result = run(
        scenario_of(
            count=2,
            rate_per_s=1.0,
            events=(
                Slow("subscriber:b", at_s=0.0, for_s=0.01, factor=1_000.0),
                Crash("subscriber:b", at_s=0.5, for_s=0.1),
            ),
        ),
        check=True,
    )
    # The first work would have lasted to 4,001 ms; done again it ends at 604.
    assert (result.columns("records")["acked_ns"] / MS).tolist() == [605.0, 1006.0]
    assert result.table("records")["send_count"].tolist() == [3, 2]


def test_a_source_that_was_down_between_two_events_sends_one_at_a_time() -> None:
    """Its next event was due after it was back: nothing else may wake it for it."""
    source = Source("orders", Bursts(10.0, burst=5))
    readers = {"billing": Subscriber(["orders"], work_ms=3.0)}
    traffic = Traffic({"web": source}, readers, duration_s=4.0)
    crash = Crash("source:web", at_s=1.2, for_s=0.1)
    result = run(Scenario(traffic, PointToPoint(), events=[crash], seed=3))

    assert result.facts["drained"]
    records = result.records
    idle = ~records.intended_ms.between(1_190, 1_310)
    assert idle.all(), "the seed has to leave the crash alone"
    created = records.created_ms.to_numpy()
    assert (created[1:] >= records.acked_ms.to_numpy()[:-1]).all()
