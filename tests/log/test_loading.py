"""A log opens as Kafka opens it: each case of damage against Kafka 4.3.1's own answer.

`data/loading.json` is what `org.apache.kafka.storage.internals.log.LogLoader`,
`LogSegment.recover`, `ProducerStateManager` and `LeaderEpochFileCache` made of the same
bytes; `loading_truth.py` asked them.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from kafkasim.config.topic import TopicConfig
from kafkasim.errors import CorruptBatchError, LogError
from kafkasim.log.contents import ByteBatch
from kafkasim.log.loading import Loaded, load
from kafkasim.log.segment import Segment
from kafkasim.log.store import FolderStore, MemoryStore
from tests.log.loading_cases import CASES, Case, Files, log_name

TRUTH = json.loads((Path(__file__).parent / "data" / "loading.json").read_text())
NOW_MS = 1_700_000_000_000 + 3_600_000
CONFIG = TopicConfig(
    internal_segment_bytes=700,
    segment_index_bytes=480,
    index_interval_bytes=150,
    retention_ms=-1,
).resolve()
WRITTEN: dict[str, Files] = {
    kind: {name: bytes.fromhex(data) for name, data in files.items()}
    for kind, files in TRUTH["written"].items()
}
CORRUPT = {"CorruptRecordException"}


def damaged(case: Case) -> Files:
    files = dict(WRITTEN["clean" if case.clean else "crashed"])
    case.damage(files)
    return files


def store_of(files: Files, folder: Path | None = None) -> MemoryStore | FolderStore:
    store = MemoryStore() if folder is None else FolderStore(folder)
    for name, data in files.items():
        store.write(name, data)
    return store


def opened(store: MemoryStore | FolderStore, case: Case) -> Loaded:
    return load(
        store,
        CONFIG,
        now_ms=NOW_MS,
        clean_shutdown=case.clean,
        recovery_point=case.recovery_point,
        log_start_offset=case.log_start,
    )


def files_of(store: MemoryStore | FolderStore) -> Files:
    return {name: bytes(store.read(name)) for name in store.names()}


def without_slack(files: Files, loaded: Loaded) -> Files:
    """Blank what stands behind the last entry of an open index: what was there before.

    Kafka's indexes are mapped files, in which removed entries stay until written over.
    """
    segment = loaded.segments[-1]
    for suffix, entry_bytes, index in (
        (".index", 8, segment.offset_index),
        (".timeindex", 12, segment.time_index),
    ):
        name = log_name(segment.base_offset, suffix)
        used = index.entry_count * entry_bytes
        files[name] = files[name][:used].ljust(len(files[name]), b"\0")
    return files


def expected_files(case: Case, changed: dict[str, Any]) -> Files:
    before = damaged(case)
    files = dict(before)
    for name, change in changed.items():
        if change is None:
            del files[name]
        elif isinstance(change, str):
            files[name] = before[change]
        else:
            data, size = change
            files[name] = bytes.fromhex(data).ljust(size, b"\0")
    return files


def producers_of(loaded: Loaded) -> list[list[int]]:
    entries = loaded.producers.states.entries
    return [
        [
            entry.producer_id,
            entry.epoch,
            entry.last_sequence,
            entry.last_timestamp_ms,
            entry.coordinator_epoch,
            -1
            if entry.transaction_first_offset is None
            else entry.transaction_first_offset,
        ]
        for entry in sorted(entries.values(), key=lambda entry: entry.producer_id)
    ]


def segment_row(segment: Segment[ByteBatch]) -> list[int | str]:
    return [
        segment.base_offset,
        segment.size_bytes,
        segment.offset_index.entry_count,
        segment.time_index.entry_count,
        segment.max_timestamp_ms,
        next_offset(segment),
    ]


def next_offset(segment: Segment[ByteBatch]) -> int | str:
    try:
        return segment.next_offset
    except CorruptBatchError:
        return "CorruptRecordException"


def without_file_times(row: list[int]) -> list[int]:
    """Where a segment has no timestamp, Kafka answers with the file's time."""
    return [*row[:4], row[4] if row[4] <= NOW_MS else -1, row[5]]


def described(loaded: Loaded) -> dict[str, Any]:
    return {
        "epochs": [list(entry) for entry in loaded.leader_epochs.entries],
        "first_unstable_offset": loaded.producers.states.first_unstable_offset,
        "log_end_offset": loaded.log_end_offset,
        "log_start_offset": loaded.log_start_offset,
        "producers": producers_of(loaded),
        "recovery_point": loaded.recovery_point,
        "segments": [segment_row(segment) for segment in loaded.segments],
    }


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_a_damaged_log_opens_as_kafkas_does(case: Case) -> None:
    truth = TRUTH["answers"][case.name]
    store = store_of(damaged(case))

    if "error" in truth:
        kind = CorruptBatchError if truth["error"] in CORRUPT else LogError
        with pytest.raises(kind):
            opened(store, case)
        return
    loaded = opened(store, case)

    said = {key: truth[key] for key in described(loaded)}
    said["segments"] = [without_file_times(row) for row in said["segments"]]
    if case.name == "base offset below the base, clean":
        # Kafka looks the offset up in the log, which then begins a batch later.
        assert said.pop("first_unstable_offset") == 54
        assert loaded.producers.states.first_unstable_offset == 52
    assert described(loaded).items() >= said.items()
    files = expected_files(case, truth["changed"])
    assert without_slack(files_of(store), loaded) == without_slack(files, loaded)
