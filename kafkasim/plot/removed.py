"""What compaction and retention remove: records by key and offset, before and after."""

from collections.abc import Mapping, Sequence
from itertools import compress
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from kafkasim.catalogue import mark, say, say_many
from kafkasim.errors import ValidationError
from kafkasim.plot import sizes
from kafkasim.plot.captions import Words, give_words
from kafkasim.plot.headings import headline
from kafkasim.plot.style import (
    GREY,
    OKABE_ITO,
    POINTS,
    SIZE,
    canvas,
    hatch,
    legend_below,
    letters,
    nothing,
    room,
    stroke,
    style,
)
from kafkasim.plot.words import caption_of, counted, listed, percent, plain_numbers

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    Table = Mapping[str, Any] | pd.DataFrame

_COLUMNS: Final = ("offset", "key", "value")

_MOST_KEYS: Final = 12
"""Keys that have a row, those with the most records; others share one."""

_MOST_RANGES: Final = 20
"""Runs of offsets that are told."""

_OTHERS: Final = mark("other keys")

_NO_KEY: Final = mark("no key")

_KEPT: Final = OKABE_ITO["sky blue"]
_TOMBSTONE: Final = OKABE_ITO["orange"]

_ROW_INCHES: Final = 0.36


class _Records:
    """The records before and after, in one row of arrays by offset."""

    def __init__(self, before: "Table", after: "Table") -> None:
        both = [_columns(before, "before"), _columns(after, "after")]
        known = {
            offset: (key, value is None)
            for table in both
            for offset, key, value in zip(*table, strict=True)
        }
        kept, old = set(both[1][0]), set(both[0][0])
        self.offsets = np.array(sorted(known), dtype=np.int64)
        self.keys = [known[offset][0] for offset in self.offsets.tolist()]
        self.tombstone = np.array(
            [known[offset][1] for offset in self.offsets.tolist()], dtype=np.bool_
        )
        self.kept = np.isin(self.offsets, list(kept))
        self.old = np.isin(self.offsets, list(old))
        cuts = before.get("segment", ())
        self.segments = sorted({int(base) for base in cuts})

    @property
    def gone(self) -> NDArray[np.bool_]:
        """Which records are no longer there."""
        return ~self.kept

    def newest_stay(self) -> bool:
        """Tell whether of each key the newest stays, if it is no tombstone."""
        newest = {key: row for row, key in enumerate(self.keys) if self.old[row]}
        return all(self.kept[row] or self.tombstone[row] for row in newest.values())


def removal(
    before: "Table",
    after: "Table",
    *,
    ax: "Axes | None" = None,
) -> "Axes":
    """Draw which records a log lost: a row for each key, a place for each offset.

    Records that stay are full boxes, those that are gone outlines: no offset changes,
    so gaps stay gaps. A tombstone, a record whose value is null, is hatched, or crossed
    when it is gone. Below, the log as it was and as it is.

    Parameters
    ----------
    before, after : mapping or DataFrame
        Records of the log at two moments: `offset`, `key` and `value`, such as the
        table `records` of `log.dump`, whose markers are left out; with `segment` (the
        base offset of their file), lines stand between segments.
    ax : Axes, optional
        What to draw into; a new figure otherwise.

    Returns
    -------
    Axes
        The title says how many records are gone, and by which rule.

    Raises
    ------
    ValidationError
        A table lacks one of the columns.
    """
    records = _Records(before, after)
    rows = _rows(records.keys)
    title = finding(records)
    with style():
        high = _ROW_INCHES * (len(rows) + 3.2) + 1.9
        ax = canvas(ax, (SIZE[0], high))
        if len(records.offsets):
            _Drawing(ax, records, rows).draw()
            legend_below(ax)
        else:
            nothing(ax, say("no records"))
        headline(ax, title)
    what = say("Records of a log before and after")
    give_words(
        ax, Words(caption_of(what, None), f"{title}. {in_words(records)}".strip())
    )
    return ax


