"""What a partition refuses, and how it stamps what it takes.

A leader trusts no producer: it checks a batch's size, CRC, counts, keys and timestamps,
then writes its own offsets and epoch into the header. A follower takes batches as the
leader wrote them, and checks that they fit onto its log.

Source: `UnifiedLog.analyzeAndValidateRecords`, `LogValidator`,
`ByteBufferLogInputStream` and `DefaultRecordBatch.setMaxTimestamp` (4.3).
Not here: batches of a format before v2, which a broker of 4.x takes from no producer;
the reasons record by record, of which the first is told (KIP-467); quotas and
authorisation, which come before a log.
"""

from typing import Final, Literal, NamedTuple

from crc32c import crc32c

from kafkasim.config.topic import TopicConfig
from kafkasim.errors import CorruptBatchError, LogError
from kafkasim.log.contents import header_at
from kafkasim.log.decode import decode_batch
from kafkasim.log.encode import encode_batch
from kafkasim.log.header import (
    CODEC_MASK,
    CODECS,
    CONTROL,
    COVERED_AT,
    DELETE_HORIZON,
    HEADER_BYTES,
    LOG_APPEND_TIME,
    MAGIC,
    NO_PRODUCER_ID,
    NO_TIMESTAMP,
    TRANSACTIONAL,
    BatchHeader,
    unpack_header,
)
from kafkasim.log.record import Record

Bytes = bytes | bytearray | memoryview
Origin = Literal["client", "coordinator"]
"""Who has a leader append: a producer, or a coordinator its markers and offsets."""


class Stamp(NamedTuple):
    """What a leader writes into a batch."""

    base_offset: int
    leader_epoch: int
    log_append_time_ms: int | None
    """Its clock, if the topic says LogAppendTime."""


_KNOWN_BITS: Final = (
    CODEC_MASK | LOG_APPEND_TIME | TRANSACTIONAL | CONTROL | DELETE_HORIZON
)


def whole_batches(data: Bytes) -> list[tuple[BatchHeader, memoryview]]:
    """Return the batches of a request or response; an unfinished last one is left out.

    Raises
    ------
    CorruptBatchError
        Something is no header, or of another format.
    """
    view = memoryview(data)
    batches = []
    position = 0
    while header := header_at(view, position, len(view) - position, position):
        if header.magic != MAGIC:
            text = f"magic is {header.magic}, not {MAGIC}"
            raise CorruptBatchError(text, position)
        end = position + header.size_bytes
        batches.append((header, view[position:end]))
        position = end
    return batches


def fitting(
    data: Bytes, *, leader_epoch: int, log_end_offset: int
) -> list[tuple[BatchHeader, memoryview]]:
    """Return the batches of a leader's response that a follower appends.

    From the first batch on that is stamped with a higher epoch than the one the
    follower follows, none is: its sender may have lost the leadership meanwhile
    (BR-26, KAFKA-18723).

    Parameters
    ----------
    data : bytes-like
        What the leader sent.
    leader_epoch : int
        The epoch that the follower follows.
    log_end_offset : int
        Where the follower's log ends.

    Raises
    ------
    CorruptBatchError
        A CRC is wrong, or something is no batch.
    LogError
        UNKNOWN_SERVER_ERROR: offsets do not rise (`OffsetsOutOfOrderException`), or
        begin below the log's end (`UnexpectedAppendOffsetException`).
    """
    taken = []
    last_offset = -1
    for header, batch in whole_batches(data):
        if header.leader_epoch > leader_epoch:
            break
        if header.last_offset <= last_offset:
            text = f"offset {header.last_offset} comes after {last_offset}"
            raise LogError("UNKNOWN_SERVER_ERROR", text)
        last_offset = header.last_offset
        _check_crc(header, batch)
        taken.append((header, batch))
    if taken and taken[0][0].base_offset < log_end_offset:
        text = (
            f"a batch begins at offset {taken[0][0].base_offset}, "
            f"below the log's end {log_end_offset}"
        )
        raise LogError("UNKNOWN_SERVER_ERROR", text)
    return taken


def validated(
    data: Bytes,
    config: TopicConfig,
    *,
    base_offset: int,
    leader_epoch: int,
    now_ms: int,
    origin: Origin = "client",
    codec: str = "producer",
) -> tuple[BatchHeader, bytes]:
    """Return a batch as the leader appends it, with its header.

    The records stay as they are in the bytes, unless their codec is not the topic's, or
    compressed ones have other offsets than 0, 1, 2, …: then the batch is made anew.

    Parameters
    ----------
    data : bytes-like
        One whole batch, as sent: with base offset 0.
    config : TopicConfig
        The topic's settings, resolved.
    base_offset : int
        The offset its first record gets: where the log ends.
    leader_epoch : int
        The leader's epoch.
    now_ms : int
        The broker's time.
    origin : {"client", "coordinator"}, optional
        Only a coordinator may write control batches, and batches with a producer but
        without sequence numbers.
    codec : str, optional
        The topic's `compression.type`: a codec, or "producer" for as it comes.

    Raises
    ------
    CorruptBatchError
        The CRC is wrong, or something is no batch.
    LogError
        MESSAGE_TOO_LARGE; INVALID_TIMESTAMP: out of the topic's bounds, or said to be
        the broker's; INVALID_RECORD: whatever else is wrong.
    """
    header, batch = _only_batch(data)
    if origin == "client" and header.base_offset != 0:
        raise _invalid(f"the base offset is {header.base_offset}, not 0")
    _check_size(header.size_bytes, config)
    _check_crc(header, batch)
    if origin == "client":
        _check_header(header)
    try:
        records = decode_batch(batch, check_crc=False)
    except CorruptBatchError as error:
        raise _invalid(error.text) from error
    _check_records(records, header, config, now_ms)
    is_stamped = config.message_timestamp_type == "LogAppendTime"
    stamp = Stamp(base_offset, leader_epoch, now_ms if is_stamped else None)
    target = CODECS[header.codec] if codec == "producer" else codec
    if _must_rebuild(header, records, target):
        made = _rebuilt(header, records, target, stamp)
        _check_size(len(made), config)
        return unpack_header(made, 0), made
    max_ms = max((record[0] for record in records), default=NO_TIMESTAMP)
    return _stamped(header, batch, stamp, max_ms)


