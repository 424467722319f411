"""Kafka's log beside kafkasim's: the same steps, answers and files compared."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kafkasim.log.header import BatchHeader, unpack_header
from kafkasim.log.store import MemoryStore
from tests.cluster.damages import Files
from tests.cluster.kafka import Kafka, KafkaError
from tests.cluster.ours import Ours
from tests.cluster.script import Script, Step

_ENTRY_BYTES = {".index": 8, ".timeindex": 12}


def files_of(place: Path | MemoryStore) -> Files:
    """Return a partition's files."""
    if isinstance(place, Path):
        return {file.name: file.read_bytes() for file in place.iterdir()}
    return {name: bytes(place.read(name)) for name in place.names()}


def compared(place: Path | MemoryStore) -> Files:
    """Return a partition's files without what is no difference.

    Kafka makes an index's file when it first looks for an entry, and cuts odd bytes off
    its end when it lets go of it (`LazyIndex`): whether it is there, and they are, says
    who has read the segment.
    """
    whole = {}
    for name, data in files_of(place).items():
        size = _ENTRY_BYTES.get(Path(name.removesuffix(".deleted")).suffix, 1)
        whole[name] = data[: len(data) // size * size]
    return {n: data for n, data in whole.items() if any(data) or "index" not in n}


def headers_of(data: bytes) -> Iterator[tuple[int, BatchHeader]]:
    """Walk batches that lie back to back: where each begins, and its header."""
    at = 0
    while at < len(data):
        header = unpack_header(data, at)
        yield at, header
        at += header.size_bytes


def answer_of(one: Kafka | Ours, step: Step, place: Path | MemoryStore) -> object:
    """Return what a log answers, or the name of the error that it refuses with."""
    given = dict(step)
    if given["do"] == "open":
        given["folder"] = str(place)
    try:
        return one.ask(**given)
    except KafkaError as refused:
        return refused.code


def said(step: Step) -> dict[str, Any]:
    return {k: v for k, v in step.items() if k not in {"config", "now_ms"}}


def play(script: Script, kafka: Kafka, theirs: Path, ours: Path | MemoryStore) -> None:
    """Do all steps with both; compare answers, and the files at the end."""
    log = Ours(ours if isinstance(ours, MemoryStore) else None)
    for number, step in enumerate([*script.steps, {"do": "close"}]):
        want, got = answer_of(kafka, step, theirs), answer_of(log, step, ours)
        assert got == want, f"step {number}: {said(step)}"
        if step["do"] == "open" and isinstance(want, str):
            return  # Kafka cannot open what it wrote: its indexes have too little room
    assert compared(ours) == compared(theirs)
