"""One table of a result, column by column, checked against the schema.

A table is what analysis computes on: numpy arrays of equal length, times as int64
nanoseconds, names as codes into a tuple of labels. The frames that people look at are
made from it (`kafkasim.result.frame`).
"""

from collections.abc import Mapping
from typing import Any, Final, final

import numpy as np
from numpy.typing import NDArray

from kafkasim.config.frozen import FrozenDict
from kafkasim.errors import ValidationError
from kafkasim.result.schema import DEFAULT_LABELS, TABLES
from kafkasim.result.schema_columns import Column

Array = NDArray[Any]


@final
class Table:
    """Equal-length columns of one table of the schema, with their labels.

    Parameters
    ----------
    name : str
        A table of `kafkasim.result.schema.TABLES`.
    columns : mapping of column name to one-dimensional array
        Every column of the schema, in its dtype, in any order. The table keeps
        read-only views of them in the schema's order.
    labels : mapping of column name to names, optional
        The names of a label column: code k stands for the name at position k, −1 for
        none. Columns whose values are fixed (`outcome`, `closed_by`, …) have theirs
        from the schema.

    Raises
    ------
    ValidationError
        An unknown table or column, a missing column, another dtype, arrays of unequal
        length, a code without a label, or two equal labels.
    """

    __slots__ = ("columns", "labels", "name")

    def __init__(
        self,
        name: str,
        columns: Mapping[str, Array],
        labels: Mapping[str, tuple[str, ...]] | None = None,
    ) -> None:
        schema = schema_of(name)
        _check_names(name, columns, schema)
        self.name: Final = name
        self.columns: Final = FrozenDict(
            {c.name: _checked(name, c, columns[c.name]) for c in schema}
        )
        _check_lengths(name, self.columns)
        self.labels: Final = FrozenDict(_all_labels(name, schema, labels or {}))
        for column, names in self.labels.items():
            _check_codes(f"{name}.{column}", self.columns[column], names)

    def __getitem__(self, column: str) -> Array:
        """Return a column's array, read-only."""
        return self.columns[column]

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Table):
            return NotImplemented
        return (
            self.name == other.name
            and self.labels == other.labels
            and len(self) == len(other)
            and all(np.array_equal(self[c], other[c]) for c in self.columns)
        )

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Table({self.name!r}, {len(self):,} rows)"

    def __reduce__(self) -> tuple[type, tuple[object, ...]]:
        return (Table, (self.name, self.columns, self.labels))


def schema_of(table: str) -> tuple[Column, ...]:
    """Return the columns of a table.

    Raises
    ------
    ValidationError
        When the schema has no such table.
    """
    schema = TABLES.get(table)
    if schema is None:
        raise ValidationError("table", table, f"one of {', '.join(TABLES)}")
    return schema


def _check_names(
    name: str, columns: Mapping[str, Array], schema: tuple[Column, ...]
) -> None:
    wanted = [column.name for column in schema]
    for column in columns:
        if column not in wanted:
            raise ValidationError(
                f"{name}.{column}", column, f"a column of {', '.join(wanted)}"
            )
    missing = [column for column in wanted if column not in columns]
    if missing:
        raise ValidationError(name, list(columns), f"also {', '.join(missing)}")


def _checked(name: str, column: Column, array: Array) -> Array:
    if array.dtype != np.dtype(column.dtype) or array.ndim != 1:
        raise ValidationError(
            f"{name}.{column.name}",
            f"{array.dtype.str} of shape {array.shape}",
            f"one-dimensional {column.dtype}",
        )
    view = array.view()
    view.flags.writeable = False
    return view


def _check_lengths(name: str, columns: Mapping[str, Array]) -> None:
    lengths = {column: len(array) for column, array in columns.items()}
    if len(set(lengths.values())) > 1:
        raise ValidationError(name, lengths, "columns of one length")


def _all_labels(
    name: str, schema: tuple[Column, ...], labels: Mapping[str, tuple[str, ...]]
) -> dict[str, tuple[str, ...]]:
    wanted = [column.name for column in schema if column.kind == "label"]
    for column in labels:
        if column not in wanted:
            raise ValidationError(
                f"{name}.{column}",
                column,
                f"labels only for {', '.join(wanted) or 'no column'}",
            )
    return {
        column: tuple(labels.get(column, DEFAULT_LABELS.get((name, column), ())))
        for column in wanted
    }


def _check_codes(path: str, codes: Array, names: tuple[str, ...]) -> None:
    if len(set(names)) != len(names):
        raise ValidationError(path, names, "labels that differ from each other")
    if codes.strides == (0,):
        codes = codes[:1]
    if len(codes) and (codes.min() < -1 or codes.max() >= len(names)):
        wrong = codes[(codes < -1) | (codes >= len(names))][0]
        raise ValidationError(
            path, int(wrong), f"−1 or the position of one of {len(names)} labels"
        )
