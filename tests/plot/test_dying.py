"""Tangle and star when one dies: who is hurt, who is dead, what is delivered."""

from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import to_hex
from matplotlib.patches import StepPatch

from kafkasim import plot
from kafkasim.engine.sim.run import run
from kafkasim.errors import ValidationError
from kafkasim.plot.nets import HURT, net_of
from kafkasim.plot.sizes import SIZES, SizeName
from kafkasim.result.result import Result
from kafkasim.scenario.arrivals import Periodic
from kafkasim.scenario.events import Crash, Event
from kafkasim.scenario.many_to_many import many_to_many
from kafkasim.scenario.pipelines import PointToPoint
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.systems import Kafka, System
from tests.plot.test_layout import assert_readable

REST = [name for name in SIZES if name != "notebook"]

DEAD = Crash("subscriber:subscriber-2", at_s=2.0, for_s=2.0)
HUB = Crash("broker:1", at_s=2.0, for_s=2.0)


def result(system: System, *events: Event, subscribers: int = 2) -> Result:
    traffic = many_to_many(2, subscribers, arrivals=Periodic(20.0), duration_s=6.0)
    return run(Scenario(traffic, system, events=events))


@pytest.fixture(scope="module")
def deaths() -> dict[str, dict[str, Result]]:
    return {
        "a subscriber dies": {
            "direct": result(PointToPoint(), DEAD),
            "Kafka": result(Kafka(), DEAD),
        },
        "the hub dies": {
            "direct": result(PointToPoint()),
            "Kafka": result(Kafka(), HUB),
        },
    }


def edges(ax: Axes) -> dict[str, int]:
    """Return how many edges have the colour of the hurt, and how many have not."""
    red = to_hex(HURT["color"])
    found = {"hurt": 0, "calm": 0}
    for drawn in ax.collections:
        if isinstance(drawn, LineCollection):
            for colour in np.atleast_2d(np.asarray(drawn.get_edgecolor())):
                kind = "hurt" if to_hex(tuple(colour[:3])) == red else "calm"
                found[kind] += len(drawn.get_segments())
                break
    return found


def title(ax: Axes) -> str:
    figure: Any = ax.figure
    return str(figure.get_suptitle()).replace("\n", " ")


def test_point_to_point_one_death_hurts_every_pair_and_behind_a_log_its_own(
    deaths: dict[str, dict[str, Result]],
) -> None:
    ax = plot.when_one_dies(deaths)
    graphs = [each for each in ax.figure.axes if each.get_title()]

    assert [edges(each) for each in graphs] == [
        {"hurt": 4, "calm": 0},  # a tangle of 2 × 2
        {"hurt": 1, "calm": 3},  # a star of 2 + 2
        {"hurt": 0, "calm": 4},
        {"hurt": 4, "calm": 0},
    ]
    assert title(ax) == (
        "A subscriber dies and direct stops for all 4 pairs, Kafka for 2 of 4; "
        "the hub dies and direct stops for none, Kafka for all 4 pairs"
    )


def test_below_each_net_stand_its_deliveries_per_second_all_on_one_scale(
    deaths: dict[str, dict[str, Result]],
) -> None:
    ax = plot.when_one_dies(deaths, bin_ms=1_000.0)
    times = ax.figure.axes[2:4] + ax.figure.axes[6:8]
    areas = [[p for p in each.patches if isinstance(p, StepPatch)] for each in times]

    assert [each.get_title(loc="left") for each in times] == [
        *("A subscriber dies", ""),
        *("The hub dies", ""),
    ]
    assert len({each.get_ylim() for each in times}) == 1
    # The third second is one in which it is dead: what was done, and wanted, in it.
    dead = [[float(area.get_data()[0][2]) for area in pair] for pair in areas]
    assert dead == [
        *([pytest.approx(0, abs=4), 80], [40, 80]),
        *([80, 80], [pytest.approx(0, abs=4), 80]),
    ]
    # Point to point has no hub that could be dead.
    bands = [
        len(each.patches) - len(pair) for each, pair in zip(times, areas, strict=True)
    ]
    assert bands == [1, 1, 0, 1]
    assert "nothing for 2 s" in plot.alt_text(ax) or "nothing for 1 s" in plot.alt_text(
        ax
    )


def test_the_dead_are_crossed_out(deaths: dict[str, dict[str, Result]]) -> None:
    net = net_of(deaths["the hub dies"]["Kafka"])
    assert {node.kind for node in net.dead} == {"hub"}
    assert net.hub_label == "broker"

    ax = plot.tangle(deaths["a subscriber dies"])
    crosses = [line for line in ax.lines if line.get_marker() == "x"]
    assert len(crosses) == 1
    assert title(ax) == (
        "Direct: 4 links, all 4 pairs stop; Kafka: 4 links, 2 of 4 pairs stop"
    )
    assert "direct: 4 links, subscriber-2 crossed out" in plot.alt_text(ax)


def test_what_is_too_short_is_not_red(deaths: dict[str, dict[str, Result]]) -> None:
    """Two seconds of silence."""
    direct = {"direct": deaths["a subscriber dies"]["direct"]}
    assert edges(plot.tangle(direct, least_ms=1_000.0))["hurt"] > 0
    assert edges(plot.tangle(direct, least_ms=10_000.0))["hurt"] == 0


def test_of_many_nodes_the_busiest_are_drawn() -> None:
    traffic = many_to_many(30, 30, 0.1, arrivals=Periodic(20.0), duration_s=0.1)
    many = run(Scenario(traffic, PointToPoint()))

    net = net_of(many)
    assert (len(net.nodes), net.left_out) == (40, 20)
    ax = plot.tangle({"direct": many})
    assert_readable(ax)
    # Nothing was done to it, and so nothing is said of pairs that stop.
    assert title(ax) == f"Direct: {len(net.bytes_)} links"


def test_a_run_of_nothing_is_a_figure(nothing_sent: Result) -> None:
    assert_readable(plot.tangle({"Kafka": nothing_sent}))
    assert_readable(plot.when_one_dies({"nobody dies": {"Kafka": nothing_sent}}))


def test_what_is_no_run_is_refused(deaths: dict[str, dict[str, Result]]) -> None:
    bad: Any
    for bad in ([], {}, {"direct": 3}):
        with pytest.raises(ValidationError, match="runs by the names"):
            plot.tangle(bad)
    for bad in ([], {}, {"a subscriber dies": {}}):
        with pytest.raises(ValidationError):
            plot.when_one_dies(bad)
    with pytest.raises(ValidationError, match="one of its own"):
        plot.when_one_dies(deaths, ax=plot.tangle(deaths["the hub dies"]))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "size",
    ["notebook", *(pytest.param(name, marks=pytest.mark.slow) for name in REST)],
)
def test_they_are_readable_at_every_size(
    deaths: dict[str, dict[str, Result]], size: SizeName
) -> None:
    with plot.sized(size):
        assert_readable(plot.when_one_dies(deaths))
        assert_readable(plot.tangle(deaths["a subscriber dies"]))
