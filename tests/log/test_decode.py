"""Source: DefaultRecordBatch, DefaultRecord.readFrom, ControlRecordType (Kafka 4.3).

Whatever is wrong in a batch, its CRC is made right again first: a checksum protects
from a bad disk, not from a bad writer.
"""

import tracemalloc
from collections.abc import Callable

import pytest
from crc32c import crc32c
from hypothesis import given
from hypothesis import strategies as st

from kafkasim.errors import CorruptBatchError
from kafkasim.log.compression import compress
from kafkasim.log.decode import check_batch, control_kind, decode_batch
from kafkasim.log.encode import encode_batch
from kafkasim.log.header import CODECS, HEADER_BYTES, unpack_header
from kafkasim.log.record import Record
from kafkasim.log.varint import write_varint as varint
from tests.log.strategies import records

T0_MS = 1_700_000_000_000
TWO = [Record(T0_MS, b"key", b"value", (("name", b"said"),)), Record(T0_MS, None, None)]
BATCH = encode_batch(TWO, base_offset=10)
ENDLESS = b"\xff" * 12


def sealed(body: bytes, **fields: int) -> bytes:
    """Return a batch of these bytes for records, its size and CRC right."""
    header = unpack_header(BATCH, 0)._replace(record_count=1)
    header = header._replace(size_bytes=HEADER_BYTES + len(body), **fields)
    crc = crc32c(header.pack()[21:] + body)
    return header._replace(crc=crc).pack() + body


def framed(body: bytes) -> bytes:
    """Return a record's body with its length before it."""
    return varint(len(body)) + body


def record(*, at: int = -1, by: bytes = b"") -> bytes:
    """Return a record's bytes, one of its fields replaced."""
    fields = [
        b"\x00",
        varint(5),
        varint(0),
        varint(1),
        b"k",
        varint(2),
        b"vv",
        varint(1),
        varint(1),
        b"h",
        varint(3),
        b"xyz",
    ]
    if at >= 0:
        fields[at] = by
    return framed(b"".join(fields))


TIMESTAMP, OFFSET, KEY, VALUE, COUNT, NAME, SAID = 1, 2, 3, 5, 7, 8, 10
FIELDS = {
    "timestamp delta": TIMESTAMP,
    "offset delta": OFFSET,
    "key length": KEY,
    "value length": VALUE,
    "header count": COUNT,
    "name length": NAME,
    "header value length": SAID,
}


def test_the_record_that_these_tests_break_is_sound() -> None:
    batch = sealed(record(), base_timestamp_ms=T0_MS)

    assert decode_batch(batch) == [Record(T0_MS + 5, b"k", b"vv", (("h", b"xyz"),), 10)]


# the batch around the records


def test_a_batch_is_checked_where_it_lies() -> None:
    data = b"before" + BATCH + b"after"

    assert check_batch(data, 6) == unpack_header(BATCH, 0)
    assert decode_batch(memoryview(data), 6) == [
        record._replace(offset=10 + at) for at, record in enumerate(TWO)
    ]


@pytest.mark.parametrize("end", [0, 1, 60])
def test_fewer_bytes_than_a_header_are_no_batch(end: int) -> None:
    with pytest.raises(CorruptBatchError, match=f"{end} bytes are fewer") as caught:
        check_batch(b"before" + BATCH[:end], 6)
    assert caught.value.position == 6 and caught.value.code == "CORRUPT_MESSAGE"
    with pytest.raises(CorruptBatchError, match="fewer"):
        check_batch(BATCH, -61)


@pytest.mark.parametrize("magic", [-1, 0, 1, 3])
def test_another_magic_is_no_batch_of_this_format(magic: int) -> None:
    """Source: ByteBufferLogInputStream: "Invalid magic found in record"."""
    data = bytearray(BATCH)
    data[16] = magic % 256

    with pytest.raises(CorruptBatchError, match=f"magic is {magic}"):
        decode_batch(data)


@pytest.mark.parametrize("length", [48, 0, -1, -(2**31)])
def test_a_length_below_a_headers_is_refused(length: int) -> None:
    """Source: DefaultRecordBatch.ensureValid: RECORD_BATCH_OVERHEAD at least."""
    data = BATCH[:8] + length.to_bytes(4, signed=True) + BATCH[12:]

    with pytest.raises(CorruptBatchError, match="below a header's 61"):
        decode_batch(data)


@pytest.mark.parametrize("over", [1, 2**31 - 13 - len(BATCH)])
def test_a_length_beyond_the_bytes_is_refused(over: int) -> None:
    length = len(BATCH) - 12 + over
    data = BATCH[:8] + length.to_bytes(4) + BATCH[12:]

    with pytest.raises(CorruptBatchError, match=f"{len(BATCH)} are there"):
        decode_batch(data)


