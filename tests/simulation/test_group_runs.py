"""Consumer groups to which things happen at random: what must hold of each history.

The number in a failing test's name is its seed; `scenario_of` gives its scenario again.
"""

import pytest

from kafkasim.engine.sim.run import run
from tests.simulation.group_runs import scenario_of, wrongs

SEEDS = {"quick": [*range(15), *range(16, 26)], "thorough": range(500)}
"""In the 15th somebody is stuck for 300 s, with a heartbeat every 150 ms."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "seed" in metafunc.fixturenames:
        tier = metafunc.config.getoption("--tier")
        metafunc.parametrize("seed", SEEDS[tier])


def test_a_partition_has_one_owner_in_an_epoch_whatever_happens(seed: int) -> None:
    """Also: commits within the log, positions that rise, an end, the same twice."""
    scenario = scenario_of(seed)

    result = run(scenario, check=True)

    assert list(wrongs(scenario, result)) == []
    if seed % 5 == 0:
        assert run(scenario).digest == result.digest
