"""The index files of a segment: preallocated while it is active, trimmed after.

Kafka maps them into memory (`org.apache.kafka.storage.internals.log.AbstractIndex`);
here the entries are in memory and are put into the files when those are flushed or
trimmed. After a crash both are made again from the batches.
"""

from typing import Final

from kafkasim.log.checkpoints import (
    OFFSET_INDEX,
    TIME_INDEX,
    TRANSACTION_INDEX,
    file_name,
)
from kafkasim.log.contents import ByteBatch, Files
from kafkasim.log.index import (
    OFFSET_ENTRY_BYTES,
    TIME_ENTRY_BYTES,
    OffsetIndex,
    TimeIndex,
)
from kafkasim.log.transaction_index import (
    TRANSACTION_ENTRY_BYTES,
    AbortedTransaction,
    TransactionIndex,
)

_SPARSE: Final = ((OFFSET_INDEX, OFFSET_ENTRY_BYTES), (TIME_INDEX, TIME_ENTRY_BYTES))


class IndexFiles:
    """The three indexes of a segment, and their files.

    The files of the sparse ones are made if they are not there, as long as they may
    become; that of the transactions when the first one aborts.

    Parameters
    ----------
    files : Files
        Where they are.
    base_offset : int
        The segment's.
    most_bytes : int
        Room of each sparse index (`segment.index.bytes`).
    suffix : str
        Second suffix of their names.
    """

    __slots__ = (
        "_base_offset",
        "_files",
        "_has_transactions",
        "_is_trimmed",
        "_most_bytes",
        "_suffix",
        "_written",
        "offsets",
        "times",
        "transactions",
    )

    def __init__(
        self, files: Files, base_offset: int, most_bytes: int, suffix: str = ""
    ) -> None:
        self._files = files
        self._base_offset = base_offset
        self._most_bytes = most_bytes
        self._suffix = suffix
        self._is_trimmed = False
        sparse = [self._opened(kind, entry_bytes) for kind, entry_bytes in _SPARSE]
        self.offsets = OffsetIndex.from_bytes(base_offset, sparse[0], most_bytes)
        self.times = TimeIndex.from_bytes(base_offset, sparse[1], most_bytes)
        self._written = [self.offsets.entry_count, self.times.entry_count]
        """Entries that are in the file, of each sparse index."""
        aborted = self._read(TRANSACTION_INDEX)
        self._has_transactions = aborted is not None
        self.transactions = TransactionIndex.from_bytes(base_offset, aborted or b"")

    def names(self) -> list[str]:
        """Return the names of the files that are there."""
        kinds = [OFFSET_INDEX, TIME_INDEX]
        if self._has_transactions:
            kinds.append(TRANSACTION_INDEX)
        return [self._name(kind) for kind in kinds]

    def append_aborted(self, aborted: AbortedTransaction) -> None:
        """Note a transaction that aborted, in its file at once.

        Raises
        ------
        LogError
            Its marker is not after that of the last one.
        """
        self.transactions.append(aborted)
        last = self.transactions.entry_count - 1
        self._files.append(
            self._name(TRANSACTION_INDEX), self.transactions.to_bytes(last)
        )
        self._has_transactions = True

    def write(self) -> None:
        """Put the entries that are new into the files."""
        indexes: tuple[OffsetIndex, TimeIndex] = (self.offsets, self.times)
        for number, (kind, entry_bytes) in enumerate(_SPARSE):
            index = indexes[number]
            first = self._written[number]
            if index.entry_count > first:
                self._files.write_at(
                    self._name(kind), first * entry_bytes, index.to_bytes(first)
                )
                self._written[number] = index.entry_count

    def trim(self) -> None:
        """Write what is new and cut the room behind; as of a segment not active."""
        self.write()
        if not self._is_trimmed:
            for (kind, entry_bytes), count in zip(_SPARSE, self._written, strict=True):
                self._files.truncate(self._name(kind), count * entry_bytes)
            self._is_trimmed = True

    def preallocate(self) -> None:
        """Make the files as long as they may become (`AbstractIndex.resize`)."""
        for kind, entry_bytes in _SPARSE:
            self._make_room(kind, entry_bytes)

    def flush(self) -> None:
        """Write what is new and sync all files."""
        self.write()
        for name in self.names():
            self._files.sync(name)

    def truncate_to(self, offset: int) -> None:
        """Remove all entries at an offset and above, and preallocate."""
        self.offsets.truncate_to(offset)
        self.times.truncate_to(offset)
        self._removed()
        self.preallocate()
        count = self.transactions.entry_count
        self.transactions.truncate_to(offset)
        if self.transactions.entry_count < count:
            self._cut_transactions()

    def reset(self) -> None:
        """Remove all entries, and preallocate (`AbstractIndex.reset`)."""
        self.offsets.clear()
        self.times.clear()
        self.transactions.clear()
        self._removed()
        self.preallocate()
        if self._has_transactions:
            self._cut_transactions()

    def rename(self, suffix: str) -> None:
        """Give the files another second suffix."""
        old = self.names()
        self._suffix = suffix
        for before, after in zip(old, self.names(), strict=True):
            self._files.rename(before, after)

    def _removed(self) -> None:
        counts = self.offsets.entry_count, self.times.entry_count
        self._written = [*map(min, self._written, counts)]

    def _cut_transactions(self) -> None:
        size = self.transactions.entry_count * TRANSACTION_ENTRY_BYTES
        self._files.truncate(self._name(TRANSACTION_INDEX), size)

    def _make_room(self, kind: str, entry_bytes: int) -> None:
        room = self._most_bytes // entry_bytes * entry_bytes
        self._files.truncate(self._name(kind), room)
        self._is_trimmed = False

    def _opened(self, kind: str, entry_bytes: int) -> ByteBatch:
        data = self._read(kind)
        if data is None:
            self._files.write(self._name(kind), b"")
            self._make_room(kind, entry_bytes)
        return data or b""

    def _read(self, kind: str) -> ByteBatch | None:
        try:
            return self._files.read(self._name(kind))
        except FileNotFoundError:
            return None

    def _name(self, kind: str) -> str:
        return file_name(self._base_offset, kind) + self._suffix
