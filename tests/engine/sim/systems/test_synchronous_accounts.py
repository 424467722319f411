"""What invariants of sources that wait see when something is wrong."""

from kafkasim.engine.sim.run import run
from kafkasim.engine.sim.systems.point_to_point import PointToPointRun
from kafkasim.engine.sim.systems.synchronous_accounts import AllConserved
from kafkasim.scenario.events import Crash, Lose, Pause
from kafkasim.scenario.pipelines import PointToPoint
from tests.engine.sim.systems.pipes import PLAIN, ran, world

SYSTEM = PointToPoint(hardware=PLAIN)


def under_way() -> tuple[PointToPointRun, AllConserved]:
    """Return a run in which b is at work on the first event, and its look."""
    scenario = world(SYSTEM)
    made = PointToPointRun(scenario, scenario.plan(), check=True)
    made._go_on(made.sources[0])
    while made.subscribers[1].at_work is None:
        made.calendar.step()
    return made, AllConserved(made.timeline, made.sources, made.subscribers)


def test_nothing_is_wrong_with_what_may_befall_them() -> None:
    ran(
        world(
            SYSTEM,
            Crash("subscriber:b", at_s=0.003, for_s=0.02),
            Lose("link:a->web", at_s=0.02, for_s=0.02),
            Pause("source:app", at_s=0.03, for_s=0.01),
            Crash("source:web", at_s=0.045, for_s=0.005),
            count=20,
            sources=("web", "app"),
        )
    )


def test_an_answer_that_nobody_counts_is_seen() -> None:
    made, look = under_way()
    assert list(look.broken()) == []

    made.sources[0].waiting += 1
    text = "waits for 3 answers, 2 are out"
    assert list(look.broken()) == [("source 0", text)]


def test_an_event_that_has_come_to_no_end_is_seen_once() -> None:
    made, look = under_way()
    source = made.sources[0]
    source.waiting = 0
    source.current[:] = [None, None]

    text = "event 0 is no longer under way"
    assert ("source 0", text) in list(look.broken())
    assert ("source 0", text) not in list(look.broken())


def test_an_event_that_has_come_to_two_ends_is_seen() -> None:
    made, look = under_way()
    source = made.sources[0]
    source.next_ordinal = 2
    source.failed[0], source.acked_ns[0] = 1, 5

    found = [text for where, text in look.broken() if where == "source 0"]
    assert found == ["event 0 is both", *["waits for event 0, not 1"] * 2]


def test_what_nobody_waits_for_and_what_is_there_twice_is_seen() -> None:
    made, look = under_way()
    send = made.subscribers[1].at_work
    assert send is not None
    made.subscribers[1].queue.append(send)
    assert list(look.broken()) == [("subscriber 1", "an event is in hand twice")]

    made.subscribers[1].queue.clear()
    made.sources[0].current[send.position] = type(send)(send.source, 0, 1)
    text = "event 0 that nobody waits for"
    assert list(look.broken()) == [("subscriber 1", text)]


def test_a_run_that_ends_too_early_is_seen() -> None:
    made, look = under_way()
    made.timeline.unsettled -= 1

    assert list(look.broken()) == [("the run", "2 to settle, 3 left")]


def test_looking_changes_nothing() -> None:
    scenario = world(SYSTEM, Crash("subscriber:b", at_s=0.003, for_s=0.02))
    looked, not_looked = run(scenario, check=True), run(scenario)

    assert looked.digest == not_looked.digest
    assert "violations" in looked.tables
    assert "violations" not in not_looked.tables
