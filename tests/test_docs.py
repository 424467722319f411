"""What the site adds to its pages: tables of settings, and the lessons as pages."""

import importlib.util
import re
import sys
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import kafkasim as ks
from kafkasim.config.document import Document, document
from kafkasim.config.known import Kind, known_keys
from kafkasim.config.producer import ProducerConfig
from kafkasim.result.schema import TABLES
from tests.mutations import lists

DOCS = Path(__file__).parents[1] / "docs"


def extension(name: str) -> ModuleType:
    file = DOCS / "_extensions" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"docs_{name}", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def names(of: type[Any]) -> set[str]:
    """Return the names of all descriptions a scenario is made of.

    Names, because a class with slots is made twice.
    """
    deeper = {name for each in of.__subclasses__() for name in names(each)}
    rooms = ("kafkasim.config.", "kafkasim.scenario.")
    return deeper | ({of.__name__} if of.__module__.startswith(rooms) else set())


def test_every_description_stands_on_the_page_of_the_configuration() -> None:
    page = (DOCS / "reference" / "configuration.md").read_text(encoding="utf-8")
    assert ks.Scenario.__bases__  # which imports every part of a scenario
    marked = [line for line in page.splitlines() if line.startswith("```{settings}")]
    listed = {
        each.__name__
        for line in marked
        for each in extension("settings").documents(import_module(line.split()[1]))
    }
    assert names(Document) - listed == {
        *("Document", "Settings", "Draft", "Scenario", "OwnSystem"),
    }


def test_a_row_says_type_default_what_is_allowed_and_what_it_means() -> None:
    rows = {row[0]: row for row in extension("settings").rows(ProducerConfig)}

    name, kind, default, allowed, meaning = rows["linger_ms"]

    assert (name, kind, default) == ("linger_ms", "int", "5")
    assert allowed == "a whole number from 0 to 2147483647"
    assert meaning.startswith("Whole ms that a batch waits")
    assert extension("settings").short(allowed) == "0 to 2,147,483,647"


def test_no_field_has_the_name_of_a_rule_for_its_type() -> None:
    page = (DOCS / "reference" / "configuration.md").read_text(encoding="utf-8")
    settings = extension("settings")
    kinds = {
        word
        for module in re.findall(r"```\{settings\} (\S+)", page)
        for document in settings.documents(import_module(module))
        for _, kind, *_ in settings.rows(document)
        for word in kind.split(" or ")
    }

    plain = {"int", "float", "bool", "str", "list", "mapping", "None", "Trace"}
    assert kinds - plain <= names(Document)


def test_a_field_without_a_text_is_refused() -> None:
    @document
    class Dumb(ProducerConfig):
        more: int = 1

    with pytest.raises(ValueError, match=r"Dumb\.acks says nothing of itself"):
        list(extension("settings").rows(Dumb))


def test_a_lessons_page_has_links_within_the_site_and_no_view_of_a_widget() -> None:
    view = {"application/vnd.jupyter.widget-view+json": {}, "text/html": "<img>"}
    lesson = {
        "cells": [
            {
                "cell_type": "markdown",
                "metadata": {},
                "source": [
                    "[offset](../docs/reference/glossary.md#offset) and\n",
                    "[lesson 3](03-partitions-and-order.ipynb)",
                ],
            },
            {
                "cell_type": "code",
                "metadata": {"tags": ["solution", "hide-cell"]},
                "outputs": [{"data": view}],
            },
        ]
    }

    text, code = extension("lessons").for_the_site(lesson)["cells"]

    assert text["source"] == (
        "[offset](../reference/glossary.md#offset) and\n"
        "[lesson 3](03-partitions-and-order.ipynb)"
    )
    assert code["outputs"] == [{"data": {"text/html": "<img>"}}]
    assert code["metadata"]["mystnb"]["code_prompt_show"] == "Show the solution"


