"""Rounds of the cleaner over whole logs, held against what real ones left."""

import json
from pathlib import Path
from typing import Any

import pytest

from kafkasim.config.topic import TopicConfig
from kafkasim.errors import CorruptBatchError
from kafkasim.log.batch_retention import Fate
from kafkasim.log.checkpoints import offsets_text
from kafkasim.log.cleaned import Cleaned
from kafkasim.log.encode import encode_batch
from kafkasim.log.partition_log import PartitionLog
from kafkasim.log.record import Record
from kafkasim.log.store import FolderStore, MemoryStore
from tests.log.broker_files import BROKER, batches, partition
from tests.log.cleaning_cases import (
    CASES,
    KINDS,
    Log,
    Story,
    files,
    log_of,
    rounds_of,
    sealed_files,
)

TRUTH: dict[str, list[dict[str, Any]]] = json.loads(
    (Path(__file__).parent / "data" / "cleaning.json").read_text(encoding="utf-8")
)
DAY_MS = 86_400_000


@pytest.fixture(params=["memory", "folder"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> MemoryStore | FolderStore:
    """Return a store of either kind."""
    return MemoryStore() if request.param == "memory" else FolderStore(tmp_path)


def lived(story: Story) -> tuple[Log, Cleaned]:
    """Act a story out to its end; return the log and its last round."""
    log = log_of(story)
    *_, last = rounds_of(story, log)
    return log, last


def kept(log: Log, *, until: Any = "log_end") -> dict[int, Record]:  # noqa: ANN401
    """Return all records that a reader gets, by offset."""
    found: dict[int, Record] = {}
    at = log.log_start_offset
    while (read := log.read(at, until=until)).next_offset > at:
        found |= {record.offset: record for record in read.records()}
        at = read.next_offset
    return found


def test_a_brokers_compacted_folder_comes_out_byte_for_byte(
    store: MemoryStore | FolderStore,
) -> None:
    """Source: a broker of Kafka 4.3.1; the horizon tells what its clock said."""
    config = TopicConfig(
        cleanup_policy="compact",
        segment_ms=5_000,
        index_interval_bytes=64,
        retention_ms=-1,
    )
    log: Log = PartitionLog(store, config)
    for batch in batches("compact"):
        log.append_as_follower(batch)
    log.advance_high_watermark(log.log_end_offset)
    horizon_ms = 1_795_502_332_659
    cleaned = log.clean(horizon_ms - DAY_MS)
    log.delete_expired_files(horizon_ms)
    log.close()
    left = partition("compact_after_cleaning")
    del left["leader-epoch-checkpoint"]  # the broker was started again in between

    assert files(log, *KINDS, ".snapshot") == left
    line = offsets_text({("compact", 0): cleaned.first_dirty_offset}).splitlines()[-1]
    assert line in BROKER["checkpoint_after_cleaning"].splitlines()


@pytest.mark.parametrize("name", CASES)
def test_each_round_leaves_what_kafkas_cleaner_left(
    name: str, store: MemoryStore | FolderStore
) -> None:
    """Source: Cleaner, CleanedTransactionMetadata and MemoryRecords of Kafka 4.3.1,
    run by `cleaning_truth`. LG-14, LG-15, LG-17 to LG-21: see the stories."""
    story = CASES[name]()
    log = log_of(story, store)
    truth = iter(TRUTH[name])
    for cleaned in rounds_of(story, log):
        theirs = next(truth)
        assert cleaned.first_dirty_offset == theirs["first_dirty_offset"]
        ours = {at: data.hex() for at, data in sealed_files(log).items()}
        assert ours == theirs["files"]
    assert next(truth, None) is None
    log.close()


def test_a_late_reader_of_a_compacted_topic() -> None:
    """DS-31: key k is written v1 to v5, then deleted. Source: Cleaner, KIP-534."""
    story = Story(delete_retention_ms=DAY_MS)
    for value in range(1, 6):
        story.put(f"k={value} other{value}=1")
    log = log_of(story.clean().put("k=6").put("k"))
    first, *_ = rounds_of(story, log)

    def of_k() -> list[bytes | None]:
        found = kept(log).values()
        return [one.value and one.value[:1] for one in found if one.key == b"k"]

    assert of_k() == [b"5", b"6", None], "only the latest; all of the active segment"
    assert first.count(Fate.SUPERSEDED) == 4
    log.roll(story.now_ms)
    log.set_high_watermark(log.log_end_offset)
    log.clean(story.now_ms)
    assert of_k() == [None], "the tombstone is there to be read"
    stamped_ms = story.now_ms
    for wait_ms, left in ((DAY_MS - 1, [None]), (DAY_MS, [])):
        log.append([Record(story.now_ms, b"new", b"%d" % wait_ms)])
        log.roll(story.now_ms)
        log.set_high_watermark(log.log_end_offset)
        log.clean(stamped_ms + wait_ms)
        assert of_k() == left


def test_a_round_says_what_became_of_each_record() -> None:
    story = Story().put("a=1 b=1").put("c=1", (1, 0), transactional=True)
    story.end("abort", (1, 0)).put("a=2").roll().put("b=2").clean()
    cleaned = next(rounds_of(story, log := log_of(story)))

    assert cleaned.range.first_uncleanable_offset == cleaned.first_dirty_offset == 6
    segment = cleaned.segments[0]
    assert (segment.base_offset, segment.end_offset) == (0, 6)
    assert segment.replaced == (0, 5)
    assert segment.offsets.tolist() == [0, 1, 2, 3, 4, 5]
    assert [Fate(fate).name for fate in segment.fates] == [
        *("SUPERSEDED", "SUPERSEDED", "ABORTED", "KEPT", "KEPT", "KEPT")
    ]
    assert cleaned.records_before == 6 and cleaned.records_after == 3
    assert cleaned.bytes_after == log.segments[0].size_bytes < cleaned.bytes_before


def test_the_active_segment_is_not_touched() -> None:
    """LG-15. Source: LogCleanerManager.cleanableOffsets."""
    story = Story().put("a=1 a=2").roll().put("a=3").put("a=4").put("a")
    log = log_of(story)
    assert not list(rounds_of(story, log))
    log.set_high_watermark(log.log_end_offset)
    active = files(log, *KINDS)[log.active.contents.name]
    log.clean(story.now_ms)

    assert list(kept(log)) == [1, 2, 3, 4], "not even what it supersedes goes"
    assert files(log, *KINDS)[log.active.contents.name] == active


def test_cleaning_again_changes_nothing_and_drops_no_tombstone() -> None:
    """A round without anything dirty is none, whatever horizon is over (LG-16, LG-18).
    Source: LogCleanerManager.grabFilthiestCompactedLog."""
    log, cleaned = lived(Story().put("a=1 b=1").put("a").clean())
    before = files(log, *KINDS)
    again = log.clean(10**14)

    assert again.segments == () and files(log, *KINDS) == before
    assert again.first_dirty_offset == cleaned.first_dirty_offset == 3
    assert log.cleaning_range(10**14).dirty_ratio == 0.0


def test_aborted_data_goes_then_its_index_entries_then_its_markers() -> None:
    """LG-18, LG-19. Source: CleanedTransactionMetadata.onControlBatchRead."""
    story = CASES["aborted_and_committed"]()
    log = log_of(story)
    went: list[tuple[int, int, int]] = []
    for cleaned in rounds_of(story, log):
        entries = sum(one.transaction_index.entry_count for one in log.segments)
        went.append((cleaned.count(Fate.ABORTED), entries, cleaned.count(Fate.MARKER)))

    assert went == [(14, 6, 0), (0, 0, 0), (0, 0, 0), (0, 0, 7), (0, 0, 1)]


def test_a_producer_goes_on_where_it_was_after_all_it_wrote_is_superseded() -> None:
    """LG-20: also if its state is made anew from the log alone."""
    story = Story().put("a=1 b=1", (1, 0)).put("a=2 b=2").clean()
    log, _ = lived(story)
    log.close()
    for name in files(log, ".snapshot"):
        log.store.delete(name)
    config: dict[str, Any] = story.config
    again: Log = PartitionLog(log.store, TopicConfig(**config), now_ms=story.now_ms)

    header = next(header for _, header in again.segments[0].contents.headers())
    assert header.record_count == 0 and header.producer_id == 1
    assert again.producers.entries[1].last_sequence == 1
    producer = {"producer_id": 1, "producer_epoch": 0, "base_sequence": 2}
    assert not again.append([Record(story.now_ms, b"a", b"3")], **producer).duplicate


def test_segments_that_became_one_leave_no_snapshot_of_the_later_ones() -> None:
    """LG-21. Source: UnifiedLog.replaceSegments."""
    story = Story().put("a=1").roll().put("b=1").roll().put("c=1").clean()
    log, cleaned = lived(story)

    assert cleaned.segments[0].replaced == (0, 1, 2)
    assert list(files(log, ".snapshot")) == ["00000000000000000003.snapshot"]
    due_ms = story.now_ms + log.config.file_delete_delay_ms
    assert log.delete_expired_files(due_ms - 1) == []
    gone = log.delete_expired_files(due_ms)
    assert "00000000000000000001.snapshot.deleted" in gone
    assert "00000000000000000000.log.deleted" in gone
    assert not files(log, ".deleted")


def test_a_segment_that_is_emptied_stays_and_is_as_old_as_it_was() -> None:
    """Source: Cleaner.cleanSegments (setLastModified); its time is its file's now."""
    story = Story(internal_segment_bytes=100).put("a=1").wait(70).put("a=2").clean()
    log = log_of(story)
    rounds = rounds_of(story, log)
    next(rounds)
    first = log.segments[0]

    assert (first.size_bytes, first.next_offset) == (0, 0)
    assert first.modified_ms == story.steps[0]["now_ms"] < story.now_ms


def test_a_gap_before_the_next_segment_is_compacted_with_what_is_before_it() -> None:
    """Source: Cleaner.buildOffsetMapForSegment: on to the next segment's base."""
    log = log_of(story := Story().put("a=1 a=2"))
    list(rounds_of(story, log))
    log.append_as_follower(
        encode_batch([Record(story.now_ms, b"a", b"3")], base_offset=9, leader_epoch=0)
    )
    log.truncate_to(9)
    log.roll(story.now_ms)
    log.set_high_watermark(log.log_end_offset)
    cleaned = log.clean(story.now_ms)

    assert [one.base_offset for one in log.segments] == [0, 9]
    assert cleaned.first_dirty_offset == 9 and list(kept(log)) == [1]


class Renames(MemoryStore):
    """A store that remembers what is renamed to what, and what is synced."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []

    def rename(self, old: str, new: str) -> None:
        super().rename(old, new)
        if ".log" in new:
            self.said.append(f"{int(old[:20])}{old[20:]} {new[20:]}")

    def sync(self, name: str) -> None:
        super().sync(name)
        if ".cleaned" in name:
            self.said.append(f"sync {name[20:]}")

    def sync_directory(self) -> None:
        self.said.append("sync names")


def test_a_segment_is_put_in_place_so_that_a_crash_leaves_all_or_nothing() -> None:
    """Source: Cleaner.cleanSegments, LocalLog.replaceSegments."""
    store = Renames()
    story = Story().put("a=1").roll().put("a=2").put("b=1").clean()
    log = log_of(story, store)
    steps = rounds_of(story, log)
    log_rolls = len(store.said)
    next(steps)

    said = [word for word in store.said[log_rolls:] if word != "sync names"]
    assert said == [
        "sync .log.cleaned",
        "sync .index.cleaned",
        "sync .timeindex.cleaned",
        "0.log.cleaned .log.swap",
        "0.log .log.deleted",
        "1.log .log.deleted",
        "0.log.swap .log",
    ]
    assert store.said[-1] == "sync names"


def test_what_a_broken_round_left_is_removed_by_the_next() -> None:
    """Source: UnifiedLog.createNewCleanedSegment."""
    story = Story().put("a=1").put("a=2").clean()
    log = log_of(story, store := MemoryStore())
    for kind in KINDS:
        store.write(f"00000000000000000000{kind}.cleaned", b"half a segment")
    list(rounds_of(story, log))

    assert list(kept(log)) == [1] and not files(log, ".cleaned")


def test_a_batch_that_cannot_be_read_ends_the_round() -> None:
    story = Story().put("a=1").put("a=2").clean()
    log = log_of(story, store := MemoryStore())
    steps = rounds_of(story, log)
    log.append([Record(story.now_ms, b"a", b"0")])
    store.write_at("00000000000000000000.log", 61, b"\xff")

    with pytest.raises(CorruptBatchError):
        next(steps)
    assert log.first_dirty_offset == 0


def test_what_is_cut_is_not_taken_for_clean_when_it_comes_again() -> None:
    """Source: LogCleanerManager.maybeTruncateCheckpoint, LogManager.truncateTo."""
    story = Story().put("a=1").clean().put("a=2").clean().put("a=3")
    log, _ = lived(story)
    assert log.first_dirty_offset == 2
    log.truncate_to(2)
    assert log.first_dirty_offset == 2
    log.truncate_to(1)
    assert log.first_dirty_offset == log.active.base_offset == 0
    log.first_dirty_offset = 9
    log.truncate_fully_and_start_at(7)
    assert log.first_dirty_offset == 7
