import math

import numpy as np
import pytest
from numpy.typing import NDArray

from kafkasim.errors import ValidationError
from kafkasim.scenario import arrivals
from kafkasim.scenario.arrivals import (
    Bursts,
    DayCurve,
    Periodic,
    Poisson,
    unit_blocks,
)
from kafkasim.scenario.streams import stream
from kafkasim.units import NS_PER_S


def times_ns(
    law: Poisson | Periodic | Bursts | DayCurve,
    generator: np.random.Generator,
    duration_ns: int,
) -> NDArray[np.int64]:
    blocks = law.blocks_ns(generator, duration_ns)
    return np.concatenate([np.zeros(0, np.int64), *blocks])


def unit_times(generator: np.random.Generator, total: float) -> NDArray[np.float64]:
    return np.concatenate([np.zeros(0), *unit_blocks(generator, total)])


LAWS = [
    Poisson(1_000),
    Periodic(1_000, phase_s=0.25),
    Bursts(1_000, burst=7),
    DayCurve(1_000, peak_ratio=1.8, day_s=4),
    DayCurve(1_000, day_s=4),
]


@pytest.mark.parametrize("law", LAWS, ids=repr)
def test_times_are_sorted_and_before_the_duration(
    law: Poisson | Periodic | Bursts | DayCurve,
) -> None:
    times = times_ns(law, stream(1, "a"), 10 * NS_PER_S)

    assert times.dtype == np.int64
    assert (np.diff(times) >= 0).all()
    assert times[0] >= 0
    assert times[-1] < 10 * NS_PER_S


@pytest.mark.parametrize("law", LAWS, ids=repr)
def test_a_longer_duration_keeps_the_times_of_a_shorter_one(
    law: Poisson | Periodic | Bursts | DayCurve,
) -> None:
    short = times_ns(law, stream(1, "a"), 3 * NS_PER_S)
    long = times_ns(law, stream(1, "a"), 10 * NS_PER_S)

    assert (long[: len(short)] == short).all()


def test_poisson_counts_and_gaps_are_those_of_theory() -> None:
    times = times_ns(Poisson(1_000), stream(1, "a"), 100 * NS_PER_S)

    expected = 100_000
    assert abs(len(times) - expected) < 4 * math.sqrt(expected)
    gaps = np.diff(times) / NS_PER_S
    assert abs(gaps.mean() - 1e-3) < 4 * 1e-3 / math.sqrt(len(gaps))
    over_mean = (gaps > 1e-3).mean()
    theory = math.exp(-1)
    assert abs(over_mean - theory) < 4 * math.sqrt(theory * (1 - theory) / len(gaps))


def test_twice_the_rate_is_the_same_pattern_twice_as_fast() -> None:
    slow = times_ns(Poisson(500), stream(1, "a"), 10 * NS_PER_S)
    fast = times_ns(Poisson(1_000), stream(1, "a"), 5 * NS_PER_S)

    assert len(slow) == len(fast)
    assert np.abs(slow - 2 * fast).max() <= 2


def test_the_block_size_shows_in_no_bit(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = unit_times(stream(1, "a"), 5_000.0)

    generator = stream(1, "a")
    one_by_one = np.cumsum([generator.standard_exponential() for _ in range(6_000)])
    monkeypatch.setattr(arrivals, "_BLOCK", 7)
    small = unit_times(stream(1, "a"), 40.0)

    assert (whole == one_by_one[one_by_one < 5_000]).all()
    assert (small == whole[whole < 40]).all()


def test_periodic_times_are_exact() -> None:
    times = times_ns(Periodic(4, phase_s=0.1), stream(1, "a"), NS_PER_S)

    assert times.tolist() == [100_000_000, 350_000_000, 600_000_000, 850_000_000]


def test_a_period_that_ends_with_the_duration_starts_no_record() -> None:
    assert len(times_ns(Periodic(10), stream(1, "a"), NS_PER_S)) == 10
    assert len(times_ns(Periodic(3), stream(1, "a"), NS_PER_S)) == 3
    assert len(times_ns(Periodic(10, phase_s=2), stream(1, "a"), NS_PER_S)) == 0


def test_a_burst_arrives_at_one_instant() -> None:
    times = times_ns(Bursts(1_000, burst=10), stream(1, "a"), 100 * NS_PER_S)

    instants, counts = np.unique(times, return_counts=True)
    assert set(counts) == {10}
    assert abs(len(instants) - 10_000) < 4 * math.sqrt(10_000)


def test_a_day_curve_follows_its_rate() -> None:
    """Expected counts are the integral of the rate over each tenth of a day."""
    law = DayCurve(1_000, peak_ratio=1.6, day_s=10)
    times = times_ns(law, stream(1, "a"), 100 * NS_PER_S) / NS_PER_S

    counts, _ = np.histogram(times % 10, bins=10, range=(0, 10))
    edges = np.arange(11.0)
    sine = np.sin(2 * math.pi * edges / 10)
    expected = 10 * 1_000 * np.diff(edges - 0.6 * 10 / (2 * math.pi) * sine)
    assert (np.abs(counts - expected) < 4 * np.sqrt(expected)).all()


@pytest.mark.parametrize("peak_ratio", [1.0, 1.5, 2.0])
def test_a_day_curve_inverts_its_cumulative_rate(peak_ratio: float) -> None:
    law = DayCurve(1_000, peak_ratio=peak_ratio, day_s=2)
    times = times_ns(law, stream(1, "a"), 7 * NS_PER_S) / NS_PER_S

    turn = 2 * math.pi / 2
    cumulative = 1_000 * (times - (peak_ratio - 1) / turn * np.sin(turn * times))
    drawn = unit_times(stream(1, "a"), 7_100.0)[: len(times)]
    assert np.abs(cumulative - drawn).max() < 1e-5


def test_a_rate_so_low_that_nothing_comes_gives_no_times() -> None:
    assert len(times_ns(Poisson(1e-9), stream(1, "a"), NS_PER_S)) == 0
    assert len(times_ns(DayCurve(1e-9), stream(1, "a"), NS_PER_S)) == 0


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"rate_per_s": 0}, "rate_per_s"),
        ({"rate_per_s": 5, "burst": 0}, "burst"),
        ({"rate_per_s": True}, "rate_per_s"),
    ],
    ids=str,
)
def test_a_rate_must_be_above_zero(fields: dict[str, float], path: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Bursts.from_dict(fields)

    assert caught.value.path == path


def test_a_peak_is_at_most_twice_the_mean() -> None:
    with pytest.raises(ValidationError, match="peak_ratio"):
        DayCurve(1, peak_ratio=2.1)
