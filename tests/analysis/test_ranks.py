"""The distribution of latency, against numpy's."""

import numpy as np
import pytest
from numpy.typing import NDArray

from kafkasim.analysis.ranks import STEPS, latency_ecdf
from kafkasim.analysis.waiting import latency
from kafkasim.engine.sim.run import run
from kafkasim.result.result import Result
from kafkasim.scenario.arrivals import Poisson
from kafkasim.scenario.distributions import Exponential
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.systems import Kafka
from kafkasim.scenario.traffic import Source, Subscriber, Traffic
from kafkasim.testing.builders import small_result

TRAFFIC = Traffic(
    {"web": Source("orders", Poisson(700.0))},
    {
        "billing": Subscriber(["orders"], work_ms=Exponential(1.2)),
        "audit": Subscriber(["orders"]),
    },
    duration_s=2.0,
)


@pytest.fixture(scope="module")
def full() -> Result:
    return run(Scenario(TRAFFIC, Kafka(), seed=5))


@pytest.fixture(scope="module")
def streamed() -> Result:
    return run(Scenario(TRAFFIC, Kafka(), seed=5), result="streamed")


def latencies_ms(result: Result, subscriber: str) -> NDArray[np.float64]:
    """Return each record's latency, from the tables themselves."""
    rows = result.table("deliveries").set_index("record_id")
    done = rows[rows["subscriber"] == subscriber]["ended_ms"]
    intended = result.table("records", ["intended_ms"])["intended_ms"]
    found: NDArray[np.float64] = (done - intended.loc[done.index]).to_numpy()
    return found


@pytest.mark.parametrize("subscriber", ["billing", "audit"])
def test_of_a_full_run_every_share_is_numpys_quantile(
    full: Result, subscriber: str
) -> None:
    table = latency_ecdf(full)
    mine = table[table["subscriber"] == subscriber]
    expected = np.quantile(
        latencies_ms(full, subscriber), mine["share"], method="inverted_cdf"
    )
    np.testing.assert_allclose(mine["latency_ms"], expected, rtol=1e-12)
    assert len(mine) >= STEPS
    assert {0.5, 0.99, 1.0} <= set(mine["share"].round(12))
    assert (np.diff(mine["share"]) > 0).all()


def test_of_a_streamed_run_every_share_is_within_its_bucket(
    full: Result, streamed: Result
) -> None:
    one, other = latency_ecdf(full), latency_ecdf(streamed)
    np.testing.assert_array_equal(one["share"], other["share"])
    np.testing.assert_allclose(one["latency_ms"], other["latency_ms"], rtol=0.004)
    last = one["share"] == 1.0
    np.testing.assert_array_equal(one["latency_ms"][last], other["latency_ms"][last])


def test_it_agrees_with_the_percentiles_of_the_run(full: Result) -> None:
    table = latency_ecdf(full).set_index(["subscriber", "share"])["latency_ms"]
    percentiles = latency(full).set_index("subscriber")
    for subscriber in ("billing", "audit"):
        row = percentiles.loc[subscriber]
        assert table[subscriber, 0.5] == row["latency_ms_p50"]
        assert table[subscriber, 0.99] == row["latency_ms_p99"]
        assert table[subscriber, 1.0] == row["latency_ms_max"]


def test_few_records_have_a_row_each() -> None:
    result = small_result(
        records=[{"intended_ms": 0.0}] * 4,
        deliveries=[
            {"record_id": number, "ended_ms": ended}
            for number, ended in enumerate((8.0, 2.0, 4.0, 2.0))
        ],
    )
    table = latency_ecdf(result)
    assert table["share"].tolist() == [0.25, 0.5, 0.75, 1.0]
    assert table["latency_ms"].tolist() == [2.0, 2.0, 4.0, 8.0]


def test_whoever_processed_nothing_has_no_row() -> None:
    result = small_result(records=[{"intended_ms": 0.0}], deliveries=[])
    assert latency_ecdf(result).empty
