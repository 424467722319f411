"""Source of the rules: MemoryRecordsBuilder, DefaultRecord, ByteUtils (4.3)."""

import struct

import pytest
from crc32c import crc32c
from hypothesis import given
from hypothesis import strategies as st

from kafkasim.log.decode import check_batch, control_kind, decode_batch
from kafkasim.log.encode import control_batch, encode_batch, stamped
from kafkasim.log.header import (
    CODECS,
    HEADER_BYTES,
    LOG_APPEND_TIME,
    BatchHeader,
    unpack_header,
)
from kafkasim.log.record import Record
from tests.log.strategies import records

T0_MS = 1_700_000_000_000
ONE = Record(T0_MS, b"key", b"value")
FIRST_RECORD_AT = HEADER_BYTES


def header_of(batch: bytes) -> BatchHeader:
    """Return the header of a batch that is sound."""
    return check_batch(batch, 0)


def test_a_batch_said_by_hand_byte_for_byte() -> None:
    """Source: the tables of DefaultRecordBatch and DefaultRecord."""
    batch = encode_batch(
        [
            Record(1_000, b"k", b"vv"),
            Record(999, None, b"", (("h", None), ("é", b"x"))),
        ],
        base_offset=5,
        leader_epoch=7,
        producer_id=9,
        producer_epoch=2,
        base_sequence=3,
        transactional=True,
    )

    records = (
        b"\x12\x00\x00\x00\x02k\x04vv\x00"  # size 9, attributes, deltas 0 0, no header
        b"\x1c\x00\x01\x02\x01\x00\x04\x02h\x01\x04\xc3\xa9\x02x"  # deltas -1 and 1
    )
    covered = (
        b"\x00\x10"  # transactional
        b"\x00\x00\x00\x01"  # last offset delta
        b"\x00\x00\x00\x00\x00\x00\x03\xe8"  # base timestamp: the first record's
        b"\x00\x00\x00\x00\x00\x00\x03\xe8"  # max timestamp
        b"\x00\x00\x00\x00\x00\x00\x00\x09\x00\x02\x00\x00\x00\x03"
        b"\x00\x00\x00\x02"  # two records
    ) + records
    assert batch == (
        b"\x00\x00\x00\x00\x00\x00\x00\x05"
        + struct.pack(">i", 9 + len(covered))  # all that follows the length
        + b"\x00\x00\x00\x07\x02"
        + struct.pack(">I", crc32c(covered))
        + covered
    )


@given(records(), st.sampled_from(CODECS))
def test_what_is_written_is_read(batch: list[Record], codec: str) -> None:
    data = encode_batch(batch, base_offset=100, codec=codec)

    assert decode_batch(data) == [
        record._replace(offset=100 + at) for at, record in enumerate(batch)
    ]
    assert header_of(data).record_count == len(batch)
    assert header_of(data).last_offset_delta == len(batch) - 1


@pytest.mark.parametrize("back_ms", [7, 86_400_000])
def test_the_base_is_the_first_timestamp_and_the_maximum_the_largest(
    back_ms: int,
) -> None:
    """Source: MemoryRecordsBuilder: base of the first appended, maximum of all."""
    stamps = [T0_MS, T0_MS - back_ms, T0_MS + 5, T0_MS + 1]
    batch = encode_batch([Record(stamp, None, b"") for stamp in stamps])

    header = header_of(batch)
    assert header.base_timestamp_ms == T0_MS
    assert header.max_timestamp_ms == T0_MS + 5
    assert [record.timestamp_ms for record in decode_batch(batch)] == stamps


def test_records_without_timestamps() -> None:
    """Source: RecordBatch.NO_TIMESTAMP."""
    batch = encode_batch([Record(-1, None, None), Record(-1, None, None)])

    assert header_of(batch).base_timestamp_ms == header_of(batch).max_timestamp_ms == -1
    assert [record.timestamp_ms for record in decode_batch(batch)] == [-1, -1]


@pytest.mark.parametrize("size", [8_170, 8_185, 8_191, 8_192, 16_384, 100_000])
def test_lengths_beyond_the_table_of_short_varints(size: int) -> None:
    long = b"x" * size
    batch = [
        Record(T0_MS, b"k", long),
        Record(T0_MS + size, long, None, (("h", long),)),
        Record(T0_MS - size - 1, b"", b""),
    ]

    for start in range(3):
        read = decode_batch(encode_batch(batch[start:]))
        assert [record._replace(offset=-1) for record in read] == batch[start:]


def test_offset_deltas_beyond_the_table_of_short_varints() -> None:
    batch = encode_batch([Record(T0_MS, None, b"")] * 9_000)

    assert [record.offset for record in decode_batch(batch)] == list(range(9_000))


