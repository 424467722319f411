"""Labels, units and numbers as people read them."""

import math

import numpy as np
import pytest
from matplotlib.figure import Figure

from kafkasim.analysis.measures import METRICS
from kafkasim.analysis.service import SERVICE
from kafkasim.plot.words import (
    METRIC_LABELS,
    amount,
    caption_of,
    listed,
    log_scale,
    metric_label,
    multiple,
    percent,
    plain_numbers,
    spread_out,
    time_unit,
)


def test_every_metric_has_a_label() -> None:
    assert set(METRIC_LABELS) == {*METRICS, *SERVICE}
    assert metric_label("of_my_own") == "of_my_own"


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0"), (0.012345, "0.0123"), (99.96, "100"), (1e6, "1,000,000")],
)
def test_amounts(value: float, text: str) -> None:
    assert amount(value) == text


def test_what_is_missing_is_a_dash() -> None:
    assert amount(math.nan) == "–"
    assert percent(math.nan) == "–"


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0.0005, "0.05 %"),
        (0.0994, "9.9 %"),
        (0.9949, "99 %"),
        (0.99999, "99.9 %"),
        (1.0 - 1e-15, "100 %"),
        (1.0, "100 %"),
    ],
)
def test_percentages(share: float, text: str) -> None:
    assert percent(share) == text


@pytest.mark.parametrize(
    ("value", "of", "text"),
    [
        (42.0, 2.1, "20 times the median"),
        (3.0, 2.0, "1.5 times the median"),
        (4.0, 2.0, "twice the median"),
        (2.05, 2.0, "about the median"),
        (1.0, 2.0, ""),
        (1.0, 0.0, ""),
        (math.nan, 1.0, ""),
        (12_345.0, 1.0, "12,345 times the median"),
    ],
)
def test_how_many_times_another(value: float, of: float, text: str) -> None:
    assert multiple(value, of, "the median") == text


def test_a_caption_has_its_sentences_in_order() -> None:
    assert caption_of("Lag", "seed 7", "", "Time 0 is noon") == (
        "Lag. seed 7. Time 0 is noon."
    )


def test_nothing_is_listed_as_nothing() -> None:
    assert listed([]) == ""
    assert listed(["a"]) == "a"


def test_short_times_are_in_milliseconds() -> None:
    assert time_unit(4_999.0) == ("ms", 1.0)
    assert time_unit(60_000.0) == ("s", 1_000.0)


@pytest.mark.parametrize(
    ("values", "wide"),
    [([1, 49], False), ([1, 50], True), ([0, 50], False), ([math.nan], False)],
)
def test_only_what_is_far_apart_and_above_zero_is_logarithmic(
    values: list[float], *, wide: bool
) -> None:
    assert spread_out(np.array(values, dtype=np.float64)) is wide


def test_ticks_are_plain_numbers() -> None:
    ax = Figure().subplots()
    ax.plot([0, 1], [1.0, 200_000.0])
    log_scale(ax, "y", np.array([1.0, 200_000.0]))
    texts = [label.get_text() for label in ax.get_yticklabels()]
    assert "100,000" in texts
    assert "10" in texts
    ax.set_yscale("linear")
    plain_numbers(ax.yaxis)
    assert "200,000" in [label.get_text() for label in ax.get_yticklabels()]
