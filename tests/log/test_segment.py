"""Source of the rules: LogSegment, RollParams, LocalLog.roll (4.3)."""

from pathlib import Path

import pytest

from kafkasim.errors import CorruptBatchError, LogError
from kafkasim.log.checkpoints import file_name
from kafkasim.log.segment import Segment
from kafkasim.log.store import FolderStore, MemoryStore
from kafkasim.log.transaction_index import AbortedTransaction
from tests.log.segments import BATCH_BYTES, AnyStore, batch, batches, filled, settings


class TestRoll:
    """LG-1, LogSegment.shouldRoll: each cause at its edge."""

    def test_size(self) -> None:
        one = batch(0, 1000)
        config = settings(internal_segment_bytes=3 * one[0].size_bytes)
        segment = Segment(MemoryStore(), 0, config, 0)
        segment.append(*one)
        next_one = batch(1, 1000)[0]

        def cause(size_bytes: int) -> str | None:
            asked = next_one._replace(size_bytes=size_bytes)
            return segment.roll_cause(asked, config, 0)

        assert cause(2 * one[0].size_bytes) is None
        assert cause(2 * one[0].size_bytes + 1) == "size"

    def test_time_is_counted_between_the_largest_timestamps_of_batches(self) -> None:
        """The first batch's largest timestamp, not its first record's."""
        config = settings(segment_ms=1000)
        segment = Segment(MemoryStore(), 0, config, 0)
        assert segment.roll_cause(batch(0, 10**9)[0], config, 10**9) is None
        segment.append(*batch(0, 5000, 5400, 4000))

        assert segment.roll_cause(batch(3, 0, 6400, 1)[0], config, 10**9) is None
        assert segment.roll_cause(batch(3, 0, 6401, 1)[0], config, 0) == "time"

    def test_time_is_counted_from_creation_where_the_first_batch_has_none(self) -> None:
        config = settings(segment_ms=1000)
        segment = Segment(MemoryStore(), 0, config, 500)
        segment.append(*batch(0, -1))
        segment.append(*batch(1, 10**9))

        assert segment.roll_cause(batch(2, 10**12)[0], config, 1500) is None
        assert segment.roll_cause(batch(2, -1)[0], config, 1501) == "time"

    def test_a_first_timestamp_is_read_from_a_segment_that_was_there(
        self, store: AnyStore
    ) -> None:
        config = settings(segment_ms=1000)
        first = Segment(store, 0, config, 0)
        first.append(*batch(0, 5000, 5400))
        first.close()
        segment = Segment(store, 0, config, 99)

        assert segment.first_timestamp_ms == 5400
        assert segment.roll_cause(batch(2, 6401)[0], config, 99) == "time"

    def test_jitter_is_taken_off(self) -> None:
        config = settings(segment_ms=1000)
        segment = Segment(MemoryStore(), 0, config, 0, roll_jitter_ms=300)
        segment.append(*batch(0, 5000))

        assert segment.roll_cause(batch(1, 5700)[0], config, 0) is None
        assert segment.roll_cause(batch(1, 5701)[0], config, 0) == "time"

    @pytest.mark.parametrize(
        ("index_bytes", "batches_that_fit"), [(5 * 12, 5), (3 * 12, 3)]
    )
    def test_a_full_time_index_has_one_place_left(
        self, index_bytes: int, batches_that_fit: int
    ) -> None:
        """One batch comes before the first entry."""
        config = settings(segment_index_bytes=index_bytes, index_interval_bytes=0)
        segment = Segment(MemoryStore(), 0, config, 0)
        number = 0
        while segment.roll_cause(batch(number, number)[0], config, 0) is None:
            segment.append(*batch(number, number))
            number += 1

        assert segment.roll_cause(batch(number, number)[0], config, 0) == "index"
        assert number == batches_that_fit
        assert segment.time_index.entry_count * 12 == index_bytes - 12

    def test_a_full_offset_index(self) -> None:
        """Times that do not grow make no entries, so the offset index fills first."""
        config = settings(segment_index_bytes=5 * 8, index_interval_bytes=0)
        segment = Segment(MemoryStore(), 0, config, 0)
        for number in range(6):
            assert segment.roll_cause(batch(number, 7)[0], config, 0) is None
            segment.append(*batch(number, 7))

        assert segment.offset_index.is_full and not segment.time_index.is_full
        assert segment.roll_cause(batch(6, 7)[0], config, 0) == "index"

    def test_an_offset_is_at_most_an_int_away(self) -> None:
        config = settings()
        segment = Segment(MemoryStore(), 100, config, 0)
        most = 100 + 2**31 - 1
        segment.append(*batch(100, 0))

        assert segment.roll_cause(batch(most, 0)[0], config, 0) is None
        assert segment.roll_cause(batch(most, 0, 0)[0], config, 0) == "offset"
        assert segment.roll_cause(batch(99, 0)[0], config, 0) == "offset"
        for far in (most + 1, 99):
            with pytest.raises(LogError, match="does not fit segment 100"):
                segment.append(*batch(far, 0))
        assert segment.size_bytes == batch(100, 0)[0].size_bytes


