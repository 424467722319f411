"""Consumer groups to which things happen at random: what must hold of each history.

The number in a failing test's name is its seed; `scenario_of` gives its scenario again.
"""

import pytest

import kafkasim as ks
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


def test_what_is_pending_is_seen_but_behind_a_stuck_record() -> None:
    """Two members have a partition each; the work on one of all records never ends."""
    traffic = ks.Traffic(
        {"web": ks.Source("orders", ks.Periodic(20.0), keys=ks.UniformKeys(9))},
        {"billing": ks.Subscriber(["orders"], work_ms=400.0)},
        duration_s=2.0,
    )
    cluster = ks.Kafka(
        topics={"orders": ks.Topic(partitions=2)}, groups={"billing": ks.Group(2)}
    )
    calm = ks.Scenario(traffic, cluster, end="cut")
    stuck = calm.where({"events": (ks.StuckRecord("subscriber:billing", "web", 0),)})
    places = [list(wrongs(each, run(each, check=True))) for each in (calm, stuck)]

    assert [len(each) for each in places] == [2, 1]
    assert places[1][0].split(" is read")[0] in "".join(places[0])
