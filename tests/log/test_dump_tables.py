"""A log's files as tables: what is in them, and nothing else."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from kafkasim.config.topic import TopicConfig
from kafkasim.log.contents import ByteBatch
from kafkasim.log.dump_tables import TABLES, dump
from kafkasim.log.partition_log import PartitionLog
from kafkasim.log.record import Record
from kafkasim.log.store import FolderStore
from tests.log.broker_files import TOPICS, partition, sent
from tests.log.test_dump_text import LOG, store_of


@pytest.mark.parametrize("topic", TOPICS)
def test_every_table_has_its_columns_equally_long(topic: str) -> None:
    tables = dump(store_of(partition(topic)))
    assert list(tables) == list(TABLES)
    for name, table in tables.items():
        assert tuple(table) == TABLES[name]
        assert len({len(column) for column in table.values()}) == 1
        assert len(pd.DataFrame(table)) == len(table[TABLES[name][0]])


def test_records_are_those_that_were_sent() -> None:
    records = dump(store_of(partition("headers")))["records"]
    (batch,) = sent("headers")
    assert records["key"] == [record.key for record in batch]
    assert records["value"] == [record.value for record in batch]
    assert records["headers"] == [record.headers for record in batch]
    assert records["timestamp_ms"].tolist() == [r.timestamp_ms for r in batch]
    assert records["offset"].tolist() == [0, 1, 2, 3]


def test_segments_hold_their_batches_and_index_entries() -> None:
    tables = dump(store_of(partition("compact")))
    segments = pd.DataFrame(tables["segments"])
    assert segments["base_offset"].tolist() == [0, 24, 48]
    assert segments["next_offset"].tolist() == [24, 48, 64]
    assert segments["size_bytes"].tolist() == [836, 842, 578]
    assert segments["batch_count"].tolist() == [6, 6, 4]
    assert segments["record_count"].tolist() == [24, 24, 16]
    assert segments["max_timestamp_ms"].tolist()[0] == 1_700_000_005_003
    assert not segments["deleted"].any()
    batches = pd.DataFrame(tables["batches"])
    sizes = batches.groupby("segment")["size_bytes"].sum()
    assert sizes.tolist() == segments["size_bytes"].tolist()
    assert batches["valid"].all()
    entries = pd.DataFrame(tables["offset_index"])
    assert entries[entries["segment"] == 24]["position"].tolist()[:2] == [145, 281]
    assert tables["time_index"]["offset"].tolist()[:2] == [7, 11]
    assert tables["leader_epochs"]["start_offset"].tolist() == [0]
    assert tables["producers"]["snapshot"].tolist() == [24, 48, 64]


def test_transactions_have_their_markers_and_aborts() -> None:
    tables = dump(store_of(partition("transactions")))
    control = tables["records"]["control"]
    assert tables["records"]["offset"][control].tolist() == [2, 8, 10, 14, 17, 18]
    assert tables["aborted"]["last_offset"].tolist() == [8, 14, 17, 18]


def test_a_changed_batch_is_not_valid_and_one_that_is_none_has_no_records() -> None:
    data = bytearray(partition("plain")[LOG])
    data[100] ^= 1
    data[127 + 61] = 0x70
    tables = dump(store_of({LOG: bytes(data) + b"\xff" * 30}))
    assert tables["batches"]["valid"].tolist() == [False, False, True]
    assert tables["records"]["batch"].tolist() == [0, 0, 0, 2, 2, 2]
    assert tables["segments"]["invalid_bytes"].tolist() == [30]


def test_a_folder_a_file_and_a_log_that_is_open(tmp_path: Path) -> None:
    folder = tmp_path / "orders-0"
    config = TopicConfig(internal_segment_bytes=400, index_interval_bytes=100)
    log: PartitionLog[ByteBatch] = PartitionLog(FolderStore(folder), config)
    for at in range(12):
        log.append([Record(at, b"k", bytes(50))])
    log.advance_high_watermark(12)
    opened = dump(log)
    assert opened["records"]["offset"].tolist() == list(range(12))
    assert len(opened["segments"]["base_offset"]) == len(log.segments) > 2
    entries = {
        (segment.base_offset, *segment.offset_index.entry(number))
        for segment in log.segments
        for number in range(segment.offset_index.entry_count)
    }
    columns = (opened["offset_index"][name].tolist() for name in TABLES["offset_index"])
    assert set(zip(*columns, strict=True)) == entries
    assert len(entries) > 2
    log.close()
    closed = dump(folder)
    assert closed["records"]["offset"].tolist() == list(range(12))
    one = dump(folder / LOG)
    assert one["segments"]["base_offset"].tolist() == [0]
    assert not len(one["producers"]["snapshot"])
    with pytest.raises(FileNotFoundError):
        dump(tmp_path / "gone-0")


def test_a_segment_that_waits_for_its_deletion_is_a_row_of_segments_only() -> None:
    config = TopicConfig(internal_segment_bytes=400)
    log: PartitionLog[ByteBatch] = PartitionLog(config=config)
    for at in range(12):
        log.append([Record(at, b"k", bytes(50))])
    log.advance_high_watermark(12)
    base = log.segments[1].base_offset
    log.delete_records(base)
    log.delete_old_segments(12)
    tables = dump(log)
    deleted = tables["segments"]["deleted"]
    assert tables["segments"]["base_offset"][deleted].tolist() == [0]
    assert tables["segments"]["next_offset"][deleted].tolist() == [base]
    assert int(tables["batches"]["base_offset"].min()) == base
    assert np.isin(
        tables["records"]["segment"], tables["segments"]["base_offset"]
    ).all()


@pytest.mark.parametrize("interval", [0, 4_096])
def test_the_zeros_of_an_open_index_are_no_entry(interval: int) -> None:
    log: PartitionLog[ByteBatch] = PartitionLog(
        config=TopicConfig(index_interval_bytes=interval)
    )
    log.append([Record(0, b"k", b"v")])
    opened = dump(log)
    assert opened["offset_index"]["offset"].tolist() == []
    assert opened["time_index"]["offset"].tolist() == []
    log.close()  # the time index then gets the segment's largest timestamp, here 0
    closed = dump(log.store)
    assert closed["offset_index"]["offset"].tolist() == []
    assert closed["time_index"]["offset"].tolist() == [0]
