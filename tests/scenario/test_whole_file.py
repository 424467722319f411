"""Files are written whole or not at all, readable as any other."""

from pathlib import Path

import pytest

from kafkasim.scenario.whole_file import whole_file


def test_a_file_takes_the_place_of_the_one_that_stood_there(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    target.write_text("old")
    with whole_file(target) as unfinished:
        unfinished.write_text("new")
        assert target.read_text() == "old"
    assert target.read_text() == "new"
    assert list(tmp_path.iterdir()) == [target]


def test_a_failure_leaves_what_stood_there_and_nothing_beside_it(
    tmp_path: Path,
) -> None:
    target = tmp_path / "a.txt"
    target.write_text("old")

    def fails() -> None:
        with whole_file(target) as unfinished:
            unfinished.write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fails()
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_it_may_be_read_by_whom_any_new_file_may(tmp_path: Path) -> None:
    other = tmp_path / "other.txt"
    other.write_text("")
    target = tmp_path / "a.txt"
    with whole_file(target) as unfinished:
        unfinished.write_text("new")
    assert target.stat().st_mode == other.stat().st_mode
