from kafkasim.errors import LogError
from kafkasim.log.header import BatchHeader
from kafkasim.log.producer_state import (
    CompletedTransaction,
    Marker,
    ProducerEntry,
    ProducerStates,
)
from tests.log.batch_headers import header

COMMIT = Marker(commits=True, coordinator_epoch=0)
ABORT = Marker(commits=False, coordinator_epoch=0)


def batch(
    at: int, sequence: int, records: int = 1, *, pid: int = 7, epoch: int = 0
) -> BatchHeader:
    return header(at, records, producer=(pid, epoch, sequence), timestamp_ms=at)


def in_transaction(
    at: int, sequence: int, *, pid: int = 7, epoch: int = 0
) -> BatchHeader:
    return header(at, producer=(pid, epoch, sequence), transactional=True)


def marker(at: int, *, pid: int = 7, epoch: int = 1) -> BatchHeader:
    return header(at, producer=(pid, epoch, -1), control=True, timestamp_ms=at)


def after(*headers: BatchHeader) -> ProducerStates:
    states = ProducerStates()
    for one in headers:
        states.add(one)
    return states


def refusal(states: ProducerStates, one: BatchHeader) -> str:
    try:
        states.check(one)
    except LogError as error:
        return error.code
    return ""


# -- sequences


def test_the_next_sequence_number_is_the_one_after_the_last_record() -> None:
    """ID-9. Source: ProducerAppendInfo.checkSequence."""
    states = after(batch(0, 0, 3))

    assert refusal(states, batch(3, 3)) == ""
    assert refusal(states, batch(3, 4)) == "OUT_OF_ORDER_SEQUENCE_NUMBER"
    assert refusal(states, batch(3, 2)) == "OUT_OF_ORDER_SEQUENCE_NUMBER"


def test_after_the_largest_sequence_number_comes_0() -> None:
    """ID-9. Source: ProducerAppendInfo.inSequence."""
    states = after(batch(0, 2**31 - 1))

    assert refusal(states, batch(1, 0)) == ""
    assert refusal(states, batch(1, 1)) == "OUT_OF_ORDER_SEQUENCE_NUMBER"


def test_a_batch_can_hold_the_largest_sequence_number_and_0() -> None:
    """Source: DefaultRecordBatch.incrementSequence."""
    states = after(batch(0, 2**31 - 2, 3))

    assert states.entries[7].last_sequence == 0
    assert refusal(states, batch(3, 1)) == ""


def test_one_of_the_last_five_batches_is_known_again() -> None:
    """ID-7, ID-8. Source: ProducerStateEntry.findDuplicateBatch."""
    sent = [batch(10 * i, 2 * i, 2) for i in range(6)]
    states = after(*sent)

    found = [states.duplicate_of(one._replace(base_offset=0)) for one in sent]

    assert found == [None, *sent[1:]]
    assert refusal(states, sent[0]) == "OUT_OF_ORDER_SEQUENCE_NUMBER"


def test_a_duplicate_has_the_same_epoch_and_both_sequence_numbers() -> None:
    """ID-8. Source: ProducerStateEntry.batchWithSequenceRange."""
    states = after(batch(0, 0, 2), batch(2, 2, 2))

    assert states.duplicate_of(batch(0, 2, 2)) is not None
    assert states.duplicate_of(batch(0, 2, 1)) is None
    assert states.duplicate_of(batch(0, 1, 3)) is None
    assert states.duplicate_of(batch(0, 2, 2, epoch=1)) is None
    assert states.duplicate_of(batch(0, 2, 2, pid=8)) is None


def test_an_unknown_producer_may_start_anywhere() -> None:
    """ID-11. Source: ProducerAppendInfo.checkSequence."""
    assert refusal(ProducerStates(), batch(0, 41)) == ""


def test_an_unknown_producers_transaction_starts_with_0() -> None:
    """ID-11. Source: ProducerAppendInfo.checkSequence, KAFKA-19082."""
    assert refusal(ProducerStates(), in_transaction(0, 0)) == ""
    assert (
        refusal(ProducerStates(), in_transaction(0, 5))
        == "OUT_OF_ORDER_SEQUENCE_NUMBER"
    )


# -- epochs


def test_a_new_epoch_starts_with_0_and_forgets_the_old_batches() -> None:
    """ID-10. Source: ProducerStateEntry.maybeUpdateProducerEpoch."""
    states = after(batch(0, 0), batch(1, 1))

    assert refusal(states, batch(2, 2, epoch=1)) == "OUT_OF_ORDER_SEQUENCE_NUMBER"
    assert refusal(states, batch(2, 0, epoch=1)) == ""

    states.add(batch(2, 0, epoch=1))
    assert len(states.entries[7].batches) == 1
    assert states.duplicate_of(batch(0, 0, epoch=0)) is None


def test_an_older_epoch_is_fenced() -> None:
    """ID-10. Source: ProducerAppendInfo.checkProducerEpoch."""
    states = after(batch(0, 0, epoch=3))

    assert refusal(states, batch(1, 1, epoch=2)) == "INVALID_PRODUCER_EPOCH"
    assert refusal(states, in_transaction(1, 0, epoch=2)) == "INVALID_PRODUCER_EPOCH"


def test_after_a_marker_its_epoch_starts_with_0() -> None:
    """TX-7. Source: ProducerAppendInfo.checkSequence."""
    states = after(in_transaction(0, 0), in_transaction(1, 1))
    states.add_marker(marker(2), COMMIT)

    assert states.entries[7].epoch == 1
    assert states.entries[7].last_sequence == -1
    assert refusal(states, in_transaction(3, 0, epoch=1)) == ""
    assert refusal(states, in_transaction(3, 2, epoch=1)) == (
        "OUT_OF_ORDER_SEQUENCE_NUMBER"
    )


