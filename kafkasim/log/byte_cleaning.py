"""The cleaner's view of a batch in bytes, and a batch that keeps some of its records.

Source: `org.apache.kafka.common.record.internal.MemoryRecords` (`filterBatch` and
`buildRetainedRecordsInto`, 4.3).
"""

from collections.abc import Sequence
from itertools import compress

import numpy as np

from kafkasim.log.batch_retention import CleaningView, emptied
from kafkasim.log.decode import Bytes, control_kind, decode_batch
from kafkasim.log.encode import encode_batch
from kafkasim.log.header import CODECS, BatchHeader, unpack_header
from kafkasim.log.record import Record
from kafkasim.log.scan import decode_columns, scan


def view_of_bytes(data: Bytes, position: int, header: BatchHeader) -> CleaningView:
    """Return what the cleaner must know of the records of a batch.

    Parameters
    ----------
    data : bytes-like
        What holds the batch.
    position : int
        Where it begins.
    header : BatchHeader
        Its header.

    Raises
    ------
    CorruptBatchError
        Its records are not what the header says. The CRC is not looked at, nor does
        Kafka's cleaner.
    """
    records = decode_batch(data, position, check_crc=False)
    base = header.base_offset
    return CleaningView(
        [record.offset - base for record in records],
        [record.key for record in records],
        [record.value is not None for record in records],
        control_kind(records[0]) if header.is_control and records else None,
    )


def retained_bytes(
    data: Bytes,
    position: int,
    header: BatchHeader,
    keep: Sequence[bool],
    *,
    delete_horizon_ms: int | None = None,
) -> tuple[BatchHeader, bytes]:
    """Return the batch with the records that stay, and its header.

    Base offset, last offset and base sequence stay, so that nothing is lost of where
    the batch was and of what its producer sent; timestamps are those of the records
    left. Without any it is the bare header, see `emptied`.

    Parameters
    ----------
    data : bytes-like
        What holds the batch.
    position : int
        Where it begins.
    header : BatchHeader
        Its header.
    keep : sequence of bool, shape (records,)
        Which records stay.
    delete_horizon_ms : int, optional
        When its tombstones and its marker may go; it is the base timestamp then.
    """
    records = decode_batch(data, position, check_crc=False)
    return rebuilt(header, list(compress(records, keep)), delete_horizon_ms)


def rebuilt(
    header: BatchHeader, kept: Sequence[Record], delete_horizon_ms: int | None
) -> tuple[BatchHeader, bytes]:
    """Return a batch with the records that stay of it, and its header.

    Parameters
    ----------
    header : BatchHeader
        As it was.
    kept : sequence of Record
        In order, with their offsets.
    delete_horizon_ms : int or None
        See `retained_bytes`.
    """
    if not kept:
        bare = emptied(header)
        return bare, bare.pack()
    base = header.base_offset
    batch = encode_batch(
        kept,
        base_offset=base,
        leader_epoch=header.leader_epoch,
        codec=CODECS[header.codec],
        log_append_time_ms=(
            header.max_timestamp_ms if header.is_log_append_time else None
        ),
        producer_id=header.producer_id,
        producer_epoch=header.producer_epoch,
        base_sequence=header.base_sequence,
        transactional=header.is_transactional,
        control=header.is_control,
        offset_deltas=[record.offset - base for record in kept],
        last_offset_delta=header.last_offset_delta,
        delete_horizon_ms=delete_horizon_ms,
    )
    return unpack_header(batch, 0), batch


class DecodedRun:
    """Batches that follow each other, decoded together; far faster than one by one.

    Parameters
    ----------
    data : bytes-like
        The batches, and perhaps the beginning of another one.
    position : int
        Where in their segment they begin.

    Raises
    ------
    CorruptBatchError
        One of them cannot be decoded.
    """

    __slots__ = ("_columns", "_firsts", "_has_value", "_keys", "_numbers", "_offsets")

    def __init__(self, data: Bytes, position: int) -> None:
        whole = scan(data, check_crc=False).end_position
        columns = decode_columns(memoryview(data)[:whole], check_crc=False)
        self._columns = columns
        starts = (columns.batches["position"] + position).tolist()
        self._numbers = {start: number for number, start in enumerate(starts)}
        self._firsts = [0, *np.cumsum(columns.batches["record_count"]).tolist()]
        self._offsets = columns.offsets.tolist()
        self._keys = list(columns.keys)
        self._has_value = (columns.values.sizes >= 0).tolist()

    def __contains__(self, position: int) -> bool:
        """Return whether the batch at a position is among them."""
        return position in self._numbers

    def _span(self, position: int) -> tuple[int, int]:
        number = self._numbers[position]
        return self._firsts[number], self._firsts[number + 1]

    def view(self, position: int, header: BatchHeader) -> CleaningView:
        """Return what `view_of_bytes` returns for the batch at a position."""
        first, end = self._span(position)
        base = header.base_offset
        keys = self._keys[first:end]
        marker = None
        if header.is_control and keys:
            marker = control_kind(Record(0, keys[0], None))
        return CleaningView(
            [offset - base for offset in self._offsets[first:end]],
            keys,
            self._has_value[first:end],
            marker,
        )

    def kept(self, position: int, keep: Sequence[bool]) -> list[Record]:
        """Return the records of the batch at a position that stay."""
        first, end = self._span(position)
        columns, headers = self._columns, self._columns.headers
        times, values = columns.timestamps_ms, columns.values
        return [
            Record(
                int(times[at]),
                self._keys[at],
                values[at],
                headers[at] if headers is not None else (),
                self._offsets[at],
            )
            for at in compress(range(first, end), keep)
        ]
