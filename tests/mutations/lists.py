"""The lists of mutations, and which rule of Kafka each row is for."""

import ast
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

FOLDER: Final = Path(__file__).parent
FILES: Final = tuple(sorted(FOLDER.glob("*.toml")))
"""One list each."""
RULES: Final = FOLDER.parent / "kafka_rules.toml"
"""The numbered rules."""

STORIES: Final = FOLDER.parent / "simulation"
"""Where scenarios are told."""
STORY: Final = re.compile(r"\bDS-\d+\b")

NUMBER: Final = re.compile(r"\b(?:PR|ID|BR|CT|PL|CO|OF|AS|GR|N8|RQ|PH)-\d+b?(?!\d)")
"""The number of a rule that `RULES` has."""


@dataclass(frozen=True)
class Mutation:
    """One line to break."""

    rule: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]


@dataclass(frozen=True)
class MutationList:
    """What one file lists."""

    name: str
    title: str
    intro: str
    mutations: tuple[Mutation, ...]


@dataclass(frozen=True)
class Section:
    """Rules about one thing: their numbers and what they say."""

    title: str
    source: str
    says: dict[str, str]
    left_out: dict[str, str]
    """Those that no run follows, and what it does in their place."""


@dataclass(frozen=True)
class Scenario:
    """What happens, and what is expected then; told as tests that cite its number."""

    number: str
    setup: str
    expected: str


def read_list(path: Path) -> MutationList:
    """Return what one file lists."""
    document = tomllib.loads(path.read_text(encoding="utf-8"))
    mutations = tuple(
        Mutation(
            rule=entry["rule"],
            file=entry["file"],
            old=entry["old"],
            new=entry["new"],
            tests=tuple(entry["tests"]),
        )
        for entry in document["mutation"]
    )
    return MutationList(path.stem, document["title"], document["intro"], mutations)


def sections() -> list[Section]:
    """Return the numbered rules."""
    document = tomllib.loads(RULES.read_text(encoding="utf-8"))
    return [
        Section(each["title"], each["source"], each["says"], each.get("left_out", {}))
        for each in document["section"]
    ]


def scenarios() -> list[Scenario]:
    """Return the delivery scenarios that are told as tests."""
    document = tomllib.loads(RULES.read_text(encoding="utf-8"))
    return [
        Scenario(each["id"], each["setup"], each["expected"])
        for each in document["scenario"]
    ]


def tellers() -> dict[str, list[str]]:
    """Return the tests that tell of each scenario: those whose docstring cites it."""
    told: dict[str, list[str]] = {}
    for path in sorted(STORIES.rglob("test_*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in tree.body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
                test = f"{path.relative_to(FOLDER.parent)}::{node.name}"
                for number in STORY.findall(ast.get_docstring(node) or ""):
                    told.setdefault(number, []).append(test)
    return told


def rules_of(mutation: Mutation) -> list[str]:
    """Return the numbers of the rules that a row is for.

    They stand before the colon of its name.
    """
    numbers, colon, _ = mutation.rule.partition(":")
    return NUMBER.findall(numbers) if colon else []


def mutated(text: str, mutation: Mutation) -> str:
    """Return the file's text with the mutation made.

    Raises
    ------
    ValueError
        When the old text does not occur exactly once.
    """
    count = text.count(mutation.old)
    if count != 1:
        raise ValueError(
            f"{mutation.file}: {mutation.old!r} occurs {count} times, not once"
        )
    return text.replace(mutation.old, mutation.new)
