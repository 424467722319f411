"""Sequence numbers of an idempotent producer, by what `TransactionManager` does."""

import pytest

from kafkasim.protocol.errors import (
    INVALID_RECORD,
    NETWORK_EXCEPTION,
    NOT_ENOUGH_REPLICAS,
    OUT_OF_ORDER_SEQUENCE_NUMBER,
    REQUEST_TIMED_OUT,
)
from kafkasim.protocol.producing.batch import Batch
from kafkasim.protocol.producing.sequences import (
    MAX_EPOCH,
    MAX_SEQUENCE,
    Sequences,
    sequence_after,
)


def batch(lo: int, hi: int, partition: int = 0) -> Batch:
    return Batch(0, partition, lo, hi, 100, 0)


def tracking(partitions: int = 2) -> Sequences:
    sequences = Sequences(7, partitions, lambda: 8)
    sequences.track([], [0] * partitions)
    return sequences


def drained(sequences: Sequences, *ranges: tuple[int, int]) -> list[Batch]:
    batches = [batch(lo, hi) for lo, hi in ranges]
    for each in batches:
        sequences.drained(each)
    return batches


def header(each: Batch) -> tuple[int, int, int]:
    return each.producer_id, each.producer_epoch, each.base_sequence


def test_sequences_count_records_per_partition_from_0() -> None:
    sequences = tracking()
    one, two = drained(sequences, (0, 3), (3, 10))
    other = batch(0, 2, partition=1)
    sequences.drained(other)
    assert [header(b) for b in (one, two, other)] == [(7, 0, 0), (7, 0, 3), (7, 0, 0)]


def test_a_sequence_wraps_to_0_after_the_largest() -> None:
    assert sequence_after(MAX_SEQUENCE - 1, 1) == MAX_SEQUENCE
    assert sequence_after(MAX_SEQUENCE - 1, 2) == 0
    sequences = Sequences(7, 1, lambda: 8)
    sequences.shifts[0] = -(MAX_SEQUENCE - 1)
    sequences.track([], [0])
    one, two = drained(sequences, (0, 3), (3, 4))
    assert (one.base_sequence, two.base_sequence) == (MAX_SEQUENCE - 1, 1)


def test_a_batch_that_is_sent_again_keeps_its_number() -> None:
    sequences = tracking()
    one, _ = drained(sequences, (0, 3), (3, 4))
    sequences.drained(one)
    assert header(one) == (7, 0, 0)
    assert drained(sequences, (4, 5))[0].base_sequence == 4


@pytest.mark.parametrize(
    "error", [NETWORK_EXCEPTION, REQUEST_TIMED_OUT, NOT_ENOUGH_REPLICAS]
)
def test_a_retriable_error_is_retried_and_costs_no_epoch(error: int) -> None:
    sequences = tracking()
    (one,) = drained(sequences, (0, 3))
    assert sequences.may_retry(one, error)
    sequences.resolve()
    sequences.drained(one)
    assert header(one) == (7, 0, 0)


def test_an_error_that_is_not_retriable_is_not_retried() -> None:
    sequences = tracking()
    (one,) = drained(sequences, (0, 3))
    assert not sequences.may_retry(one, INVALID_RECORD)


def test_out_of_order_behind_an_unresolved_batch_is_only_retried() -> None:
    sequences = tracking()
    one, two = drained(sequences, (0, 3), (3, 5))
    # One is not acknowledged yet, so two is not the next one expected.
    assert sequences.may_retry(two, OUT_OF_ORDER_SEQUENCE_NUMBER)
    sequences.resolve()
    sequences.drained(two)
    assert header(two) == (7, 0, 3)
    assert header(one) == (7, 0, 0)


def test_out_of_order_of_the_next_one_expected_raises_the_epoch() -> None:
    sequences = tracking()
    one, two, three = drained(sequences, (0, 3), (3, 5), (5, 6))
    sequences.completed(one)
    assert sequences.may_retry(two, OUT_OF_ORDER_SEQUENCE_NUMBER)
    sequences.resolve()
    # What is in flight on the wire still has its old header; sent again it is new.
    assert header(three) == (7, 0, 5)
    sequences.drained(two)
    sequences.drained(three)
    assert [header(b) for b in (two, three)] == [(7, 1, 0), (7, 1, 2)]
    assert header(drained(sequences, (6, 7))[0]) == (7, 1, 3)


def test_a_number_that_was_rewritten_does_not_raise_the_epoch_again() -> None:
    sequences = tracking()
    one, two = drained(sequences, (0, 3), (3, 5))
    assert sequences.may_retry(one, OUT_OF_ORDER_SEQUENCE_NUMBER)
    sequences.resolve()
    # The answer to two comes under its old number, after the rewriting.
    assert sequences.may_retry(two, OUT_OF_ORDER_SEQUENCE_NUMBER)
    assert sequences.may_retry(one, OUT_OF_ORDER_SEQUENCE_NUMBER)
    sequences.resolve()
    sequences.drained(two)
    assert header(two) == (7, 1, 3)


def test_another_partition_counts_anew_once_nothing_of_it_is_in_flight() -> None:
    sequences = tracking()
    (one,) = drained(sequences, (0, 3))
    other, later = batch(0, 2, partition=1), batch(2, 4, partition=1)
    sequences.drained(other)
    assert sequences.may_retry(one, OUT_OF_ORDER_SEQUENCE_NUMBER)
    sequences.resolve()
    assert sequences.stops(1, later, is_retry=False)
    assert not sequences.stops(1, other, is_retry=True)
    assert not sequences.stops(0, batch(3, 4), is_retry=False)
    sequences.completed(other)
    assert not sequences.stops(1, later, is_retry=False)
    sequences.drained(later)
    assert header(later) == (7, 1, 0)


