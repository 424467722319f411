from pathlib import Path

import pytest

from kafkasim.cli.main import main

Captured = pytest.CaptureFixture[str]


def test_it_says_of_each_file_what_became_of_it_and_where_to_begin(
    tmp_path: Path, capsys: Captured
) -> None:
    assert main(["lessons", str(tmp_path / "mine"), "03"]) == 0

    (first, second, _, last) = capsys.readouterr().out.splitlines()
    assert first == "03-partitions-and-order.ipynb: copied"
    assert second == "glossary.md: copied"
    assert last.endswith(f"begin with {tmp_path / 'mine' / first.partition(':')[0]}")


def test_a_changed_file_is_kept_named_and_ends_with_1(
    tmp_path: Path, capsys: Captured
) -> None:
    main(["lessons", str(tmp_path), "03"])
    file = tmp_path / "glossary.md"
    file.write_text("mine", encoding="utf-8")
    capsys.readouterr()

    assert main(["lessons", str(tmp_path), "03", "--solutions"]) == 1

    said = capsys.readouterr()
    assert "03-partitions-and-order.ipynb: updated\n" in said.out
    assert "glossary.md: kept: it was changed\n" in said.out
    assert said.err.startswith("kafkasim: glossary.md: not overwritten, since it was ")
    assert file.read_text(encoding="utf-8") == "mine"


def test_only_the_folder_is_said_to_be_missing(capsys: Captured) -> None:
    assert main(["lessons"]) == 2
    assert capsys.readouterr().err.endswith("are required: DIR\n")


def test_an_unknown_lesson_and_a_file_for_a_folder_end_with_2(
    tmp_path: Path, capsys: Captured
) -> None:
    assert main(["lessons", str(tmp_path), "99"]) == 2
    assert "LESSON: '99' is not allowed; expected one of " in capsys.readouterr().err
    (tmp_path / "file").touch()
    assert main(["lessons", str(tmp_path / "file")]) == 2
    assert "DIR: " in capsys.readouterr().err
