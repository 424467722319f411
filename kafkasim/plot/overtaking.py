"""Order as a picture: who overtook whom, and how many were overtaken.

For few records every record is a strand from its place in the intended order to its
place in the order processed, and one that was overtaken within its group stands out.
For many records, groups (partitions, keys or entities) are drawn by the share of their
records that were overtaken: one bar each while they fit, counted by share when there
are more.
"""

from typing import TYPE_CHECKING, Final

import numpy as np

from kafkasim.analysis import order, receiving
from kafkasim.analysis.frames import ATTRIBUTE
from kafkasim.analysis.order import Per
from kafkasim.catalogue import mark, say, say_many
from kafkasim.plot.captions import Words, give_words
from kafkasim.plot.given import rows_of, subscriber_given, table_with
from kafkasim.plot.headings import headline
from kafkasim.plot.strands import KEPT, OVERTAKEN, draw_strands, handles
from kafkasim.plot.style import canvas, style
from kafkasim.plot.words import (
    caption_of,
    counted,
    listed,
    percent,
    percent_ticks,
    plain_numbers,
    time_unit,
)
from kafkasim.result.result import Result

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

MOST_LINES: Final = 30
"""Records up to which each is drawn as a line."""

MOST_BARS: Final = 24
"""Groups up to which each has a bar of its own."""

_COUNTS: Final = ("subscriber", "records", "overtaken", "overtaken_pairs")
_SINGLE: Final = {
    "partition": mark("partition"),
    "key": mark("key"),
    "entity": mark("entity"),
}
_PLURALS: Final = {
    "partition": mark("partitions"),
    "key": mark("keys"),
    "entity": mark("entities"),
}
_ONE: Final = {
    "partition": mark("a partition"),
    "key": mark("a key"),
    "entity": mark("an entity"),
}


def ordering(
    data: "Result | pd.DataFrame",
    *,
    per: Per = "entity",
    subscriber: str | None = None,
    ax: "Axes | None" = None,
) -> "Axes":
    """Draw what was overtaken within each partition, key or entity.

    Parameters
    ----------
    data : Result or DataFrame
        A run, or what `analysis.ordering` made of one. Only a run of at most
        `MOST_LINES` records processed is drawn record by record.
    per : {"partition", "key", "entity"}
        Within what, when `data` is a run.
    subscriber : str, optional
        Whose order; the first without it.
    ax : Axes, optional
        What to draw into; a new figure otherwise.

    Returns
    -------
    Axes
        The title says how many of the records were overtaken. Records without a key or
        an entity are in no group of such; a run of few draws them too.

    Raises
    ------
    ValidationError
        `per` is none of the three, `data` is neither a run nor such a table, or it has
        no such subscriber.
    TableNotRecorded
        When the run did not record the tables that the figure needs.
    """
    if not isinstance(data, Result):
        table = table_with(data, _COUNTS, "ordering")
        name = subscriber_given(table, subscriber)
        return _groups(rows_of(table, name), name, _per_of(table), ax)
    done = receiving.receipts(data)
    name = subscriber_given(done, subscriber)
    done = rows_of(done, name).dropna(subset=["first_processed_ms"])
    if len(done) <= MOST_LINES:
        pairs = rows_of(order.overtakings(data, per=per), name)
        return _lines(_places(data, done, per), pairs, name, per, ax)
    return _groups(rows_of(order.ordering(data, per=per), name), name, per, ax)


def _per_of(table: "pd.DataFrame") -> Per:
    if "key" in table:
        return "key"
    return "entity" if "entity" in table else "partition"


def _places(result: Result, done: "pd.DataFrame", per: Per) -> "pd.DataFrame":
    """Return each record's label and its places in both orders, from 0."""
    records = result.table("records", ["intended_ms", "partition", per])
    drawn = done[["record_id", "subscriber", "first_processed_ms"]].merge(
        records if per != "partition" else records.loc[:, ["intended_ms", "partition"]],
        left_on="record_id",
        right_index=True,
    )
    drawn = drawn.sort_values(["intended_ms", "record_id"], kind="stable")
    drawn["intended"] = np.arange(len(drawn))
    drawn = drawn.sort_values("first_processed_ms", kind="stable")
    drawn["processed"] = np.arange(len(drawn))
    drawn["group"] = drawn[per].astype(object).where(drawn[per].notna(), "").astype(str)
    drawn.attrs = dict(done.attrs)
    return drawn


