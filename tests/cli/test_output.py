from pathlib import Path

import pytest

from kafkasim.cli.output import numbered, unused
from kafkasim.errors import OutputError


def test_a_name_that_is_taken_gets_the_first_free_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert numbered("demo") == Path("demo")
    Path("demo").mkdir()
    assert numbered("demo") == Path("demo-2")
    Path("demo-2").mkdir()
    assert numbered("demo") == Path("demo-3")


def test_a_folder_is_unused_when_it_is_missing_or_empty(tmp_path: Path) -> None:
    assert unused(tmp_path) == tmp_path
    assert unused(tmp_path / "new") == tmp_path / "new"
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="is not empty; name another folder, or not"):
        unused(tmp_path, hint=", or not")
