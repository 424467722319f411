"""IO threads are one queue with c servers: M/M/c and M/D/c.

Nobody reads, so the broker's only requests are Produce requests; links and bytes take
(almost) no time, each record is its own batch and request. Arrivals are one Poisson
process whose records are dealt to many clients in turn. A broker reads one request of a
connection at a time (BR-2), so a client's next request could have to wait for the last
one; it comes as many arrivals later as there are clients, and the test asserts that not
one request ever waited before the shared queue. What is left is the queue itself:
`dequeued − received` is the wait of a FIFO queue with `num.io.threads` servers.

M/M/c: the mean wait is C(c, a) / (c μ − λ) with Erlang's C (A. K. Erlang, "Solution of
some problems in the theory of probabilities of significance in automatic telephone
exchanges", 1917). M/D/c: C. D. Crommelin, "Delay probability formulae", 1934:

    W / D = Σ_k P(N_k ≥ k c) − (c / a) P(N_k ≥ k c + 1),   N_k ~ Poisson(k a).

It follows from Spitzer's identity, W = Σ_k E[max(0, k D − T_kc)] / k with T_n the time
of n arrivals, since with equal services request i is served by the thread of request
i − c: c recursions of Lindley, interleaved. The tests hold the series against Pollaczek
and Khinchine for one thread, and for several against the equations of the number in the
system one service time apart.

Beside the means, every single request starts when the recursion of Kiefer and Wolfowitz
says ("On the theory of queues with many servers", 1955), to the nanosecond.
"""

from functools import lru_cache
from heapq import heapify, heapreplace
from math import exp, log

import numpy as np
import pytest
from numpy.typing import NDArray

from kafkasim.config.broker import BrokerConfig
from kafkasim.config.producer import ProducerConfig
from kafkasim.engine.sim.run import run
from kafkasim.scenario.distributions import Exponential
from kafkasim.scenario.hardware import Cpu, Hardware, Link
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.streams import stream
from kafkasim.scenario.systems import Kafka, Producer
from kafkasim.scenario.trace import Trace
from kafkasim.scenario.traffic import Source, Traffic
from tests.tiers import Tier

MS = 1_000_000
SERVICE_MS = 1.0
"""1 / μ."""
THREADS = 3
LOAD = 0.8
CLIENTS = 200
LINK_NS = 1
"""The least a link takes."""
BLOCKS = 100

Times = NDArray[np.int64]


# --- laws -------------------------------------------------------------------------


def erlang_c(servers: int, offered: float) -> float:
    """Return the chance that an arrival waits, by the recursion of Erlang's B."""
    blocked = 1.0
    for count in range(1, servers + 1):
        blocked = offered * blocked / (count + offered * blocked)
    load = offered / servers
    return blocked / (1 - load * (1 - blocked))


def m_m_c_wait(servers: int, load: float) -> float:
    """Return the mean wait over the mean service."""
    return erlang_c(servers, servers * load) / (servers * (1 - load))


def poisson_at_least(count: int, mean: float) -> float:
    """Return P(Poisson(mean) ≥ count)."""
    logs = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, count + 1)))])[:count]
    chances = np.exp(np.arange(count) * log(mean) - mean - logs)
    return max(0.0, 1.0 - float(chances.sum()))


def m_d_c_wait(servers: int, load: float) -> float:
    """Return the mean wait over the service, by Crommelin's series."""
    offered = servers * load
    total, k = 0.0, 1
    while True:
        mean, many = k * offered, k * servers
        term = poisson_at_least(many, mean)
        term -= servers / offered * poisson_at_least(many + 1, mean)
        total += term
        if term < 1e-13:
            return total
        k += 1


def m_d_c_wait_by_states(servers: int, load: float, states: int = 400) -> float:
    """Return the same from the chances of n in the system, and Little's law.

    Who is in service now has left a service time later, and nobody else has: from i
    there become max(0, i − c) + Poisson(a).
    """
    offered = servers * load
    arrivals = [exp(-offered)]
    for count in range(1, states):
        arrivals.append(arrivals[-1] * offered / count)
    steps = np.zeros((states, states))
    for before in range(states):
        left = max(0, before - servers)
        steps[before, left:] = arrivals[: states - left]
    equations = np.vstack([steps.T - np.eye(states), np.ones(states)])
    chances = np.linalg.lstsq(equations, np.eye(states + 1)[-1], rcond=None)[0]
    waiting = np.maximum(0, np.arange(states) - servers) @ chances
    return float(waiting / offered)


def test_erlangs_c_has_its_known_values() -> None:
    assert erlang_c(1, 0.8) == pytest.approx(0.8)
    assert erlang_c(2, 1.6) == pytest.approx(2 * 0.8**2 / (1 + 0.8))
    assert erlang_c(3, 2.0) == pytest.approx(4 / 9)


@pytest.mark.parametrize("load", [0.5, 0.8])
def test_crommelins_series_is_that_of_pollaczek_and_khinchine_for_one(
    load: float,
) -> None:
    assert m_d_c_wait(1, load) == pytest.approx(load / (2 * (1 - load)), rel=1e-9)


