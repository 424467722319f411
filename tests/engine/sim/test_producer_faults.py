"""Random failures: what holds of every run, whatever fails and when."""

from collections import Counter
from collections.abc import Sequence
from functools import partial
from itertools import pairwise
from typing import Any, TypeVar

import numpy as np
import pytest

from kafkasim.protocol.errors import (
    KAFKA_STORAGE_ERROR,
    NONE,
    NOT_ENOUGH_REPLICAS,
)
from tests.engine.sim.failing_cluster import KEYS, Cluster, Server

OptionT = TypeVar("OptionT")
END_MS = 3_000
ERRORS = (NONE, NOT_ENOUGH_REPLICAS, KAFKA_STORAGE_ERROR)


class Draws:
    """Random choices of one run."""

    def __init__(self, seed: int) -> None:
        self._generator = np.random.default_rng(seed)

    def time(self, least: float, most: float) -> float:
        return float(self._generator.uniform(least, most))

    def number(self, least: int, end: int) -> int:
        return int(self._generator.integers(least, end))

    def one_of(self, options: Sequence[OptionT]) -> OptionT:
        return options[self.number(0, len(options))]


def records(draws: Draws, *, keyless: bool) -> list[tuple[float, str | None]]:
    times = sorted(draws.time(0, END_MS) for _ in range(draws.number(20, 400)))
    return [(at, None if keyless else draws.one_of(KEYS)) for at in times]


def refuse(cluster: Cluster, server: Server, partition: int, met: list[int]) -> None:
    """Let the next batches meet errors, unless the log knows no sequence yet.

    Then a broker would take any (ID-11), and the one it refused would never fit.
    """
    if cluster.log[partition]:
        server.errors[partition] = met


def restart(server: Server) -> None:
    server.up, server.silent = True, False


def hush(server: Server) -> None:
    server.silent = True


def speak(server: Server) -> None:
    server.silent = False


def wreck(cluster: Cluster, draws: Draws) -> None:
    """Plan failures: errors, answers that never come, crashes, leaders that move."""
    for _ in range(draws.number(1, 9)):
        at = draws.time(0, END_MS)
        until = at + draws.time(1, 1_500)
        server = draws.one_of(cluster.servers)
        partition = draws.number(0, 3)
        what = draws.number(0, 4)
        if what == 0:
            met = [draws.one_of(ERRORS) for _ in range(draws.number(1, 6))]
            cluster.at(at, partial(refuse, cluster, server, partition, met))
            server.appends_anyway = draws.time(0, 1) < 0.3
        elif what == 1:
            cluster.at(at, partial(hush, server))
            cluster.at(until, partial(speak, server))
        elif what == 2:
            cluster.at(at, server.crash)
            cluster.at(until, partial(restart, server))
        else:
            node = draws.one_of([-1, 0, 1])
            cluster.at(at, partial(cluster.move, partition, node))
            if node < 0:
                cluster.at(until, partial(cluster.move, partition, 1))
    for server in cluster.servers:
        cluster.at(END_MS + 1_600, partial(restart, server))
    for partition in range(3):
        cluster.at(END_MS + 1_600, partial(cluster.move, partition, 1))


def wrecked(
    seed: int,
    *,
    keyless: bool,
    **config: Any,  # noqa: ANN401 - settings by name
) -> tuple[Cluster, int]:
    draws = Draws(seed)
    made = records(draws, keyless=keyless)
    cluster = Cluster(
        made,
        leaders=(0, 1, 0),
        nodes=2,
        strict=True,
        request_timeout_ms=draws.one_of([50, 300]),
        **{
            "linger_ms": draws.one_of([0, 5, 40]),
            "batch_size": draws.one_of([150, 300, 16_384]),
            **config,
        },
    )
    wreck(cluster, draws)
    cluster.run(60_000)
    return cluster, len(made)


def check_all_final_once(cluster: Cluster, count: int) -> None:
    """Each record is in one batch that is final, once; all is as before."""
    final = Counter((partition, lo) for partition, lo, _ in cluster.outcomes())
    assert set(final.values()) == {1}
    assert cluster.client.finish(60_000_000_000) == []
    lists = [cluster.client.append_list(partition) for partition in range(3)]
    assert sum(map(len, lists)) == count
    for partition in range(3):
        los = sorted(lo for p, lo in final if p == partition)
        assert los[:1] in ([0], [])
    assert all(not c.in_flight for c in cluster.network.connections)


@pytest.mark.parametrize("keyless", [False, True])
@pytest.mark.parametrize("seed", range(15))
def test_idempotent_batches_are_there_once_and_in_order(
    seed: int,
    keyless: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    """ID-6: as long as none expires, nothing is lost, doubled or overtaken."""
    cluster, count = wrecked(seed, keyless=keyless, delivery_timeout_ms=50_000)
    check_all_final_once(cluster, count)
    assert {error for _, _, error in cluster.outcomes()} == {None}
    leaders = set(cluster.metadata.leaders)
    if all(node >= 0 and cluster.network.is_up(node) for node in leaders):
        assert cluster.client.accumulator.retries is None
    for log in cluster.log:
        assert all(one[1] == two[0] for one, two in pairwise(log))
        assert [entry[0] for entry in log][:1] in ([0], [])
    assert sum(log[-1][1] for log in cluster.log if log) == count


@pytest.mark.parametrize("seed", range(15))
def test_idempotent_batches_that_expire_leave_the_others_in_order(seed: int) -> None:
    cluster, count = wrecked(
        seed, keyless=seed % 2 == 0, delivery_timeout_ms=400, linger_ms=5
    )
    check_all_final_once(cluster, count)
    for partition, log in enumerate(cluster.log):
        # Nothing is there twice or out of order, and what was acknowledged is there.
        assert all(one[1] <= two[0] for one, two in pairwise(log))
        there = {lo for lo, *_ in log}
        for p, lo, error in cluster.outcomes():
            if p == partition and error is None:
                assert lo in there


@pytest.mark.parametrize("in_flight", [1, 5])
@pytest.mark.parametrize("seed", range(10))
def test_without_idempotence_nothing_acknowledged_is_lost(
    seed: int, in_flight: int
) -> None:
    cluster, count = wrecked(
        seed,
        keyless=seed % 2 == 0,
        delivery_timeout_ms=50_000,
        enable_idempotence=False,
        max_in_flight_requests_per_connection=in_flight,
    )
    check_all_final_once(cluster, count)
    for partition, log in enumerate(cluster.log):
        there = {lo for lo, *_ in log}
        assert there == {lo for p, lo, _ in cluster.outcomes() if p == partition}
        if in_flight == 1:
            # One in flight: doubles may be there, but the order of firsts holds.
            firsts = list(dict.fromkeys(lo for lo, *_ in log))
            assert firsts == sorted(firsts)
