"""A tiny system whose mistakes have to be found, one by one."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import count

import numpy as np
import pytest

import kafkasim as ks
from kafkasim.result.result import Result
from kafkasim.result.table import Array, Table
from kafkasim.scenario import own_systems
from kafkasim.testing import check_system
from kafkasim.testing.small_worlds import small_world
from kafkasim.testing.what_holds import wrongs
from kafkasim.units import MISSING_NS
from tests.testing.pigeonholes import MISTAKES, Loses, Pigeonholes, Repeats, Sound


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_systems, "_BY_KIND", {})
    ks.register_system(Pigeonholes, Sound)


def test_a_sound_one_of_ones_own_passes() -> None:
    check_system(Pigeonholes(), seeds=10, order=("subscriber",))


@pytest.mark.parametrize("mistaken", MISTAKES, ids=lambda each: each.__name__)
def test_a_mistake_is_found(mistaken: type[Sound]) -> None:
    ks.register_system(Pigeonholes, mistaken)

    with pytest.raises(AssertionError) as found:
        check_system(Pigeonholes(), seeds=10, order=("subscriber",))

    assert str(mistaken.__doc__) in str(found.value)


def test_where_nothing_happens_nothing_may_be_lost() -> None:
    ks.register_system(Pigeonholes, Loses)

    with pytest.raises(AssertionError, match="lost for audit without a cause"):
        check_system(Pigeonholes(), seeds=[quiet_seed()])


def test_an_event_that_means_nothing_excuses_nothing() -> None:
    """Pigeonholes know no event at all."""
    ks.register_system(Pigeonholes, Repeats)
    quiet = small_world(quiet_seed(), Pigeonholes())
    pause = ks.Pause("subscriber:audit", at_s=0, for_s=3)

    result = ks.run(replace(quiet, events=[pause]))

    assert "was handed out again without a cause" in told(result)


# --- one cell of a sound run's tables is changed, and that is told --------------------


@pytest.fixture(scope="module")
def sound() -> Iterator[ks.Result]:
    """Return a run without events that drains, of which nothing is to be said."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(own_systems, "_BY_KIND", {})
        ks.register_system(Pigeonholes, Sound)
        yield ks.run(small_world(quiet_seed(), Pigeonholes()))


def quiet_seed() -> int:
    """Return the number of a world in which nothing happens and that drains."""
    worlds = (small_world(seed, Pigeonholes()) for seed in count())
    return next(w.seed for w in worlds if not w.events and w.end == "drain")


def changed(result: ks.Result, **cells: tuple[str, int, int]) -> ks.Result:
    """Return the result with other values: table → column, row, value."""
    tables = {name: result.columns(name) for name in result.tables}
    for name, (column, row, value) in cells.items():
        columns = dict(tables[name].columns)
        columns[column] = columns[column].copy()
        columns[column][row] = value
        tables[name] = Table(name, columns, tables[name].labels)
    return Result(
        scenario=result.scenario,
        plan=result.plan,
        facts=result.facts,
        digests=result.digests,
        tables=tables,
    )


def told(result: ks.Result) -> str:
    return "\n".join(wrongs(result, ("subscriber",), may_lose=False))


def test_of_a_sound_run_nothing_is_told(sound: ks.Result) -> None:
    assert told(sound) == ""


@pytest.mark.parametrize(
    ("table", "column", "value", "what"),
    [
        ("deliveries", "record_id", -1, "deliveries.record_id is -1"),
        ("deliveries", "subscriber", -1, "deliveries.subscriber names nobody"),
        ("deliveries", "outcome", -1, "has no outcome"),
        ("deliveries", "outcome", 2, "is in somebody's hands though the run drained"),
        ("deliveries", "started_ns", 0, "was worked on before it came"),
        ("deliveries", "started_ns", MISSING_NS, "was processed at no time"),
        ("deliveries", "started_ns", 2**61, "was done before it was begun"),
        ("deliveries", "delivery_count", 2, "are not counted 1, 2, 3"),
        ("records", "record_id", 7, "records.record_id is not the number of the row"),
        ("records", "resend_of", 10**6, "records.resend_of is 1000000"),
        ("records", "source", -1, "records.source or records.stream names nothing"),
        ("records", "source", 1, "records.source of record 0 is 'web'"),
        ("records", "intended_ns", 1, "records.intended_ns of record 0 is 1"),
        ("records", "key", -1, "records.key of record 0 is ''"),
        ("records", "outcome", -1, "has no outcome"),
        ("records", "outcome", 1, "failed without an error"),
        ("records", "outcome", 3, "is in flight though the run drained"),
        ("records", "acked_ns", MISSING_NS, "acked at no time"),
    ],
)
def test_one_wrong_cell_is_told(
    sound: ks.Result, table: str, column: str, value: int, what: str
) -> None:
    assert what in told(changed(sound, **{table: (column, 0, value)}))


def test_a_run_without_its_tables_cannot_be_judged(sound: ks.Result) -> None:
    tables = {"records": sound.columns("records")}
    bare = Result(
        scenario=sound.scenario,
        plan=sound.plan,
        facts=sound.facts,
        digests={},
        tables=tables,
    )

    assert told(bare) == "the run does not record deliveries, events"


def test_a_broken_invariant_is_told(sound: ks.Result) -> None:
    names = {"rule": ("one owner",), "where": ("orders-0",), "text": ("two",)}
    columns: dict[str, Array] = {
        "at_ns": np.zeros(1, np.int64),
        "rule": np.zeros(1, np.int16),
        "where": np.zeros(1, np.int16),
        "text": np.zeros(1, np.int32),
    }
    tables = {name: sound.columns(name) for name in sound.tables}
    tables["violations"] = Table("violations", columns, names)
    broken = Result(
        scenario=sound.scenario,
        plan=sound.plan,
        facts=sound.facts,
        digests={},
        tables=tables,
    )

    assert told(broken) == "violations: one owner at orders-0: two"
