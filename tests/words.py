"""The catalogues of other languages: collected from the code, sorted, compiled.

    python3 run.py words

writes `kafkasim/locale/*/LC_MESSAGES/*.po` anew, each text of the code once, in the
order of the texts and without places in the code, so that two changes of a catalogue
seldom touch the same lines. A translation that is there is kept wherever its text moves
to; one whose text is gone goes. Then it compiles each `.po` to the `.mo` beside it,
which is what the package reads, and lists what has no translation: exit code 1.
"""

import ast
import io
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from string import Formatter
from typing import Final, TypeGuard

from babel.messages.catalog import Catalog, Message
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from kafkasim.languages import DOMAINS, LANGUAGES
from notebooks import build

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "kafkasim"
LOCALE = PACKAGE / "locale"

KEYWORDS: Final = {
    "say": slice(0, 1),
    "mark": slice(0, 1),
    "say_many": slice(0, 2),
    "mark_many": slice(0, 2),
}
"""Functions that take texts of the catalogue, and which arguments these are."""

Id = str | tuple[str, str]
"""A text, or the texts for one and for many."""


class _Text(ast.Constant):
    value: str


HEAD: Final = (
    "Project-Id-Version: kafkasim\n"
    "MIME-Version: 1.0\n"
    "Content-Type: text/plain; charset=utf-8\n"
    "Content-Transfer-Encoding: 8bit\n"
)


def domain_of(file: Path) -> str:
    """Return the catalogue that holds the texts of a module."""
    room = file.relative_to(PACKAGE).parts[0]
    return room if room in DOMAINS else "package"


def collected() -> dict[str, list[Id]]:
    """Return the texts of the code, each once, in the first domain that has it."""
    found: dict[str, set[Id]] = {domain: set() for domain in DOMAINS}
    for file in sorted(PACKAGE.rglob("*.py")):
        found[domain_of(file)] |= set(texts_of(file))
    for lesson in build.lessons():
        found["lessons"] |= set(quiz_of(lesson))
    seen: set[Id] = set()
    for domain in DOMAINS:
        found[domain] -= seen
        seen |= found[domain]
    return {domain: sorted(ids, key=_first) for domain, ids in found.items()}


def texts_of(file: Path) -> Iterator[Id]:
    """Yield the texts that a module gives to the catalogue.

    Calls inside f-strings are among them, on every version of Python, which Babel's own
    search promises of none. What is no literal was marked elsewhere.
    """
    source = file.read_text(encoding="utf-8")
    if not any(f"{name}(" in source for name in KEYWORDS):
        return
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            taken = KEYWORDS.get(node.func.id, slice(0))
            texts = [each.value for each in node.args[taken] if _is_text(each)]
            if len(texts) == taken.stop - (taken.start or 0) > 0:
                yield texts[0] if len(texts) == 1 else (texts[0], texts[1])


def quiz_of(lesson: Path) -> Iterator[str]:
    """Yield what a lesson says of its answers, their units and the choices.

    They stand in its code, which is one in all languages; `reveal` says them.
    """
    for text, _, others in reveals_of(lesson):
        for each in (text, *others):
            if not _is_text(each):
                raise ValueError(f"{lesson.name}: {ast.unparse(each)} is no literal")
            yield each.value


