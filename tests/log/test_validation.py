import pytest

from kafkasim.config.topic import TopicConfig
from kafkasim.errors import CorruptBatchError, LogError
from kafkasim.log.decode import check_batch, decode_batch
from kafkasim.log.encode import control_batch, encode_batch, stamped
from kafkasim.log.header import HEADER_BYTES, BatchHeader, unpack_header
from kafkasim.log.record import Record
from kafkasim.log.validation import Origin, fitting, validated, whole_batches

NOW = 10_000_000
DEFAULTS = TopicConfig()
STAMPS = TopicConfig(message_timestamp_type="LogAppendTime")


def records(*timestamps: int, key: bytes | None = b"k") -> list[Record]:
    return [Record(at, key, b"value") for at in timestamps]


def taken(
    data: bytes,
    config: TopicConfig = DEFAULTS,
    *,
    origin: Origin = "client",
    codec: str = "producer",
    now_ms: int = NOW,
) -> tuple[BatchHeader, bytes]:
    return validated(
        data,
        config.resolve(),
        base_offset=40,
        leader_epoch=3,
        now_ms=now_ms,
        origin=origin,
        codec=codec,
    )


def refusal(
    data: bytes,
    config: TopicConfig = DEFAULTS,
    *,
    origin: Origin = "client",
    codec: str = "producer",
) -> str:
    with pytest.raises(LogError) as caught:
        taken(data, config, origin=origin, codec=codec)
    return caught.value.code


def changed(batch: bytes, **fields: int) -> bytes:
    """Return the batch with other fields in its header, and the CRC they need."""
    from crc32c import crc32c

    header = unpack_header(batch, 0)._replace(**fields)
    body = batch[HEADER_BYTES:]
    crc = crc32c(header.pack()[21:] + body)
    return header._replace(crc=crc).pack() + body


SENT = encode_batch(records(NOW, NOW + 1))


def test_a_leader_writes_its_offset_and_epoch_and_leaves_the_crc() -> None:
    """Source: LogValidator.assignOffsetsNonCompressed."""
    header, batch = taken(SENT)

    assert (header.base_offset, header.leader_epoch) == (40, 3)
    assert batch == stamped(SENT, base_offset=40, leader_epoch=3)
    assert unpack_header(batch, 0) == header
    assert header.crc == unpack_header(SENT, 0).crc


def test_a_wrong_largest_timestamp_is_put_right() -> None:
    """Source: DefaultRecordBatch.setMaxTimestamp."""
    header, batch = taken(changed(SENT, max_timestamp_ms=NOW + 77))

    assert header.max_timestamp_ms == NOW + 1
    assert check_batch(batch) == header


def test_a_broker_stamps_with_its_own_time_if_the_topic_says_so() -> None:
    """LG-5. Source: LogValidator, DefaultRecordBatch.setMaxTimestamp."""
    header, batch = taken(SENT, STAMPS, now_ms=5)

    assert header.is_log_append_time and header.max_timestamp_ms == 5
    assert header.base_timestamp_ms == NOW
    assert check_batch(batch) == header
    assert [record.timestamp_ms for record in decode_batch(batch)] == [5, 5]


# -- sizes, CRC, counts


def test_a_batch_is_no_larger_than_the_topic_allows() -> None:
    """LG-6. Source: UnifiedLog.analyzeAndValidateRecords."""
    size = len(SENT)

    assert taken(SENT, TopicConfig(max_message_bytes=size))[1]
    assert refusal(SENT, TopicConfig(max_message_bytes=size - 1)) == "MESSAGE_TOO_LARGE"


def test_a_batch_with_another_crc_is_corrupt() -> None:
    """Source: UnifiedLog.analyzeAndValidateRecords."""
    bad = SENT[:-1] + bytes([SENT[-1] ^ 1])

    assert refusal(bad) == "CORRUPT_MESSAGE"
    with pytest.raises(CorruptBatchError):
        fitting(bad, leader_epoch=0, log_end_offset=0)


@pytest.mark.parametrize(
    "fields",
    [
        {"base_offset": 1},
        {"record_count": 1},
        {"record_count": 3},
        {"record_count": 0},
        {"record_count": -2, "last_offset_delta": -3},
        {"last_offset_delta": 2},
        {"attributes": 0x20},
        {"producer_id": 5, "producer_epoch": 0, "base_sequence": -1},
    ],
)
def test_headers_no_client_may_send(fields: dict[str, int]) -> None:
    """Source: UnifiedLog.analyzeAndValidateRecords, LogValidator.validateBatch."""
    assert refusal(changed(SENT, **fields)) == "INVALID_RECORD"


