"""Brokers and controllers that fail at random: nothing acknowledged is lost.

The number in a failing test's name is its seed; `scenario_of` gives its scenario again.
"""

import pytest

from kafkasim.engine.sim.run import run
from tests.simulation.fault_runs import scenario_of, wrongs

SEEDS = {"quick": 25, "thorough": 500}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    metafunc.parametrize("seed", range(SEEDS[metafunc.config.getoption("--tier")]))


def test_a_cluster_that_fails_keeps_its_invariants_and_what_it_acknowledged(
    seed: int,
) -> None:
    scenario = scenario_of(seed)

    result = run(scenario, check=True)

    assert list(wrongs(scenario, result)) == []
