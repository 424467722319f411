"""What dump and fsck print, to a pipe and to a terminal, and how they end."""

import sys
from pathlib import Path

import pytest

from kafkasim.cli import dumping
from kafkasim.cli.main import main
from kafkasim.config.topic import TopicConfig
from kafkasim.log.contents import ByteBatch
from kafkasim.log.dump_text import dump_lines
from kafkasim.log.partition_log import PartitionLog
from kafkasim.log.record import Record
from kafkasim.log.store import FolderStore
from tests.protocol.groups.coordinator_data import log_of
from tests.protocol.groups.test_record_json import PRINTED

Captured = pytest.CaptureFixture[str]

LOG = "00000000000000000000.log"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a partition's folder with two segments, three batches each or less."""
    path = tmp_path / "orders-0"
    config = TopicConfig(internal_segment_bytes=300, index_interval_bytes=50)
    log: PartitionLog[ByteBatch] = PartitionLog(FolderStore(path), config)
    for at in range(5):
        log.append([Record(1_000 + at, b"k\x1b[2J", b"value %d" % at)])
    log.advance_high_watermark(5)
    log.close()
    return path


def terminal(monkeypatch: pytest.MonkeyPatch, **environment: str) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    for name in ("NO_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)


def test_a_folder_is_dumped_file_by_file(folder: Path, capsys: Captured) -> None:
    assert main(["dump", str(folder), "--print-data-log"]) == 0
    out, err = capsys.readouterr()
    assert out == "".join(
        f"{line}\n" for line in dump_lines(folder, print_data_log=True)
    )
    assert "key: k\x1b[2J payload: value 4" in out
    assert err == ""


def test_without_the_option_there_are_no_records(
    folder: Path, capsys: Captured
) -> None:
    assert main(["dump", str(folder / LOG)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"Dumping {folder / LOG}"
    assert not [line for line in lines if line.startswith("|")]


def test_a_terminal_is_not_commanded_by_a_key(
    folder: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal(monkeypatch)
    assert main(["dump", str(folder), "--print-data-log"]) == 0
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert r"key: k\x1b[2J payload: value 4" in out


def test_what_does_not_fit_is_said_on_stderr(folder: Path, capsys: Captured) -> None:
    index = folder / "00000000000000000000.index"
    data = bytearray(index.read_bytes())
    data[3] = 77
    index.write_bytes(data)
    assert main(["dump", str(folder)]) == 0
    err = capsys.readouterr().err
    assert err.splitlines()[0] == f"Mismatches in :{index}"
    assert "  Index offset: 77, log offset: 1" in err.splitlines()


def test_a_batch_is_shown_byte_by_byte(folder: Path, capsys: Captured) -> None:
    assert main(["dump", str(folder), "--anatomy", "--batch", "4"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("batch 4 (there are 0 to 4): 0000000000000000000")
    assert lines[0].endswith(", offset 4")
    columns = [line.split() for line in lines]
    shown = {int(row[0]) for row in columns if row and row[0].isdecimal()}
    size = int(lines[0].split(" bytes, ")[0].rsplit(" ", 1)[1])
    assert {0, 8, 12, 16, 17, 21, 61} <= shown
    assert max(shown) < size
    hexed = "".join(line[9:33] for line in lines[3:] if line[:6].strip().isdecimal())
    assert len(bytes.fromhex(hexed)) == size
    crc = next(line for line in lines if "CRC" in line)
    assert crc.endswith(f"CRC-32C of bytes 21 to {size - 1}: fits")
    assert crc[7] == " "
    assert lines[8][7] == "|"
    assert "\x1b" not in "\n".join(lines)


@pytest.mark.parametrize(
    ("environment", "coloured"),
    [({}, True), ({"NO_COLOR": "1"}, False), ({"TERM": "dumb"}, False)],
)
@pytest.mark.skipif(sys.platform == "win32", reason="by the console's own variable")
def test_a_terminal_has_colours_unless_it_wants_none(
    folder: Path,
    capsys: Captured,
    monkeypatch: pytest.MonkeyPatch,
    environment: dict[str, str],
    *,
    coloured: bool,
) -> None:
    assert main(["dump", str(folder), "--anatomy"]) == 0
    plain = capsys.readouterr().out
    terminal(monkeypatch, **environment)
    assert main(["dump", str(folder), "--anatomy"]) == 0
    out = capsys.readouterr().out
    assert ("\x1b[" in out) == coloured
    for code in {"0", dumping._WRONG, dumping._FAINT, *dumping._COLOURS.values()}:
        out = out.replace(f"\x1b[{code}m", "")
    assert [line.rstrip() for line in out.splitlines()] == plain.splitlines()


def test_a_changed_byte_is_shown_where_the_crc_stands(
    folder: Path, capsys: Captured
) -> None:
    log = folder / LOG
    data = bytearray(log.read_bytes())
    data[70] ^= 1
    log.write_bytes(data)
    assert main(["dump", str(log), "--anatomy"]) == 0
    assert "does NOT fit: they give 0x" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (["gone"], "there is no such file"),
        (["notes.txt"], "no file ends in .log, .index"),
        ([".", "--batch", "1"], "nothing, without --anatomy"),
        (
            ["orders-0", "--anatomy", "--batch", "5"],
            "5 is not allowed; expected 0 to 4",
        ),
        (["orders-0", "--anatomy", "--batch", "-1"], "expected a whole number, 0 or"),
        (["empty"], "no file ends in"),
    ],
)
def test_what_cannot_be_dumped_ends_with_2(
    folder: Path,
    capsys: Captured,
    monkeypatch: pytest.MonkeyPatch,
    asked: list[str],
    said: str,
) -> None:
    monkeypatch.chdir(folder.parent)
    Path("notes.txt").write_text("no log", encoding="utf-8")
    Path("empty").mkdir()
    assert main(["dump", *asked]) == 2
    out, err = capsys.readouterr()
    assert said in err
    assert out == ""
    assert not Path("gone").exists()


def test_a_sound_folder_has_no_findings(folder: Path, capsys: Captured) -> None:
    assert main(["fsck", str(folder)]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("fsck of orders-0: 2 segments, 5 batches, 5 records")
    assert "no damage found" in out
    assert err == ""


def test_damage_ends_with_1_and_a_copy_is_repaired(
    folder: Path, tmp_path: Path, capsys: Captured
) -> None:
    log = folder / LOG
    data = bytearray(log.read_bytes())
    data[70] ^= 1
    log.write_bytes(data)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    new = tmp_path / "repaired-0"
    assert main(["fsck", str(folder), "--repair-to", str(new)]) == 1
    out, err = capsys.readouterr()
    assert "bit rot" in out
    assert err == f"kafkasim: {folder} is damaged; a repaired copy is in {new}\n"
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert main(["fsck", str(new)]) == 0
    assert main(["fsck", str(folder)]) == 1
    assert capsys.readouterr().err == f"kafkasim: {folder} is damaged\n"


def test_fsck_of_what_is_no_folder_and_into_a_full_one(
    folder: Path, capsys: Captured
) -> None:
    assert main(["fsck", str(folder / LOG)]) == 2
    assert "expected a partition's folder" in capsys.readouterr().err
    assert main(["fsck", str(folder), "--repair-to", str(folder)]) == 1
    assert "not empty" in capsys.readouterr().err


def test_the_offsets_topic_is_shown_in_words(
    tmp_path: Path, capsys: Captured, folder: Path
) -> None:
    where = tmp_path / "__consumer_offsets-1"
    where.mkdir()
    (where / LOG).write_bytes(log_of(1))
    assert main(["dump", str(where), "--offsets-decoder"]) == 0
    lines = capsys.readouterr().out.splitlines()
    records = [line for line in lines if line.startswith("| ")]
    assert [line.partition(" key: ")[2] for line in records] == [
        f"{key} payload: {value}" for key, value in PRINTED["log"]["1"]
    ]
    assert main(["dump", str(folder), "--offsets-decoder"]) == 0
    decoded = capsys.readouterr().out
    assert main(["dump", str(folder), "--print-data-log"]) == 0
    assert decoded == capsys.readouterr().out
