from pathlib import Path

import numpy as np
import pytest

from kafkasim.errors import ChangedFileError, ValidationError
from kafkasim.scenario.arrivals import Poisson
from kafkasim.scenario.bundled import flights
from kafkasim.scenario.keys import TraceColumn
from kafkasim.scenario.scenario import Scenario, load
from kafkasim.scenario.trace import Trace
from kafkasim.scenario.trace_columns import CodedColumn
from kafkasim.scenario.traffic import Source, Subscriber, Traffic

TRAFFIC = Traffic(
    {"web": Source("orders", Poisson(100))},
    {"billing": Subscriber(["orders"], work_ms=1)},
    duration_s=60,
)
SCENARIO = Scenario(TRAFFIC, seed=7)
TRACE = Trace(
    np.array([0, 5, 9]),
    {"web": CodedColumn(np.array([0, 1, -1]), ("a", "b"))},
    name="clicks",
)
CLICKS = Scenario(
    Traffic(
        {"clicks": Source("clicks", TRACE, keys=TraceColumn("web"))},
        {"billing": Subscriber(["clicks"])},
    )
)


@pytest.mark.parametrize("suffix", ["toml", "json"])
def test_a_scenario_with_a_trace_is_saved_and_loaded_equal(
    tmp_path: Path, suffix: str
) -> None:
    path = tmp_path / f"x.{suffix}"

    CLICKS.save(path)

    assert load(path) == CLICKS
    assert load(path).digest == CLICKS.digest
    assert len(list(tmp_path.iterdir())) == 2


def test_a_bundled_trace_needs_no_file(tmp_path: Path) -> None:
    scenario = Scenario(Traffic({"a": Source("flights", flights(2, speedup=60))}, {}))

    scenario.save(tmp_path / "x.toml")

    assert load(tmp_path / "x.toml") == scenario
    assert len(list(tmp_path.iterdir())) == 1


def test_two_traces_of_one_name_do_not_take_each_others_place(tmp_path: Path) -> None:
    other = Trace(np.array([0, 1]), {}, name="clicks")
    traffic = Traffic({"a": Source("a", TRACE), "b": Source("b", other)}, {})

    Scenario(traffic).save(tmp_path / "x.toml")

    assert load(tmp_path / "x.toml") == Scenario(traffic)
    assert len(list(tmp_path.iterdir())) == 3


def test_a_changed_trace_is_an_error(tmp_path: Path) -> None:
    CLICKS.save(tmp_path / "x.toml")
    (file,) = tmp_path.glob("*.npz")
    Trace(np.array([0, 5, 8]), {}).save(file)

    with pytest.raises(ChangedFileError):
        load(tmp_path / "x.toml")


def test_an_error_in_a_file_names_file_and_path(tmp_path: Path) -> None:
    path = tmp_path / "x.toml"
    path.write_text(SCENARIO.to_toml().replace("seed = 7", "seed = -7"))

    with pytest.raises(ValidationError) as caught:
        load(path)

    assert str(caught.value).startswith(f"{path}: seed: -7 is not allowed")


def test_the_saved_file_is_short_and_says_what_was_said() -> None:
    assert SCENARIO.to_toml() == (
        "kafkasim = 1\n"
        "seed = 7\n"
        "\n"
        "[traffic]\n"
        "duration_s = 60.0\n"
        "\n"
        "[traffic.sources.web]\n"
        'stream = "orders"\n'
        "\n"
        "[traffic.sources.web.arrivals]\n"
        'kind = "poisson"\n'
        "rate_per_s = 100.0\n"
        "\n"
        "[traffic.subscribers.billing]\n"
        "streams = [\n"
        '    "orders",\n'
        "]\n"
        "work_ms = 1.0\n"
    )
