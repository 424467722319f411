"""Accumulators of records without a key whose draws are given, and what they tell."""

import numpy as np

from kafkasim.protocol.producing.accumulator import Settings
from kafkasim.protocol.producing.batch import Batch
from kafkasim.protocol.producing.columns import (
    STICKY,
    RecordBlocks,
    RecordColumns,
)
from kafkasim.protocol.producing.partitioner import Draws
from kafkasim.protocol.producing.sticky import StickyAccumulator

MS = 1_000_000


class GivenDraws(Draws):
    """Partitions in the order in which they are to be chosen."""

    def __init__(self, *partitions: int) -> None:
        super().__init__(np.random.default_rng(0))
        self._values = list(partitions)


def accumulator(
    created_ms: list[int],
    value_bytes: int | list[int],
    *draws: int,
    keyed: dict[int, int] | None = None,
    leaders: tuple[int, ...] = (0, 0, 0),
    batch_size: int = 200,
    linger_ms: int = 100,
    memory: int = 1 << 25,
    max_block_ms: int = 60_000,
    max_request: int = 1_048_576,
    hand_over: "Told | None" = None,
) -> StickyAccumulator:
    """Make one; `keyed` gives the partitions of those records that have a key."""
    count = len(created_ms)
    partitions = np.full(count, STICKY, dtype=np.int32)
    for at, partition in (keyed or {}).items():
        partitions[at] = partition
    columns = RecordColumns(
        created_ns=np.array(created_ms, dtype=np.int64) * MS,
        key_bytes=np.full(count, -1, dtype=np.int64),
        value_bytes=np.broadcast_to(np.array(value_bytes, dtype=np.int64), count),
        partitions=partitions,
        max_request_size=max_request,
    )
    settings = Settings(
        source_index=0,
        batch_size=batch_size,
        linger_ns=linger_ms * MS,
        max_request_size=max_request,
        leaders=leaders,
        node_count=max(leaders) + 1,
        buffer_memory=memory,
        max_block_ns=max_block_ms * MS,
    )
    blocks = RecordBlocks([columns])
    return StickyAccumulator(settings, blocks, GivenDraws(*draws), hand_over=hand_over)


class Told:
    """What an application is told of its waits, in milliseconds."""

    def __init__(self) -> None:
        self.late: list[tuple[int, int]] = []
        self.waits: list[tuple[int, int]] = []
        self.failed: list[tuple[int, int]] = []

    def delayed(self, ordinal: int, created_ns: int) -> None:
        self.late.append((ordinal, created_ns // MS))

    def blocked(self, since_ns: int, until_ns: int) -> None:
        self.waits.append((since_ns // MS, until_ns // MS))

    def timed_out(self, ordinal: int, intended_ns: int) -> None:
        self.failed.append((ordinal, intended_ns // MS))


def appended(records: StickyAccumulator, partitions: int = 3) -> dict[int, list[int]]:
    return {
        partition: list(records.append_list(partition))
        for partition in range(partitions)
        if len(records.append_list(partition))
    }


def shown(batches: list[Batch]) -> list[tuple[int, int, int, int, int]]:
    return [(b.partition, b.lo, b.hi, b.closed_ns, b.closed_by) for b in batches]