def test_an_entry_is_made_before_a_batch_is_counted(store: AnyStore) -> None:
    """After more than the interval, not at it; for the batch's last offset."""
    size = batch(0, 0, 0)[0].size_bytes
    segment = Segment(store, 0, settings(index_interval_bytes=2 * size), 0)
    for number, time_ms in enumerate((500, 900, 300, 400, 700, 800, 100, 950, 1000)):
        segment.append(*batch(2 * number, time_ms, time_ms))

    entries = range(segment.offset_index.entry_count)
    times = range(segment.time_index.entry_count)
    assert [segment.offset_index.entry(n) for n in entries] == [
        (7, 3 * size),
        (13, 6 * size),
    ]
    assert [segment.time_index.entry(n) for n in times] == [(900, 3)]
    segment.seal()
    assert segment.time_index.last_entry == (1000, 17)


def test_the_largest_timestamp_is_that_of_the_first_batch_that_has_it() -> None:
    segment = Segment(MemoryStore(), 0, settings(), 0)
    for number, time_ms in enumerate((5, 9, 9, 7)):
        segment.append(*batch(number, time_ms))

    assert (segment.max_timestamp_ms, segment.offset_of_max_timestamp) == (9, 1)


def test_index_files_are_long_while_open_and_trimmed_when_sealed(
    store: AnyStore,
) -> None:
    """Source: AbstractIndex: room for whole entries only."""
    config = settings(segment_index_bytes=100, index_interval_bytes=0)
    segment = Segment(store, 7, config, 0)
    index, times = file_name(7, ".index"), file_name(7, ".timeindex")
    assert (store.size(index), store.size(times)) == (96, 96)

    segment.append(*batch(7, 1))
    segment.append(*batch(8, 2))
    segment.flush()
    assert bytes(store.read(index)) == bytes.fromhex("00000001 00000058").ljust(
        96, b"\0"
    )
    segment.seal()
    assert (store.size(index), store.size(times)) == (8, 12)
    segment.truncate_to(8, 0)
    assert (store.size(index), store.size(times)) == (96, 96)
    segment.close()
    assert (store.size(index), store.size(times)) == (0, 12)
    assert sorted(segment.files()) == store.names()


class TestTruncate:
    """LogSegment.truncateTo."""

    def test_the_batch_that_holds_the_offset_goes_with_all_after_it(
        self, store: AnyStore
    ) -> None:
        segment = filled(store, settings(index_interval_bytes=300))

        assert segment.truncate_to(31, 0) == 10 * BATCH_BYTES
        assert segment.next_offset == 30
        assert segment.offset_index.last_offset < 31
        assert (segment.max_timestamp_ms, segment.offset_of_max_timestamp) == (1902, 29)
        assert segment.truncate_to(30, 0) == 0
        segment.append(*batch(30, 5))
        assert segment.next_offset == 31

    def test_a_batch_that_ends_before_stays(self) -> None:
        segment = filled(MemoryStore(), settings())

        assert segment.truncate_to(57, 0) == BATCH_BYTES
        assert segment.next_offset == 57
        assert segment.truncate_to(100, 0) == 0

    def test_an_emptied_segment_is_as_old_as_a_new_one(self) -> None:
        config = settings(segment_ms=1000)
        segment = filled(MemoryStore(), config)
        assert segment.first_timestamp_ms == 1002

        segment.truncate_to(1, 7000)

        assert segment.size_bytes == 0 and segment.next_offset == 0
        assert segment.created_ms == 7000 and segment.max_timestamp_ms == -1
        assert [segment.first_timestamp_ms] == [None]
        segment.append(*batch(0, -1))
        assert segment.roll_cause(batch(1, 9999)[0], config, 8000) is None
        assert segment.roll_cause(batch(1, 9999)[0], config, 8001) == "time"

    def test_an_emptied_segment_takes_its_time_from_the_next_first_batch(self) -> None:
        config = settings(segment_ms=1000)
        segment = filled(MemoryStore(), config)
        segment.truncate_to(0, 7000)
        segment.append(*batch(0, 5000))

        assert segment.roll_cause(batch(1, 6000)[0], config, 10**9) is None
        assert segment.roll_cause(batch(1, 6001)[0], config, 7000) == "time"

    def test_bytes_count_anew_until_the_next_entry(self) -> None:
        segment = filled(MemoryStore(), settings(index_interval_bytes=2 * BATCH_BYTES))
        segment.truncate_to(9, 0)
        entries = segment.offset_index.entry_count
        for number in range(3, 7):
            segment.append(*batch(3 * number, 0, 0, 0))

        assert entries == 0
        assert segment.offset_index.entry(0) == (20, 6 * BATCH_BYTES)

    def test_markers_at_the_offset_and_above_are_forgotten(
        self, store: AnyStore
    ) -> None:
        segment = filled(store, settings())
        segment.append_aborted(AbortedTransaction(1, 0, 20, 21))
        segment.append_aborted(AbortedTransaction(1, 25, 40, 41))
        name = file_name(0, ".txnindex")
        assert store.size(name) == 68 and name in segment.files()

        segment.truncate_to(40, 0)

        assert store.size(name) == 34
        assert segment.transaction_index.entries == [AbortedTransaction(1, 0, 20, 21)]


