"""A small partition that Kafka wrote, and what can be done to its files.

`CASES` is a table: a name, what is damaged, and how the folder is then opened. What
Kafka 4.3.1's `LogLoader` made of each stands in `data/loading.json`; how it was asked,
`kafka/LoadLog.java` says. This module knows no class of the log but the header.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass

from crc32c import crc32c

from kafkasim.log.header import unpack_header

Files = dict[str, bytes]
Damage = Callable[[Files], None]


@dataclass(frozen=True)
class Case:
    """One folder to open."""

    name: str
    damage: Damage
    clean: bool = False
    """Whether the marker of a clean shutdown is there."""
    recovery_point: int = 0
    log_start: int = 0


def log_name(base: int, suffix: str = ".log") -> str:
    return f"{base:020d}{suffix}"


def positions(data: bytes) -> list[int]:
    """Return where the batches of a log file begin."""
    found, at = [], 0
    while at < len(data):
        found.append(at)
        at += unpack_header(data, at).size_bytes
    return found


def edit(name: str, change: Callable[[bytearray], object]) -> Damage:
    """Return a damage that changes the bytes of one file."""

    def damage(files: Files) -> None:
        data = bytearray(files[name])
        change(data)
        files[name] = bytes(data)

    return damage


def in_batch(
    base: int, number: int, change: Callable[[bytearray, int], object]
) -> Damage:
    """Return a damage that changes a segment's file, told where a batch begins."""
    name = log_name(base)
    return edit(name, lambda data: change(data, positions(bytes(data))[number]))


def put(layout: str, offset: int, value: int) -> Callable[[bytearray, int], object]:
    """Return a change that writes a number at a place of the batch's header."""
    return lambda data, at: struct.pack_into(layout, data, at + offset, value)


def flip(offset: int, bit: int) -> Callable[[bytearray, int], object]:
    """Return a change that flips a bit of the batch."""

    def change(data: bytearray, at: int) -> None:
        data[at + offset] ^= 1 << bit

    return change


def put_with_crc(
    layout: str, offset: int, value: int
) -> Callable[[bytearray, int], object]:
    """Return a change under the CRC, with the CRC made right again."""

    def change(data: bytearray, at: int) -> None:
        size = unpack_header(data, at).size_bytes
        struct.pack_into(layout, data, at + offset, value)
        struct.pack_into(">I", data, at + 17, crc32c(bytes(data[at + 21 : at + size])))

    return change


def cut(base: int, count: int) -> Damage:
    """Return a damage that takes bytes off the end of a segment's log file."""
    return edit(
        log_name(base), lambda data: data.__delitem__(slice(len(data) - count, None))
    )


def keep(name: str, size: int) -> Damage:
    """Return a damage that keeps the first bytes of a file."""
    return edit(name, lambda data: data.__delitem__(slice(size, None)))


def add(name: str, tail: bytes) -> Damage:
    """Return a damage that adds bytes to a file; it need not be there."""

    def damage(files: Files) -> None:
        files[name] = files.get(name, b"") + tail

    return damage


def drop(*names: str) -> Damage:
    """Return a damage that removes files."""

    def damage(files: Files) -> None:
        for name in names:
            del files[name]

    return damage


def write(name: str, data: bytes) -> Damage:
    """Return a damage that writes a whole file."""
    return lambda files: files.__setitem__(name, data)


def copy(old: str, new: str) -> Damage:
    """Return a damage that copies a file."""
    return lambda files: files.__setitem__(new, files[old])


def all_of(*damages: Damage) -> Damage:
    """Return several damages in one."""

    def damage(files: Files) -> None:
        for one in damages:
            one(files)

    return damage


def drop_segment(base: int) -> Damage:
    """Return a damage that removes a segment with its indexes."""

    def damage(files: Files) -> None:
        for name in list(files):
            if name.startswith(log_name(base, "")) and not name.endswith("snapshot"):
                del files[name]

    return damage


def drop_suffix(suffix: str) -> Damage:
    """Return a damage that removes all files of a kind."""

    def damage(files: Files) -> None:
        for name in [name for name in files if name.endswith(suffix)]:
            del files[name]

    return damage