def _lines(
    drawn: "pd.DataFrame",
    pairs: "pd.DataFrame",
    name: str,
    per: Per,
    ax: "Axes | None",
) -> "Axes":
    overtaken = set(pairs["record_id"].tolist())
    with style():
        ax = canvas(ax, (8.0, max(3.2, 0.36 * len(drawn) + 1.5)))
        records, left, right = (
            drawn[column].to_numpy(dtype=np.int64)
            for column in ("record_id", "intended", "processed")
        )
        draw_strands(ax, records, left, right, overtaken, marked=False)
        _label_places(ax, drawn, per)
        _explain_lines(ax, len(overtaken), len(drawn), int(pairs["overtakers"].sum()))
        title = _title(name, len(overtaken), drawn, per)
        headline(ax, title)
    said = [
        say(
            "record {record} by {others}", record=record, others=counted(count, "other")
        )
        for record, count in zip(pairs["record_id"], pairs["overtakers"], strict=True)
    ]
    lines = say(
        "{lines} from the intended order on the left to the order processed on the "
        "right. Overtaken: {said}.",
        lines=counted(len(drawn), "line"),
        said=listed(said) or say("none"),
    )
    alt = f"{title}. {lines}"
    what = say("Order of records, overtaken within {groups}", groups=say(_PLURALS[per]))
    give_words(ax, Words(caption_of(what, drawn.attrs.get(ATTRIBUTE)), alt))
    return ax


def _title(name: str, overtaken: int, drawn: "pd.DataFrame", per: Per) -> str:
    if not len(drawn):
        return say("{name}: no record processed", name=name)
    if drawn["group"].eq("").all():
        return say("{name}: no record has {group}", name=name, group=say(_ONE[per]))
    if not overtaken:
        return say(
            "{name}: no record overtaken within its {group}",
            name=name,
            group=say(_SINGLE[per]),
        )
    count = counted(len(drawn), "record")
    return say(
        "{name}: {overtaken} of {records} overtaken within their {group}",
        name=name,
        overtaken=overtaken,
        records=count,
        group=say(_SINGLE[per]),
    )


def _label_places(ax: "Axes", drawn: "pd.DataFrame", per: Per) -> None:
    unit, scale = time_unit(float(drawn["first_processed_ms"].max()))
    by_left = drawn.sort_values("intended")
    ax.set_yticks(
        by_left["intended"],
        [
            f"{record}   {group}" if per != "partition" else f"{record}"
            for record, group in zip(
                by_left["record_id"], by_left["group"], strict=True
            )
        ],
    )
    for record, partition, time_ms, place in zip(
        drawn["record_id"],
        drawn["partition"],
        drawn["first_processed_ms"],
        drawn["processed"],
        strict=True,
    ):
        moment = f"{time_ms / scale:.4g} {unit}"
        text = say("{record}   at {moment}", record=record, moment=moment)
        if partition >= 0:
            text = f"{text}, {say('partition {number}', number=partition)}"
        ax.text(1.04, place, text, va="center", fontsize="small")
    ax.set_xticks([0, 1], [say("intended"), say("processed")])
    both = say("record and {group}", group=say(_SINGLE[per]))
    ax.set_ylabel(say("record") if per == "partition" else both)


def _explain_lines(ax: "Axes", overtaken: int, count: int, pairs: int) -> None:
    labels = [
        say(
            "overtaken ({overtaken} in {pairs})",
            overtaken=overtaken,
            pairs=counted(pairs, "pair"),
        ),
        say("not overtaken ({kept})", kept=count - overtaken),
    ]
    ax.legend(
        handles(marked=False),
        labels,
        loc="upper center",
        bbox_to_anchor=(0.5, 0.0),
        borderaxespad=2.2,
        ncols=2,
    )


