"""What `fsck` asks of transaction indexes, and what recovery leaves of them."""

from kafkasim.log.contents import ByteBatch
from kafkasim.log.fsck import fsck
from kafkasim.log.partition_log import PartitionLog
from kafkasim.log.store import MemoryStore, Store
from tests.log.loading_cases import log_name
from tests.log.logs import decide, numbered, sent
from tests.log.recording_store import RecordingStore, without_unsynced
from tests.log.test_loading import CONFIG


def aborted_log(store: Store[ByteBatch]) -> PartitionLog[ByteBatch]:
    """Return a log with an aborted transaction from 0 to 2, and a batch behind it."""
    log = PartitionLog(store, CONFIG, now_ms=0)
    log.append_as_leader(numbered(0, 2, transactional=True))
    decide(log, "abort")
    log.append_as_leader(sent(1))
    log.flush()
    return log


def test_a_transaction_that_began_below_the_logs_start_need_not_be_indexed() -> None:
    store = MemoryStore()
    aborted_log(store).close()
    store.write(log_name(0, ".txnindex"), b"")

    assert fsck(store, log_start_offset=1).ok
    assert fsck(store).kinds() == {"lying transaction index"}


def test_indexes_that_recovery_made_are_as_lasting_as_the_batches() -> None:
    store = RecordingStore()
    aborted_log(store)
    for _ in range(2):
        crashed = RecordingStore()
        for call in without_unsynced(store.calls):
            call.on(crashed)
        PartitionLog(crashed, CONFIG, now_ms=0, clean_shutdown=False, recovery_point=4)
        store = crashed

    left = MemoryStore()
    for call in without_unsynced(store.calls):
        call.on(left)
    assert "lying transaction index" not in fsck(left).kinds()
