"""A table of what can be set, read from the classes themselves.

    ```{settings} kafkasim.config.producer
    ```

makes one table for each description that the module declares: every field with its
type, its default, what it may hold, and what it means, which is the text below it.
"""

import re
from collections.abc import Iterator
from dataclasses import MISSING, Field, fields
from importlib import import_module
from types import ModuleType
from typing import Any, ClassVar

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.pycode import ModuleAnalyzer
from sphinx.util.docutils import SphinxDirective

from kafkasim.config.assignors import AssignmentStrategy
from kafkasim.config.document import Document, OneOf, Part, rules_of
from kafkasim.config.frozen import UNSET
from kafkasim.config.offset_reset import OffsetReset, SeekTo
from kafkasim.config.rules import (
    Choice,
    Flag,
    ListOf,
    MapOf,
    Name,
    Nothing,
    Number,
    Rule,
    Text,
    Whole,
)
from kafkasim.config.settings import Settings
from kafkasim.scenario.commit_mode import CommitMode
from kafkasim.scenario.members import MembersRule
from kafkasim.scenario.own_systems import OwnSystemRule
from kafkasim.scenario.trace_rule import TraceRule
from kafkasim.scenario.traffic import Instant

TYPES: dict[type[Rule], str] = {
    Whole: "int",
    Number: "float",
    Flag: "bool",
    Text: "str",
    Choice: "str",
    Name: "str",
    OffsetReset: "str",
    SeekTo: "int or str",
    CommitMode: "str",
    Instant: "str",
    MembersRule: "int or mapping",
    AssignmentStrategy: "list",
    TraceRule: "Trace",
    OwnSystemRule: "OwnSystem",
    ListOf: "list",
    MapOf: "mapping",
}


def documents(module: ModuleType) -> list[type[Document]]:
    """Return the descriptions that a module declares, in their order."""
    return [
        each
        for each in vars(module).values()
        if isinstance(each, type)
        and issubclass(each, Document)
        and each.__module__ == module.__name__
        and each not in {Document, Settings}
    ]


def type_of(rule: Rule) -> str:
    """Return a rule's type in Python's words."""
    if isinstance(rule, OneOf):
        parts = [*rule.variants, *(r for r in rule.leaves if r != Nothing(UNSET))]
        return " or ".join(dict.fromkeys(type_of(part) for part in parts))
    if isinstance(rule, Part):
        return rule.document.__name__
    if isinstance(rule, Nothing):
        return "None"
    return TYPES[type(rule)]


def default_of(field: Field[Any]) -> str:
    """Return what holds when a field is not said."""
    if "default" in field.metadata:
        return repr(field.metadata["default"])
    if field.default is not MISSING:
        return repr(field.default)
    return "must be said"


def rows(document: type[Document]) -> Iterator[tuple[str, str, str, str, str]]:
    """Yield name, type, default, allowed values and meaning of every field.

    Raises
    ------
    ValueError
        A field has no text.
    """
    texts = ModuleAnalyzer.for_module(document.__module__).find_attr_docs()
    rules = rules_of(document)
    for field in fields(document):
        text = texts.get((document.__name__, field.name))
        if text is None:
            raise ValueError(f"{document.__name__}.{field.name} says nothing of itself")
        rule = rules[field.name]
        meaning = " ".join(text).strip()
        yield field.name, type_of(rule), default_of(field), rule.allowed, meaning


def table_of(document: type[Document]) -> str:
    """Return heading, purpose and table of a description, in Markdown."""
    purpose = (document.__doc__ or "").partition("\n")[0]
    heads = ("field", "type", "default", "may be", "meaning")
    lines = [f"### {document.__name__}", "", f"{purpose} See {link(document)}.", ""]
    found = list(rows(document))
    if not found:
        return "\n".join([*lines, "It has no fields."])
    lines += ["| " + " | ".join(heads) + " |", "|---" * len(heads) + "|"]
    for name, kind, default, allowed, meaning in found:
        shown = default if " " in default else f"`{grouped(default)}`"
        cells = (f"`{name}`", kind, shown, short(allowed), meaning)
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def link(document: type[Document]) -> str:
    """Return a link to the class's own page."""
    return f"{{py:class}}`~kafkasim.{document.__name__}`"


def short(allowed: str) -> str:
    """Return what is allowed, without the type that stands beside it.

    >>> short("a whole number from 0 to 2147483647, or one of flights, trace")
    '0 to 2,147,483,647, or one of flights, trace'
    """
    return grouped(re.sub(r"\ba (?:whole )?number (?:from )?", "", allowed))


def grouped(text: str) -> str:
    """Return a text with the digits of long numbers in groups.

    >>> grouped("a whole number from 0 to 2147483647")
    'a whole number from 0 to 2,147,483,647'
    """
    return re.sub(r"(?<![\w.])\d{5,}(?![\w.])", lambda m: f"{int(m[0]):,}", text)


class SettingsTable(SphinxDirective):
    """The directive."""

    required_arguments: ClassVar[int] = 1

    def run(self) -> list[nodes.Node]:
        """Return a heading and a table for each description."""
        module = import_module(self.arguments[0])
        for file in (module.__file__, __file__):
            self.env.note_dependency(str(file))
        text = "\n\n".join(table_of(each) for each in documents(module))
        return self.parse_text_to_nodes(text, allow_section_headings=True)


def setup(app: Sphinx) -> dict[str, bool]:
    """Tell Sphinx of the directive."""
    app.add_directive("settings", SettingsTable)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
