"""Columns of a log against the plain decoder, and what is not believed."""

from dataclasses import replace

import crc32c
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kafkasim.errors import CorruptBatchError
from kafkasim.log.columns import Blob, Columns, DecodedColumns
from kafkasim.log.decode import check_batch, decode_batch
from kafkasim.log.encode import control_batch, encode_batch
from kafkasim.log.gather import encode_batches
from kafkasim.log.header import CODECS
from kafkasim.log.record import Record
from kafkasim.log.record_split import split
from kafkasim.log.record_walk import record_places
from kafkasim.log.scan import decode_columns, scan
from tests.log.column_strategies import columns, plainly
from tests.log.test_gather import of_sizes

RECORDS = [
    Record(10, b"Gander", b"v" * 30),
    Record(9, None, b""),
    Record(80, b"", None),
]


def records_of(found: DecodedColumns) -> list[Record]:
    return [
        Record(*fields)
        for fields in zip(
            found.timestamps_ms.tolist(),
            found.keys,
            found.values,
            found.headers or [()] * found.record_count,
            found.offsets.tolist(),
            strict=True,
        )
    ]


def read_plainly(data: bytes, *, check_crc: bool = True) -> list[Record]:
    """Return all records, batch by batch."""
    records, at = [], 0
    while at < len(data):
        records += decode_batch(data, at, check_crc=check_crc)
        at += check_batch(data, at, check_crc=False).size_bytes
    return records


def with_crc(batch: bytes) -> bytes:
    return batch[:17] + crc32c.crc32c(batch[21:]).to_bytes(4, "big") + batch[21:]


@given(columns())
def test_columns_hold_what_the_plain_decoder_reads(columns: Columns) -> None:
    plain = plainly(columns)

    found = decode_columns(b"".join(plain))

    expected = [decode_batch(batch) for batch in plain]
    assert records_of(found) == [record for batch in expected for record in batch]
    batches = np.repeat(np.arange(len(plain)), [len(batch) for batch in expected])
    assert found.batch.tolist() == batches.tolist()
    sizes = [len(batch) for batch in plain]
    assert found.batches["position"].tolist() == np.cumsum([0, *sizes])[:-1].tolist()
    assert [found.header(i).pack() for i in range(len(plain))] == [
        b[:61] for b in plain
    ]


@pytest.mark.parametrize("counts", [[200] * 2, [20] * 40, [90, 2, 150], [1] * 100])
@pytest.mark.parametrize("spread", [1, 7])
@pytest.mark.parametrize("value_size", [10, 100, 9_000])
def test_long_and_many_batches(
    counts: list[int],
    spread: int,
    value_size: int,
) -> None:
    sizes = value_size + np.arange(sum(counts)) ** 2 % spread
    data = b"".join(plainly(of_sizes(counts, sizes)))

    assert records_of(decode_columns(data)) == read_plainly(data)


@pytest.mark.parametrize("step_ms", [0, 3, 200])
@pytest.mark.parametrize("filler", [b"\0", b"\2", b"\0\2", b"Gander"])
def test_long_batches_whose_records_are_found_from_inside(
    step_ms: int, filler: bytes
) -> None:
    sizes = 10 + np.arange(9_000) ** 2 % 97
    drawn = of_sizes([4_000, 1, 4_999], sizes, step_ms)
    content = np.resize(np.frombuffer(filler, dtype=np.uint8), int(sizes.sum()))
    drawn = replace(drawn, values=Blob.packed(content, sizes))
    gone = np.arange(9_000) - np.repeat([0, 4_000, 4_001], [4_000, 1, 4_999])
    compacted = replace(drawn, offset_deltas=gone + (gone > 700) * 30)
    with_headers = replace(drawn, headers=[(("h", b"\0"),)] * 9_000)

    for each in (drawn, compacted, with_headers):
        found = decode_columns(encode_batches(each)[0])
        assert found.values.tolist() == each.values.tolist()
        assert found.timestamps_ms.tolist() == each.timestamps_ms.tolist()
        starts = found.batches["base_offset"].take(found.batch)
        deltas = gone if each.offset_deltas is None else each.offset_deltas
        assert (found.offsets - starts).tolist() == deltas.tolist()


@pytest.mark.parametrize("filler", [bytes(range(251)), b"\0\2", b"\2\0", b"\0\0\4"])
def test_long_batches_are_parted_where_records_are(filler: bytes) -> None:
    sizes = 10 + np.arange(9_000) ** 2 % 97
    content = np.resize(np.frombuffer(filler, dtype=np.uint8), int(sizes.sum()))
    drawn = of_sizes([4_000, 5_000], sizes)
    data, positions = encode_batches(replace(drawn, values=Blob.packed(content, sizes)))
    starts, ends, counts = positions[:-1] + 61, positions[1:], np.array([4_000, 5_000])
    places = list(record_places(data, starts, ends, counts))[-1]

    parted = split(data, starts, ends, counts)

    assert parted is not None
    begins, stops, many = parted
    firsts = np.cumsum(many) - many
    assert len(many) > 100
    assert int(many.max()) < 200
    assert begins.tolist() == places[firsts].tolist()
    assert stops[:-1][firsts[1:] != 4_000].tolist() == [
        at for at in begins[1:].tolist() if at != starts[1]
    ]
    assert split(data, starts, ends, np.array([40, 50])) is None


