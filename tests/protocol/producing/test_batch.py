"""Batches."""

from kafkasim.protocol.producing.batch import CUT, DRAINED, FULL, LINGER, OPEN, Batch
from kafkasim.result.schema import CLOSED_BY
from kafkasim.units import MISSING_NS


def test_the_causes_of_closing_are_those_of_the_schema() -> None:
    causes = [CLOSED_BY[code] for code in (FULL, LINGER, DRAINED, CUT)]

    assert causes == ["full", "linger", "drained", "cut"]


def test_a_new_batch_is_open_and_was_never_sent() -> None:
    batch = Batch(0, 3, 10, 11, 100, 5)

    assert batch.closed_by == OPEN
    assert {batch.closed_ns, batch.sent_ns, batch.acked_ns} == {MISSING_NS}


def test_a_batch_says_what_it_holds() -> None:
    assert repr(Batch(0, 3, 10, 12, 100, 5)) == (
        "Batch(-1: source 0 partition 3 records [10, 12) 100 B)"
    )