def test_a_null_is_not_an_empty_one() -> None:
    """Source: DefaultRecord.writeTo: a null has length -1."""
    batch = encode_batch([Record(0, None, None), Record(0, b"", b"")])

    nulls, empties = decode_batch(batch)
    assert nulls.key is None and nulls.value is None
    assert empties.key == empties.value == b""
    assert batch[FIRST_RECORD_AT:] == bytes.fromhex("0c000000010100 0c000002000000")


def test_log_append_time_gives_all_records_the_brokers_time() -> None:
    """Source: MemoryRecordsBuilder.writeDefaultBatchHeader, RecordIterator.

    The records' own timestamps stay in the bytes, the base among them.
    """
    batch = encode_batch([ONE, ONE._replace(timestamp_ms=0)], log_append_time_ms=77)

    header = header_of(batch)
    assert header.attributes == LOG_APPEND_TIME
    assert header.base_timestamp_ms == T0_MS and header.max_timestamp_ms == 77
    assert [record.timestamp_ms for record in decode_batch(batch)] == [77, 77]
    assert (
        batch[HEADER_BYTES:]
        == (encode_batch([ONE, ONE._replace(timestamp_ms=0)])[HEADER_BYTES:])
    )


def test_a_delete_horizon_takes_the_base_timestamps_place() -> None:
    """Source: MemoryRecordsBuilder with deleteHorizonMs (KIP-534)."""
    batch = encode_batch([ONE, ONE._replace(timestamp_ms=0)], delete_horizon_ms=5)

    header = header_of(batch)
    assert header.attributes == 1 << 6
    assert header.delete_horizon_ms == header.base_timestamp_ms == 5
    assert header.max_timestamp_ms == T0_MS
    assert [record.timestamp_ms for record in decode_batch(batch)] == [T0_MS, 0]


def test_a_compacted_batch_keeps_its_offsets_and_sequence() -> None:
    """Source: MemoryRecords.buildRetainedRecordsInto, overrideLastOffset."""
    batch = encode_batch(
        [ONE, ONE],
        base_offset=100,
        producer_id=1,
        producer_epoch=0,
        base_sequence=40,
        offset_deltas=[2, 5],
        last_offset_delta=9,
    )

    header = header_of(batch)
    assert header.last_offset == 109 and header.last_sequence == 49
    assert header.record_count == 2
    assert [record.offset for record in decode_batch(batch)] == [102, 105]
    gapped = encode_batch([ONE, ONE], offset_deltas=[2, 5])
    assert header_of(gapped).last_offset_delta == 5


def test_a_batch_emptied_by_compaction_is_a_bare_header() -> None:
    """Source: DefaultRecordBatch.writeEmptyHeader.

    No base timestamp, the largest as it was, no codec, no delete horizon.
    """
    batch = encode_batch(
        [],
        base_offset=100,
        leader_epoch=3,
        codec="gzip",
        producer_id=4,
        producer_epoch=1,
        base_sequence=2_147_483_646,
        transactional=True,
        last_offset_delta=9,
        delete_horizon_ms=99,
        max_timestamp_ms=T0_MS,
    )

    assert len(batch) == HEADER_BYTES and decode_batch(batch) == []
    header = header_of(batch)
    assert header == BatchHeader(
        base_offset=100,
        size_bytes=61,
        leader_epoch=3,
        magic=2,
        crc=crc32c(batch[21:]),
        attributes=1 << 4,
        last_offset_delta=9,
        base_timestamp_ms=-1,
        max_timestamp_ms=T0_MS,
        producer_id=4,
        producer_epoch=1,
        base_sequence=2_147_483_646,
        record_count=0,
    )
    assert header.last_sequence == 7
    late = encode_batch([], last_offset_delta=0, log_append_time_ms=T0_MS)
    assert header_of(late).attributes == LOG_APPEND_TIME
    assert header_of(late).max_timestamp_ms == T0_MS


@pytest.mark.parametrize(
    ("kind", "type_bytes"), [("abort", b"\0\0"), ("commit", b"\0\1")]
)
def test_a_control_batch_is_one_marker(kind: str, type_bytes: bytes) -> None:
    """Source: MemoryRecords.withEndTransactionMarker, EndTransactionMarker."""
    batch = control_batch(
        "abort" if kind == "abort" else "commit",
        base_offset=10,
        timestamp_ms=T0_MS,
        producer_id=4,
        producer_epoch=1,
        coordinator_epoch=258,
        leader_epoch=2,
    )

    header = header_of(batch)
    (marker,) = decode_batch(batch)
    assert header.is_control and header.is_transactional
    assert header.base_sequence == header.last_sequence == -1
    assert header.producer_id == 4 and header.producer_epoch == 1
    assert header.leader_epoch == 2 and marker.offset == 10
    assert marker.key == b"\0\0" + type_bytes
    assert marker.value == b"\0\0" + b"\0\0\1\2"
    assert control_kind(marker) == kind


