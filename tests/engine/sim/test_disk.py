"""A disk by hand: one thing after the other."""

from itertools import pairwise

import numpy as np

from kafkasim.engine.sim.disk import DiskQueue
from kafkasim.scenario.distributions import Exponential

MS = 1_000_000


def disk(mb_per_s: float = 100.0, access_ms: float = 2.0) -> DiskQueue:
    return DiskQueue(mb_per_s, access_ms, seed=1, host="broker:1")


def test_bytes_take_their_time_and_a_place_is_found_first() -> None:
    assert disk().take(0, 500_000) == 5 * MS
    assert disk().take(0, 500_000, finds=True) == 7 * MS


def test_one_thing_waits_for_the_other() -> None:
    queue = disk()
    queue.take(0, 500_000)
    assert queue.take(1 * MS, 100_000) == 6 * MS
    assert queue.take(10 * MS, 100_000) == 11 * MS


def test_a_slow_disk_takes_so_many_times_as_long_for_what_it_begins() -> None:
    queue = disk()
    queue.take(0, 500_000)
    queue.factor = 3.0
    assert queue.take(1 * MS, 100_000) == 8 * MS


def test_a_pause_moves_what_is_under_way_and_what_waits() -> None:
    queue = disk()
    queue.take(0, 500_000)
    queue.stand_still(2 * MS, 12 * MS)
    assert queue.lag_ns == 10 * MS
    assert queue.take(3 * MS, 100_000) == 16 * MS


def test_a_pause_of_an_idle_disk_begins_at_once() -> None:
    queue = disk()
    queue.stand_still(20 * MS, 30 * MS)
    assert queue.take(21 * MS, 100_000) == 31 * MS


def test_finding_a_place_may_be_drawn_and_each_host_draws_for_itself() -> None:
    def ends(host: str) -> list[int]:
        queue = DiskQueue(100.0, Exponential(2.0), seed=1, host=host)
        return [queue.take(0, 0, finds=True) for _ in range(200)]

    one = ends("broker:1")
    assert one == ends("broker:1") != ends("broker:2")
    waits = [later - earlier for earlier, later in pairwise([0, *one])]
    assert 1.5 * MS < np.mean(waits) < 2.5 * MS
