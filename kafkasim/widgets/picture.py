"""The picture of an explorer: one figure, drawn once, whose artists are updated.

Drawing axes, labels and legends costs more than the data in them, so a change of a
slider moves lines and bars only, and the figure becomes a PNG in an `<img>` with
alternative text. Left, lag over time, the run before in grey; right, the records that
each partition got.
"""

from dataclasses import dataclass
from io import BytesIO

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from kafkasim import analysis
from kafkasim.plot.style import GREY, OKABE_ITO, style
from kafkasim.plot.words import amount, plain_numbers
from kafkasim.result.result import Result
from kafkasim.units import NS_PER_S

Float64 = NDArray[np.float64]

DPI = 100
"""Dots per inch of the PNG."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What the picture shows of one run."""

    at_s: Float64
    """Times of the lag curve, in seconds of simulated time."""
    lag_records: Float64
    """Records appended and not yet processed, the most in each bin of time."""
    partition_records: Float64
    """Records appended to each partition."""
    metrics: dict[str, float]
    """As `analysis.metrics` gives them."""


def shown_of(result: Result, topic: str, subscriber: str) -> Shown:
    """Return what the picture shows of a run.

    Parameters
    ----------
    result : Result
    topic : str
        Whose partitions are counted.
    subscriber : str
        Whose lag is drawn.
    """
    lag = analysis.lag(result, subscriber=subscriber)
    skew = analysis.skew(result)
    mine = skew[skew["topic"] == topic]
    at_s, records = lag["at_ms"].to_numpy(np.float64) / 1_000, lag["lag_records_max"]
    end_s = int(result.facts["end_ns"]) / NS_PER_S
    left = 0.0 if result.facts["drained"] else float(records.iloc[-1:].sum())
    return Shown(
        at_s=np.append(at_s, end_s),
        lag_records=np.append(records.to_numpy(np.float64), left),
        partition_records=mine["records"].to_numpy(dtype=np.float64),
        metrics=analysis.metrics(result),
    )


class Picture:
    """One persistent figure with two panels."""

    def __init__(self) -> None:
        with style():
            self.figure = Figure(figsize=(10.0, 3.5))
            self.lag_axes, self.partition_axes = self.figure.subplots(
                1, 2, width_ratios=(3, 2)
            )
            self._draw_lag()
            self._draw_partitions()
            # Laid out by hand: a layout engine costs as much again at every change.
            self.figure.subplots_adjust(
                left=0.09, right=0.985, bottom=0.19, top=0.87, wspace=0.34
            )

    def _draw_lag(self) -> None:
        ax = self.lag_axes
        (self.before_line,) = ax.plot(
            [], [], color=GREY, linestyle="--", linewidth=1.6, label="run before"
        )
        (self.lag_line,) = ax.plot(
            [], [], color=OKABE_ITO["blue"], linewidth=2.4, label="this run"
        )
        ax.set_title("Lag")
        ax.set_xlabel("time (s)")
        ax.set_ylabel("records waiting")
        _legend(ax)
        plain_numbers(ax.yaxis)

    def _draw_partitions(self) -> None:
        ax = self.partition_axes
        self.stairs = ax.stairs(
            [0.0],
            fill=True,
            facecolor=OKABE_ITO["sky blue"],
            edgecolor=OKABE_ITO["blue"],
            linewidth=1.0,
        )
        self.mean_line = ax.axhline(
            0.0, color=OKABE_ITO["black"], linestyle=":", linewidth=1.6, label="mean"
        )
        ax.set_title("Partitions")
        ax.set_xlabel("partition")
        ax.set_ylabel("records")
        _legend(ax)
        ax.grid(visible=False, axis="x")
        plain_numbers(ax.yaxis)

    def update(self, shown: Shown, before: Shown | None) -> None:
        """Move the artists to what one run gave, and the one before it."""
        self.lag_line.set_data(shown.at_s, shown.lag_records)
        if before is None:
            self.before_line.set_data([], [])
        else:
            self.before_line.set_data(before.at_s, before.lag_records)
        both = [shown] if before is None else [shown, before]
        self.lag_axes.set_xlim(0.0, _room([each.at_s for each in both], 1.0))
        self.lag_axes.set_ylim(0.0, _room([each.lag_records for each in both], 1.08))
        counts = shown.partition_records
        self.stairs.set_data(counts, np.arange(len(counts) + 1) - 0.5)
        self.mean_line.set_ydata([counts.mean(), counts.mean()])
        self.partition_axes.set_xlim(-0.6, len(counts) - 0.4)
        self.partition_axes.set_ylim(0.0, _room([counts], 1.08))
        step = -(-len(counts) // 8)
        self.partition_axes.set_xticks(range(0, len(counts), step))

    def png(self) -> bytes:
        """Return the figure as a PNG; the same figure gives the same bytes."""
        buffer = BytesIO()
        with style():
            self.figure.savefig(
                buffer, format="png", dpi=DPI, metadata={"Software": None}
            )
        return buffer.getvalue()


def alt_text(shown: Shown) -> str:
    """Return what the picture shows, for those who cannot see it.

    Examples
    --------
    >>> import numpy as np
    >>> counts = np.array([30.0, 0.0])
    >>> alt_text(Shown(np.array([0.0, 1.0]), np.array([2.0, 9.0]), counts, {}))
    'Lag over 1 s: at most 9 records. 2 partitions, 1 of them without a record; the \
fullest got 30 records, the mean is 15.'
    """
    counts = shown.partition_records
    empty = int(np.count_nonzero(counts == 0))
    end = float(shown.at_s[-1]) if len(shown.at_s) else 0.0
    most = amount(float(shown.lag_records.max(initial=0.0)))
    fullest, mean = amount(float(counts.max(initial=0.0))), amount(float(counts.mean()))
    return (
        f"Lag over {amount(end)} s: at most {most} records. "
        f"{len(counts)} partition{'s' * (len(counts) != 1)}, {empty or 'none'} of them "
        f"without a record; the fullest got {fullest} records, the mean is {mean}."
    )


def _legend(ax: Axes) -> None:
    """Put the legend beside the title, where no data is."""
    ax.legend(loc="lower right", bbox_to_anchor=(1.02, 0.98), ncols=2, fontsize=11)


def _room(arrays: list[Float64], factor: float) -> float:
    """Return an upper end of an axis that leaves room above the largest value."""
    most = max(float(array.max(initial=0.0)) for array in arrays)
    return most * factor or 1.0
