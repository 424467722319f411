"""Tangle and star, and what happens to both when one dies."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from kafkasim.analysis.arrays import Float64
from kafkasim.analysis.blasts import blast_radius
from kafkasim.analysis.waiting import throughput
from kafkasim.catalogue import mark, say, say_many
from kafkasim.errors import ValidationError
from kafkasim.plot.captions import Words, give_words
from kafkasim.plot.headings import headline_of_all
from kafkasim.plot.nets import (
    END_LOOKS,
    HURT,
    Net,
    draw_net,
    net_in_words,
    net_of,
    what_stopped,
)
from kafkasim.plot.style import (
    LETTER,
    PALE,
    POINTS,
    blank,
    nothing,
    panels,
    points,
    room,
    stroke,
    style,
)
from kafkasim.plot.words import begun, caption_of, counted, inner, listed, plain_numbers
from kafkasim.result.result import Result

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Death = Mapping[str, Result]
"""Runs of one plan to which one thing was done, by what to call each system."""

_BIN_MS: Final = 500.0
_LITTLE: Final = 0.1
"""Part of the most delivered below which a bin after the last wanted is not shown."""
_TEXTS: Final = {"medium": 1.0, "small": 0.83, "x-small": 0.69, "xx-small": 0.58}
"""Sizes of a graph's title, and their parts of the text's."""
_ENDS: Final = {"source": mark("source"), "subscriber": mark("subscriber")}
_MOST_GRAPHS: Final = 6


class _Title(NamedTuple):
    """What stands above a graph."""

    text: str
    size: str


class _Half(NamedTuple):
    """One death: its name, and its run of each system with its net."""

    death: str
    runs: Death
    nets: dict[str, Net]


def tangle(
    results: Death, *, least_ms: float = 0.0, ax: "Axes | None" = None
) -> "Axes":
    """Draw the systems of several runs and their links, what events hurt in red.

    Parameters
    ----------
    results : mapping of str to Result
        By what to call each system, at most six.
    least_ms : float
        How long an interruption lasts at least, milliseconds.
    ax : Axes, optional
        Axes of a grid whose place the panels take; a new figure otherwise.

    Returns
    -------
    Axes
        The first panel's. Edges are the thicker, the more bytes went over them; red and
        dashed where everything that goes over them was interrupted
        (`analysis.interruptions`). Who crashed is crossed out. Of more than 40 nodes
        those with the most traffic.

    Raises
    ------
    ValidationError
        `results` is no such mapping.
    TableNotRecorded
        When a run did not record `links`, `records`, `deliveries` or `events`.
    """
    _check("results", results)
    nets = {name: net_of(each, least_ms=least_ms) for name, each in results.items()}
    title = _links_found(nets)
    with style():
        drawn = panels(ax, len(nets), 3, (5.0, 4.4))
        inches = _width([drawn[:3]]) if ax is None else room(drawn[0])
        texts = [f"{name}\n{_found(net)}" for name, net in nets.items()]
        titles = _titles(texts, inches)
        for each, net, above in zip(drawn, nets.values(), titles, strict=True):
            _graph(each, net, inches, above)
        if ax is None:
            headline_of_all(drawn, title)
    said = [say("Circles are sources, triangles subscribers, squares hubs.")]
    said += [net_in_words(name, net) for name, net in nets.items()]
    what = say("Systems and their links, carried by {names}", names=listed(list(nets)))
    for each in drawn:
        give_words(each, Words(caption_of(what, None), " ".join([f"{title}.", *said])))
    return drawn[0]


def when_one_dies(
    deaths: Mapping[str, Death], *, bin_ms: float = _BIN_MS, ax: None = None
) -> "Axes":
    """Draw who is hurt when one dies, and what is delivered meanwhile.

    Parameters
    ----------
    deaths : mapping of str to (mapping of str to Result)
        By what dies, such as ``"a subscriber dies"``: the runs, by what to call each
        system. The same plan in all of them.
    bin_ms : float
        Width of a bin of time, milliseconds.
    ax : None
        The figure is one of its own.

    Returns
    -------
    Axes
        The first graph's. For each death the nets of all systems (as `tangle` draws
        them), and below each what all its subscribers together were done with per
        second, for the first time, all on one scale.

    Raises
    ------
    ValidationError
        `deaths` is no such mapping, or something else was to be drawn into.
    TableNotRecorded
        When a run did not record `links`, `records`, `deliveries` or `events`.
    """
    _check_deaths(deaths, ax)
    halves = [
        _Half(death, runs, {name: net_of(run) for name, run in runs.items()})
        for death, runs in deaths.items()
    ]
    title = _finding(halves)
    with style():
        graphs, below = _grid(halves)
        times = [time for half in below for time in half]
        inches = _width(graphs)
        nets = [pair for half in halves for pair in half.nets.items()]
        texts = [f"{name}\n{what_stopped(net)}" for name, net in nets]
        titles = iter(_titles(texts, inches))
        for half, drawn, under in zip(halves, graphs, below, strict=True):
            for each, net in zip(drawn, half.nets.values(), strict=True):
                _graph(each, net, inches, next(titles))
            _over_time(under, half, bin_ms)
        _same_scale(below)
        _legend(times)
        headline_of_all(graphs[0], title)
    said = [f"{title}."]
    for half in halves:
        said.append(f"{begun(half.death)}.")
        said += [net_in_words(name, net) for name, net in half.nets.items()]
        said += [_rates_in_words(name, run, bin_ms) for name, run in half.runs.items()]
    names = listed(list(dict.fromkeys(name for half in halves for name in half.runs)))
    what = say(
        "Who is hurt when one dies, and what is delivered meanwhile; {names}",
        names=names,
    )
    words = Words(caption_of(what, None), " ".join(said))
    for each in (*(ax for drawn in graphs for ax in drawn), *times):
        give_words(each, words)
    return graphs[0][0]


def _check(name: str, results: object) -> None:
    allowed = say("1 to {most} runs by the names of their systems", most=_MOST_GRAPHS)
    good = isinstance(results, Mapping) and 0 < len(results) <= _MOST_GRAPHS
    if not good or not all(isinstance(run, Result) for run in results.values()):  # type: ignore[attr-defined]
        raise ValidationError(name, type(results).__name__, allowed)


def _check_deaths(deaths: object, ax: object) -> None:
    if ax is not None:
        raise ValidationError("ax", ax, say("none: the figure is one of its own"))
    if not isinstance(deaths, Mapping) or not deaths:
        allowed = say("what dies, and for each the runs by the names of their systems")
        raise ValidationError("deaths", type(deaths).__name__, allowed)
    for death, runs in deaths.items():
        _check(f"deaths.{death}", runs)


def _grid(halves: Sequence[_Half]) -> "tuple[list[list[Axes]], list[list[Axes]]]":
    """Return axes of graphs by death, and those below them."""
    from kafkasim.plot.axes import CaptionedAxes

    columns = [len(half.nets) for half in halves]
    figure = blank((15.6 if sum(columns) > 2 else 9.0, 7.2))
    whole = figure.add_gridspec(1, len(halves), width_ratios=columns)
    graphs: list[list[Axes]] = []
    times: list[list[Axes]] = []
    for place, count in enumerate(columns):
        grid = whole[0, place].subgridspec(2, count, height_ratios=(1.0, 0.72))
        for row, drawn in enumerate((graphs, times)):
            drawn.append(
                [
                    figure.add_subplot(grid[row, column], axes_class=CaptionedAxes)
                    for column in range(count)
                ]
            )
    return graphs, times


def _graph(ax: "Axes", net: Net, inches: float, title: _Title) -> None:
    """Draw one net, with the system's name and what is found above it."""
    if net.bytes_:
        draw_net(ax, net, inches)
    else:
        nothing(ax, say("nobody talked to anybody"))
    ax.set_title(title.text, loc="center", fontsize=title.size)


