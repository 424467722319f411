import pytest

from kafkasim.errors import LogError
from kafkasim.log.contents import ByteBatch
from kafkasim.log.encode import control_batch, encode_batch
from kafkasim.log.partition_log import PartitionLog
from kafkasim.log.producer_files import ProducerFiles, read_marker
from kafkasim.log.producer_snapshot import read_snapshot
from kafkasim.log.producer_state import Marker, ProducerStates
from kafkasim.log.record import Record
from kafkasim.log.store import MemoryStore
from tests.log.batch_headers import header
from tests.log.logs import SMALL, Log, decide, numbered

Files = ProducerFiles[ByteBatch]


def opened(store: MemoryStore) -> Files:
    return ProducerFiles(store, ProducerStates(), read_marker)


def snapshots(store: MemoryStore) -> list[int]:
    return [int(name[:20]) for name in store.names() if name.endswith(".snapshot")]


def last_sequence(files: Files, pid: int = 7) -> int | None:
    entry = files.states.entries.get(pid)
    return entry.last_sequence if entry else None


# -- markers


def test_what_a_marker_says() -> None:
    """Source: EndTransactionMarker.deserialize."""
    batch = control_batch(
        "abort",
        base_offset=3,
        timestamp_ms=0,
        producer_id=1,
        producer_epoch=2,
        coordinator_epoch=9,
    )

    assert read_marker(batch) == Marker(commits=False, coordinator_epoch=9)


def test_an_emptied_control_batch_says_nothing() -> None:
    """Source: ProducerAppendInfo.append."""
    batch = encode_batch(
        [],
        last_offset_delta=0,
        producer_id=1,
        producer_epoch=2,
        transactional=True,
        control=True,
    )

    assert read_marker(batch) is None


def test_of_a_producer_with_an_emptied_marker_only_an_entry_says_nothing() -> None:
    """Source: UnifiedLog.updateProducers, ProducerStateManager.update."""
    bare = header(0, 0, producer=(9, 2, -1), control=True)
    files = Files(MemoryStore(), ProducerStates(), lambda _: None)

    assert files.add([(bare, b"")]) == []

    entry = files.states.entries[9]
    assert (entry.epoch, entry.coordinator_epoch, entry.last_timestamp_ms) == (-1,) * 3


def test_a_marker_of_a_log_that_is_loaded_is_read_whatever_its_header_claims() -> None:
    """A magic above 2 is read as 2, and of several records the first.

    Source: DefaultRecordBatch.iterator, EndTransactionMarker.deserialize.
    """
    batch = control_batch(
        "commit", base_offset=3, timestamp_ms=0, producer_id=1, producer_epoch=2
    )
    later = batch[:16] + b"\x12" + batch[17:57] + b"\0\0\0\x81" + batch[61:]

    assert (
        read_marker(later)
        == read_marker(batch)
        == Marker(commits=True, coordinator_epoch=0)
    )


@pytest.mark.parametrize(
    ("key", "value"),
    [
        (b"\0\0\0\1", b""),
        (b"\0\0\0\1", b"\xff\xff\0\0\0\0"),
        (b"\0\0\0\2", b"\0\0\0\0\0\0"),
        (b"\0\0", b"\0\0\0\0\0\0"),
    ],
)
def test_other_control_batches_are_no_markers(key: bytes, value: bytes) -> None:
    """Source: EndTransactionMarker.deserializeValue, ControlRecordType.parse."""
    batch = encode_batch(
        [Record(0, key, value)],
        producer_id=1,
        producer_epoch=2,
        transactional=True,
        control=True,
    )

    with pytest.raises(LogError):
        read_marker(batch)


# -- snapshots


def test_a_snapshot_is_taken_once_for_an_offset() -> None:
    """Source: ProducerStateManager.takeSnapshot."""
    store = MemoryStore()
    files = opened(store)

    assert not files.take(0)
    assert files.take(5) and not files.take(5) and not files.take(4)
    assert files.take(9)
    assert snapshots(store) == files.offsets == [5, 9]
    assert opened(store).offsets == [5, 9]


def test_snapshots_are_deleted_now_or_later() -> None:
    """Source: ProducerStateManager.removeAndMarkSnapshotForDeletion."""
    store = MemoryStore()
    files = opened(store)
    for offset in (3, 6, 9):
        files.take(offset)

    files.delete(3)
    assert files.mark_deleted(6) == "00000000000000000006.snapshot.deleted"
    assert files.mark_deleted(6) is None
    store.delete("00000000000000000009.snapshot")
    assert files.mark_deleted(9) is None
    assert store.names() == ["00000000000000000006.snapshot.deleted"]


# -- rebuilding


def log_with_snapshots() -> Log:
    """Return a log of sequences 0 to 5, with snapshots at 2, 4 and 6."""
    log: Log = PartitionLog(config=SMALL)
    for sequence in range(6):
        log.append_as_leader(numbered(sequence))
        if sequence in {1, 3}:
            log.roll(0)
    log.close()
    return log