@pytest.mark.parametrize(("threads", "load"), [(THREADS, LOAD), (8, 0.9)])
def test_crommelins_series_agrees_with_the_state_equations(
    threads: int, load: float
) -> None:
    by_states = m_d_c_wait_by_states(threads, load)
    assert m_d_c_wait(threads, load) == pytest.approx(by_states, rel=1e-9)


# --- the broker -------------------------------------------------------------------


@lru_cache(maxsize=2)
def broker_queue(
    records: int, seed: int, *, exponential: bool
) -> tuple[Times, Times, Times]:
    """Run it; return when each request was received, dequeued and done, in order."""
    gap_ns = SERVICE_MS * MS / (THREADS * LOAD)
    gaps = stream(seed, "tests/arrivals").standard_exponential(records) * gap_ns
    times = np.rint(np.cumsum(gaps)).astype(np.int64)
    scenario = Scenario(
        Traffic(
            {
                f"{client:03}": Source("topic", Trace(times[client::CLIENTS], {}))
                for client in range(CLIENTS)
            },
            {},
        ),
        Kafka(
            producers={
                f"{client:03}": Producer(config=ProducerConfig(linger_ms=0))
                for client in range(CLIENTS)
            },
            hardware=Hardware(
                link=Link(delay_ms=0.0, bandwidth_mb_per_s=1e12),
                cpu=Cpu(
                    request_ms=Exponential(SERVICE_MS) if exponential else SERVICE_MS,
                    mb_ms=0.0,
                ),
            ),
            broker_config=BrokerConfig(num_io_threads=THREADS),
        ),
        seed=seed,
    )
    requests = run(scenario).columns("requests")
    assert len(requests) == records
    received_ns = requests["received_ns"]
    assert (received_ns == requests["sent_ns"] + LINK_NS).all()
    # At one time the lower client is read first: the calendar's rule for ties.
    order = np.lexsort((requests["sender"], received_ns))
    assert received_ns[order].tolist() == (times + LINK_NS).tolist()
    return (
        received_ns[order],
        requests["dequeued_ns"][order],
        requests["done_ns"][order],
    )


def mean_and_error(values: NDArray[np.float64]) -> tuple[float, float]:
    """Return the mean and its standard error from the means of blocks of the run."""
    blocks = values[: len(values) // BLOCKS * BLOCKS].reshape(BLOCKS, -1).mean(axis=1)
    return float(values.mean()), float(blocks.std(ddof=1) / BLOCKS**0.5)


@pytest.mark.parametrize("exponential", [True, False])
def test_the_mean_wait_for_an_io_thread_is_that_of_c_servers(
    tier: Tier, tier_seed: int, *, exponential: bool
) -> None:
    received_ns, dequeued_ns, _ = broker_queue(
        tier.records, tier_seed, exponential=exponential
    )
    law = m_m_c_wait if exponential else m_d_c_wait
    mean, error = mean_and_error((dequeued_ns - received_ns) / MS)
    assert error < 0.1 * mean
    assert abs(mean - law(THREADS, LOAD) * SERVICE_MS) < 4 * error


def test_as_many_requests_wait_as_erlangs_c_says(tier: Tier, tier_seed: int) -> None:
    received_ns, dequeued_ns, _ = broker_queue(
        tier.records, tier_seed, exponential=True
    )
    share, error = mean_and_error((dequeued_ns > received_ns).astype(np.float64))
    assert error < 0.1 * share
    assert abs(share - erlang_c(THREADS, THREADS * LOAD)) < 4 * error


@pytest.mark.parametrize("exponential", [True, False])
def test_each_request_starts_when_kiefer_and_wolfowitz_say(
    tier: Tier, tier_seed: int, *, exponential: bool
) -> None:
    received_ns, dequeued_ns, done_ns = broker_queue(
        tier.records, tier_seed, exponential=exponential
    )
    free_ns = [0] * THREADS
    heapify(free_ns)
    expected = []
    arrivals, services = received_ns.tolist(), (done_ns - dequeued_ns).tolist()
    for arrived_ns, service_ns in zip(arrivals, services, strict=True):
        start_ns = max(arrived_ns, free_ns[0])
        expected.append(start_ns)
        heapreplace(free_ns, start_ns + service_ns)
    assert dequeued_ns.tolist() == expected


def test_equal_services_are_so_many_interleaved_recursions(
    tier: Tier, tier_seed: int
) -> None:
    received_ns, dequeued_ns, _ = broker_queue(
        tier.records, tier_seed, exponential=False
    )
    for first in range(THREADS):
        free_ns = 0
        mine = (
            received_ns[first::THREADS].tolist(),
            dequeued_ns[first::THREADS].tolist(),
        )
        for arrived_ns, started_ns in zip(*mine, strict=True):
            assert started_ns == max(arrived_ns, free_ns)
            free_ns = started_ns + round(SERVICE_MS * MS)