def test_a_lesson_in_another_language_says_so_and_leads_to_the_same_pages() -> None:
    link = "[x](../../docs/reference/glossary.md#offset)"
    text = {"cell_type": "markdown", "metadata": {}, "source": [link]}
    code = {"cell_type": "code", "metadata": {"tags": ["reveal"]}}

    made = extension("lessons").for_the_site({"cells": [text, code]}, "ko")["cells"]

    assert made[0]["source"] == "[x](../reference/glossary.md#offset)"
    assert made[1]["metadata"]["mystnb"]["code_prompt_show"] == "코드 보기"


def test_a_copy_follows_its_lesson_and_goes_with_it(tmp_path: Path) -> None:
    notebooks, tutorial = tmp_path / "notebooks", tmp_path / "tutorial"
    notebooks.mkdir()
    tutorial.mkdir()
    (tutorial / "02-gone.ipynb").write_text("{}")
    (notebooks / "01-here.ipynb").write_text('{"cells": []}')

    extension("lessons").copy(notebooks, tutorial)

    assert [path.name for path in tutorial.iterdir()] == ["01-here.ipynb"]


@pytest.mark.parametrize("kind", ["producer", "consumer", "topic", "broker"])
def test_every_key_that_is_not_modelled_stands_on_its_page(kind: Kind) -> None:
    page = (DOCS / "reference" / "not-modelled.md").read_text(encoding="utf-8")
    table = extension("unmodelled").table_of(kind)

    assert f"```{{unmodelled}} {kind}\n" in page
    for key, means in known_keys(kind).items():
        shown = f"`{key}*`" if key.endswith(".") else f"`{key}`"
        assert [means in line for line in table.splitlines() if shown in line] == [True]


def test_every_list_of_mutations_is_a_page_and_no_other(tmp_path: Path) -> None:
    (tmp_path / "gone-mutations.md").write_text("")
    (tmp_path / "other.md").write_text("")

    extension("mutations").write_pages(tmp_path)

    pages = {path.name for path in tmp_path.iterdir()}
    assert pages == {"other.md"} | {f"{p.stem}-mutations.md" for p in lists.FILES}
    page = (tmp_path / "engine-mutations.md").read_text(encoding="utf-8")
    assert page.startswith("# Engine: rules, their tests, and what breaks them\n\n")
    rows = lists.read_list(lists.FOLDER / "engine.toml").mutations
    assert page.count("\n|") == 2 + len(rows)


def test_every_rule_of_kafka_stands_on_its_page_with_its_rows() -> None:
    page = (DOCS / "evidence" / "rules.md").read_text(encoding="utf-8")
    tables = extension("mutations").rules()

    assert "```{rules}\n" in page
    for section in lists.sections():
        for rule, says in section.says.items():
            (row,) = (x for x in tables.splitlines() if x.startswith(f"| {rule} |"))
            assert says in row
            assert "-mutations.md)" in row


def test_every_delivery_scenario_stands_on_its_page_with_its_tests() -> None:
    page = (DOCS / "evidence" / "scenarios.md").read_text(encoding="utf-8")
    table = extension("mutations").stories()

    assert "```{stories}\n" in page
    told = "`simulation/test_delivery_scenarios.py::"
    (row,) = (line for line in table.splitlines() if line.startswith("| DS-3 |"))
    assert told + "test_acks_all_loses_nothing_that_was_acknowledged`" in row


def test_the_words_of_the_systems_are_told_of_columns_that_there_are() -> None:
    page = (DOCS / "reference" / "glossary.md").read_text(encoding="utf-8")
    rows = page.partition("## One column, many words")[2].split("\n| `")[1:]

    names = {f"{name}.{each.name}" for name, table in TABLES.items() for each in table}
    told = [re.findall(r"\w+(?:\.\w+)?", row.partition(" | ")[0]) for row in rows]

    assert len(rows) > 20
    for first, *more in told:
        table = first.partition(".")[0]
        assert first in names | set(TABLES), first
        assert {*more} <= {each.name for each in TABLES[table]} | set(TABLES), more
