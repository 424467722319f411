"""What an append looks at before it writes, and what it answers.

Source: `org.apache.kafka.storage.internals.log.UnifiedLog` (4.3): `maybeRoll`,
`analyzeAndValidateProducerState`, and `LogAppendInfo`.
"""

from collections.abc import Sequence
from typing import NamedTuple

from kafkasim.errors import LogError
from kafkasim.log.contents import ByteBatch
from kafkasim.log.header import CONTROL, BatchHeader
from kafkasim.log.producer_files import read_marker
from kafkasim.log.producer_state import ProducerStates
from kafkasim.log.validation import Origin


class Appended(NamedTuple):
    """Where an append came to lie."""

    first_offset: int
    last_offset: int
    max_timestamp_ms: int
    """Largest timestamp of it; −1 for none."""
    duplicate: bool = False
    """Whether it was there before, and nothing was written."""


def together(headers: Sequence[BatchHeader]) -> BatchHeader:
    """Return a header as if all batches of an append were one.

    Whether a segment takes them is asked for all of them together.
    """
    first = headers[0]
    if len(headers) == 1:
        return first
    return first._replace(
        size_bytes=sum(header.size_bytes for header in headers),
        last_offset_delta=headers[-1].last_offset - first.base_offset,
        max_timestamp_ms=max(header.max_timestamp_ms for header in headers),
    )


def check_producer(
    producers: ProducerStates,
    header: BatchHeader,
    batch: ByteBatch,
    origin: Origin,
    transaction_version: int,
) -> BatchHeader | None:
    """Return the batch that this one repeats, or None; or refuse this one.

    Raises
    ------
    LogError
        See `ProducerStates.check` and `ProducerStates.check_marker`.
    """
    if header.producer_id < 0:
        return None
    if origin == "client":
        known = producers.duplicate_of(header)
        if known is not None:
            return known
    if header.attributes & CONTROL:
        marker = read_marker(batch)
        if marker is not None:
            producers.check_marker(header, marker, transaction_version)
    else:
        producers.check(header, sequence=origin == "client")
    return None


def surely_follows(producers: ProducerStates, header: BatchHeader) -> bool:
    """Return whether a data batch plainly follows its producer's last one.

    It repeats none then, and `ProducerStates.check` has nothing against it. Of one
    that does not, both are to be asked.
    """
    entry = producers.entries.get(header.producer_id)
    if (
        entry is None
        or entry.epoch != header.producer_epoch
        or entry.transaction_first_offset is not None
        or not entry.batches
    ):
        return False
    last = entry.batches[-1]
    first = last.base_sequence
    return 0 <= first == header.base_sequence - last.last_offset_delta - 1


def check_transactions(
    producers: ProducerStates, headers: Sequence[BatchHeader]
) -> None:
    """Refuse what a follower was sent if a batch is outside of its open transaction.

    A leader writes no such batch: whoever finds it gives up.

    Source: `ProducerAppendInfo.appendDataBatch`.

    Raises
    ------
    LogError
        INVALID_TXN_STATE.
    """
    is_open: dict[int, bool] = {}
    for header in headers:
        producer_id = header.producer_id
        if producer_id < 0:
            continue
        if producer_id not in is_open:
            entry = producers.entries.get(producer_id)
            known = entry is not None and entry.transaction_first_offset is not None
            is_open[producer_id] = known
        if header.is_control:
            is_open[producer_id] = False
        elif header.is_transactional:
            is_open[producer_id] = True
        elif is_open[producer_id]:
            text = (
                f"the batch at offset {header.base_offset} is outside of the "
                f"transaction that producer {producer_id} has open"
            )
            raise LogError("INVALID_TXN_STATE", text)
