"""Partitions with damaged, missing or foreign files, and how each is opened."""

import struct

from tests.log.damages import (
    EPOCHS,
    LAST,
    LYING,
    Case,
    add,
    all_of,
    copy,
    drop,
    drop_segment,
    drop_suffix,
    edit,
    flip,
    in_batch,
    keep,
    log_name,
    nothing,
    write,
)

FILE_CASES = (
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
