from collections.abc import Callable
from pathlib import Path
from typing import Literal

import pytest

from kafkasim.config.topic import TopicConfig
from kafkasim.errors import LogError
from kafkasim.log.contents import ByteBatch
from kafkasim.log.encode import control_batch, encode_batch, stamped
from kafkasim.log.header import HEADER_BYTES, unpack_header
from kafkasim.log.partition_log import PartitionLog
from kafkasim.log.reading import (
    EARLIEST_TIMESTAMP,
    LATEST_TIMESTAMP,
    MAX_TIMESTAMP,
    Read,
    Until,
)
from kafkasim.log.record import Record
from kafkasim.log.store import FolderStore, MemoryStore, Store
from tests.log.broker_files import TOPICS, batches, partition

Log = PartitionLog[ByteBatch]
Append = Callable[[Log, bytes], object]

SETTINGS = {
    "segments": TopicConfig(segment_ms=5_000, index_interval_bytes=64),
    "transactions": TopicConfig(segment_ms=5_000, index_interval_bytes=64),
    "compact": TopicConfig(
        cleanup_policy="compact", segment_ms=5_000, index_interval_bytes=64
    ),
}
"""What the real broker's topics were made with."""


def records(*timestamps: int, size: int = 10) -> list[Record]:
    return [Record(at, b"key", bytes(size)) for at in timestamps]


def sent(*timestamps: int) -> bytes:
    return encode_batch(records(*timestamps))


def numbered(
    sequence: int,
    count: int = 1,
    *,
    pid: int = 7,
    epoch: int = 0,
    transactional: bool = False,
) -> bytes:
    return encode_batch(
        records(*range(count)),
        producer_id=pid,
        producer_epoch=epoch,
        base_sequence=sequence,
        transactional=transactional,
    )


def marker(kind: Literal["abort", "commit"], *, pid: int = 7, epoch: int = 1) -> bytes:
    return control_batch(
        kind, base_offset=0, timestamp_ms=0, producer_id=pid, producer_epoch=epoch
    )


def decide(
    log: Log, kind: Literal["abort", "commit"], *, pid: int = 7, epoch: int = 1
) -> None:
    log.append_as_leader(marker(kind, pid=pid, epoch=epoch), origin="coordinator")


def code(refused: Callable[[], object]) -> str:
    with pytest.raises(LogError) as caught:
        refused()
    return caught.value.code


# -- files


def as_follower(log: Log, batch: bytes) -> object:
    return log.append_as_follower(batch, leader_epoch=0)


def as_leader(log: Log, batch: bytes) -> object:
    header = unpack_header(batch, 0)
    as_sent = header._replace(base_offset=0, leader_epoch=-1).pack()
    return log.append_as_leader(
        as_sent + batch[HEADER_BYTES:],
        now_ms=header.max_timestamp_ms,
        origin="coordinator" if header.is_control else "client",
    )


def trusted(log: Log, batch: bytes) -> object:
    log.append_batch(unpack_header(batch, 0), batch, 0)
    return None


@pytest.mark.parametrize("topic", sorted(set(TOPICS) - {"compact_after_cleaning"}))
@pytest.mark.parametrize("append", [as_follower, as_leader, trusted])
def test_every_file_is_byte_for_byte_a_real_brokers(topic: str, append: Append) -> None:
    """Segments, indexes, snapshots at rolls and at the stop, and the epoch file."""
    store = MemoryStore()
    log: Log = PartitionLog(store, SETTINGS.get(topic))

    for batch in batches(topic):
        append(log, batch)
    log.close()

    assert {name: bytes(store.read(name)) for name in store.names()} == partition(topic)


def test_a_folder_has_the_same_files(tmp_path: Path) -> None:
    log: Log = PartitionLog(FolderStore(tmp_path), SETTINGS["transactions"])
    for batch in batches("transactions"):
        as_follower(log, batch)
    log.close()

    files = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    assert files == partition("transactions")

    again: Log = PartitionLog(
        FolderStore(tmp_path), SETTINGS["transactions"], clean_shutdown=True
    )
    assert again.log_end_offset == 19 and len(again.segments) == 2
    assert again.leader_epochs.entries == ((0, 0),)
    assert again.producers.entries[4].epoch == 3


# -- appending as leader