def test_long_batches_whose_values_hold_records_are_not_parted() -> None:
    held = b"\0" + encode_batch([Record(0, None, b"x")] * 9)[61:]  # offsets 0 to 8
    value = np.frombuffer(held, dtype=np.uint8)
    values = Blob(value, np.zeros(5_000, dtype=np.int64), np.full(5_000, len(value)))
    drawn = replace(of_sizes([5_000], np.zeros(5_000, dtype=np.int64)), values=values)
    data, positions = encode_batches(drawn)

    assert split(data, positions[:1] + 61, positions[1:], np.array([5_000])) is None
    assert decode_columns(data).values.tolist() == [held] * 5_000


def test_values_are_views_of_the_bytes() -> None:
    data = bytearray(encode_batch(RECORDS))

    values = decode_columns(data).values
    data[-3:] = b"\0\0\0"

    assert np.shares_memory(values.data, np.frombuffer(data, dtype=np.uint8))


@pytest.mark.parametrize("codec", CODECS)
def test_compressed_batches_stand_among_others(codec: str) -> None:
    stamped = encode_batch(RECORDS, codec=codec, base_offset=3, log_append_time_ms=99)
    data = encode_batch(RECORDS) + stamped + encode_batch(RECORDS, base_offset=6)

    found = decode_columns(data)

    assert records_of(found) == read_plainly(data)
    assert found.timestamps_ms.tolist() == [10, 9, 80, 99, 99, 99, 10, 9, 80]


def test_markers_are_flagged() -> None:
    marker = control_batch(
        "abort", base_offset=3, timestamp_ms=5, producer_id=7, producer_epoch=1
    )

    found = decode_columns(encode_batch(RECORDS) + marker)

    assert found.is_control.tolist() == [False, False, False, True]
    assert found.header(1).is_control


def test_nothing_is_an_empty_log() -> None:
    assert decode_columns(b"").record_count == 0
    assert scan(b"").problem is None
    emptied = encode_batch([], last_offset_delta=4, base_offset=9)
    found = decode_columns(emptied)
    assert (found.record_count, len(found.batches)) == (0, 1)
    assert found.header(0).next_offset == 14


def test_a_scan_ends_before_the_first_batch_that_is_not_sound() -> None:
    batch = encode_batch(RECORDS)
    size = len(batch)
    flipped = batch[:-1] + bytes([batch[-1] ^ 1])

    for broken, problem in (
        (flipped, "CRC is"),
        (batch[:16] + b"\x01" + batch[17:], "magic is 1"),
        (batch[:8] + (48).to_bytes(4, "big") + batch[12:], "a size of 60 bytes"),
        (batch[:8] + b"\xff" * 4 + batch[12:], "a size of 11 bytes"),
        (batch[:-1], f"should have {size} bytes, {size - 1} are"),
        (batch[:60], "60 bytes are fewer"),
        (b"\0" * 100, "magic is 0"),
    ):
        found = scan(batch * 3 + broken)
        assert len(found.batches) == 3
        assert found.end_position == 3 * size
        assert problem in str(found.problem)
        with pytest.raises(CorruptBatchError) as caught:
            decode_columns(batch * 3 + broken)
        assert caught.value.position == 3 * size
    assert len(scan(batch + flipped, check_crc=False).batches) == 2
    assert scan(batch * 3, size).batches["position"].tolist() == [size, 2 * size]


def test_every_cut_is_noticed() -> None:
    batch = encode_batch(RECORDS)
    other = encode_batch(RECORDS[:2])
    data = batch + other

    for end in range(len(data)):
        found = scan(data[:end])
        assert found.end_position == (len(batch) if end >= len(batch) else 0)
        assert (found.problem is None) == (end in {0, len(batch)})


def outcome(data: bytes) -> list[Record] | str:
    try:
        return read_plainly(data, check_crc=False)
    except CorruptBatchError:
        return "corrupt"


def columns_outcome(data: bytes) -> list[Record] | str:
    try:
        return records_of(decode_columns(data, check_crc=False))
    except CorruptBatchError:
        return "corrupt"


def wrapped(found: list[Record] | str) -> list[Record] | str:
    """Return records with their numbers wrapped to 64 bits."""
    if isinstance(found, str):
        return found

    def wrap(number: int) -> int:
        return (number + 2**63) % 2**64 - 2**63

    return [
        r._replace(timestamp_ms=wrap(r.timestamp_ms), offset=wrap(r.offset))
        for r in found
    ]


