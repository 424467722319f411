"""The figure of the channel explorer: two logs with their readers, and the producers.

Above, each topic is a row of numbered boxes with a lane for every subscriber. Below,
each record stands at the time it was created, as high as its acknowledgement took, with
its offset: all that a producer ever sees.
"""

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.text import Text

from kafkasim.analysis.arrays import Int64
from kafkasim.analysis.positions import NONE, Standing, moment_ns, standing
from kafkasim.analysis.world import world_of
from kafkasim.catalogue import say, say_many
from kafkasim.plot.bands import Band, Bands, Lane, heights
from kafkasim.plot.logs import finding, in_words, keys_by_offset, lane_of
from kafkasim.plot.style import OKABE_ITO, PALE
from kafkasim.plot.words import amount, listed
from kafkasim.result.result import Result
from kafkasim.units import NS_PER_MS, NS_PER_S
from kafkasim.widgets.canvas import Canvas

TOPICS: Final = ("departures", "arrivals")
SUBSCRIBERS: Final = ("board", "billing", "archive")

_SIZE: Final = (10.0, 5.6)
_RECORDS: Final = 10
"""Of each topic: how long the boxes' row may grow."""
_DURATION_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class Shown:
    """What the figure shows of a run at a moment."""

    now: Standing
    """Everyone's offsets."""
    keys: tuple[tuple[str, ...], ...]
    """By topic, the key of each record."""
    topic: Int64
    """Of each record its topic's place in `TOPICS`; records in the order created."""
    offset: Int64
    """Its offset."""
    created_ns: Int64
    """When its producer took it."""
    acked_ns: Int64
    """When its producer held the acknowledgement."""

    @property
    def at_s(self) -> float:
        """The moment, in seconds."""
        return self.now.at_ns / NS_PER_S

    @property
    def columns(self) -> list[int]:
        """All partitions."""
        return list(range(len(self.now.partitions)))


def shown_of(result: Result, at_s: float) -> Shown:
    """Return what the figure shows of a run of the channel explorer.

    Parameters
    ----------
    result : Result
        Its topics are `TOPICS`, of one partition each.
    at_s : float
        The moment, in seconds of simulated time.
    """
    records = result.columns("records")
    order = np.argsort(records["created_ns"], kind="stable")
    places = [TOPICS.index(name) for name in records.labels["topic"]]
    return Shown(
        now=standing(result, world_of(result), TOPICS, moment_ns(result, at_s)),
        keys=tuple(keys_by_offset(result, topic, 0) for topic in TOPICS),
        topic=np.array(places, dtype=np.int64)[records["topic"][order]],
        offset=records["offset"][order],
        created_ns=records["created_ns"][order],
        acked_ns=records["acked_ns"][order],
    )


class ChannelCanvas(Canvas[Shown]):
    """One figure: the logs above, the producers below.

    Attributes
    ----------
    bands : Bands
        The logs and the markers.
    log_axes, producer_axes : Axes
    log_title, producer_title : Text
    """

    def __init__(self) -> None:
        super().__init__(_SIZE)

    def draw(self) -> None:
        """Make axes and artists, and lay them out."""
        empty = [Band(topic, 0, (), _unread_lanes()) for topic in TOPICS]
        high = heights([len(band.lanes) for band in empty])
        self.log_axes, self.producer_axes = self.figure.subplots(
            2, 1, height_ratios=(high, 0.3 * high)
        )
        left, right = 0.125, 0.775
        self.bands = Bands(
            self.log_axes,
            empty,
            width=_RECORDS,
            boxes=True,
            inches=_SIZE[0] * (right - left),
        )
        self.bands.legend(before=True)
        self.log_axes.set_xlabel(say("offset (old → new)"), loc="left")
        # With a place of their own titles do not look for one at each drawing.
        self.log_title = self.log_axes.set_title("", y=1.0)
        self.producer_title = self.producer_axes.set_title("", y=1.0)
        self._draw_producers()
        self.figure.subplots_adjust(
            left=left, right=right, bottom=0.1, top=0.93, hspace=0.6
        )

    def _draw_producers(self) -> None:
        ax: Axes = self.producer_axes
        self.dots = [
            ax.plot([], [], marker, color=OKABE_ITO[colour], label=topic, markersize=7)[
                0
            ]
            for topic, marker, colour in zip(
                TOPICS, ("o", "s"), ("blue", "vermillion"), strict=True
            )
        ]
        self.moment_line = ax.axvline(0.0, color=PALE, linewidth=9.0, zorder=0.5)
        self.numbers: list[Text] = [
            ax.text(0, 0, "", ha="center", va="bottom", fontsize=9)
            for _ in range(2 * _RECORDS)
        ]
        ax.set_xlim(-0.5, _DURATION_S)
        ax.set_xlabel(say("created (s of simulated time); the number is the offset"))
        ax.set_ylabel(say("acked\nafter (ms)"))
        ax.legend(loc="upper left", bbox_to_anchor=(1.01, 1.0), borderaxespad=0.0)

    def update(self, shown: Shown, before: Shown | None) -> None:
        """Move boxes, markers and dots."""
        self.bands.update(bands_of(shown, before))
        self.log_title.set_text(self.title(shown, before))
        self.producer_title.set_text(producers(shown, before))
        waits_ms = (shown.acked_ns - shown.created_ns) / NS_PER_MS
        at_s = shown.created_ns / NS_PER_S
        for place, line in enumerate(self.dots):
            mine = shown.topic == place
            line.set_data(at_s[mine], waits_ms[mine])
        most = float(waits_ms.max(initial=1.0))
        self.producer_axes.set_ylim(0.0, 2.2 * most)
        for text, x, y, offset in zip(
            self.numbers, at_s, waits_ms + 0.25 * most, shown.offset, strict=False
        ):
            text.set_position((x, y))
            text.set_text(str(offset))
        self.moment_line.set_xdata([shown.at_s, shown.at_s])

    def title(self, shown: Shown, before: Shown | None) -> str:
        """Say whose markers moved; of a first or another moment, who is behind."""
        if before is None or before.at_s != shown.at_s:
            return finding(shown.now, shown.columns)
        lanes = moved(shown, before)
        names = list(dict.fromkeys(lanes))
        if not names:
            return say("No marker moved")
        if len(names) == 1:
            return say_many(
                "Only {name}'s marker moved",
                "Only {name}'s markers moved",
                len(lanes),
                name=names[0],
            )
        return say("The markers of {names} moved", names=listed(names))

    def alt_text(self, shown: Shown) -> str:
        """Return what is seen, for those who cannot see it."""
        title = finding(shown.now, shown.columns)
        told = in_words(bands_of(shown, None))
        return f"{title}. {told} {producers(shown, None)}."


