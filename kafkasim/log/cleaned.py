"""What a round of the cleaner did, record by record.

Figures are drawn from it, and it says what Kafka's cleaner logs of a round.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from kafkasim.log.batch_retention import Fate
from kafkasim.log.cleaning_range import CleaningRange


class CleanedSegment(NamedTuple):
    """A segment that a round wrote, and what it was made of."""

    base_offset: int
    """Its own, and that of the first segment that it replaces."""
    end_offset: int
    """Where the next segment begins."""
    replaced: tuple[int, ...]
    """Base offsets of the segments that it replaces."""
    bytes_before: int
    bytes_after: int
    """Sizes of the segments replaced, and its own."""
    offsets: NDArray[np.int64]
    """Offset of each record that was there, shape (records,)."""
    fates: NDArray[np.uint8]
    """What became of each, a number of `Fate`, shape (records,)."""

    @property
    def records_before(self) -> int:
        """Records that were there, markers too."""
        return len(self.fates)

    @property
    def records_after(self) -> int:
        """Records that stay, markers too."""
        return self.count(Fate.KEPT)

    def count(self, fate: Fate) -> int:
        """Return how many records met a fate."""
        return int(np.count_nonzero(self.fates == fate))


class Cleaned(NamedTuple):
    """What a round did."""

    range: CleaningRange
    """What could be compacted when it began."""
    first_dirty_offset: int
    """Where the next round begins: the log's entry in `cleaner-offset-checkpoint`."""
    segments: tuple[CleanedSegment, ...] = ()
    """Those that it wrote, oldest first."""

    @property
    def bytes_before(self) -> int:
        """Bytes of the segments that it read."""
        return sum(segment.bytes_before for segment in self.segments)

    @property
    def bytes_after(self) -> int:
        """Bytes of the segments that it wrote."""
        return sum(segment.bytes_after for segment in self.segments)

    @property
    def records_before(self) -> int:
        """Records that it read, markers too."""
        return sum(segment.records_before for segment in self.segments)

    @property
    def records_after(self) -> int:
        """Records that it kept, markers too."""
        return sum(segment.records_after for segment in self.segments)

    def count(self, fate: Fate) -> int:
        """Return how many records met a fate."""
        return sum(segment.count(fate) for segment in self.segments)
