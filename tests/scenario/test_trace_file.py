from pathlib import Path

import numpy as np
import pytest

from kafkasim.errors import ChangedFileError, OutputError, TraceError
from kafkasim.scenario.trace_file import read_arrays, write_arrays


def test_header_and_arrays_come_back(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    write_arrays(path, {"name": "Zürich"}, {"times_ns": np.array([1, 2])})

    header, arrays = read_arrays(path)

    assert header == {"format": 1, "name": "Zürich"}
    assert list(arrays) == ["times_ns"]
    assert arrays["times_ns"].tolist() == [1, 2]


def test_the_same_content_gives_the_same_bytes(tmp_path: Path) -> None:
    first, second = tmp_path / "a.npz", tmp_path / "b.npz"
    for path in (first, second):
        write_arrays(path, {"name": "a"}, {"times_ns": np.arange(1000)})

    assert first.read_bytes() == second.read_bytes()


def test_a_file_is_replaced_and_nothing_else_is_left(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    path.write_text("old")

    write_arrays(path, {}, {})

    assert [each.name for each in tmp_path.iterdir()] == ["a.npz"]
    assert read_arrays(path) == ({"format": 1}, {})


def test_a_folder_that_is_not_there_is_an_output_error(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"cannot write the trace .*No such file"):
        write_arrays(tmp_path / "none" / "a.npz", {}, {})


def test_a_failed_write_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_args: object, **_kwargs: object) -> None:
        raise OSError(28, "No space left on device")

    path = tmp_path / "a.npz"
    path.write_text("old")
    monkeypatch.setattr(np, "savez_compressed", full)

    with pytest.raises(OutputError, match="No space left on device"):
        write_arrays(path, {}, {})

    assert [each.name for each in tmp_path.iterdir()] == ["a.npz"]
    assert path.read_text() == "old"


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(TraceError, match=r"cannot read the trace .*none\.npz"):
        read_arrays(tmp_path / "none.npz")


@pytest.mark.parametrize("body", [b"", b"no trace", b"PK\x05\x06" + bytes(18)])
def test_what_is_no_trace_is_a_changed_file(tmp_path: Path, body: bytes) -> None:
    path = tmp_path / "a.npz"
    path.write_bytes(body)

    with pytest.raises(ChangedFileError, match=r"a\.npz is damaged or no trace"):
        read_arrays(path)


def test_a_single_array_is_no_trace(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    with path.open("wb") as file:
        np.save(file, np.arange(3))

    with pytest.raises(ChangedFileError):
        read_arrays(path)


def test_a_cut_or_altered_file_is_a_changed_file(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    write_arrays(path, {"name": "a"}, {"times_ns": np.arange(1000) ** 2})
    body = path.read_bytes()

    for altered in (body[:-10], body[:400] + bytes([body[400] ^ 255]) + body[401:]):
        path.write_bytes(altered)
        with pytest.raises(ChangedFileError):
            read_arrays(path)


def test_another_format_is_said(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    write_arrays(path, {"format": 9}, {})

    with pytest.raises(ChangedFileError, match="has format 9, this version reads 1"):
        read_arrays(path)
