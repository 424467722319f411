"""The figure of the channel explorer: artists that stay, words that are computed."""

from dataclasses import replace

import numpy as np
import pytest

import kafkasim as ks
from kafkasim.widgets.channel import ChannelExplorer, Values
from kafkasim.widgets.channel_canvas import (
    ChannelCanvas,
    Shown,
    bands_of,
    different,
    moved,
    producers,
    shown_of,
)


@pytest.fixture(scope="module")
def explorer() -> ChannelExplorer:
    return ChannelExplorer()


def seen(explorer: ChannelExplorer, at_s: float = 8.0, **values: str | float) -> Shown:
    scenario = explorer.scenario_at(replace(Values(), **values))  # type: ignore[arg-type]
    return shown_of(ks.run(scenario), at_s)


def places(canvas: ChannelCanvas, which: str) -> list[list[float]]:
    offsets: list[list[float]] = np.asarray(
        getattr(canvas.bands, which).get_offsets()
    ).tolist()
    return offsets


def test_the_artists_stay_and_their_places_move(explorer: ChannelExplorer) -> None:
    canvas = ChannelCanvas()
    first, second = seen(explorer), seen(explorer, paused="board")
    canvas.update(first, None)
    artists = set(map(id, canvas.figure.findobj()))
    positions = canvas.bands.positions
    canvas.update(second, first)
    assert canvas.bands.positions is positions
    assert {id(canvas.bands.positions), id(canvas.moment_line)} <= artists
    assert [x for x, _ in places(canvas, "positions")] == [6, 8, 3, 6, 5]
    assert [x for x, _ in places(canvas, "ghosts")] == [8, 8]


def test_no_outline_stands_where_nothing_moved_or_for_another_moment(
    explorer: ChannelExplorer,
) -> None:
    canvas = ChannelCanvas()
    now, later = seen(explorer), seen(explorer, at_s=9.0)
    canvas.update(now, now)
    assert places(canvas, "ghosts") == []
    assert canvas.log_title.get_text() == "No marker moved"
    canvas.update(later, now)
    assert places(canvas, "ghosts") == []
    assert canvas.log_title.get_text().startswith("At 9 s archive still has")


def test_the_producers_panel_holds_all_three_columns(explorer: ChannelExplorer) -> None:
    canvas = ChannelCanvas()
    shown = seen(explorer, paused="billing")
    canvas.update(shown, None)
    for topic, line in enumerate(canvas.dots):
        mine = shown.topic == topic
        np.testing.assert_array_equal(line.get_xdata(), shown.created_ns[mine] / 1e9)
        waits = (shown.acked_ns - shown.created_ns)[mine] / 1e6
        np.testing.assert_array_equal(line.get_ydata(), waits)
    assert [text.get_text() for text in canvas.numbers] == [
        str(offset) for offset in shown.offset
    ]


def test_what_moved_is_told_by_name(explorer: ChannelExplorer) -> None:
    first = seen(explorer)
    assert moved(seen(explorer, billing="both"), first) == ["billing"]
    assert moved(seen(explorer, archive_from_s=10.0), first) == ["archive"] * 2
    assert moved(seen(explorer, board="nothing"), first) == ["board"] * 2
    assert moved(first, first) == []


def test_a_producer_that_saw_something_else_is_not_called_unchanged(
    explorer: ChannelExplorer,
) -> None:
    first = seen(explorer)
    acked = first.acked_ns.copy()
    acked[[3, 7]] += 1
    other = replace(first, acked_ns=acked)
    assert different(other, first) == 2
    assert producers(other, first) == "Producers: 2 of 20 records differ from before"
    assert producers(first, None) == (
        "Producers: 20 records, each acknowledged 5 ms after it was created"
    )


def test_every_subscriber_has_a_lane_in_both_topics(explorer: ChannelExplorer) -> None:
    departures, arrivals = bands_of(seen(explorer, at_s=4.0), None)
    assert [lane.name for lane in arrivals.lanes] == ["board", "billing", "archive"]
    assert [lane.why for lane in arrivals.lanes][1:] == [
        "does not read it",
        "not there yet",
    ]
    assert departures.log_end == 4


def test_the_words_are_of_what_is_shown(explorer: ChannelExplorer) -> None:
    text = ChannelCanvas().alt_text(seen(explorer, paused="board"))
    assert text == (
        "At 8 s archive still has 8 of 16 records to read. "
        "departures holds 8 records, offsets 0 to 7; board: position 6, 2 to read; "
        "billing: position 8, at the end; archive: position 3, 5 to read. "
        "arrivals holds 8 records, offsets 0 to 7; board: position 6, 2 to read; "
        "billing: does not read it; archive: position 5, 3 to read. "
        "Producers: 20 records, each acknowledged 5 ms after it was created."
    )
