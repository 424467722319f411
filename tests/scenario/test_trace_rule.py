from pathlib import Path

import numpy as np
import pytest

from kafkasim.errors import ChangedFileError, ValidationError
from kafkasim.scenario.arrivals import Poisson
from kafkasim.scenario.bundled import flights
from kafkasim.scenario.trace import Trace
from kafkasim.scenario.trace_columns import CodedColumn
from kafkasim.scenario.trace_rule import TraceRule, beside, file_name
from kafkasim.scenario.traffic import Source

TRACE = Trace(
    np.array([0, 5, 9]),
    {"web": CodedColumn(np.array([0, 1, 0]), ("a", "b"))},
    name="clicks",
    speedup=2,
)


def test_a_bundled_trace_is_written_by_its_name() -> None:
    source = Source("flights", flights(2, speedup=60))

    written = source.to_dict()["arrivals"]

    assert written == {"kind": "flights", "month": 2, "speedup": 60.0}
    assert Source.from_dict(source.to_dict()) == source


def test_another_trace_is_written_as_its_file_with_its_digest() -> None:
    written = Source("clicks", TRACE).to_dict()["arrivals"]

    assert written == {
        "kind": "trace",
        "file": f"clicks-{TRACE.digest[:8]}.trace.npz",
        "digest": TRACE.digest,
        "speedup": 2.0,
    }


def test_a_trace_is_read_from_its_file(tmp_path: Path) -> None:
    TRACE.save(tmp_path / file_name(TRACE))
    written = Source("clicks", TRACE).to_dict()
    written["arrivals"] = beside(written["arrivals"], tmp_path)  # type: ignore[arg-type]

    assert Source.from_dict(written).arrivals == TRACE


def test_a_trace_whose_file_was_changed_is_an_error(tmp_path: Path) -> None:
    Trace(np.array([0, 5, 9]), {}).save(tmp_path / "x.npz")
    written = {"kind": "trace", "file": str(tmp_path / "x.npz"), "digest": TRACE.digest}

    with pytest.raises(ChangedFileError, match="was changed"):
        Source.from_dict({"stream": "clicks", "arrivals": written})


@pytest.mark.parametrize(
    ("table", "path"),
    [
        ({"kind": "flights", "month": 13}, "arrivals.month"),
        ({"kind": "flights", "speedup": 0}, "arrivals.speedup"),
        ({"kind": "flights", "moth": 1}, "arrivals.moth"),
        ({"kind": "trace"}, "arrivals.file"),
        ({"kind": "fligths"}, "arrivals.kind"),
    ],
    ids=str,
)
def test_a_wrong_table_is_named_by_its_path(
    table: dict[str, object], path: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        Source.from_dict({"stream": "clicks", "arrivals": table})

    assert caught.value.path == path


def test_only_the_speed_up_can_be_changed_inside_a_trace() -> None:
    rule = TraceRule()

    assert list(rule.inside(TRACE)) == ["speedup"]
    assert rule.put(TRACE, {"speedup": 3.0}) == TRACE.with_speedup(3.0)
    assert not rule.holds(Poisson(1))
