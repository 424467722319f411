"""What `run` refuses before it runs, and what it leaves as it was."""

import gc
from dataclasses import replace

import pytest

from kafkasim.engine.sim.run import run
from kafkasim.errors import ValidationError
from kafkasim.scenario.arrivals import Periodic
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.traffic import Source, Traffic

SCENARIO = Scenario(
    Traffic({"web": Source("orders", Periodic(rate_per_s=10))}, {}, duration_s=1),
    seed=3,
)


@pytest.mark.parametrize("not_one", ["x.toml", SCENARIO.traffic, None])
def test_what_is_no_scenario_is_refused(not_one: object) -> None:
    with pytest.raises(ValidationError, match=r"expected a Scenario; ks\.load reads"):
        run(not_one)  # type: ignore[arg-type]


def test_a_plan_of_another_seed_is_refused() -> None:
    with pytest.raises(ValidationError, match="a plan drawn with seed 3"):
        run(SCENARIO, plan=replace(SCENARIO, seed=4).plan())


def test_a_plan_of_other_sources_is_refused() -> None:
    other = Traffic(
        {"app": Source("orders", Periodic(rate_per_s=10))}, {}, duration_s=1
    )
    with pytest.raises(ValidationError, match=r"a plan of the sources \['web'\]"):
        run(SCENARIO, plan=Scenario(other, seed=3).plan())


def test_a_plan_that_fits_gives_the_result_of_a_run_without_one() -> None:
    assert run(SCENARIO, plan=SCENARIO.plan()).digest == run(SCENARIO).digest


@pytest.mark.parametrize("is_on", [True, False])
def test_garbage_is_not_looked_for_meanwhile_and_then_as_before(*, is_on: bool) -> None:
    seen: list[bool] = []
    if not is_on:
        gc.disable()
    try:
        run(SCENARIO, report=lambda *_: seen.append(gc.isenabled()))
        with pytest.raises(ValidationError):
            run(replace(SCENARIO, seed=4), plan=SCENARIO.plan())
        after = gc.isenabled()
    finally:
        gc.enable()
    assert set(seen) == {False}
    assert after is is_on