def reveals_of(lesson: Path) -> Iterator[tuple[ast.expr, set[str], list[ast.expr]]]:
    """Yield for each reveal its text, the names of its values, its unit and choices."""
    for node in ast.walk(ast.parse(lesson.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "ks.lessons.reveal":
            said = {each.arg: each.value for each in node.keywords}
            values, choices = said.get("values"), said.get("choices")
            keys = values.keys if isinstance(values, ast.Dict) else []
            others = choices.elts if isinstance(choices, ast.List) else []
            others += [said["unit"]] if "unit" in said else []
            names = {each.value for each in keys if each is not None and _is_text(each)}
            yield node.args[2], names, others


def _is_text(node: ast.expr) -> TypeGuard[_Text]:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def catalogues(code: str) -> dict[str, Catalog]:
    """Return the catalogues of a language as their files hold them."""
    read = {}
    for domain in DOMAINS:
        path = po(code, domain)
        with path.open("rb") if path.exists() else io.BytesIO() as file:
            read[domain] = read_po(file, locale=code, domain=domain)
    return read


def translations(found: Mapping[str, Catalog]) -> dict[Id, Message]:
    """Return what a language's catalogues hold for each text."""
    return {
        _id(message): message
        for catalogue in found.values()
        for message in catalogue
        if message.id
    }


def updated(code: str) -> dict[str, Catalog]:
    """Return the catalogues of a language with the texts that the code has now."""
    known = translations(catalogues(code))
    made = {}
    for domain, ids in collected().items():
        made[domain] = Catalog(locale=code, domain=domain)
        for each in ids:
            old = known.get(each)
            made[domain].add(each, old.string if old else None)
    return made


def as_po(catalogue: Catalog) -> bytes:
    """Return the bytes of the text file of a catalogue."""
    for message in catalogue:
        message.flags.clear()
    body = io.BytesIO()
    write_po(body, catalogue, width=0, omit_header=True, no_location=True)
    head = "".join(f'"{line}\\n"\n' for line in _head(catalogue).splitlines())
    return f'msgid ""\nmsgstr ""\n{head}\n'.encode() + body.getvalue().rstrip() + b"\n"


def as_mo(catalogue: Catalog) -> bytes:
    """Return the bytes of a catalogue as the package reads it."""
    body = io.BytesIO()
    bare = _Undated(locale=catalogue.locale, domain=catalogue.domain)
    for message in catalogue:
        if message.id:
            bare.add(message.id, message.string)
    write_mo(body, bare)
    return body.getvalue()


class _Undated(Catalog):
    """A catalogue whose head has no date: the same texts are the same bytes."""

    @property
    def mime_headers(self) -> list[tuple[str, str]]:
        lines = [line.partition(": ") for line in _head(self).splitlines()]
        return [(name, value) for name, _, value in lines]


def places(text: str) -> set[tuple[str, str, str]]:
    """Return the places for values of a text: name, format and conversion."""
    return {
        (name, form or "", conversion or "")
        for _, name, form, conversion in Formatter().parse(text)
        if name is not None
    }


def po(code: str, domain: str) -> Path:
    """Return where a catalogue's text stands."""
    return LOCALE / code / "LC_MESSAGES" / f"{domain}.po"


def untranslated(found: Mapping[str, Catalog]) -> list[Id]:
    """Return the texts without a translation."""
    return [
        each
        for each, message in translations(found).items()
        if not all(strings(message))
    ]


def strings(message: Message) -> tuple[str, ...]:
    """Return the translation of a text, or its translations for one and for many."""
    said = message.string
    return (said or "",) if isinstance(said, str | None) else tuple(said)


def _id(message: Message) -> Id:
    text = message.id
    return text if isinstance(text, str) else (text[0], text[1])


def _first(each: Id) -> tuple[str, ...]:
    return (each,) if isinstance(each, str) else each


def _head(catalogue: Catalog) -> str:
    return (
        f"{HEAD}Language: {catalogue.locale_identifier}\n"
        f"Plural-Forms: {catalogue.plural_forms}\n"
    )


def main() -> int:
    """Write and compile the catalogues of every language but English."""
    missing: list[Id] = []
    for code in LANGUAGES[1:]:
        made = updated(code)
        for domain, catalogue in made.items():
            path = po(code, domain)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(as_po(catalogue))
            path.with_suffix(".mo").write_bytes(as_mo(catalogue))
        lacking = untranslated(made)
        for each in lacking:
            print(f"{code}: not translated: {each!r}")  # noqa: T201
        missing += lacking
    return int(bool(missing))


if __name__ == "__main__":
    sys.exit(main())