def _only_batch(data: Bytes) -> tuple[BatchHeader, memoryview]:
    batches = whole_batches(data)
    if len(batches) != 1:
        raise _invalid(f"one batch is appended at a time, not {len(batches)}")
    return batches[0]


def _check_size(size_bytes: int, config: TopicConfig) -> None:
    if size_bytes > config.max_message_bytes:
        text = f"a batch of {size_bytes} bytes, at most {config.max_message_bytes}"
        raise LogError("MESSAGE_TOO_LARGE", text)


def _check_crc(header: BatchHeader, batch: memoryview) -> None:
    crc = crc32c(batch[COVERED_AT:])
    if crc != header.crc:
        text = f"the CRC says {header.crc:#010x}, the bytes have {crc:#010x}"
        raise CorruptBatchError(text)


def _check_header(header: BatchHeader) -> None:
    """Check what a client may write into a header (`LogValidator.validateBatch`)."""
    count = header.record_count
    if header.last_offset_delta < 0 or count <= 0:
        raise _invalid(f"{count} records, last offset delta {header.last_offset_delta}")
    if header.last_offset_delta + 1 != count:
        text = f"{count} records in {header.last_offset_delta + 1} offsets"
        raise _invalid(text)
    if header.is_control:
        raise _invalid("a client may write no control batch")
    if header.producer_id != NO_PRODUCER_ID and header.base_sequence < 0:
        text = (
            f"producer {header.producer_id} gives no sequence number, "
            f"but {header.base_sequence}"
        )
        raise _invalid(text)


def _check_records(
    records: list[Record], header: BatchHeader, config: TopicConfig, now_ms: int
) -> None:
    """Check keys and timestamps (`LogValidator.validateKey`, `validateTimestamp`)."""
    oldest_ms = now_ms - config.message_timestamp_before_max_ms
    newest_ms = now_ms + config.message_timestamp_after_max_ms
    create_time = config.message_timestamp_type == "CreateTime"
    compacts = config.compacts
    keyless = None
    for number, record in enumerate(records):
        timestamp_ms = record[0]
        if compacts and record[1] is None:
            keyless = number if keyless is None else keyless
        elif create_time and timestamp_ms != NO_TIMESTAMP:
            if not oldest_ms <= timestamp_ms <= newest_ms:
                text = (
                    f"record {number}: timestamp {timestamp_ms} is not within "
                    f"{oldest_ms} … {newest_ms}"
                )
                raise LogError("INVALID_TIMESTAMP", text)
        elif header.is_log_append_time:
            text = f"record {number}: a producer may not say LogAppendTime"
            raise LogError("INVALID_TIMESTAMP", text)
    if keyless is not None:
        raise _invalid(f"record {keyless}: a compacted topic takes none without a key")


def _must_rebuild(header: BatchHeader, records: list[Record], target: str) -> bool:
    """Say whether the bytes of the records change (`inPlaceAssignment` of Kafka)."""
    source = CODECS[header.codec]
    if source == "none" and (target == "none" or header.is_control):
        return False
    if source != target:
        return True
    first = header.base_offset
    return any(record.offset != first + i for i, record in enumerate(records))


def _rebuilt(
    header: BatchHeader, records: list[Record], codec: str, stamp: Stamp
) -> bytes:
    return encode_batch(
        records,
        base_offset=stamp.base_offset,
        leader_epoch=stamp.leader_epoch,
        codec=codec,
        log_append_time_ms=stamp.log_append_time_ms,
        producer_id=header.producer_id,
        producer_epoch=header.producer_epoch,
        base_sequence=header.base_sequence,
        transactional=header.is_transactional,
    )


def _stamped(
    header: BatchHeader, batch: memoryview, stamp: Stamp, max_ms: int
) -> tuple[BatchHeader, bytes]:
    """Return the batch with offsets, epoch, and the largest timestamp there is.

    The CRC is computed anew only if the timestamp or its type changes.
    """
    bit = 0
    if stamp.log_append_time_ms is not None:
        bit = LOG_APPEND_TIME
        max_ms = stamp.log_append_time_ms
    attributes = header.attributes
    changes = attributes & LOG_APPEND_TIME != bit or header.max_timestamp_ms != max_ms
    if changes:
        attributes = attributes & _KNOWN_BITS & ~LOG_APPEND_TIME | bit
    header = header._replace(
        base_offset=stamp.base_offset,
        leader_epoch=stamp.leader_epoch,
        attributes=attributes,
        max_timestamp_ms=max_ms,
    )
    body = batch[HEADER_BYTES:]
    packed = header.pack()
    if changes:
        header = header._replace(crc=crc32c(body, crc32c(packed[COVERED_AT:])))
        packed = header.pack()
    return header, packed + body


def _invalid(text: str) -> LogError:
    return LogError("INVALID_RECORD", text)
