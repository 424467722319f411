"""Source of the rules: LogSegment.translateOffset, LogSegment.read (4.3)."""

import pytest

from kafkasim.errors import CorruptBatchError
from kafkasim.log.checkpoints import file_name
from kafkasim.log.segment import Segment
from kafkasim.log.store import MemoryStore
from tests.log.segments import BATCH_BYTES, AnyStore, filled, settings


def test_an_index_that_was_there_is_believed(store: AnyStore) -> None:
    """A log whose index lies: of offset 40 a read begins at 57; nobody notices."""
    config = settings(index_interval_bytes=0)
    filled(store, config).close()
    truth = bytes(store.read(file_name(0, ".index")))
    lying = truth[: 8 * 12] + b"\0\0\0\x27" + truth[8 * 18 + 4 :]
    store.write(file_name(0, ".index"), lying)

    segment = Segment(store, 0, config, 0)
    found = segment.position_of(40)
    read = segment.read(40, 1 << 20)

    assert found is not None and read is not None
    assert read.position == found and read.first_offset == 57
    assert read.end_position == segment.size_bytes and read.next_offset == 60


def test_an_index_that_points_nowhere_ends_a_read_no_sooner() -> None:
    """Only where a read begins is the index's to say."""
    store = MemoryStore()
    config = settings(index_interval_bytes=0)
    filled(store, config).close()
    size = store.size(file_name(0, ".index"))
    lies = bytearray(store.read(file_name(0, ".index")))
    for entry in range(5, size // 8):
        lies[8 * entry + 7] ^= 1
    store.write(file_name(0, ".index"), lies)
    segment = Segment(store, 0, config, 0)

    read = segment.read(3, 12 * 150)

    assert read is not None and read.first_offset == 3
    assert read.end_position == 12 * BATCH_BYTES + read.position
    assert read.next_offset == 39


class TestRead:
    def test_whole_batches_up_to_the_bytes_and_the_offset(
        self, store: AnyStore
    ) -> None:
        segment = filled(store, settings(index_interval_bytes=300), base=50)
        size = BATCH_BYTES
        ends = {
            (most, end): segment.read(58, most, end)
            for most in (0, size - 1, size, 3 * size + 5, 1 << 20)
            for end in (None, 58, 59, 62, 63, 104, 200)
        }

        for (most, end), read in ends.items():
            assert read is not None
            count = min(most // size, 18)
            if end is not None:
                count = min(count, max(0, (end - 56) // 3))
            assert read.position == 2 * size and read.first_offset == 56
            assert read.end_position == (2 + count) * size
            assert read.next_offset == (56 + 3 * count if count else 58)

    def test_the_first_batch_comes_whole_if_that_is_asked(self) -> None:
        segment = filled(MemoryStore(), settings())
        size = BATCH_BYTES

        nothing = segment.read(4, size - 1)
        one = segment.read(4, 0, at_least_one=True)
        above = segment.read(4, 0, 4, at_least_one=True)

        assert nothing is not None and nothing.end_position == nothing.position
        assert one is not None and one[:2] == (size, 2 * size)
        assert above is not None and above.end_position == above.position

    def test_past_the_end_there_is_nothing(self) -> None:
        segment = filled(MemoryStore(), settings())

        assert segment.read(60, 100) is None and segment.position_of(60) is None
        assert Segment(MemoryStore(), 5, settings(), 0).read(5, 100) is None
        with pytest.raises(ValueError, match="cannot have -1"):
            segment.read(0, -1)

    def test_what_is_whole_comes_before_what_is_damaged(self, store: AnyStore) -> None:
        config = settings(index_interval_bytes=10_000)
        filled(store, config).close()
        size = BATCH_BYTES
        store.write_at(file_name(0, ".log"), 5 * size + 8, b"\xff" * 4)
        segment = Segment(store, 0, config, 0)

        read = segment.read(3, 1 << 20)

        assert read is not None and read[:2] == (size, 5 * size)
        with pytest.raises(CorruptBatchError):
            segment.read(16, 1 << 20)
