"""How many partitions nobody reads, over time: runs compared, a panel for each."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import numpy as np

from kafkasim.analysis.unread import unread as unread_of
from kafkasim.catalogue import say
from kafkasim.errors import ValidationError
from kafkasim.plot.captions import Words, give_words
from kafkasim.plot.given import run_given
from kafkasim.plot.headings import headline_of_all
from kafkasim.plot.replica_words import span
from kafkasim.plot.style import OKABE_ITO, SIZE, panels, stroke, style
from kafkasim.plot.words import (
    amount,
    caption_of,
    counted,
    listed,
    plain_numbers,
    time_unit,
)
from kafkasim.result.result import Result
from kafkasim.units import NS_PER_MS

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_PANEL: Final = 1.55
"""Height of a panel in a notebook, inches."""


def unread(
    runs: Mapping[str, Result],
    *,
    group: str | None = None,
    from_s: float = 0.0,
    ax: "Axes | None" = None,
) -> "Axes":
    """Draw how many partitions of a group nobody reads: a panel for each run.

    Parameters
    ----------
    runs : mapping of str to Result
        By the name that its panel gets, such as those of `rolling_restarts`.
    group : str, optional
        The first of each without it.
    from_s : float
        What is before is left out, seconds.
    ax : Axes, optional
        Axes of a grid whose place the panels take; a new figure otherwise.

    Returns
    -------
    Axes
        The first panel's. Panels have the same axes, and say for how long nobody read
        a partition at most, and the sum of those times over partitions, which is the
        area. The title says which run has the smallest and the largest sum.

    Raises
    ------
    ValidationError
        There is no run, or one is no run or has no such group.
    TableNotRecorded
        When a run did not record `assignments`.
    """
    from matplotlib.ticker import NullFormatter

    if not runs:
        raise ValidationError("runs", runs, say("a mapping of names to runs, with one"))
    tables = {
        name: unread_of(run_given(each), group=group, from_s=from_s)
        for name, each in runs.items()
    }
    end_ms = max(float(str(each.facts["end_ns"])) / 1e6 for each in runs.values())
    title = finding(tables)
    with style():
        drawn = panels(ax, len(tables), 1, (SIZE[0], _PANEL))
        unit, scale = time_unit(end_ms)
        highest = max(1.0, 1.05 * max(map(_most, tables.values())))
        for one, (name, table) in zip(drawn, tables.items(), strict=True):
            _draw(one, name, table, end_ms, scale)
            one.set_xlim(1e3 * from_s / scale, end_ms / scale or 1.0)
            one.set_ylim(0, highest)
            plain_numbers(one.xaxis, 8)
            plain_numbers(one.yaxis, 2, whole=True)
            one.set_ylabel(say("unread"))
            if one is not drawn[-1]:
                one.xaxis.set_major_formatter(NullFormatter())
        drawn[-1].set_xlabel(say("simulated time ({unit})", unit=unit))
        headline_of_all(drawn, title)
    first = next(iter(tables.values()))
    what = say(
        "Partitions of group {group} that nobody reads", group=first.attrs["group"]
    )
    told = "; ".join(f"{name}: {said(table)}" for name, table in tables.items())
    for one in drawn:
        caption = caption_of(f"{what}: {listed(list(tables))}", None)
        give_words(one, Words(caption, f"{title}. {told}."))
    return drawn[0]


def finding(tables: "Mapping[str, pd.DataFrame]") -> str:
    """Say which run leaves partitions unread for longest, and which for shortest."""
    sums = {name: each.attrs["gap_partition_s"] for name, each in tables.items()}
    most, least = max(sums, key=sums.__getitem__), min(sums, key=sums.__getitem__)
    if not sums[most]:
        return say("No partition is unread at any time")
    if most == least:
        return say(
            "{most} leaves partitions unread for {longest} s in all",
            most=most,
            longest=amount(sums[most]),
        )
    return say(
        "{most} leaves partitions unread for {longest} s in all, {least} for "
        "{shortest} s",
        most=most,
        longest=amount(sums[most]),
        least=least,
        shortest=amount(sums[least]),
    )


def said(table: "pd.DataFrame") -> str:
    """Return the longest gap and the sum of all of a run."""
    longest = span(NS_PER_MS * table.attrs["longest_gap_ms"])
    total = counted(table.attrs["gap_partition_s"], "partition-second")
    return say("longest gap {longest}, {total}", longest=longest, total=total)


def _most(table: "pd.DataFrame") -> int:
    return int(table["partitions"].max())


def _draw(
    ax: "Axes", name: str, table: "pd.DataFrame", end_ms: float, scale: float
) -> None:
    at = np.append(table["at_ms"].to_numpy(dtype=np.float64), end_ms) / scale
    values = table["partitions"].to_numpy(dtype=np.float64)
    values = np.append(values, values[-1:])
    colour = OKABE_ITO["vermillion"]
    ax.fill_between(at, values, step="post", facecolor=colour, alpha=0.35, linewidth=0)
    ax.step(at, values, where="post", color=colour, linewidth=stroke(1.4))
    ax.set_title(
        f"{name}: {said(table)}", loc="left", fontsize="medium", fontweight="normal"
    )
