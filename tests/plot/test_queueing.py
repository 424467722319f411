"""A queue beside a log: what each holds, who read what, and what it says."""

from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes

from kafkasim import plot
from kafkasim.config.broker import BrokerConfig
from kafkasim.config.topic import TopicConfig
from kafkasim.engine.sim.run import run
from kafkasim.errors import ValidationError
from kafkasim.plot.sizes import SIZES, SizeName
from kafkasim.result.result import Result
from kafkasim.scenario.arrivals import Periodic
from kafkasim.scenario.events import Crash
from kafkasim.scenario.rabbitmq import RabbitMQ
from kafkasim.scenario.reader_events import Seek
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.systems import Group, Kafka, Topic
from kafkasim.scenario.traffic import Source, Subscriber, Traffic
from tests.plot.test_layout import assert_readable

REST = [name for name in SIZES if name != "notebook"]

TRAFFIC = Traffic(
    {"web": Source("orders", Periodic(2.0))},
    {
        "billing": Subscriber(["orders"], work_ms=100.0),
        "audit": Subscriber(["orders"], work_ms=100.0, from_s=10.0, wants="all"),
    },
    duration_s=40.0,
)
KAFKA = Kafka(
    topics={"orders": Topic(config=TopicConfig(segment_ms=6_000, retention_ms=20_000))},
    groups={"billing": Group(commit="after_work")},
    broker_config=BrokerConfig(log_retention_check_interval_ms=1_000),
)
DEAD = Crash("subscriber:billing", at_s=4.0, for_s=3.0)


@pytest.fixture(scope="module")
def both() -> tuple[Result, Result]:
    seek = Seek("subscriber:billing", at_s=18.0)
    return (
        run(Scenario(TRAFFIC, RabbitMQ(), events=[DEAD])),
        run(Scenario(TRAFFIC, KAFKA, events=[DEAD, seek])),
    )


def last(ax: Axes, line: int) -> float:
    return float(np.asarray(ax.lines[line].get_ydata())[-1])


def test_a_queue_is_empty_in_the_end_and_a_log_is_not(
    both: tuple[Result, Result],
) -> None:
    ax = plot.queue_and_log(*both)
    figure: Any = ax.figure
    held_by_queue, held_by_log, read_of_queue, read_of_log = figure.axes

    assert last(held_by_queue, 0) == 0
    # What was wanted in the 3 s in which its reader was dead, and what it had at work.
    assert np.asarray(held_by_queue.lines[0].get_ydata()).max() in {6, 7}
    assert 40 < last(held_by_log, 0) < 80
    # 80 were sent, 20 of them before audit came.
    assert [last(read_of_queue, place) for place in (0, 1)] == [80, 60]
    billing, audit = (last(read_of_log, place) for place in (0, 1))
    assert audit == 80
    assert billing == 80 + 36  # all until 18 s again
    title = figure.get_suptitle().replace("\n", " ")
    assert title.startswith("Of 80 records the queue holds 0 in the end, the log ")
    assert "before audit came the queue gave it 0, the log 20" in title
    assert "read, every time counted: billing 116 and audit 80." in plot.alt_text(ax)


def test_what_was_done_and_what_retention_took_is_written(
    both: tuple[Result, Result],
) -> None:
    figure: Any = plot.queue_and_log(*both, names=("RabbitMQ", "Kafka")).figure
    queue, log = (
        [each.get_text() for each in ax.texts if each.get_text()]
        for ax in figure.axes[:2]
    )

    assert queue == ["billing: crash", "billing: back", "audit comes"]
    assert set(log) == {*queue, "billing: seek", "a segment goes"}
    assert figure.axes[1].get_title(loc="left") == "Kafka: records it holds"


def test_a_run_of_nothing_is_a_figure(nothing_sent: Result) -> None:
    assert_readable(plot.queue_and_log(nothing_sent, nothing_sent))


def test_what_is_no_run_is_refused(nothing_sent: Result) -> None:
    bad: Any = 3
    with pytest.raises(ValidationError):
        plot.queue_and_log(bad, nothing_sent)


@pytest.mark.parametrize(
    "size",
    ["notebook", *(pytest.param(name, marks=pytest.mark.slow) for name in REST)],
)
def test_it_is_readable_at_every_size(
    both: tuple[Result, Result], size: SizeName
) -> None:
    with plot.sized(size):
        assert_readable(plot.queue_and_log(*both))
