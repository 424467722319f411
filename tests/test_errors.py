import ast
import pickle
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import kafkasim
from kafkasim.errors import (
    KafkasimError,
    TableNotRecorded,
    TraceError,
    ValidationError,
)
from kafkasim.languages import PSEUDO, language
from kafkasim.scenario.scenario import Scenario


def test_a_validation_error_names_path_value_what_is_allowed_and_why() -> None:
    error = ValidationError("linger_ms", -1, "0 or more", "producer config")

    assert str(error) == (
        "linger_ms: -1 is not allowed; expected 0 or more (producer config)"
    )


def test_a_validation_error_can_be_put_under_its_parent() -> None:
    error = ValidationError("linger_ms", -1, "0 or more").under("producers.web.config")

    assert error.path == "producers.web.config.linger_ms"
    assert error.under("system").path == "system.producers.web.config.linger_ms"


@pytest.mark.parametrize(
    ("row", "column", "text"),
    [
        (3, "time", "row 3, column 'time': no time"),
        (3, "", "row 3: no time"),
        (None, "time", "column 'time': no time"),
        (None, "", "no time"),
    ],
)
def test_a_trace_error_says_where_in_the_table(
    row: int | None, column: str, text: str
) -> None:
    assert str(TraceError("no time", row=row, column=column)) == text


@pytest.mark.parametrize(
    "error",
    [
        ValidationError("seed", -1, "0 or more", "it names a stream"),
        TraceError("no time", row=3, column="time"),
        TableNotRecorded("links", "point to point has none"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_error_comes_back_equal_from_another_process(error: KafkasimError) -> None:
    back = pickle.loads(pickle.dumps(error))

    assert (type(back), str(back), vars(back)) == (type(error), str(error), vars(error))


# --- in another language

ROOMS = ("analysis", "config", "experiments", "plot", "scenario", "traces", "widgets")
"""Where an error is raised for what a learner wrote; so is it by `ks.run`."""
RUNS = ("run.py", "pace.py", "systems/*.py")
"""Modules of the engine that refuse a scenario; own systems are for programmers."""


def modules() -> list[Path]:
    """Return the modules whose errors a learner may see."""
    package = Path(kafkasim.__file__).parent
    rooms = [path for room in ROOMS for path in (package / room).rglob("*.py")]
    runs = [path for name in RUNS for path in (package / "engine/sim").glob(name)]
    return [package / "ids.py", *rooms, *runs]


def unsaid(module: Path) -> Iterator[str]:
    """Yield texts that validation errors are given around the catalogue."""
    tree = ast.parse(module.read_text(encoding="utf-8"))
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef):
            for call in ast.walk(function):
                if isinstance(call, ast.Call) and named(call) == "ValidationError":
                    for given in (*call.args[2:], *(k.value for k in call.keywords)):
                        yield from literals(given, function)


def literals(given: ast.expr, function: ast.FunctionDef) -> Iterator[str]:
    """Yield the words of a value that no call made; a name is looked up."""
    match given:
        case (
            ast.Constant(value=str(text))
            | ast.FormattedValue(value=ast.Constant(value=str(text)))
        ):
            if WORD.search(text):
                yield text
        case ast.JoinedStr(values=parts) | ast.BoolOp(values=parts):
            for part in parts:
                yield from literals(part, function)
        case ast.BinOp(left=left, right=right) | ast.IfExp(body=left, orelse=right):
            yield from literals(left, function)
            yield from literals(right, function)
        case ast.Name(id=name):
            for node in ast.walk(function):
                if isinstance(node, ast.Assign) and name in map(
                    ast.unparse, node.targets
                ):
                    yield from literals(node.value, function)
        case _:
            pass  # a number, or what a call made


def named(call: ast.Call) -> str:
    return ast.unparse(call.func)


WORD = re.compile(r"(?<![\w.'])[a-z]{2,}(?![\w.'])")
"""A word that is no name, no part of one, and not quoted."""


def test_what_a_learner_is_told_goes_through_the_catalogue() -> None:
    found = {path.name: texts for path in modules() if (texts := [*unsaid(path)])}

    assert found == {}


def test_texts_beside_the_catalogue_are_found(tmp_path: Path) -> None:
    module = tmp_path / "module.py"
    module.write_text(
        "def check(x):\n"
        "    why = 'a rule of its own' if x else say('a text')\n"
        "    raise ValidationError('x', x, f'at most {x}', why)\n",
        encoding="utf-8",
    )

    assert sorted(unsaid(module)) == ["a rule of its own", "at most "]


BROKEN: dict[str, object] = {
    "system.topics.x.replication_factor": 3,
    "system.topics.y.partitions": 2,
    "system.producers.a.config.delivery_timeout_ms": 1,
    "system.producers.a.config.compression_type": "lz4",
    "system.groups.b.commit": "sometimes",
    "system.groups.b.members": 0,
    "system.kind": "kafk",
    "traffic.warmup_s": 2,
    "traffic.sources": {},
    "traffic.subscribers.b.streams": ["z"],
    "events": [{"kind": "crash", "target": "broker", "at_s": 0.5}],
}
"""What somebody wrote first, by its place in a scenario."""


def broken(place: str) -> dict[str, Any]:
    """Return the written form of a scenario in which one thing is wrong."""
    arrivals = {"kind": "poisson", "rate_per_s": 10}
    written: dict[str, Any] = {
        "traffic": {
            "duration_s": 1,
            "sources": {"a": {"stream": "x", "arrivals": arrivals}},
            "subscribers": {"b": {"streams": ["x"]}},
        },
        "system": {"kind": "kafka"},
    }
    part = written
    *outer, last = place.split(".")
    for name in outer:
        part = part.setdefault(name, {})
    part[last] = BROKEN[place]
    return written


@pytest.fixture
def _pseudo() -> Iterator[None]:
    language(PSEUDO)
    yield
    language("en")


@pytest.mark.usefixtures("_pseudo")
@pytest.mark.parametrize("place", BROKEN)
def test_a_first_mistake_is_told_in_the_language_that_holds(place: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Scenario.from_dict(broken(place))

    outside = [caught.value.allowed, caught.value.why]
    while (inner := [re.sub("⟦[^⟦⟧]*⟧", "", text) for text in outside]) != outside:
        outside = inner
    assert [text for text in outside if WORD.search(text)] == []
    assert str(caught.value).startswith("⟦")