def _groups(table: "pd.DataFrame", name: str, per: Per, ax: "Axes | None") -> "Axes":
    overtaken, records = int(table["overtaken"].sum()), int(table["records"].sum())
    title = say(
        "{name} processed no record with {group}", name=name, group=say(_ONE[per])
    )
    if records:
        title = say(
            "Overtaken within their {group}: {share} of {records}",
            group=say(_SINGLE[per]),
            share=percent(overtaken / records),
            records=counted(records, "record"),
        )
    with style():
        ax = canvas(ax)
        said = (_bars if len(table) <= MOST_BARS else _counts)(ax, table, per)
        headline(ax, title)
    whole = say_many(
        "Of {records} in them that {name} processed, {n:,} was overtaken.",
        "Of {records} in them that {name} processed, {n:,} were overtaken.",
        overtaken,
        records=counted(records, "record"),
        name=name,
    )
    alt = f"{title}. {said} {whole}"
    what = say(
        "Records overtaken within {groups}, processed by {name}",
        groups=say(_PLURALS[per]),
        name=name,
    )
    give_words(ax, Words(caption_of(what, table.attrs.get(ATTRIBUTE)), alt))
    return ax


def _bars(ax: "Axes", table: "pd.DataFrame", per: Per) -> str:
    ordered = table.dropna(subset=["overtaken_share"])
    ordered = ordered.sort_values("overtaken_share", kind="stable")
    names = ordered[per].astype(str)
    if per == "partition":
        names = ordered["topic"].astype(str) + "-" + names
    ax.barh(
        names,
        ordered["overtaken_share"],
        color=OVERTAKEN,
        hatch="//",
        edgecolor="white",
    )
    for place, (share, pairs) in enumerate(
        zip(ordered["overtaken_share"], ordered["overtaken_pairs"], strict=True)
    ):
        text = f" {percent(share)}, {counted(pairs, 'pair')}"
        ax.text(share, place, text, va="center", fontsize="small")
    largest = max(ordered["overtaken_share"], default=0.0)
    ax.set_xlim(0, 1.45 * largest or 1.0)
    _label_share(ax, per)
    ax.set_ylabel(say(_SINGLE[per]))
    percent_ticks(ax.xaxis)
    ax.grid(visible=False, axis="y")
    return say(
        "Bars of {groups} by the share of records overtaken.",
        groups=counted(len(ordered), per),
    )


def _label_share(ax: "Axes", per: Per) -> None:
    group = say(_SINGLE[per])
    ax.set_xlabel(say("share of the {group}’s records overtaken", group=group))


def _counts(ax: "Axes", table: "pd.DataFrame", per: Per) -> str:
    shares = table["overtaken_share"].to_numpy(dtype=np.float64)
    shares = shares[np.isfinite(shares)]
    tenths = np.ceil(10 * shares - 1e-9).astype(np.int64)
    heights = np.bincount(tenths, minlength=11)
    labels = [
        say("none"),
        *(say("to {share} %", share=10 * tenth) for tenth in range(1, 11)),
    ]
    bars = ax.bar(labels, heights, color=OVERTAKEN, hatch="//", edgecolor="white")
    bars[0].set(facecolor=KEPT, hatch="")
    numbers = [f"{height:,}" if height else "" for height in heights]
    ax.bar_label(bars, numbers, fontsize="small", padding=2)
    ax.margins(y=0.1)
    _label_share(ax, per)
    ax.set_ylabel(say(_PLURALS[per]))
    plain_numbers(ax.yaxis)
    ax.tick_params(axis="x", labelrotation=35)
    ax.grid(visible=False, axis="x")
    return say(
        "{count:,} {groups} counted by the share of their records overtaken; {none:,} "
        "of them have none.",
        count=len(shares),
        groups=say(_PLURALS[per]),
        none=int(heights[0]),
    )
