"""A replica's log that can be compacted, and remembers up to where it was.

Source: `LogCleanerManager` (the checkpoint of first dirty offsets), `Cleaner` and
`LocalLog.replaceSegments` of `org.apache.kafka.storage.internals.log` (4.3).
"""

from collections.abc import Sequence
from typing import TypeVar

from kafkasim.log.checkpoints import SWAP
from kafkasim.log.cleaned import Cleaned
from kafkasim.log.cleaner import MOST_KEYS, clean, range_to_clean
from kafkasim.log.cleaning_range import CleaningRange
from kafkasim.log.segment import Segment
from kafkasim.log.trimmable_log import TrimmableLog

BatchT = TypeVar("BatchT")


class CompactedLog(TrimmableLog[BatchT]):
    """The log of one replica of a partition, with a cleaner.

    It is made like a `ReplicaLog`.
    """

    first_dirty_offset: int | None = None
    """Offset up to which it was compacted: its entry in `cleaner-offset-checkpoint`,
    which is the log directory's; None before the first round."""

    def cleaning_range(self, now_ms: int) -> CleaningRange:
        """Return what of the log can be compacted now, and how dirty it is.

        Its `is_due` says whether the cleaner would take this log up.

        Parameters
        ----------
        now_ms : int
            The time.
        """
        return range_to_clean(self, now_ms)

    def clean(
        self,
        now_ms: int,
        *,
        first_dirty_offset: int | None = None,
        most_keys: int = MOST_KEYS,
    ) -> Cleaned:
        """Compact all that can be compacted, whether it is due or not.

        Parameters
        ----------
        now_ms : int
            The time.
        first_dirty_offset : int, optional
            Where the dirty part begins; where the last round ended by default.
        most_keys : int, optional
            Keys that there is room for; with more of them the round ends early.

        Returns
        -------
        Cleaned
            What became of each record, and where the next round begins.

        Raises
        ------
        CorruptBatchError
            A batch cannot be read; what was replaced before stays replaced.
        """
        return clean(
            self, now_ms, first_dirty_offset=first_dirty_offset, most_keys=most_keys
        )

    def replace_segments(
        self, new: Segment[BatchT], old: Sequence[Segment[BatchT]], now_ms: int
    ) -> None:
        """Put a segment in the place of others, so that a crash leaves all or nothing.

        It is renamed to .swap: from then on a restart goes on with it. Then the old
        ones are renamed to be deleted later, with their snapshots, and it gets its
        final name.

        Source: `LocalLog.replaceSegments`, `UnifiedLog.replaceSegments`.

        Parameters
        ----------
        new : Segment
            Complete and synced; its files end in .cleaned.
        old : sequence of Segment
            Neighbours, the oldest first; that one has the base offset of the new one.
        now_ms : int
            The time.
        """
        new.change_suffix(SWAP)
        first = self.segments.index(old[0])
        self.segments[first : first + len(old)] = [new]
        self._delete_later(old, now_ms)
        new.change_suffix("")
        self.store.sync_directory()
        self._delete_snapshots(old[1:], now_ms)

    def truncate_to(self, offset: int, now_ms: int = 0) -> bool:
        """Cut the log, so that it ends at an offset; return whether it did not before.

        See `TrimmableLog.truncate_to`. What is left of the last segment counts as
        dirty.
        """
        was_cut = super().truncate_to(offset, now_ms)
        self._forget_cleaned()
        return was_cut

    def truncate_fully_and_start_at(
        self, offset: int, now_ms: int = 0, *, log_start_offset: int | None = None
    ) -> None:
        """Delete everything, and begin again at an offset.

        See `TrimmableLog.truncate_fully_and_start_at`.
        """
        super().truncate_fully_and_start_at(
            offset, now_ms, log_start_offset=log_start_offset
        )
        self._forget_cleaned()

    def _forget_cleaned(self) -> None:
        """Source: `LogCleanerManager.maybeTruncateCheckpoint`."""
        if self.first_dirty_offset is not None:
            base_offset = self.active.base_offset
            self.first_dirty_offset = min(self.first_dirty_offset, base_offset)