@given(
    columns(many=40),
    st.integers(0, 10**9),
    st.integers(1, 255),
    st.sampled_from(["flip", "cut", "grow"]),
)
def test_damaged_records_are_read_or_refused_as_the_plain_decoder_does(
    columns: Columns, at: int, flip: int, kind: str
) -> None:
    batches = plainly(columns)
    if not batches:
        return
    which = at % len(batches)
    batch = bytearray(batches[which])
    place = 57 + at % max(len(batch) - 57, 1)
    if kind == "flip":
        batch[place] ^= flip
    elif kind == "cut":
        del batch[max(place, 61) : place + 1]
    else:
        batch[place:place] = bytes([flip]) if place >= 61 else b""
    batch[8:12] = (len(batch) - 12).to_bytes(4, "big")
    batches[which] = bytes(batch)
    data = b"".join(batches)

    plain = wrapped(outcome(data))
    assert columns_outcome(data) == plain
    if plain == "corrupt":
        with pytest.raises(CorruptBatchError) as caught:
            decode_columns(data, check_crc=False)
        assert caught.value.position == sum(map(len, batches[:which]))


def test_every_flip_of_a_small_log_is_noticed_or_read_the_same() -> None:
    headers = (("h", b"1"), ("h", None))
    batch = encode_batch([*RECORDS, Record(5, b"k", b"v", headers)])
    for codec in ("none", "lz4"):
        batch = encode_batch([*RECORDS, Record(5, b"k", b"v", headers)], codec=codec)
        log = batch + batch
        for place in range(len(batch)):
            for flip in (1, 0x80, 0xFF):
                data = log[:place] + bytes([log[place] ^ flip]) + log[place + 1 :]
                assert wrapped(outcome(data)) == columns_outcome(data), (place, flip)
                if place >= 21:
                    with pytest.raises(CorruptBatchError):
                        decode_columns(data)


@pytest.mark.parametrize(
    ("count", "body"),
    [
        (2**31 - 1, b""),  # more records than there are bytes
        (-1, b""),
        (1, b"\x0c\0\0\0\x01\x01"),  # ends early
        (1, b"\x0c\0\0\0\x01\x01\0\0"),  # a byte too many
        (1, b"\xff\xff\xff\xff\x0f\0\0\0\x01\x01\0"),  # a length of minus 2**31
        (1, b"\xfe\xff\xff\xff\x0f\0\0\0\x01\x01\0"),  # a length of 2**31 - 1
        (1, b"\xff" * 40),  # a varint without end
        (1, b"\x0c\0\0\0\xfe\xff\xff\xff\x0f\x01\0"),  # a key of 2**31 - 1 bytes
        (1, b"\x0e\0\0\0\x01\x01\x02\x01"),  # a header that is not there
        (1, b"\x18\0\0\0\x01\x01\xfe\xff\xff\xff\x0f\0"),  # 2**31 - 1 headers
        (1, b"\x0e\0\0\0\x01\x01\x01\0"),  # minus one headers
        (2, b"\x0c\0\0\0\x01\x01\0" * 3),  # one record more than it says
        (4, b"\x0c\0\0\0\x01\x01\0" * 3),  # one fewer
    ],
)
def test_what_is_malformed_raises_though_its_crc_is_right(
    count: int, body: bytes
) -> None:
    good = encode_batch(RECORDS)
    header = good[:57] + count.to_bytes(4, "big", signed=True)
    bad = header[:8] + (49 + len(body)).to_bytes(4, "big") + header[12:] + body

    for before in (good, with_crc(bad)):
        with pytest.raises(CorruptBatchError) as caught:
            decode_columns(before + with_crc(bad) + good)
        assert caught.value.position == (len(good) if before == good else 0)
    assert outcome(with_crc(bad)) == "corrupt"


def test_a_stream_that_is_too_large_is_named_with_its_position() -> None:
    good = encode_batch(RECORDS)
    large = encode_batch([Record(1, None, b"v" * 10_000)], codec="gzip")

    assert decode_columns(good + large).record_count == 4
    with pytest.raises(CorruptBatchError, match="more than") as caught:
        decode_columns(good + large, most_bytes=5_000)
    assert caught.value.position == len(good)


def test_batches_of_one_size_that_are_not_alike() -> None:
    # As many bytes and records, and other places: the first one's layout is no guide.
    one = encode_batch([Record(1, None, b"v" * n) for n in (10, 30)])
    other = encode_batch([Record(1, None, b"v" * n) for n in (30, 10)])
    assert len(one) == len(other)

    for data in (one * 3 + other, other + one * 50):
        assert records_of(decode_columns(data)) == read_plainly(data)


def test_sizes_that_only_sum_up_as_if_they_were_alike() -> None:
    batches = [encode_batch([Record(1, None, b"v" * n)]) for n in (30, 20, 40)]
    one, other, third = map(len, batches)
    assert one + other + third == 3 * one

    positions = scan(b"".join(batches)).batches["position"]

    assert positions.tolist() == [0, one, one + other]
