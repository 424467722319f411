"""Replicas over time: what is safe, who leads, what the title finds."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.container import BarContainer
from matplotlib.lines import Line2D

from kafkasim import plot
from kafkasim.analysis.replica_rows import copies_of
from kafkasim.errors import TableNotRecorded, ValidationError
from kafkasim.plot.replica_lanes import LABELS, bars, look, thinned
from kafkasim.plot.replica_words import (
    broker_events,
    finding,
    in_words,
    leaders,
    span,
)
from kafkasim.plot.replicating import replication
from kafkasim.plot.sizes import SIZES, SizeName
from kafkasim.result.result import Result
from tests.analysis.test_copies import (
    Told,
    batches,
    by_hand,
    leader_dies,
    leader_is_lost,
    replica,
    start,
)
from tests.plot.test_layout import assert_readable

S = 1_000_000_000


def title(ax: Axes) -> str:
    return ax.get_title(loc="left").replace("\n", " ")


def panels(ax: Axes) -> tuple[Axes, Axes]:
    upper, lower = ax.figure.axes
    return upper, lower


def line(ax: Axes, label: str) -> Line2D:
    (found,) = (each for each in ax.lines if each.get_label() == label)
    return found


def lanes(ax: Axes) -> dict[tuple[float, str], list[tuple[float, float]]]:
    """Return from when to when each lane is drawn in each look."""
    faces = {
        tuple(each.patches[0].get_facecolor()): str(each.get_label())
        for each in ax.containers
        if isinstance(each, BarContainer) and str(each.get_label())[0] != "_"
    }
    drawn: dict[tuple[float, str], list[tuple[float, float]]] = {}
    for each in ax.containers:
        assert isinstance(each, BarContainer)
        for bar in each.patches:
            lane = bar.get_y() + bar.get_height() / 2
            name = faces[tuple(bar.get_facecolor())]
            times = (bar.get_x(), round(bar.get_x() + bar.get_width(), 6))
            drawn.setdefault((round(lane), name), []).append(times)
    return drawn


def followers_die(*, acked: bool) -> Result:
    """Return a run in which both followers die at 2 s and stay away."""
    told: list[Told] = [
        (10 * n, 0.1 + 0.1 * n, 0.15 + 0.1 * n, 0.2 + 0.1 * n) for n in range(18)
    ]
    if acked:
        told += [(180 + 10 * n, 2.0 + n, None, 2.1 + n) for n in range(6)]
    gone = [
        replica(broker, at, "offline", cause, end=180, high=180, isr=isr)
        for broker in (2, 3)
        for at, cause, isr in ((2.0, "crashed", 1), (9.5, "left the ISR", 0))
    ]
    refused = [
        {"error": "NOT_ENOUGH_REPLICAS", "answered_ms": 1_000.0 * at}
        for at in np.arange(9.6, 15.0, 0.05)
    ]
    return by_hand(
        16.0,
        replicas=[*start(), *gone],
        requests=[] if acked else refused,
        **batches(*told),
    )


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (leader_dies, "No record is acknowledged for 9.2 s, then all goes on"),
        (
            leader_is_lost,
            "20 acknowledged records are lost: broker 2 leads without them",
        ),
        (
            lambda: followers_die(acked=False),
            "No record is acknowledged from 1.9 s on",
        ),
        (
            lambda: followers_die(acked=True),
            "60 acknowledged records that nobody may read, for 13.9 s",
        ),
        (
            lambda: by_hand(3.0, replicas=start(), **batches((0, 1.0, None, None))),
            "No record is acknowledged at all",
        ),
        (
            lambda: by_hand(
                2.0,
                replicas=start(),
                **batches(*((10 * n, n / 9, n / 9, n / 9) for n in range(18))),
            ),
            "The high watermark keeps up with the log end",
        ),
        (
            lambda: by_hand(1.0, replicas=start(), appends=[], batches=[]),
            "Nothing was written to this partition",
        ),
    ],
)
def test_the_title_says_the_worst_that_befell_records(
    made: Callable[[], Result], said: str
) -> None:
    result = made()

    assert title(replication(result)) == said
    assert finding(copies_of(result, None, 0)) == said


def test_the_lines_are_log_end_and_high_watermark() -> None:
    upper, _ = panels(replication(leader_is_lost()))

    end, high = line(upper, "log end"), line(upper, "high watermark")
    assert np.asarray(end.get_ydata()).tolist() == [0, 10, 20, 30, 40, 50, 30, 30]
    assert np.asarray(end.get_xdata()).tolist() == [0, 1, 2, 3, 4, 5, 8, 10]
    assert np.asarray(high.get_ydata()).tolist() == [0, 10, 20, 30, 30, 30]


def test_each_broker_has_a_lane_and_is_in_the_isr_until_it_is_given_up() -> None:
    upper, lower = panels(replication(leader_dies()))

    names = [text.get_text() for text in lower.get_yticklabels()]
    assert names == ["broker 1", "broker 2", "broker 3", "producers"]
    drawn = lanes(lower)
    assert drawn[0, LABELS["leader"]] == [(0.0, 4.0)]
    assert drawn[0, LABELS["down, in sync"]] == [(4.0, 12.9)]
    assert drawn[1, LABELS["leader"]] == [(12.9, 18.0)]
    assert drawn[2, LABELS["in sync"]] == [(0.0, 18.0)]
    told = drawn[3, "acknowledged"]
    assert all(until <= 4.0 or since >= 13.0 for since, until in told)
    assert upper.get_xlim() == lower.get_xlim()
    assert "Broker 1 led and broker 2 from 12.9 s on" in [
        text.get_text() for text in upper.texts
    ]


def test_what_befell_brokers_is_named_where_it_happened() -> None:
    upper, _ = panels(replication(leader_dies()))

    said = {text.get_text() for text in upper.texts}
    assert {"broker 1: crash", "broker 1: back"} <= said
    times = {float(np.asarray(each.get_xdata())[0]) for each in upper.lines}
    assert {4.0, 14.0} <= times
    sides = {text.get_text(): text.get_horizontalalignment() for text in upper.texts}
    assert sides["broker 1: crash"] == "left"
    assert sides["broker 1: back"] == "right"


def test_what_was_acknowledged_and_lost_is_marked_and_counted() -> None:
    upper, _ = panels(replication(leader_is_lost()))

    mark = line(upper, "given up")
    assert np.asarray(mark.get_xdata()).tolist() == [8.0, 8.0]
    assert np.asarray(mark.get_ydata()).tolist() == [30, 50]
    said = [text.get_text() for text in upper.texts]
    assert "20 records\nacknowledged, lost" in said


def labels(ax: Axes) -> list[str]:
    legend = panels(ax)[1].get_legend()
    assert legend is not None
    return [text.get_text() for text in legend.get_texts()]


def test_what_is_acknowledged_and_hidden_has_an_area_of_its_own() -> None:
    assert "acked, not readable" in labels(replication(leader_is_lost()))
    assert "acked, not readable" not in labels(replication(leader_dies()))


def test_refusals_are_marks_in_the_producers_lane_few_enough_to_see() -> None:
    ax = replication(followers_die(acked=False))

    _, lower = panels(ax)
    marks = line(lower, "refused")
    assert len(np.asarray(marks.get_xdata())) == 60
    assert set(np.asarray(marks.get_ydata()).tolist()) == {3}
    assert "Refused: 108 requests, with NOT_ENOUGH_REPLICAS." in plot.alt_text(ax)


def test_it_says_in_words_what_is_seen() -> None:
    words = plot.alt_text(replication(leader_is_lost()))

    assert words.startswith("20 acknowledged records are lost")
    downs = "broker 1 from 6 s to 9 s, broker 2 from 3.5 s to 8 s and broker 3 from"
    assert f"Down: {downs} 3.5 s on." in words
    assert "Not in the ISR: broker 1 from 9 s on." in words
    assert (
        "At 8 s 20 offsets above 30 are given up, 20 records of them acknowledged."
    ) in words
    assert "Down: broker 1 from 4 s to 14 s." in in_words(
        copies_of(leader_dies(), None, 0)
    )
    assert in_words(copies_of(leader_dies(), None, 0)).startswith(
        "Log end up to 800, high watermark up to 800, acknowledged up to 800 in the end"
    )
    assert plot.caption(replication(leader_dies())).startswith("Replicas of orders-0.")


def test_a_leader_that_goes_and_comes_is_said_twice() -> None:
    changes = [
        *start()[:1],
        replica(1, 1.0, "offline", "crashed"),
        replica(1, 2.0, "leader", "elected", epoch=2),
    ]
    found = copies_of(by_hand(4.0, replicas=changes, **batches()), None, 0)

    assert leaders(found) == "broker 1 led and broker 1 from 2 s on"
    nobody = copies_of(by_hand(1.0, replicas=[], **batches()), None, 0)
    assert leaders(nobody) == "no leader"


def test_times_that_follow_closely_are_one_bar() -> None:
    at = np.array([0, 10, 20, 500, 510, 900], dtype=np.int64)
    since, until = bars(at, 5_000)

    assert since.tolist() == [0, 500, 900]
    assert until.tolist() == [20, 510, 910]
    assert [len(each) for each in bars(at[:0], 5_000)] == [0, 0]


def test_of_many_times_some_are_left_with_the_first_and_the_last() -> None:
    at = np.arange(1_000, dtype=np.int64)

    assert thinned(at, 4).tolist() == [0.0, 333.0, 666.0, 999.0]
    assert thinned(at[:3], 4).tolist() == [0.0, 1.0, 2.0]


def test_parts_are_told_apart_without_colour() -> None:
    hatched = {state: look(state).get("hatch") for state in LABELS}

    assert hatched["down, in sync"] != hatched["behind"]
    assert hatched["leader"] is None
    assert look("down")["linestyle"] == ":"


def test_a_time_has_the_unit_that_suits_it() -> None:
    assert [span(t * S) for t in (0.0123, 1.25, 9.5)] == ["12.3 ms", "1.25 s", "9.5 s"]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    "made", [leader_dies, leader_is_lost, lambda: followers_die(acked=False)]
)
def test_it_is_readable_at_every_size(
    made: Callable[[], Result], size: SizeName
) -> None:
    with plot.sized(size):
        assert_readable(replication(made()))


def test_it_takes_the_place_of_axes_in_a_grid() -> None:
    other = replication(leader_dies()).figure.add_subplot(2, 2, 2)
    drawn = replication(leader_dies(), ax=other)

    assert other not in drawn.figure.axes
    assert drawn.get_position().x0 >= 0.4


def test_what_it_cannot_draw_is_named() -> None:
    something: Any = leader_dies().table("replicas")
    with pytest.raises(ValidationError, match="a Result"):
        replication(something)
    with pytest.raises(ValidationError, match="0 to 0"):
        replication(leader_dies(), partition=1)
    with pytest.raises(TableNotRecorded):
        replication(by_hand(2.0))


def test_a_broker_that_asks_first_is_stopped_and_did_not_crash() -> None:
    done = [
        {
            "event": "Crash",
            "target": "broker:2",
            "at_ms": 500,
            "until_ms": 900,
            "effect": "asks for a controlled shutdown",
        },
        {"event": "Crash", "target": "controller", "at_ms": 300, "until_ms": None},
        {"event": "Crash", "target": "subscriber:billing", "at_ms": 100},
    ]
    result = by_hand(1.0, replicas=start(), events=done, **batches())

    assert broker_events(result) == [
        (300_000_000, "controller: crash"),
        (500_000_000, "broker 2: stop"),
        (900_000_000, "broker 2: back"),
    ]
    assert broker_events(by_hand(1.0)) == []