def _titles(texts: Sequence[str], inches: float) -> list[_Title]:
    """Return titles of graphs of one width, all of one size."""
    longest = max(len(line) for text in texts for line in text.split("\n"))
    wide = longest * 1.4 * LETTER * points("font.size") / POINTS
    fitting = (name for name, part in _TEXTS.items() if wide * part < inches)
    size = next(fitting, list(_TEXTS)[-1])
    return [_Title(text, size) for text in texts]


def _width(graphs: "Sequence[Sequence[Axes]]") -> float:
    """Return the width of a graph, beside which all others stand."""
    figure = graphs[0][0].figure
    return float(figure.bbox.width / figure.dpi) / sum(map(len, graphs)) - 0.2


def _rates(run: Result, bin_ms: float) -> tuple[Float64, Float64, Float64]:
    """Return bins, records wanted and done per second, of all subscribers together."""
    table = throughput(run, bin_ms=bin_ms)
    sums = table.groupby("at_ms")[["intended_per_s", "processed_per_s"]].sum()
    at = sums.index.to_numpy(dtype=np.float64) / 1_000
    return at, sums["intended_per_s"].to_numpy(), sums["processed_per_s"].to_numpy()


def _over_time(times: "Sequence[Axes]", half: _Half, bin_ms: float) -> None:
    """Draw what was delivered, what was wanted, and when one was dead."""
    rates = [_rates(run, bin_ms) for run in half.runs.values()]
    until = 0.0
    for at, wanted, done in rates:
        busy = at[(wanted > 0) | (done > _LITTLE * done.max(initial=0.0))]
        until = max([until, *busy.tolist()])
    green: dict[str, Any] = {"color": END_LOOKS["subscriber"][0], "fill": True}
    black: dict[str, Any] = {"color": "black", "linewidth": stroke(1.2)}
    for ax, run, (at, wanted, done) in zip(
        times, half.runs.values(), rates, strict=True
    ):
        shown = at <= until
        edges = np.append(at[shown], at[shown][-1:] + bin_ms / 1_000)
        ax.stairs(done[shown], edges, label=say("delivered per second"), **green)
        ax.stairs(wanted[shown], edges, label=say("wanted per second"), **black)
        ax.set_xlim(0, until + bin_ms / 1_000)
        for begin, end in _dead_times(run, ax.get_xlim()[1]):
            ax.axvspan(begin, end, color=PALE, zorder=0)
        plain_numbers(ax.xaxis, 4)
    times[0].set_xlabel(say("simulated time (s)"), loc="left")
    times[0].set_title(begun(half.death), loc="left", fontsize="medium")


