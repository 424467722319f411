"""Scenario files: short TOML for people, JSON for programs.

A file holds what was said, under a line with the format's version:

    kafkasim = 1
    seed = 7

    [traffic]
    duration_s = 60.0

A trace that is held in memory is written beside the scenario file, and the file names
it with its digest, so that a changed trace is noticed.
"""

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

from kafkasim.catalogue import say
from kafkasim.errors import ChangedFileError, OutputError, TraceError, ValidationError
from kafkasim.scenario.trace import Trace, load_trace
from kafkasim.scenario.trace_rule import beside, file_name
from kafkasim.scenario.whole_file import whole_file

FORMAT_VERSION: Final = 1
"""Rises when an older reader could not read a document any more."""
VERSION_KEY: Final = "kafkasim"

_AT: Final = re.compile(r"\(at (?:line (\d+), column (\d+)|end of document)\)")


def toml_text(plain: Mapping[str, object]) -> str:
    """Return a document's written form as TOML; what is none is left out."""
    import tomli_w

    return tomli_w.dumps({VERSION_KEY: FORMAT_VERSION, **_without_none(plain)})


def json_text(plain: Mapping[str, object]) -> str:
    """Return a document's written form as JSON."""
    versioned = {VERSION_KEY: FORMAT_VERSION, **plain}
    return json.dumps(versioned, indent=2, ensure_ascii=False) + "\n"


def read_text(text: str, *, name: str, is_json: bool) -> dict[str, Any]:
    """Return the written form that a text holds, its version checked and taken off.

    Parameters
    ----------
    text : str
        TOML or JSON.
    name : str
        What to call it in errors.
    is_json : bool
        Which of the two.

    Raises
    ------
    ValidationError
        For a syntax error, with its line, or a version that is not known.
    """
    import tomllib  # not at each start

    try:
        plain = json.loads(text) if is_json else tomllib.loads(text)
    except json.JSONDecodeError as error:
        place = (error.lineno, error.colno)
        raise _syntax(name, text, place, "JSON", error.msg) from None
    except tomllib.TOMLDecodeError as error:
        place, what = _place(text, str(error))
        raise _syntax(name, text, place, "TOML", what) from None
    if not isinstance(plain, dict):
        raise ValidationError(name, plain, say("a table with traffic and system"))
    version = plain.pop(VERSION_KEY, FORMAT_VERSION)
    if version != FORMAT_VERSION:
        path = f"{name}: {VERSION_KEY}"
        why = say("the file was written for another version of kafkasim")
        raise ValidationError(path, version, f"{FORMAT_VERSION}", why)
    return plain


def read_file(path: Path) -> dict[str, Any]:
    """Return the written form in a scenario file; JSON when the suffix says so.

    The files of its traces are looked for beside it.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ValidationError(str(path), error.reason, say("text in UTF-8")) from None
    plain = read_text(text, name=str(path), is_json=path.suffix.lower() == ".json")
    traffic = plain.get("traffic")
    sources = traffic.get("sources") if isinstance(traffic, dict) else None
    for source in sources.values() if isinstance(sources, dict) else ():
        arrivals = source.get("arrivals") if isinstance(source, dict) else None
        if isinstance(arrivals, dict):
            source["arrivals"] = beside(arrivals, path.parent)
    return plain


def write_file(path: Path, text: str, traces: Iterable[Trace]) -> None:
    """Write a scenario file and, beside it, the traces that have no name of their own.

    Each file is written whole or not at all; a trace that stands there already is left.

    Raises
    ------
    OutputError
        When a file cannot be written.
    """
    for trace in traces:
        if trace.source is None:
            place = path.with_name(file_name(trace))
            if not _stands(place, trace):
                trace.save(place)
    _write(path, text)


def _stands(place: Path, trace: Trace) -> bool:
    try:
        load_trace(place, digest=trace.digest)
    except (ChangedFileError, TraceError):
        return False
    return True


def _write(path: Path, text: str) -> None:
    try:
        with whole_file(path) as unfinished:
            unfinished.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror}") from error


def _without_none(plain: Mapping[str, object]) -> dict[str, object]:
    return {
        name: _without_none(value) if isinstance(value, Mapping) else _items(value)
        for name, value in plain.items()
        if value is not None
    }


def _items(value: object) -> object:
    if not isinstance(value, list):
        return value
    return [
        _without_none(each) if isinstance(each, Mapping) else each for each in value
    ]


def _place(text: str, message: str) -> tuple[tuple[int, int], str]:
    """Return line and column, and the cause, from the message of `tomllib`."""
    match = _AT.search(message)
    what = _AT.sub("", message).strip()
    if match is None or match[1] is None:
        lines = text.splitlines() or [""]
        return (len(lines), len(lines[-1]) + 1), what
    return (int(match[1]), int(match[2])), what


def _syntax(
    name: str, text: str, place: tuple[int, int], language: str, what: str
) -> ValidationError:
    line, column = place
    lines = text.splitlines()
    shown = lines[line - 1].strip() if line <= len(lines) else ""
    where = f"{name}, line {line}, column {column}"
    return ValidationError(where, shown, language, what)
