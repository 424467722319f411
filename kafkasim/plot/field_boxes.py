"""Fields of a batch as boxes in rows: as wide as their bytes, names and values need."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from kafkasim.plot.style import POINTS

_MOST_BYTES: Final = 11
"""Bytes of a field that are written; of a longer one the last place is an ellipsis."""

_LEAST_BYTES: Final = 6
"""The same in a record that fits into a row only if it is cut further."""

ALONE: Final = frozenset({"compressed records", "no record"})
"""Fields that have a row of their own."""

_HEADER_ROWS: Final = ("base offset", "attributes", "producer id")
"""Fields with which a row of the header begins."""

HEX, NAME, VALUE = 0.76, 0.7, 0.76
"""Sizes of text, for each point that a label has."""

_MONO: Final = 0.602
"""Width of a letter of the font for bytes, for each point of its size."""

_NAME_LETTER: Final = 0.59
_BOLD_LETTER: Final = 0.7
"""Widths of letters of names and of values, for each point of their size."""


@dataclass(frozen=True, slots=True)
class Box:
    """A field as it is drawn."""

    row: int
    """Of the columns."""
    hex: str
    name: str
    """On one line or two."""
    value: str
    wide: float
    """Inches."""


def height(text: float) -> float:
    """Return the height of a row with its gap, inches."""
    return (HEX * 1.25 + 2 * NAME * 1.15 + VALUE * 1.25 + 0.6) * text / POINTS


def rows_of(
    fields: Mapping[str, Any], records: int, inches: float, text: float
) -> list[list[Box]]:
    """Return the boxes row by row: the header's three, then the records'.

    Parameters
    ----------
    fields : mapping of str to ndarray
        The columns.
    records : int
        How many records have boxes, at most.
    inches : float
        Width of a row.
    text : float
        Size of a label, points.
    """
    shown = (fields["record"] < records).nonzero()[0].tolist()
    rows: list[list[Box]] = []
    for group in _groups(fields, shown):
        rows.append([])
        left = inches
        for box in _fitted(fields, group, inches, text):
            if box.wide > left and rows[-1]:
                rows.append([])
                left = inches
            rows[-1].append(box)
            left -= box.wide
    return rows


def _groups(fields: Mapping[str, Any], shown: Sequence[int]) -> list[list[int]]:
    """Return rows of the columns that stand beside each other if there is room."""
    groups: list[list[int]] = []
    record = -1
    for row in shown:
        begins = fields["name"][row] in _HEADER_ROWS and not fields["depth"][row]
        other = fields["record"][row] != record
        if not groups or begins or other or alone(fields, row):
            groups.append([])
        groups[-1].append(row)
        record = fields["record"][row]
    return groups


def _fitted(
    fields: Mapping[str, Any], group: Sequence[int], inches: float, text: float
) -> list[Box]:
    """Return the boxes of a group; a record's are cut if they then fit into a row."""
    least = _LEAST_BYTES if fields["record"][group[0]] >= 0 else _MOST_BYTES
    for most in range(_MOST_BYTES, least - 1, -1):
        boxes = [_box(fields, row, text, most) for row in group]
        if sum(box.wide for box in boxes) <= inches:
            return boxes
    return [_box(fields, row, text, _MOST_BYTES) for row in group]


def alone(fields: Mapping[str, Any], row: int) -> bool:
    """Tell whether a field has a row of its own."""
    return fields["name"][row] in ALONE


def _box(fields: Mapping[str, Any], row: int, text: float, most: int) -> Box:
    digits = str(fields["hex"][row]).split(" ")
    if len(digits) > most:
        digits = [*digits[: most - 1], "…"]
    hexed = " ".join(digits)
    name = str(fields["name"][row])
    if fields["wrong"][row]:
        name = f"{name} \N{BALLOT X}"
    of_hex = (len(hexed) + 1.2) * _MONO * HEX
    if (len(name) + 1) * _NAME_LETTER * NAME > of_hex:
        name = _two_lines(name)
    letters = max(map(len, name.split("\n")))
    wide = max(of_hex, (letters + 1.3) * _NAME_LETTER * NAME)
    value = str(fields["value"][row])
    if len(value) < 14:
        wide = max(wide, (len(value) + 0.6) * _BOLD_LETTER * VALUE)
    letters = int(wide / (_BOLD_LETTER * VALUE) + 0.3)
    if len(value) > letters:
        value = f"{value[: letters - 1]}…"
    return Box(row, hexed, name, value, wide * text / POINTS)


def _two_lines(name: str) -> str:
    """Return a name on two lines that are as equal as they can be."""
    words = name.split(" ")
    if len(words) < 2:
        return name
    cuts = [
        (" ".join(words[:cut]), " ".join(words[cut:])) for cut in range(1, len(words))
    ]
    return "\n".join(min(cuts, key=lambda pair: max(map(len, pair))))
