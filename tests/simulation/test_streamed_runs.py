"""Streamed, a run counts what its full tables would show."""

from unittest.mock import patch

from hypothesis import given, note
from hypothesis import strategies as st

from kafkasim.engine.sim.run import run
from kafkasim.protocol.producing import sticky
from kafkasim.result.result import Result
from kafkasim.result.streaming_tables import stream_tables
from kafkasim.scenario import arrivals, blocks
from kafkasim.scenario.events import Event
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.systems import Kafka
from kafkasim.scenario.traffic import Traffic
from tests.simulation.test_random_runs import clusters, faults_of_a_run, traffics
from tests.tiers import dear


def check_same(streamed: Result, full: Result) -> None:
    """Compare a streamed run with the full one, every table and digest."""
    expected = stream_tables(full)
    assert streamed.digests == expected.digests
    assert streamed.tables == expected.tables
    for name in expected.tables:
        assert streamed.columns(name) == expected.columns(name), name
    assert streamed.plan.digest == full.plan.digest
    assert dict(streamed.not_recorded) == dict(expected.not_recorded)


@dear()
@given(
    traffics(),
    clusters(),
    faults_of_a_run,
    st.integers(0, 2**31),
    st.integers(1, 60),
    st.sampled_from(["cut", "drain"]),
)
def test_a_streamed_run_counts_what_the_full_tables_show(  # noqa: PLR0917
    traffic: Traffic,
    cluster: Kafka,
    faults: list[Event],
    seed: int,
    block: int,
    end: str,
) -> None:
    scenario = Scenario(
        traffic,
        system=cluster,
        seed=seed,
        events=tuple(faults),
        end=end,  # type: ignore[arg-type]
    )
    note(scenario.to_toml())
    full = run(scenario)
    with (
        patch.object(blocks, "BLOCK", block),
        patch.object(arrivals, "_BLOCK", 2 * block),
        patch.object(sticky, "_TRIM", block),
    ):
        check_same(run(scenario, result="streamed"), full)
        check_same(run(scenario, plan=scenario.plan(), result="streamed"), full)
