"""A log against a plain list of batches, whatever is done to it, in any order.

Hypothesis draws what is done: append, read, roll, truncate, delete records, delete old
segments, compact, flush, close, crash, open again; on both stores. After each step the
log must hold what the list holds, and after each stop or crash `fsck` must find its
files in order: indexes, epochs, snapshots, aborted transactions.

A planted error shows that this would be noticed: see `mutations/log-loading.toml`.
With `>` in place of `>=` where a batch is looked up by its last offset
(`kafkasim.log.search.find`), a read of that offset begins a batch too late, or finds
nothing; the machine finds it within a few steps: append two records, read the second.
"""

import tempfile
from pathlib import Path

from hypothesis import settings

from kafkasim.log.store import FolderStore
from tests.log.log_machine import LogMachine
from tests.log.recording_store import RecordingStore, without_unsynced


class MemoryMachine(LogMachine):
    """In memory; a crash loses all bytes that were not synced."""

    def new_store(self) -> RecordingStore:
        return RecordingStore()

    def crashed_store(self) -> RecordingStore:
        assert isinstance(self.store, RecordingStore)
        store = RecordingStore()
        for call in without_unsynced(self.store.calls):
            call.on(store)
        return store


class UnsyncedFolderStore(FolderStore):
    """A folder without calls to the disk: the machine does not stop in a test."""

    def sync(self, name: str) -> None:
        self._write_out(name)

    def sync_directory(self) -> None:
        pass


class FolderMachine(LogMachine):
    """In a folder; a crash loses what the store had not written."""

    def new_store(self) -> FolderStore:
        self.folder = tempfile.TemporaryDirectory()
        return UnsyncedFolderStore(Path(self.folder.name))

    def crashed_store(self) -> FolderStore:
        return UnsyncedFolderStore(Path(self.folder.name))

    def teardown(self) -> None:
        if hasattr(self, "folder"):
            self.store.close()
            self.folder.cleanup()


TestInMemory = MemoryMachine.TestCase
TestInAFolder = FolderMachine.TestCase
TestInMemory.settings = TestInAFolder.settings = settings(stateful_step_count=25)
