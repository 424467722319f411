"""A record batch as boxes: the bytes of each field, its name and what it says."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from kafkasim.catalogue import say
from kafkasim.errors import ValidationError
from kafkasim.plot import sizes
from kafkasim.plot.captions import Words, give_words
from kafkasim.plot.field_boxes import (
    ALONE,
    HEX,
    NAME,
    VALUE,
    Box,
    alone,
    height,
    rows_of,
)
from kafkasim.plot.headings import headline
from kafkasim.plot.style import (
    OKABE_ITO,
    POINTS,
    SIZE,
    canvas,
    room,
    stroke,
    style,
)
from kafkasim.plot.words import caption_of, counted, listed

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

FIELDS: Final = (
    *("start", "size", "name", "kind", "value", "hex"),
    *("covered", "record", "depth", "unpacked", "wrong"),
)
"""Columns that are drawn."""

_COLOURS: Final = MappingProxyType(
    {
        "offset": "#9CC9E8",
        "time": "#F6D28B",
        "size": "#E3E3E3",
        "checksum": "#EE9C66",
        "flags": "#F8F3A6",
        "producer": "#E8C3D7",
        "key": "#7FCDB4",
        "value": "#C9EBDD",
        "header": "#BFD7EA",
    }
)
"""Kind → colour, pale enough for black text; every box has its field's name, too."""

_FAILED: Final = "#FFFFFF"
"""Face of bytes that are no record."""

_AS_A_NAME: Final = MappingProxyType(
    {"style": "italic", "color": "#333333", "linespacing": 1.0}
)

_LEFT: Final = 6.0
"""Room for the words on the left, in sizes of a label."""


def anatomy(
    columns: "Mapping[str, Any] | pd.DataFrame",
    *,
    records: int = 3,
    ax: "Axes | None" = None,
) -> "Axes":
    """Draw a record batch as the fields its bytes make.

    A box is a field: its bytes in hexadecimal, its name, and what they say. Longer keys
    and values are cut. What the CRC covers has a bar on its left.

    Parameters
    ----------
    columns : mapping or DataFrame
        The fields, as `log.anatomy` gives them.
    records : int
        How many records are drawn at most; the others are counted.
    ax : Axes, optional
        What to draw into; a new figure otherwise.

    Returns
    -------
    Axes
        The title says what part of the batch is its header, and what the CRC covers.

    Raises
    ------
    ValidationError
        `columns` are not those of `log.anatomy`.
    """
    fields = _given(columns)
    text = sizes.now().text
    title = finding(fields)
    with style():
        drawn = canvas(ax)
        inches = max(2.0, room(drawn) - (_LEFT + 0.8) * text / POINTS)
        rows = rows_of(fields, records, inches, text)
        while ax is None and records > 1 and _figure_height(rows) > sizes.now().tallest:
            records -= 1
            rows = rows_of(fields, records, inches, text)
        if ax is None:
            drawn = canvas(None, (SIZE[0], _figure_height(rows) / sizes.now().tall))
        _Sheet(drawn, fields, rows, inches).draw()
        headline(drawn, title)
    size = int(fields["size"][~fields["unpacked"]].sum())
    what = say("A record batch of {bytes}, byte by byte", bytes=counted(size, "byte"))
    give_words(
        drawn, Words(caption_of(what, None), f"{title}. {in_words(fields, records)}")
    )
    return drawn


def _given(columns: "Mapping[str, Any] | pd.DataFrame") -> dict[str, Any]:
    missing = [name for name in FIELDS if name not in columns]
    if missing:
        got = type(columns).__name__
        raise ValidationError(
            "columns", got, say("what log.anatomy gives: {column}", column=missing[0])
        )
    fields = {name: np.asarray(columns[name]) for name in FIELDS}
    for name in ("covered", "unpacked", "wrong"):
        fields[name] = fields[name].astype(np.bool_)
    return fields


def finding(fields: Mapping[str, Any]) -> str:
    """Say what part of a batch is its header, and whether its CRC fits."""
    inside = ~fields["unpacked"]
    size = int(fields["size"][inside].sum())
    if (fields["wrong"] & (fields["kind"] == "checksum")).any():
        return say(
            "The CRC does not fit: bytes 21 to {last:,} are not as written",
            last=size - 1,
        )
    header = int(fields["size"][_in_the_header(fields)].sum())
    count = len(set(fields["record"].tolist()) - {-1})
    said = say(
        "{header} of {size:,} bytes are the header of {records}",
        header=header,
        size=size,
        records=counted(count, "record"),
    )
    if not inside.all():
        packed, unpacked = size - header, int(fields["size"][~inside].sum())
        return say(
            "{said}, which are compressed from {unpacked:,} bytes to {packed:,}",
            said=said,
            unpacked=unpacked,
            packed=packed,
        )
    return say("{said}; the CRC covers all from byte 21 on", said=said)


def _in_the_header(fields: Mapping[str, Any]) -> NDArray[np.bool_]:
    here: NDArray[np.bool_] = fields["depth"] == 0
    return here & ~np.isin(fields["name"], list(ALONE))


def in_words(fields: Mapping[str, Any], records: int) -> str:
    """Return what is drawn: the header's fields, and those of the records."""
    header = _in_the_header(fields)
    said = [
        f"{name} {value}".rstrip()
        for name, value in zip(
            fields["name"][header].tolist(),
            fields["value"][header].tolist(),
            strict=True,
        )
    ]
    parts = [say("Header: {fields}.", fields=", ".join(said))]
    for number in sorted(set(fields["record"].tolist()) - {-1})[:records]:
        mine = fields["record"] == number
        size = int(fields["size"][mine].sum())
        pairs = dict(
            zip(fields["name"][mine].tolist(), fields["value"][mine], strict=True)
        )
        told = [f"{name} {pairs[name]}" for name in ("key", "value") if name in pairs]
        parts.append(
            say(
                "Record {number}, {size:,} bytes: {said}.",
                number=number,
                size=size,
                said=listed(told) or say("empty"),
            )
        )
    return " ".join(parts)


