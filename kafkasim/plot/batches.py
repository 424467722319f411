"""What ended each record batch, and how full it was."""

from typing import TYPE_CHECKING, Final

import numpy as np

from kafkasim.analysis import producing
from kafkasim.analysis.frames import ATTRIBUTE
from kafkasim.catalogue import mark, say
from kafkasim.plot.captions import Words, give_words
from kafkasim.plot.given import table_with
from kafkasim.plot.headings import headline
from kafkasim.plot.style import (
    OKABE_ITO,
    canvas,
    hatch,
    legend_below,
    nothing,
    style,
)
from kafkasim.plot.words import caption_of, counted, listed, percent, percent_ticks
from kafkasim.result.result import Result
from kafkasim.result.schema import CLOSED_BY

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_DRAWN: Final = (
    *("producer", "closed_by", "batches"),
    *("batches_share", "records_per_batch"),
)

_MOST: Final = 12
"""Producers that have a bar, those with the most batches."""

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
_CAUSES: Final = {
    "full": mark("full"),
    "linger": mark("linger"),
    "drained": mark("drained"),
    "cut": mark("cut off"),
}
_TEXT: Final = dict(zip(CLOSED_BY, ("white", "black", "black", "white"), strict=True))


def batching(data: "Result | pd.DataFrame", *, ax: "Axes | None" = None) -> "Axes":
    """Draw the share of batches that each cause closed, producer by producer.

    Of more than 12 producers, those with the most batches.

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

    Raises
    ------
    ValidationError
        `data` is neither a run nor such a table.
    TableNotRecorded
        When the run did not record the tables that the figure needs.
    """
    table = (
        producing.batching(data)
        if isinstance(data, Result)
        else table_with(data, _DRAWN, "batching")
    )
    producers, more = _shown(table)
    title = _finding(table)
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
                hatch=hatch(CLOSED_BY.index(cause)),
                edgecolor="white",
                label=say(_CAUSES[cause]),
            )
            texts = [percent(share) if share >= 0.08 else "" for share in shares]
            ax.bar_label(
                bars,
                texts,
                label_type="center",
                color=_TEXT[cause],
                fontsize="small",
                bbox={"facecolor": _COLOURS[cause], "edgecolor": "none", "pad": 1.5},
            )
            left += shares
        for place, name in enumerate(producers):
            mine = table[table["producer"].astype(str) == name]
            said.append(_row_text(ax, place, name, mine))
        _finish(ax, len(producers), title, more)
    seen = say(
        "Bars of the share of batches that each cause closed: {said}.",
        said=listed(said) or say("none"),
    )
    alt = f"{title}. {seen}"
    give_words(
        ax,
        Words(caption_of(say("Why batches closed"), table.attrs.get(ATTRIBUTE)), alt),
    )
    return ax


def _shown(table: "pd.DataFrame") -> tuple[list[str], int]:
    """Return the producers with the most batches, and how many others there are."""
    batches = table.groupby(table["producer"].astype(str), sort=False)["batches"].sum()
    largest = batches.sort_values(ascending=False, kind="stable").index[:_MOST]
    kept = [str(name) for name in batches.index if name in set(largest)]
    return kept, len(batches) - len(kept)


def _finding(table: "pd.DataFrame") -> str:
    """Return what closed most batches of all producers."""
    by_cause = table.groupby(table["closed_by"].astype(str))["batches"].sum()
    total = float(by_cause.sum())
    if not total > 0:
        return say("No batches")
    cause = str(by_cause.idxmax())
    share = percent(float(by_cause.max()) / total)
    batches = table["batches"].to_numpy(dtype=np.float64)
    records = float(np.nansum(table["records_per_batch"] * batches)) / total
    return say(
        "{share} of the batches were closed by “{cause}”; {records} in a batch",
        share=share,
        cause=say(_CAUSES[cause]),
        records=counted(records, "record"),
    )


def _row_text(ax: "Axes", place: int, name: str, mine: "pd.DataFrame") -> str:
    batches = mine["batches"].to_numpy(dtype=np.float64)
    total = float(np.nansum(batches))
    mean = float("nan")
    if total > 0:
        mean = float((mine["records_per_batch"] * batches).sum() / total)
    ax.text(
        1.01,
        place,
        say("{records}\nper batch", records=counted(mean, "record")),
        va="center",
        fontsize="small",
    )
    causes = [
        f"{percent(share)} {say(_CAUSES[str(cause)])}"
        for cause, share in zip(mine["closed_by"], mine["batches_share"], strict=True)
    ]
    return say(
        "{name} {causes}, with {records} per batch",
        name=name,
        causes=", ".join(causes),
        records=counted(mean, "record"),
    )


def _finish(ax: "Axes", producers: int, title: str, more: int) -> None:
    headline(ax, title)
    ax.set_xlabel(say("share of batches"))
    others = say("producer ({more} more not shown)", more=more)
    ax.set_ylabel(others if more else say("producer"))
    ax.set_xlim(0, 1)
    ax.set_ylim(max(1, producers) - 0.5, -0.5)
    percent_ticks(ax.xaxis)
    ax.grid(visible=False)
    if producers:
        legend_below(ax, say("closed by"))
    else:
        nothing(ax, say("no batches"))
