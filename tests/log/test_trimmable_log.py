import pytest
from hypothesis import given
from hypothesis import strategies as st

from kafkasim.config.topic import TopicConfig
from kafkasim.log.partition_log import PartitionLog
from kafkasim.log.trimmable_log import HIGH_WATERMARK
from tests.log.logs import SMALL, Log, code, decide, files, log_of, numbered, sent


def bases(log: Log) -> list[int]:
    return [segment.base_offset for segment in log.segments]


# -- the end


def test_a_cut_within_a_batch_takes_all_of_it_and_leaves_a_gap() -> None:
    """Source: UnifiedLog.truncateTo, LogSegment.truncateTo."""
    log = log_of([3, 3, 3])

    assert log.truncate_to(4)

    assert log.log_end_offset == 4
    assert [one.base_offset for one in log.read(0).headers()] == [0]
    assert log.read(3).next_offset == 3  # nothing is there, and nothing is wrong
    assert log.append_as_leader(sent(0)).first_offset == 4


def test_a_cut_at_the_end_or_above_changes_nothing_but_epochs() -> None:
    """Source: UnifiedLog.truncateTo."""
    log = log_of([3])
    log.leader_epochs.assign(5, 3)

    assert not log.truncate_to(3) and not log.truncate_to(7)

    assert log.log_end_offset == 3
    assert log.leader_epochs.entries == ((0, 0),)
    assert files(log)["leader-epoch-checkpoint"] == b"0\n1\n0 0\n"


def test_segments_above_a_cut_are_deleted_later() -> None:
    """Source: LocalLog.truncateTo, deleteProducerSnapshots."""
    log = log_of(
        [2],
        [2],
        [2],
        config=TopicConfig(file_delete_delay_ms=50, segment_index_bytes=1_200),
    )

    log.truncate_to(3, now_ms=1_000)

    assert bases(log) == [0, 2] and log.active.base_offset == 2
    there = set(files(log))
    assert "00000000000000000004.log" not in there
    assert "00000000000000000004.log.deleted" in there
    assert "00000000000000000004.snapshot.deleted" in there
    assert log.delete_expired_files(1_049) == []
    gone = log.delete_expired_files(1_050)
    assert len(gone) == 4 and there - set(files(log)) == set(gone)


def test_a_cut_at_a_segments_base_leaves_that_segment_empty() -> None:
    """Source: LocalLog.truncateTo: segments that begin above the offset go."""
    log = log_of([2], [2])

    log.truncate_to(2)

    assert bases(log) == [0, 2] and log.active.size_bytes == 0


def test_the_high_watermark_goes_back_with_a_cut() -> None:
    """Source: UnifiedLog.truncateTo."""
    log = log_of([2, 2])
    low: Log = PartitionLog()
    low.append_as_leader(sent(0, 1))
    low.append_as_leader(sent(0, 1))
    low.advance_high_watermark(1)

    log.truncate_to(2)
    low.truncate_to(2)

    assert log.high_watermark == 2 and low.high_watermark == 1
    assert log.recovery_point == 0 and log.read(0).next_offset == 2


def test_the_recovery_point_goes_back_with_a_cut() -> None:
    """Source: LocalLog.updateLogEndOffset."""
    log = log_of([2, 2])
    log.flush()

    log.truncate_to(2)

    assert log.recovery_point == 2


def test_a_cut_below_the_first_segment_begins_anew() -> None:
    """Source: UnifiedLog.truncateTo, truncateFullyAndStartAt."""
    log = log_of([2], [2], [2])
    log.delete_records(4)
    log.delete_old_segments(0)
    assert bases(log) == [4]

    assert log.truncate_to(3, now_ms=8)

    assert bases(log) == [3] and log.active.created_ms == 8
    assert (log.log_start_offset, log.log_end_offset, log.high_watermark) == (3, 3, 3)


