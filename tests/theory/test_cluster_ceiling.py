"""A cluster that is offered too much takes what AWS's equation 1 says, within 3 %.

    t ≤ min(disk × B / r, network × B / (groups + r − 1))

for B brokers and r copies (*Best practices for right-sizing your Apache Kafka
clusters*). All rows are on `docs/evidence/cluster-ceiling.md`; the quick tier has one
that the disk binds, and two that the network does.
"""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from kafkasim.engine.sim.run import run
from tests.tiers import Tier

SCRIPT = Path(__file__).parents[2] / "docs" / "evidence" / "cluster-ceiling"
QUICK = {("large", 1), ("large", 4), ("2xlarge", 8)}


def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("measure", SCRIPT / "measure.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


measure = script()
GIVEN = {
    "large": (81, 72, 48, 28.8),
    "xlarge": (144, 120, 80, 48),
    "2xlarge": (250, 240, 160, 96),
    "4xlarge": (593.75, 480, 320, 192),
}
"""MiB/s with 1, 2, 4 and 8 groups."""


@pytest.mark.parametrize("size", GIVEN)
def test_the_presets_give_the_ceilings_of_the_equation(size: str) -> None:
    found = [measure.ceiling(size, groups) for groups in measure.GROUPS]
    assert found == pytest.approx(GIVEN[size])


@pytest.mark.parametrize("groups", [1, 2, 4, 8])
@pytest.mark.parametrize("size", GIVEN)
def test_a_cluster_that_is_offered_more_takes_its_ceiling(
    size: str, groups: int, tier: Tier
) -> None:
    if tier.name == "quick" and (size, groups) not in QUICK:
        pytest.skip("in the thorough tier")
    result = run(measure.scenario(size, groups), resources=True)
    known = measure.ceiling(size, groups)
    assert measure.committed_mib_per_s(result) == pytest.approx(known, rel=0.03)
    assert measure.binds(result) == ("disk" if groups == 1 else "nic_out")
