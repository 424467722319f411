"""How a trace stands in a document.

A bundled trace is written by its name, `kind = "flights"`, with month and speed-up. Any
other is written as `kind = "trace"` with the file beside the scenario that holds it and
the digest it must have. The file's name carries the beginning of the digest, so that
two traces of one name never take each other's place.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from kafkasim.catalogue import say
from kafkasim.config.document import Variant
from kafkasim.config.paths import one_of, suggestion
from kafkasim.config.rules import Number, Rule, Text, Whole
from kafkasim.errors import ValidationError
from kafkasim.scenario.bundled import flights
from kafkasim.scenario.trace import Trace, load_trace

_SPEEDUP: Final = Number(above=0.0)
_FIELDS: Final[Mapping[str, Mapping[str, Rule]]] = {
    "flights": {"month": Whole(1, 12), "speedup": _SPEEDUP},
    "trace": {"file": Text(), "digest": Text(), "speedup": _SPEEDUP},
}


@dataclass(frozen=True, slots=True)
class TraceRule(Variant):
    """A trace, or its written form."""

    @property
    def allowed(self) -> str:
        """Return the phrase."""
        return say("a {kind} or its table", kind="Trace")

    @property
    def kinds(self) -> tuple[str, ...]:
        """Return the words for a bundled and for another trace."""
        return tuple(_FIELDS)

    def holds(self, value: object) -> bool:
        """Return whether the value is a trace."""
        return isinstance(value, Trace)

    def kind(self, value: object) -> str:
        """Return how the trace is written."""
        assert isinstance(value, Trace)
        return "trace" if value.source is None else str(dict(value.source)["kind"])

    def read(self, value: object) -> Trace:
        """Return the trace."""
        if not isinstance(value, Trace):
            raise self.reject(value)
        return value

    def read_kind(self, kind: str, table: Mapping[str, object]) -> Trace:
        """Return the trace from its written form; a file is opened as named."""
        said = _read_fields(kind, table)
        speedup = said.get("speedup", 1.0)
        assert isinstance(speedup, float)
        if kind == "flights":
            month = said.get("month")
            assert month is None or isinstance(month, int)
            return flights(month, speedup=speedup)
        digest = said.get("digest")
        assert digest is None or isinstance(digest, str)
        return replace(load_trace(str(said["file"]), digest=digest), speedup=speedup)

    def plain(self, value: object, *, everything: bool) -> dict[str, object]:
        """Return the written form, without its kind."""
        assert isinstance(value, Trace)
        if value.source is None:
            written: dict[str, object] = {
                "file": file_name(value),
                "digest": value.digest,
            }
        else:
            written = {name: each for name, each in value.source if name != "kind"}
        if everything or value.speedup != 1.0:
            written["speedup"] = value.speedup
        return written

    def inside(self, value: object) -> Mapping[str, tuple[Rule, object]]:
        """Return the one part that can be changed, the speed-up."""
        assert isinstance(value, Trace)
        return {"speedup": (_SPEEDUP, value.speedup)}

    def put(self, value: object, changes: Mapping[str, object]) -> Trace:
        """Return the trace at another speed-up."""
        assert isinstance(value, Trace)
        speedup = changes["speedup"]
        assert isinstance(speedup, float)
        return replace(value, speedup=speedup)


def file_name(trace: Trace) -> str:
    """Return the name of the file that holds a trace beside its scenario."""
    return f"{trace.name}-{trace.digest[:8]}.trace.npz"


def beside(table: Mapping[str, object], folder: Path) -> Mapping[str, object]:
    """Return a trace's written form with its file looked for in `folder`."""
    file = table.get("file")
    if table.get("kind") != "trace" or not isinstance(file, str):
        return table
    return {**table, "file": str(folder / file)}


def _read_fields(kind: str, table: Mapping[str, object]) -> dict[str, object]:
    rules = _FIELDS[kind]
    said: dict[str, object] = {}
    for name, value in table.items():
        if name not in rules:
            raise ValidationError(name, value, one_of(rules), suggestion(name, rules))
        try:
            said[name] = rules[name].read(value)
        except ValidationError as error:
            raise error.under(name) from None
    if kind == "trace" and "file" not in said:
        raise ValidationError("file", None, say("the name of the trace's file"))
    return said