def _unread_lanes() -> tuple[Lane, ...]:
    return tuple(
        Lane(name, number, why=say("does not read it"))
        for number, name in enumerate(SUBSCRIBERS)
    )


def bands_of(shown: Shown, before: Shown | None) -> list[Band]:
    """Return the topics as bands, with a lane for every subscriber in each.

    Parameters
    ----------
    shown : Shown
        What is drawn.
    before : Shown or None
        Where markers were before, drawn when it is of the same moment.
    """
    same = before is not None and before.at_s == shown.at_s
    return [
        Band(
            topic,
            int(shown.now.log_end[column]),
            shown.keys[column],
            tuple(
                replace(
                    _lane(shown, lane, column),
                    before=_lane(before, lane, column).position
                    if before is not None and same
                    else NONE,
                )
                for lane in _unread_lanes()
            ),
            shown.now.gone[column],
        )
        for column, topic in enumerate(TOPICS)
    ]


def _lane(shown: Shown, lane: Lane, column: int) -> Lane:
    """Return a subscriber's lane, as it is when it reads the topic."""
    for row, want in enumerate(shown.now.wants):
        if want.subscriber == lane.name and shown.now.reads[row, column]:
            read = lane_of(shown.now, row, column)
            return replace(read, colour=lane.colour, committed=NONE)
    return lane


def moved(shown: Shown, before: Shown) -> list[str]:
    """Return whose lanes differ: a name for each topic in which one stands elsewhere.

    One that begins to read a topic, or no longer does, stands elsewhere too.
    """
    return [
        lane.name
        for lane in _unread_lanes()
        for column in range(len(TOPICS))
        if _lane(shown, lane, column) != _lane(before, lane, column)
    ]


def producers(shown: Shown, before: Shown | None) -> str:
    """Say what the producers saw, and whether it is what they saw before."""
    count = len(shown.offset)
    if before is not None:
        differs = different(shown, before)
        if not differs:
            return say(
                "Producers: created, acked and offset of all {count} as before",
                count=count,
            )
        return say(
            "Producers: {differ} of {count} records differ from before",
            differ=differs,
            count=count,
        )
    waits_ms = (shown.acked_ns - shown.created_ns) / NS_PER_MS
    low, high = amount(float(waits_ms.min())), amount(float(waits_ms.max()))
    took = f"{low} ms"
    if low != high:
        took = say("{low} to {high} ms", low=low, high=high)
    return say(
        "Producers: {count} records, each acknowledged {time} after it was created",
        count=count,
        time=took,
    )


def different(shown: Shown, before: Shown) -> int:
    """Count the records whose topic, offset, creation or acknowledgement differs."""
    same = np.ones(len(shown.offset), dtype=np.bool_)
    for name in ("topic", "offset", "created_ns", "acked_ns"):
        same &= getattr(shown, name) == getattr(before, name)
    return int(np.count_nonzero(~same))
