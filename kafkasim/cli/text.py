"""Tables as a person reads them in a terminal."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from kafkasim.plot.words import amount, percent

if TYPE_CHECKING:
    import pandas as pd

HEADINGS: Final = MappingProxyType(
    {
        "throughput_per_s": "records/s",
        "latency_ms_p50": "p50 ms",
        "latency_ms_p99": "p99 ms",
        "lag_records_max": "peak lag",
        "drain_s": "drain s",
        "partition_imbalance": "imbalance",
        "overtaken_share": "overtaken",
    }
)
"""Metric column → its heading; the other metrics keep their name."""


def readable(table: "pd.DataFrame") -> "pd.DataFrame":
    """Return a table for reading: no digests, and intervals as mean ± half width."""
    import pandas as pd

    bounds = [name for name in table.columns if f"{name}_low" in table.columns]
    shown = table.drop(columns=["digest"], errors="ignore")
    for name in bounds:
        half = (table[f"{name}_high"] - table[f"{name}_low"]) / 2
        shown = shown.drop(columns=[f"{name}_low", f"{name}_high"])
        if half.notna().any():
            pairs = zip(table[name], half, strict=True)
            shown[name] = [f"{cell(name, m)} ±{cell(name, h)}" for m, h in pairs]
    return pd.DataFrame(shown)


def cell(column: str, value: object) -> str:
    """Return one cell of the table; what ends in `_share` is shown in percent."""
    if isinstance(value, str):
        return value
    if not isinstance(value, int | float) and not hasattr(value, "__float__"):
        return str(value)
    read = float(value)
    return percent(read) if "_share" in column else amount(read)


def aligned(
    table: "pd.DataFrame", headings: Mapping[str, str] = HEADINGS, *, gap: str = "  "
) -> str:
    """Return the table as lines: text to the left, numbers to the right.

    Parameters
    ----------
    table : pandas.DataFrame
        Its index is left out; so are columns without any value.
    headings : mapping of column to text
        What stands over a column; its name when nothing is given.
    """
    kept = table.dropna(axis="columns", how="all")
    columns = [
        _padded(str(name), headings.get(str(name), str(name)), list(kept[name]))
        for name in kept.columns
    ]
    return "\n".join(gap.join(line).rstrip() for line in zip(*columns, strict=True))


def _padded(column: str, heading: str, values: Sequence[object]) -> list[str]:
    lines = [heading, *(cell(column, value) for value in values)]
    width = max(len(line) for line in lines)
    if any(isinstance(value, str) for value in values):
        return [line.ljust(width) for line in lines]
    return [line.rjust(width) for line in lines]
