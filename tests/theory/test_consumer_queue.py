"""One partition and one member are one queue with one server: M/M/1 and M/D/1.

Links and broker take (almost) no time, each record is its own batch and linger is 0, so
`started − appended` is the wait of a single FIFO server. Its mean is compared with the
closed forms within four standard errors, and each record with Lindley's recursion to
the nanosecond.

With load r and n waits the variance of the M/M/1 mean, in squares of the mean work, is
``r (2 + 5 r - 4 r² + r³) / ((1 - r)⁴ n)`` (D. J. Daley, "The serial correlation
coefficients of waiting times in a stationary single server queue", 1968); that of M/D/1
is taken from the means of 100 blocks of the run itself.
"""

from functools import lru_cache

import numpy as np
import pytest
from numpy.typing import NDArray

from kafkasim.config.producer import ProducerConfig
from kafkasim.engine.sim.run import run
from kafkasim.scenario.arrivals import Poisson
from kafkasim.scenario.distributions import Exponential
from kafkasim.scenario.hardware import Cpu, Hardware, Link
from kafkasim.scenario.plan import planned
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.systems import Kafka, Producer
from kafkasim.scenario.traffic import Source, Subscriber, Traffic
from tests.tiers import Tier

RATE_PER_S = 1_000.0
"""μ: work takes 1 ms on average."""
NO_TIME = Hardware(
    link=Link(delay_ms=0.0, bandwidth_mb_per_s=1e12),
    cpu=Cpu(request_ms=0.0, mb_ms=0.0),
)
LINK_NS = 1
"""The least a link takes: an append reaches the member this much later."""
FETCH_NS = 2 * LINK_NS
"""A fetch there and back. It is sent as work begins, and hidden behind work that takes
as long; about one record in 670,000 has less, which is made as much as that."""

Times = NDArray[np.int64]


@lru_cache(maxsize=3)
def queue(
    records: int, seed: int, load: float, *, exponential: bool
) -> tuple[Times, Times, Times]:
    """Run a queue; return when each record was appended, started and ended."""
    rate = load * RATE_PER_S
    work = Exponential(1.0) if exponential else 1.0
    scenario = Scenario(
        Traffic(
            {"source": Source("queue", Poisson(rate), value_bytes=10)},
            {"server": Subscriber(["queue"], work_ms=work)},
            duration_s=records / rate,
        ),
        Kafka(
            producers={"source": Producer(config=ProducerConfig(linger_ms=0))},
            hardware=NO_TIME,
        ),
        seed=seed,
    )
    plan = scenario.plan()
    work_ns = {name: np.maximum(w, FETCH_NS) for name, w in plan.work_ns.items()}
    plan = planned(plan.seed, plan.duration_ns, plan.sources, work_ns)
    result = run(scenario, plan=plan)
    # Each record is its own batch, but two of one nanosecond share theirs.
    created_ns = result.columns("records")["created_ns"]
    assert len(result.columns("batches")) == len(np.unique(created_ns))
    deliveries = result.columns("deliveries")
    appended = result.columns("records")["appended_ns"][deliveries["record_id"]]
    return appended, deliveries["started_ns"], deliveries["ended_ns"]


def mean_and_error(waits: NDArray[np.float64]) -> tuple[float, float]:
    """Return the mean and its standard error from 100 blocks of the run."""
    blocks = waits[: len(waits) // 100 * 100].reshape(100, -1).mean(axis=1)
    return float(waits.mean()), float(blocks.std(ddof=1) / 10)


@pytest.mark.parametrize("load", [pytest.param(0.5, marks=pytest.mark.slow), 0.8])
def test_the_mean_wait_is_that_of_an_m_m_1_queue(
    tier: Tier, tier_seed: int, load: float
) -> None:
    appended, started, _ = queue(tier.records, tier_seed, load, exponential=True)
    waits = (started - appended) / 1e6
    expected = load / (1 - load)
    variance = load * (2 + 5 * load - 4 * load**2 + load**3) / (1 - load) ** 4
    assert abs(waits.mean() - expected) < 4 * (variance / len(waits)) ** 0.5


def test_the_mean_wait_is_that_of_an_m_d_1_queue(tier: Tier, tier_seed: int) -> None:
    appended, started, _ = queue(tier.records, tier_seed, 0.8, exponential=False)
    mean, error = mean_and_error((started - appended) / 1e6)
    expected = 0.8 / (2 * (1 - 0.8))  # Pollaczek and Khinchine
    assert error < 0.1
    assert abs(mean - expected) < 4 * error


@pytest.mark.parametrize(
    ("load", "exponential"),
    [pytest.param(0.5, True, marks=pytest.mark.slow), (0.8, True), (0.8, False)],
)
def test_each_record_starts_when_lindleys_recursion_says(
    tier: Tier, tier_seed: int, *, load: float, exponential: bool
) -> None:
    appended, started, ended = queue(
        tier.records, tier_seed, load, exponential=exponential
    )
    free_ns = 0
    expected = []
    arrivals, work = (appended + LINK_NS).tolist(), (ended - started).tolist()
    for arrived_ns, work_ns in zip(arrivals, work, strict=True):
        start_ns = max(arrived_ns, free_ns)
        expected.append(start_ns)
        free_ns = start_ns + work_ns
    assert started.tolist() == expected