def test_the_crc_covers_all_from_the_attributes_on_and_nothing_before() -> None:
    """Source: DefaultRecordBatch.computeChecksum: base offset and epoch are open."""
    for at in (*range(8), *range(12, 16), *range(17, len(BATCH))):
        data = bytearray(BATCH)
        data[at] ^= 1
        if at < 16:
            assert check_batch(data, 0).crc == unpack_header(BATCH, 0).crc
            continue
        with pytest.raises(CorruptBatchError, match="CRC"):
            check_batch(data, 0)
        assert check_batch(data, 0, check_crc=False).size_bytes == len(BATCH)


def test_attribute_bits_without_a_meaning_are_accepted() -> None:
    batch = sealed(record(), attributes=0x7F80)

    assert len(decode_batch(batch)) == 1


@pytest.mark.parametrize("codec", [5, 6, 7])
def test_a_codec_that_kafka_does_not_have_is_refused(codec: int) -> None:
    """Source: CompressionType.forId."""
    with pytest.raises(CorruptBatchError, match=f"codec {codec}"):
        decode_batch(sealed(record(), attributes=codec))


# counts


@pytest.mark.parametrize("count", [-1, -(2**31)])
def test_a_negative_record_count_is_refused(count: int) -> None:
    """Source: RecordIterator: "Found invalid record count"."""
    with pytest.raises(CorruptBatchError, match=f"a batch of {count} records"):
        decode_batch(sealed(record(), record_count=count))


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("count", [2, 2**31 - 1])
def test_more_records_than_there_are_bytes_of_are_refused(
    codec: str, count: int
) -> None:
    """Source: "Incorrect declared batch size, premature EOF reached"."""
    body = compress(codec, record())
    batch = sealed(body, record_count=count, attributes=CODECS.index(codec))

    assert peak_bytes(lambda: refuses(batch, "end within a record")) < 1_000_000


@pytest.mark.parametrize("codec", CODECS)
def test_bytes_after_the_last_record_are_refused(codec: str) -> None:
    """Source: "Incorrect declared batch size, records still remaining in file"."""
    body = compress(codec, record() + b"\x00")
    batch = sealed(body, attributes=CODECS.index(codec))

    refuses(batch, "1 bytes follow the last record")


def test_bytes_after_no_record_are_not_looked_at() -> None:
    """Source: DefaultRecordBatch.iterator: a count of 0 is an empty iterator."""
    assert decode_batch(sealed(b"anything", record_count=0)) == []


# records


@pytest.mark.parametrize("field", FIELDS)
def test_a_varint_that_does_not_end_is_refused(field: str) -> None:
    """Source: ByteUtils: "Varint is too long"."""
    refuses(sealed(record(at=FIELDS[field], by=ENDLESS)), "a varint of more than")


def test_a_record_length_that_does_not_end_is_refused() -> None:
    refuses(sealed(ENDLESS), "a varint of more than 5 bytes")


@pytest.mark.parametrize("length", [-(2**31), -1, 0, 1, 11, 13, 2**31 - 1])
def test_a_record_of_another_length_than_it_says_is_refused(length: int) -> None:
    """Source: DefaultRecord.readFrom: "Invalid record size"."""
    body = record()[1:]
    assert len(body) not in {1, 11, 13}
    batch = sealed(varint(length) + body)

    assert peak_bytes(lambda: refuses(batch, "not as long as it says")) < 1_000_000


@pytest.mark.parametrize("length", [40, 2**31 - 1])
@pytest.mark.parametrize("at", [KEY, VALUE, NAME, SAID])
def test_a_length_beyond_the_bytes_takes_no_memory(at: int, length: int) -> None:
    batch = sealed(record(at=at, by=varint(length)))

    text = "end within a record|not as long as it says"
    assert peak_bytes(lambda: refuses(batch, text)) < 1_000_000


def test_any_negative_length_is_a_null_but_a_headers_name() -> None:
    """Source: Utils.readBytes, and "Invalid negative header key size"."""
    body = framed(b"\x00\x00\x00" + varint(-2) + varint(-(2**31)) + b"\x00")
    (read,) = decode_batch(sealed(body))

    assert read.key is None and read.value is None
    for length in (-1, -(2**31)):
        refuses(sealed(record(at=NAME, by=varint(length))), "name of -")


@pytest.mark.parametrize("count", [-1, -(2**31), 40, 2**31 - 1])
def test_more_headers_than_bytes_or_fewer_than_none_are_refused(count: int) -> None:
    """Source: "Found invalid number of record headers"."""
    batch = sealed(record(at=COUNT, by=varint(count)))

    assert peak_bytes(lambda: refuses(batch, f"{count} headers")) < 1_000_000