def test_the_log_start_goes_back_with_a_cut() -> None:
    """Source: UnifiedLog.truncateTo."""
    log = log_of([4, 4])
    log.delete_records(6)

    log.truncate_to(4)

    assert (log.log_start_offset, log.log_end_offset) == (4, 4)


def test_everything_goes_at_once() -> None:
    """BR-27. Source: UnifiedLog.truncateFullyAndStartAt."""
    log = log_of([2], [2])
    log.append_as_leader(numbered(0, transactional=True))

    log.truncate_fully_and_start_at(90)

    assert bases(log) == [90]
    assert (log.log_start_offset, log.log_end_offset, log.high_watermark) == (90,) * 3
    assert log.leader_epochs.entries == () and log.producers.is_empty
    assert log.last_stable_offset == 90
    assert files(log)["leader-epoch-checkpoint"] == b"0\n0\n"
    assert not [name for name in files(log) if name.endswith(".snapshot")]
    assert log.append_as_leader(sent(0), leader_epoch=1).first_offset == 90


def test_a_log_that_starts_anew_at_its_old_offset_keeps_the_old_files_apart() -> None:
    """Source: LocalLog.createAndDeleteSegment."""
    log = log_of([2])

    log.truncate_fully_and_start_at(0)

    assert files(log)["00000000000000000000.log"] == b""
    assert len(files(log)["00000000000000000000.log.deleted"]) > 0


def test_a_deleted_segments_index_files_have_its_entries() -> None:
    """Source: AbstractIndex: its files are mapped, so an entry is there at once."""
    log = log_of([2, 2])

    log.truncate_fully_and_start_at(9)

    index = files(log)["00000000000000000000.index.deleted"]
    assert index[:8] == b"\0\0\0\3" + (len(sent(0, 1))).to_bytes(4, "big")


def test_a_log_cannot_end_below_0() -> None:
    with pytest.raises(ValueError, match="-1"):
        log_of([1]).truncate_to(-1)


def test_producers_are_what_they_were_before_what_was_cut() -> None:
    """Source: UnifiedLog.rebuildProducerState."""
    log: Log = PartitionLog(config=SMALL)
    for sequence in range(3):
        log.append_as_leader(numbered(sequence))
    log.roll(0)
    log.append_as_leader(numbered(3))
    log.append_as_leader(numbered(0, pid=8, transactional=True))
    decide(log, "abort", pid=8)

    log.truncate_to(5)

    assert log.producers.entries[7].last_sequence == 3
    assert log.producers.open_transactions == {4: 8}
    assert log.active.transaction_index.entry_count == 0
    assert "00000000000000000005.snapshot" in files(log)
    log.truncate_to(2)
    assert log.producers.entries[7].last_sequence == 1
    assert log.append_as_leader(numbered(2)).first_offset == 2
    assert not log.append_as_leader(numbered(0, pid=8)).duplicate


# -- the start


def test_records_are_deleted_up_to_the_high_watermark_at_most() -> None:
    """LG-23. Source: Partition.deleteRecordsOnLeader, maybeIncrementLogStartOffset."""
    log: Log = PartitionLog()
    log.append_as_leader(sent(0, 1, 2))
    log.advance_high_watermark(2)

    assert code(lambda: log.delete_records(3)) == "OFFSET_OUT_OF_RANGE"
    assert code(lambda: log.delete_records(-2)) == "OFFSET_OUT_OF_RANGE"
    assert log.delete_records(1) == 1
    assert log.delete_records(0) == 1  # never back
    assert log.delete_records(HIGH_WATERMARK) == 2
    assert code(lambda: log.read(1)) == "OFFSET_OUT_OF_RANGE"


