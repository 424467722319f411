"""The schema, and the page of the reference that shows it.

Run as a script, this file rewrites the page from the schema.
"""

from pathlib import Path

import numpy as np

from kafkasim.result.frame import frame_columns
from kafkasim.result.result import Result
from kafkasim.result.schema import (
    DEFAULT_LABELS,
    ONE_ROW_PER,
    SCHEMA_VERSION,
    TABLES,
)
from kafkasim.result.schema_columns import Column

PAGE = Path(__file__).parents[2] / "docs" / "reference" / "tables.md"

_INTRODUCTION = """\
# Tables of a result

What a run records: the same tables and columns for every engine and every system.
`result.records` (or `result.table("records", columns=[…])`) gives a DataFrame with the
columns of the first column below: times in float64 milliseconds since the run's start,
NaN when they never came; labels as categories; a missing offset `<NA>`; another number
that does not apply −1. `result.columns("records")` gives the stored arrays: times in
int64 nanoseconds (`_ns` instead of `_ms`), labels as codes, −1 for none.

A system that lacks a thing has no table of it: asking raises `TableNotRecorded`, which
says why. A streamed run has `histograms` and `totals` in place of `records` and
`deliveries`; [very many records](../guides/many-records.md) says what each total is.
`receipts` (one row per record and subscriber that wants it) is made from a result by
`kafkasim.receipts(result)`.
"""


def page() -> str:
    """Return the text of the reference page."""
    parts = [_INTRODUCTION, f"Schema version {SCHEMA_VERSION}.\n"]
    for table, columns in TABLES.items():
        rows = "".join(
            f"| `{shown}` | {_stored(column)} | {_meaning(table, column)} |\n"
            for shown, column in zip(frame_columns(table), columns, strict=True)
        )
        parts.append(
            f"## {table}\n\nOne row per {ONE_ROW_PER[table]}.\n\n"
            f"| column | stored as | what it is |\n|---|---|---|\n{rows}"
        )
    return "\n".join(parts)


def _stored(column: Column) -> str:
    dtype = np.dtype(column.dtype).name
    return dtype + {"label": " code", "time": " ns"}.get(column.kind, "")


def _meaning(table: str, column: Column) -> str:
    names = DEFAULT_LABELS.get((table, column.name))
    if names is None:
        return column.doc
    return f"{column.doc}; codes {', '.join(f'{k} {n}' for k, n in enumerate(names))}"


def test_the_reference_page_shows_the_schema() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), f"run {Path(__file__).name}"


def test_every_table_says_what_a_row_is_and_has_a_property() -> None:
    assert list(ONE_ROW_PER) == list(TABLES)
    for table in TABLES:
        doc = getattr(Result, table).__doc__
        assert doc == f"One row per {ONE_ROW_PER[table]}."


def test_column_names_tell_their_kind() -> None:
    for table, columns in TABLES.items():
        names = [column.name for column in columns]
        assert len(set(names)) == len(names), table
        for column in columns:
            assert (column.kind == "time") == column.name.endswith("_ns"), column.name
            if column.kind in ("time", "offset"):
                assert column.dtype == "<i8"


def test_fixed_labels_belong_to_label_columns() -> None:
    for table, name in DEFAULT_LABELS:
        (column,) = [c for c in TABLES[table] if c.name == name]
        assert column.kind == "label"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
