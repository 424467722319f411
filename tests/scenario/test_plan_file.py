from pathlib import Path

import numpy as np
import pytest

from kafkasim.errors import ChangedFileError
from kafkasim.scenario.plan_file import read_columns, write_columns


def test_header_and_columns_are_read_back(tmp_path: Path) -> None:
    path = tmp_path / "x.npz"

    write_columns(path, {"seed": 7}, {"a.0": np.arange(3)})
    header, columns = read_columns(path)

    assert header == {"file_version": 1, "seed": 7}
    assert columns["a.0"].tolist() == [0, 1, 2]
    assert [each.name for each in tmp_path.iterdir()] == ["x.npz"]


def test_the_same_content_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_columns(tmp_path / name, {"seed": 7}, {"a.0": np.arange(3)})

    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_damaged_file_is_an_error(tmp_path: Path) -> None:
    whole = tmp_path / "whole"
    write_columns(whole, {}, {"a": np.arange(1000)})
    content = whole.read_bytes()

    for name, damaged in {
        "empty": b"",
        "short": content[:-100],
        "text": b"kafkasim = 1\n",
        "flipped": content[:200] + bytes([content[200] ^ 1]) + content[201:],
    }.items():
        (tmp_path / name).write_bytes(damaged)
        with pytest.raises(ChangedFileError):
            read_columns(tmp_path / name)


def test_another_version_is_an_error(tmp_path: Path) -> None:
    write_columns(tmp_path / "x", {"file_version": 99}, {})

    with pytest.raises(ChangedFileError, match="version 99"):
        read_columns(tmp_path / "x")


def test_a_missing_file_is_missing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_columns(tmp_path / "x")
