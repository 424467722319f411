"""The tables of a log's files as a figure needs them, and the way of a look-up."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from kafkasim.catalogue import say, say_many
from kafkasim.errors import ValidationError
from kafkasim.plot.words import counted

if TYPE_CHECKING:
    import pandas as pd

    Table = Mapping[str, Any] | pd.DataFrame

_SEGMENT: Final = ("base_offset", "next_offset", "size_bytes", "deleted")
_BATCH: Final = ("segment", "position", "size_bytes", "base_offset", "last_offset")
ENTRY: Final = ("segment", "offset", "position")
"""Columns of an offset index."""


class Log:
    """The columns of a log's files, and how far it reaches."""

    def __init__(self, data: "Table") -> None:
        if not hasattr(data, "keys"):
            allowed = say("the tables that log.dump gives of a folder")
            raise ValidationError("data", type(data).__name__, allowed)
        whole = "segments" in data
        self.segments = _table(data["segments"] if whole else data, _SEGMENT)
        self.batches = _table(data["batches"] if whole else None, _BATCH)
        self.entries = _table(data["offset_index"] if whole else None, ENTRY)
        self.deleted = self.segments["deleted"].astype(np.bool_)
        self.live = np.flatnonzero(~self.deleted)

    @property
    def first(self) -> int:
        """Offset with which the files begin."""
        return int(self.segments["base_offset"][self.live].min())

    @property
    def end(self) -> int:
        """Offset after the last."""
        return int(self.segments["next_offset"][self.live].max())


def _table(given: Any, columns: Sequence[str]) -> dict[str, NDArray[np.int64]]:  # noqa: ANN401 - a table, or what is none
    if given is None:
        return {name: np.zeros(0, dtype=np.int64) for name in columns}
    for name in columns:
        if name not in given:
            allowed = say("what log.dump gives: a table with {name}", name=name)
            raise ValidationError("data", list(given), allowed)
    return {name: np.asarray(given[name], dtype=np.int64) for name in columns}


class Found:
    """The way of a look-up: index entry, batches read, batch found."""

    def __init__(self, held: Log, offset: int) -> None:
        bases = held.segments["base_offset"][held.live]
        ends = held.segments["next_offset"][held.live]
        holds = np.flatnonzero((bases <= offset) & (offset < ends))
        if not len(holds):
            reach = (
                say("{low} to {high}", low=held.first, high=held.end - 1)
                if len(bases)
                else say("none: no log")
            )
            raise ValidationError("find", offset, reach)
        self.offset = offset
        self.base = int(bases[holds[-1]])
        mine = (held.entries["segment"] == self.base) & (
            held.entries["offset"] <= offset
        )
        rows = np.flatnonzero(mine)
        self.entry = (self.base, 0)
        self.indexed = bool(len(rows))
        if self.indexed:
            of = held.entries
            self.entry = (int(of["offset"][rows[-1]]), int(of["position"][rows[-1]]))
        of = held.batches
        read = (of["segment"] == self.base) & (of["position"] >= self.entry[1])
        read &= of["base_offset"] <= offset
        self.read = np.flatnonzero(read)
        """Rows of the batches that are read, the last of which holds the offset."""
        self.bytes = int(of["size_bytes"][self.read].sum())

    def told(self) -> str:
        """Say how the offset is found."""
        where = say(
            "position {at:,} of segment {base:,}", at=self.entry[1], base=self.base
        )
        count = len(self.read)
        read = counted(count, "batch")
        if not self.indexed:
            return say_many(
                "Offset {offset:,}: no index entry is at or below it; from {where} on, "
                "{batches} is looked at",
                "Offset {offset:,}: no index entry is at or below it; from {where} on, "
                "{batches} are looked at",
                count,
                offset=self.offset,
                where=where,
                batches=read,
            )
        return say_many(
            "Offset {offset:,}: the index leads to {where}, then {batches} is looked "
            "at",
            "Offset {offset:,}: the index leads to {where}, then {batches} are looked "
            "at",
            count,
            offset=self.offset,
            where=where,
            batches=read,
        )
