import struct

import pytest
from crc32c import crc32c
from hypothesis import given
from hypothesis import strategies as st

from kafkasim.errors import LogError
from kafkasim.log.producer_snapshot import read_snapshot, snapshot_bytes
from kafkasim.log.producer_state import ProducerStates
from tests.log.batch_headers import header

FIVE = bytes.fromhex(
    "000174f90a890000000100000000000000000000000000090000000000000009"
    "000000010000018bcfe577a1ffffffffffffffffffffffff"
)
"""A real broker's snapshot after five batches of two records each, of producer 0."""
EMPTY = bytes.fromhex("000148674bc700000000")
"""Its snapshot of a partition without producers."""
OPEN = bytes.fromhex(
    "0001d3b1da850000000100000000000000040000000000010000000000000001"
    "000000010000018bcfe56801ffffffff0000000000000000"
)
"""Its snapshot while producer 4 has a transaction open since offset 0."""
MARKED = bytes.fromhex(
    "00016ce0ec5f0000000200000000000000040003ffffffffffffffffffffffff"
    "00000000000001a20720b22a00000000ffffffffffffffff0000000000000005"
    "0003ffffffffffffffffffffffff00000000000001a20720b22600000000ffff"
    "ffffffffffff"
)
"""Its snapshot of two producers whose last batches are markers."""


def restored(data: bytes) -> ProducerStates:
    states = ProducerStates()
    states.restore(read_snapshot(data), now_ms=0)
    return states


@pytest.mark.parametrize("data", [EMPTY, FIVE, OPEN, MARKED])
def test_snapshots_of_a_real_broker_are_read_and_written(data: bytes) -> None:
    """Source: ProducerStateManager.writeSnapshot, readSnapshot."""
    assert snapshot_bytes(restored(data)) == data


def test_what_a_snapshot_says() -> None:
    (last,) = restored(FIVE).entries[0].batches
    assert (last.base_offset, last.last_offset) == (8, 9)
    assert (last.base_sequence, last.last_sequence) == (8, 9)

    entry = restored(OPEN).entries[4]

    assert (entry.epoch, entry.last_sequence, entry.last_offset) == (0, 1, 1)
    assert entry.last_timestamp_ms == 1_700_000_000_001
    assert entry.coordinator_epoch == -1 and entry.transaction_first_offset == 0
    assert entry.batches[0].base_sequence == 0

    marked = restored(MARKED).entries[5]
    assert marked.epoch == 3 and marked.last_sequence == -1 and not marked.batches
    assert marked.transaction_first_offset is None


def test_only_the_last_of_five_batches_outlives_a_snapshot() -> None:
    """ID-7. Source: ProducerStateManager.writeSnapshot."""
    states = ProducerStates()
    first, second = header(0, 2, producer=(9, 0, 0)), header(2, 3, producer=(9, 0, 2))
    states.add(first)
    states.add(second)

    again = restored(snapshot_bytes(states))

    assert again.duplicate_of(first) is None
    found = again.duplicate_of(second)
    assert found is not None and (found.base_offset, found.last_offset) == (2, 4)


def test_sequence_numbers_that_wrapped_are_read_back() -> None:
    """Source: DefaultRecordBatch.decrementSequence."""
    states = ProducerStates()
    states.add(header(0, 3, producer=(9, 0, 2**31 - 2)))

    assert restored(snapshot_bytes(states)).entries[9].batches[0].base_sequence == (
        2**31 - 2
    )


def test_producers_come_in_the_order_of_javas_hash_table() -> None:
    """Ids 16, 1, 33 fall into buckets 0, 1, 1 of 16, then 16, 1, 1 of 32.

    Source: java.util.HashMap.hash, resize; Long.hashCode.
    """
    states = ProducerStates()
    for at, pid in enumerate((33, 1, 16)):
        states.add(header(at, producer=(pid, 0, 0)))
    assert [entry.producer_id for entry in read_snapshot(snapshot_bytes(states))] == [
        16,
        33,
        1,
    ]

    for at, pid in enumerate(range(2, 12)):
        states.add(header(at, producer=(pid, 0, 0)))
    ids = [entry.producer_id for entry in read_snapshot(snapshot_bytes(states))]
    assert ids == [33, 1, *range(2, 12), 16]

    high = ProducerStates()
    for at, pid in enumerate((1 << 32, 1 << 16)):  # both fold to 1
        high.add(header(at, producer=(pid, 0, 0)))
    high.add(header(9, producer=(0, 0, 0)))
    ids = [entry.producer_id for entry in read_snapshot(snapshot_bytes(high))]
    assert ids == [0, 1 << 32, 1 << 16]


def damaged(*, version: int = 1, body: bytes, crc: int | None = None) -> bytes:
    return struct.pack(">hI", version, crc32c(body) if crc is None else crc) + body


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", "too few"),
        (OPEN[:9], "too few"),
        (OPEN[:-1], "CRC"),
        (OPEN[:-1] + b"\1", "CRC"),
        (damaged(version=0, body=OPEN[6:]), "version 0"),
        (damaged(version=2, body=OPEN[6:]), "version 2"),
        (damaged(body=struct.pack(">i", 2**31 - 1)), "do not fit"),
        (damaged(body=struct.pack(">i", -1)), "do not fit"),
    ],
)
def test_a_damaged_snapshot_is_refused(data: bytes, text: str) -> None:
    """Source: ProducerStateManager.readSnapshot (CorruptSnapshotException)."""
    with pytest.raises(LogError, match=text):
        read_snapshot(data)


sequences = st.integers(0, 2**31 - 1)


@given(
    st.lists(
        st.tuples(st.integers(0, 2**63 - 1), st.integers(0, 2**15 - 1), sequences),
        max_size=20,
    )
)
def test_a_snapshot_read_and_written_again_is_the_same(
    producers: list[tuple[int, int, int]],
) -> None:
    states = ProducerStates()
    for at, producer in enumerate(producers):
        states.add(header(at * 3, 3, producer=producer, timestamp_ms=at))
    data = snapshot_bytes(states)

    again = ProducerStates(expiration_ms=2**62)
    again.restore(read_snapshot(data), now_ms=0)

    assert set(again.entries) == {producer[0] for producer in producers}
    for producer_id, entry in again.entries.items():
        kept = states.entries[producer_id]
        assert entry.last_sequence == kept.last_sequence
        assert entry.last_offset == kept.last_offset
        assert again.duplicate_of(kept.batches[-1]) is not None