def _columns(table: "Table", path: str) -> list[list[Any]]:
    for name in _COLUMNS:
        if name not in table:
            allowed = say("records as log.dump gives them, with {name}", name=name)
            raise ValidationError(path, list(table), allowed)
    offsets = [int(offset) for offset in table["offset"]]
    keys = [_text(key) for key in table["key"]]
    values = [None if _is_null(value) else value for value in table["value"]]
    data = [not marker for marker in table.get("control", [False] * len(offsets))]
    return [list(compress(column, data)) for column in (offsets, keys, values)]


def _is_null(value: object) -> bool:
    missing = isinstance(value, float) and np.isnan(value)  # in a frame's column
    return value is None or bool(missing)


def _text(key: object) -> str:
    """Return a key as it is shown."""
    if _is_null(key):
        return say(_NO_KEY)
    if isinstance(key, bytes | bytearray | memoryview):
        try:
            return bytes(key).decode()
        except UnicodeDecodeError:
            return f"0x{bytes(key).hex()}"
    return str(key)


def _rows(keys: Sequence[str]) -> list[str]:
    """Return the keys that have a row, in the order they came in the log."""
    counts: dict[str, int] = {}
    for key in keys:
        counts[key] = counts.get(key, 0) + 1
    if len(counts) <= _MOST_KEYS:
        return list(counts)
    most = sorted(counts, key=lambda key: -counts[key])[: _MOST_KEYS - 1]
    return [key for key in counts if key in most] + [say(_OTHERS)]


def finding(records: _Records) -> str:
    """Say how many records are gone, and by which rule."""
    total, gone = len(records.offsets), int(records.gone.sum())
    if not total:
        return say("There are no records")
    if not gone:
        records_ = counted(total, "record")
        return say("Nothing is removed: all {records} stay", records=records_)
    said = say_many(
        "{n:,} of {records} is gone",
        "{n:,} of {records} are gone",
        gone,
        records=counted(total, "record"),
    )
    if gone == total:
        return say("{said}: the log is empty", said=said)
    first = int(records.offsets[records.kept][0])
    newest = records.newest_stay()
    if (records.offsets[records.gone] < first).all():
        before = say("{said}, all before offset {first:,}", said=said, first=first)
        if newest:
            return before
        return say("{said}, whatever their keys", said=before)
    return say("{said}: of each key the newest stays", said=said) if newest else said


def in_words(records: _Records) -> str:
    """Return what is drawn."""
    if not len(records.offsets):
        return ""
    keys = len(set(records.keys))
    share = percent(float(records.kept.mean()))
    low, high = int(records.offsets[0]), int(records.offsets[-1])
    stones = int((records.tombstone & records.kept).sum())
    if not records.kept.any():
        return say(
            "Offsets {low:,} to {high:,} of {keys}: none stays.",
            low=low,
            high=high,
            keys=counted(keys, "key"),
        )
    stay = listed(_ranges(records.offsets[records.kept].tolist()), _MOST_RANGES)
    stays = say("{share} stay", share=share)
    if stones:
        stays = say(
            "{share} stay, {tombstones} among them",
            share=share,
            tombstones=counted(stones, "tombstone"),
        )
    return say(
        "Offsets {low:,} to {high:,} of {keys}: {stays}, at {offsets}.",
        low=low,
        high=high,
        keys=counted(keys, "key"),
        stays=stays,
        offsets=stay,
    )


def _ranges(offsets: Sequence[int]) -> list[str]:
    """Return rising offsets as text, those in a row as `5 to 8`."""
    runs: list[list[int]] = []
    for offset in offsets:
        if runs and offset == runs[-1][1] + 1:
            runs[-1][1] = offset
        else:
            runs.append([offset, offset])
    return [
        f"{low:,}" if low == high else say("{low:,} to {high:,}", low=low, high=high)
        for low, high in runs
    ]


