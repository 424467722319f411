"""Streamed runs of clusters with copies, and of such as fail: the full run's numbers.

The number in a failing test's name is its seed; `scenario_of` gives its scenario again.
"""

from unittest.mock import patch

import pytest

from kafkasim.engine.sim import run as runs
from kafkasim.engine.sim.run import run
from kafkasim.engine.sim.systems.kafka import KafkaRun
from kafkasim.protocol.producing import sticky
from kafkasim.result.result import Result
from kafkasim.scenario import blocks
from kafkasim.scenario.events import Crash
from kafkasim.scenario.keys import NoKeys, UniformKeys
from kafkasim.scenario.scenario import Scenario
from tests.simulation import fault_runs
from tests.simulation.test_let_go import ONE_BROKER_LATE, scenario
from tests.simulation.test_streamed_runs import check_same

SEEDS = {"quick": 6, "thorough": 100}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "seed" in metafunc.fixturenames:
        count = SEEDS[metafunc.config.getoption("--tier")]
        metafunc.parametrize("seed", range(count))


def streamed(chosen: Scenario) -> tuple[Result, list[bool]]:
    """Run in small blocks; also say of each attempt whether it let records go."""
    attempts = []

    class Noted(KafkaRun):
        def __init__(self, *arguments: object, **options: object) -> None:
            attempts.append(bool(options["streamed"]))
            super().__init__(*arguments, **options)  # type: ignore[arg-type]

    with (
        patch.object(runs, "KafkaRun", Noted),
        patch.object(blocks, "BLOCK", 64),
        patch.object(sticky, "_TRIM", 64),
    ):
        return run(chosen, result="streamed"), attempts


@pytest.mark.parametrize("keys", [UniformKeys(count=20), NoKeys()])
@pytest.mark.parametrize("acks", ["0", "1", "all"])
def test_with_copies_a_streamed_run_counts_what_the_full_one_shows(
    keys: UniformKeys | NoKeys, acks: str
) -> None:
    chosen = scenario(keys).where(
        {
            "system.producers.web.config.acks": acks,
            "system.producers.web.config.enable_idempotence": acks == "all",
        }
    )

    result, attempts = streamed(chosen)

    check_same(result, run(chosen))
    assert attempts == [True]


def test_a_subscriber_that_crashes_sets_nothing_but_itself_back() -> None:
    crash = Crash("subscriber:billing", at_s=2.0, for_s=0.5)
    chosen = scenario(UniformKeys(count=20)).where({"events": [crash]})

    result, attempts = streamed(chosen)

    check_same(result, run(chosen))
    assert attempts == [True]


def test_a_streamed_run_in_which_something_fails_begins_anew_and_keeps_all() -> None:
    chosen = scenario(UniformKeys(count=20)).where(ONE_BROKER_LATE)

    result, attempts = streamed(chosen)

    full = run(chosen)
    assert (full.columns("batches")["attempts"] > 1).any()
    check_same(result, full)
    assert attempts == [True, False]


def test_clusters_that_fail_at_random(seed: int) -> None:
    chosen = fault_runs.scenario_of(seed)

    result, attempts = streamed(chosen)

    check_same(result, run(chosen))
    assert attempts[-1] is (not chosen.events)
