"""Durations come from a stream of their own name, without end."""

from collections.abc import Iterator
from itertools import islice

from kafkasim.engine.sim.drawn import durations_ns, service_ns
from kafkasim.scenario.distributions import Exponential, Uniform, draw_ns
from kafkasim.scenario.streams import stream

MS = 1_000_000


def first(durations: int | Iterator[int], count: int) -> list[int]:
    assert not isinstance(durations, int)
    return list(islice(durations, count))


def test_blocks_follow_one_another_in_the_stream() -> None:
    durations = first(durations_ns(Exponential(2.0), 1, "some/name"), 1_000)
    at_once = draw_ns(Exponential(2.0), stream(1, "some/name"), 1_000)
    assert durations == at_once.tolist()


def test_none_is_shorter_than_the_least() -> None:
    durations = first(durations_ns(Uniform(0.0, 2.0), 1, "name", least_ns=MS), 100)
    assert min(durations) == MS
    assert MS < max(durations) <= 2 * MS


def test_a_fixed_service_time_is_a_number() -> None:
    assert service_ns(0.05, 1, "broker:1") == 50_000


def test_each_host_draws_its_own_service_times() -> None:
    def draws(seed: int, host: str) -> list[int]:
        return first(service_ns(Exponential(1.0), seed, host), 10)

    assert draws(1, "broker:1") == draws(1, "broker:1")
    assert draws(1, "broker:1") != draws(1, "broker:2")
    assert draws(1, "broker:1") != draws(2, "broker:1")
