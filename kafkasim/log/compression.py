"""Compress and decompress what follows a batch's header.

What each codec writes is a stream that Kafka's reader takes. Compressed bytes are not
canonical: every library, and every version of one, may write others.

Source: `org.apache.kafka.common.compress` (`GzipCompression`, `SnappyCompression`,
`Lz4BlockOutputStream`, `Lz4BlockInputStream`, `ZstdCompression`).
"""

import importlib
import struct
import zlib
from collections.abc import Callable
from types import ModuleType
from typing import Final

from kafkasim.errors import CorruptBatchError, KafkasimError
from kafkasim.log.header import CODECS

Bytes = bytes | bytearray | memoryview

MOST_BYTES: Final = 1 << 28
"""Bytes that a batch may have decompressed, unless the caller says another number:
256 MiB. Kafka's readers have no such limit."""


class MissingExtraError(KafkasimError, ImportError):
    """A codec needs a library that is not installed.

    Parameters
    ----------
    codec : str
        Which codec.
    library : str
        Which library.
    """

    def __init__(self, codec: str, library: str) -> None:
        self.codec = codec
        self.library = library
        super().__init__(
            f"{codec} needs {library}: pip install 'kafkasim[compression]'"
        )

    def __reduce__(self) -> tuple[type, tuple[str, str]]:
        return (type(self), (self.codec, self.library))


_PIECE: Final = 1 << 14
"""Bytes that are unpacked at once, so that what is left of them is copied soon."""
_LIBRARIES: Final = {"snappy": "cramjam", "lz4": "lz4.frame", "zstd": "zstandard"}


def _library(codec: str) -> ModuleType:
    name = _LIBRARIES[codec]
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise MissingExtraError(codec, name.partition(".")[0]) from error


def compress(codec: str, data: Bytes) -> bytes:
    """Return data compressed, as Kafka's producer frames it.

    Parameters
    ----------
    codec : str
        One of `CODECS`; "none" returns the data as they are.
    data : bytes-like
        The records of a batch, back to back.

    Raises
    ------
    MissingExtraError
        The codec's library is not installed.
    """
    return _COMPRESSORS[codec](data)


def decompress(codec: int | str, data: Bytes, *, most_bytes: int = MOST_BYTES) -> bytes:
    """Return data decompressed, and stop where they grow beyond a limit.

    Parameters
    ----------
    codec : int or str
        One of `CODECS`, or its number in a batch's attributes.
    data : bytes-like
        A batch's bytes after the header.
    most_bytes : int
        Most bytes to return.

    Raises
    ------
    CorruptBatchError
        The data are no such stream, end too early or grow beyond the limit, or the
        codec's number is not known.
    MissingExtraError
        The codec's library is not installed.
    """
    name = codec
    if isinstance(codec, int):
        if not 0 <= codec < len(CODECS):
            raise CorruptBatchError(f"codec {codec} is not known")
        name = CODECS[codec]
    return _DECOMPRESSORS[str(name)](data, most_bytes)


def _too_many(most_bytes: int) -> CorruptBatchError:
    return CorruptBatchError(f"the records have more than {most_bytes:,} bytes")


def _ends_early(codec: str) -> CorruptBatchError:
    return CorruptBatchError(f"the {codec} stream ends early")


def _as_is(data: Bytes) -> bytes:
    return bytes(data)


def _limited(data: Bytes, most_bytes: int) -> bytes:
    if len(data) > most_bytes:
        raise _too_many(most_bytes)
    return bytes(data)


# gzip

_GZIP_WINDOW: Final = 31
"""zlib's number of a 32 KiB window with gzip's header."""
_GZIP_MAGIC: Final = b"\x1f\x8b"


def _gzip(data: Bytes) -> bytes:
    packer = zlib.compressobj(wbits=_GZIP_WINDOW)
    return packer.compress(data) + packer.flush()


def _gunzip(data: Bytes, most_bytes: int) -> bytes:
    """Read members until there is none more, as `java.util.zip.GZIPInputStream`.

    What follows the last and is no member is not looked at.
    """
    view = memoryview(data)
    out: list[bytes] = []
    room = most_bytes
    at = 0
    unpacker = zlib.decompressobj(_GZIP_WINDOW)
    while at < len(view):
        given = view[at : at + _PIECE]
        try:
            piece = unpacker.decompress(given, room + 1)
        except zlib.error as error:
            raise CorruptBatchError(f"no gzip stream: {error}") from error
        room -= len(piece)
        if room < 0:
            raise _too_many(most_bytes)
        out.append(piece)
        at += len(given) - len(unpacker.unused_data)
        if unpacker.eof:
            if bytes(view[at : at + 2]) != _GZIP_MAGIC:
                return b"".join(out)
            unpacker = zlib.decompressobj(_GZIP_WINDOW)
    raise _ends_early("gzip")


# snappy

_XERIAL_MAGIC: Final = b"\x82SNAPPY\x00"
_XERIAL_HEADER: Final = _XERIAL_MAGIC + struct.pack(">ii", 1, 1)
"""Magic, version and least compatible version of `SnappyOutputStream`."""
_XERIAL_BLOCK: Final = 1 << 15
_XERIAL_SIZE: Final = struct.Struct(">i")
_SNAPPY_GROWTH: Final = 22
"""A snappy element of 3 bytes stands for 64 at most."""


def _snappy(data: Bytes) -> bytes:
    raw = _library("snappy").snappy.compress_raw
    out = [_XERIAL_HEADER]
    view = memoryview(data)
    for start in range(0, len(view), _XERIAL_BLOCK):
        block = bytes(raw(view[start : start + _XERIAL_BLOCK]))
        out += _XERIAL_SIZE.pack(len(block)), block
    return b"".join(out)


