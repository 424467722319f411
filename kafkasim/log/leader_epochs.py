"""Which leader's epoch begins at which offset of a log.

A leader stamps its epoch on every batch; the log keeps the offset of the first batch of
each epoch. With it a follower finds out where its log and the leader's part.

Source: `org.apache.kafka.storage.internals.epoch.LeaderEpochFileCache` (4.3); KIP-101,
KIP-279.
"""

from bisect import bisect_right
from collections.abc import Iterable
from typing import NamedTuple


class EpochStart(NamedTuple):
    """An epoch and where its records begin."""

    epoch: int
    """From 0 on."""
    start_offset: int
    """Offset of the first record of the epoch, from 0 on."""


class LeaderEpochs:
    """The epochs of one log; both columns grow from entry to entry.

    Parameters
    ----------
    entries : iterable of (int, int), optional
        Epochs and start offsets, taken one by one as `assign` does.
    """

    __slots__ = ("_entries", "latest")

    def __init__(self, entries: Iterable[tuple[int, int]] = ()) -> None:
        self._entries: list[EpochStart] = []
        self.latest = -1
        """The newest epoch; −1 if there is none."""
        for epoch, start_offset in entries:
            self.assign(epoch, start_offset)

    @property
    def entries(self) -> tuple[EpochStart, ...]:
        """All epochs, oldest first."""
        return tuple(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def assign(self, epoch: int, start_offset: int) -> bool:
        """Note that an epoch begins at an offset, and return whether that is news.

        The newest epoch again, at the same or a later offset, changes nothing. Entries
        that are not older in both columns go: a log has one history.

        Parameters
        ----------
        epoch, start_offset : int
            Both at least 0.

        Raises
        ------
        ValueError
            One of them is negative.
        """
        if epoch < 0 or start_offset < 0:
            text = f"epoch {epoch} from offset {start_offset}: both must be at least 0"
            raise ValueError(text)
        entries = self._entries
        if entries and epoch == self.latest and start_offset >= entries[-1][1]:
            return False
        while entries and (entries[-1][0] >= epoch or entries[-1][1] >= start_offset):
            entries.pop()
        entries.append(EpochStart(epoch, start_offset))
        self.latest = epoch
        return True

    def end_offset(self, epoch: int, log_end_offset: int) -> EpochStart | None:
        """Return where an epoch ends in this log, as a leader answers a follower.

        Parameters
        ----------
        epoch : int
            The epoch asked for.
        log_end_offset : int
            Where this log ends.

        Returns
        -------
        EpochStart or None
            The largest known epoch that is not above the one asked for, and in
            `start_offset` the offset at which the next epoch begins: the log's end for
            the newest one. An epoch below all known ones is answered as it is, with the
            first known start. None if it is above all known ones, or negative.
        """
        if epoch < 0 or epoch > self.latest:
            return None
        if epoch == self.latest:
            return EpochStart(epoch, log_end_offset)
        entries = self._entries
        higher = bisect_right(entries, epoch, key=lambda entry: entry[0])
        known = entries[higher - 1].epoch if higher else epoch
        return EpochStart(known, entries[higher].start_offset)

    def epoch_of(self, offset: int) -> int | None:
        """Return the epoch of the record at an offset; None below the first start."""
        above = bisect_right(self._entries, offset, key=lambda entry: entry[1])
        return self._entries[above - 1].epoch if above else None

    def truncate_from_end(self, end_offset: int) -> bool:
        """Forget epochs that begin at `end_offset` or above; return whether any did."""
        entries = self._entries
        before = len(entries)
        while entries and entries[-1][1] >= end_offset:
            entries.pop()
        self.latest = entries[-1][0] if entries else -1
        return len(entries) < before

    def truncate_from_start(self, start_offset: int) -> bool:
        """Forget epochs that end below the log's new start.

        The epoch that `start_offset` lies in stays, and begins there now.

        Returns
        -------
        bool
            Whether an entry began at `start_offset` or below.
        """
        entries = self._entries
        above = bisect_right(entries, start_offset, key=lambda entry: entry[1])
        if not above:
            return False
        entries[:above] = [EpochStart(entries[above - 1].epoch, start_offset)]
        return True

    def clear(self) -> None:
        """Forget all."""
        self._entries.clear()
        self.latest = -1