# -- transactions


def test_a_transaction_begins_with_its_first_batch() -> None:
    """Source: ProducerAppendInfo.appendDataBatch."""
    states = after(batch(0, 0, pid=1), in_transaction(1, 0), in_transaction(2, 1))

    assert states.open_transactions == {1: 7}
    assert states.first_unstable_offset == 1


def test_a_batch_outside_of_the_open_transaction_is_refused() -> None:
    """TX-17. Source: ProducerAppendInfo.appendDataBatch."""
    states = after(in_transaction(0, 0))

    assert refusal(states, batch(1, 1)) == "INVALID_TXN_STATE"
    assert refusal(states, in_transaction(1, 1)) == ""


def test_a_marker_ends_the_transaction_of_its_producer() -> None:
    """Source: ProducerAppendInfo.appendEndTxnMarker."""
    states = after(in_transaction(0, 0, pid=1), in_transaction(1, 0, pid=2))

    ended = states.add_marker(marker(2, pid=2), ABORT)

    assert ended == CompletedTransaction(2, 1, 2, aborted=True)
    assert states.add_marker(marker(3, pid=9), COMMIT) is None
    assert states.entries[9].coordinator_epoch == 0


def test_a_decided_transaction_is_unstable_until_its_marker_is_replicated() -> None:
    """TX-11. Source: ProducerStateManager.firstUnstableOffset."""
    states = after(in_transaction(4, 0, pid=1), in_transaction(5, 0, pid=2))
    ended = states.add_marker(marker(6, pid=1), COMMIT)
    assert ended is not None

    states.complete(ended)
    assert states.first_unstable_offset == 4
    states.forget_decided_below(6)
    assert states.first_unstable_offset == 4
    states.forget_decided_below(7)
    assert states.first_unstable_offset == 5


def test_what_the_abort_index_says_is_stable_after_a_transaction() -> None:
    """Source: ProducerStateManager.lastStableOffset."""
    states = after(in_transaction(4, 0, pid=1), in_transaction(5, 0, pid=2))

    first = states.add_marker(marker(6, pid=1), ABORT)
    assert first is not None and states.last_stable_offset_after(first) == 5
    states.complete(first)
    second = states.add_marker(marker(7, pid=2), ABORT)
    assert second is not None and states.last_stable_offset_after(second) == 8


def late(states: ProducerStates, one: BatchHeader, said: Marker, version: int) -> str:
    try:
        states.check_marker(one, said, version)
    except LogError as error:
        return error.code
    return ""


def test_a_marker_raises_the_epoch_from_transaction_version_2_on() -> None:
    """KIP-1228. Source: ProducerAppendInfo.checkProducerEpoch."""
    states = after(in_transaction(0, 0, epoch=3))

    assert late(states, marker(1, epoch=3), COMMIT, 2) == "INVALID_PRODUCER_EPOCH"
    assert late(states, marker(1, epoch=3), COMMIT, 1) == ""
    assert late(states, marker(1, epoch=2), COMMIT, 1) == "INVALID_PRODUCER_EPOCH"
    assert late(states, marker(1, epoch=4), COMMIT, 2) == ""
    assert late(ProducerStates(), marker(1, epoch=0), COMMIT, 2) == ""


def test_the_same_marker_may_be_written_twice() -> None:
    """KAFKA-19999. Source: ProducerAppendInfo.checkProducerEpoch."""
    states = after(in_transaction(0, 0, epoch=3))
    states.add_marker(marker(1, epoch=4), COMMIT)

    assert late(states, marker(2, epoch=4), COMMIT, 2) == ""


def test_an_older_coordinator_is_fenced() -> None:
    """Source: ProducerAppendInfo.checkCoordinatorEpoch."""
    states = after(in_transaction(0, 0))
    states.add_marker(marker(1), Marker(commits=True, coordinator_epoch=5))

    fenced = Marker(commits=True, coordinator_epoch=4)
    code = late(states, marker(2, epoch=2), fenced, 2)
    assert code == "TRANSACTION_COORDINATOR_FENCED"
    again = Marker(commits=True, coordinator_epoch=5)
    assert late(states, marker(2, epoch=2), again, 2) == ""


# -- expiry


def test_a_producer_expires_a_day_after_its_last_batch() -> None:
    """ID-12. Source: ProducerStateManager.isProducerExpired."""
    day = 86_400_000
    states = after(batch(1_000, 0))

    assert states.expire(1_000 + day - 1) == 0
    assert states.expire(1_000 + day) == 1
    assert states.is_empty and refusal(states, batch(2, 99)) == ""


def test_a_producer_with_an_open_transaction_does_not_expire() -> None:
    """Source: ProducerStateManager.isProducerExpired."""
    states = ProducerStates(expiration_ms=10)
    states.add(in_transaction(0, 0))

    assert states.expire(1_000) == 0


def test_what_has_expired_is_not_restored() -> None:
    """Source: ProducerStateManager.loadFromSnapshot."""
    states = ProducerStates(expiration_ms=10)
    idle, busy = ProducerEntry(1, 0, -1, 100), ProducerEntry(2, 0, -1, 0, 55)

    states.restore([idle, busy], now_ms=110)

    assert list(states.entries) == [2]
    assert states.open_transactions == {55: 2} and states.first_unstable_offset == 55


def test_a_cleared_state_is_that_of_an_empty_log() -> None:
    states = after(in_transaction(0, 0))
    ended = states.add_marker(marker(1), COMMIT)
    assert ended is not None
    states.complete(ended)

    states.clear()

    assert states.is_empty and states.open_transactions == {}
    assert states.first_unstable_offset is None
