"""Backoffs by the draws they are made of."""

import numpy as np
import pytest

from kafkasim.protocol.backoff import Backoff

MS = 1_000_000


def backoff(initial_ms: int = 100, most_ms: int = 1_000, seed: int = 1) -> Backoff:
    return Backoff(initial_ms * MS, most_ms * MS, np.random.default_rng(seed))


@pytest.mark.parametrize(
    ("failures", "least_ms", "most_ms"),
    [(0, 80, 120), (1, 160, 240), (2, 320, 480), (3, 640, 960), (4, 800, 1_000)],
)
def test_a_backoff_doubles_with_jitter_up_to_a_plateau(
    failures: int, least_ms: int, most_ms: int
) -> None:
    each = backoff()
    drawn = [each.draw_ns(failures) / MS for _ in range(4_000)]

    assert least_ms <= min(drawn) < least_ms + 5
    assert most_ms - 5 < max(drawn) <= most_ms
    assert all(ms == int(ms) for ms in drawn)


def test_the_exponent_is_capped_so_that_the_term_never_exceeds_the_longest() -> None:
    each = backoff()
    drawn = [each.draw_ns(50) / MS for _ in range(4_000)]
    # Half of the jitter would exceed the longest backoff and is cut to it.
    assert 0.45 < drawn.count(1_000) / len(drawn) < 0.55
    assert min(drawn) >= 800


def test_a_jitter_is_the_next_uniform_draw() -> None:
    draws = np.random.default_rng(7)
    expected = [int(100 * draws.uniform(0.8, 1.2)), int(200 * draws.uniform(0.8, 1.2))]
    each = backoff(seed=7)
    assert [each.draw_ns(0) // MS, each.draw_ns(1) // MS] == expected


@pytest.mark.parametrize(("initial_ms", "most_ms"), [(100, 100), (500, 100), (0, 0)])
def test_a_longest_backoff_that_is_not_longer_takes_the_place_of_all(
    initial_ms: int, most_ms: int
) -> None:
    each = backoff(initial_ms, most_ms)
    assert {each.draw_ns(n) for n in range(5)} == {most_ms * MS}
    assert each.draw_tested_ns(3) == most_ms * MS


def test_a_wait_that_is_tested_anew_is_one_that_two_tests_let_pass() -> None:
    """Against the chain of `RecordAccumulator`'s tests, written out."""
    draws = np.random.default_rng(3)

    def draw() -> int:
        return int(100 * draws.uniform(0.8, 1.2))

    expected = []
    for _ in range(200):
        waited = 0
        while True:
            ready = waited >= draw()
            if not ready:
                waited += max(draw() - waited, 0)
            elif waited >= draw():
                break
        expected.append(waited)

    each = backoff(seed=3)
    assert [each.draw_tested_ns(0) // MS for _ in range(200)] == expected
    assert 95 < sum(expected) / len(expected) < 112
