"""The files of a saved result.

`records.npz` and its sisters hold a table's columns as numpy writes them: anything that
reads `.npy` reads them, without pickle. `labels.json` names their codes; `result.json`
holds the rest. A folder reads back only when every file still has the SHA-256 it was
saved with.
"""

import json
import zipfile
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any, Final

import numpy as np

from kafkasim.config.frozen import FrozenDict
from kafkasim.errors import ChangedFileError, ValidationError
from kafkasim.result.folder import SUMS, check_sums
from kafkasim.result.schema import SCHEMA_VERSION, TABLES
from kafkasim.result.table import Table
from kafkasim.scenario.plan import Plan, PlanOutline, load_plan

SCENARIO_FILE: Final = "scenario.toml"
PLAN_FILE: Final = "plan.npz"
RESULT_FOLDER: Final = "result"
"""Where `kafkasim run --out` puts the result."""
LABELS_FILE: Final = "labels.json"
SUMMARY_FILE: Final = "result.json"

Summary = dict[str, Any]
"""The content of `result.json`."""


def write_tables(folder: Path, tables: Mapping[str, Table]) -> None:
    """Write each table as `<name>.npz`, and their labels as `labels.json`.

    Deflate at its fastest level makes a year of flights 4 times smaller than plain
    columns; level 6 takes 4 times as long for another twentieth. The archives carry no
    dates: equal tables give equal bytes.
    """
    for name, table in tables.items():
        with zipfile.ZipFile(
            folder / f"{name}.npz", "w", zipfile.ZIP_DEFLATED, compresslevel=1
        ) as archive:
            for column, array in table.columns.items():
                with archive.open(f"{column}.npy", "w", force_zip64=True) as file:
                    np.lib.format.write_array(file, array, allow_pickle=False)
    labels = {name: dict(table.labels) for name, table in tables.items()}
    _write_json(folder / LABELS_FILE, labels)


def read_tables(folder: Path, rows: Mapping[str, int]) -> dict[str, Table]:
    """Read the tables that `write_tables` wrote, checked against the schema."""
    labels = json.loads((folder / LABELS_FILE).read_text(encoding="utf-8"))
    tables = {}
    for name in rows:
        with np.load(folder / f"{name}.npz", allow_pickle=False) as archive:
            columns = {column.name: archive[column.name] for column in TABLES[name]}
        tables[name] = Table(
            name, columns, {column: tuple(n) for column, n in labels[name].items()}
        )
    return tables


def write_summary(folder: Path, summary: Summary) -> None:
    """Write `result.json`: the summary, and the versions it was made with."""
    versions = {
        "schema": SCHEMA_VERSION,
        "kafkasim": _own_version(),
        "numpy": np.__version__,
    }
    _write_json(folder / SUMMARY_FILE, {"versions": versions, **summary})


def read_summary(folder: Path) -> Summary:
    """Check every file of a saved result and return its `result.json`.

    Raises
    ------
    ChangedFileError
        A file is missing or no longer what was saved.
    ValidationError
        The result was saved under another version of the schema.
    """
    listed = check_sums(folder)
    if SUMMARY_FILE not in listed:
        text = f"{folder / SUMS} does not list {SUMMARY_FILE}"
        if (folder / RESULT_FOLDER / SUMMARY_FILE).is_file():
            text += f"; the result is in {folder / RESULT_FOLDER}"
        raise ChangedFileError(text)
    summary: Summary = json.loads((folder / SUMMARY_FILE).read_text(encoding="utf-8"))
    version = summary["versions"]["schema"]
    if version != SCHEMA_VERSION:
        newer = "a newer" if version > SCHEMA_VERSION else "an older"
        raise ValidationError(
            f"{folder / SUMMARY_FILE}: versions.schema",
            version,
            str(SCHEMA_VERSION),
            f"saved by {newer} kafkasim, {summary['versions']['kafkasim']}",
        )
    wanted = [SCENARIO_FILE, LABELS_FILE]
    if summary.get("plan") is None:  # else its outline is in the summary itself
        wanted.append(PLAN_FILE)
    wanted += [f"{name}.npz" for name in summary["rows"]]
    for name in wanted:
        if name not in listed:
            raise ChangedFileError(f"{folder / SUMS} does not list {name}")
    return summary


def _own_version() -> str:
    try:
        return metadata.version("kafkasim")
    except metadata.PackageNotFoundError:
        return "not installed"


def _write_json(path: Path, value: object) -> None:
    text = json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False)
    path.write_text(text + "\n", encoding="utf-8", newline="\n")


def plan_outline(plan: Plan | PlanOutline) -> dict[str, object] | None:
    """Return what `result.json` holds of a plan that has no file of its own."""
    if isinstance(plan, Plan):
        return None
    return {
        "seed": plan.seed,
        "duration_ns": plan.duration_ns,
        "records": dict(plan.records),
        "digests": dict(plan.digests),
    }


def load_planned(folder: Path, outline: dict[str, Any] | None) -> Plan | PlanOutline:
    """Read a plan from its file, or what is left of it from `result.json`."""
    if outline is None:
        return load_plan(folder / PLAN_FILE)
    return PlanOutline(
        outline["seed"],
        outline["duration_ns"],
        FrozenDict(outline["records"]),
        FrozenDict(outline["digests"]),
    )
