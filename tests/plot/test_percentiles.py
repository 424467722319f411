"""How latency is spread, drawn: numbers against numpy's, titles, texts."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes

from kafkasim import analysis, plot
from kafkasim.engine.sim.run import run
from kafkasim.result.result import Result
from kafkasim.scenario.arrivals import Poisson
from kafkasim.scenario.distributions import Exponential
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.systems import Kafka
from kafkasim.scenario.traffic import Source, Subscriber, Traffic

RUNGS = (0.5, 0.9, 0.99, 0.999, 1.0)
TRAFFIC = Traffic(
    {"web": Source("orders", Poisson(700.0))},
    {"billing": Subscriber(["orders"], work_ms=Exponential(1.2))},
    duration_s=2.0,
)


def scenario() -> Scenario:
    return Scenario(TRAFFIC, Kafka(), seed=5)


@pytest.fixture(scope="module")
def full() -> Result:
    return run(scenario())


@pytest.fixture(scope="module")
def streamed() -> Result:
    return run(scenario(), result="streamed")


@pytest.fixture(scope="module")
def latencies_ms(full: Result) -> "pd.Series[float]":
    done = full.table("deliveries").set_index("record_id")["ended_ms"]
    return done - full.table("records", ["intended_ms"])["intended_ms"]


def legend_texts(ax: Axes) -> list[str]:
    legend = ax.get_legend()
    assert legend is not None
    return [text.get_text() for text in legend.get_texts()]


def title(ax: Axes) -> str:
    return ax.get_title(loc="left").replace("\n", " ")


def test_the_rungs_are_numpys_quantiles(
    full: Result, streamed: Result, latencies_ms: "pd.Series[float]"
) -> None:
    expected = np.quantile(latencies_ms, RUNGS, method="inverted_cdf")
    for result, tolerance in ((full, 1e-12), (streamed, 0.004)):
        (line,) = plot.latency_ladder(result).lines
        shown = np.asarray(line.get_ydata(), dtype=np.float64)
        np.testing.assert_allclose(shown, expected, rtol=tolerance)


def test_the_steps_go_through_numpys_quantiles(
    full: Result, streamed: Result, latencies_ms: "pd.Series[float]"
) -> None:
    for result, tolerance in ((full, 1e-12), (streamed, 0.004)):
        steps = plot.latency_ecdf(result).lines[0]
        assert steps.get_drawstyle() == "steps-post"
        x, y = (np.asarray(each, dtype=np.float64) for each in steps.get_data())
        assert y[0] == 0.0
        expected = np.quantile(latencies_ms, y[1:], method="inverted_cdf")
        np.testing.assert_allclose(x[1:], expected, rtol=tolerance)


def test_median_and_p99_are_marked_and_written(
    full: Result, latencies_ms: "pd.Series[float]"
) -> None:
    ax = plot.latency_ecdf(full)
    p50, p99 = np.quantile(latencies_ms, (0.5, 0.99), method="inverted_cdf")
    marks = [tuple(np.ravel(line.get_xydata())) for line in ax.lines[1:]]
    assert marks == [pytest.approx((p50, 0.5)), pytest.approx((p99, 0.99))]
    assert legend_texts(ax) == [f"billing\n(p50 {p50:.3g}, p99 {p99:.3g} ms)"]


def test_titles_say_the_worst_p99_and_how_many_medians_it_is() -> None:
    table = pd.DataFrame(
        {
            "subscriber": ["billing", "audit"],
            "latency_ms_p50": [2.1, 3.0],
            "latency_ms_p90": [20.0, 3.5],
            "latency_ms_p99": [42.0, 4.0],
            "latency_ms_p999": [50.0, 4.5],
            "latency_ms_max": [90.0, 5.0],
        }
    )
    ax = plot.latency_ladder(table)
    said = "billing waits longest: p99 latency 42 ms, 20 times the median"
    assert title(ax) == said
    assert plot.alt_text(ax).startswith(said)
    assert "billing p50 2.1, p90 20, p99 42, p99.9 50, max 90 ms" in plot.alt_text(ax)
    alone = plot.latency_ladder(table.iloc[1:])
    assert title(alone) == "audit: p99 latency 4 ms, 1.3 times the median"


def test_values_stand_at_the_rungs_of_at_most_two(full: Result) -> None:
    table = analysis.latency(full)
    ax = plot.latency_ladder(table)
    assert len(ax.texts) == 5
    three = pd.concat([table.assign(subscriber=name) for name in "abc"])
    assert not plot.latency_ladder(three).texts


def test_latencies_far_apart_are_on_a_logarithmic_axis(five: Result) -> None:
    assert plot.latency_ladder(five).get_yscale() == "linear"
    table = analysis.latency(five)
    table["latency_ms_max"] *= 100
    assert plot.latency_ladder(table).get_yscale() == "log"
    spread = analysis.latency_ecdf(five)
    assert plot.latency_ecdf(spread).get_xscale() == "linear"
    spread["latency_ms"] **= 4
    assert plot.latency_ecdf(spread).get_xscale() == "log"


def test_a_run_and_its_table_give_the_same_words(full: Result) -> None:
    for from_run, from_table in (
        (plot.latency_ecdf(full), plot.latency_ecdf(analysis.latency_ecdf(full))),
        (plot.latency_ladder(full), plot.latency_ladder(analysis.latency(full))),
    ):
        assert plot.alt_text(from_run) == plot.alt_text(from_table)
        assert plot.caption(from_run) == plot.caption(from_table)
        assert "seed 5" in plot.caption(from_run)
        assert title(from_run) == title(from_table)


def test_nobody_who_processed_anything_is_said(nothing_sent: Result) -> None:
    for ax in (plot.latency_ecdf(nothing_sent), plot.latency_ladder(nothing_sent)):
        assert title(ax) == "No record was processed"
        assert ax.get_legend() is None
        assert "none" in plot.alt_text(ax)
