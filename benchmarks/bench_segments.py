"""A segment: an append and a recovery against plain copies, and what a look-up takes.

An append is of 16 KiB into a segment in memory, indexes and all. The copy it is held
against puts the same bytes into a buffer that is there already, one after the other.
Look-ups are in a full index of 10 MiB, 1.3 million entries, at offsets drawn all over.
A recovery checks every CRC, makes the indexes anew and notes epochs, as after a crash.
"""

from collections.abc import Iterator

import numpy as np

from benchmarks.bench import Figure, figure, interleaved, medians
from kafkasim.config.topic import TopicConfig
from kafkasim.log.contents import ByteBatch
from kafkasim.log.encode import encode_batch
from kafkasim.log.header import unpack_header
from kafkasim.log.index import OffsetIndex
from kafkasim.log.leader_epochs import LeaderEpochs
from kafkasim.log.producer_files import ProducerFiles, read_marker
from kafkasim.log.producer_state import ProducerStates
from kafkasim.log.record import Record
from kafkasim.log.recovery import recover
from kafkasim.log.segment import Segment
from kafkasim.log.store import MemoryStore

BATCH_BYTES = 16_384
APPENDS = 2_000
INDEX_BYTES = 10 << 20
LOOK_UPS = 100_000
ROUNDS = 15


def figures_of_appends() -> Iterator[Figure]:
    data = encode_batch([Record(0, None, bytes(BATCH_BYTES - 80))])
    header = unpack_header(data, 0)
    headers = [header._replace(base_offset=number) for number in range(APPENDS)]
    size = len(data)
    config = TopicConfig().resolve()
    warm = bytearray(APPENDS * size)

    def new_segment() -> Segment[ByteBatch]:
        return Segment(MemoryStore(), 0, config, 0)

    def append(segment: Segment[ByteBatch]) -> None:
        put = segment.append
        for one in headers:
            put(one, data)

    def append_where_room_is() -> None:
        segment.contents.truncate(0)
        segment.reset_indexes()
        append(segment)

    def append_and_grow() -> None:
        append(new_segment())

    def copy() -> None:
        at = 0
        for _ in headers:
            warm[at : at + size] = data
            at += size

    segment = new_segment()
    append(segment)
    assert bytes(segment.contents.read(size, 2 * size)) == data
    segment = new_segment()
    with_room, grown, copied = medians(
        append_where_room_is, append_and_grow, copy, rounds=ROUNDS
    )
    assert segment.size_bytes == APPENDS * size
    for text, took, bar in (
        ("append of 16 KiB to a segment in memory, over a plain copy", with_room, 2.0),
        ("the same to a new segment, which grows to 31 MiB", grown, 3.0),
    ):
        yield figure(
            text,
            took / copied,
            bar,
            microseconds=took / APPENDS * 1e6,
            copy_microseconds=copied / APPENDS * 1e6,
        )


def full_index(rng: np.random.Generator) -> tuple[OffsetIndex, int]:
    """Return a full index of a segment and the offset after its last one."""
    index = OffsetIndex(1_000, INDEX_BYTES)
    offset, position = 1_000, 0
    for step in rng.integers(1, 100, INDEX_BYTES // 8).tolist():
        offset += step
        position += 1_500
        index.append(offset, position)
    assert index.is_full
    return index, offset + 1


def figures_of_look_ups() -> Iterator[Figure]:
    rng = np.random.default_rng(1)
    index, end = full_index(rng)
    wanted = rng.integers(1_000, end, LOOK_UPS)
    one_by_one = wanted.tolist()

    def single() -> None:
        look_up = index.look_up
        for offset in one_by_one:
            look_up(offset)

    def bulk() -> None:
        index.look_up_many(wanted)

    offsets, positions = index.look_up_many(wanted)
    for number in range(0, LOOK_UPS, 1_000):
        assert index.look_up(one_by_one[number]) == (offsets[number], positions[number])
    took, all_at_once = medians(single, bulk, rounds=ROUNDS)
    for text, seconds, budget_s in (
        ("an offset looked up in a full index, as a share of 2 us", took, 2e-6),
        ("one of 100,000 looked up at once, as a share of 0.5 us", all_at_once, 0.5e-6),
    ):
        each = seconds / LOOK_UPS
        yield figure(text, each / budget_s, 1.0, microseconds=each * 1e6)


def figures_of_recovery() -> Iterator[Figure]:
    config = TopicConfig().resolve()
    store = MemoryStore()
    segment: Segment[ByteBatch] = Segment(store, 0, config, 0)
    for number in range(APPENDS):
        record = Record(number, None, bytes(BATCH_BYTES - 80))
        data = encode_batch([record], base_offset=number, leader_epoch=0)
        segment.append(unpack_header(data, 0), data)
    segment.close()
    whole = segment.contents.read(0, segment.size_bytes)
    warm = bytearray(len(whole))

    def again() -> None:
        producers = ProducerFiles(store, ProducerStates(), read_marker)
        assert recover(segment, producers, LeaderEpochs(), config) == 0

    def copy() -> None:
        warm[:] = whole

    took, copied = interleaved(again, copy, ROUNDS)
    yield figure(
        "recovery of a segment of 16 KiB batches, as a rate over memcpy's",
        copied / took,
        0.3,
        at_least=True,
        gigabytes_per_second=len(whole) / took / 1e9,
        memcpy_gigabytes_per_second=len(whole) / copied / 1e9,
    )
