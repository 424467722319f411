"""A segment does what Kafka's own does, on both stores and byte for byte."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kafkasim.errors import LogError
from kafkasim.log.decode import control_kind, decode_batch
from kafkasim.log.header import BatchHeader
from kafkasim.log.segment import Segment
from kafkasim.log.store import FolderStore, MemoryStore
from kafkasim.log.transaction_index import AbortedTransaction
from tests.log.segments import AnyStore, ByteSegment, Values, batches, settings

DATA = Path(__file__).parent / "data"
BROKER = json.loads((DATA / "segments.json").read_text(encoding="utf-8"))["topics"]
SCRIPTS = json.loads((DATA / "segments_and_indexes.json").read_text(encoding="utf-8"))


def in_order(files: dict[str, str]) -> list[tuple[BatchHeader, bytes]]:
    logs = sorted(name for name in files if name.endswith(".log"))
    return [one for name in logs for one in batches(bytes.fromhex(files[name]))]


SETTINGS: dict[str, Values] = {
    "segments": {"segment_ms": 5000, "index_interval_bytes": 64},
    "transactions": {"segment_ms": 5000, "index_interval_bytes": 64},
    "compact": {
        "segment_ms": 5000,
        "index_interval_bytes": 64,
        "cleanup_policy": "compact",
    },
}


class Aborts:
    """Says of each batch which transaction it aborts, from the batches alone."""

    def __init__(self) -> None:
        self.open: dict[int, int] = {}

    def of(self, header: BatchHeader, data: bytes) -> AbortedTransaction | None:
        producer = header.producer_id
        if not header.is_control:
            if header.is_transactional:
                self.open.setdefault(producer, header.base_offset)
            return None
        first = self.open.pop(producer)
        (marker,) = decode_batch(data)
        if control_kind(marker) == "commit":
            return None
        stable = min(self.open.values(), default=header.last_offset + 1)
        return AbortedTransaction(producer, first, header.last_offset, stable)


@pytest.mark.parametrize("topic", sorted({*BROKER} - {"compact_after_cleaning"}))
def test_the_files_of_a_real_broker_come_out_byte_for_byte(
    store: AnyStore, topic: str
) -> None:
    """Its batches in order, with its settings: where it rolled, what it indexed."""
    files = BROKER[topic]["files"]
    config = settings(**SETTINGS.get(topic, {}))
    segments = [Segment(store, 0, config, 0)]
    aborts = Aborts()
    for header, data in in_order(files):
        if segments[-1].roll_cause(header, config, 0):
            segments[-1].seal()
            segments.append(Segment(store, header.base_offset, config, 0))
        segments[-1].append(header, data)
        if (aborted := aborts.of(header, data)) is not None:
            segments[-1].append_aborted(aborted)
    for segment in segments:
        segment.close()
    store.close()

    written = {name: bytes(store.read(name)).hex() for name in store.names()}
    kinds = (".log", ".index", ".timeindex", ".txnindex")
    assert written == {n: data for n, data in files.items() if n.endswith(kinds)}


class Replay:
    """Does with a segment what a script did with Kafka's."""

    def __init__(self, store: AnyStore, script: dict[str, Any]) -> None:
        self.store = store
        self.script = script
        self.config = settings(
            internal_segment_bytes=script["segment_bytes"],
            segment_ms=script["segment_ms"],
            segment_index_bytes=script["index_bytes"],
            index_interval_bytes=script["interval"],
        )
        self.now_ms = 0
        self.open()

    def open(self) -> None:
        self.segment: ByteSegment = Segment(
            self.store, self.script["base"], self.config, self.now_ms
        )
        self.segment.preallocate_indexes()

    def step(self, kind: str, *asked: object) -> object:
        does: Callable[..., object] = getattr(self, f"do_{kind}")
        return does(*asked)

    def do_append(self, text: str) -> object:
        segment = self.segment
        runs = batches(bytes.fromhex(text))
        first, last = runs[0][0], runs[-1][0]
        all_of_them = first._replace(
            size_bytes=sum(header.size_bytes for header, _ in runs),
            max_timestamp_ms=max(header.max_timestamp_ms for header, _ in runs),
            last_offset_delta=last.last_offset - first.base_offset,
        )
        cause = segment.roll_cause(all_of_them, self.config, self.now_ms)
        if cause is None:
            for one in runs:
                segment.append(*one)
        counts = segment.offset_index.entry_count, segment.time_index.entry_count
        return [cause is not None, segment.size_bytes, *counts]

    def do_find(self, offset: int) -> object:
        position = self.segment.position_of(offset)
        return None if position is None else [position, self.base_offset(position)]

    def do_read(self, offset: int, most: int, at_least_one: bool) -> object:  # noqa: FBT001
        read = self.segment.read(offset, most, at_least_one=at_least_one)
        if read is None:
            return None
        return [read.position, read.first_offset, read.end_position - read.position]

    def do_time(self, timestamp_ms: int, offset: int) -> object:
        found = self.segment.offset_for_time(timestamp_ms, offset)
        return None if found is None else list(found)

    def do_truncate(self, offset: int) -> object:
        return [self.segment.truncate_to(offset, self.now_ms), self.segment.size_bytes]

    def do_now(self, now_ms: int) -> object:
        self.now_ms = now_ms
        return None

    def do_reopen(self) -> object:
        self.segment.close()
        self.open()
        return None

    def do_next(self) -> object:
        return self.segment.next_offset

    def do_largest(self) -> object:
        return [self.segment.max_timestamp_ms, self.segment.offset_of_max_timestamp]

    def base_offset(self, position: int) -> int:
        return next(self.segment.contents.headers(position))[1].base_offset

    def whole(self, said: object) -> object:
        """Cut Kafka's answer to a read, which ends at any byte, to whole batches."""
        if isinstance(said, list):
            position, offset, size = said
            ends = [position]
            for at, header in self.segment.contents.headers(position):
                ends.append(at + header.size_bytes)
            last = max(end for end in ends if end <= position + size)
            return [position, offset, last - position]
        return said


@pytest.mark.parametrize("number", range(len(SCRIPTS["segments"])))
def test_a_segment_answers_as_kafkas_own_and_leaves_its_index_files(
    number: int, tmp_path: Path
) -> None:
    """Sources: LogSegment, FileRecords, OffsetIndex, TimeIndex; see kafka/."""
    script = SCRIPTS["segments"][number]
    stores: tuple[AnyStore, ...] = (MemoryStore(), FolderStore(tmp_path))
    for store in stores[number % 2 :: 2]:
        replay = Replay(store, script)
        for step, said in zip(script["steps"], script["answer"]["said"], strict=False):
            if said == "refused":
                with pytest.raises(LogError):
                    replay.step(*step)
                break
            expected = replay.whole(said) if step[0] == "read" else said
            assert replay.step(*step) == expected, step
        if script["rolled"]:
            replay.segment.seal()
        replay.segment.close()
        left = {
            name.split(".")[1]: bytes(store.read(name)).hex() for name in store.names()
        }
        del left["log"]
        assert left == script["answer"]["files"]
