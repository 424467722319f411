"""Invariants that look at queues, and what they see when something is wrong."""

from kafkasim.engine.sim.systems.pipeline_accounts import (
    Conserved,
    InOrder,
    WithinBounds,
)
from kafkasim.engine.sim.systems.sends import Send
from tests.engine.sim.systems.test_outlets import Bench


def test_a_record_that_vanishes_from_a_queue_is_seen() -> None:
    bench = Bench()
    bench.offer(0, 1, 2)
    looks = Conserved(bench.accounts, [bench.outlet]), WithinBounds([bench.outlet])
    assert [list(look.broken()) for look in looks] == [[], []]

    bench.outlet.queue.clear()
    assert list(looks[1].broken()) == [("queue 0", "2, counted 3, most 3")]
    bench.outlet.held -= 1
    assert list(looks[0].broken()) == [("all queues", "3 != 2 + 0")]


def test_a_record_that_is_overtaken_is_seen_once() -> None:
    look = InOrder()
    for ordinal in (0, 2, 1):
        look.processed(4, 5, ordinal)
    look.processed(4, 6, 1)

    assert list(look.broken()) == [("source 4, subscriber 5", "1 after 2")]
    assert list(look.broken()) == []


def test_what_was_worked_on_is_not_lost_to_who_did_it() -> None:
    bench = Bench()
    done, undone = (Send(ordinal, ordinal, (0,), 10) for ordinal in (0, 1))
    done.is_processed = True
    for send in (done, undone):
        bench.accounts.made()
        bench.accounts.let_go(send, 1)

    assert [drop[0] for drop in bench.drops] == [1]
    assert bench.accounts.final_count == 2
