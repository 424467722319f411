"""Headers of batches, as short as a test wants them."""

from kafkasim.log.header import CONTROL, TRANSACTIONAL, BatchHeader


def header(
    base_offset: int = 0,
    records: int = 1,
    *,
    size_bytes: int = 100,
    epoch: int = 0,
    timestamp_ms: int = 0,
    producer: tuple[int, int, int] = (-1, -1, -1),
    transactional: bool = False,
    control: bool = False,
) -> BatchHeader:
    """Return a header; `producer` is id, epoch and first sequence number."""
    attributes = TRANSACTIONAL * (transactional or control) | CONTROL * control
    return BatchHeader(
        base_offset=base_offset,
        size_bytes=size_bytes,
        leader_epoch=epoch,
        magic=2,
        crc=0,
        attributes=attributes,
        last_offset_delta=records - 1,
        base_timestamp_ms=timestamp_ms,
        max_timestamp_ms=timestamp_ms,
        producer_id=producer[0],
        producer_epoch=producer[1],
        base_sequence=producer[2],
        record_count=records,
    )
