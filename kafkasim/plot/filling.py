"""What ended each record batch, and how full it was."""

from typing import TYPE_CHECKING, Final

import numpy as np

from kafkasim.analysis import producing
from kafkasim.analysis.frames import ATTRIBUTE
from kafkasim.plot.spoken import Words, say
from kafkasim.plot.style import (
    HATCHES,
    OKABE_ITO,
    canvas,
    legend_beside,
    nothing,
    style,
)
from kafkasim.plot.words import amount, caption_of, listed, percent, percent_ticks
from kafkasim.result.result import Result
from kafkasim.result.schema import CLOSED_BY

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_COLOURS: Final = dict(
    zip(
        CLOSED_BY,
        (
            OKABE_ITO["blue"],
            OKABE_ITO["orange"],
            OKABE_ITO["sky blue"],
            OKABE_ITO["black"],
        ),
        strict=True,
    )
)
_TEXT: Final = dict(zip(CLOSED_BY, ("white", "black", "black", "white"), strict=True))
_HATCH: Final = dict(zip(CLOSED_BY, HATCHES, strict=False))


def batching(data: "Result | pd.DataFrame", *, ax: "Axes | None" = None) -> "Axes":
    """Draw the share of batches that each cause closed, producer by producer.

    Parameters
    ----------
    data : Result or DataFrame
        A run, or what `analysis.batching` made of one.
    ax : Axes, optional
        What to draw into; a new figure otherwise.

    Returns
    -------
    Axes
        The mean number of records per batch stands beside each bar.
    """
    table = producing.batching(data) if isinstance(data, Result) else data
    producers = list(dict.fromkeys(table["producer"].astype(str)))
    causes = table["closed_by"].astype(str)
    said: list[str] = []
    with style():
        ax = canvas(ax, (9.0, 1.9 + 0.75 * max(1, len(producers))))
        left = np.zeros(len(producers))
        for cause in [cause for cause in CLOSED_BY if (causes == cause).any()]:
            part = table[causes == cause].set_index("producer")["batches_share"]
            shares = np.array([float(part.get(name, 0.0)) for name in producers])
            bars = ax.barh(
                producers,
                shares,
                left=left,
                color=_COLOURS[cause],
                hatch=_HATCH[cause],
                edgecolor="white",
                label=cause,
            )
            texts = [percent(share) if share >= 0.08 else "" for share in shares]
            ax.bar_label(
                bars,
                texts,
                label_type="center",
                color=_TEXT[cause],
                fontsize=12,
                bbox={"facecolor": _COLOURS[cause], "edgecolor": "none", "pad": 1.5},
            )
            left += shares
        for place, name in enumerate(producers):
            mine = table[table["producer"] == name]
            said.append(_row_text(ax, place, name, mine))
        _finish(ax, len(producers))
    alt = f"Bars of the share of batches that each cause closed: {listed(said)}."
    say(ax, Words(caption_of("Why batches closed", table.attrs.get(ATTRIBUTE)), alt))
    return ax


def _row_text(ax: "Axes", place: int, name: str, mine: "pd.DataFrame") -> str:
    batches = mine["batches"].to_numpy(dtype=np.float64)
    mean = float((mine["records_per_batch"] * batches).sum() / batches.sum())
    ax.text(1.01, place, f"{amount(mean)} records\nper batch", va="center", fontsize=12)
    causes = [
        f"{percent(share)} {cause}"
        for cause, share in zip(mine["closed_by"], mine["batches_share"], strict=True)
    ]
    return f"{name} {', '.join(causes)}, with {amount(mean)} records per batch"


def _finish(ax: "Axes", producers: int) -> None:
    ax.set_title("Why batches closed")
    ax.set_xlabel("share of batches")
    ax.set_ylabel("producer")
    ax.set_xlim(0, 1)
    ax.set_ylim(max(1, producers) - 0.5, -0.5)
    percent_ticks(ax.xaxis)
    ax.grid(visible=False)
    if not producers:
        nothing(ax, "no batches")
        return
    legend_beside(ax, "closed by")
    legend = ax.get_legend()
    assert legend is not None
    legend.set_bbox_to_anchor((1.24, 1.0))