def rebuilt(
    log: Log, start: int, end: int, *, clean: bool = False, held: bool = True
) -> Files:
    store = log.store
    assert isinstance(store, MemoryStore)
    files = opened(store)
    if held:
        files.states.add(header(99, producer=(1, 0, 0)))
    files.rebuild(log.segments, start, end, 0, after_clean_stop=clean)
    return files


def store_of(log: Log) -> MemoryStore:
    assert isinstance(log.store, MemoryStore)
    return log.store


def test_the_newest_snapshot_is_read_and_the_batches_after_it() -> None:
    """Source: UnifiedLog.rebuildProducerState, truncateAndReload."""
    log = log_with_snapshots()

    files = rebuilt(log, 0, 5)

    assert last_sequence(files) == 4 and list(files.states.entries) == [7]
    assert snapshots(store_of(log)) == [2, 4, 5]  # 6 lies above the end


def test_a_snapshot_at_the_end_leaves_nothing_to_read() -> None:
    log = log_with_snapshots()
    log.segments[-1].contents.truncate(0)

    assert last_sequence(rebuilt(log, 0, 6)) == 5


def test_a_damaged_snapshot_is_deleted_and_an_older_one_read() -> None:
    """Source: ProducerStateManager.loadFromSnapshot."""
    log: Log = PartitionLog(config=SMALL)
    for pid in range(3):
        log.append_as_leader(numbered(0, pid=pid))
        log.roll(0)
    store = store_of(log)
    for offset in (2, 3):
        store.write(f"{offset:020d}.snapshot", b"\0\1 no snapshot")
    log.segments[0].contents.truncate(0)

    files = rebuilt(log, 0, 3)

    assert list(files.states.entries) == [0, 1, 2]  # 0 is known from its snapshot
    assert snapshots(store) == [1, 2, 3]  # the last two are made anew on the way
    data = store.read("00000000000000000002.snapshot")
    assert [entry.producer_id for entry in read_snapshot(data)] == [0, 1]


def test_without_snapshots_all_batches_are_read() -> None:
    log = log_with_snapshots()
    store = store_of(log)
    for offset in (2, 4, 6):
        store.delete(f"{offset:020d}.snapshot")

    files = rebuilt(log, 0, 6)

    assert last_sequence(files) == 5
    assert snapshots(store) == [2, 4, 6]


def test_snapshots_at_the_start_or_below_are_deleted() -> None:
    """Source: ProducerStateManager.truncateAndReload."""
    log = log_with_snapshots()

    files = rebuilt(log, 4, 6)

    assert snapshots(store_of(log)) == [6] and last_sequence(files) == 5


def test_batches_below_the_start_are_not_read() -> None:
    """Source: UnifiedLog.rebuildProducerState."""
    log = log_with_snapshots()
    for offset in (2, 4, 6):
        store_of(log).delete(f"{offset:020d}.snapshot")

    files = rebuilt(log, 6, 6)

    assert list(files.states.entries) == [] and snapshots(store_of(log)) == []


def test_after_a_clean_stop_without_snapshots_producers_are_forgotten() -> None:
    """log-notes: after a clean stop. Source: UnifiedLog.rebuildProducerState."""
    log = log_with_snapshots()
    for offset in (2, 4, 6):
        store_of(log).delete(f"{offset:020d}.snapshot")

    files = rebuilt(log, 0, 6, clean=True, held=False)

    assert list(files.states.entries) == []
    assert snapshots(store_of(log)) == [2, 4, 6]


def test_transactions_that_are_decided_are_completed() -> None:
    """Source: UnifiedLog.loadProducersFromRecords."""
    log: Log = PartitionLog(config=SMALL)
    log.append_as_leader(numbered(0, transactional=True))
    decide(log, "abort")
    log.append_as_leader(numbered(0, pid=8, transactional=True))

    files = rebuilt(log, 0, 3)

    assert files.states.open_transactions == {2: 8}
    assert files.states.first_unstable_offset == 0  # decided, not known as replicated


def test_a_batch_outside_of_the_open_transaction_cannot_be_read_again() -> None:
    """Source: ProducerAppendInfo.appendDataBatch."""
    log: Log = PartitionLog(config=SMALL)
    log.append_as_leader(numbered(0, transactional=True))
    outside = header(1, producer=(7, 0, 1), size_bytes=61)
    log.append_batch(outside, outside.pack(), 0)

    with pytest.raises(LogError, match="INVALID_TXN_STATE"):
        rebuilt(log, 0, 2)


def test_a_start_over_forgets_everything() -> None:
    """Source: ProducerStateManager.truncateFullyAndStartAt."""
    log = log_with_snapshots()
    files = rebuilt(log, 0, 6)

    files.start_at(40)

    assert snapshots(store_of(log)) == [] and files.states.is_empty
    assert files.taken_at == 0 and files.end_offset == 40


def test_the_start_moves_with_the_log() -> None:
    """Source: ProducerStateManager.onLogStartOffsetIncremented."""
    files = opened(MemoryStore())
    files.move_start(8)
    assert files.taken_at == files.end_offset == 8

    files.take(9)
    files.move_start(10)
    assert files.taken_at == 9 and files.end_offset == 10
