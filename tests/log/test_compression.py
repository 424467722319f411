"""Source: org.apache.kafka.common.compress; what other libraries write is read too."""

import gzip
import json
import pickle
import struct
import sys
import time
import tracemalloc
import zlib
from pathlib import Path

import cramjam
import lz4.block
import lz4.frame
import numpy as np
import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from kafkasim.errors import CorruptBatchError
from kafkasim.log.compression import MissingExtraError, compress, decompress
from kafkasim.log.decode import check_batch, decode_batch
from kafkasim.log.encode import encode_batch
from kafkasim.log.header import CODECS
from kafkasim.log.record import Record

PACKED = CODECS[1:]
TEXT = b"".join(b"record %d, " % (at * at) for at in range(20_000))
"""About 240 kB: several blocks of snappy and of lz4."""
RANDOM = np.random.default_rng(7).bytes(200_000)
"""No codec makes it smaller."""
LIBRDKAFKA = json.loads(
    (Path(__file__).parent / "data" / "librdkafka.json").read_text(encoding="utf-8")
)
XERIAL = b"\x82SNAPPY\x00\x00\x00\x00\x01\x00\x00\x00\x01"


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("data", [b"", b"x", TEXT, RANDOM])
def test_what_is_packed_is_unpacked(codec: str, data: bytes) -> None:
    packed = compress(codec, data)

    assert decompress(codec, packed) == data
    assert decompress(CODECS.index(codec), memoryview(packed)) == data
    assert decompress(codec, packed, most_bytes=len(data)) == data
    assert compress(codec, memoryview(data)) == packed


@given(st.binary(max_size=500))
def test_all_small_data_come_back(data: bytes) -> None:
    for codec in CODECS:
        assert decompress(codec, compress(codec, data)) == data


@pytest.mark.parametrize("codec", CODECS)
def test_data_beyond_the_limit_are_refused(codec: str) -> None:
    packed = compress(codec, TEXT)

    with pytest.raises(CorruptBatchError, match=f"more than {len(TEXT) - 1:,} bytes"):
        decompress(codec, packed, most_bytes=len(TEXT) - 1)


@pytest.mark.parametrize("codec", PACKED)
def test_a_bomb_takes_little_more_memory_than_the_limit(codec: str) -> None:
    """A batch of some kilobytes that would grow to 64 MiB."""
    bomb = compress(codec, bytes(1 << 26))
    tracemalloc.start()
    try:
        with pytest.raises(CorruptBatchError, match="more than 1,000,000 bytes"):
            decompress(codec, bomb, most_bytes=1_000_000)
        assert tracemalloc.get_traced_memory()[1] < len(bomb) * 2 + 10_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("codec", PACKED)
def test_a_stream_cut_anywhere_is_refused(codec: str) -> None:
    packed = compress(codec, b"some words, some more words, words " * 3)

    for end in range(len(packed)):
        if codec == "snappy" and end == len(XERIAL):
            continue  # between two blocks: xerial's stream has no end mark
        with pytest.raises(CorruptBatchError):
            decompress(codec, packed[:end])


@pytest.mark.parametrize("codec", PACKED)
def test_other_bytes_are_no_stream(codec: str) -> None:
    with pytest.raises(CorruptBatchError):
        decompress(codec, b"\xff" * 40)


@pytest.mark.parametrize("codec", [5, 6, 7, -1])
def test_a_codec_that_kafka_does_not_have_is_refused(codec: int) -> None:
    """Source: CompressionType.forId."""
    with pytest.raises(CorruptBatchError, match=f"codec {codec} is not known"):
        decompress(codec, b"")