@pytest.mark.parametrize("count", [0, 2])
def test_another_number_of_headers_than_there_are_is_refused(count: int) -> None:
    text = "end within a record|not as long as it says"
    refuses(sealed(record(at=COUNT, by=varint(count))), text)


def test_the_attributes_of_a_record_are_not_looked_at() -> None:
    (read,) = decode_batch(sealed(record(at=0, by=b"\xff")))

    assert read.key == b"k"


def test_a_headers_name_that_is_no_utf_8_is_read_as_java_does() -> None:
    """Source: Utils.utf8: what is malformed becomes U+FFFD."""
    (read,) = decode_batch(sealed(record(at=9, by=b"\xe9")))

    assert read.headers == (("\ufffd", b"xyz"),)


def test_numbers_wrap_as_javas_long() -> None:
    """Offsets and timestamps near the ends of a long: `baseOffset + offsetDelta`."""
    most = 2**63 - 1
    batch = sealed(
        record(at=OFFSET, by=varint(3)), base_offset=most, base_timestamp_ms=most
    )

    (read,) = decode_batch(batch)
    assert read.offset == -(2**63) + 2 and read.timestamp_ms == -(2**63) + 4
    late = sealed(record(at=OFFSET, by=varint(3)), base_offset=most, attributes=8)
    assert decode_batch(late)[0].timestamp_ms == unpack_header(late, 0).max_timestamp_ms


def test_records_of_a_limit_of_bytes_are_refused() -> None:
    batch = encode_batch([Record(0, None, bytes(100_000))], codec="gzip")

    assert decode_batch(batch, most_bytes=100_100)
    with pytest.raises(CorruptBatchError, match="more than 100,000 bytes"):
        decode_batch(batch, most_bytes=100_000)


# anything at all


def test_every_changed_byte_is_read_or_refused() -> None:
    """All flips of a bit, all cuts, with each codec, each CRC right."""
    for codec in CODECS:
        batch = encode_batch(TWO * 3, codec=codec)
        header = unpack_header(batch, 0)
        count, codec_bits = header.record_count, header.attributes
        body = batch[HEADER_BYTES:]
        changed = [body[:at] for at in range(len(body))]
        for at in range(len(body)):
            for bit in range(8):
                one = bytes((body[at] ^ 1 << bit,))
                changed.append(body[:at] + one + body[at + 1 :])
        for other in changed:
            read_or_refused(sealed(other, record_count=count, attributes=codec_bits))


@given(
    st.binary(max_size=120),
    st.integers(-(2**31), 2**31 - 1) | st.integers(0, 9),
    st.integers(0, 0x7FFF),
)
def test_any_bytes_are_read_or_refused(
    body: bytes, count: int, attributes: int
) -> None:
    read_or_refused(sealed(body, record_count=count, attributes=attributes))


@given(records(), st.data())
def test_spliced_records_are_read_or_refused(
    batch: list[Record], data: st.DataObject
) -> None:
    body = encode_batch(batch)[HEADER_BYTES:]
    start = data.draw(st.integers(0, len(body)))
    end = data.draw(st.integers(start, len(body)))
    middle = data.draw(st.binary(max_size=12))
    other = body[:start] + middle + body[end:]

    read_or_refused(sealed(other, record_count=len(batch)))


def read_or_refused(batch: bytes) -> None:
    try:
        read = decode_batch(batch, most_bytes=1_000_000)
    except CorruptBatchError:
        return
    assert len(read) == unpack_header(batch, 0).record_count


def refuses(batch: bytes, text: str) -> None:
    with pytest.raises(CorruptBatchError, match=text) as caught:
        decode_batch(b"before" + batch, 6)
    assert caught.value.position == 6


def peak_bytes(work: Callable[[], None]) -> int:
    """Return the most memory that the work held at once."""
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


# control records


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        (b"\0\0\0\0", "abort"),
        (b"\0\0\0\1", "commit"),
        (b"\0\0\0\2", 2),
        (b"\0\0\xff\xff", -1),
        (b"\0\5\0\1 and more", "commit"),
    ],
)
def test_a_control_record_says_what_it_is(key: bytes, kind: str | int) -> None:
    """Source: ControlRecordType.parseTypeId: later versions are read as this one."""
    assert control_kind(Record(0, key, None)) == kind


@pytest.mark.parametrize("key", [None, b"", b"\0\0\0", b"\xff\xff\0\0"])
def test_no_control_record(key: bytes | None) -> None:
    with pytest.raises(CorruptBatchError, match="control record"):
        control_kind(Record(0, key, None))
