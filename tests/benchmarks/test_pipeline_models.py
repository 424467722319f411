"""Pipelines of the engine and of the naive model: the same, message by message."""

import pytest

from benchmarks.bench_pipelines import (
    MOST_APART_US,
    SYSTEMS,
    apart_us,
    chosen,
    naive_of,
)
from kafkasim.engine.sim.run import run


@pytest.mark.parametrize("name", SYSTEMS)
def test_work_ends_when_it_ends_in_a_process_per_message(name: str) -> None:
    scenario = chosen(SYSTEMS[name], duration_s=0.1)
    naive = naive_of(scenario)
    assert len(naive.run()) > 300

    assert apart_us(run(scenario, check=True), naive) < MOST_APART_US
