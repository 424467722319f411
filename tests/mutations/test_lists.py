"""Every row can be made, and every rule of Kafka has one."""

import ast
from collections import Counter
from itertools import groupby
from pathlib import Path

import pytest

from tests.mutations.lists import (
    FILES,
    MutationList,
    mutated,
    read_list,
    rules_of,
    scenarios,
    sections,
    tellers,
)
from tests.tiers import ROOT

LISTS = tuple(map(read_list, FILES))


def defined_in(file: Path) -> set[str]:
    """Return the tests that a file defines, as pytest names them."""
    found = set()
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found.add(node.name)
        if isinstance(node, ast.ClassDef):
            inner = (each for each in node.body if isinstance(each, ast.FunctionDef))
            found |= {f"{node.name}::{each.name}" for each in inner}
        elif isinstance(node, ast.Assign):  # the test case of a state machine
            names = {each.id for each in node.targets if isinstance(each, ast.Name)}
            found |= names | {f"{name}::runTest" for name in names}
    return found


@pytest.mark.parametrize("listed", LISTS, ids=lambda each: each.name)
def test_every_row_can_be_made_and_names_tests_that_are_there(
    listed: MutationList,
) -> None:
    """A row whose text is gone, or is there twice, says nothing of the code."""
    stale = []
    for mutation in listed.mutations:
        text = (ROOT / mutation.file).read_text(encoding="utf-8")
        try:
            changed = mutated(text, mutation)
        except ValueError as error:
            stale.append(f"{mutation.rule}: {error}")
        else:
            ast.parse(changed)
            assert changed != text, mutation.rule
        assert mutation.tests, mutation.rule
    assert stale == []
    tests = {test for mutation in listed.mutations for test in mutation.tests}
    for name, named in groupby(sorted(tests), lambda test: test.partition("::")[0]):
        wanted = {test.partition("::")[2].partition("[")[0] for test in named}
        assert wanted - {""} <= defined_in(ROOT / name), name


def test_names_of_rows_are_each_its_own() -> None:
    names = Counter((each.name, m.rule) for each in LISTS for m in each.mutations)

    assert [name for name, count in names.items() if count > 1] == []


def test_every_rule_of_kafka_has_a_row_or_is_left_out_for_a_reason() -> None:
    said = {rule for section in sections() for rule in section.says}
    left_out = {rule for section in sections() for rule in section.left_out}
    held = {
        rule
        for each in LISTS
        for mutation in each.mutations
        for rule in rules_of(mutation)
    }

    assert said - held == set()
    assert held - said == set()
    assert said & left_out == set()


FAMILIES = {"PR": 42, "ID": 13, "BR": 34, "CT": 21, "PL": 9, "CO": 14, "GR": 15}
"""How many rules of Kafka each has."""
FAMILIES |= {"OF": 7, "AS": 5, "N8": 13}  # of the offsets topic, assignors, KIP-848
FAMILIES |= {"RQ": 22, "PH": 15}  # of RabbitMQ; of pipelines


@pytest.mark.parametrize(("family", "count"), FAMILIES.items())
def test_no_number_is_missing_among_the_rules(family: str, count: int) -> None:
    numbers = {
        rule.removeprefix(f"{family}-")
        for section in sections()
        for rule in (*section.says, *section.left_out)
        if rule.startswith(f"{family}-")
    }

    assert numbers - {"15b"} == set(map(str, range(1, count + 1)))


def test_every_delivery_scenario_is_told_by_a_test() -> None:
    told = set(tellers())

    assert {each.number for each in scenarios()} - told == set()
    numbers = [*range(1, 24), 29, 30, *range(32, 35), *range(37, 46)]
    assert [each.number for each in scenarios()] == [f"DS-{n}" for n in numbers]
