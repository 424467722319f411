"""Blocks of records: what an engine hands over while a streamed run goes on."""

from dataclasses import dataclass, fields
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

Int8 = NDArray[np.int8]
Int16 = NDArray[np.int16]
Int32 = NDArray[np.int32]
Int64 = NDArray[np.int64]
Bool = NDArray[np.bool_]


class _Block:
    """Columns of equal length."""

    __slots__ = ()

    def where(self, kept: Bool | slice) -> Self:
        """Return some rows of every column."""
        return type(self)(*(getattr(self, f.name)[kept] for f in _fields(self)))


def _fields(block: object) -> tuple[Any, ...]:
    return fields(block)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True, eq=False)
class RecordBlock(_Block):
    """Records, each once: when it is final at its producer, or when the run ends."""

    stream: Int16
    """Code of its stream."""
    intended_ns: Int64
    """When the world wanted it sent."""
    appended_ns: Int64
    """When it was appended; `MISSING_NS` when no log holds it."""
    topic: Int16
    """Code of its topic; −1 when no log holds it."""
    partition: Int32
    """Its partition; −1 when no log holds it."""
    outcome: Int8
    """Code into the schema's outcomes of `records`."""


@dataclass(frozen=True, slots=True, eq=False)
class ProcessedBlock(_Block):
    """Hand-outs of records that ended as processed, each once."""

    subscriber: Int16
    """Code of who processed it."""
    stream: Int16
    """Code of its stream."""
    entity: Int32
    """Whose order matters, a code of the whole run; −1 for nobody's."""
    record: Int64
    """Its row: sources in name order, each in the order intended."""
    intended_ns: Int64
    """When the world wanted it sent."""
    in_log: Bool
    """Whether a log holds it."""
    ended_ns: Int64
    """When work on it ended."""
    earlier: Int16
    """How often the subscriber had processed it before: 0 the first time."""


@dataclass(frozen=True, slots=True, eq=False)
class PassedBlock(_Block):
    """Records that a subscriber had not processed and never will, each once."""

    subscriber: Int16
    """Code of who does not get it."""
    stream: Int16
    """Code of its stream."""
    intended_ns: Int64
    """When the world wanted it sent."""
    at_ns: Int64
    """When it began to read beyond it; `MISSING_NS` when no log holds it."""