def _figure_height(rows: Sequence[object]) -> float:
    """Return the height of a figure of so many rows: with title and what is below."""
    text = sizes.now().text
    return len(rows) * height(text) + 5.4 * text / POINTS


class _Sheet:
    """Rows of boxes on axes whose units are inches, from the top left corner.

    Parameters
    ----------
    ax : Axes
        Drawn into.
    fields : mapping of str to ndarray
        The columns.
    rows : sequence of sequence of Box
        What stands in each row.
    inches : float
        Width that boxes have.
    """

    def __init__(
        self,
        ax: "Axes",
        fields: Mapping[str, Any],
        rows: Sequence[Sequence[Box]],
        inches: float,
    ) -> None:
        self._ax = ax
        self._fields = fields
        self._rows = rows
        self._text = sizes.now().text
        self._point = self._text / POINTS
        self._high = height(self._text)
        self._box_high = self._high - 0.3 * self._point
        ax.set_axis_off()
        ax.set_xticks([])
        ax.set_yticks([])
        ax.set_xlim(-_LEFT * self._point, inches)
        below = 1.3 * self._point
        ax.set_ylim(len(rows) * self._high + below, -0.05)

    def draw(self) -> None:
        """Draw boxes, words beside them, and the bar of the CRC."""
        for number, boxes in enumerate(self._rows):
            self._label(number)
            place = 0.0
            for box in boxes:
                self._draw_box(box, place, number * self._high)
                place += box.wide
        self._below()

    def _draw_box(self, box: Box, left: float, top: float) -> None:
        from matplotlib.patches import Rectangle

        colour = _COLOURS.get(str(self._fields["kind"][box.row]), _FAILED)
        look: dict[str, Any] = {"facecolor": colour, "edgecolor": "black"}
        look |= {"linewidth": stroke(0.9)}
        self._ax.add_patch(Rectangle((left, top), box.wide, self._box_high, **look))
        lines: tuple[tuple[str, float, float, dict[str, Any]], ...] = (
            (box.hex, 0.15 + HEX * 0.62, HEX, {"family": "DejaVu Sans Mono"}),
            (box.name, 0.2 + HEX * 1.25 + NAME * 1.15, NAME, dict(_AS_A_NAME)),
            (
                *(box.value, self._box_high / self._point - 0.15 - VALUE * 0.62),
                *(VALUE, {"fontweight": "bold"}),
            ),
        )
        for written, down, size, more in lines:
            self._ax.text(
                left + box.wide / 2,
                top + down * self._point,
                written,
                ha="center",
                va="center",
                fontsize=self._text * size,
                **more,
            )

    def _label(self, number: int) -> None:
        """Write on the left of a row where it begins, and what begins with it."""
        first = self._rows[number][0].row
        record = self._record_of(number)
        what = say("record {number}", number=record) if record >= 0 else say("header")
        packed = alone(self._fields, first)
        start = f"{int(self._fields['start'][first]):,}"
        unpacked = bool(self._fields["unpacked"][first])
        lines = say("byte {at}", at=start)
        if unpacked:
            lines = say("unpacked {at}", at=start)
        if packed or not number or record != self._record_of(number - 1):
            lines = f"{say('records') if packed else what}\n{lines}"
        self._ax.text(
            -1.15 * self._point,
            number * self._high + self._box_high / 2,
            lines,
            ha="right",
            va="center",
            fontsize=self._text * VALUE,
        )

    def _record_of(self, number: int) -> int:
        return int(self._fields["record"][self._rows[number][0].row])

    def _below(self) -> None:
        """Say what is not drawn; draw a bar beside what the CRC covers, and say so."""
        point, bottom = self._point, (len(self._rows) * self._high) + 0.5 * self._point
        small: dict[str, Any] = {"fontsize": self._text * VALUE, "va": "center"}
        covered = [bool(self._fields["covered"][row[0].row]) for row in self._rows]
        first = covered.index(True)
        span = [first * self._high, (first + sum(covered)) * self._high - 0.3 * point]
        bar: dict[str, Any] = {"color": OKABE_ITO["vermillion"]}
        bar |= {"linewidth": stroke(4.0), "solid_capstyle": "butt", "clip_on": False}
        self._ax.plot([-0.55 * point] * 2, span, **bar)
        self._ax.plot([0.1 * point, 1.3 * point], [bottom] * 2, **bar)
        said = say("covered by the CRC")
        self._ax.text(1.8 * point, bottom, said, **small)
        more = _left_out(self._fields, self._rows)
        self._ax.text(13.5 * point, bottom, more, **small)


def _left_out(fields: Mapping[str, Any], rows: Sequence[Sequence[Box]]) -> str:
    """Say how many records are not drawn, and how long they are."""
    drawn = {box.row for boxes in rows for box in boxes}
    rest = [row for row in range(len(fields["start"])) if row not in drawn]
    if not rest:
        return ""
    count = len({int(fields["record"][row]) for row in rest} - {-1})
    size = int(fields["size"][rest].sum())
    return say(
        "… and {records}: {bytes}",
        records=counted(count, "more record"),
        bytes=counted(size, "byte"),
    )
