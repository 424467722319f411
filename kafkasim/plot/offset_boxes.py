"""`__consumer_offsets` drawn as the log it is: a box per record, a row per group."""

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from kafkasim.analysis.offset_records import offsets_topic as records_of
from kafkasim.catalogue import say, say_many
from kafkasim.errors import ValidationError
from kafkasim.plot import sizes
from kafkasim.plot.captions import Words, give_words
from kafkasim.plot.given import is_table, run_given, table_with
from kafkasim.plot.headings import headline
from kafkasim.plot.style import (
    GREY,
    OKABE_ITO,
    SIZE,
    canvas,
    hatch,
    legend_below,
    nothing,
    stroke,
    style,
)
from kafkasim.plot.words import caption_of, counted, plain_numbers
from kafkasim.result.result import Result

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

_COLUMNS: Final = (
    *("partition", "offset", "group", "type", "tombstone", "newest", "there"),
)
_LANE: Final = 0.62
"""Height of a group's row, inches."""
_MOST_GROUPS: Final = 12
_MOST: Final = 400
"""Records that are drawn, the last ones of the partition."""
_NEWEST: Final = OKABE_ITO["sky blue"]
_OLDER: Final = "#E4EEF4"
_GROUP: Final = OKABE_ITO["yellow"]
_OLDER_GROUP: Final = "#FBF7CF"
_TOMBSTONE: Final = OKABE_ITO["orange"]
_COMMIT: Final = "OffsetCommit"


def offsets_topic(
    data: "Result | pd.DataFrame",
    *,
    partition: int | None = None,
    at_s: float | None = None,
    ax: "Axes | None" = None,
) -> "Axes":
    """Draw a partition of `__consumer_offsets`: a box for each record, by group.

    The newest record of each key is framed in bold, for it is what a coordinator goes
    by; those that something newer has taken the place of are pale, and outlines once
    compaction has removed them. Tombstones are hatched.

    Parameters
    ----------
    data : Result or DataFrame
        A run, or the table that `analysis.offsets_topic` makes of it.
    partition : int, optional
        Of the topic; that with the most records without it.
    at_s : float, optional
        The moment, of a run; its end without it.
    ax : Axes, optional
        What to draw into; a new figure otherwise.

    Returns
    -------
    Axes
        The title says how many records there are, and how many keys they are about.

    Raises
    ------
    ValidationError
        `data` is neither, there are no records of the partition, or more groups than
        can be drawn.
    TableNotRecorded
        When the run did not record `offsets_topic`.
    """
    if is_table(data):
        table = table_with(data, _COLUMNS, "offsets_topic")
    else:
        table = records_of(run_given(data), at_s)
    number = _partition_given(table, partition)
    table = table[table["partition"] == number].sort_values("offset", kind="stable")
    groups = list(dict.fromkeys(map(str, table["group"])))
    if len(groups) > _MOST_GROUPS:
        allowed = say("one with at most {most} groups", most=_MOST_GROUPS)
        raise ValidationError("partition", number, allowed)
    title = finding(table)
    with style():
        ax = canvas(ax, (SIZE[0], _LANE * max(1, len(groups)) + 2.1))
        if len(table):
            _draw(ax, table.tail(_MOST), groups)
            legend_below(ax)
        else:
            nothing(ax, say("no records"))
        headline(ax, title)
    what = say("Records of partition {number} of __consumer_offsets", number=number)
    words = f"{title}. {in_words(table, groups)}".strip()
    give_words(ax, Words(caption_of(what, table.attrs.get("scenario")), words))
    return ax


def finding(table: "pd.DataFrame") -> str:
    """Say how much of the log still counts."""
    if not len(table):
        return say("Nothing was written to __consumer_offsets")
    there = int(table["there"].sum())
    counts = int((table["newest"] & table["there"] & ~table["tombstone"]).sum())
    gone = len(table) - there
    said = say(
        "{counts:,} of {records} still count",
        counts=counts,
        records=counted(len(table), "record"),
    )
    if gone:
        return say_many(
            "{said}; {n:,} is gone from the log",
            "{said}; {n:,} are gone from the log",
            gone,
            said=said,
        )
    return say("{said}; nothing is removed yet", said=said)


