"""What README says to type, typed; what it says comes of it, compared."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
KOREAN = (ROOT / "README.ko.md").read_text(encoding="utf-8")
BOTH = pytest.mark.parametrize("readme", [README, KOREAN], ids=["en", "ko"])


def block(language: str) -> str:
    (text,) = re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)
    return str(text)


def test_the_ten_lines_print_what_stands_below_them(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", block("python")],
        check=True,
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )

    assert done.stdout == block("text")
    assert done.stderr == ""
    assert list(tmp_path.iterdir()) == []


def test_they_are_ten_lines() -> None:
    lines = [line for line in block("python").splitlines() if line.strip()]

    assert len(lines) == 10


@BOTH
def test_every_file_it_names_is_there(readme: str) -> None:
    named = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", readme)

    assert len(named) >= 8
    assert [path for path in named if not (ROOT / path).exists()] == []


@BOTH
def test_the_commands_are_those_of_run_py(readme: str) -> None:
    commands = set(re.findall(r"python3 run\.py (\w+)", readme))
    help_text = (ROOT / "run.py").read_text(encoding="utf-8")

    assert {"demo", "test"} <= commands
    assert [name for name in commands if f"run.py {name}" not in help_text] == []


def test_each_readme_leads_to_the_other() -> None:
    assert "](README.ko.md)" in README
    assert "](README.md)" in KOREAN


def test_the_korean_one_is_a_screen_and_leads_to_what_is_in_korean() -> None:
    places = set(re.findall(r"\]\(([^)]+)\)", KOREAN))

    assert {
        "notebooks/ko/01-start-here.ipynb",
        "docs/ko/what-the-primer-says.md",
        "docs/reference/glossary.md#in-korean",
    } <= places
    assert len(re.findall(r"!\[", KOREAN)) == 1
    assert len(KOREAN.splitlines()) <= 60


def test_both_have_the_same_two_commands() -> None:
    commands = [
        re.findall(r"^python3 run\.py \w+", text, re.MULTILINE)
        for text in (README, KOREAN)
    ]

    assert commands[0][:2] == commands[1]
