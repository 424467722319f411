"""Write record batches, one at a time.

For one batch of few records nothing is faster in Python than this: lengths and deltas
come from a table of ready varints, and a record is one join of pieces. Many batches at
once are written faster by columns.

Source: `DefaultRecordBatch` (`writeHeader`, `writeEmptyHeader`) and
`DefaultRecord.writeTo`; what is refused, `MemoryRecordsBuilder`.
"""

import struct
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import Final, Literal

from crc32c import crc32c

from kafkasim.log.compression import compress
from kafkasim.log.header import (
    CODEC_MASK,
    CODECS,
    CONTROL,
    COVERED_AT,
    DELETE_HORIZON,
    HEADER_BYTES,
    LOG_APPEND_TIME,
    LOG_OVERHEAD_BYTES,
    MAGIC,
    NO_LEADER_EPOCH,
    NO_PRODUCER_EPOCH,
    NO_PRODUCER_ID,
    NO_SEQUENCE,
    NO_TIMESTAMP,
    PREFIX,
    TRANSACTIONAL,
    unpack_header,
)
from kafkasim.log.record import Record
from kafkasim.log.varint import COUNT_VARINTS, TABLE_HALF, VARINTS, write_varint

_ZERO: Final = b"\x00"
_pack_prefix = PREFIX.pack
_pack_times = struct.Struct(">hiqq").pack
_pack_producer = struct.Struct(">qhii").pack
"""The two halves of what the CRC covers of the header, `COVERED`."""
_COUNTED_PREFIX_BYTES: Final = PREFIX.size - LOG_OVERHEAD_BYTES
_LENGTH_AT: Final = 8
_EPOCH_AT: Final = 12
_MAGIC_AT: Final = 16
_KNOWN_ATTRIBUTES: Final = 0x7F
_MARKER_KEY: Final = struct.Struct(">hh")
_MARKER_VALUE: Final = struct.Struct(">hi")
_MARKER_TYPES: Final = {"abort": 0, "commit": 1}
_I32_MOST: Final = (1 << 31) - 1


def encode_batch(
    records: Sequence[Record],
    *,
    base_offset: int = 0,
    leader_epoch: int = NO_LEADER_EPOCH,
    codec: str = "none",
    log_append_time_ms: int | None = None,
    producer_id: int = NO_PRODUCER_ID,
    producer_epoch: int = NO_PRODUCER_EPOCH,
    base_sequence: int = NO_SEQUENCE,
    transactional: bool = False,
    control: bool = False,
    offset_deltas: Sequence[int] | None = None,
    last_offset_delta: int | None = None,
    delete_horizon_ms: int | None = None,
    max_timestamp_ms: int = NO_TIMESTAMP,
) -> bytes:
    """Return a record batch, format v2.

    Parameters
    ----------
    records : sequence of Record
        In order; their own `offset` is not looked at. None at all make the bare header
        that compaction leaves of a producer's last batch
        (`DefaultRecordBatch.writeEmptyHeader`).
    base_offset : int
        Offset that the offset deltas count from.
    leader_epoch : int
        −1 until a leader stamps its own.
    codec : str
        One of `CODECS`; "snappy", "lz4" and "zstd" need `kafkasim[compression]`.
    log_append_time_ms : int or None
        The broker's time, for a batch of LogAppendTime; the records keep theirs in the
        bytes, and no reader sees them.
    producer_id, producer_epoch, base_sequence : int
        The idempotent producer's; −1 without one.
    transactional, control : bool
        Flags; a control batch is more easily made by `control_batch`.
    offset_deltas : sequence of int or None
        Of each record, ascending; 0, 1, 2 … by default. Compaction leaves gaps.
    last_offset_delta : int or None
        Of the last record as appended; the last record's by default.
    delete_horizon_ms : int or None
        When tombstones and markers may go: it takes the base timestamp's place.
    max_timestamp_ms : int
        Of a batch without records: what stood there before they went.

    Returns
    -------
    bytes
        The whole batch.

    Raises
    ------
    ValueError
        A value that Kafka's builder refuses too; the text says which.
    struct.error or OverflowError
        A number does not fit its field.
    MissingExtraError
        The codec's library is not installed.
    """
    attributes = 0 if codec == "none" else _codec_number(codec)
    if producer_id != NO_PRODUCER_ID or transactional or control:
        _check_producer(producer_id, producer_epoch, base_sequence, control=control)
        attributes |= (transactional and TRANSACTIONAL) | (control and CONTROL)
    if not records:
        if last_offset_delta is None:
            raise ValueError("a batch without records needs its last_offset_delta")
        attributes &= ~CODEC_MASK
        base_ms = NO_TIMESTAMP
    elif delete_horizon_ms is None:
        base_ms = records[0][0]
    else:
        base_ms = _checked_horizon(delete_horizon_ms)
        attributes |= DELETE_HORIZON
    pieces = [b"", b""]  # the header comes in here
    if records:
        max_timestamp_ms = _add_records(pieces, records, base_ms, offset_deltas)
    if attributes & CODEC_MASK:
        pieces = [b"", b"", compress(codec, b"".join(pieces))]
    if log_append_time_ms is not None:
        attributes |= LOG_APPEND_TIME
        max_timestamp_ms = log_append_time_ms
    count = len(records)
    last = last_offset_delta
    if last is None:
        last = count - 1 if offset_deltas is None else offset_deltas[-1]
    pieces[0] = _pack_times(attributes, last, base_ms, max_timestamp_ms)
    pieces[1] = _pack_producer(producer_id, producer_epoch, base_sequence, count)
    covered = b"".join(pieces)
    length = len(covered) + _COUNTED_PREFIX_BYTES
    prefix = _pack_prefix(base_offset, length, leader_epoch, MAGIC, crc32c(covered))
    return prefix + covered


