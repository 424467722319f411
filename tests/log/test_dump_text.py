"""What Kafka's own tool prints of a partition's files, line for line."""

import json
from pathlib import Path
from typing import Any

import pytest

from kafkasim.log.dump_text import dump_lines, text_of
from kafkasim.log.encode import control_batch, encode_batch
from kafkasim.log.record import Record
from kafkasim.log.store import FolderStore, MemoryStore
from tests.log.broker_files import TOPICS, partition

LOG = "00000000000000000000.log"
DAMAGED: dict[str, Any] = json.loads(
    (Path(__file__).parent / "data" / "dumps.json").read_text(encoding="utf-8")
)


def store_of(files: dict[str, bytes]) -> MemoryStore:
    store = MemoryStore()
    for name, data in files.items():
        store.write(name, data)
    return store


def damaged(case: str) -> MemoryStore:
    files = DAMAGED[case]["files"]
    return store_of({name: bytes.fromhex(said) for name, said in files.items()})


@pytest.mark.parametrize("topic", TOPICS)
def test_a_real_brokers_files_are_dumped_as_its_tool_dumps_them(topic: str) -> None:
    got = dump_lines(store_of(partition(topic)), print_data_log=True)
    assert list(got) == TOPICS[topic]["dump"]


@pytest.mark.parametrize("case", DAMAGED)
@pytest.mark.parametrize("kind", ["records", "batches"])
def test_damaged_files_are_dumped_as_kafkas_tool_dumps_them(
    case: str, kind: str
) -> None:
    truth = DAMAGED[case]
    if kind in truth:
        got = dump_lines(damaged(case), print_data_log=kind == "records")
        assert list(got) == truth[kind]["stdout"]


def test_without_the_option_there_is_no_line_of_a_record() -> None:
    lines = list(dump_lines(store_of(partition("plain"))))
    assert sum(line.startswith("baseOffset") for line in lines) == 3
    assert not [line for line in lines if line.startswith("|")]


def test_names_in_a_folder_come_with_the_folder(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "plain-0")
    for name, data in partition("plain").items():
        store.write(name, data)
    store.write("notes.log", b"no file of a segment")
    folder = tmp_path / "plain-0"
    lines = list(dump_lines(folder))
    assert [line for line in lines if line.startswith("Dumping")] == [
        f"Dumping {folder / name}"
        for name in sorted(partition("plain"))
        if "checkpoint" not in name
    ]
    assert f"{folder / '00000000000000000000.index'} is empty." in lines
    one = list(dump_lines(folder / LOG))
    assert one == lines[2 : 2 + len(one)]


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"gone is neither a folder nor a file"):
        list(dump_lines(tmp_path / "gone"))
    assert list(tmp_path.iterdir()) == []


def test_bytes_that_are_no_batch_are_counted() -> None:
    files = {LOG: partition("plain")[LOG] + b"\xff" * 30}
    lines = list(dump_lines(store_of(files)))
    assert lines[-1] == f"Found 30 invalid bytes at the end of {LOG}"


def test_a_batch_whose_records_are_none_has_its_own_line_only() -> None:
    data = bytearray(partition("plain")[LOG])
    data[127 + 61] = 0x70  # the first record of the second batch says 56 bytes
    lines = list(dump_lines(store_of({LOG: bytes(data)}), print_data_log=True))
    assert [line.split()[2] for line in lines if line.startswith("|")] == [
        *("0", "1", "2"),
        *("6", "7", "8"),
    ]
    assert sum("isvalid: false" in line for line in lines) == 1


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (0, "endTxnMarker: ABORT coordinatorEpoch: 7"),
        (1, "endTxnMarker: COMMIT coordinatorEpoch: 7"),
        (2, "controlType: LEADER_CHANGE(2)"),
        (99, "controlType: UNKNOWN(99)"),
    ],
)
def test_a_control_record_says_which(number: int, said: str) -> None:
    marker = bytearray(
        control_batch(
            "commit",
            base_offset=5,
            timestamp_ms=3,
            producer_id=1,
            producer_epoch=0,
            coordinator_epoch=7,
        )
    )
    at = bytes(marker).index(b"\x08\x00\x00\x00\x01") + 1
    marker[at + 3] = number
    (line,) = [
        line
        for line in dump_lines(store_of({LOG: bytes(marker)}), print_data_log=True)
        if line.startswith("|")
    ]
    assert line.endswith(f"headerKeys: [] {said}")


def test_what_the_broker_stamped_is_called_so_and_sequences_wrap() -> None:
    batch = encode_batch(
        [Record(1, b"a", b"b"), Record(2, b"c", b"d")],
        log_append_time_ms=50,
        producer_id=3,
        producer_epoch=0,
        base_sequence=2_147_483_647,
    )
    lines = list(dump_lines(store_of({LOG: batch}), print_data_log=True))[2:]
    assert "lastSequence: 0 " in lines[0]
    assert "LogAppendTime: 50 size" in lines[0]
    assert "LogAppendTime: 50 keySize: 1" in lines[1]
    assert [line.split("sequence: ")[1][:11] for line in lines[1:]] == [
        "2147483647 ",
        "0 headerKey",
    ]


def test_half_a_surrogate_pair_is_one_replacement_as_in_java() -> None:
    assert text_of(b"\xed\xa0\x80z") == "\N{REPLACEMENT CHARACTER}z"
    assert text_of(b"\xed\xa0z") == "\N{REPLACEMENT CHARACTER}z"
    assert text_of("이름".encode()) == "이름"


def test_an_entry_with_the_base_offset_ends_an_index_but_for_the_first() -> None:
    files = {"00000000000000000000.index": bytes(24), LOG: b""}
    lines = list(dump_lines(store_of(files)))
    assert lines[1:3] == ["offset: 0 position: 0", f"Dumping {LOG}"]
