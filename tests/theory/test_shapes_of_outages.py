"""How long things take when something is slow or gone, and what that depends on.

Published shapes: KIP-794 (who gets how much when a broker is slow); the default
timeouts of KRaft (`broker.session.timeout.ms`, `broker.heartbeat.interval.ms`); lag as
a queue that fills at λ and empties at μ − λ.
"""

import numpy as np
import pytest

from kafkasim.analysis import lag
from kafkasim.engine.sim.run import run
from kafkasim.result.result import Result
from kafkasim.scenario.arrivals import Periodic
from kafkasim.scenario.events import Crash, Pause
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.systems import Group, Kafka
from kafkasim.scenario.traffic import Source, Subscriber, Traffic
from tests.theory.shapes import shape
from tests.tiers import Tier

BROKERS = 3
LEAST_S, MOST_S = 7.0, 10.13
"""A session of 9 s counts from a heartbeat that is 0 to 2 s old when the broker dies;
the controller looks every 9 s / 8, and the last heartbeat was 5 ms on its way."""
SERVED_PER_S = 1_000.0
"""μ: a record is 1 ms of work."""
DOWN_AT_S = 5.0


def elected_after_s(result: Result, crashed_s: float) -> list[float]:
    """Return when each partition had another leader."""
    replicas = result.replicas
    chosen = replicas[replicas.cause == "elected"].at_ms
    return ((chosen / 1e3) - crashed_s).tolist()


def test_failover_takes_as_long_for_300_partitions_as_for_one(tier_seed: int) -> None:
    """KRaft: the controller changes all of them in one step."""
    last_s = []
    for partitions in (1, 10, 100, 300):
        crash = Crash("broker:1", at_s=0.3)
        result = shape(
            crash,
            seed=tier_seed,
            rate=1_000,
            duration_s=0.5,
            copies=3,
            partitions=partitions,
        )
        after_s = elected_after_s(result, crash.at_s)
        assert len(after_s) == -(-partitions // BROKERS)
        last_s.append(max(after_s))

    assert max(last_s) - min(last_s) < 0.05


def test_a_crashed_leader_is_replaced_after_7_to_10_13_seconds(tier: Tier) -> None:
    """Whenever in the course of heartbeats and looks it dies."""
    step_s = 0.5 if tier.name == "quick" else 0.0625
    waits_s = []
    for crashed_s in np.arange(4.0, 13.0, step_s).tolist():
        result = shape(
            Crash("broker:1", at_s=crashed_s),
            seed=1,
            rate=20,
            duration_s=14.0,
            copies=3,
            partitions=1,
        )
        waits_s += elected_after_s(result, crashed_s)

    assert len(waits_s) == len(np.arange(4.0, 13.0, step_s))
    assert LEAST_S <= min(waits_s) < LEAST_S + 0.6
    assert MOST_S - 0.6 < max(waits_s) <= MOST_S


def group_away(event: Crash | Pause, rate: float, catch_up_s: float) -> Result:
    """Run a group of one member that an event keeps from its work."""
    assert event.for_s is not None
    until_s = DOWN_AT_S + event.for_s + 1.2 * catch_up_s + 0.5
    traffic = Traffic(
        {"shop": Source("orders", Periodic(rate))},
        {"billing": Subscriber(["orders"], work_ms=1e3 / SERVED_PER_S)},
        duration_s=until_s,
    )
    cluster = Kafka(groups={"billing": Group(commit="each_poll")})
    return run(Scenario(traffic, cluster, events=[event]))


@pytest.mark.parametrize("kind", [Crash, Pause])
@pytest.mark.parametrize("away_s", [2.0, 8.0])
@pytest.mark.parametrize("rate", [200.0, 500.0, 800.0])
def test_lag_climbs_at_lambda_and_is_caught_up_at_mu_less_lambda(
    kind: type[Crash | Pause], away_s: float, rate: float
) -> None:
    catch_up_s = away_s * rate / (SERVED_PER_S - rate)
    event = kind("subscriber:billing", at_s=DOWN_AT_S, for_s=away_s)
    steps = lag(group_away(event, rate, catch_up_s), bin_ms=10.0)
    at_s, behind = steps.at_ms.to_numpy() / 1e3, steps.lag_records.to_numpy()
    back_s = DOWN_AT_S + away_s

    away = (at_s > DOWN_AT_S + 0.1) & (at_s < back_s)
    assert behind[away] == pytest.approx(
        rate * (at_s[away] - DOWN_AT_S), abs=rate * 0.02 + 2
    )
    usual = behind[at_s < DOWN_AT_S].max()
    late_s = at_s[behind > usual + 1].max() - back_s
    assert late_s == pytest.approx(catch_up_s, rel=0.02, abs=0.02)


def share_of_broker_1(seed: int, *, adaptive: bool) -> float:
    """Return its share of the bytes while it stands still four fifths of the time."""
    stutters = [Pause("broker:1", at_s=0.1 * k, for_s=0.08) for k in range(1, 20)]
    result = shape(
        *stutters,
        seed=seed,
        rate=20_000,
        duration_s=2.0,
        partitions=6,
        batch_size=1_000,
        max_in_flight_requests_per_connection=1,
        partitioner_adaptive_partitioning_enable=adaptive,
    )
    batches = result.columns("batches")
    of_broker_1 = batches["partition"] % BROKERS == 0
    size_bytes = batches["size_bytes"]
    return float(size_bytes[of_broker_1].sum() / size_bytes.sum())


def test_a_slow_broker_gets_its_share_without_adapting_and_less_with(
    tier_seed: int,
) -> None:
    """KIP-794."""
    assert share_of_broker_1(tier_seed, adaptive=False) == pytest.approx(
        1 / BROKERS, abs=0.04
    )
    assert share_of_broker_1(tier_seed, adaptive=True) < 0.6 / BROKERS
