"""Nothing is cut off and no legend covers data, in any figure of a realistic run."""

from collections.abc import Callable
from itertools import pairwise

import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

from kafkasim import analysis, plot
from kafkasim.engine.sim.run import run
from kafkasim.plot.sizes import SIZES, SizeName
from kafkasim.result.result import Result
from kafkasim.scenario.arrivals import Poisson
from kafkasim.scenario.distributions import Exponential
from kafkasim.scenario.keys import UniformKeys, ZipfKeys
from kafkasim.scenario.pipelines import PointToPoint
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.systems import Group, Kafka, Topic
from kafkasim.scenario.traffic import Source, Subscriber, Traffic

TRAFFIC = Traffic(
    {
        "web": Source(
            stream="orders",
            arrivals=Poisson(rate_per_s=800.0),
            keys=ZipfKeys(60, exponent=1.1),
            entity=UniformKeys(90),
        )
    },
    {
        "billing": Subscriber(streams=["orders"], work_ms=Exponential(1.0)),
        "a-rather-long-name": Subscriber(
            streams=["orders"], work_ms=0.2, from_s=0.6, wants="all"
        ),
    },
    duration_s=2.0,
)
KAFKA = Kafka(
    topics={"orders": Topic(partitions=8)}, groups={"billing": Group(members=8)}
)


@pytest.fixture(scope="module")
def result() -> Result:
    return run(Scenario(TRAFFIC, KAFKA, seed=1))


@pytest.fixture(scope="module")
def compared(result: Result) -> pd.DataFrame:
    direct = run(Scenario(TRAFFIC, PointToPoint(), seed=1))
    return pd.concat(
        [
            analysis.summary(each).assign(system=name)
            for name, each in (("Kafka", result), ("point to point", direct))
        ],
        ignore_index=True,
    )


DRAW: dict[str, Callable[[Result], Axes]] = {
    "throughput": plot.throughput,
    "latency": plot.latency,
    "latency_ecdf": plot.latency_ecdf,
    "latency_ladder": plot.latency_ladder,
    "lag": plot.lag,
    "lag by partition": lambda result: plot.lag(result, by="partition"),
    "offsets": lambda result: plot.offsets(result, partition=3),
    "log": lambda result: plot.log(result, partition=3, at_s=0.5),
    "log of few records": lambda result: plot.log(result, partition=3, at_s=0.02),
    "logs of all partitions": plot.log,
    "ordering by entity": plot.ordering,
    "ordering by partition": lambda result: plot.ordering(result, per="partition"),
    "batching": plot.batching,
    "topology": plot.topology,
}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", DRAW)
def test_figures_of_a_run_are_readable(
    result: Result, name: str, size: SizeName
) -> None:
    with plot.sized(size):
        assert_readable(DRAW[name](result))


@pytest.mark.parametrize("size", SIZES)
def test_a_comparison_is_readable(compared: pd.DataFrame, size: SizeName) -> None:
    with plot.sized(size):
        assert_readable(plot.comparison(compared))


def test_a_comparison_over_many_powers_of_ten_is_readable() -> None:
    table = pd.DataFrame(
        {
            "system": ["Kafka", "point to point"],
            "latency_ms_p99": [7.76, 321_418.0],
            "drain_s": [0.00565, 32.7],
            "lag_records_max": [120.0, 10_000_000.0],
        }
    )
    columns = ("latency_ms_p99", "drain_s", "lag_records_max")
    assert_readable(plot.comparison(table, y=columns))


def test_a_sweep_is_readable() -> None:
    swept = pd.DataFrame(
        {
            "partitions": [1, 2, 4, 8, 16, 32] * 2,
            "keys": ["none"] * 6 + ["tail number"] * 6,
            "replications": 3,
            "throughput_per_s": [1_000.0, 2_000, 4_000, 5_600, 5_600, 5_600] * 2,
            "latency_ms_p99": [250_000.0, 99_000, 20_000, 300, 90, 80] * 2,
        }
    )
    assert_readable(plot.sweep(swept, y=("throughput_per_s", "latency_ms_p99")))


def assert_readable(ax: Axes) -> None:
    """Check that no text is cut off, tick labels are apart, legends beside axes."""
    figure = ax.get_figure(root=True)
    assert isinstance(figure, Figure)
    FigureCanvasAgg(figure)
    figure.draw_without_rendering()
    ticks = {
        axis: _tick_labels(axis) for each in figure.axes for axis in _axes_of(each)
    }
    beyond = {id(text) for axis in ticks for text in axis.get_ticklabels()}
    shown = [text for text in figure.findobj(Text) if id(text) not in beyond]
    for text in shown + [text for labels in ticks.values() for text in labels]:
        assert not text.get_text().strip() or _inside(figure, text), text.get_text()
    for labels in ticks.values():
        boxes = [text.get_window_extent() for text in labels if not text.get_rotation()]
        for one, two in pairwise(boxes):
            assert not one.overlaps(two), "tick labels run into each other"
    legends = [each.get_legend() for each in figure.axes] + list(figure.legends)
    for legend in filter(None, legends):
        for each in figure.axes:
            covered = legend.get_window_extent().overlaps(each.get_window_extent())
            assert not covered, "a legend covers data"


def _axes_of(ax: Axes) -> list[Axis]:
    return [ax.xaxis, ax.yaxis] if ax.axison else []


def _tick_labels(axis: Axis) -> list[Text]:
    """Return the labels of the ticks that are drawn: those within the limits."""
    low, high = sorted(axis.get_view_interval())
    return [
        tick.label1 for tick in axis.get_major_ticks() if low <= tick.get_loc() <= high
    ]


def _inside(figure: Figure, text: Text) -> bool:
    box, page = text.get_window_extent(), figure.bbox
    return bool(
        box.x0 >= page.x0 - 1
        and box.y0 >= page.y0 - 1
        and box.x1 <= page.x1 + 1
        and box.y1 <= page.y1 + 1
    )
