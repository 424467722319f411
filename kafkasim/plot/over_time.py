"""Figures with time along the bottom: throughput and latency."""

from typing import TYPE_CHECKING, Final

import numpy as np

from kafkasim.analysis import waiting
from kafkasim.catalogue import mark, say, say_many
from kafkasim.plot.given import table_with
from kafkasim.plot.per_subscriber import MOST_LINES, by_subscriber, look_of
from kafkasim.plot.style import (
    GREY,
    OKABE_ITO,
    canvas,
    legend_or_nothing,
    stroke,
    style,
)
from kafkasim.plot.time_axis import (
    from_zero,
    highest,
    label_axes,
    middles,
    say_over_time,
    time_scale,
)
from kafkasim.plot.words import (
    amount,
    listed,
    log_scale,
    multiple,
    spread_out,
)
from kafkasim.result.result import Result

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_RATES: Final = (
    *("subscriber", "at_ms"),
    *("intended_per_s", "appended_per_s", "processed_per_s"),
)
_QUANTILES: Final = ("subscriber", "at_ms", "latency_ms_p50", "latency_ms_p99")

_INTENDED: Final = mark("simulated time of the intended send")


def throughput(
    data: "Result | pd.DataFrame",
    *,
    bin_ms: float | None = None,
    ax: "Axes | None" = None,
) -> "Axes":
    """Draw records intended, appended and processed per second over time.

    Parameters
    ----------
    data : Result or DataFrame
        A run, or what `analysis.throughput` made of one.
    bin_ms : float, optional
        Width of a bin in milliseconds, when `data` is a run.
    ax : Axes, optional
        What to draw into; a new figure otherwise.

    Returns
    -------
    Axes
        The title says how many records per second a subscriber wanted and processed,
        in the mean over the bins from the first to the last in which one that it wants
        was sent; of several subscribers that of the one furthest behind.

    Raises
    ------
    ValidationError
        `data` is neither a run nor such a table.
    TableNotRecorded
        When the run did not record the tables that the figure needs.
    """
    table = (
        waiting.throughput(data, bin_ms=bin_ms)
        if isinstance(data, Result)
        else table_with(data, _RATES, "throughput")
    )
    title = _while_sent(table)
    with style():
        ax = canvas(ax)
        said = [*_draw_wanted(ax, table), *_draw_processed(ax, table)]
        label_axes(ax, table, title, say("simulated time"), say("records per second"))
        from_zero(ax)
        legend_or_nothing(ax, say("no records"))
    alt = say(
        "Line chart of records per second over {span}: {said}.",
        span=_span(table),
        said=listed(said),
    )
    say_over_time(ax, say("Throughput"), table, f"{title}. {alt}")
    return ax


def _draw_wanted(ax: "Axes", table: "pd.DataFrame") -> list[str]:
    """Draw what was intended and appended; return what was drawn, in words."""
    said = []
    _, scale = time_scale(table)
    for column, noun, look in (
        ("intended_per_s", say("intended"), {"color": GREY, "linestyle": ":"}),
        (
            "appended_per_s",
            say("appended"),
            {"color": OKABE_ITO["black"], "lw": stroke(1)},
        ),
    ):
        for names, part in _distinct(table, column):
            label = noun if names is None else f"{noun} ({names})"
            alone = {"marker": "_"} if len(part) == 1 else {}
            ax.plot(middles(part) / scale, part[column], label=label, **look | alone)
            said.append(f"{label} {_mean(part[column])}")
    return said


def _draw_processed(ax: "Axes", table: "pd.DataFrame") -> list[str]:
    said = []
    _, scale = time_scale(table)
    for number, (name, part) in enumerate(by_subscriber(table)):
        at, values = middles(part) / scale, part["processed_per_s"]
        label = say("processed by {name}", name=name)
        ax.plot(at, values, **look_of(number, len(part), label, table))
        said.append(f"{label} {_mean(values)}")
    return said


def _while_sent(table: "pd.DataFrame") -> str:
    """Return who processes how much of what it wants while that is sent."""
    rates: dict[str, tuple[float, float]] = {}
    one_bin = True
    for name, part in by_subscriber(table):
        wanted = np.nan_to_num(part["intended_per_s"].to_numpy(np.float64, na_value=0))
        busy = np.flatnonzero(wanted)
        if len(busy):
            sending = slice(busy[0], busy[-1] + 1)
            done = np.nan_to_num(part["processed_per_s"].to_numpy(np.float64))
            rates[name] = float(wanted[sending].mean()), float(done[sending].mean())
            one_bin = one_bin and len(busy) == 1
    if not rates:
        return say("No records")
    if one_bin:
        return say("All records are sent within one bin of time")
    worst = min(rates, key=lambda name: rates[name][1] / rates[name][0])
    texts = {name: tuple(map(amount, rate)) for name, rate in rates.items()}
    wanted_rate, done_rate = texts[worst]
    alike = [name for name, text in texts.items() if text == texts[worst]]
    who = listed(alike, 3)
    if len(alike) < len(rates):
        who = say("{names}, furthest behind,", names=who)
    return say_many(
        "While records are sent, {who} processes {done}/s of {wanted}/s",
        "While records are sent, {who} process {done}/s of {wanted}/s each",
        len(alike),
        who=who,
        done=done_rate,
        wanted=wanted_rate,
    )


