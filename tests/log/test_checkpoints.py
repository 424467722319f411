"""Source of the formats: CheckpointFile and its kin, LogFileUtils (4.3)."""

import json
from pathlib import Path

import pytest

from kafkasim.errors import LogError
from kafkasim.log.checkpoints import (
    clean_shutdown_text,
    file_name,
    leader_epochs_text,
    meta_properties_text,
    offset_of,
    offsets_text,
    partition_metadata_text,
    read_clean_shutdown,
    read_leader_epochs,
    read_meta_properties,
    read_offsets,
    read_partition_metadata,
)

DATA = Path(__file__).parent / "data" / "segments.json"
BROKER = json.loads(DATA.read_text(encoding="utf-8"))


def test_names_have_twenty_digits() -> None:
    """Source: LogFileUtils."""
    assert file_name(0, ".log") == "00000000000000000000.log"
    assert file_name(2**63 - 1, ".index") == "09223372036854775807.index"
    assert offset_of("00000000000000000042.timeindex.deleted") == 42
    assert offset_of("7.log") == 7
    for name in ("leader-epoch-checkpoint", "log", ".log", "x1.log"):
        with pytest.raises(LogError, match="does not begin with an offset"):
            offset_of(name)


def test_a_brokers_offset_checkpoints_are_read_and_written() -> None:
    for name, text in BROKER["checkpoints"].items():
        offsets = read_offsets(text)
        assert offsets_text(offsets) == text or (name, text) == (
            "cleaner-offset-checkpoint",
            "",
        )

    assert (
        read_offsets(BROKER["checkpoints"]["replication-offset-checkpoint"])[
            "segments", 0
        ]
        == 60
    )


def test_a_brokers_leader_epochs_are_read_and_written() -> None:
    for topic in BROKER["topics"].values():
        text = topic["files"]["leader-epoch-checkpoint"]
        assert leader_epochs_text(read_leader_epochs(text)) == text
    assert read_leader_epochs("0\r\n2\n0 0 \n3  120") == [(0, 0), (3, 120)]


def test_an_empty_checkpoint_has_no_entries() -> None:
    """Source: CheckpointFile.CheckpointReadBuffer.read."""
    assert read_leader_epochs("") == read_leader_epochs("0\n") == []
    assert read_leader_epochs(leader_epochs_text([])) == []


@pytest.mark.parametrize(
    "text",
    [
        *("1\n0\n", "x\n0\n", "0\nx\n", "0\n1\n", "0\n1\n0 0\n1 5\n"),
        *("0\n1\n0\n", "0\n1\n0 0 0\n", "0\n1\n0 x\n", "0\n1\n\n", "0\n1\n 0 0\n"),
        *("0\n1\n0 1_0\n", "0\n1\n0\u20280\n"),
    ],
)
def test_a_malformed_checkpoint_does_not_open(text: str) -> None:
    with pytest.raises(LogError, match="KAFKA_STORAGE_ERROR"):
        read_leader_epochs(text)


def test_partition_metadata() -> None:
    """Sources: PartitionMetadata.encode, PartitionMetadataReadBuffer."""
    text = partition_metadata_text("Xy1-_aBcDeFgHiJkLmNoPq")

    assert text == "version: 0\ntopic_id: Xy1-_aBcDeFgHiJkLmNoPq"
    assert read_partition_metadata(text) == "Xy1-_aBcDeFgHiJkLmNoPq"
    assert read_partition_metadata("version:  7\ntopic_id: a\nmore") == "a"
    for bad in (
        "",
        "version: 0",
        "version: x\ntopic_id: a",
        "version: -1\ntopic_id: a",
    ):
        with pytest.raises(LogError, match="KAFKA_STORAGE_ERROR"):
            read_partition_metadata(bad)
    with pytest.raises(LogError, match="no topic's id"):
        read_partition_metadata(partition_metadata_text("A" * 22))


def test_the_marker_of_a_clean_stop() -> None:
    """Source: CleanShutdownFileHandler."""
    assert clean_shutdown_text(5) == '{"version":0,"brokerEpoch":5}'
    assert read_clean_shutdown(clean_shutdown_text()) == -1
    for text in ("", "{", "[]", "{}", '{"brokerEpoch": null}'):
        assert read_clean_shutdown(text) is None


def test_meta_properties() -> None:
    """Source: MetaProperties, version 1."""
    text = "#\n#Thu Nov 26 13:00:00 UTC 2026\n! x\n\n" + meta_properties_text(
        "c", 1, "d"
    )

    assert read_meta_properties(text) == {
        "cluster.id": "c",
        "directory.id": "d",
        "node.id": "1",
        "version": "1",
    }
