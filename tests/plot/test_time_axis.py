"""What figures with time along the bottom share."""

import math

import numpy as np
import pandas as pd
import pytest

from kafkasim.plot.style import canvas
from kafkasim.plot.time_axis import (
    from_zero,
    highest,
    label_axes,
    middles,
    time_scale,
)

TABLE = pd.DataFrame({"subscriber": ["b", "b", "a"], "at_ms": [0.0, 2.0, 0.0]})


def test_times_have_a_unit_that_fits() -> None:
    assert time_scale(TABLE) == ("ms", 1.0)
    assert time_scale(TABLE.assign(at_ms=60_000.0)) == ("s", 1_000.0)
    assert time_scale(TABLE.iloc[:0]) == ("ms", 1.0)
    assert time_scale(TABLE.assign(at_ms=math.nan)) == ("ms", 1.0)


def test_a_value_of_a_bin_stands_at_its_middle() -> None:
    assert middles(TABLE.iloc[:2]).tolist() == [1.0, 3.0]
    assert middles(TABLE.iloc[2:]).tolist() == [0.0]


@pytest.mark.parametrize(
    ("values", "place"),
    [([1.0, 3.0, math.nan], 1), ([math.nan], -1), ([], -1), ([math.inf, 2.0], 1)],
)
def test_the_highest_passes_over_what_is_no_number(
    values: list[float], place: int
) -> None:
    assert highest(np.array(values, dtype=np.float64)) == place


def test_axes_say_the_finding_the_time_and_the_unit() -> None:
    ax = canvas(None)
    ax.plot([0, 2], [0, 1])
    label_axes(ax, TABLE, "It rises", "simulated time", "records")
    assert ax.get_title(loc="left") == "It rises"
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("simulated time (ms)", "records")


def test_one_moment_is_no_axis_of_fractions_around_zero() -> None:
    ax = canvas(None)
    ax.plot([0.0], [1.0], "o")
    label_axes(ax, TABLE.iloc[2:], "One", "simulated time", "records")
    assert ax.get_xlim() == (0.0, 1.0)


def test_counts_have_ticks_at_whole_numbers() -> None:
    ax = canvas(None)
    ax.plot([0, 1], [0, 2])
    from_zero(ax, whole=True)
    assert all(float(tick).is_integer() for tick in ax.get_yticks())
    from_zero(ax)
    assert not all(float(tick).is_integer() for tick in ax.get_yticks())


def test_nothing_but_zeros_has_an_axis() -> None:
    ax = canvas(None)
    ax.plot([0, 1], [0, 0])
    ax.set_ylim(0, 0.0000000001)
    from_zero(ax)
    assert ax.get_ylim() == (0.0, 1.0)
