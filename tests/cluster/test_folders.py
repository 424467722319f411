"""Folders that one wrote and the other reads: kafkasim's, and those of Kafka."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kafkasim.log.decode import decode_batch
from kafkasim.log.header import CODECS
from kafkasim.log.partition_log import PartitionLog
from kafkasim.log.record import Record
from kafkasim.log.store import FolderStore, MemoryStore
from tests.cluster.batches import Draws, records_of, some_batch
from tests.cluster.beside import answer_of, files_of, headers_of, play
from tests.cluster.kafka import Kafka, plain, unpacked
from tests.cluster.ours import Ours
from tests.cluster.script import Script
from tests.cluster.scripts import SCRIPTS, compacted

pytestmark = pytest.mark.cluster

UNBROKEN = (
    "rolled_by_size",
    "rolled_by_time",
    "rolled_by_the_clock",
    "rolled_by_full_indexes",
    "back_and_forth",
    "stamped_by_the_broker",
    "compressed",
    "transactions_of_version_2",
)
"""Scripts without a stop, a truncation or a compaction: Kafka, too, makes other index
entries when it recovers a segment that was written in several goes."""
INDEXES = {".index", ".timeindex"}


def read_all(one: Kafka | Ours) -> Iterator[bytes]:
    """Read a log as a follower does, batches as they are."""
    state = one.ask("state")
    offset = state["log_start_offset"]
    while offset < state["log_end_offset"]:
        data = unpacked(one.ask("read", offset=offset)["data"])
        if not data:
            return  # nothing but a gap is left
        yield data
        *_, (_, last) = headers_of(data)
        offset = last.next_offset


def records_in(log: PartitionLog[Any]) -> list[Record]:
    """Return all records of a log, markers among them."""
    found, offset = [], log.log_start_offset
    while offset < log.log_end_offset:
        read = log.read(offset)
        data = bytes(read.data)
        for position, _ in headers_of(data):
            found += decode_batch(data, position)
        offset = read.next_offset
    return found


def seen_by_kafka(kafka: Kafka, data: bytes) -> list[Any]:
    return [plain(r) for b in kafka.ask("decode", data=data) for r in b["records"]]


def write(script: Script, folder: Path) -> dict[str, bytes]:
    """Let kafkasim follow a script in a folder; return the files that it leaves."""
    log = Ours()
    for step in [*script.steps, {"do": "close"}]:
        answer_of(log, step, folder)
    return files_of(folder)


def without_deleted(files: dict[str, bytes]) -> dict[str, bytes]:
    return {name: data for name, data in files.items() if ".deleted" not in name}


@pytest.mark.parametrize("name", UNBROKEN)
def test_kafka_recovers_a_folder_of_ours_and_changes_nothing(
    name: str, kafka: Kafka, folder: Path
) -> None:
    """Each segment is scanned, its indexes made anew, producers and epochs rebuilt.

    Source: LogLoader.recoverLog, LogSegment.recover.
    """
    script = SCRIPTS[name]()
    before = write(script, folder)

    kafka.ask("open", folder=str(folder), config=script.config, now_ms=script.now_ms)
    found = [seen_by_kafka(kafka, data) for data in read_all(kafka)]
    kafka.ask("close")

    assert without_deleted(files_of(folder)) == without_deleted(before)
    log: PartitionLog[Any] = PartitionLog(FolderStore(folder), clean_shutdown=True)
    assert [record for some in found for record in some] == [
        [r.timestamp_ms, r.key, r.value, [list(h) for h in r.headers], r.offset]
        for r in records_in(log)
    ]


@pytest.mark.parametrize("name", UNBROKEN)
def test_kafkas_dump_of_a_folder_of_ours_complains_of_nothing(
    name: str, kafka: Kafka, folder: Path
) -> None:
    """Source: DumpLogSegments."""
    files = sorted(without_deleted(write(SCRIPTS[name](), folder)))
    paths = {file: str(folder / file) for file in files if file[0].isdigit()}
    indexes = [path for file, path in paths.items() if Path(file).suffix in INDEXES]

    everything = ["--deep-iteration", "--print-data-log", "--files"]
    said = kafka.ask("dump", arguments=[*everything, ",".join(paths.values())])
    checks = ["--verify-index-only", "--files", ",".join(indexes)]
    said_of_indexes = kafka.ask("dump", arguments=checks)

    assert said.count("isvalid: true") == said.count("isvalid:") > 1
    assert list(complaints(said)) == list(complaints(said_of_indexes)) == []


def complaints(said: str) -> Iterator[str]:
    """Walk what a dump complains of, but for what it says of every later segment.

    It counts from -1, and so misses all offsets before a segment's first.
    """
    lines = iter(said.splitlines())
    words = ("mismatch", "Mismatch", "Non-consecutive", "out of order", "not found")
    for line in lines:
        if line.startswith("Non-consecutive offsets"):
            base = int(Path(line).stem)
            if base and next(lines).split() == f"-1 is followed by {base}".split():
                continue
        if line.startswith("Found") or any(word in line for word in words):
            yield line


def test_a_dump_complains_of_an_index_that_lies(kafka: Kafka, folder: Path) -> None:
    """So a dump without a complaint means something."""
    write(SCRIPTS["rolled_by_time"](), folder)
    index = folder / f"{0:020}.index"
    data = bytearray(index.read_bytes())
    data[-5] += 1  # the offset of its last entry
    index.write_bytes(data)

    said = kafka.ask("dump", arguments=["--files", str(index)])

    assert list(complaints(said))


@pytest.mark.parametrize("codec", CODECS)
def test_a_log_of_batches_that_kafka_built_is_read(
    codec: str, kafka: Kafka, folder: Path
) -> None:
    """Kafka's log takes them, kafkasim's does the same, and reads what was sent."""
    draws, script = Draws(7), Script(internal_segment_bytes=90_000)
    script.config["message.timestamp.after.max.ms"] = 2**62
    sent: list[Record] = []
    for _ in range(30):
        batch = some_batch(draws, codec)
        if {"last_offset", "log_append_time_ms", "delete_horizon_ms"} & batch.keys():
            continue  # no producer sends such
        batch["base_offset"] = 0
        for at, row in enumerate(batch["records"]):
            row[4] = at
        batch["producer_id"] = batch["producer_epoch"] = batch["base_sequence"] = -1
        batch["transactional"] = False
        script.append(kafka.encode([batch])[0])
        start = len(sent)
        sent += [r._replace(offset=start + r.offset) for r in records_of(batch)]
    store = MemoryStore()

    play(script, kafka, folder, store)

    log: PartitionLog[Any] = PartitionLog(store, clean_shutdown=True)
    assert records_in(log) == sent
    assert len(sent) > 50


@pytest.mark.parametrize("codec", CODECS[1:])
def test_compressed_batches_are_compacted_to_the_same_records(
    codec: str, kafka: Kafka, folder: Path
) -> None:
    """Their bytes differ, as each library compresses in its own way.

    Source: Cleaner, MemoryRecords.filterTo.
    """
    script, cleaned = compacted(codec), Ours(MemoryStore())
    for step in script.steps:
        want, got = answer_of(kafka, step, folder), answer_of(cleaned, step, folder)
        if step["do"] == "clean":
            assert got == want
            theirs, of_ours = (b"".join(read_all(one)) for one in (kafka, cleaned))
            assert kafka.ask("decode", data=of_ours) == kafka.ask("decode", data=theirs)
    kafka.ask("close")
