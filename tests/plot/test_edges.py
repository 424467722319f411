"""Every public figure of what is empty, single, huge or not a number.

Each is a figure with a caption, an alternative text and a legend that can be read.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from kafkasim import analysis, plot
from kafkasim.config.topic import TopicConfig
from kafkasim.engine.sim.run import run
from kafkasim.errors import ValidationError
from kafkasim.log.batch_fields import anatomy
from kafkasim.log.contents import ByteBatch
from kafkasim.log.dump_tables import dump
from kafkasim.log.partition_log import PartitionLog
from kafkasim.log.record import Record
from kafkasim.result.result import Result
from kafkasim.scenario.arrivals import Periodic, Poisson
from kafkasim.scenario.keys import UniformKeys
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.systems import Group, Kafka, Topic
from kafkasim.scenario.traffic import Source, Subscriber, Traffic

NO_FIGURE = {"alt_text", "caption", "sized"}
MOST_LABELS = 12

Draw = Callable[[Result], Axes]
OF_RUNS: dict[str, Draw] = {
    "batching": plot.batching,
    "braid": plot.braid,
    "lag": plot.lag,
    "lag by partition": lambda result: plot.lag(result, by="partition"),
    "latency": plot.latency,
    "latency_ecdf": plot.latency_ecdf,
    "latency_ladder": plot.latency_ladder,
    "log": plot.log,
    "offsets": plot.offsets,
    "ordering": plot.ordering,
    "ordering by partition": lambda result: plot.ordering(result, per="partition"),
    "ownership": plot.ownership,
    "replication": plot.replication,
    "resources": plot.resources,
    "retention": plot.retention,
    "throughput": plot.throughput,
    "topology": plot.topology,
}

Make = Callable[[Result], pd.DataFrame]
OF_TABLES: dict[str, tuple[Make, Callable[[pd.DataFrame], Axes]]] = {
    "batching": (analysis.batching, plot.batching),
    "comparison": (
        lambda result: analysis.summary(result).assign(system="Kafka"),
        plot.comparison,
    ),
    "lag": (analysis.lag, plot.lag),
    "lag by partition": (
        lambda result: analysis.lag(result, by="partition"),
        lambda table: plot.lag(table, by="partition"),
    ),
    "latency": (analysis.latency_over_time, plot.latency),
    "latency_ecdf": (analysis.latency_ecdf, plot.latency_ecdf),
    "latency_ladder": (analysis.latency, plot.latency_ladder),
    "offsets": (analysis.offsets, plot.offsets),
    "ordering": (analysis.ordering, plot.ordering),
    "sweep": (
        lambda result: analysis.summary(result).assign(partitions=1),
        lambda table: plot.sweep(table, x="partitions"),
    ),
    "throughput": (analysis.throughput, plot.throughput),
}
Log = PartitionLog[ByteBatch]
OF_LOGS: dict[str, Callable[[Log], Axes]] = {
    "anatomy": lambda log: plot.anatomy(anatomy(bytes(log.read(0).data))),
    "removal": lambda log: plot.removal(dump(log)["records"], dump(log)["records"]),
    "segments": lambda log: plot.segments(dump(log)),
}
ELSEWHERE = {
    "advantage": "test_advantages.py",
    "assignment": "test_assigning.py",
    "crash_points": "test_crashing.py",
    "crossover": "test_crossing.py",
    "offsets_topic": "test_offset_boxes.py",
    "queue_and_log": "test_queueing.py",
    "scorecard": "test_scores.py",
    "states": "test_state_machine.py",
    "tangle": "test_dying.py",
    "unread": "test_unread.py",
    "when_one_dies": "test_dying.py",
}
"""Figures of what no plain run has, and the tests that try their edges."""
WHAT = {"at_ms", "partition", "partitions", "share", "records"}
"""Columns that say where a number stands, and are no measurement."""


def assert_fit_to_show(ax: Axes) -> None:
    """Check that a figure draws, speaks, and has a legend that can be read."""
    figure = ax.get_figure(root=True)
    assert isinstance(figure, Figure)
    FigureCanvasAgg(figure)
    figure.draw_without_rendering()
    for words in (plot.caption(ax), plot.alt_text(ax)):
        assert words.endswith(".")
        assert "nan" not in words.lower().split()
    legends = [each.get_legend() for each in figure.axes] + list(figure.legends)
    for legend in filter(None, legends):
        assert 0 < len(legend.get_texts()) <= MOST_LABELS
        assert legend.get_window_extent().height <= figure.bbox.height


def scenario(rate_per_s: float, partitions: int, members: int) -> Scenario:
    arrivals = Poisson(rate_per_s) if rate_per_s > 1 else Periodic(rate_per_s)
    web = Source(stream="orders", arrivals=arrivals, keys=UniformKeys(2_000))
    return Scenario(
        Traffic(
            {"web": web},
            {"billing": Subscriber(["orders"], work_ms=1.0)},
            duration_s=1.0,
        ),
        Kafka(
            topics={"orders": Topic(partitions=partitions)},
            groups={"billing": Group(members=members)},
        ),
        seed=3,
    )


@pytest.fixture(scope="module")
def one_record() -> Result:
    result = run(scenario(1.0, 1, 1), resources=True)
    assert len(result.records) == 1
    return result


@pytest.fixture(scope="module")
def thousand_partitions() -> Result:
    return run(scenario(3_000.0, 1_000, 100), resources=True)


def test_every_public_figure_is_tried_here_or_where_its_own_data_are() -> None:
    tried = {name.split(" by ")[0] for name in (*OF_RUNS, *OF_TABLES, *OF_LOGS)}
    assert tried | set(ELSEWHERE) == set(plot.__all__) - NO_FIGURE
    for name, test in ELSEWHERE.items():
        text = (Path(__file__).parent / test).read_text()
        assert name in text
        assert "assert_readable" in text


@pytest.mark.parametrize("name", OF_RUNS)
def test_a_run_without_a_record_is_a_figure(nothing_sent: Result, name: str) -> None:
    assert_fit_to_show(OF_RUNS[name](nothing_sent))


@pytest.mark.parametrize("name", OF_RUNS)
def test_a_run_of_one_record_is_a_figure(one_record: Result, name: str) -> None:
    assert_fit_to_show(OF_RUNS[name](one_record))


@pytest.mark.parametrize("name", OF_RUNS)
def test_a_thousand_partitions_are_a_figure(
    thousand_partitions: Result, name: str
) -> None:
    assert_fit_to_show(OF_RUNS[name](thousand_partitions))


@pytest.mark.parametrize("batches", [1, 1_000])
@pytest.mark.parametrize("name", OF_LOGS)
def test_a_log_of_one_batch_and_one_of_many_are_figures(
    name: str, batches: int
) -> None:
    log: Log = PartitionLog(config=TopicConfig(internal_segment_bytes=10_000))
    for number in range(batches):
        log.append([Record(number, b"key-%d" % (number % 30), b"a value")])
    assert_fit_to_show(OF_LOGS[name](log))


@pytest.mark.parametrize("name", ["removal", "segments"])
def test_a_log_without_a_record_is_a_figure(name: str) -> None:
    assert_fit_to_show(OF_LOGS[name](PartitionLog()))


@pytest.mark.parametrize("name", OF_TABLES)
def test_an_empty_table_is_a_figure_or_a_clear_message(
    one_record: Result, name: str
) -> None:
    make, draw = OF_TABLES[name]
    table = make(one_record)
    empty = table.iloc[:0]
    empty.attrs = dict(table.attrs)
    assert_fit_to_show(draw(empty))


@pytest.mark.parametrize("everywhere", [False, True])
@pytest.mark.parametrize("name", OF_TABLES)
def test_values_that_are_no_numbers_are_left_out(
    thousand_partitions: Result, name: str, *, everywhere: bool
) -> None:
    make, draw = OF_TABLES[name]
    table = make(thousand_partitions)
    for column in table.columns:
        if column not in WHAT and pd.api.types.is_float_dtype(table[column]):
            gone = np.ones(len(table), bool) if everywhere else _every_other(table)
            table[column] = table[column].mask(gone)
    assert_fit_to_show(draw(table))


def _every_other(table: pd.DataFrame) -> Any:  # noqa: ANN401 - an array of truths
    return np.arange(len(table)) % 2 == 0


@pytest.mark.parametrize("name", [*OF_TABLES, "topology"])
def test_what_is_neither_run_nor_table_is_a_clear_message(name: str) -> None:
    draw: Any = OF_TABLES[name][1] if name in OF_TABLES else plot.topology
    with pytest.raises(ValidationError, match="expected a"):
        draw([1, 2, 3])


@pytest.mark.parametrize("name", OF_TABLES)
def test_a_table_of_another_kind_names_what_is_missing(name: str) -> None:
    with pytest.raises(ValidationError):
        OF_TABLES[name][1](pd.DataFrame({"weather": ["fair"]}))