def test_records_that_are_not_what_the_header_says_are_invalid() -> None:
    """Source: DefaultRecord.readFrom (InvalidRecordException)."""
    cut = changed(SENT[:-4], size_bytes=len(SENT) - 4)

    assert refusal(cut) == "INVALID_RECORD"


def test_a_coordinator_writes_markers_and_batches_without_sequence_numbers() -> None:
    """Source: LogValidator.validateBatch, for AppendOrigin.CLIENT alone."""
    marker = control_batch(
        "commit", base_offset=0, timestamp_ms=NOW, producer_id=5, producer_epoch=1
    )
    offsets = changed(SENT, producer_id=5, producer_epoch=1)

    assert refusal(marker) == "INVALID_RECORD"
    assert taken(marker, origin="coordinator")[0].is_control
    assert taken(offsets, origin="coordinator")[0].producer_id == 5


def test_one_batch_is_appended_at_a_time() -> None:
    """Source: LogValidator.getFirstBatchAndMaybeValidateNoMoreBatches."""
    assert refusal(SENT + SENT) == "INVALID_RECORD"
    assert refusal(b"") == "INVALID_RECORD"
    assert refusal(SENT[:-1]) == "INVALID_RECORD"
    assert taken(SENT + SENT[:50])[0].record_count == 2


def test_batches_of_another_format_are_corrupt() -> None:
    """Source: ByteBufferLogInputStream.nextBatchSize."""
    for magic in (0, 1, 3):
        with pytest.raises(CorruptBatchError, match="magic"):
            whole_batches(changed(SENT, magic=magic))


# -- keys and timestamps


def test_a_compacted_topic_takes_no_record_without_a_key() -> None:
    """Source: LogValidator.validateKey."""
    keyless = encode_batch([*records(NOW), *records(NOW, key=None)])
    empty = encode_batch(records(NOW, key=b""))

    assert refusal(keyless, TopicConfig(cleanup_policy="compact")) == "INVALID_RECORD"
    assert (
        refusal(keyless, TopicConfig(cleanup_policy="compact,delete"))
        == "INVALID_RECORD"
    )
    assert taken(keyless, TopicConfig(cleanup_policy="delete"))[1]
    assert taken(empty, TopicConfig(cleanup_policy="compact"))[1]


@pytest.mark.parametrize(
    ("timestamp_ms", "accepted"),
    [
        (NOW + 3_600_000, True),
        (NOW + 3_600_001, False),
        (NOW - 500, True),
        (NOW - 501, False),
        (-1, True),
    ],
)
def test_timestamps_have_bounds(timestamp_ms: int, *, accepted: bool) -> None:
    """LG-5. Source: LogValidator.recordHasInvalidTimestamp."""
    batch = encode_batch(records(NOW, timestamp_ms))
    bounded = TopicConfig(message_timestamp_before_max_ms=500)

    if accepted:
        assert taken(batch, bounded)[1]
    else:
        assert refusal(batch, bounded) == "INVALID_TIMESTAMP"
    assert taken(batch, STAMPS)[1]


def test_a_timestamp_out_of_bounds_comes_before_a_missing_key() -> None:
    """Source: LogValidator.processRecordErrors."""
    both = encode_batch([*records(NOW, key=None), *records(NOW * 2)])

    assert refusal(both, TopicConfig(cleanup_policy="compact")) == "INVALID_TIMESTAMP"


def test_a_producer_may_not_say_that_the_broker_stamped_it() -> None:
    """Source: LogValidator.validateTimestamp."""
    said = encode_batch(records(NOW), log_append_time_ms=-1)
    in_bounds = encode_batch(records(NOW), log_append_time_ms=NOW)

    assert refusal(said) == "INVALID_TIMESTAMP"
    assert refusal(in_bounds, STAMPS) == "INVALID_TIMESTAMP"
    header, batch = taken(in_bounds)  # Kafka takes the bit away
    assert not header.is_log_append_time and check_batch(batch) == header


# -- codecs


