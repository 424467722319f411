"""How busy the parts of a host were over time, and which one holds the rest up."""

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import numpy as np

from kafkasim.analysis import busy
from kafkasim.catalogue import mark, say, say_many
from kafkasim.errors import ValidationError
from kafkasim.plot.given import table_with
from kafkasim.plot.style import (
    DASHES,
    GREY,
    OKABE_ITO,
    canvas,
    legend_or_nothing,
    stroke,
    style,
)
from kafkasim.plot.time_axis import label_axes, say_over_time, time_scale
from kafkasim.plot.words import begun, listed, percent, percent_ticks
from kafkasim.result.result import Result

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_COLUMNS: Final = ("resource", "kind", "at_ms", "busy_share")
_PARTS: Final = MappingProxyType(
    {
        "disk": (mark("disk"), OKABE_ITO["vermillion"]),
        "nic_out": (mark("network card, sending"), OKABE_ITO["blue"]),
        "nic_in": (mark("network card, receiving"), OKABE_ITO["sky blue"]),
        "network_thread": (mark("network threads"), OKABE_ITO["purple"]),
        "io_thread": (mark("IO threads"), OKABE_ITO["green"]),
        "cpu": (mark("processors"), OKABE_ITO["orange"]),
    }
)
_DOTS: Final = ":"
"""Of the page cache alone: in grey print it is told from the parts by them."""
_DASHES: Final = (*(d for d in DASHES if d != _DOTS), (0, (4, 1, 4, 1, 1, 1)))
"""Of the parts, in their order."""
_HARDLY: Final = 0.02
"""A part that is never busier than this is not drawn."""
_MEMORY: Final = mark("page cache, in use")


def resources(
    data: "Result | pd.DataFrame",
    *,
    resource: str | None = None,
    ax: "Axes | None" = None,
) -> "Axes":
    """Draw how busy each part of a host was, second by second.

    Parameters
    ----------
    data : Result or DataFrame
        A run that measured them (`run(..., resources=True)`), or what
        `analysis.resources` made of one.
    resource : str, optional
        Which host, such as `broker:1`; without it the one with the busiest part.
    ax : Axes, optional
        What to draw into; a new figure otherwise.

    Returns
    -------
    Axes
        The title says which part was busiest, and whether it was busy all the time;
        the page cache is dotted, as it is full and not busy.

    Raises
    ------
    ValidationError
        `data` is neither a run nor such a table, or has no such host.
    TableNotRecorded
        When the run did not measure them.
    """
    table = (
        busy.resources(data)
        if isinstance(data, Result)
        else table_with(data, _COLUMNS, "resources")
    )
    hosts = list(dict.fromkeys(table["resource"].astype(str)))
    if resource is not None and resource not in hosts:
        raise ValidationError(
            "resource", resource, say("one of {names}", names=", ".join(hosts))
        )
    found = busy.busiest(table if resource is None else _of(table, resource))
    host = resource or (found[0] if found else "")
    part = _of(table, host)
    with style():
        ax = canvas(ax)
        said = _draw(ax, part)
        label_axes(ax, part, _finding(found, part), say("simulated time"), say("busy"))
        ax.set_ylim(0.0, 1.03)
        percent_ticks(ax.yaxis)
        legend_or_nothing(ax, say("nothing was measured"), host)
    alt = say(
        "Steps of how busy each part of {host} was: {said}.",
        host=host or say("a host"),
        said=listed(said),
    )
    say_over_time(ax, say("Busy parts"), part, f"{_finding(found, part)}. {alt}")
    return ax


def _of(table: "pd.DataFrame", host: str) -> "pd.DataFrame":
    part = table[table["resource"] == host]
    part.attrs.update(table.attrs)
    return part


def _draw(ax: "Axes", part: "pd.DataFrame") -> list[str]:
    """Draw the parts; return what was drawn, in words."""
    said = []
    _, scale = time_scale(part)
    kinds = [*_PARTS, "page_cache"]
    for number, kind in enumerate(kinds):
        rows = part[part["kind"] == kind]
        shares = rows["busy_share"].to_numpy(np.float64)
        if not len(rows) or (shares.max() < _HARDLY and kind != "disk"):
            continue
        at = rows["at_ms"].to_numpy(np.float64) / scale
        width = at[1] - at[0] if len(at) > 1 else 1_000.0 / scale
        name, colour = _PARTS.get(kind, (_MEMORY, GREY))
        label = say(name)
        dash = _DOTS if kind == "page_cache" else _DASHES[number]
        ax.stairs(
            shares, [*at, at[-1] + width], baseline=None, label=label,
            lw=stroke(2.0), color=colour, linestyle=dash,
        )  # fmt: skip
        said.append(
            say(
                "{part} {share} in the mean",
                part=label,
                share=percent(float(shares.mean())),
            )
        )
    return said


def _finding(found: tuple[str, str, float, int] | None, part: "pd.DataFrame") -> str:
    if found is None:
        return say("Nothing was measured")
    host, kind, mean, whole = found
    name = say("the {part} of {host}", part=say(_PARTS[kind][0]), host=host)
    if not whole:
        return say(
            "Nothing is busy all the time; most is {part}, {share}",
            part=name,
            share=percent(mean),
        )
    seconds = max(1, part["at_ms"].nunique() - 1)
    return say_many(
        "{part} holds the rest up: busy throughout {whole} of {seconds} s",
        "{part} hold the rest up: busy throughout {whole} of {seconds} s",
        2 if kind in {"cpu", "io_thread", "network_thread"} else 1,
        part=begun(name),
        whole=whole,
        seconds=seconds,
    )