def _unsnappy(data: Bytes, most_bytes: int) -> bytes:
    """Read the framing of xerial's `SnappyInputStream`, or else one raw block.

    librdkafka sends the raw one; xerial's reader takes whatever lacks its magic so.
    """
    whole = bytes(data)
    if not whole.startswith(_XERIAL_MAGIC):
        return _raw_snappy(whole, most_bytes, most_bytes)
    out: list[bytes] = []
    room = most_bytes
    at = 0
    while at < len(whole):
        if whole.startswith(_XERIAL_MAGIC, at):
            at += len(_XERIAL_HEADER)
            continue
        size = int.from_bytes(whole[at : at + _XERIAL_SIZE.size], signed=True)
        at += _XERIAL_SIZE.size
        if not 0 <= size <= len(whole) - at:
            raise _ends_early("snappy")
        block = _raw_snappy(whole[at : at + size], room, most_bytes)
        room -= len(block)
        out.append(block)
        at += size
    if at > len(whole):
        raise _ends_early("snappy")
    return b"".join(out)


def _raw_snappy(block: bytes, room: int, most_bytes: int) -> bytes:
    """Read one raw block; the length it begins with is believed if it can be true."""
    cramjam = _library("snappy")
    try:
        claimed = cramjam.snappy.decompress_raw_len(block)
        if claimed > len(block) * _SNAPPY_GROWTH:
            raise CorruptBatchError(
                f"no snappy block: {len(block)} bytes cannot hold {claimed:,}"
            )
        if claimed > room:
            raise _too_many(most_bytes)
        return bytes(cramjam.snappy.decompress_raw(block))
    except cramjam.DecompressionError as error:
        raise CorruptBatchError(f"no snappy block: {error}") from error


# lz4

_LZ4_INDEPENDENT: Final = 0x20
_LZ4_FLAGS_AT: Final = 4
_LZ4_HEADER_BYTES: Final = 7
_LZ4_FIRST_GROWTH: Final = 4


def _lz4(data: Bytes) -> bytes:
    """Write a frame as `Lz4BlockOutputStream`: independent blocks of 64 KiB, bare."""
    frame = _library("lz4")
    out: bytes = frame.compress(
        data,
        block_size=frame.BLOCKSIZE_MAX64KB,
        block_linked=False,
        store_size=False,
    )
    return out


def _unlz4(data: Bytes, most_bytes: int) -> bytes:
    """Read one frame, and refuse blocks that lean on one another.

    `Lz4BlockInputStream` does: "Dependent block stream is unsupported".
    """
    frame = _library("lz4")
    whole = bytes(data)
    if len(whole) < _LZ4_HEADER_BYTES:
        raise _ends_early("lz4")
    if not whole[_LZ4_FLAGS_AT] & _LZ4_INDEPENDENT:
        raise CorruptBatchError("an lz4 frame of dependent blocks is not supported")
    unpacker = frame.LZ4FrameDecompressor()
    out: list[bytes] = []
    room = most_bytes
    rest = whole
    take = _LZ4_FIRST_GROWTH * len(whole)  # that much memory is taken, not what is said
    while not unpacker.eof:
        try:
            piece = unpacker.decompress(rest, min(take, room + 1))
        except RuntimeError as error:
            raise CorruptBatchError(f"no lz4 frame: {error}") from error
        room -= len(piece)
        if room < 0:
            raise _too_many(most_bytes)
        if not piece and not unpacker.eof:
            raise _ends_early("lz4")
        out.append(piece)
        rest = b""
        take *= 2
    return b"".join(out)


# zstd

_ZSTD_LEVEL: Final = 3
"""`ZstdCompression`'s default, zstd's own."""
_ZSTD_GROWTH: Final = 1 << 15
"""A zstd block of 4 bytes stands for 128 KiB at most."""
_ZSTD_LEAST_PIECE: Final = 1 << 7


def _zstd(data: Bytes) -> bytes:
    out: bytes = _library("zstd").ZstdCompressor(level=_ZSTD_LEVEL).compress(data)
    return out


def _unzstd(data: Bytes, most_bytes: int) -> bytes:
    """Read all frames, piece by piece so that none grows far beyond the limit."""
    zstandard = _library("zstd")
    view = memoryview(data)
    out: list[bytes] = []
    room = most_bytes
    at = 0
    library = zstandard.ZstdDecompressor()
    unpacker = None
    while at < len(view):
        unpacker = unpacker or library.decompressobj()
        given = view[at : at + max(_ZSTD_LEAST_PIECE, room // _ZSTD_GROWTH)]
        try:
            piece = unpacker.decompress(given)
        except zstandard.ZstdError as error:
            raise CorruptBatchError(f"no zstd frame: {error}") from error
        room -= len(piece)
        if room < 0:
            raise _too_many(most_bytes)
        out.append(piece)
        at += len(given)
        if unpacker.eof:
            at -= len(unpacker.unused_data)
            unpacker = None
    if unpacker is not None or not out:
        raise _ends_early("zstd")
    return b"".join(out)


_COMPRESSORS: Final[dict[str, Callable[[Bytes], bytes]]] = {
    "none": _as_is,
    "gzip": _gzip,
    "snappy": _snappy,
    "lz4": _lz4,
    "zstd": _zstd,
}
_DECOMPRESSORS: Final[dict[str, Callable[[Bytes, int], bytes]]] = {
    "none": _limited,
    "gzip": _gunzip,
    "snappy": _unsnappy,
    "lz4": _unlz4,
    "zstd": _unzstd,
}
