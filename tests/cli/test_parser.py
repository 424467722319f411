import argparse
from pathlib import Path

import pytest

from kafkasim.cli.parser import parser

REFERENCE = Path(__file__).parents[2] / "docs" / "reference" / "cli.md"


def commands() -> dict[str, argparse.ArgumentParser]:
    (several,) = (
        action
        for action in parser()._actions
        if isinstance(action, argparse._SubParsersAction)
    )
    return dict(several.choices)


def words(text: str) -> str:
    return " ".join(text.split())


def test_the_commands_are_those_of_the_reference() -> None:
    headings = [
        line.removeprefix("## kafkasim ")
        for line in REFERENCE.read_text(encoding="utf-8").splitlines()
        if line.startswith("## kafkasim ")
    ]
    assert headings == list(commands())


@pytest.mark.parametrize("name", ["", *commands()])
def test_the_reference_shows_the_help_of_every_command(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    shown = parser() if name == "" else commands()[name]
    assert words(shown.format_help()) in words(REFERENCE.read_text(encoding="utf-8"))


def test_every_command_says_what_it_does_in_its_first_line() -> None:
    for name, command in commands().items():
        function = command.get_default("command")
        assert function.__name__ == name
        assert command.description == function.__doc__.splitlines()[0]
