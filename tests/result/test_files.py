import json
import zipfile
from pathlib import Path

import numpy as np
import pytest

from kafkasim.errors import ChangedFileError
from kafkasim.result.files import (
    read_summary,
    read_tables,
    write_summary,
    write_tables,
)
from kafkasim.result.folder import new_folder
from kafkasim.result.schema import TABLES
from kafkasim.testing.builders import small_result

_RESULT = small_result(
    [{"key": "ключ", "intended_ms": 1.5}, {"key": None}], links=[{"moved_bytes": 7}]
)
_TABLES = {name: _RESULT.columns(name) for name in _RESULT.tables}
_ROWS = {name: len(table) for name, table in _TABLES.items()}


def test_tables_read_back_equal(tmp_path: Path) -> None:
    write_tables(tmp_path, _TABLES)
    assert read_tables(tmp_path, _ROWS) == _TABLES


def test_anything_that_reads_numpy_archives_reads_a_table(tmp_path: Path) -> None:
    write_tables(tmp_path, _TABLES)
    with np.load(tmp_path / "records.npz", allow_pickle=False) as archive:
        assert archive.files == [column.name for column in TABLES["records"]]
        assert archive["intended_ns"].tolist()[0] == 1_500_000


def test_labels_are_plain_text(tmp_path: Path) -> None:
    write_tables(tmp_path, _TABLES)
    text = (tmp_path / "labels.json").read_text(encoding="utf-8")
    assert "ключ" in text
    assert json.loads(text)["records"]["key"] == ["ключ"]


def test_archives_carry_no_dates(tmp_path: Path) -> None:
    write_tables(tmp_path, _TABLES)
    with zipfile.ZipFile(tmp_path / "links.npz") as archive:
        dates = {member.date_time for member in archive.infolist()}
    assert dates == {(1980, 1, 1, 0, 0, 0)}


def test_a_summary_comes_back_with_the_versions_it_was_made_with(
    tmp_path: Path,
) -> None:
    with new_folder(tmp_path / "out") as folder:
        write_summary(folder, {"rows": {}})
        for name in ("scenario.toml", "plan.npz", "labels.json"):
            (folder / name).touch()
    summary = read_summary(tmp_path / "out")
    assert summary["rows"] == {}
    assert summary["versions"]["schema"] == 2
    assert summary["versions"]["numpy"] == np.__version__


def test_a_table_that_the_sums_do_not_list_is_named(tmp_path: Path) -> None:
    with new_folder(tmp_path / "out") as folder:
        write_summary(folder, {"rows": {"records": 2}})
        for name in ("scenario.toml", "plan.npz", "labels.json"):
            (folder / name).touch()
    with pytest.raises(ChangedFileError, match=r"does not list records\.npz"):
        read_summary(tmp_path / "out")
