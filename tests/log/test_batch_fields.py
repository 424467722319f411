"""The anatomy of a batch: every byte belongs to one field, and says what it holds."""

from typing import Any

import numpy as np
import pytest

from kafkasim.errors import CorruptBatchError
from kafkasim.log.batch_fields import KINDS, anatomy
from kafkasim.log.decode import decode_batch
from kafkasim.log.encode import control_batch, encode_batch
from kafkasim.log.header import unpack_header
from kafkasim.log.record import Record
from tests.log.broker_files import every_batch, partition

LOG = "00000000000000000000.log"
RECORDS = [
    Record(1_700_000_000_000, b"key-7", b"value-1", (("a", b"x"), ("b", None))),
    Record(1_700_000_000_300, None, b""),
    Record(1_700_000_000_002, b"", None),
]


def rows(columns: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {name: columns[name][row] for name in columns}
        for row in range(len(columns["name"]))
    ]


def told(columns: dict[str, Any], record: int = -1) -> dict[str, str]:
    """Return name → value of one record's fields, or of the header's."""
    return {
        row["name"]: row["value"] for row in rows(columns) if row["record"] == record
    }


def meaning(columns: dict[str, Any], name: str) -> str:
    return str(columns["meaning"][columns["name"].index(name)])


@every_batch
def test_the_fields_of_a_real_batch_cover_each_byte_once(batch: bytes) -> None:
    columns = anatomy(batch)
    here = [row for row in rows(columns) if not row["unpacked"]]
    assert [row["start"] for row in here] == [
        sum(before["size"] for before in here[:number]) for number in range(len(here))
    ]
    assert b"".join(bytes.fromhex(row["hex"]) for row in here) == batch
    assert set(columns["kind"]) <= set(KINDS)
    assert not columns["wrong"].any()
    assert "fits" in meaning(columns, "CRC")


@every_batch
def test_they_say_what_decoding_says(batch: bytes) -> None:
    columns = anatomy(batch)
    header = unpack_header(batch, 0)
    said = told(columns)
    assert said["base offset"] == str(header.base_offset)
    assert int(said["CRC"], 16) == header.crc
    assert said["record count"] == str(header.record_count)
    records = decode_batch(batch)
    assert set(columns["record"].tolist()) == {-1, *range(len(records))}
    for number, record in enumerate(records):
        mine = told(columns, number)
        assert int(mine["offset delta"]) == record.offset - header.base_offset
        assert int(mine["key length"]) == (
            -1 if record.key is None else len(record.key)
        )
        assert mine["header count"] == str(len(record.headers))
        if record.value and record.value.isascii() and not header.is_control:
            assert mine["value"].rstrip("…") in record.value.decode()


def test_the_header_is_explained() -> None:
    columns = anatomy(encode_batch(RECORDS, base_offset=40, producer_id=-1))
    assert columns["start"].tolist()[:14] == [
        *(0, 8, 12, 16, 17, 21, 23, 27, 35, 43, 51, 53, 57, 61)
    ]
    assert meaning(columns, "attributes") == "codec none, CreateTime"
    assert meaning(columns, "last offset delta") == "last offset 42 − base offset 40"
    assert meaning(columns, "base timestamp") == "2023-11-14 22:13:20.000 UTC"
    assert meaning(columns, "producer id") == "−1: not idempotent"
    covered = [
        name
        for name, under in zip(columns["name"], columns["covered"], strict=True)
        if not under
    ]
    assert covered == ["base offset", "batch length", "leader epoch", "magic", "CRC"]


def test_records_are_taken_apart_down_to_their_headers() -> None:
    columns = anatomy(encode_batch(RECORDS))
    first = [row for row in rows(columns) if row["record"] == 0]
    assert [row["name"] for row in first] == [
        *("length", "attributes", "timestamp delta", "offset delta"),
        *("key length", "key", "value length", "value", "header count"),
        *("header key length", "header key", "header value length", "header value"),
        *("header key length", "header key", "header value length"),
    ]
    assert [row["depth"] for row in first] == [1] * 9 + [2] * 7
    assert first[-1]["meaning"] == "−1: null"
    second, third = (
        [row for row in rows(columns) if row["record"] == number] for number in (1, 2)
    )
    assert {row["name"]: row["size"] for row in second}["timestamp delta"] == 2
    assert "key" not in told(columns, 1)
    assert told(columns, 1)["value length"] == "0"
    assert {row["name"]: row["meaning"] for row in third}["value length"] == "−1: null"
    assert told(columns, 2)["timestamp delta"] == "2"