@pytest.mark.parametrize("codec", LIBRDKAFKA["batches"])
def test_a_batch_of_librdkafka_is_read(codec: str) -> None:
    """Its snappy is raw; SnappyInputStream takes what lacks xerial's magic so."""
    batch = bytes.fromhex(LIBRDKAFKA["batches"][codec])

    assert CODECS[check_batch(batch, 0).codec] == codec
    assert decode_batch(batch) == [
        Record(
            1_700_000_000_000 + at,
            b"key-%d" % at,
            b"value %d " % at * 8,
            (("h", b"x"),) if at == 2 else (),
            at,
        )
        for at in range(6)
    ]


@pytest.mark.parametrize("codec", ["gzip", "zstd"])
def test_many_streams_one_after_the_other_take_linear_time(codec: str) -> None:
    """Empty ones, very many: what is left is not copied again for each.

    Eight times as many take 8 times as long; when it was copied, 20 and 40 times.
    """
    packed = compress(codec, b"")

    def seconds(size_bytes: int) -> float:
        many = packed * (size_bytes // len(packed))
        start = time.process_time()
        assert decompress(codec, many) == b""
        return time.process_time() - start

    assert seconds(800_000) < 16 * max(seconds(100_000) for _ in range(3))


# gzip


def test_gzip_members_are_read_one_after_the_other() -> None:
    """Source: java.util.zip.GZIPInputStream, which skips what follows the last."""
    packed = gzip.compress(b"one, ") + gzip.compress(b"two")

    assert decompress("gzip", packed) == b"one, two"
    assert decompress("gzip", packed + b"what follows") == b"one, two"
    assert gzip.decompress(compress("gzip", TEXT)) == TEXT
    assert compress("gzip", TEXT) == compress("gzip", TEXT)


def test_gzip_of_a_wrong_checksum_is_refused() -> None:
    packed = bytearray(compress("gzip", TEXT))
    packed[-8] ^= 1

    with pytest.raises(CorruptBatchError, match="gzip"):
        decompress("gzip", packed)
    with pytest.raises(CorruptBatchError):  # no header of gzip
        decompress("gzip", zlib.compress(TEXT))


# snappy


def test_snappy_is_written_in_blocks_of_xerials_framing() -> None:
    """Source: SnappyOutputStream: magic, version 1, least 1, blocks of 32 KiB."""
    packed = compress("snappy", TEXT)

    assert packed[:16] == XERIAL
    at, blocks = 16, []
    while at < len(packed):
        (size,) = struct.unpack_from(">i", packed, at)
        blocks.append(bytes(cramjam.snappy.decompress_raw(packed[at + 4 :][:size])))
        at += 4 + size
    assert b"".join(blocks) == TEXT
    assert {len(block) for block in blocks[:-1]} == {32 * 1024}
    assert compress("snappy", b"") == XERIAL


def test_snappy_streams_one_after_the_other_are_read() -> None:
    """Source: SnappyInputStream.hasNextChunk: a header may come again."""
    packed = compress("snappy", b"one, ") + compress("snappy", b"two")

    assert decompress("snappy", packed) == b"one, two"


def test_raw_snappy_is_read() -> None:
    assert decompress("snappy", bytes(cramjam.snappy.compress_raw(TEXT))) == TEXT


def test_a_length_that_a_snappy_block_cannot_have_is_not_believed() -> None:
    """One byte cannot stand for 4 GiB, and nobody takes memory for it."""
    huge = b"\xff\xff\xff\xff\x0f\x00"
    framed = XERIAL + struct.pack(">i", len(huge)) + huge
    for data in (huge, framed):
        with pytest.raises(CorruptBatchError, match=r"cannot hold 4,294,967,295"):
            decompress("snappy", data, most_bytes=1 << 40)
    with pytest.raises(CorruptBatchError, match="no snappy block"):
        decompress("snappy", b"\xff" * 9)
    for size in (-1, 2**31 - 1, 3):
        with pytest.raises(CorruptBatchError, match="ends early"):
            decompress("snappy", XERIAL + struct.pack(">i", size) + b"\x01\x00")


def test_the_densest_snappy_block_is_believed() -> None:
    """Zeros: elements of 3 bytes that stand for 64 each."""
    zeros = bytes(1 << 20)
    packed = bytes(cramjam.snappy.compress_raw(zeros))

    assert len(zeros) / len(packed) > 21
    assert decompress("snappy", packed) == zeros


# lz4


def test_lz4_is_written_as_kafka_does() -> None:
    """Source: Lz4BlockOutputStream: independent blocks of 64 KiB, no checksum."""
    packed = compress("lz4", TEXT)

    assert packed[:4] == bytes.fromhex("04224d18")
    assert packed[4] == 0x60 and packed[5] == 0x40  # version 1, independent; 64 KiB
    assert packed[-4:] == bytes(4)
    at, blocks = 7, []
    while size := struct.unpack_from("<I", packed, at)[0]:
        block = packed[at + 4 :][: size & 0x7FFFFFFF]
        if size < 1 << 31:  # else it is stored as it is
            block = lz4.block.decompress(block, uncompressed_size=1 << 16)
        blocks.append(block)
        at += 4 + (size & 0x7FFFFFFF)
    assert b"".join(blocks) == TEXT and at + 4 == len(packed)
    assert {len(block) for block in blocks[:-1]} == {1 << 16}


def test_lz4_of_dependent_blocks_is_refused() -> None:
    """Source: Lz4BlockInputStream: "Dependent block stream is unsupported"."""
    linked = lz4.frame.compress(TEXT, block_linked=True)
    for packed in (linked, bytes(cramjam.lz4.compress(TEXT))):
        with pytest.raises(CorruptBatchError, match="dependent blocks"):
            decompress("lz4", packed)


def test_lz4_frames_of_other_settings_are_read() -> None:
    """Block and content checksums, a content size, blocks of 4 MiB; only one frame."""
    packed = lz4.frame.compress(
        TEXT,
        block_linked=False,
        block_size=lz4.frame.BLOCKSIZE_MAX4MB,
        content_checksum=True,
        block_checksum=True,
        store_size=True,
    )

    assert decompress("lz4", packed) == TEXT
    assert decompress("lz4", packed + packed) == TEXT


# zstd


def test_zstd_frames_are_read_one_after_the_other_and_without_a_size() -> None:
    """Source: ZstdInputStream; a stream says no size, and frames may follow."""
    packer = zstandard.ZstdCompressor(write_content_size=False)
    packed = packer.compress(TEXT) + packer.compress(b"two")

    assert decompress("zstd", packed) == TEXT + b"two"
    with pytest.raises(CorruptBatchError):
        decompress("zstd", packed + b"what follows")
    assert zstandard.frame_content_size(compress("zstd", TEXT)) == len(TEXT)


def test_a_zstd_window_that_takes_too_much_memory_is_refused() -> None:
    """zstd's own limit, 128 MiB, which zstd-jni has as well; here 3.75 TiB."""
    frame = bytes.fromhex("28b52ffd 00 ff") + b"\x01\x00\x00"

    with pytest.raises(CorruptBatchError, match="too much memory"):
        decompress("zstd", frame)


# the extra


@pytest.mark.parametrize(
    ("codec", "library", "package"),
    [
        ("snappy", "cramjam", "cramjam"),
        ("lz4", "lz4.frame", "lz4"),
        ("zstd", "zstandard", "zstandard"),
    ],
)
def test_a_missing_library_names_the_extra(
    codec: str, library: str, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = encode_batch([Record(0, None, TEXT)], codec=codec)
    monkeypatch.setitem(sys.modules, library, None)

    text = rf"{codec} needs {package}: pip install 'kafkasim\[compression\]'"
    with pytest.raises(MissingExtraError, match=text) as caught:
        encode_batch([Record(0, None, TEXT)], codec=codec)
    assert isinstance(caught.value, ImportError)
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)
    with pytest.raises(MissingExtraError, match=text):
        decode_batch(batch)
    assert decode_batch(encode_batch([Record(0, None, TEXT)], codec="gzip"))
