"""Logs and batches of bytes, as short as a test wants them."""

from collections.abc import Callable
from typing import Literal

import pytest

from kafkasim.config.topic import TopicConfig
from kafkasim.errors import LogError
from kafkasim.log.contents import ByteBatch
from kafkasim.log.encode import control_batch, encode_batch
from kafkasim.log.partition_log import PartitionLog
from kafkasim.log.record import Record

Log = PartitionLog[ByteBatch]
SMALL = TopicConfig(index_interval_bytes=0, segment_index_bytes=1_200)
"""Settings for indexes that are read as files."""


def records(*timestamps: int) -> list[Record]:
    """Return records of 14 or 15 bytes, one for each timestamp."""
    return [Record(at, b"key", b"value") for at in timestamps]


def sent(*timestamps: int) -> bytes:
    """Return a batch as a producer sends it."""
    return encode_batch(records(*timestamps))


def numbered(
    sequence: int,
    count: int = 1,
    *,
    pid: int = 7,
    epoch: int = 0,
    transactional: bool = False,
) -> bytes:
    """Return a batch of an idempotent producer, with timestamps from 0 on."""
    return encode_batch(
        records(*range(count)),
        producer_id=pid,
        producer_epoch=epoch,
        base_sequence=sequence,
        transactional=transactional,
    )


def marker(kind: Literal["abort", "commit"], *, pid: int = 7, epoch: int = 1) -> bytes:
    """Return the batch that ends a transaction, as its coordinator sends it."""
    return control_batch(
        kind, base_offset=0, timestamp_ms=0, producer_id=pid, producer_epoch=epoch
    )


def decide(
    log: Log, kind: Literal["abort", "commit"], *, pid: int = 7, epoch: int = 1
) -> None:
    """End a producer's transaction."""
    log.append_as_leader(marker(kind, pid=pid, epoch=epoch), origin="coordinator")


def log_of(*segments: list[int], config: TopicConfig | None = None) -> Log:
    """Return a log, replicated to its end.

    Parameters
    ----------
    *segments : list of int
        Of each the batches: how many records they have. Timestamps are offsets.
    config : TopicConfig, optional
        Its settings; small indexes with an entry a batch if not given.
    """
    log: Log = PartitionLog(config=config or SMALL)
    for number, counts in enumerate(segments):
        if number:
            log.roll(log.log_end_offset)
        for count in counts:
            first = log.log_end_offset
            log.append_as_leader(sent(*range(first, first + count)))
    log.advance_high_watermark(log.log_end_offset)
    return log


def code(refused: Callable[[], object]) -> str:
    """Return the code with which something is refused."""
    with pytest.raises(LogError) as caught:
        refused()
    return caught.value.code


def files(log: Log) -> dict[str, bytes]:
    """Return the files of a log's store."""
    return {name: bytes(log.store.read(name)) for name in log.store.names()}
