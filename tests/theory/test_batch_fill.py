"""How full batches get under linger: a truncated Poisson law.

Records arrive as a Poisson process of rate λ; a batch opens with a record and is sent
when it holds N or when linger T is over. The number that join the first one is Poisson
(λT), cut at N − 1, so P(full) = P(Poisson(λT) ≥ N − 1) and
E[records] = 1 + E[min(Poisson(λT), N − 1)].

A run is twice as long as the tier's others, so that four standard errors are less than
the 1 % within which the law has to hold.
"""

from math import exp

import numpy as np
import pytest

from kafkasim.config.producer import ProducerConfig
from kafkasim.engine.sim.run import run
from kafkasim.log.record_size import record_bytes
from kafkasim.scenario.arrivals import Poisson
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.systems import Kafka, Producer
from kafkasim.scenario.traffic import Source, Traffic
from tests.tiers import Tier

HEADER_BYTES = 61
VALUE_BYTES = 40


def poisson(mean: float, at_most: int) -> list[float]:
    """Return P(0), …, P(at_most)."""
    chances = [exp(-mean)]
    for count in range(1, at_most + 1):
        chances.append(chances[-1] * mean / count)
    return chances


def batch_records(records: int, rate: float, linger_ms: int, full: int) -> np.ndarray:
    """Return the records of each batch, but of the last one."""
    each = record_bytes(0, 0, -1, VALUE_BYTES)
    config = ProducerConfig(batch_size=HEADER_BYTES + full * each, linger_ms=linger_ms)
    source = Source("stream", Poisson(rate), value_bytes=VALUE_BYTES)
    scenario = Scenario(
        Traffic({"source": source}, {}, duration_s=records / rate),
        Kafka(producers={"source": Producer(config=config)}),
        seed=4,
    )
    batches = run(scenario).columns("batches")
    return batches["record_count"][np.argsort(batches["opened_ns"])][:-1]


@pytest.mark.parametrize(
    ("rate", "linger_ms", "full", "share_full", "mean"),
    [
        (200, 5, 10, 0.0000, 2.0000),
        (1_000, 5, 10, 0.0681, 5.9460),
        (1_000, 5, 32, 0.0000, 6.0000),
        (1_000, 20, 10, 0.9979, 9.9968),
        (5_000, 5, 10, 0.9999, 9.9999),
    ],
)
def test_batches_fill_as_the_truncated_poisson_law_says(
    tier: Tier,
    *,
    rate: float,
    linger_ms: int,
    full: int,
    share_full: float,
    mean: float,
) -> None:
    joined = poisson(rate * linger_ms / 1_000, full - 2)
    law_full = 1 - sum(joined)
    law_mean = 1 + sum(n * p for n, p in enumerate(joined)) + (full - 1) * law_full
    assert (round(law_full, 4), round(law_mean, 4)) == (share_full, mean)

    counts = batch_records(2 * tier.records, rate, linger_ms, full)
    error = counts.std() / len(counts) ** 0.5
    assert 4 * error < 0.01 * law_mean
    assert abs(counts.mean() - law_mean) <= 4 * error
    share = (counts == full).mean()
    share_error = (law_full * (1 - law_full) / len(counts)) ** 0.5
    assert abs(share - law_full) <= 4 * share_error + 1 / len(counts)
    assert counts.max() <= full