def test_a_segment_is_found_again_as_it_was_closed(store: AnyStore) -> None:
    config = settings(index_interval_bytes=300)
    before = filled(store, config, 5)
    before.append_aborted(AbortedTransaction(1, 5, 20, 21))
    before.close()
    store.close()

    after = Segment(store, 5, config, 0)

    assert sorted(after.files()) == store.names() and len(store.names()) == 4
    assert after.next_offset == before.next_offset == 65
    assert after.size_bytes == before.size_bytes
    assert (after.max_timestamp_ms, after.offset_of_max_timestamp) == (2902, 64)
    assert after.offset_index.to_bytes() == before.offset_index.to_bytes()
    assert after.time_index.to_bytes() == before.time_index.to_bytes()
    assert after.transaction_index.entries == before.transaction_index.entries


def test_indexes_made_again_from_the_batches_are_those_of_the_appends(
    store: AnyStore,
) -> None:
    """Source: LogSegment.recover; what is not valid is cut."""
    config = settings(index_interval_bytes=300)
    segment = filled(store, config)
    segment.append_aborted(AbortedTransaction(1, 0, 20, 21))
    segment.close()
    files = {name: bytes(store.read(name)) for name in store.names()}
    store.append(file_name(0, ".log"), b"\xff" * 30)

    again = Segment(store, 0, config, 0)
    again.reset_indexes()
    assert again.max_timestamp_ms == -1 and again.transaction_index.entry_count == 0
    for header, _ in batches(files[file_name(0, ".log")]):
        at = again.contents.headers
        position = next(p for p, h in at() if h.base_offset == header.base_offset)
        again.index_batch(header, position)
    assert again.finish_recovery(20 * BATCH_BYTES) == 30

    files[file_name(0, ".txnindex")] = b""
    assert {name: bytes(store.read(name)) for name in store.names()} == files
    assert again.next_offset == 60


def test_a_flush_makes_all_that_was_appended_lasting(tmp_path: Path) -> None:
    store = FolderStore(tmp_path)
    segment = filled(store, settings(index_interval_bytes=0))
    segment.append_aborted(AbortedTransaction(1, 0, 20, 21))
    log = tmp_path / file_name(0, ".log")
    assert log.stat().st_size == 0

    segment.flush()

    assert log.stat().st_size == 20 * BATCH_BYTES
    index = (tmp_path / file_name(0, ".index")).read_bytes()
    assert index.startswith(segment.offset_index.to_bytes())
    assert (tmp_path / file_name(0, ".txnindex")).stat().st_size == 34


def test_suffixes_come_and_go_with_all_files(store: AnyStore) -> None:
    segment = Segment(store, 3, settings(), 0, suffix=".cleaned")
    segment.append(*batch(3, 1))
    segment.append_aborted(AbortedTransaction(1, 3, 4, 5))
    assert store.names() == [
        f"00000000000000000003{kind}.cleaned"
        for kind in (".index", ".log", ".timeindex", ".txnindex")
    ]

    segment.change_suffix("")
    assert {name.count(".") for name in store.names()} == {1}
    assert segment.contents.read(0, 10) == batch(3, 1)[1][:10]
    segment.append(*batch(4, 2))
    segment.change_suffix(".deleted")
    assert all(name.endswith(".deleted") for name in store.names())
    segment.delete()
    assert store.names() == []


def test_first_record_at_a_time(store: AnyStore) -> None:
    """Source: LogSegment.findOffsetByTimestamp; in a batch the records count."""
    segment = filled(store, settings(index_interval_bytes=300))

    assert segment.offset_for_time(0, 0) == (1000, 0)
    assert segment.offset_for_time(1401, 0) == (1402, 13)
    assert segment.offset_for_time(1401, 14) == (1401, 14)
    assert segment.offset_for_time(1403, 0) == (1500, 15)
    assert segment.offset_for_time(2902, 0) == (2902, 58)
    assert segment.offset_for_time(2903, 0) is None
    assert segment.offset_for_time(0, 60) is None


def test_a_torn_batch_is_no_batch_and_zeros_are_an_error(store: AnyStore) -> None:
    """With the mark of a clean stop nobody looks: the end is what can be read."""
    config = settings()
    filled(store, config).close()
    log = file_name(0, ".log")
    store.append(log, batch(60, 1)[1][:-1])
    assert Segment(store, 0, config, 0).next_offset == 60

    store.truncate(log, 20 * BATCH_BYTES + 40)
    store.write_at(log, 20 * BATCH_BYTES, bytes(40))
    with pytest.raises(CorruptBatchError):
        _ = Segment(store, 0, config, 0).next_offset
