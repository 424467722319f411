"""Source of the rules: CleanedTransactionMetadata."""

from kafkasim.log.cleaned_transactions import CleanedTransactions, MarkerRead
from kafkasim.log.transaction_index import AbortedTransaction


def entry_of(producer_id: int, first_offset: int) -> AbortedTransaction:
    return AbortedTransaction(producer_id, first_offset, 99, 99)


def walking(*aborted: AbortedTransaction) -> CleanedTransactions:
    transactions = CleanedTransactions()
    transactions.add_aborted(aborted)
    return transactions


def test_data_of_an_aborted_transaction_is_known_from_its_first_offset_on() -> None:
    """LG-19. Source: CleanedTransactionMetadata.onBatchRead."""
    walk = walking(entry_of(1, 10), entry_of(2, 4))

    assert not walk.read_data(3, 2, is_transactional=True)
    assert walk.read_data(4, 2, is_transactional=True)
    assert not walk.read_data(9, 1, is_transactional=True)
    assert walk.read_data(12, 1, is_transactional=True)
    assert not walk.read_data(13, 1, is_transactional=False)
    assert not walk.read_data(14, 3, is_transactional=True)


def test_an_abort_marker_stays_while_a_batch_of_its_transaction_is_met() -> None:
    """LG-18; its entry goes into the new transaction index (onControlBatchRead)."""
    entry = entry_of(1, 10)
    walk = walking(entry)
    walk.read_data(10, 1, is_transactional=True)

    assert walk.read_marker(12, 1, "abort") == MarkerRead(
        is_needless=False, aborted=entry
    )
    assert not walk.read_data(13, 1, is_transactional=True), "the next transaction"


def test_an_abort_marker_without_data_is_needless_and_so_is_its_entry() -> None:
    walk = walking(entry_of(1, 10), entry_of(1, 20))

    assert walk.read_marker(12, 1, "abort") == MarkerRead(is_needless=True)
    assert walk.read_data(20, 1, is_transactional=True)
    assert not walk.read_marker(21, 1, "abort").is_needless
    assert walk.read_marker(25, 1, "abort").is_needless, "no transaction was aborted"


def test_a_commit_marker_stays_while_a_batch_of_its_transaction_is_met() -> None:
    """LG-18. Source: onControlBatchRead."""
    walk = walking()
    walk.read_data(1, 1, is_transactional=True)

    assert not walk.read_marker(2, 1, "commit").is_needless
    assert walk.read_marker(4, 1, "commit").is_needless
    walk.read_data(5, 2, is_transactional=False)
    assert walk.read_marker(6, 2, "commit").is_needless


def test_an_emptied_marker_is_needless_and_one_of_another_kind_is_not() -> None:
    assert walking().read_marker(3, 1, None).is_needless
    assert not walking().read_marker(3, 1, 2).is_needless


def test_the_same_aborted_transaction_may_be_told_twice() -> None:
    """The cleaner asks for them once a segment (Cleaner.cleanSegments)."""
    entry = entry_of(1, 10)
    walk = walking(entry)
    walk.read_data(10, 1, is_transactional=True)
    walk.add_aborted([entry, entry_of(2, 5)])

    assert walk.read_data(14, 1, is_transactional=True)
    assert walk.read_data(15, 2, is_transactional=True)
    assert walk.read_marker(16, 1, "abort").aborted is entry
    assert not walk.read_data(17, 1, is_transactional=True)