def _checked_horizon(horizon_ms: int) -> int:
    if horizon_ms < 0:
        raise ValueError(f"invalid negative delete horizon {horizon_ms}")
    return horizon_ms


def _add_records(
    pieces: list[bytes],
    records: Sequence[Record],
    base_ms: int,
    offset_deltas: Sequence[int] | None,
) -> int:
    """Add what the records are in bytes, and return the largest timestamp."""
    if offset_deltas is None:
        pairs: Iterable[tuple[int, Record]] = enumerate(records)
    else:
        _check_deltas(offset_deltas)
        pairs = zip(offset_deltas, records, strict=True)
    varints = VARINTS
    counts = COUNT_VARINTS
    null = VARINTS[-1]
    join = b"".join
    top_ms = NO_TIMESTAMP
    try:
        for delta, (timestamp_ms, key, value, headers, _) in pairs:
            if timestamp_ms > top_ms:
                top_ms = timestamp_ms
            elif timestamp_ms < NO_TIMESTAMP:
                raise ValueError(f"invalid negative timestamp {timestamp_ms}")
            body = join(
                (
                    b"\x00",
                    varints[timestamp_ms - base_ms],
                    counts[delta],
                    null if key is None else counts[len(key)],
                    key or b"",
                    null if value is None else counts[len(value)],
                    value or b"",
                    encoded_headers(headers) if headers else b"\x00",
                )
            )
            pieces.append(counts[len(body)])
            pieces.append(body)
    except LookupError:  # a number beyond the tables of short varints
        del pieces[2:]
        return _add_any_records(pieces, records, base_ms, offset_deltas)
    return top_ms


def _varint(value: int) -> bytes:
    if -TABLE_HALF <= value < TABLE_HALF:
        return VARINTS[value]
    return write_varint(value)


def _add_any_records(
    pieces: list[bytes],
    records: Sequence[Record],
    base_ms: int,
    offset_deltas: Sequence[int] | None,
) -> int:
    """Do what `_add_records` does, with lengths and deltas of any size."""
    deltas = range(len(records)) if offset_deltas is None else offset_deltas
    for record, delta in zip(records, deltas, strict=True):
        if record.timestamp_ms < NO_TIMESTAMP:
            raise ValueError(f"invalid negative timestamp {record.timestamp_ms}")
        body = b"".join(
            (
                _ZERO,
                _varint(record.timestamp_ms - base_ms),
                _varint(delta),
                _sized(record.key),
                _sized(record.value),
                encoded_headers(record.headers),
            )
        )
        pieces += _varint(len(body)), body
    return max(record.timestamp_ms for record in records)


def _sized(data: bytes | None) -> bytes:
    return VARINTS[-1] if data is None else _varint(len(data)) + data


def encoded_headers(headers: tuple[tuple[str, bytes | None], ...]) -> bytes:
    """Return how many headers and the headers themselves."""
    pieces = [_varint(len(headers))]
    for name, value in headers:
        pieces += _sized(name.encode()), _sized(value)
    return b"".join(pieces)


