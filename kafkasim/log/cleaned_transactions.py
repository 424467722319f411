"""Which transactions a cleaner is inside of, as it walks along a log.

Source: `org.apache.kafka.storage.internals.log.CleanedTransactionMetadata` (4.3).
"""

from collections.abc import Iterable
from operator import attrgetter
from typing import NamedTuple

from kafkasim.log.transaction_index import AbortedTransaction


class MarkerRead(NamedTuple):
    """What a marker means to the cleaner."""

    is_needless: bool
    """Whether no batch of its transaction was met: then it may go, in time."""
    aborted: AbortedTransaction | None = None
    """Entry that the new transaction index needs."""


class CleanedTransactions:
    """Transactions that have begun and not ended yet, where the cleaner stands."""

    __slots__ = ("_aborted", "_ahead", "_committed", "_met")

    def __init__(self) -> None:
        self._ahead: list[AbortedTransaction] = []
        self._aborted: dict[int, AbortedTransaction] = {}
        self._met: set[int] = set()
        self._committed: set[int] = set()

    def add_aborted(self, transactions: Iterable[AbortedTransaction]) -> None:
        """Learn of aborted transactions ahead; the same one may be told again."""
        self._ahead += transactions
        self._ahead.sort(key=attrgetter("first_offset"), reverse=True)

    def _begin_up_to(self, offset: int) -> None:
        while self._ahead and self._ahead[-1].first_offset <= offset:
            aborted = self._ahead.pop()
            self._aborted.setdefault(aborted.producer_id, aborted)

    def read_data(
        self, last_offset: int, producer_id: int, *, is_transactional: bool
    ) -> bool:
        """Pass a batch of data; return whether its transaction was aborted.

        Parameters
        ----------
        last_offset, producer_id : int
            Of the batch.
        is_transactional : bool
            Whether it belongs to a transaction.
        """
        self._begin_up_to(last_offset)
        if not is_transactional:
            return False
        if producer_id in self._aborted:
            self._met.add(producer_id)
            return True
        self._committed.add(producer_id)
        return False

    def read_marker(
        self,
        last_offset: int,
        producer_id: int,
        marker: str | int | None,
    ) -> MarkerRead:
        """Pass a control batch.

        Parameters
        ----------
        last_offset, producer_id : int
            Of the batch.
        marker : {"abort", "commit"}, int or None
            What its record says; an int for another kind, which stays; None if it is
            empty, which was compacted before.
        """
        self._begin_up_to(last_offset)
        match marker:
            case None:
                return MarkerRead(is_needless=True)
            case "abort":
                aborted = self._aborted.pop(producer_id, None)
                if aborted is None or producer_id not in self._met:
                    return MarkerRead(is_needless=True)
                self._met.remove(producer_id)
                return MarkerRead(is_needless=False, aborted=aborted)
            case "commit":
                was_met = producer_id in self._committed
                self._committed.discard(producer_id)
                return MarkerRead(is_needless=not was_met)
            case _:
                return MarkerRead(is_needless=False)