class _Drawing:
    """Cells by key and offset, and the log as two strips below them."""

    def __init__(self, ax: "Axes", records: _Records, rows: Sequence[str]) -> None:
        self._ax = ax
        self._records = records
        self._rows = rows
        places = {key: place for place, key in enumerate(rows)}
        self._places = np.array(
            [places.get(key, len(rows) - 1) for key in records.keys]
        )
        self._low = int(records.offsets[0])
        self._high = int(records.offsets[-1]) + 1
        names = [*rows, say("log before")]
        text = sizes.now().text
        left = max(map(letters, names)) * 0.6 * text / POINTS
        self._cell = max(1.0, room(ax) - left - 0.4) / (self._high - self._low)

    def draw(self) -> None:
        """Draw everything."""
        records, rows = self._records, len(self._rows)
        self._cells(self._places, records.old | records.kept)
        self._cells(np.full(len(records.offsets), rows + 0.6), records.old, was=True)
        self._cells(np.full(len(records.offsets), rows + 1.8), records.kept)
        ax = self._ax
        ax.set_xlim(self._low - 0.01 * (self._high - self._low), self._high)
        ax.set_ylim(rows + 2.7, -0.15)
        places = [*(np.arange(rows) + 0.4), rows + 1.0, rows + 2.2]
        ax.set_yticks(places, [*self._rows, say("log before"), say("log after")])
        ax.tick_params(axis="y", length=0)
        ax.grid(visible=False)
        ax.spines["left"].set_visible(False)
        ax.set_xlabel(say("offset"))
        self._offsets()
        for base in self._records.segments[1:]:
            new = base == self._records.segments[1]
            ax.axvline(
                base,
                color="black",
                linestyle=":",
                linewidth=stroke(1.4),
                label=say("next segment") if new else None,
            )

    def _offsets(self) -> None:
        """Put ticks in the middle of the boxes: all, or as many as have room."""
        ax, text = self._ax, sizes.now().text
        wide = (len(f"{self._high:,}") + 1) * 0.64 * text / POINTS
        if wide <= 8 * self._cell:
            step = next(s for s in (1, 2, 5, 10) if s * self._cell >= wide)
            first = -(-self._low // step) * step
            ticks = np.arange(first, self._high, step)
            ax.set_xticks(ticks + 0.5, [f"{tick:,}" for tick in ticks])
        else:
            plain_numbers(ax.xaxis, whole=True)

    def _cells(
        self, tops: NDArray[Any], shown: NDArray[np.bool_], *, was: bool = False
    ) -> None:
        """Draw records as boxes 0.8 high; `was`: as they all were before."""
        records = self._records
        kept = shown & (records.kept | was)
        stone = kept & records.tombstone
        plain = {"edgecolor": "black", "facecolor": _KEPT}
        self._boxes(tops, kept & ~stone, say("record"), plain)
        plain = {"edgecolor": "black", "facecolor": _TOMBSTONE, "hatch": hatch(1)}
        self._boxes(tops, stone, say("tombstone (null value)"), plain)
        dashed = {"linestyle": (0, (3, 2)), "edgecolor": GREY, "facecolor": "none"}
        self._boxes(tops, shown & ~kept, say("removed"), dashed)
        gone = shown & ~kept & records.tombstone
        if gone.any():
            at = records.offsets[gone] + 0.5
            size = stroke(min(7.0, 60 * self._cell))
            look: dict[str, Any] = {"color": GREY, "markersize": size}
            look |= {"linestyle": "none", "label": self._new(say("removed tombstone"))}
            self._ax.plot(at, tops[gone] + 0.4, marker="x", **look)

    def _boxes(
        self,
        tops: NDArray[Any],
        which: NDArray[np.bool_],
        label: str,
        look: dict[str, Any],
    ) -> None:
        from matplotlib.collections import PolyCollection

        left = self._records.offsets[which].astype(np.float64)
        if not len(left):
            return
        gap = 0.08 if self._cell > 0.05 else 0.0
        x = np.stack([left + gap, left + 1 - gap], axis=1)[:, [0, 1, 1, 0]]
        y = np.stack([tops[which], tops[which] + 0.8], axis=1)[:, [0, 0, 1, 1]]
        thin = stroke(0.9 if self._cell > 0.1 else 0.6)
        boxes = PolyCollection(
            list(np.stack([x, y], axis=2)),
            linewidth=thin,
            label=self._new(label),
            **look,
        )
        self._ax.add_collection(boxes, autolim=False)

    def _new(self, label: str) -> str | None:
        known = self._ax.get_legend_handles_labels()[1]
        return None if label in known else label
