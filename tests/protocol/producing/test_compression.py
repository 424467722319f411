"""How a producer's estimate of a compression ratio moves, and what it decides."""

from itertools import repeat

import numpy as np
import pytest

from kafkasim.protocol.producing.compression import Compression


def of(*ratios: float) -> Compression:
    return Compression(iter(ratios))


def test_an_estimate_begins_at_1_and_sinks_by_half_a_percent_a_batch() -> None:
    """PR-23."""
    compression = Compression(repeat(0.25))

    assert compression.estimate == 1
    sizes = [compression.close(10_000) for _ in range(149)]
    assert set(sizes) == {61 + 2_500}
    assert compression.estimate == pytest.approx(1 - 149 * 0.005, abs=1e-4)
    compression.close(10_000)
    compression.close(10_000)
    assert compression.estimate == np.float32(0.25)  # and not below what is observed


def test_an_estimate_that_was_too_low_rises_by_a_twentieth_at_once() -> None:
    """PR-23; or to what was observed, where that is more."""
    compression = of(0.5, 0.75)
    compression.estimate = np.float32(0.48)

    compression.close(1_000)
    assert compression.estimate == pytest.approx(0.53)
    compression.close(1_000)
    assert compression.estimate == pytest.approx(0.75)


def test_what_is_expected_is_the_estimate_and_a_twentieth() -> None:
    """PR-23: with Java's floats, and cut off to whole bytes."""
    compression = of()

    assert compression.expected_bytes(1_000, np.float32(0.5)) == 61 + 525
    assert compression.expected_bytes(0, np.float32(0.5)) == 61
    # 734.99994 in floats of 32 bits; 735.0 in those of 64.
    assert compression.expected_bytes(1_000, np.float32(0.7)) == 61 + 734


def test_after_a_refusal_the_estimate_is_1_or_the_ratio_of_what_was_refused() -> None:
    compression = of()
    compression.estimate = np.float32(0.3)

    compression.was_too_large(61 + 400, 1_000)
    assert compression.estimate == 1
    compression.was_too_large(61 + 1_200, 1_000)
    assert compression.estimate == pytest.approx(1.2)
