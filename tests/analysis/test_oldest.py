"""The age of the oldest that waits, against a look at each of them."""

import numpy as np
import pytest

from kafkasim.analysis.oldest import Waits
from kafkasim.units import MISSING_NS


def looked_at(
    came: np.ndarray, left: np.ndarray, from_ns: int, at: int, *, before: bool
) -> int:
    """Return the age of the oldest at a time, or just before it."""
    left = np.where(left == MISSING_NS, at + 1, left)
    still = left >= at if before else left > at
    there = still & (came <= at) & (at >= from_ns)
    return int(at - came[there].min()) if there.any() else 0


@pytest.mark.parametrize("seed", range(20))
def test_ages_and_peaks_are_those_that_a_look_finds(seed: int) -> None:
    draws = np.random.default_rng(seed)
    count = int(draws.integers(1, 12))
    came = draws.integers(0, 30, count)
    left = came + draws.integers(1, 20, count)
    left[draws.random(count) < 0.2] = MISSING_NS
    from_ns = int(draws.integers(0, 10))
    waits = Waits.of(came, left, from_ns)
    at = np.arange(60)
    edges = np.array([0, 7, 8, 20, 45, 59])

    ages = [looked_at(came, left, from_ns, each, before=False) for each in range(60)]
    ends = [looked_at(came, left, from_ns, each, before=True) for each in range(60)]

    assert waits.ages_ns(at).tolist() == ages
    assert waits.peaks_ns(edges).tolist() == [
        max(ends[since + 1 : until + 1])
        for since, until in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True)
    ]


def test_nothing_has_no_age() -> None:
    nothing = np.zeros(0, dtype=np.int64)
    waits = Waits.of(nothing, nothing)

    assert waits.ages_ns(np.array([0, 5])).tolist() == [0, 0]
    assert waits.peaks_ns(np.array([0, 5, 9])).tolist() == [0, 0]
