"""The index of a segment's aborted transactions, which a reader of commits needs.

Sources: `TransactionIndex` and `AbortedTxn` of
`org.apache.kafka.storage.internals.log` (4.3).
"""

import struct
from typing import Final, NamedTuple, Self

from kafkasim.errors import LogError
from kafkasim.log.contents import ByteBatch

TRANSACTION_ENTRY_BYTES: Final = 34

_ENTRY: Final = struct.Struct(">hqqqq")
_VERSION: Final = 0


class AbortedTransaction(NamedTuple):
    """An entry of a transaction index (`AbortedTxn`)."""

    producer_id: int
    first_offset: int
    """First offset of the transaction, perhaps in an earlier segment."""
    last_offset: int
    """Offset of its abort marker."""
    last_stable_offset: int
    """What the last stable offset became when it ended."""


class TransactionIndex:
    """The aborted transactions whose markers lie in a segment, by rising marker.

    Parameters
    ----------
    base_offset : int
        The segment's.
    """

    __slots__ = ("base_offset", "entries")

    def __init__(self, base_offset: int) -> None:
        self.base_offset = base_offset
        self.entries: list[AbortedTransaction] = []

    @classmethod
    def from_bytes(cls, base_offset: int, data: ByteBatch) -> Self:
        """Return the index that a file holds; bytes after the last entry are left.

        Raises
        ------
        LogError
            An entry has a version that Kafka does not read; it looks at the first of
            the version's two bytes.
        """
        index = cls(base_offset)
        end = len(data) - len(data) % TRANSACTION_ENTRY_BYTES
        for version, *numbers in _ENTRY.iter_unpack(data[:end]):
            if version >> 8 > _VERSION:
                raise _refused(f"an aborted transaction has version {version}")
            index.entries.append(AbortedTransaction(*numbers))
        return index

    def to_bytes(self, first: int = 0) -> bytes:
        """Return the bytes of the entries from `first` on, as in Kafka's file."""
        return b"".join(_ENTRY.pack(_VERSION, *entry) for entry in self.entries[first:])

    @property
    def entry_count(self) -> int:
        """How many entries there are."""
        return len(self.entries)

    def append(self, aborted: AbortedTransaction) -> None:
        """Append an entry.

        Raises
        ------
        LogError
            Its marker is not after that of the last entry.
        """
        if self.entries and aborted.last_offset <= self.entries[-1].last_offset:
            raise _refused(
                f"marker {aborted.last_offset} is not after "
                f"{self.entries[-1].last_offset}"
            )
        self.entries.append(aborted)

    def aborted_between(
        self, offset: int, end_offset: int
    ) -> tuple[list[AbortedTransaction], bool]:
        """Return the aborted transactions that a read meets.

        Source: `TransactionIndex.collectAbortedTxns`.

        Parameters
        ----------
        offset, end_offset : int
            First offset of the read, and the one after its last.

        Returns
        -------
        aborted : list of AbortedTransaction
        is_complete : bool
            Whether no later segment can have more of them.
        """
        found = []
        for one in self.entries:
            if one.last_offset >= offset and one.first_offset < end_offset:
                found.append(one)
            if one.last_stable_offset >= end_offset:
                return found, True
        return found, False

    def truncate_to(self, offset: int) -> None:
        """Remove the entries from the first whose marker is at the offset or above."""
        for number, entry in enumerate(self.entries):
            if entry.last_offset >= offset:
                del self.entries[number:]
                return

    def clear(self) -> None:
        """Remove all entries."""
        self.entries.clear()

    def check(self) -> None:
        """Check what Kafka checks when it opens a log (`TransactionIndex.sanityCheck`).

        Raises
        ------
        LogError
            A marker lies below the segment.
        """
        for entry in self.entries:
            if entry.last_offset < self.base_offset:
                raise _refused(
                    f"aborted transaction {entry} ends before {self.base_offset}"
                )


def _refused(text: str) -> LogError:
    return LogError("UNKNOWN_SERVER_ERROR", text)