def latency(
    data: "Result | pd.DataFrame",
    *,
    bin_ms: float | None = None,
    ax: "Axes | None" = None,
) -> "Axes":
    """Draw the median and the 99th percentile of latency over time.

    Parameters
    ----------
    data : Result or DataFrame
        A run, or what `analysis.latency_over_time` made of one.
    bin_ms : float, optional
        Width of a bin in milliseconds, when `data` is a run.
    ax : Axes, optional
        What to draw into; a new figure otherwise.

    Returns
    -------
    Axes
        Its y axis is logarithmic when latencies are far apart. The title says the
        largest p99 of a bin, and how many times that bin's median it is.

    Raises
    ------
    ValidationError
        `data` is neither a run nor such a table.
    TableNotRecorded
        When the run did not record the tables that the figure needs.

    See Also
    --------
    kafkasim.plot.latency_ecdf : The share of records up to each latency.
    kafkasim.plot.latency_ladder : The percentiles of the whole run.
    """
    table = (
        waiting.latency_over_time(data, bin_ms=bin_ms)
        if isinstance(data, Result)
        else table_with(data, _QUANTILES, "latency_over_time")
    )
    title = _worst_bin(table)
    with style():
        ax = canvas(ax)
        said = _draw_quantiles(ax, table)
        label_axes(ax, table, title, say(_INTENDED), say("latency (ms)"))
        values = table[["latency_ms_p50", "latency_ms_p99"]].to_numpy(dtype=np.float64)
        if spread_out(values):
            log_scale(ax, "y", values)
        else:
            from_zero(ax)
        legend_or_nothing(ax, say("no record was processed"))
    alt = say(
        "Line chart of latency by the time a record was intended: {said}.",
        said=listed(said),
    )
    say_over_time(ax, say("End-to-end latency"), table, f"{title}. {alt}")
    return ax


def _draw_quantiles(ax: "Axes", table: "pd.DataFrame") -> list[str]:
    said = []
    _, scale = time_scale(table)
    for number, (name, part) in enumerate(by_subscriber(table)):
        at = middles(part) / scale
        p50 = part["latency_ms_p50"].to_numpy(dtype=np.float64)
        p99 = part["latency_ms_p99"].to_numpy(dtype=np.float64)
        if not np.isfinite(p99).any():
            continue
        look = look_of(number, len(part), f"{name}, p99", table)
        dashed = {"linestyle": "--", "marker": "_" if len(part) == 1 else ""}
        ax.plot(at, p99, **look | dashed)
        look = look_of(number, len(part), say("{name}, median", name=name), table)
        ax.plot(at, p50, **look | {"linestyle": "-"})
        if number < MOST_LINES:
            ax.fill_between(at, p50, p99, color=look["color"], alpha=0.12, linewidth=0)
        said.append(
            say(
                "{name} has a median up to {p50} ms and a 99th percentile up to "
                "{p99} ms",
                name=name,
                p50=amount(float(np.nanmax(p50))),
                p99=amount(float(np.nanmax(p99))),
            )
        )
    return said


def _worst_bin(table: "pd.DataFrame") -> str:
    p99 = table["latency_ms_p99"].to_numpy(dtype=np.float64)
    worst = highest(p99)
    if worst < 0:
        return say("No record was processed")
    row = table.iloc[worst]
    ratio = multiple(
        float(p99[worst]), float(row["latency_ms_p50"]), say("the median then")
    )
    text = say(
        "{name}: p99 latency up to {p99} ms",
        name=row["subscriber"],
        p99=amount(float(p99[worst])),
    )
    return f"{text}, {ratio}" if ratio else text


def _distinct(
    table: "pd.DataFrame", column: str
) -> "list[tuple[str | None, pd.DataFrame]]":
    """Return one part for each different series, with the names that share it.

    The name is None when all do. A series that is 0 throughout is left out: a system
    without a log appends nothing.
    """
    shared: dict[bytes, tuple[list[str], pd.DataFrame]] = {}
    for name, part in by_subscriber(table):
        values = part[column].to_numpy(dtype=np.float64)
        if np.nan_to_num(values).any():
            shared.setdefault(values.tobytes(), ([], part))[0].append(name)
    whole = len(shared) == 1
    return [
        (None if whole else listed(names, 3), part) for names, part in shared.values()
    ]


def _mean(values: "pd.Series[float]") -> str:
    return say("{mean}/s on average", mean=amount(float(values.mean())))


def _span(table: "pd.DataFrame") -> str:
    unit, scale = time_scale(table)
    if not len(table):
        return say("no time")
    at = np.unique(table["at_ms"].to_numpy(dtype=np.float64))
    end = 2 * at[-1] - at[-2] if len(at) > 1 else at[-1]
    return f"{end / scale:g} {unit}"
