"""The frame that people look at, made from a table of arrays.

Times become float64 milliseconds (`created_ns` → `created_ms`), and one that never came
NaN; labels become a `Categorical`, and none NaN; a missing offset becomes `<NA>`. A
number that does not apply stays −1. A frame is its reader's own: changing it changes no
result.
"""

from collections.abc import Sequence
from difflib import get_close_matches
from typing import TYPE_CHECKING, cast

from kafkasim.catalogue import say
from kafkasim.errors import ValidationError
from kafkasim.result.schema import TABLES
from kafkasim.result.schema_columns import Column
from kafkasim.result.table import Array, Table
from kafkasim.units import ms_from_ns

if TYPE_CHECKING:
    import pandas as pd
    from pandas.api.extensions import ExtensionArray


def frame_columns(table: str) -> tuple[str, ...]:
    """Return the names of a table's columns as its frame shows them."""
    return tuple(_shown(column) for column in TABLES[table])


def as_frame(table: Table, columns: Sequence[str] | None = None) -> "pd.DataFrame":
    """Return a table, or some of its columns, as a DataFrame.

    Parameters
    ----------
    table : Table
        What was recorded.
    columns : sequence of str, optional
        The columns wanted, in the order wanted, named as the frame shows them. Only
        these are built.

    Raises
    ------
    ValidationError
        A column that the table does not have.
    """
    import pandas as pd

    schema = {_shown(column): column for column in TABLES[table.name]}
    wanted = list(schema) if columns is None else list(columns)
    for name in wanted:
        if name not in schema:
            raise _unknown(f"{table.name}.{name}", name, tuple(schema))
    return pd.DataFrame(
        {name: _values(table, schema[name]) for name in wanted}, copy=False
    )


def _shown(column: Column) -> str:
    if column.kind == "time":
        return column.name.removesuffix("_ns") + "_ms"
    return column.name


def _unknown(path: str, name: str, known: tuple[str, ...]) -> ValidationError:
    close = get_close_matches(name, known, n=1)
    why = say("did you mean {name!r}?", name=close[0]) if close else ""
    return ValidationError(
        path, name, say("one of {names}", names=", ".join(known)), why
    )


def _values(table: Table, column: Column) -> "Array | ExtensionArray":
    import pandas as pd

    stored = table[column.name]
    match column.kind:
        case "time":
            return ms_from_ns(stored)
        case "label":
            names = pd.Index(table.labels[column.name], dtype="str")
            return cast("ExtensionArray", pd.Categorical.from_codes(stored, names))
        case "offset":
            return pd.arrays.IntegerArray(stored.copy(), stored < 0)
        case "number" | "share":
            return stored.copy()
