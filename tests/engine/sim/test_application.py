"""What an application has done when it ends, with literal times; 10 ns a record."""

from kafkasim.engine.sim.application import Application
from kafkasim.engine.sim.at_work import Returned
from kafkasim.engine.sim.group import Group
from kafkasim.protocol.producing.batch import NEVER, Batch
from kafkasim.units import FOREVER_NS, MISSING_NS
from tests.engine.sim.partitions import partition


def row(from_offset: int, to_offset: int, index: int = 0) -> Returned:
    return Returned(0, 0, index, from_offset, to_offset, 5, 0, 1.0, MISSING_NS, 0, 0)


class Told:
    """An application, and what it says."""

    def __init__(self, every: int = 0, workers: int = 1) -> None:
        self.partitions = [partition(0), partition(1)]
        for each in self.partitions:
            each.add_group(0, [], 10)
            each.append(Batch(0, each.index, 0, 100, 99, 0), 0)
        self.group = Group(
            0, self.partitions, late=False, resets_to_end=False, may_crash=True
        )
        self.rows: list[Returned] = []
        self.processed: list[int] = []
        self.application = Application(
            self.group,
            {p.index: p for p in self.partitions},
            every=every,
            workers=workers,
            write_returned=self.rows.append,
            on_processed=self.processed.append,
        )


def test_work_begins_when_it_may_and_ends_when_all_is_done() -> None:
    told = Told()
    application = told.application
    assert application.begun_ns == NEVER
    application.waiting = [row(0, 3), row(0, 2, index=1)]

    assert application.begin(100) == 150
    assert application.begun_ns == 100
    assert [each.started_ns for each in application.rows] == [100, 130]
    application.finish()
    assert told.processed == [5]
    assert told.group.processed == {0: 3, 1: 2}
    assert application.rows == application.waiting == []


def test_work_stops_for_a_commit_after_so_many_records() -> None:
    told = Told(every=4)
    application = told.application
    application.waiting = [row(0, 3), row(0, 3, index=1)]

    assert application.begin(100) == 140
    application.finish()
    assert application.done_since_commit() == {0: 3, 1: 1}
    assert application.begin(200) == 220
    application.finish()
    assert application.done_since_commit() == {}
    assert [(r.partition, r.from_offset, r.to_offset) for r in told.rows] == [
        (0, 0, 3),
        (1, 0, 1),
        (1, 1, 3),
    ]


def test_what_waits_for_a_commit_has_not_begun_when_it_ends() -> None:
    told = Told()
    told.application.waiting = [row(0, 3)]
    told.application.stop(100, crashed=1)
    (written,) = told.rows
    assert (written.started_ns, written.until_ns) == (FOREVER_NS, 100)
    assert told.processed == []


def test_what_a_worker_finished_behind_another_is_not_passed_over() -> None:
    """Record 0 is at work when record 1 is done: both are read again."""
    told = Told(workers=2)
    application = told.application
    application.waiting = [row(0, 4)]
    assert application.begin(100) == 120
    application.rows[0] = application.rows[0]._replace(slowed=3.0)
    application.stop(112, crashed=1)
    assert told.processed == []
    assert told.group.processed[0] == 0


def test_what_lies_beyond_a_cut_stands_for_other_records() -> None:
    told = Told()
    application = told.application
    application.waiting = [row(0, 10)]
    application.begin(100)
    told.partitions[0].cut_from = 100
    assert told.group.truncated(told.partitions[0], 4, 120) == 96
    application.finish()
    assert told.processed == [4]
    assert told.group.processed[0] == 4


def test_what_waits_of_a_partition_that_is_taken_is_never_begun() -> None:
    told = Told()
    application = told.application
    application.waiting = [row(0, 3), row(0, 2, index=1), row(3, 4)]

    application.drop(told.partitions[0], 100)

    assert application.waiting == [row(0, 2, index=1)]
    gone = [(r.from_offset, r.started_ns, r.until_ns, r.crashed) for r in told.rows]
    assert gone == [(0, FOREVER_NS, 100, 1), (3, FOREVER_NS, 100, 1)]