def twice(base: int, number: int) -> Damage:
    """Return a damage that writes a batch twice, one after the other."""

    def change(data: bytearray, at: int) -> None:
        end = at + unpack_header(data, at).size_bytes
        data[end:end] = data[at:end]

    return in_batch(base, number, change)


def nothing(_files: Files) -> None:
    """Damage nothing."""


LAST = 46
"""Base offset of the last segment; the others have 0, 16 and 32."""
EPOCHS = "leader-epoch-checkpoint"
LYING = struct.pack(">iiii", 2, 158, 11, 400)

CASES = (
    Case("nothing", nothing),
    Case("nothing, clean", nothing, clean=True, recovery_point=62),
    Case("nothing, from a recovery point", nothing, recovery_point=46),
    Case("nothing, from within a segment", nothing, recovery_point=40),
    Case("nothing, recovery point past the end", nothing, recovery_point=500),
    Case("nothing, log start within", nothing, log_start=20),
    Case("nothing, log start within, clean", nothing, clean=True, log_start=20),
    *(Case(f"torn by {n}", cut(LAST, n), recovery_point=46) for n in (1, 40, 100, 112)),
    Case("torn by 1, all rescanned", cut(LAST, 1)),
    Case("torn by 1, clean", cut(LAST, 1), clean=True),
    Case("torn by 100, clean", cut(LAST, 100), clean=True),
    Case("torn to nothing", write(log_name(LAST), b"")),
    Case("zeros after", add(log_name(LAST), bytes(100))),
    Case("a few zeros after", add(log_name(LAST), bytes(10))),
    Case("zeros after, clean", add(log_name(LAST), bytes(100)), clean=True),
    Case("a few zeros after, clean", add(log_name(LAST), bytes(10)), clean=True),
    Case("0xff after", add(log_name(LAST), b"\xff" * 100)),
    Case("0xff after, clean", add(log_name(LAST), b"\xff" * 100), clean=True),
    Case("garbage after", add(log_name(LAST), bytes(range(1, 200)))),
    Case("garbage after, clean", add(log_name(LAST), bytes(range(1, 200))), clean=True),
    Case("bit under the CRC", in_batch(16, 2, flip(80, 3))),
    Case("bit under the CRC of the last", in_batch(LAST, 2, flip(80, 3))),
    Case(
        "bit under the CRC, above it not",
        in_batch(16, 2, flip(80, 3)),
        recovery_point=32,
    ),
    Case("bit under the CRC, clean", in_batch(16, 2, flip(80, 3)), clean=True),
    Case("bit of the CRC", in_batch(32, 1, flip(18, 0))),
    Case("base offset jumps", in_batch(LAST, 4, flip(6, 0))),
    Case("base offset jumps, not last", in_batch(16, 2, flip(6, 0))),
    Case("base offset jumps, clean", in_batch(LAST, 4, flip(6, 0)), clean=True),
    Case("base offset jumps far", in_batch(LAST, 4, flip(3, 1))),
    Case("base offset jumps far, not last", in_batch(LAST, 2, flip(3, 1))),
    Case("base offset jumps far, clean", in_batch(LAST, 4, flip(3, 1)), clean=True),
    Case("base offset below the base", in_batch(LAST, 2, put(">q", 0, 3))),
    Case(
        "base offset below the base, clean",
        in_batch(LAST, 2, put(">q", 0, 3)),
        clean=True,
    ),
    Case("base offset below the base of the first", in_batch(16, 0, put(">q", 0, 3))),
    Case("base offset negative", in_batch(LAST, 2, put(">q", 0, -5))),
    Case("base offset back a little", in_batch(LAST, 4, put(">q", 0, 47))),
    Case("leader epoch flipped", in_batch(16, 2, flip(15, 6))),
    Case("leader epoch flipped, last", in_batch(LAST, 4, flip(15, 6))),
    Case("leader epoch negative", in_batch(16, 2, put(">i", 12, -7))),
    Case("leader epoch flipped, clean", in_batch(16, 2, flip(15, 6)), clean=True),
    Case("magic 3", in_batch(16, 2, put(">b", 16, 3))),
    Case("magic 1", in_batch(16, 2, put(">b", 16, 1))),
    Case("magic 0", in_batch(16, 2, put(">b", 16, 0))),
    Case("magic negative", in_batch(16, 2, put(">b", 16, -1))),
    Case("magic 1, clean", in_batch(16, 2, put(">b", 16, 1)), clean=True),
    *(
        Case(f"length {n}", in_batch(16, 2, put(">i", 8, n)))
        for n in (100_000, 2**31 - 1, -1, -(2**31), 13, 14, 48, 49)
    ),
    Case("length -1, clean", in_batch(16, 2, put(">i", 8, -1)), clean=True),
    Case(
        "length -1 in the last, clean", in_batch(LAST, 4, put(">i", 8, -1)), clean=True
    ),
    Case(
        "length 13 in the last, clean", in_batch(LAST, 3, put(">i", 8, 13)), clean=True
    ),
    Case(
        "length 48 in the last, clean", in_batch(LAST, 3, put(">i", 8, 48)), clean=True
    ),
    Case("last written twice", twice(LAST, 4)),
    Case("one written twice", twice(16, 0)),
    Case("one written twice, clean", twice(16, 0), clean=True),
    Case("attributes unknown", in_batch(16, 0, put_with_crc(">h", 21, 0x0780))),
    Case("codec 5", in_batch(16, 0, put_with_crc(">h", 21, 5))),
    Case("count too large", in_batch(16, 0, put_with_crc(">i", 57, 1_000_000_000))),
    Case("count negative", in_batch(16, 0, put_with_crc(">i", 57, -1))),
    Case("last offset delta negative", in_batch(16, 0, put_with_crc(">i", 23, -1))),
    Case("last offset delta large", in_batch(16, 0, put_with_crc(">i", 23, 2**31 - 1))),
    Case("producer epoch back", in_batch(16, 4, put_with_crc(">h", 51, 2))),
    Case("a gap in the sequence", in_batch(0, 5, put_with_crc(">i", 53, 9))),
    Case("no transaction bit, none open", in_batch(16, 2, put_with_crc(">h", 21, 0))),
    Case("no transaction bit, one open", in_batch(16, 4, put_with_crc(">h", 21, 0))),
    Case("marker of an unknown type", in_batch(16, 5, put_with_crc(">h", 61 + 7, 9))),
    Case("marker of a negative type", in_batch(16, 5, put_with_crc(">h", 61 + 7, -1))),
    Case("marker made a commit", in_batch(16, 5, put_with_crc(">h", 61 + 7, 1))),
    Case("marker of a later version", in_batch(16, 5, put_with_crc(">h", 61 + 5, 1))),
    Case(
        "marker with a negative version",
        in_batch(16, 5, put_with_crc(">h", 61 + 5, -1)),
    ),
    Case(
        "marker with a negative header count",
        in_batch(16, 5, put_with_crc(">h", 61 + 9, 9)),
    ),
    Case(
        "last marker of an unknown type",
        all_of(
            in_batch(16, 5, put_with_crc(">h", 61 + 7, 9)),
            drop_segment(32),
            drop_segment(46),
        ),
    ),
    Case(
        "last marker with a negative version",
        all_of(
            in_batch(16, 5, put_with_crc(">h", 61 + 5, -1)),
            drop_segment(32),
            drop_segment(46),
        ),
    ),
    Case("offset index missing", drop(log_name(16, ".index"))),
    Case("offset index missing, clean", drop(log_name(16, ".index")), clean=True),
    Case(
        "offset index missing and zeros in the segment before",
        all_of(
            drop(log_name(16, ".index"), log_name(16, ".snapshot")),
            in_batch(
                0, 0, lambda data, at: data.__setitem__(slice(at, 115), bytes(115))
            ),
        ),
    ),
    Case(
        "offset index missing and a flipped bit, clean",
        all_of(drop(log_name(16, ".index")), in_batch(16, 2, flip(80, 3))),
        clean=True,
    ),
    Case(
        "offset index missing and a flipped bit below the recovery point",
        all_of(drop(log_name(16, ".index")), in_batch(16, 2, flip(80, 3))),
        recovery_point=46,
    ),
    Case(
        "offset index of the last missing, clean",
        drop(log_name(LAST, ".index")),
        clean=True,
    ),
    Case(
        "all indexes missing", all_of(drop_suffix(".index"), drop_suffix(".timeindex"))
    ),
    Case(
        "all indexes missing, clean",
        all_of(drop_suffix(".index"), drop_suffix(".timeindex")),
        clean=True,
    ),
    Case("offset index lying", write(log_name(16, ".index"), LYING)),
    Case("offset index lying, clean", write(log_name(16, ".index"), LYING), clean=True),
    Case(
        "offset index lying below the recovery point",
        write(log_name(16, ".index"), LYING),
        recovery_point=46,
    ),
    Case(
        "offset index within a batch, clean",
        write(log_name(16, ".index"), struct.pack(">ii", 2, 100)),
        clean=True,
    ),
    Case(
        "offset index past the file, clean",
        write(log_name(16, ".index"), struct.pack(">ii", 2, 100_000)),
        clean=True,
    ),
    Case(
        "offset index of the last past the file, clean",
        write(log_name(LAST, ".index"), struct.pack(">ii", 2, 100_000)),
        clean=True,
    ),
    Case(
        "offset index of the last within a batch, clean",
        write(log_name(LAST, ".index"), struct.pack(">ii", 2, 100)),
        clean=True,
    ),
    Case(
        "offset index of the last negative, clean",
        write(log_name(LAST, ".index"), struct.pack(">ii", -3, -100)),
        clean=True,
    ),
    Case("offset index with stray bytes", add(log_name(16, ".index"), b"\x01\x02\x03")),
    Case(
        "offset index with stray bytes, clean",
        add(log_name(16, ".index"), b"\x01\x02\x03"),
        clean=True,
    ),
    Case("offset index empty, clean", write(log_name(16, ".index"), b""), clean=True),
    Case(
        "offset index of zeros, clean",
        write(log_name(16, ".index"), bytes(80)),
        clean=True,
    ),
    Case(
        "orphan indexes",
        all_of(
            *(
                add(log_name(99, s), bytes(24))
                for s in (".index", ".timeindex", ".txnindex")
            )
        ),
    ),
    Case(
        "orphan indexes, clean",
        all_of(
            *(
                add(log_name(99, s), bytes(24))
                for s in (".index", ".timeindex", ".txnindex")
            )
        ),
        clean=True,
    ),
    Case(
        "deleted files",
        all_of(
            copy(log_name(0), log_name(0, ".log.deleted")),
            add(log_name(7, ".index.deleted"), b"x"),
        ),
    ),
    Case(
        "cleaned files",
        all_of(
            copy(log_name(0), log_name(0, ".log.cleaned")),
            add(log_name(0, ".index.cleaned"), b"x"),
        ),
    ),
    Case(
        "a swap",
        all_of(
            copy(log_name(0), log_name(0, ".log.swap")),
            copy(log_name(0, ".index"), log_name(0, ".index.swap")),
            copy(log_name(0, ".timeindex"), log_name(0, ".timeindex.swap")),
        ),
    ),
    Case(
        "a swap, clean",
        all_of(
            copy(log_name(0), log_name(0, ".log.swap")),
            copy(log_name(0, ".index"), log_name(0, ".index.swap")),
        ),
        clean=True,
    ),
    Case(
        "a swap of two segments, clean",
        all_of(
            write(log_name(16, ".log.swap"), b""),
            lambda files: files.__setitem__(
                log_name(16, ".log.swap"), files[log_name(16)] + files[log_name(32)]
            ),
        ),
        clean=True,
    ),
    Case(
        "a swap above a cleaned",
        all_of(
            copy(log_name(16), log_name(16, ".log.swap")),
            add(log_name(0, ".log.cleaned"), b"x"),
        ),
    ),
    Case(
        "a swap below a cleaned",
        all_of(
            copy(log_name(0), log_name(0, ".log.swap")),
            add(log_name(16, ".log.cleaned"), b"x"),
        ),
    ),
    Case(
        "a shorter swap above a cleaned",
        all_of(
            copy(log_name(16), log_name(16, ".log.swap")),
            keep(log_name(16, ".log.swap"), 194),
            add(log_name(0, ".log.cleaned"), b"x"),
        ),
        clean=True,
    ),
    Case(
        "a shorter swap below a cleaned",
        all_of(
            copy(log_name(16), log_name(16, ".log.swap")),
            keep(log_name(16, ".log.swap"), 194),
            add(log_name(32, ".log.cleaned"), b"x"),
        ),
        clean=True,
    ),
    Case(
        "an index swap alone", copy(log_name(0, ".index"), log_name(16, ".index.swap"))
    ),
    Case(
        "a torn swap",
        all_of(
            copy(log_name(0), log_name(0, ".log.swap")),
            edit(log_name(0, ".log.swap"), lambda d: d.__delitem__(slice(-9, None))),
        ),
    ),
    Case("time index missing", drop(log_name(16, ".timeindex"))),
    Case("time index missing, clean", drop(log_name(16, ".timeindex")), clean=True),
    Case(
        "time index of the last missing, clean",
        drop(log_name(LAST, ".timeindex")),
        clean=True,
    ),
    Case(
        "time index lying, clean",
        write(log_name(16, ".timeindex"), struct.pack(">qi", 5, 2)),
        clean=True,
    ),
    Case(
        "time index with stray bytes, clean",
        add(log_name(16, ".timeindex"), b"\x01"),
        clean=True,
    ),
    Case(
        "transaction index below its base",
        edit(log_name(16, ".txnindex"), lambda d: struct.pack_into(">q", d, 18, 3)),
    ),
    Case(
        "transaction index below its base, clean",
        edit(log_name(16, ".txnindex"), lambda d: struct.pack_into(">q", d, 18, 3)),
        clean=True,
    ),
    Case(
        "transaction index of a later version, clean",
        edit(log_name(16, ".txnindex"), lambda d: struct.pack_into(">h", d, 0, 1)),
        clean=True,
    ),
    Case(
        "transaction index of an older version, clean",
        edit(log_name(16, ".txnindex"), lambda d: struct.pack_into(">h", d, 0, -1)),
        clean=True,
    ),
    Case(
        "transaction index torn, clean",
        edit(log_name(16, ".txnindex"), lambda d: d.__delitem__(slice(20, None))),
        clean=True,
    ),
    Case(
        "transaction index missing, clean", drop(log_name(16, ".txnindex")), clean=True
    ),
    Case("transaction index missing", drop(log_name(16, ".txnindex"))),
    Case(
        "last snapshot with a bad CRC, clean",
        edit(log_name(62, ".snapshot"), lambda d: d.__setitem__(8, 77)),
        clean=True,
    ),
    Case("last snapshot missing, clean", drop(log_name(62, ".snapshot")), clean=True),
    Case(
        "last snapshot torn, clean",
        edit(log_name(62, ".snapshot"), lambda d: d.__delitem__(slice(30, None))),
        clean=True,
    ),
    Case(
        "last snapshot empty, clean", write(log_name(62, ".snapshot"), b""), clean=True
    ),
    Case(
        "last snapshot of a later version, clean",
        edit(log_name(62, ".snapshot"), lambda d: struct.pack_into(">h", d, 0, 2)),
        clean=True,
    ),
    Case(
        "snapshots with a bad CRC",
        all_of(
            *(
                edit(log_name(n, ".snapshot"), lambda d: d.__setitem__(8, 77))
                for n in (16, 32, 46)
            )
        ),
    ),
    Case("snapshots missing", drop_suffix(".snapshot")),
    Case("snapshots missing, clean", drop_suffix(".snapshot"), clean=True),
    Case(
        "snapshots missing, from a recovery point",
        drop_suffix(".snapshot"),
        recovery_point=46,
    ),
    Case(
        "snapshot past the end",
        copy(log_name(46, ".snapshot"), log_name(900, ".snapshot")),
    ),
    Case(
        "snapshot past the end, clean",
        copy(log_name(46, ".snapshot"), log_name(900, ".snapshot")),
        clean=True,
    ),
    Case(
        "stray snapshots, clean",
        all_of(
            *(
                copy(log_name(46, ".snapshot"), log_name(n, ".snapshot"))
                for n in (3, 20, 48)
            )
        ),
        clean=True,
    ),
    Case(
        "snapshot a lie, clean",
        copy(log_name(16, ".snapshot"), log_name(62, ".snapshot")),
        clean=True,
    ),
    Case("epoch file empty", write(EPOCHS, b"0\n0\n")),
    Case(
        "epoch file empty, from a recovery point",
        write(EPOCHS, b"0\n0\n"),
        recovery_point=46,
    ),
    Case("epoch file empty, clean", write(EPOCHS, b"0\n0\n"), clean=True),
    Case("epoch file ahead", write(EPOCHS, b"0\n4\n0 0\n1 20\n3 40\n9 500\n")),
    Case(
        "epoch file ahead, clean",
        write(EPOCHS, b"0\n4\n0 0\n1 20\n3 40\n9 500\n"),
        clean=True,
    ),
    Case("epoch file of no bytes", write(EPOCHS, b"")),
    Case("epoch file of another version", write(EPOCHS, b"1\n1\n0 0\n")),
    Case("epoch file malformed", write(EPOCHS, b"0\n2\n0 0\nx y\n")),
    Case("epoch file short", write(EPOCHS, b"0\n3\n0 0\n1 20\n")),
    Case("epoch file long", write(EPOCHS, b"0\n1\n0 0\n1 20\n")),
    Case("epoch file with a negative count", write(EPOCHS, b"0\n-1\n0 0\n")),
    Case(
        "epoch file out of order", write(EPOCHS, b"0\n3\n3 40\n0 0\n1 20\n"), clean=True
    ),
    Case("epoch file negative", write(EPOCHS, b"0\n1\n-4 0\n"), clean=True),
    Case("epoch file missing", drop(EPOCHS)),
    Case("epoch file missing, clean", drop(EPOCHS), clean=True),
    Case("epochs, log start within", nothing, log_start=30, clean=True),
    Case("log start past the end", nothing, log_start=500),
    Case("log start past the end, clean", nothing, log_start=500, clean=True),
    Case("log start at the end, clean", nothing, log_start=62, clean=True),
    Case("first segment missing, clean", drop_segment(0), clean=True),
    Case("first segment missing", drop_segment(0)),
    Case("middle segment missing", drop_segment(16)),
    Case("middle segment missing, clean", drop_segment(16), clean=True),
    Case("last segment missing", drop_segment(LAST)),
    Case("last segment missing, clean", drop_segment(LAST), clean=True),
    Case("all segments missing", all_of(*(drop_segment(n) for n in (0, 16, 32, LAST)))),
    Case(
        "all segments missing, clean",
        all_of(*(drop_segment(n) for n in (0, 16, 32, LAST))),
        clean=True,
    ),
    Case(
        "all segments missing, log start",
        all_of(*(drop_segment(n) for n in (0, 16, 32, LAST))),
        log_start=30,
    ),
    Case(
        "a segment under a wrong name",
        all_of(copy(log_name(16), log_name(20)), drop_segment(16)),
    ),
    Case(
        "a segment under a wrong name, clean",
        all_of(copy(log_name(16), log_name(20)), drop_segment(16)),
        clean=True,
    ),
    Case("a segment copied", copy(log_name(16), log_name(20))),
    Case("an empty segment between", write(log_name(30), b"")),
    Case("a stranger's file", write("notes.txt", b"mine")),
    Case("an empty folder", lambda files: files.clear()),
    Case("an empty folder, log start", lambda files: files.clear(), log_start=12),
)
