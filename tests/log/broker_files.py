"""Partition folders that a real broker left (`data/README.md`)."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kafkasim.log.record import Record

BROKER: dict[str, Any] = json.loads(
    (Path(__file__).parent / "data" / "segments.json").read_text(encoding="utf-8")
)
TOPICS: dict[str, Any] = BROKER["topics"]


def partition(topic: str) -> dict[str, bytes]:
    """Return the files of a topic's partition."""
    return {
        name: said.encode() if "checkpoint" in name else bytes.fromhex(said)
        for name, said in TOPICS[topic]["files"].items()
    }


def batches(topic: str) -> Iterator[bytes]:
    """Walk the batches of a topic's partition, oldest first."""
    for name, data in sorted(partition(topic).items()):
        at = 0
        while name.endswith(".log") and at < len(data):
            size = 12 + int.from_bytes(data[at + 8 : at + 12])
            yield data[at : at + size]
            at += size


def sent(topic: str) -> list[list[Record]]:
    """Return what a topic was sent, batch by batch, without offsets."""
    return [
        [
            Record(
                stamp,
                None if key is None else bytes.fromhex(key),
                None if value is None else bytes.fromhex(value),
                tuple((n, None if v is None else bytes.fromhex(v)) for n, v in headers),
            )
            for stamp, key, value, headers in batch["records"]
        ]
        for batch in TOPICS[topic]["sent"]
    ]


every_batch = pytest.mark.parametrize(
    "batch",
    [
        pytest.param(batch, id=f"{topic}-{at}")
        for topic in TOPICS
        for at, batch in enumerate(batches(topic))
    ],
)
"""A test that asks for `batch` runs for each batch that the broker wrote."""
