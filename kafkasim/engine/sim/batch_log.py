"""A partition's log: record batches, one after the other, each with its base offset.

An append gives the batch the next offsets and never changes what is there; a read hands
out whole batches from the one that holds the offset asked for, and a reader throws away
the records below its position (`LocalLog.read`, `FetchDataInfo` in Kafka). Nothing is
removed by reading. The columns are kept per batch, never per record: the base offset
and a running sum of sizes, so that a look-up is one bisection.
"""

from bisect import bisect_right
from typing import Generic, NamedTuple, TypeVar

BatchT = TypeVar("BatchT")


class BatchRange(NamedTuple):
    """What a read returns: the batches ``[first, end)`` of a log."""

    first: int
    """Index of the first batch."""
    end: int
    """Index after the last batch."""
    start_offset: int
    """Base offset of the first batch; may lie below the offset asked for."""
    end_offset: int
    """Offset after the last record."""
    size_bytes: int
    """Bytes of all batches in the range."""


class BatchLog(Generic[BatchT]):
    """An append-only log of record batches of one partition.

    Attributes
    ----------
    batches : list
        What was appended, in offset order; None where it was released.
    base_offsets : list of int
        Offset of the first record of each batch.
    end_bytes : list of int
        Bytes in the log before each batch, and at its end: one entry more than batches.
    log_start_offset, log_end_offset, high_watermark : int
        Kafka's three offsets. Consumers read below the high watermark (BR-11).
    """

    __slots__ = (
        "_released",
        "base_offsets",
        "batches",
        "end_bytes",
        "high_watermark",
        "log_end_offset",
        "log_start_offset",
    )

    def __init__(self) -> None:
        self.batches: list[BatchT] = []
        self.base_offsets: list[int] = []
        self.end_bytes: list[int] = [0]
        self._released = 0
        self.log_start_offset = 0
        self.log_end_offset = 0
        self.high_watermark = 0

    @property
    def size_bytes(self) -> int:
        """Bytes of all batches."""
        return self.end_bytes[-1]

    def append(self, batch: BatchT, record_count: int, size_bytes: int) -> int:
        """Append a batch and return its base offset.

        Parameters
        ----------
        batch : object
            What the log keeps for it.
        record_count : int
            Records in it, at least 1.
        size_bytes : int
            Its exact size, header included.

        Raises
        ------
        ValueError
            When the batch is empty or has no size.
        """
        if record_count < 1 or size_bytes < 1:
            raise ValueError(
                f"a batch of {record_count} records and {size_bytes} bytes is empty"
            )
        base_offset = self.log_end_offset
        self.batches.append(batch)
        self.base_offsets.append(base_offset)
        self.end_bytes.append(self.end_bytes[-1] + size_bytes)
        self.log_end_offset = base_offset + record_count
        return base_offset

    def release(self, end: int) -> None:
        """Forget what was appended as the batches before index `end`.

        Offsets and sizes stay: such batches can still be read, and counted.
        """
        batches = self.batches
        for number in range(self._released, end):
            batches[number] = None  # type: ignore[assignment]
        self._released = max(self._released, end)

    def advance_high_watermark(self, offset: int) -> None:
        """Raise the high watermark to `offset`; it never goes back on a leader (BR-12).

        Raises
        ------
        ValueError
            When `offset` lies beyond the log end.
        """
        if offset > self.log_end_offset:
            raise ValueError(
                f"high watermark {offset} is beyond log end {self.log_end_offset}"
            )
        if offset > self.high_watermark:  # noqa: PLR1730 - hot path
            self.high_watermark = offset

    def batch_index(self, offset: int) -> int:
        """Return the index of the batch that holds `offset`.

        At the log end this is the number of batches: the one that comes next.

        Raises
        ------
        ValueError
            When the offset is out of range (OFFSET_OUT_OF_RANGE in Kafka).
        """
        if not self.log_start_offset <= offset <= self.log_end_offset:
            raise ValueError(
                f"offset {offset} is out of range "
                f"[{self.log_start_offset}, {self.log_end_offset}]"
            )
        if offset == self.log_end_offset:
            return len(self.batches)
        return bisect_right(self.base_offsets, offset) - 1

    def base_offset_of(self, index: int) -> int:
        """Return the base offset of batch `index`; the log end for the next one."""
        if index < len(self.base_offsets):
            return self.base_offsets[index]
        return self.log_end_offset

    def read(
        self, offset: int, max_bytes: int, *, at_least_one: bool = True
    ) -> BatchRange:
        """Return the batches from `offset` up to the high watermark.

        Parameters
        ----------
        offset : int
            Where to begin; the batch that holds it comes whole.
        max_bytes : int
            Soft limit on the bytes returned.
        at_least_one : bool
            Return the first batch even when it alone is over the limit, so that a
            reader never gets stuck (KIP-74).
        """
        first = self.batch_index(offset)
        end = self.read_end(first, max_bytes, at_least_one)
        return BatchRange(
            first,
            end,
            self.base_offset_of(first),
            self.base_offset_of(end),
            self.end_bytes[end] - self.end_bytes[first],
        )

    def read_end(self, first: int, max_bytes: int, at_least_one: bool) -> int:  # noqa: FBT001 - hot path
        """Return the index after the last batch of a read from batch `first` on.

        It reads as `read` does; where nothing can be read that is `first`.
        """
        end = len(self.batches)
        if self.high_watermark < self.log_end_offset:
            # Only what lies wholly below the high watermark.
            end = max(first, bisect_right(self.base_offsets, self.high_watermark) - 1)
        end_bytes = self.end_bytes
        most_bytes = end_bytes[first] + max_bytes
        if end_bytes[end] > most_bytes:
            readable = end
            end = bisect_right(end_bytes, most_bytes, first, end) - 1
            if end == first and at_least_one and first < readable:
                end += 1
        return end