def test_a_leader_gives_offsets_in_order() -> None:
    log: Log = PartitionLog()

    first = log.append_as_leader(sent(5, 9), leader_epoch=2)
    second = log.append_as_leader(sent(7), leader_epoch=3)

    assert (first.first_offset, first.last_offset, first.max_timestamp_ms) == (0, 1, 9)
    assert (second.first_offset, second.last_offset) == (2, 2)
    assert log.leader_epochs.entries == ((2, 0), (3, 2))
    assert bytes(log.store.read("leader-epoch-checkpoint")) == b"0\n2\n2 0\n3 2\n"


def test_records_are_appended_and_read_by_hand() -> None:
    log: Log = PartitionLog()
    log.append([Record(50, None, b"late")], codec="gzip")
    log.append([Record(1, b"k", b"v", (("h", None),))], leader_epoch=4)

    found = log.read(0).records()

    assert [record.value for record in found] == [b"late", b"v"]
    assert found[1] == Record(1, b"k", b"v", (("h", None),), 1)
    assert log.leader_epochs.entries == ((0, 0), (4, 1))


def test_a_batch_sent_twice_is_answered_with_its_first_offset() -> None:
    """ID-8. Source: UnifiedLog.append, maybeDuplicate."""
    log: Log = PartitionLog()
    log.append_as_leader(numbered(0, 2))
    log.append_as_leader(numbered(2, 3))

    again = log.append_as_leader(numbered(2, 3), leader_epoch=0)

    assert again == (2, 4, 2, True)
    assert log.log_end_offset == 5 and len(log.read(0).headers()) == 2


def test_a_gap_in_the_sequence_numbers_is_refused() -> None:
    """ID-9. Source: UnifiedLog.analyzeAndValidateProducerState."""
    log: Log = PartitionLog()
    log.append_as_leader(numbered(0))

    gap = code(lambda: log.append_as_leader(numbered(2)))

    assert gap == "OUT_OF_ORDER_SEQUENCE_NUMBER"
    assert log.log_end_offset == 1
    coordinators = log.append_as_leader(numbered(9), origin="coordinator")
    assert coordinators.first_offset == 1


def test_a_refused_batch_has_rolled_the_log_and_begun_its_epoch() -> None:
    """Source: UnifiedLog.append: epochs and maybeRoll come before the producers."""
    log: Log = PartitionLog(config=TopicConfig(internal_segment_bytes=150))
    log.append_as_leader(numbered(0))

    code(lambda: log.append_as_leader(numbered(5), leader_epoch=1))

    assert [segment.base_offset for segment in log.segments] == [0, 1]
    assert log.leader_epochs.entries == ((0, 0), (1, 1))


def test_what_goes_into_no_segment_is_refused() -> None:
    """Source: UnifiedLog.append (RecordBatchTooLargeException)."""
    size = len(sent(0))
    fits: Log = PartitionLog(config=TopicConfig(internal_segment_bytes=size))
    small: Log = PartitionLog(config=TopicConfig(internal_segment_bytes=size - 1))

    assert fits.append_as_leader(sent(0)).first_offset == 0
    assert code(lambda: small.append_as_leader(sent(0))) == "RECORD_LIST_TOO_LARGE"
    follower: Log = PartitionLog(config=TopicConfig(internal_segment_bytes=size))
    two = sent(0) + stamped(sent(0), base_offset=1, leader_epoch=0)
    leaders = stamped(sent(0), base_offset=0, leader_epoch=0) + two[size:]
    assert code(lambda: follower.append_as_follower(leaders)) == "RECORD_LIST_TOO_LARGE"


def test_a_late_marker_is_refused() -> None:
    """Source: ProducerAppendInfo.appendEndTxnMarker."""
    log: Log = PartitionLog()
    log.append_as_leader(numbered(0, transactional=True))

    same = marker("commit", epoch=0)
    late = code(lambda: log.append_as_leader(same, origin="coordinator"))
    assert late == "INVALID_PRODUCER_EPOCH"
    log.append_as_leader(same, origin="coordinator", transaction_version=1)
    assert log.producers.open_transactions == {}


def test_the_topics_codec() -> None:
    """Source: BrokerCompressionType.targetCompression."""
    log: Log = PartitionLog()
    log.compression_type = "gzip"

    log.append_as_leader(sent(0))

    assert log.read(0).headers()[0].codec == 1


# -- appending as follower


def leaders_log(*sizes: int) -> bytes:
    log: Log = PartitionLog()
    for size in sizes:
        log.append_as_leader(sent(*range(size)))
    return bytes(log.read(0).data)