def test_compressed_records_stay_as_they_are() -> None:
    """Source: LogValidator.validateMessagesAndAssignOffsetsCompressed."""
    sent = encode_batch(records(NOW, NOW + 1), codec="gzip")

    header, batch = taken(sent)

    assert header.codec == 1
    assert batch[HEADER_BYTES:] == sent[HEADER_BYTES:]


@pytest.mark.parametrize(("sent_as", "codec"), [("none", "gzip"), ("gzip", "none")])
def test_a_topics_codec_makes_the_batch_anew(sent_as: str, codec: str) -> None:
    """Source: LogValidator.buildRecordsAndAssignOffsets."""
    producer = {"producer_id": 4, "producer_epoch": 2, "base_sequence": 9}
    sent = encode_batch(records(NOW, NOW + 1), codec=sent_as, **producer)  # type: ignore[arg-type]

    header, batch = taken(sent, codec=codec)

    assert header.codec == (codec == "gzip") and check_batch(batch) == header
    assert (header.producer_id, header.producer_epoch, header.base_sequence) == (
        4,
        2,
        9,
    )
    assert [r[:3] for r in decode_batch(batch)] == [r[:3] for r in decode_batch(sent)]
    assert [r.offset for r in decode_batch(batch)] == [40, 41]


def test_a_batch_that_grows_too_large_is_refused() -> None:
    """Source: UnifiedLog.append, after messageSizeMaybeChanged."""
    sent = encode_batch([Record(NOW, b"k", bytes(1000))], codec="gzip")

    assert taken(sent, TopicConfig(max_message_bytes=500), codec="gzip")[1]
    assert (
        refusal(sent, TopicConfig(max_message_bytes=500), codec="none")
        == "MESSAGE_TOO_LARGE"
    )


def test_compressed_records_with_gaps_between_them_are_numbered_anew() -> None:
    """Source: LogValidator: inPlaceAssignment, record.offset != expectedOffset."""
    gapped = {"offset_deltas": [0, 2], "last_offset_delta": 1}
    sent = encode_batch(records(NOW, NOW + 1), codec="gzip", **gapped)  # type: ignore[arg-type]
    plain = encode_batch(records(NOW, NOW + 1), **gapped)  # type: ignore[arg-type]

    assert [r.offset for r in decode_batch(taken(sent)[1])] == [40, 41]
    assert [r.offset for r in decode_batch(taken(plain)[1])] == [40, 42]


def test_control_batches_are_not_compressed() -> None:
    """Source: LogValidator.validateMessagesAndAssignOffsetsCompressed."""
    marker = control_batch(
        "abort", base_offset=0, timestamp_ms=NOW, producer_id=5, producer_epoch=1
    )

    header, batch = taken(marker, origin="coordinator", codec="gzip")

    assert header.codec == 0 and batch[HEADER_BYTES:] == marker[HEADER_BYTES:]


# -- followers


def leaders(base_offset: int, epoch: int = 0) -> bytes:
    return stamped(SENT, base_offset=base_offset, leader_epoch=epoch)


def offsets(data: bytes, *, epoch: int = 9, end: int = 0) -> list[int]:
    found = fitting(data, leader_epoch=epoch, log_end_offset=end)
    return [header.base_offset for header, _ in found]


def test_a_follower_takes_whole_batches_as_they_are() -> None:
    """BR-31. Source: UnifiedLog.appendAsFollower."""
    data = leaders(4) + leaders(8)

    found = fitting(data + leaders(10)[:-1], leader_epoch=0, log_end_offset=4)

    assert b"".join(batch for _, batch in found) == data
    assert offsets(b"") == []


def test_a_follower_takes_nothing_of_a_higher_epoch() -> None:
    """BR-26, KAFKA-18723. Source: UnifiedLog.hasHigherPartitionLeaderEpoch."""
    data = leaders(0, 1) + leaders(2, 2) + leaders(4, 1)

    assert offsets(data, epoch=2) == [0, 2, 4]
    assert offsets(data, epoch=1) == [0]
    assert offsets(data, epoch=0) == []


def test_a_followers_offsets_rise() -> None:
    """Source: UnifiedLog (OffsetsOutOfOrder-, UnexpectedAppendOffsetException)."""
    for data, end in [
        (leaders(4) + leaders(4), 0),
        (leaders(4) + leaders(3), 0),
        (leaders(4), 5),
    ]:
        with pytest.raises(LogError, match="offset"):
            offsets(data, end=end)
    assert offsets(leaders(4) + leaders(5), end=4) == [4, 5]  # overlaps pass, as there
