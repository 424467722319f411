"""Compacted topics with copies in clusters that fail at random.

The number in a failing test's name is its seed; `scenario_of` gives its scenario again.
"""

import pytest

from kafkasim.engine.sim.run import run
from tests.simulation.compacted_runs import scenario_of, wrongs

SEEDS = {"quick": 12, "thorough": 300}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    metafunc.parametrize("seed", range(SEEDS[metafunc.config.getoption("--tier")]))


def test_copies_that_are_compacted_apart_agree_and_readers_miss_nothing_that_is_left(
    seed: int,
) -> None:
    result = run(scenario_of(seed), check=True)

    assert list(wrongs(result)) == []