def in_words(table: "pd.DataFrame", groups: list[str]) -> str:
    """Return what is drawn."""
    told = []
    for group in groups:
        mine = table[table["group"].astype(str) == group]
        stones = int(mine["tombstone"].sum())
        there = int(mine["there"].sum())
        said = [counted(len(mine), "record"), say("{there:,} there", there=there)]
        said += [counted(stones, "tombstone")] if stones else []
        told.append(f"{group}: {', '.join(said)}")
    return ". ".join(told)


def _partition_given(table: "pd.DataFrame", partition: int | None) -> int:
    known = table["partition"].value_counts()
    if partition is None:
        return int(known.index[0]) if len(known) else 0
    if partition not in known.index:
        allowed = say("one of {names}", names=sorted(map(int, known.index)))
        raise ValidationError("partition", partition, allowed)
    return partition


def _draw(ax: "Axes", table: "pd.DataFrame", groups: list[str]) -> None:
    lanes = {group: place for place, group in enumerate(groups)}
    row = np.array([lanes[str(group)] for group in table["group"]])
    offset = table["offset"].to_numpy(np.int64)
    there = table["there"].to_numpy(np.bool_)
    newest, stone = table["newest"].to_numpy(), table["tombstone"].to_numpy()
    commits = (table["type"].astype(str) == _COMMIT).to_numpy()
    bold: dict[str, Any] = {"edgecolor": "black", "linewidth": stroke(2.0)}
    thin: dict[str, Any] = {"edgecolor": GREY, "linewidth": stroke(0.8)}
    looks = (
        (say("offset, newest of its key"), there & newest & ~stone & commits,
         bold | {"facecolor": _NEWEST}),
        (say("offset, older"), there & ~newest & ~stone & commits,
         thin | {"facecolor": _OLDER}),
        (say("group or member, newest"), there & newest & ~stone & ~commits,
         bold | {"facecolor": _GROUP}),
        (say("group or member, older"), there & ~newest & ~stone & ~commits,
         thin | {"facecolor": _OLDER_GROUP}),
        (say("tombstone"), there & stone,
         thin | {"edgecolor": "black", "facecolor": _TOMBSTONE, "hatch": hatch(1)}),
        (say("removed"), ~there,
         thin | {"facecolor": "none", "linestyle": (0, (3, 2))}),
    )  # fmt: skip
    for label, which, look in looks:
        _boxes(ax, offset[which], row[which], label, look)
    low, high = int(offset.min()), int(offset.max()) + 1
    ax.set_xlim(low - 0.2, high + 0.2)
    ax.set_ylim(len(groups) - 0.3, -0.35)
    ax.set_yticks(np.arange(len(groups)) + 0.2, groups)
    ax.tick_params(axis="y", length=0)
    ax.spines["left"].set_visible(False)
    ax.grid(visible=False)
    ax.set_xlabel(say("offset in the partition"))
    if high - low <= 20:
        ticks = np.arange(low, high)
        ax.set_xticks(ticks + 0.5, [f"{tick:,}" for tick in ticks])
    else:
        plain_numbers(ax.xaxis, whole=True)
    ax.tick_params(axis="x", labelsize=sizes.now().text)


def _boxes(
    ax: "Axes", offset: "np.ndarray[Any, Any]", row: "np.ndarray[Any, Any]",
    label: str, look: dict[str, Any],
) -> None:  # fmt: skip
    from matplotlib.collections import PolyCollection

    if not len(offset):
        return
    x = np.stack([offset + 0.08, offset + 0.92], axis=1)[:, [0, 1, 1, 0]]
    y = np.stack([row - 0.15, row + 0.55], axis=1)[:, [0, 0, 1, 1]]
    boxes = PolyCollection(list(np.stack([x, y], axis=2)), label=label, **look)
    ax.add_collection(boxes, autolim=False)
