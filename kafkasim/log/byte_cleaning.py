"""The cleaner's view of a batch in bytes, and a batch that keeps some of its records.

Source: `org.apache.kafka.common.record.internal.MemoryRecords` (`filterBatch` and
`buildRetainedRecordsInto`, 4.3).
"""

from collections.abc import Sequence
from itertools import compress

from kafkasim.log.batch_retention import CleaningView, emptied
from kafkasim.log.decode import Bytes, control_kind, decode_batch
from kafkasim.log.encode import encode_batch
from kafkasim.log.header import CODECS, BatchHeader, unpack_header


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
    kept = list(compress(records, keep))
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
