"""A partition's producer state as a file, `<offset>.snapshot`.

Version (2 bytes, 1), CRC-32C of all that follows (4), number of producers (4), and of
every producer 46 bytes: id (8), epoch (2), last sequence number (4), last offset (8),
last minus first offset of its last batch (4), timestamp (8), coordinator epoch (4),
first offset of its open transaction (8, −1 for none). All are big-endian. Of the five
kept batches only the last is in it.

Source: `org.apache.kafka.storage.internals.log.ProducerStateManager.writeSnapshot` and
the message schema ProducerSnapshot (4.3).
"""

import struct
from typing import Final

from crc32c import crc32c

from kafkasim.errors import LogError
from kafkasim.log.header import NO_TIMESTAMP, BatchHeader
from kafkasim.log.producer_state import ProducerEntry, ProducerStates

_VERSION: Final = 1
_HEAD: Final = struct.Struct(">hI")
_COUNT: Final = struct.Struct(">i")
_ENTRY: Final = struct.Struct(">qhiqiqiq")
_UINT32: Final = 0xFFFF_FFFF


def snapshot_bytes(states: ProducerStates) -> bytes:
    """Return the snapshot of a partition's producers."""
    parts = [_COUNT.pack(len(states.entries))]
    for entry in _in_kafkas_order(states):
        last = entry.batches[-1] if entry.batches else None
        first_offset = entry.transaction_first_offset
        row = _ENTRY.pack(
            entry.producer_id,
            entry.epoch,
            entry.last_sequence,
            entry.last_offset,
            last.last_offset_delta if last else 0,
            entry.last_timestamp_ms,
            entry.coordinator_epoch,
            -1 if first_offset is None else first_offset,
        )
        parts.append(row)
    body = b"".join(parts)
    return _HEAD.pack(_VERSION, crc32c(body)) + body


def read_snapshot(data: bytes | bytearray | memoryview) -> list[ProducerEntry]:
    """Return the producers that a snapshot holds.

    Raises
    ------
    LogError
        KAFKA_STORAGE_ERROR: it is of another version, too short, or its CRC is not that
        of its content (`CorruptSnapshotException`).
    """
    view = memoryview(data)
    if len(view) < _HEAD.size + _COUNT.size:
        raise _damaged(f"{len(view)} bytes are too few")
    version, crc = _HEAD.unpack_from(view)
    if version != _VERSION:
        raise _damaged(f"version {version} is not known")
    body = view[_HEAD.size :]
    if crc32c(body) != crc:
        raise _damaged("its CRC does not fit its content")
    (count,) = _COUNT.unpack_from(body)
    if count < 0 or len(body) < _COUNT.size + count * _ENTRY.size:
        raise _damaged(f"{count} producers do not fit in {len(view)} bytes")
    rows = body[_COUNT.size : _COUNT.size + count * _ENTRY.size]
    return [_entry(row) for row in _ENTRY.iter_unpack(rows)]


def _entry(row: tuple[int, ...]) -> ProducerEntry:
    producer_id, epoch, last_sequence, last_offset = row[:4]
    offset_delta, timestamp_ms, coordinator_epoch, first_offset = row[4:]
    entry = ProducerEntry(
        producer_id,
        epoch,
        coordinator_epoch,
        timestamp_ms,
        first_offset if first_offset >= 0 else None,
    )
    if last_offset >= 0:
        last = BatchHeader(
            base_offset=last_offset - offset_delta,
            size_bytes=0,
            leader_epoch=-1,
            magic=2,
            crc=0,
            attributes=0,
            last_offset_delta=offset_delta,
            base_timestamp_ms=NO_TIMESTAMP,
            max_timestamp_ms=timestamp_ms,
            producer_id=producer_id,
            producer_epoch=epoch,
            base_sequence=_first_sequence(last_sequence, offset_delta),
            record_count=offset_delta + 1,
        )
        entry.batches.append(last)
    return entry


def _first_sequence(last_sequence: int, offset_delta: int) -> int:
    """Return where a batch's sequence numbers begin (decrementSequence)."""
    return -1 if last_sequence < 0 else (last_sequence - offset_delta) % (1 << 31)


def _in_kafkas_order(states: ProducerStates) -> list[ProducerEntry]:
    """Return the producers in the order of Kafka's hash table.

    Java's `HashMap` walks its buckets in turn: the bucket of an id is its hash, the id
    folded twice upon itself, modulo the size of the table. Ids of one bucket come in
    the order they were added, as long as there are no more than eight.
    """

    def bucket(entry: ProducerEntry) -> int:
        folded = (entry.producer_id ^ (entry.producer_id >> 32)) & _UINT32
        return (folded ^ (folded >> 16)) & (states.table_size - 1)

    return sorted(states.entries.values(), key=bucket)


def _damaged(text: str) -> LogError:
    return LogError("KAFKA_STORAGE_ERROR", f"snapshot of producers: {text}")