def _codec_number(codec: str) -> int:
    if codec not in CODECS:
        raise ValueError(f"codec {codec!r} is none of {', '.join(CODECS)}")
    return CODECS.index(codec)


def _check_producer(
    producer_id: int, producer_epoch: int, base_sequence: int, *, control: bool
) -> None:
    """Refuse what `MemoryRecordsBuilder.validateProducerState` refuses."""
    if producer_id == NO_PRODUCER_ID:
        raise ValueError("a transactional batch needs a producer id")
    if producer_epoch == NO_PRODUCER_EPOCH:
        raise ValueError("a batch with a producer id needs a producer epoch")
    if base_sequence < 0 and not control:
        raise ValueError("a batch with a producer id needs a base sequence")


def _check_deltas(deltas: Sequence[int]) -> None:
    """Refuse offsets that do not ascend (`MemoryRecordsBuilder.appendWithOffset`)."""
    if len(deltas) and (deltas[0] < 0 or deltas[-1] > _I32_MOST):
        raise ValueError(f"offset deltas {deltas[0]} … {deltas[-1]} are out of range")
    for before, delta in pairwise(deltas):
        if delta <= before:
            raise ValueError(f"offset delta {delta} follows {before}: they ascend")


def control_batch(
    kind: Literal["abort", "commit"],
    *,
    base_offset: int,
    timestamp_ms: int,
    producer_id: int,
    producer_epoch: int,
    coordinator_epoch: int = 0,
    leader_epoch: int = NO_LEADER_EPOCH,
) -> bytes:
    """Return the batch that ends a transaction in a partition, one marker.

    Source: `MemoryRecords.withEndTransactionMarker`, `ControlRecordType` (the key: i16
    version 0, i16 type) and `EndTransactionMarker` (the value: i16 version 0, i32 epoch
    of the transaction coordinator).

    Parameters
    ----------
    kind : {"abort", "commit"}
        How the transaction ended.
    base_offset, timestamp_ms : int
        The marker's offset and time.
    producer_id, producer_epoch : int
        Whose transaction it was.
    coordinator_epoch : int
        Epoch of the coordinator that wrote the marker.
    leader_epoch : int
        Epoch of the partition's leader.
    """
    marker = Record(
        timestamp_ms,
        _MARKER_KEY.pack(0, _MARKER_TYPES[kind]),
        _MARKER_VALUE.pack(0, coordinator_epoch),
    )
    return encode_batch(
        [marker],
        base_offset=base_offset,
        leader_epoch=leader_epoch,
        producer_id=producer_id,
        producer_epoch=producer_epoch,
        transactional=True,
        control=True,
    )


def stamped(
    batch: bytes | bytearray | memoryview,
    *,
    base_offset: int,
    leader_epoch: int,
    log_append_time_ms: int | None = None,
) -> bytes:
    """Return the batch as the leader appends it: with its offsets and epoch.

    Both lie outside the CRC, which stays. The broker's time does not, so it is computed
    anew if that changes anything.

    Source: `LogValidator` by `DefaultRecordBatch.setLastOffset`,
    `setPartitionLeaderEpoch` and `setMaxTimestamp`.

    Parameters
    ----------
    batch : bytes-like
        One whole batch.
    base_offset : int
        Offset of its first record.
    leader_epoch : int
        Epoch of the leader.
    log_append_time_ms : int or None
        Now, if the topic says `message.timestamp.type=LogAppendTime`.
    """
    view = memoryview(batch)
    out = b"".join(
        (
            base_offset.to_bytes(8, "big", signed=True),
            view[_LENGTH_AT:_EPOCH_AT],
            leader_epoch.to_bytes(4, "big", signed=True),
            view[_MAGIC_AT:],
        )
    )
    if log_append_time_ms is None:
        return out
    return _with_broker_time(out, log_append_time_ms)


def _with_broker_time(batch: bytes, now_ms: int) -> bytes:
    """Return the batch stamped with the broker's time, its CRC right again."""
    header = unpack_header(batch, 0)
    if header.is_log_append_time and header.max_timestamp_ms == now_ms:
        return batch
    changed = header._replace(
        attributes=header.attributes & _KNOWN_ATTRIBUTES | LOG_APPEND_TIME,
        max_timestamp_ms=now_ms,
    )
    covered = changed.pack()[COVERED_AT:] + batch[HEADER_BYTES:]
    return changed._replace(crc=crc32c(covered)).pack()[:COVERED_AT] + covered