def test_compressed_records_are_one_field_and_then_what_they_give() -> None:
    batch = encode_batch(RECORDS * 5, codec="gzip")
    plain = anatomy(encode_batch(RECORDS * 5))
    columns = anatomy(batch)
    packed = rows(columns)[13]
    assert packed["name"] == "compressed records"
    assert packed["size"] == len(batch) - 61
    size = len(encode_batch(RECORDS * 5)) - 61
    assert packed["meaning"] == f"gzip: {len(batch) - 61} bytes instead of {size}"
    assert not columns["unpacked"][:14].any()
    assert columns["unpacked"][14:].all()
    assert not columns["covered"][14:].any()
    assert columns["start"][14] == 0
    for name in ("name", "hex", "value"):
        assert columns[name][14:] == plain[name][13:]


def test_flags_are_told() -> None:
    marker = control_batch(
        "abort", base_offset=9, timestamp_ms=5, producer_id=1, producer_epoch=3
    )
    columns = anatomy(marker)
    said = "codec none, CreateTime, transactional, control"
    assert meaning(columns, "attributes") == said
    assert meaning(columns, "key") == "version 0, abort"
    assert meaning(columns, "value") == "version 0, coordinator epoch 0"
    cleaned = anatomy(
        encode_batch(RECORDS, delete_horizon_ms=1_800_000_000_000, base_sequence=4)
    )
    assert meaning(cleaned, "attributes").endswith("delete horizon")
    assert meaning(cleaned, "base timestamp").startswith(
        "tombstones and markers may go"
    )
    assert meaning(cleaned, "timestamp delta").endswith("22:13:20.000 UTC")
    stamped = anatomy(encode_batch(RECORDS, log_append_time_ms=7))
    assert meaning(stamped, "attributes") == "codec none, LogAppendTime"
    assert "broker's time holds" in meaning(stamped, "timestamp delta")


def test_a_crc_that_does_not_fit_is_said_with_the_one_that_would() -> None:
    batch = bytearray(encode_batch(RECORDS))
    right = meaning(anatomy(batch), "CRC")
    batch[100] ^= 1
    columns = anatomy(batch)
    assert right.endswith("fits")
    assert "does NOT fit: they give 0x" in meaning(columns, "CRC")
    assert [n for n, w in zip(columns["name"], columns["wrong"], strict=True) if w] == [
        "CRC"
    ]


def test_where_no_record_can_be_the_rest_is_one_field() -> None:
    batch = bytearray(encode_batch(RECORDS))
    batch[61] = 0x70  # it says 56 bytes
    columns = anatomy(batch)
    last = rows(columns)[-1]
    assert (last["name"], last["kind"], last["wrong"]) == ("no record", "unread", True)
    assert last["start"] + last["size"] == len(batch)
    assert "bytes more" in last["meaning"]


def test_a_batch_that_is_cut_off_says_what_is_there() -> None:
    batch = encode_batch(RECORDS)
    columns = anatomy(batch[:-10])
    size = len(batch)
    there = f"only {size - 10} of {size} are there"
    assert meaning(columns, "batch length").endswith(there)
    said = "records should follow; whole ones: "
    assert meaning(columns, "record count") == f"{said}1"
    columns = anatomy(batch[:-1])
    assert meaning(columns, "record count") == f"{said}2"
    columns = anatomy(encode_batch([Record(0, b"key", b"value")])[:-3])
    assert columns["name"][-1] == "no record"
    assert columns["meaning"][-1] == "5 bytes are said, 3 are left"
    with pytest.raises(CorruptBatchError, match="a header alone has 61"):
        anatomy(batch[:60])


def test_a_place_in_a_file_and_only_its_batch() -> None:
    log = partition("compact")[LOG]
    columns = anatomy(log, 145)
    assert told(columns)["base offset"] == "4"
    assert int(columns["size"].sum()) == unpack_header(log, 145).size_bytes


def test_unknown_codecs_and_damaged_streams_are_told() -> None:
    batch = bytearray(encode_batch(RECORDS, codec="gzip"))
    batch[61] ^= 0xFF
    assert "no gzip stream" in meaning(anatomy(batch), "compressed records")
    batch[22] = 5
    assert "codec 5 is not known" in meaning(anatomy(batch), "compressed records")


def test_no_byte_that_is_changed_makes_it_fail() -> None:
    draw = np.random.default_rng(7)
    batch = encode_batch(RECORDS)
    for place in range(len(batch)):
        changed = bytearray(batch)
        changed[place] = int(draw.integers(256))
        if unpack_header(changed, 0).size_bytes >= 61:
            columns = anatomy(changed)
            here = ~columns["unpacked"]
            assert columns["size"][here].sum() <= len(batch)


def test_what_is_no_text_is_shown_in_hexadecimal_and_long_texts_are_cut() -> None:
    columns = anatomy(encode_batch([Record(0, b"\x00\x01", b"v" * 50)]))
    assert told(columns, 0)["key"] == "0x0001"
    assert told(columns, 0)["value"] == "v" * 39 + "…"
