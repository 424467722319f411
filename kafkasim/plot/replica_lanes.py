"""Lanes of brokers: which part each had in a partition, and when."""

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from kafkasim.analysis.arrays import Float64, Int64
from kafkasim.analysis.copies import Copies, State
from kafkasim.catalogue import mark, say
from kafkasim.plot.style import GREY, OKABE_ITO, hatch, stroke

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LOOKS: Final = MappingProxyType[State, Any](
    {
        "leader": {"facecolor": OKABE_ITO["blue"], "edgecolor": "white"},
        "in sync": {"facecolor": "#A9D6F2", "edgecolor": "white"},
        "behind": {"facecolor": "#F0F0F0", "edgecolor": GREY, "hatch": 1},
        "down, in sync": {
            "facecolor": OKABE_ITO["orange"],
            "edgecolor": "black",
            "hatch": 3,
        },
        "down": {"facecolor": "white", "edgecolor": GREY, "linestyle": ":"},
    }
)
"""Face, edge and number of the hatch of each part."""

LABELS: Final = MappingProxyType[State, str](
    {
        "leader": mark("leads"),
        "in sync": mark("follows, in the ISR"),
        "behind": mark("follows, not in ISR"),
        "down, in sync": mark("down, still in ISR"),
        "down": mark("down"),
    }
)
"""What the legend says of each."""

ACKED: Final = OKABE_ITO["green"]
REFUSED: Final = OKABE_ITO["vermillion"]
HEIGHT: Final = 0.72
"""Of a lane, where the next one is 1 away."""

_MOST_REFUSED: Final = 60
_GRAIN: Final = 250
"""Acknowledgements nearer than this part of the run are one bar."""


def look(state: State) -> dict[str, Any]:
    """Return how a part is drawn."""
    made = dict(LOOKS[state])
    number = made.pop("hatch", None)
    return made | ({} if number is None else {"hatch": hatch(number)})


def draw_lanes(ax: "Axes", copies: Copies, ns_per_unit: float) -> None:
    """Draw a lane for each broker, and one for what the producers were told.

    Parameters
    ----------
    ax : Axes
    copies : Copies
    ns_per_unit : float
        Nanoseconds in the unit of the axis.
    """
    lanes = {broker: place for place, broker in enumerate(copies.brokers)}
    for state in LOOKS:
        spans = [span for span in copies.spans if span.state == state]
        for number, span in enumerate(spans):
            since, wide = span.since_ns, span.until_ns - span.since_ns
            ax.barh(
                lanes[span.broker],
                wide / ns_per_unit,
                left=since / ns_per_unit,
                height=HEIGHT,
                linewidth=stroke(0.8),
                label=say(LABELS[state]) if not number else None,
                **look(state),
            )
    told = len(lanes)
    since_ns, until_ns = bars(copies.acks_ns, copies.until_ns)
    if len(since_ns):
        ax.barh(
            np.full(len(since_ns), told),
            (until_ns - since_ns) / ns_per_unit,
            left=since_ns / ns_per_unit,
            height=HEIGHT / 2,
            color=ACKED,
            label=say("acknowledged"),
        )
    if len(copies.refused_ns):
        at = thinned(copies.refused_ns, _MOST_REFUSED) / ns_per_unit
        ax.plot(
            at,
            np.full(len(at), told),
            "x",
            color=REFUSED,
            markersize=stroke(6.0),
            label=say("refused"),
        )
    names = [say("broker {broker}", broker=broker) for broker in lanes]
    ax.set_yticks(range(told + 1), [*names, say("producers")])
    ax.set_ylim(told + 0.6, -0.6)
    ax.grid(visible=False, axis="y")


def bars(at_ns: Int64, until_ns: int) -> tuple[Int64, Int64]:
    """Return stretches in which times follow each other closely: since, until.

    A time that stands alone is as wide as the grain.
    """
    if not len(at_ns):
        return at_ns, at_ns
    grain = max(1, until_ns // _GRAIN)
    cuts = np.flatnonzero(np.diff(at_ns) > grain)
    since = at_ns[np.concatenate(([0], cuts + 1))]
    until = at_ns[np.concatenate((cuts, [len(at_ns) - 1]))]
    return since, np.maximum(until, since + grain // 2)


def thinned(at_ns: Int64, most: int) -> Float64:
    """Return times, at most so many, spread over all of them."""
    if len(at_ns) > most:
        at_ns = at_ns[np.linspace(0, len(at_ns) - 1, most).astype(np.int64)]
    return at_ns.astype(np.float64)
