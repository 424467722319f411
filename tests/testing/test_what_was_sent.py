"""Records of closed loops, and how long work on any record lasted."""

from dataclasses import replace
from itertools import count

import pytest

import kafkasim as ks
from kafkasim.result.result import Result
from kafkasim.result.table import Table
from kafkasim.scenario.scenario import Scenario
from kafkasim.testing.small_worlds import small_world
from kafkasim.testing.what_was_sent import sent, worked


def looping_world(system: ks.Kafka | ks.PointToPoint) -> Scenario:
    """Return a world with a closed loop in which nothing happens and that drains."""
    for seed in count():
        world = small_world(seed, system)
        laws = [each.arrivals for each in world.traffic.sources.values()]
        looping = any(isinstance(law, ks.ClosedLoop) for law in laws)
        if looping and not world.events and world.end == "drain":
            return world
    raise AssertionError


@pytest.fixture(scope="module")
def sound() -> Result:
    return ks.run(looping_world(ks.PointToPoint()))


def changed(result: Result, table: str, column: str, row: int, value: int) -> Result:
    """Return the result with one other value."""
    tables = {name: result.columns(name) for name in result.tables}
    columns = dict(tables[table].columns)
    columns[column] = columns[column].copy()
    columns[column][row] = value
    tables[table] = Table(table, columns, tables[table].labels)
    return Result(
        scenario=result.scenario,
        plan=result.plan,
        facts=result.facts,
        digests=result.digests,
        tables=tables,
    )


def loop_row(result: Result) -> int:
    """Return the row of a record of the closed loop."""
    return int(result.records["intended_ms"].isna().to_numpy().nonzero()[0][0])


def test_of_a_sound_loop_nothing_is_told(sound: Result) -> None:
    assert loop_row(sound) >= 0
    assert [*sent(sound), *worked(sound)] == []


def test_more_records_on_their_way_than_users_are_told(sound: Result) -> None:
    late = changed(sound, "records", "acked_ns", loop_row(sound), 2**61)
    assert "records on their way" in "".join(sent(late))


def test_a_record_of_an_open_loop_beside_it_is_held_against_the_plan(
    sound: Result,
) -> None:
    planned = int(sound.records["intended_ms"].notna().to_numpy().nonzero()[0][0])
    other = changed(sound, "records", "value_bytes", planned, 77)
    assert f"value_bytes of record {planned} is 77" in "".join(sent(other))


@pytest.mark.parametrize("system", [ks.Kafka(), ks.PointToPoint()])
def test_work_that_is_too_short_or_too_long_is_told(
    system: ks.Kafka | ks.PointToPoint,
) -> None:
    world = looping_world(system)
    result = ks.run(world)
    assert list(worked(result)) == []
    for by_ns in (-1, 1):
        ended = int(result.columns("deliveries")["ended_ns"][0]) + by_ns
        wrong = changed(result, "deliveries", "ended_ns", 0, ended)
        assert "did not work on it as long as it takes" in "".join(worked(wrong))

    longer = ks.StuckRecord("subscriber:billing", "web", ordinal=0, work_ms=50.0)
    stuck = ks.run(replace(world, events=[longer]))
    assert list(worked(stuck)) == []
    plain = replace(world, events=())
    forgot = Result(
        scenario=plain,
        plan=stuck.plan,
        facts=stuck.facts,
        digests=stuck.digests,
        tables={name: stuck.columns(name) for name in stuck.tables},
    )
    assert "record" in "".join(worked(forgot))
