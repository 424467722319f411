"""What Kafka does not notice is found, and repaired into a folder of its own."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kafkasim.errors import LogError, OutputError
from kafkasim.log.fsck import fsck
from kafkasim.log.fsck_report import KAFKA_DOES, NOTICES, Finding, Report
from kafkasim.log.header import unpack_header
from kafkasim.log.loading import load
from kafkasim.log.partition_log import PartitionLog
from kafkasim.log.store import FolderStore, MemoryStore
from tests.log.loading_cases import CASES, Case, Files, log_name, positions
from tests.log.logs import sent
from tests.log.test_loading import CONFIG, WRITTEN, damaged, files_of, store_of

CASE = {case.name: case for case in CASES}
SOUND = {
    "attributes unknown",  # Kafka has no rule against it
    "marker of a later version",  # nor against that
    "transaction index of a later version, clean",  # and its content is right
    "transaction index of an older version, clean",
    "offset index empty, clean",  # an index may leave out anything
    # What is missing leaves no trace, if it was the oldest, the newest or all:
    "first segment missing",
    "first segment missing, clean",
    "last segment missing",
    "last segment missing, clean",  # a snapshot beyond the end is a notice
    "snapshot past the end",
    "snapshot past the end, clean",
    "all segments missing",
    "all segments missing, clean",
    "all segments missing, log start",
    "last snapshot missing, clean",
    "snapshots missing",
    "snapshots missing, clean",
    "snapshots missing, from a recovery point",
    "an empty folder",
    "an empty folder, log start",
    "an empty segment between",  # as a roll leaves one
    # Files that Kafka itself leaves behind are notices:
    "deleted files",
    "cleaned files",
    "a swap",
    "a swap, clean",
    "a swap of two segments, clean",
    "a swap above a cleaned",
    "a swap below a cleaned",
    "a shorter swap above a cleaned",
    "a shorter swap below a cleaned",
    "an index swap alone",
    "a torn swap",
    "a stranger's file",
    # These are about the log directory, not the partition:
    "epochs, log start within",
    "log start past the end",
    "log start past the end, clean",
    "log start at the end, clean",
}


def kinds(name: str) -> set[str]:
    return fsck(store_of(damaged(CASE[name]))).kinds()


def test_all_damage_that_leaves_a_trace_is_found() -> None:
    sound = {name for name in CASE if fsck(store_of(damaged(CASE[name]))).ok}

    assert sound == SOUND | {name for name in CASE if name.startswith("nothing")}


@pytest.mark.parametrize(
    ("case", "kind"),
    [
        ("offset index lying, clean", "lying offset index"),
        ("time index lying, clean", "lying time index"),
        ("transaction index missing, clean", "lying transaction index"),
        ("middle segment missing", "hole"),
        ("last offset delta large", "overlap"),
        ("base offset back a little", "overlap"),
        ("one written twice", "repeated batch"),
        ("base offset jumps", "hole"),
        ("base offset jumps, clean", "jumped offset"),
        ("base offset jumps far", "jumped offset"),
        ("base offset below the base", "jumped offset"),
        ("a segment under a wrong name", "offset below base"),
        ("bit under the CRC, clean", "bit rot"),
        ("magic 3", "header damage"),
        ("length -1, clean", "header damage"),
        ("leader epoch flipped, clean", "false epoch"),
        ("epoch file empty, clean", "epoch file"),
        ("epoch file malformed", "bad epoch file"),
        ("torn by 1, clean", "torn tail"),
        ("zeros after", "torn tail"),
        ("orphan indexes", "orphan file"),
        ("a swap", "leftover"),
        ("a stranger's file", "unknown file"),
        ("last snapshot with a bad CRC, clean", "bad snapshot"),
        ("snapshot a lie, clean", "lying snapshot"),
        ("stray snapshots, clean", "lying snapshot"),
        ("offset index missing", "missing index"),
        ("codec 5", "bad records"),
        ("count too large", "bad records"),
        ("marker of an unknown type", "bad records"),
        ("no transaction bit, one open", "producer"),
        ("a gap in the sequence", "producer"),
        ("producer epoch back", "producer"),
    ],
)
def test_each_kind_of_damage_has_its_name(case: str, kind: str) -> None:
    assert kind in kinds(case)


def test_what_kafka_does_is_said_for_every_kind() -> None:
    found = {kind for name in CASE for kind in kinds(name)}

    assert found <= KAFKA_DOES.keys()
    others = {"gap", "log start", "recovery point", "unreadable"}  # of other tests
    assert KAFKA_DOES.keys() == found | others
    assert KAFKA_DOES.keys() > NOTICES


def flipped(files: Files, bit: int) -> Files:
    """Return the files with one bit of all logs flipped, counted from the start."""
    at = bit // 8
    for name in sorted(name for name in files if name.endswith(".log")):
        if at < len(files[name]):
            data = bytearray(files[name])
            data[at] ^= 1 << bit % 8
            return {**files, name: bytes(data)}
        at -= len(files[name])
    raise ValueError(bit)


LOG_BITS = 8 * sum(
    len(data) for name, data in WRITTEN["clean"].items() if name.endswith(".log")
)


def check_flip(bit: int) -> None:
    files = flipped(WRITTEN["clean"], bit)
    copy = MemoryStore()
    report = fsck(store_of(files), repair_to=copy, config=CONFIG)
    assert not report.ok, bit
    assert files_of(copy) == WRITTEN["clean"], bit


def test_any_flipped_bit_of_a_log_is_found_and_flipped_back() -> None:
    """Also of offsets, lengths and epochs, which no CRC covers.

    The copy has all files that Kafka wrote, byte for byte. What proves an offset is
    what follows: at the log's end the snapshot of a clean stop.
    """
    for bit in range(5, LOG_BITS, 331):
        check_flip(bit)


@pytest.mark.slow
def test_every_flipped_bit_of_a_log_is_found_and_flipped_back() -> None:
    for bit in range(LOG_BITS):
        check_flip(bit)


def readable(files: Files) -> set[bytes]:
    """Return from the attributes on what is whole: a CRC covers no more."""
    found = set()
    for name, data in files.items():
        if ".log" in name and not name.endswith(".unreadable"):
            for at in positions_while_whole(data):
                found.add(data[at + 17 : at + unpack_header(data, at).size_bytes])
    return found


def positions_while_whole(data: bytes) -> list[int]:
    found, at = [], 0
    while at + 61 <= len(data):
        size = unpack_header(data, at).size_bytes
        if size < 61 or at + size > len(data):
            break
        found.append(at)
        at += size
    return found


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_a_repaired_copy_is_in_order_and_has_all_that_was_readable(
    case: Case,
) -> None:
    files = damaged(case)
    store, copy = store_of(files), MemoryStore()

    report = fsck(store, repair_to=copy, config=CONFIG)

    assert files_of(store) == files
    written = files_of(copy)
    sound = readable(WRITTEN["clean"])
    assert readable(written) >= readable(files) & sound
    again = fsck(copy)
    stays = {"bad records", "jumped offset", "producer"} & report.kinds()
    if "set aside" in str(report):
        stays |= {"hole", "producer"}
    assert again.kinds() <= stays | {"unknown file", "hole"}, str(again)
    load(copy, CONFIG, clean_shutdown=True)


def test_what_cannot_be_placed_or_read_is_kept_beside(tmp_path: Path) -> None:
    files = dict(WRITTEN["clean"])
    name = log_name(16)
    data = files[name]
    first, second, third = positions(data)[:3]
    rotten = bytearray(data)
    rotten[first + 70] ^= 0xFF
    twin = bytearray(data[second:third])
    twin[30] ^= 1  # another batch of the same offsets, its CRC right
    twin = bytearray(with_right_crc(bytes(twin)))
    rotten[third:third] = twin
    files[name] = bytes(rotten)

    report = fsck(store_of(files), repair_to=tmp_path / "copy", config=CONFIG)

    copy = FolderStore(tmp_path / "copy")
    assert bytes(copy.read(name + ".set-aside")) == bytes(twin)
    assert bytes(copy.read(name + ".unreadable")) == bytes(rotten[first:second])
    assert bytes(copy.read(name)) == data[second:]
    assert {"bit rot", "overlap"} <= report.kinds()
    assert "97 bytes of 00000000000000000016.log cannot be read" in report.repairs


@pytest.mark.parametrize(
    ("byte", "said"),
    [
        (7, "jumped offset at position {} of {} is mended: offset "),
        (16, "header damage at position {} of {} is mended: magic is 0"),
        (18, "bit rot at position {} of {} is mended: one bit of the CRC itself"),
        (70, "bit rot at position {} of {} is mended: bit 1 of byte 70 of the batch"),
    ],
)
def test_a_repair_says_what_was_mended_and_where(byte: int, said: str) -> None:
    files = dict(WRITTEN["clean"])
    name = log_name(16)
    second = positions(files[name])[1]
    damaged = bytearray(files[name])
    damaged[second + byte] ^= 2
    files[name] = bytes(damaged)
    report = fsck(store_of(files), repair_to=MemoryStore(), config=CONFIG)
    (first, last) = report.repairs
    assert first.startswith(said.format(second, name))
    assert last == "findings mended: 1; holes and overlaps that stay: 0"


@pytest.mark.parametrize("clean", [True, False])
def test_a_batch_after_a_hole_that_a_truncation_left_has_not_jumped(
    *, clean: bool
) -> None:
    """The truncation wrote a snapshot where the batch would end without the hole."""
    store = MemoryStore()
    log = PartitionLog(store, CONFIG, now_ms=0)
    log.append_as_leader(sent(1, 2, 3, 4, 5))
    log.truncate_to(3)
    log.append_as_leader(sent(1, 2, 3))
    log.flush()
    if clean:
        log.close()

    report = fsck(store)

    assert report.kinds() == {"hole"}
    assert report.findings[0].text == "no batch holds offsets 0 to 2"


def with_right_crc(batch: bytes) -> bytes:
    from crc32c import crc32c

    return batch[:17] + crc32c(batch[21:]).to_bytes(4, "big") + batch[21:]


def test_a_swap_whose_old_segments_are_gone_is_not_lost(tmp_path: Path) -> None:
    files = dict(WRITTEN["clean"])
    for suffix in (".log", ".index", ".timeindex", ".txnindex"):
        files[log_name(16, f"{suffix}.swap")] = files.pop(log_name(16, suffix))
    files[log_name(16, ".log.swap")] += files[log_name(32)]

    report = fsck(store_of(files), repair_to=tmp_path / "copy", config=CONFIG)

    assert report.kinds() == {"leftover"}
    copy = FolderStore(tmp_path / "copy")
    both = WRITTEN["clean"][log_name(16)] + WRITTEN["clean"][log_name(32)]
    assert bytes(copy.read(log_name(16))) == both
    assert log_name(32) not in copy.names()


def test_a_compacted_log_has_gaps_and_no_holes() -> None:
    """A batch that has fewer records than offsets shows what was done to it."""
    data = json_topic("compact_after_cleaning")

    report = fsck(store_of(data))

    assert report.ok
    assert "hole" not in report.kinds()


def json_topic(name: str) -> Files:
    import json

    file = Path(__file__).parent / "data" / "segments.json"
    topic = json.loads(file.read_text())["topics"][name]
    return {
        name: data.encode()
        if name == "leader-epoch-checkpoint"
        else bytes.fromhex(data)
        for name, data in topic["files"].items()
    }


def test_what_real_brokers_wrote_has_no_damage() -> None:
    import json

    file = Path(__file__).parent / "data" / "segments.json"
    for name in json.loads(file.read_text())["topics"]:
        report = fsck(store_of(json_topic(name)))
        assert report.ok, str(report)


def test_points_beside_the_folder_are_looked_up(tmp_path: Path) -> None:
    folder = tmp_path / "orders-0"
    store_of(WRITTEN["clean"], folder)
    points = "0\n2\norders 0 500\norders 1 7\n"
    (tmp_path / "recovery-point-offset-checkpoint").write_text(points)
    (tmp_path / "log-start-offset-checkpoint").write_text("0\n1\norders 0 63\n")

    report = fsck(folder)

    assert report.kinds() == {"recovery point", "log start"}
    assert fsck(folder, recovery_point=62, log_start_offset=62).ok


def test_a_folder_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(LogError, match="no folder"):
        fsck(tmp_path / "orders-0")
    assert not (tmp_path / "orders-0").exists()


def test_a_copy_is_never_written_over_anything(tmp_path: Path) -> None:
    store_of(WRITTEN["clean"], tmp_path / "orders-0")

    with pytest.raises(OutputError, match="not empty"):
        fsck(tmp_path / "orders-0", repair_to=tmp_path / "orders-0")


@given(st.data())
def test_whatever_the_bytes_a_report_comes(data: st.DataObject) -> None:
    names = st.sampled_from(
        [log_name(n, s) for n in (0, 7) for s in (".log", ".index", ".timeindex")]
        + [
            log_name(0, ".txnindex"),
            log_name(7, ".snapshot"),
            "leader-epoch-checkpoint",
        ]
    )
    files = data.draw(st.dictionaries(names, st.binary(max_size=200), max_size=5))

    str(fsck(store_of(files)))


def test_the_report_reads_as_a_table() -> None:
    report = fsck(store_of(damaged(CASE["offset index lying, clean"])))

    assert str(report) == LYING_REPORT


LYING_REPORT = """\
fsck of log: 4 segments, 23 batches, 62 records, offsets 0 to 61, 2,527 bytes
damage: 2 findings

kind                file                        position  offset  what
lying offset index  00000000000000000016.index         0      18  entry 0 points to \
158, where no batch begins
lying offset index  00000000000000000016.index         8      27  entry 1 points to \
400, where no batch begins

What Kafka does:
  lying offset index: never checks it: reads begin too late and skip records, or fail"""


def test_a_notice_is_no_damage() -> None:
    notice = Finding("leftover", "a.deleted", None, None, "was to be deleted")

    report = Report("orders-0", findings=(notice,))

    assert report.ok
    assert "no damage found; 1 notice" in str(report)