def _dead_times(run: Result, until_s: float) -> list[tuple[float, float]]:
    """Return when something was done to a system, in seconds."""
    told = blast_radius(run)
    told = told[told["pairs_hurt"].notna()]
    begins, ends = (told[name].to_numpy(np.float64) for name in ("at_ms", "until_ms"))
    ends = np.where(np.isnan(ends), until_s, ends / 1_000)
    return sorted(set(zip((begins / 1_000).tolist(), ends.tolist(), strict=True)))


def _same_scale(below: "Sequence[Sequence[Axes]]") -> None:
    from matplotlib.ticker import NullFormatter

    top = max(ax.get_ylim()[1] for half in below for ax in half)
    for first, *others in below:
        for ax in (first, *others):
            ax.set_ylim(0, top)
            plain_numbers(ax.yaxis, 4)
        for ax in others:
            ax.yaxis.set_major_formatter(NullFormatter())


def _legend(times: "Sequence[Axes]") -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles, labels = times[0].get_legend_handles_labels()
    handles += [Line2D([], [], linewidth=stroke(2.4), **HURT), Patch(color=PALE)]
    labels += [say("interrupted"), say("while it is dead")]
    for kind, (colour, marker) in END_LOOKS.items():
        drawn: dict[str, Any] = {"marker": marker, "color": colour}
        handles.append(Line2D([], [], linestyle="none", **drawn))
        labels.append(say(_ENDS[kind]))
    figure = times[0].figure
    letter = LETTER * points("legend.fontsize") / POINTS
    inches = figure.bbox.width / figure.dpi - 0.4
    columns = len(labels)
    if 1.15 * letter * sum(len(label) + 7 for label in labels) > inches:
        columns = int(inches / (letter * (max(map(len, labels)) + 7)))
    columns = max(1, columns)
    rows = -(-len(labels) // columns)
    figure.legend(
        handles,
        labels,
        loc="outside lower left",
        ncols=-(-len(labels) // rows),
        alignment="left",
    )


def _links_found(nets: Mapping[str, Net]) -> str:
    return begun("; ".join(f"{name}: {_found(net)}" for name, net in nets.items()))


def _found(net: Net) -> str:
    """Return how many links there are, and what stopped if anything was done."""
    links = counted(len(net.bytes_), "link")
    return f"{links}, {what_stopped(net)}" if net.done_to else links


def _finding(halves: Sequence[_Half]) -> str:
    """Return how many pairs stop, death by death and system by system."""
    said = []
    for half in halves:
        alike: dict[str, list[str]] = {}
        for name, net in half.nets.items():
            alike.setdefault(_how_many(net), []).append(name)
        stopped: list[str] = []
        for many, names in alike.items():
            if stopped:
                stopped.append(
                    say("{names} for {pairs}", names=listed(names), pairs=many)
                )
                continue
            first = say_many(
                "{names} stops for {pairs}",
                "{names} stop for {pairs}",
                len(names),
                names=listed(names),
                pairs=many,
            )
            stopped.append(first)
        found = ", ".join(stopped)
        said.append(
            say("{death} and {stopped}", death=begun(half.death), stopped=found)
        )
    return "; ".join([said[0], *map(inner, said[1:])])


def _how_many(net: Net) -> str:
    if net.no_such_point or not net.pairs_hurt:
        return say("none")
    if net.pairs_hurt == net.pairs:
        return say("all {pairs}", pairs=counted(net.pairs, "pair"))
    return say("{some} of {all}", some=net.pairs_hurt, all=net.pairs)


def _rates_in_words(name: str, run: Result, bin_ms: float) -> str:
    at, wanted, done = _rates(run, bin_ms)
    sent = np.flatnonzero(wanted > 0)
    if not len(sent):
        return say("{name}: nothing was wanted.", name=name)
    while_sent = done[: sent[-1] + 1]
    still = int((while_sent[1:] == 0).sum())
    seconds = still * (at[1] - at[0] if len(at) > 1 else bin_ms / 1_000)
    return say(
        "{name}: {usual:,.0f} in the median, least {least:,.0f} delivered per second, "
        "nothing for {seconds:g} s.",
        name=name,
        usual=float(np.median(while_sent)),
        least=float(while_sent[1:].min(initial=np.inf)),
        seconds=seconds,
    )
