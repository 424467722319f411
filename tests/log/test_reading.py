import pytest

from kafkasim.config.topic import TopicConfig
from kafkasim.log.contents import ByteBatch
from kafkasim.log.partition_log import PartitionLog
from kafkasim.log.reading import (
    Read,
    Until,
)
from tests.log.logs import Log, code, decide, log_of, numbered, sent

# -- reading


def offsets(read: Read[ByteBatch]) -> list[int]:
    return [header.base_offset for header in read.headers()]


def test_a_read_gives_whole_batches_of_one_segment() -> None:
    """BR-31. Source: LocalLog.read."""
    log = log_of([3, 3], [3, 3])

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
    log = log_of([3, 3, 3])
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
    log = log_of([2, 2])
    end = log.read(4)

    assert end.next_offset == 4 and end.records() == [] and bytes(end.data) == b""
    assert end.position == end.segment.size_bytes and end.size_bytes == 0


@pytest.mark.parametrize("offset", [-1, 2, 9])
def test_offsets_out_of_the_log_are_out_of_range(offset: int) -> None:
    """Source: UnifiedLog.checkLogStartOffset, LocalLog.read."""
    log = log_of([2, 2], [2, 2])
    log.move_start(3)

    assert code(lambda: log.read(offset)) == "OFFSET_OUT_OF_RANGE"
    assert log.read(3).next_offset == 4 and log.read(8).next_offset == 8


def test_a_read_jumps_over_what_a_cut_left_out() -> None:
    """Source: LocalLog.read: it goes on in the next segment."""
    log = log_of([3, 3])
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


def test_the_list_of_aborted_ends_at_the_next_index_entry() -> None:
    """Source: OffsetIndex.fetchUpperBoundOffset."""
    log: Log = PartitionLog(config=TopicConfig(index_interval_bytes=0))
    for pid in range(3):
        log.append_as_leader(numbered(0, pid=pid, transactional=True))
        decide(log, "abort", pid=pid)
    log.advance_high_watermark(6)

    def listed(most_bytes: int) -> list[int]:
        read = log.read(0, most_bytes, until="last_stable")
        return [one.producer_id for one in read.aborted or ()]

    assert listed(1) == [0]
    assert listed(log.read(3).position) == [0, 1]
    assert listed(1 << 20) == [0, 1, 2]


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
