"""Fuzz what reads bytes: batches, columns, indexes, snapshots, whole logs.

    pip install atheris numpy crc32c lz4 zstandard cramjam
    PYTHONPATH=. python tests/log/fuzz.py -max_total_time=600 CORPUS tests/log/data/fuzz

The first byte of an input says which target it is for. Two ways to read the same bytes
are compared, so that a wrong answer counts as much as a wrong error. Inputs that were
worth keeping are in `data/fuzz`; `test_fuzz.py` replays them without atheris.
"""

import contextlib
import struct
import sys
from collections.abc import Callable
from importlib import import_module

import numpy as np
from crc32c import crc32c

from kafkasim.config.topic import TopicConfig
from kafkasim.errors import CorruptBatchError, LogError
from kafkasim.log.checkpoints import (
    read_leader_epochs,
    read_meta_properties,
    read_offsets,
    read_partition_metadata,
)
from kafkasim.log.contents import ByteBatch
from kafkasim.log.decode import check_batch, decode_batch
from kafkasim.log.fsck import fsck
from kafkasim.log.header import HEADER_BYTES, unpack_header
from kafkasim.log.index import OffsetIndex, TimeIndex
from kafkasim.log.partition_log import PartitionLog
from kafkasim.log.producer_snapshot import read_snapshot
from kafkasim.log.record import Record
from kafkasim.log.salvage import salvage
from kafkasim.log.scan import decode_columns
from kafkasim.log.store import MemoryStore
from kafkasim.log.transaction_index import TransactionIndex

MOST_BYTES = 1 << 20
"""Of what a batch may become when it is decompressed."""
CONFIG = TopicConfig(
    internal_segment_bytes=400, segment_index_bytes=480, index_interval_bytes=100
).resolve()


def with_right_crcs(data: bytes) -> bytes:
    """Return the bytes with the CRC of each batch made right, as far as they go."""
    fixed = bytearray(data)
    at = 0
    while at + HEADER_BYTES <= len(data):
        size = unpack_header(data, at).size_bytes
        end = at + size
        if size < HEADER_BYTES or end > len(data):
            break
        struct.pack_into(">I", fixed, at + 17, crc32c(bytes(fixed[at + 21 : end])))
        at = end
    return bytes(fixed)


def records_one_by_one(data: bytes) -> list[Record]:
    found: list[Record] = []
    at = 0
    while at < len(data):
        header = check_batch(data, at)
        found += decode_batch(data, at, most_bytes=MOST_BYTES)
        at += header.size_bytes
    return found


def records_in_columns(data: bytes) -> list[Record]:
    found = decode_columns(data, most_bytes=MOST_BYTES)
    headers = found.headers or [()] * found.record_count
    return [
        Record(
            int(found.timestamps_ms[number]),
            found.keys[number],
            found.values[number],
            headers[number],
            int(found.offsets[number]),
        )
        for number in range(found.record_count)
    ]


def read_batches(data: bytes) -> None:
    """Both decoders say the same of the same bytes, or both refuse them."""
    data = with_right_crcs(data)
    try:
        one_by_one = records_one_by_one(data)
    except CorruptBatchError:
        try:
            records = records_in_columns(data)
        except CorruptBatchError:
            return
        raise AssertionError(f"only columns take it: {records}") from None
    assert records_in_columns(data) == one_by_one


def read_raw(data: bytes) -> None:
    """Bytes as they are, with wrong CRCs and all."""
    for reader in (check_batch, decode_batch, decode_columns, read_snapshot):
        with contextlib.suppress(LogError):
            reader(data)
    end = 0
    for piece in salvage(data):
        assert piece.position == end < piece.end_position
        end = piece.end_position
    assert end == len(data)


def look_up(data: bytes) -> None:
    """An index of any bytes answers, one look-up at a time as many at once."""
    base = int.from_bytes(data[:1], "big")
    body = data[1:]
    offsets = OffsetIndex.from_bytes(base, body, 480)
    wanted = np.array([base - 1, base, base + 7, base + 300, 2**31, 2**40, -5])
    found, positions = offsets.look_up_many(wanted)
    for number, offset in enumerate(wanted.tolist()):
        assert offsets.look_up(offset) == (found[number], positions[number])
    assert offsets.to_bytes() == body[: len(body) // 8 * 8]
    times = TimeIndex.from_bytes(base, body, 480)
    assert times.to_bytes() == body[: len(body) // 12 * 12]
    for timestamp_ms in (-1, 0, 5, 2**40, 2**62):
        times.look_up(timestamp_ms)
    for index in (offsets, times):
        with contextlib.suppress(LogError):
            index.append(base + 9, 1_000)
        index.truncate_to(base + 7)
        index.truncate_to(base - 7)
    try:
        aborted = TransactionIndex.from_bytes(base, body)
        aborted.aborted_between(base, base + 100)
        aborted.truncate_to(base + 5)
        aborted.check()
    except LogError:
        pass


def read_texts(data: bytes) -> None:
    """A checkpoint is read, or refused with an error of its own."""
    text = data.decode("utf-8", "replace")
    read_meta_properties(text)
    for reader in (read_leader_epochs, read_offsets, read_partition_metadata):
        with contextlib.suppress(LogError):
            reader(text)


def open_log(data: bytes) -> None:
    """A log of any bytes opens, or is refused; opened twice it is the same."""
    log_bytes, _, rest = with_right_crcs(data[1:]).partition(b"\xfe\xfe\xfe")
    store = MemoryStore()
    store.write("00000000000000000000.log", log_bytes)
    if rest:
        store.write("00000000000000000000.index", rest)
        store.write("00000000000000000000.timeindex", rest)
        store.write("00000000000000000000.txnindex", rest)
        store.write("00000000000000000003.snapshot", rest)
    str(fsck(store, repair_to=MemoryStore(), config=CONFIG))
    try:
        log: PartitionLog[ByteBatch] = PartitionLog(
            store, CONFIG, clean_shutdown=bool(data[:1] > b"\x80")
        )
        end = log.log_end_offset
        log.read(log.log_start_offset).records()
        again: PartitionLog[ByteBatch] = PartitionLog(store, CONFIG)
        assert data[:1] > b"\x80" or again.log_end_offset == end
    except LogError:
        pass


TARGETS: tuple[Callable[[bytes], None], ...] = (
    read_batches,
    read_raw,
    look_up,
    read_texts,
    open_log,
)


def run(data: bytes) -> None:
    """Run the target that an input is for."""
    if data:
        TARGETS[data[0] % len(TARGETS)](data[1:])


def main() -> None:
    atheris = import_module("atheris")

    atheris.instrument_all()
    atheris.Setup(sys.argv, run)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
