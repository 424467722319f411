"""The closed loop and the plain sender behind `docs/evidence/java-producer.md`."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from numpy.typing import NDArray

Times = NDArray[np.int64]
FOLDER = Path(__file__).parents[2] / "docs" / "evidence" / "java-producer"


def script(name: str) -> ModuleType:
    """Return a script of the page, under the name by which its neighbour imports it."""
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
        assert spec is not None
        assert spec.loader is not None
        sys.modules[name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(sys.modules[name])
    return sys.modules[name]


plain = script("plain")
compare = script("compare")


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compare, "RECORDS", 256)


@pytest.mark.parametrize("linger_ms", [0, 5, 20])
def test_engine_and_plain_sender_agree_on_one_partition(linger_ms: int) -> None:
    row = compare.Row("one", linger_ms, 1, 0, 0.0)
    keys = compare.keys_of(0)

    by_engine = compare.closed_loop(row, keys, 0.2)

    assert by_engine == compare.plain(row, keys, 1)
    assert by_engine[0] == -(-256 // 7)  # seven records fill a batch of 4,096 bytes


def test_a_record_comes_with_the_acknowledgement_that_lets_it() -> None:
    row, keys = compare.Row("six", 5, 6, 0, 0.0), compare.keys_of(1)
    seen: list[Times] = []

    def noted(row: object, keys: object, times: Times, way: object) -> object:
        seen.append(times)
        return scenario(row, keys, times, way)

    scenario = compare.scenario
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compare, "scenario", noted)
        compare.closed_loop(row, keys, 0.2)
    times = seen[-1]
    acked = np.sort(
        compare.ks.run(scenario(row, keys, times, 0.2)).columns("records")["acked_ns"]
    )

    assert len(times) == 256
    assert (times[:32] == 0).all()
    assert (times[32:] == acked[: 256 - 32]).all()


def test_a_clock_of_milliseconds_matters_to_linger_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(compare, "RECORDS", 2_048)
    found = {}
    for linger_ms in (0, 1):
        for clock_ns in (1, plain.NS_PER_MS):
            row, keys = compare.Row("", linger_ms, 6, 0, 0.0), compare.keys_of(0)
            found[linger_ms, clock_ns] = compare.plain(row, keys, clock_ns)
    assert found[0, 1] == found[0, plain.NS_PER_MS]
    assert found[1, 1] != found[1, plain.NS_PER_MS]