def test_a_follower_keeps_the_leaders_offsets_and_epochs() -> None:
    """BR-26. Source: UnifiedLog.appendAsFollower."""
    data = stamped(sent(0), base_offset=40, leader_epoch=3)
    data += stamped(sent(0), base_offset=44, leader_epoch=5)
    log: Log = PartitionLog()

    appended = log.append_as_follower(data, leader_epoch=4)

    assert appended is not None and appended.last_offset == 40
    assert log.log_end_offset == 41 and log.leader_epochs.entries == ((3, 40),)
    assert log.append_as_follower(data[len(data) // 2 :], leader_epoch=4) is None
    assert log.append_as_follower(data[len(data) // 2 :]) is not None


def test_what_a_follower_fetches_at_once_goes_into_one_segment() -> None:
    """Source: UnifiedLog.maybeRoll: it is asked for all batches of an append."""
    data = leaders_log(1, 1, 1)
    config = TopicConfig(internal_segment_bytes=len(data))
    log: Log = PartitionLog(config=config)
    log.append_as_follower(data[: len(data) // 3])

    log.append_as_follower(data[len(data) // 3 :])
    assert [segment.base_offset for segment in log.segments] == [0]

    log = PartitionLog(config=config)
    log.append_as_follower(data[: len(data) // 3])
    extra = stamped(sent(0), base_offset=3, leader_epoch=0)
    log.append_as_follower(data[len(data) // 3 :] + extra)
    assert [segment.base_offset for segment in log.segments] == [0, 1]


def test_the_abort_index_of_a_follower_knows_all_that_came_at_once() -> None:
    """The leader, batch by batch, notes that nothing is open after the marker.

    Source: UnifiedLog.append: transactions are completed after all producers.
    """
    leader: Log = PartitionLog()
    leader.append_as_leader(numbered(0, pid=1, transactional=True))
    decide(leader, "abort", pid=1)
    leader.append_as_leader(sent(0))
    leader.append_as_leader(numbered(0, pid=2, transactional=True))
    follower: Log = PartitionLog()
    follower.append_as_follower(bytes(leader.read(0).data))

    (at_leader,) = leader.active.transaction_index.entries
    (at_follower,) = follower.active.transaction_index.entries
    assert at_leader == (1, 0, 1, 2)
    assert at_follower == (1, 0, 1, 3)


# -- reading


def small_segments(*sizes: int, per_segment: int = 2) -> Log:
    """Return a log whose batches have so many records, some in each segment."""
    log: Log = PartitionLog(config=TopicConfig(index_interval_bytes=0))
    for number, size in enumerate(sizes):
        if number and number % per_segment == 0:
            log.roll(0)
        log.append_as_leader(sent(*range(size)))
    log.advance_high_watermark(log.log_end_offset)
    return log


def offsets(read: Read[ByteBatch]) -> list[int]:
    return [header.base_offset for header in read.headers()]


def test_a_read_gives_whole_batches_of_one_segment() -> None:
    """BR-31. Source: LocalLog.read."""
    log = small_segments(3, 3, 3, 3)

    read = log.read(1)

    assert (read.start_offset, read.next_offset) == (1, 6)
    assert offsets(read) == [0, 3] and read.segment is log.segments[0]
    assert [record.offset for record in read.records()] == [1, 2, 3, 4, 5]
    assert offsets(log.read(6)) == [6, 9]
    assert bytes(log.read(6).data) == b"".join(
        bytes(log.read(at, 1).data) for at in (6, 9)
    )


def test_limits_are_soft_for_the_first_batch_alone() -> None:
    """KIP-74, BR-30. Source: LogSegment.read."""
    log = small_segments(3, 3, 3, per_segment=3)
    size = log.read(0).size_bytes // 3

    assert offsets(log.read(0, 1)) == [0]
    assert offsets(log.read(0, 2 * size - 1)) == [0]
    assert offsets(log.read(0, 2 * size)) == [0, 3]
    assert offsets(log.read(0, size - 1, at_least_one=False)) == []
    assert log.read(0, size - 1, at_least_one=False).next_offset == 0


@pytest.mark.parametrize(("until", "end"), [("log_end", 6), ("high_watermark", 3)])
def test_a_read_goes_up_to_the_high_watermark(until: Until, end: int) -> None:
    """BR-11. Source: UnifiedLog.read, FetchIsolation."""
    log: Log = PartitionLog()
    log.append_as_leader(sent(0, 1, 2))
    log.append_as_leader(sent(0, 1, 2))
    log.advance_high_watermark(3)

    assert log.read(0, until=until).next_offset == end
    assert log.read(3, until=until).next_offset == end
    assert log.read(5, until=until).next_offset == (6 if end == 6 else 5)


def test_a_high_watermark_within_a_batch_leaves_it_out() -> None:
    """Source: LogSegment.read with the position of the batch that holds it."""
    log: Log = PartitionLog()
    log.append_as_leader(sent(0, 1, 2))
    log.append_as_leader(sent(0, 1, 2))
    log.advance_high_watermark(4)

    assert log.read(0, until="high_watermark").next_offset == 3
    assert log.read(3, until="high_watermark").next_offset == 3


def test_a_read_at_the_end_is_empty() -> None:
    log = small_segments(2, 2)
    end = log.read(4)

    assert end.next_offset == 4 and end.records() == [] and bytes(end.data) == b""
    assert end.position == end.segment.size_bytes and end.size_bytes == 0


@pytest.mark.parametrize("offset", [-1, 2, 9])
def test_offsets_out_of_the_log_are_out_of_range(offset: int) -> None:
    """Source: UnifiedLog.checkLogStartOffset, LocalLog.read."""
    log = small_segments(2, 2, 2, 2)
    log.move_start(3)

    assert code(lambda: log.read(offset)) == "OFFSET_OUT_OF_RANGE"
    assert log.read(3).next_offset == 4 and log.read(8).next_offset == 8


def test_a_read_jumps_over_what_a_cut_left_out() -> None:
    """Source: LocalLog.read: it goes on in the next segment."""
    log = small_segments(3, 3)
    log.truncate_to(4)
    log.append_as_leader(sent(0))

    read = log.read(3)

    assert offsets(read) == [4] and read.next_offset == 5
    log.truncate_to(4)
    log.roll(0)
    log.append_as_leader(sent(0))
    assert offsets(log.read(3)) == [4]


# -- transactions


def test_a_reader_of_commits_stops_at_the_oldest_open_transaction() -> None:
    """TX-11. Source: UnifiedLog.fetchLastStableOffsetMetadata."""
    log: Log = PartitionLog()
    log.append_as_leader(sent(0))
    log.append_as_leader(numbered(0, transactional=True))
    log.append_as_leader(sent(0))
    log.advance_high_watermark(3)

    read = log.read(0, until="last_stable")

    assert log.last_stable_offset == 1 and read.next_offset == 1
    assert log.read(0, until="high_watermark").next_offset == 3
    decide(log, "commit")
    assert log.last_stable_offset == 1  # the marker is not replicated
    log.advance_high_watermark(4)
    assert log.last_stable_offset == 4


def test_a_reader_of_commits_leaves_out_what_was_aborted() -> None:
    """TX-9, TX-11. Source: CompletedFetch.nextFetchedRecord."""
    log: Log = PartitionLog(config=TopicConfig(index_interval_bytes=0))
    log.append_as_leader(numbered(0, pid=1, transactional=True))  # 0 committed
    log.append_as_leader(numbered(0, pid=2, transactional=True))  # 1 aborted
    log.append_as_leader(sent(0))  # 2
    decide(log, "commit", pid=1)  # 3
    log.append_as_leader(numbered(0, pid=1, epoch=1, transactional=True))  # 4 aborted
    log.append_as_leader(numbered(1, pid=2, transactional=True))  # 5 aborted
    decide(log, "abort", pid=1, epoch=2)  # 6
    decide(log, "abort", pid=2)  # 7
    log.append_as_leader(numbered(0, pid=2, epoch=1, transactional=True))  # 8 committed
    decide(log, "commit", pid=2, epoch=2)  # 9
    log.advance_high_watermark(10)

    def committed(at: int) -> list[int]:
        read = log.read(at, until="last_stable")
        return [record.offset for record in read.records()]

    assert committed(0) == [0, 2, 8]
    assert committed(5) == [8]
    assert [one.offset for one in log.read(0).records()] == [0, 1, 2, 4, 5, 8]


def test_aborted_transactions_are_listed_with_a_read() -> None:
    """Source: LocalLog.addAbortedTransactions, collectAbortedTransactions."""
    log: Log = PartitionLog(config=TopicConfig(index_interval_bytes=0))
    for number in range(4):
        log.append_as_leader(numbered(0, pid=number, transactional=True))
        decide(log, "abort", pid=number)
        log.roll(0)
    log.advance_high_watermark(8)

    def listed(at: int) -> list[int]:
        read = log.read(at, until="last_stable")
        assert read.aborted is not None
        return [one.producer_id for one in read.aborted]

    assert [listed(at) for at in (0, 2, 6)] == [[0], [1], [3]]
    assert listed(8) == []
    assert log.read(0).aborted is None


def test_a_transaction_over_three_segments_is_found_from_its_first() -> None:
    """Source: LocalLog.collectAbortedTransactions: later segments are looked into."""
    log: Log = PartitionLog(config=TopicConfig(index_interval_bytes=0))
    log.append_as_leader(numbered(0, transactional=True))
    log.roll(0)
    log.append_as_leader(numbered(1, transactional=True))
    log.roll(0)
    decide(log, "abort")
    log.advance_high_watermark(3)

    for at in (0, 1, 2):
        read = log.read(at, until="last_stable")
        assert read.aborted is not None and len(read.aborted) == 1
        assert read.records() == []


def test_the_log_start_hides_the_start_of_an_open_transaction() -> None:
    """Source: UnifiedLog.maybeIncrementFirstUnstableOffset."""
    log: Log = PartitionLog()
    log.append_as_leader(numbered(0, 2, transactional=True))
    log.append_as_leader(sent(0))
    log.advance_high_watermark(3)

    log.delete_records(2)

    assert log.last_stable_offset == 2


# -- times


def test_the_first_record_at_a_time_or_later() -> None:
    """BR-34. Source: UnifiedLog.fetchOffsetByTimestamp."""
    log: Log = PartitionLog()
    log.append_as_leader(sent(10, 30, 20), leader_epoch=1)
    log.roll(0)
    log.append_as_leader(sent(40, 50), leader_epoch=2)

    def found(timestamp_ms: int) -> tuple[int, int, int | None] | None:
        return log.offset_for_time(timestamp_ms)

    assert found(0) == (10, 0, 1)
    assert found(11) == (30, 1, 1)
    assert found(30) == (30, 1, 1)
    assert found(31) == (40, 3, 2)
    assert found(50) == (50, 4, 2)
    assert found(51) is None


def test_times_with_a_meaning_of_their_own() -> None:
    """BR-34. Source: ListOffsetsRequest, Partition.fetchOffsetForTimestamp."""
    log: Log = PartitionLog()
    assert log.offset_for_time(EARLIEST_TIMESTAMP) == (-1, 0, None)
    assert log.offset_for_time(LATEST_TIMESTAMP) == (-1, 0, None)
    assert log.offset_for_time(MAX_TIMESTAMP) is None
    log.append_as_leader(sent(10, 90, 90), leader_epoch=1)
    log.roll(0)
    log.append_as_leader(sent(90, 50), leader_epoch=2)
    log.advance_high_watermark(3)

    assert log.offset_for_time(MAX_TIMESTAMP) == (90, 1, 1)
    assert log.offset_for_time(LATEST_TIMESTAMP) == (-1, 5, 2)
    latest = log.offset_for_time(LATEST_TIMESTAMP, until="high_watermark")
    assert latest == (-1, 3, 2)
    log.delete_records(2)
    assert log.offset_for_time(EARLIEST_TIMESTAMP) == (-1, 2, 1)
    assert log.offset_for_time(10) == (90, 2, 1)


def test_what_may_not_be_read_is_not_found_by_time() -> None:
    """Source: Partition.fetchOffsetForTimestamp, lastFetchableOffset."""
    log: Log = PartitionLog()
    log.append_as_leader(sent(10))
    log.append_as_leader(sent(20))
    log.advance_high_watermark(1)

    assert log.offset_for_time(20) is not None
    assert log.offset_for_time(20, until="high_watermark") is None
    assert log.offset_for_time(MAX_TIMESTAMP, until="high_watermark") is None
    assert log.offset_for_time(10, until="high_watermark") is not None


# -- both stores


def test_a_store_does_not_change_what_is_read(tmp_path: Path) -> None:
    stores: list[Store[ByteBatch]] = [MemoryStore(), FolderStore(tmp_path)]
    reads = []
    for store in stores:
        log: Log = PartitionLog(store, TopicConfig(internal_segment_bytes=300))
        for count in (1, 2, 3, 1, 2, 3):
            log.append_as_leader(sent(*range(count)))
        log.truncate_to(9)
        log.append_as_leader(sent(5))
        reads.append([bytes(log.read(at).data) for at in range(log.log_end_offset)])
        log.close()
    assert reads[0] == reads[1]
