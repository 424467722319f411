"""What the real thing wrote: records of `__consumer_offsets`, and a broker's log."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from kafkasim.log.decode import decode_batch
from kafkasim.log.record import Record
from kafkasim.protocol.groups.coordinator_bytes import decode
from kafkasim.protocol.groups.coordinator_records import Record as CoordinatorRecord
from kafkasim.protocol.topic_ids import TopicIds

DATA: Final[dict[str, Any]] = json.loads(
    (Path(__file__).parents[1] / "data" / "coordinator_records.json").read_text("utf-8")
)

IDS: Final = TopicIds(DATA["topics"])

Pair = tuple[bytes, bytes | None]

WRITTEN: Final[dict[str, Pair]] = {
    case["name"]: (
        bytes.fromhex(case["key"]),
        None if case["value"] is None else bytes.fromhex(case["value"]),
    )
    for case in DATA["records"]
}
"""Key and value of what the generated classes wrote, by what it is."""


def log_of(partition: int) -> bytes:
    """Return a broker's segment of a partition."""
    return bytes.fromhex(DATA["log"][str(partition)])


def batches(data: bytes) -> Iterator[bytes]:
    """Yield the batches of a segment."""
    at = 0
    while at < len(data):
        end = at + 12 + int.from_bytes(data[at + 8 : at + 12])
        yield data[at:end]
        at = end


def logged(partition: int) -> list[Record]:
    """Return the records in a broker's segment of a partition."""
    found = [decode_batch(batch) for batch in batches(log_of(partition))]
    return [record for records in found for record in records]


def understood(partition: int) -> list[CoordinatorRecord]:
    """Return what they say."""
    return [decode(each.key or b"", each.value, IDS) for each in logged(partition)]
