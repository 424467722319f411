"""Runs that every test of a figure can look at: hand-made, small, complete."""

from collections.abc import Callable

import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from kafkasim.result.result import Result
from kafkasim.scenario.arrivals import Periodic
from kafkasim.scenario.pipelines import PointToPoint
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.systems import Kafka, Topic
from kafkasim.scenario.traffic import Source, Subscriber, Traffic
from kafkasim.testing.builders import small_result

PLACES = [(0, 0), (1, 0), (1, 1), (0, 1), (1, 2)]
ENDED_MS = {
    "billing": [7.0, 2.5, 3.5, 9.0, 5.5],
    "audit": [1.5, 2.5, 3.5, 4.5, 5.5],
}


def scenario(system: Kafka | PointToPoint) -> Scenario:
    traffic = Traffic(
        {"web": Source(stream="orders", arrivals=Periodic(rate_per_s=1.0))},
        {name: Subscriber(streams=["orders"]) for name in ENDED_MS},
        duration_s=1.0,
    )
    return Scenario(traffic, system, seed=7)


@pytest.fixture
def five() -> Result:
    """Return a run in which records 0 and 3 are overtaken, in four pairs."""
    return small_result(
        records=[
            {
                "key": None,
                "entity": "N1",
                "intended_ms": at,
                "appended_ms": at + 1,
                "acked_ms": at + 2,
                "partition": partition,
                "offset": offset,
            }
            for at, (partition, offset) in enumerate(PLACES)
        ],
        deliveries=[
            {
                "record_id": record,
                "subscriber": name,
                "started_ms": ended - 0.4,
                "ended_ms": ended,
            }
            for name, ends in ENDED_MS.items()
            for record, ended in enumerate(ends)
        ],
        appends=[
            {"partition": partition, "base_offset": offset, "appended_ms": at + 1}
            for at, (partition, offset) in enumerate(PLACES)
        ],
        commits=[{"partition": 0, "offset": 1, "at_ms": 8}],
        batches=[
            {"record_count": 3, "size_bytes": 300, "closed_by": "full"},
            {"record_count": 1, "size_bytes": 100},
            {"record_count": 1, "size_bytes": 100},
        ],
        links=[
            {
                "sender": "source:web",
                "receiver": "broker:1",
                "request_count": 3,
                "moved_bytes": 500,
            },
            {
                "sender": "broker:1",
                "receiver": "member:billing/1",
                "request_count": 2,
                "moved_bytes": 2_000_000,
            },
        ],
        scenario=scenario(Kafka(topics={"orders": Topic(partitions=2)})),
    )


@pytest.fixture
def direct() -> Result:
    """Return a run of a system without a log."""
    return small_result(
        records=[{"intended_ms": at, "acked_ms": at + 3} for at in range(3)],
        deliveries=[
            {"record_id": record, "subscriber": name, "ended_ms": record + 2}
            for name in ENDED_MS
            for record in range(3)
        ],
        scenario=scenario(PointToPoint()),
    )


@pytest.fixture
def nothing_sent() -> Result:
    """Return a run without a single record."""
    return small_result(
        scenario=scenario(Kafka()),
        appends=[],
        assignments=[],
        commits=[],
        batches=[],
        links=[],
        segments=[],
        removals=[],
        resources=[],
        events=[],
    )


@pytest.fixture
def drawn() -> Callable[[Axes], Figure]:
    """Return what lays a figure out and draws it; a plain canvas draws nothing."""

    def draw(ax: Axes) -> Figure:
        figure = ax.get_figure(root=True)
        assert isinstance(figure, Figure)
        figure.draw_without_rendering()
        return figure

    return draw