def test_epochs_used_up_give_another_id() -> None:
    sequences = tracking()
    sequences._epoch = MAX_EPOCH
    (one,) = drained(sequences, (0, 3))
    assert header(one) == (7, MAX_EPOCH, 0)
    sequences.failed(one, INVALID_RECORD, is_certain=True)
    sequences.resolve()
    (two,) = drained(sequences, (3, 4))
    assert header(two) == (8, 0, 0)


def test_a_batch_the_broker_refused_raises_the_epoch() -> None:
    sequences = tracking()
    one, two = drained(sequences, (0, 3), (3, 5))
    sequences.failed(one, INVALID_RECORD, is_certain=True)
    sequences.resolve()
    sequences.drained(two)
    assert header(two) == (7, 1, 0)


def test_a_batch_out_of_retries_keeps_its_numbers_taken() -> None:
    sequences = tracking()
    one, _ = drained(sequences, (0, 3), (3, 5))
    sequences.failed(one, NETWORK_EXCEPTION, is_certain=False)
    sequences.resolve()
    assert header(drained(sequences, (5, 6))[0]) == (7, 0, 5)


def expired_retry() -> tuple[Sequences, Batch]:
    sequences = tracking()
    one, two = drained(sequences, (0, 3), (3, 5))
    one.attempts = two.attempts = 1
    sequences.expired(one)
    return sequences, two


def test_an_expired_retry_lets_nothing_new_go_until_nothing_is_in_flight() -> None:
    sequences, two = expired_retry()
    sequences.resolve()
    assert sequences.stops(0, batch(5, 6), is_retry=False)
    assert not sequences.stops(0, two, is_retry=True)
    assert not sequences.stops(1, batch(0, 1, partition=1), is_retry=False)


def test_when_all_that_followed_succeeded_nothing_is_in_doubt() -> None:
    sequences, two = expired_retry()
    sequences.completed(two)
    sequences.resolve()
    assert not sequences.stops(0, batch(5, 6), is_retry=False)
    assert header(drained(sequences, (5, 6))[0]) == (7, 0, 5)


def test_when_all_were_given_up_the_epoch_rises() -> None:
    sequences, two = expired_retry()
    sequences.expired(two)
    sequences.resolve()
    assert header(drained(sequences, (5, 6))[0]) == (7, 1, 0)


def test_the_first_after_those_given_up_shows_the_gap() -> None:
    sequences, two = expired_retry()
    assert sequences.may_retry(two, OUT_OF_ORDER_SEQUENCE_NUMBER)
    sequences.resolve()
    sequences.drained(two)
    assert header(two) == (7, 1, 0)
    assert not sequences.stops(0, batch(5, 6), is_retry=False)


def test_one_behind_the_first_after_them_is_only_retried() -> None:
    sequences = tracking()
    one, _, three = drained(sequences, (0, 3), (3, 5), (5, 6))
    one.attempts = 1
    sequences.expired(one)
    assert sequences.may_retry(three, OUT_OF_ORDER_SEQUENCE_NUMBER)
    sequences.resolve()
    sequences.drained(three)
    assert header(three) == (7, 0, 5)


def test_a_first_attempt_that_expires_leaves_no_doubt_as_in_kafka() -> None:
    sequences = tracking()
    (one,) = drained(sequences, (0, 3))
    sequences.expired(one)
    sequences.resolve()
    assert not sequences.stops(0, batch(3, 4), is_retry=False)
    assert header(drained(sequences, (3, 4))[0]) == (7, 0, 3)


def test_a_late_answer_to_an_expired_batch_settles_what_was_in_doubt() -> None:
    sequences = tracking()
    (one,) = drained(sequences, (0, 3))
    one.attempts = 1
    sequences.expired(one)
    sequences.completed(one)
    sequences.resolve()
    assert header(drained(sequences, (3, 4))[0]) == (7, 0, 3)


def test_tracking_begins_and_ends_without_a_break_in_the_numbers() -> None:
    sequences = Sequences(7, 2, lambda: 8)
    flying = [batch(4, 6), batch(6, 7)]
    for each in flying:
        each.producer_id, each.producer_epoch = 7, 0
        each.base_sequence = each.lo - sequences.shifts[0]
    sequences.track(flying, [7, 3])
    assert sequences.calm()
    sequences.failed(flying[0], INVALID_RECORD, is_certain=True)
    assert not sequences.calm()
    sequences.resolve()
    sequences.drained(flying[1])
    assert header(flying[1]) == (7, 1, 0)
    assert sequences.calm()
    sequences.rest([7, 3])
    assert not sequences.tracking
    # The next of partition 0 is 1; partition 1 begins anew in the new epoch.
    assert [7 - sequences.shifts[0], 3 - sequences.shifts[1]] == [1, 0]
    assert sequences.epochs == [1, 1]
    sequences.track([flying[1]], [7, 3])
    sequences.completed(flying[1])
    assert header(drained(sequences, (7, 9))[0]) == (7, 1, 1)


def test_it_is_not_calm_while_something_before_is_missing() -> None:
    sequences = tracking()
    one, two = drained(sequences, (0, 3), (3, 5))
    assert sequences.calm()
    sequences.expired(one)
    assert not sequences.calm()
    sequences.completed(two)
    assert sequences.calm()
    sequences._epoch = 1
    drained(sequences, (5, 6))
    assert sequences.calm()
    (stale,) = drained(sequences, (6, 7))
    sequences._epoch = 2
    assert stale.producer_epoch == 1
    assert not sequences.calm()
