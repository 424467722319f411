"""What a column of a table is."""

from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["time", "label", "offset", "number", "share"]


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table."""

    name: str
    """Stored name; a time ends in `_ns`."""
    dtype: str
    """Little-endian numpy dtype."""
    kind: Kind
    """How it is shown: time in ms, label as text, offset with `<NA>`, number, share."""
    doc: str
    """What it means, with its unit."""


def time(name: str, doc: str) -> Column:
    """Return a column of times."""
    return Column(name, "<i8", "time", doc)


def label(name: str, doc: str, dtype: str = "<i2") -> Column:
    """Return a column of codes of names."""
    return Column(name, dtype, "label", doc)


def offset(name: str, doc: str) -> Column:
    """Return a column of offsets."""
    return Column(name, "<i8", "offset", doc)


def number(name: str, dtype: str, doc: str) -> Column:
    """Return a column of numbers."""
    return Column(name, dtype, "number", doc)


TOPIC: Final = label("topic", "topic, or queue in a system that has queues")
PARTITION: Final = number("partition", "<i4", "partition from 0; -1 when there is none")
