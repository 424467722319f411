"""What README says to type, typed; what it says comes of it, compared."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


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


def test_every_file_it_names_is_there() -> None:
    named = re.findall(r"\]\(([^)#:]+)\)", README)

    assert len(named) >= 10
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_the_commands_are_those_of_run_py() -> None:
    commands = set(re.findall(r"python3 run\.py (\w+)", README))
    help_text = (ROOT / "run.py").read_text(encoding="utf-8")

    assert {"demo", "test"} <= commands
    assert [name for name in commands if f"run.py {name}" not in help_text] == []
