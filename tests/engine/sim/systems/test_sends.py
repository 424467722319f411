"""A lane: what is left of a connection that is closed."""

from tests.engine.sim.systems.test_outlets import Bench


def test_what_has_not_arrived_when_a_connection_is_closed_never_does() -> None:
    bench = Bench()
    bench.offer(0)
    bench.at(0.5, lambda: bench.offer(1))
    lane = bench.outlet.lanes[0]

    bench.at(1.2, lambda: None)
    assert bench.until(1.2) == [(0, 0)]
    there, under_way = lane.unanswered
    assert [send.ordinal for send in lane.close()] == [0, 1]

    assert bench.until(5) == [(0, 0)]
    assert (there.send.live, under_way.send.live) == (1, 0)
    assert there.is_closed
    assert not there.is_lost
    assert under_way.is_lost
    assert not lane.is_open


def test_a_new_connection_is_not_broken_by_the_last_one() -> None:
    bench = Bench()
    lane = bench.outlet.lanes[0]
    first = lane.connection
    lane.close()

    assert first.broken
    assert not lane.connection.broken
    assert first.on_lost is not None
    first.on_lost(first)
    assert lane.failures == 0