REFUSED = {
    "transactional batch": {"transactional": True},
    "producer epoch": {"producer_id": 1, "base_sequence": 0},
    "base sequence": {"producer_id": 1, "producer_epoch": 0},
    "ascend": {"offset_deltas": [3, 3]},
    "out of range": {"offset_deltas": [0, 2**31]},
    "-1 … 5": {"offset_deltas": [-1, 5]},
    "delete horizon": {"delete_horizon_ms": -1},
    "is none of": {"codec": "brotli"},
    "zip": {"offset_deltas": [0]},
}


@pytest.mark.parametrize("text", REFUSED)
def test_what_kafkas_builder_refuses_is_refused(text: str) -> None:
    """Source: MemoryRecordsBuilder.validateProducerState and appendWithOffset."""
    with pytest.raises(ValueError, match=text):
        encode_batch([ONE, ONE], **REFUSED[text])  # type: ignore[arg-type]


@pytest.mark.parametrize("size", [3, 10_000])
@pytest.mark.parametrize("at", [0, 1])
def test_a_negative_timestamp_is_refused(size: int, at: int) -> None:
    """Source: MemoryRecordsBuilder: "Invalid negative timestamp"."""
    batch = [Record(5, None, b"x" * size)] * 2
    batch[at] = batch[at]._replace(timestamp_ms=-2)

    with pytest.raises(ValueError, match="negative timestamp -2"):
        encode_batch(batch)


def test_a_bare_header_needs_its_last_offset() -> None:
    with pytest.raises(ValueError, match="last_offset_delta"):
        encode_batch([])


def test_numbers_that_do_not_fit_their_fields_are_refused() -> None:
    with pytest.raises(struct.error):
        encode_batch([ONE], leader_epoch=2**31)
    with pytest.raises(struct.error):
        encode_batch([ONE], producer_id=1, producer_epoch=2**15, base_sequence=0)
    with pytest.raises(OverflowError):
        encode_batch([Record(-1, None, None), Record(2**63 - 1, None, None)])


def test_a_leader_stamps_offsets_and_epoch_without_touching_the_crc() -> None:
    """Source: DefaultRecordBatch.setLastOffset, setPartitionLeaderEpoch."""
    batch = encode_batch([ONE, ONE])

    for given_as in (batch, bytearray(batch), memoryview(batch)):
        after = stamped(given_as, base_offset=2**40, leader_epoch=9)
        assert after == encode_batch([ONE, ONE], base_offset=2**40, leader_epoch=9)
        assert header_of(after).crc == header_of(batch).crc


def test_a_leader_stamps_its_time_and_computes_the_crc_anew() -> None:
    """Source: DefaultRecordBatch.setMaxTimestamp."""
    batch = encode_batch([ONE, ONE], codec="gzip")

    after = stamped(batch, base_offset=3, leader_epoch=9, log_append_time_ms=77)

    assert header_of(after).codec == 1
    assert header_of(after).is_log_append_time
    assert header_of(after).max_timestamp_ms == 77
    assert header_of(after).base_timestamp_ms == T0_MS
    assert [r.timestamp_ms for r in decode_batch(after)] == [77, 77]
    again = stamped(after, base_offset=3, leader_epoch=9, log_append_time_ms=77)
    assert again == after
    later = stamped(after, base_offset=3, leader_epoch=9, log_append_time_ms=78)
    assert header_of(later).max_timestamp_ms == 78


def test_stamping_the_time_clears_attribute_bits_without_a_meaning() -> None:
    """Source: DefaultRecordBatch.computeAttributes; unchanged ones are left alone."""
    header = unpack_header(encode_batch([ONE], log_append_time_ms=77), 0)
    records_of_it = encode_batch([ONE])[HEADER_BYTES:]
    odd = header._replace(attributes=header.attributes | 0x4080)
    covered = odd.pack()[21:] + records_of_it
    batch = odd._replace(crc=crc32c(covered)).pack()[:21] + covered

    same = stamped(batch, base_offset=0, leader_epoch=-1, log_append_time_ms=77)
    other = stamped(batch, base_offset=0, leader_epoch=-1, log_append_time_ms=78)

    assert same == batch
    assert header_of(other).attributes == LOG_APPEND_TIME
