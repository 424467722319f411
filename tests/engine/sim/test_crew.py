"""Records that several workers share, with literal times; 10 ns a record."""

from collections.abc import Sequence

import numpy as np
import pytest

from kafkasim.engine.sim.at_work import Returned
from kafkasim.engine.sim.crew import Crew
from kafkasim.engine.sim.survivors import Survivors
from kafkasim.protocol.producing.batch import Batch
from kafkasim.units import MISSING_NS
from tests.engine.sim.partitions import partition

Told = list[tuple[int, int, float]]


def row(from_offset: int, to_offset: int, cleaned: int = 0) -> Returned:
    return Returned(0, 0, 0, from_offset, to_offset, 5, 0, 1.0, MISSING_NS, 0, cleaned)


def crew_of(workers: int, works: Sequence[int] = ()) -> Crew:
    """Workers on a log of one record a batch, with these works; or 10 ns each."""
    read = partition()
    read.add_group(0, [lambda batch, _: works[batch.lo]], None if works else 10)
    for number in range(len(works)):
        read.append(Batch(0, 0, number, number + 1, 99, 0), 0)
    return Crew(0, {0: read}, workers)


def told(rows: list[Returned]) -> Told:
    return [(r.from_offset, r.started_ns, r.slowed) for r in rows]


def test_the_next_record_goes_to_the_worker_that_is_free_first() -> None:
    crew = crew_of(2, [30, 10, 5, 20])
    rows, end_ns = crew.begin([row(0, 4)], 100, 1.0)
    assert told(rows) == [
        (0, 100, 1.0),
        (1, 100, 1.0),
        (2, 110, 1.0),
        (3, 115, 1.0),
    ]
    assert end_ns == 135


@pytest.mark.parametrize("workers", [1, 3])
def test_it_is_kiefer_and_wolfowitz(workers: int) -> None:
    """Each start is the least of the workers' free times, by a plain recursion."""
    works = np.random.default_rng(5).integers(1, 50, 40).tolist()
    rows, end_ns = crew_of(workers, works).begin([row(0, 40)], 0, 1.0)
    free = np.zeros(workers, np.int64)
    for work, each in zip(works, rows, strict=True):
        first = int(free.argmin())
        assert each.started_ns == free[first]
        free[first] += work
    assert end_ns == free.max()


def test_what_begins_from_now_on_goes_at_the_new_speed() -> None:
    crew = crew_of(2)
    rows, _ = crew.begin([row(0, 5)], 100, 1.0)
    laid, end_ns = crew.slowed(rows, 105, 3.0)
    assert told(laid) == [
        (0, 100, 1.0),
        (1, 100, 1.0),
        (2, 110, 3.0),
        (3, 110, 3.0),
        (4, 140, 3.0),
    ]
    assert end_ns == 170
    assert crew.slowed(rows, 130, 3.0) == (rows, MISSING_NS)


def test_what_is_at_work_in_a_pause_has_as_much_left_after_it() -> None:
    crew = crew_of(2, [10, 30, 10, 10])
    rows, _ = crew.begin([row(0, 4)], 100, 1.0)
    # Record 2 began at 110, and record 3 at 120.
    laid, end_ns = crew.held(rows, 115, 200)
    assert [each.started_ns for each in laid] == [100, 100, 110, 205]
    ends = [crew.ends_ns(each, each.to_offset) for each in laid]
    assert ends == [110, 215, 205, 215]
    assert end_ns == 215
    assert crew.held(rows, 130, 200) == (rows, MISSING_NS)


def test_what_compaction_removed_takes_no_worker() -> None:
    crew = crew_of(2)
    read = crew._partitions[0]
    read.append(Batch(0, 0, 0, 20, 99, 0), 0)
    read._rounds.append(Survivors(1, np.array([2, 7]), 10))
    rows, end_ns = crew.begin([row(0, 12, cleaned=1)], 100, 1.0)
    assert [(r.from_offset, r.to_offset, r.started_ns) for r in rows] == [
        (0, 3, 100),
        (3, 8, 100),
        (8, 11, 110),
        (11, 12, 110),
    ]
    assert end_ns == 120