@pytest.mark.parametrize(
    ("policy", "allowed"),
    [("compact", False), ("delete", True), ("compact,delete", True), ("", True)],
)
def test_a_topic_that_is_only_compacted_deletes_no_records(
    policy: str, *, allowed: bool
) -> None:
    """LG-23. Source: Partition.deleteRecordsOnLeader."""
    config = TopicConfig(cleanup_policy=policy)  # type: ignore[arg-type]
    log: Log = PartitionLog(config=config)
    log.append_as_leader(sent(0))
    log.advance_high_watermark(1)

    if allowed:
        assert log.delete_records(1) == 1
    else:
        assert code(lambda: log.delete_records(1)) == "POLICY_VIOLATION"


def test_epochs_and_recovery_point_follow_the_start() -> None:
    """Source: UnifiedLog.maybeIncrementLogStartOffset, updateLogStartOffset."""
    log: Log = PartitionLog(config=SMALL)
    for epoch in range(3):
        log.append_as_leader(sent(0, 1), leader_epoch=epoch)
    log.advance_high_watermark(6)

    log.delete_records(3)

    assert log.leader_epochs.entries == ((1, 3), (2, 4))
    assert files(log)["leader-epoch-checkpoint"] == b"0\n2\n1 3\n2 4\n"
    assert log.recovery_point == 3


def test_deleted_records_take_no_file_until_old_segments_are_deleted() -> None:
    """LG-10, LG-23."""
    log = log_of([2], [2], [2])

    log.delete_records(4)
    assert bases(log) == [0, 2, 4]

    removed = log.delete_old_segments(0)
    assert [(one.segment.base_offset, one.cause) for one in removed] == [
        (0, "start_offset"),
        (2, "start_offset"),
    ]
    assert bases(log) == [4]


def test_a_segment_that_is_partly_below_the_start_stays() -> None:
    """LG-10. Source: UnifiedLog.deleteLogStartOffsetBreachedSegments."""
    log = log_of([2], [2])
    log.delete_records(4)

    log.delete_old_segments(0)

    assert bases(log) == [2] and log.log_start_offset == 4


# -- against a list


@st.composite
def steps(draw: st.DrawFn) -> list[tuple[str, int]]:
    kinds = st.sampled_from(["append", "roll", "cut", "start", "retain"])
    return draw(st.lists(st.tuples(kinds, st.integers(0, 12)), max_size=25))


@given(steps())
def test_both_ends_against_a_plain_list(wanted: list[tuple[str, int]]) -> None:
    """A log is its batches, first and last offset; what was cut is not read again."""
    config = TopicConfig(index_interval_bytes=0, retention_bytes=400)
    log: Log = PartitionLog(config=config)
    kept: list[tuple[int, int]] = []  # first and last offset of a batch
    start = end = 0
    for kind, number in wanted:
        if kind == "append":
            count = number % 4 + 1
            appended = log.append_as_leader(sent(*range(count)))
            assert appended.first_offset == end
            kept.append((end, end + count - 1))
            end += count
            log.advance_high_watermark(end)
        elif kind == "roll":
            log.roll(0)
        elif kind == "cut":
            at = max(end - number, 0)
            below = at < log.segments[0].base_offset
            log.truncate_to(at)
            end = at
            start = min(start, at)
            kept = [] if below else [one for one in kept if one[1] < at]
        elif kind == "start":
            start = min(start + number, end)
            log.delete_records(start)
        else:
            log.delete_old_segments(0)
            first = log.segments[0].base_offset
            kept = [one for one in kept if one[0] >= first]
            spared = log.size_bytes - log.segments[0].size_bytes
            assert spared < 400  # one more would be too many
            start = max(start, first)
        _compare(log, kept, start, end)


def _compare(log: Log, kept: list[tuple[int, int]], start: int, end: int) -> None:
    assert (log.log_start_offset, log.log_end_offset) == (start, end)
    assert log.high_watermark <= end
    for offset in range(start, end):
        found = log.read(offset, 1)
        holds = [one for one in kept if one[1] >= offset]
        got = [(one.base_offset, one.last_offset) for one in found.headers()]
        assert got == holds[:1]
        assert found.next_offset == (holds[0][1] + 1 if holds else offset)
