"""Small results written by hand.

For tests of analysis and figures: say the few columns that matter, row by row, in the
words of the frames (labels as text, times in milliseconds), and get a `Result` that no
engine made. What is left out gets the value of a healthy, quiet run.
"""

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final, cast

import numpy as np

from kafkasim.errors import ValidationError
from kafkasim.result.frame import frame_columns
from kafkasim.result.recorder import Recorder
from kafkasim.result.result import Fact, Result
from kafkasim.result.schema import DEFAULT_LABELS, TABLES
from kafkasim.result.schema_columns import Column
from kafkasim.result.table import Array, schema_of
from kafkasim.scenario.arrivals import Periodic
from kafkasim.scenario.plan import Plan
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.traffic import Source, Subscriber, Traffic
from kafkasim.units import MISSING_NS, ns_from_ms

Row = Mapping[str, Any]
"""Column name → value: text for a label, a number, `None` for missing."""

Rule = Callable[[Mapping[str, Any]], object]
"""What a column is when it was not said, from the rest of its row."""

_NUMBERED: Final = MappingProxyType(
    {
        "records": "record_id",
        "batches": "batch_id",
        "appends": "append_id",
        "requests": "request_id",
    }
)
"""Table → the column that counts its rows."""

_USUAL: Final[Mapping[str, Row]] = MappingProxyType(
    {
        "records": {
            "source": "web",
            "stream": "orders",
            "value_bytes": 100,
            "send_count": 1,
        },
        "batches": {
            "producer": "web",
            "topic": "orders",
            "partition": 0,
            "record_count": 1,
            "closed_by": "linger",
            "attempts": 1,
        },
        "appends": {
            "attempt": 1,
            "topic": "orders",
            "partition": 0,
            "record_count": 1,
            "kind": "data",
            "leader": 1,
            "leader_epoch": 0,
        },
        "deliveries": {"subscriber": "billing", "delivery_count": 1},
        "commits": {
            "group": "billing",
            "member": "billing/1",
            "topic": "orders",
            "partition": 0,
            "kind": "auto",
            "outcome": "ok",
        },
        "assignments": {
            "group": "billing",
            "epoch": 1,
            "member": "billing/1",
            "topic": "orders",
            "partition": 0,
            "since_ns": 0,
            "start_offset": 0,
        },
        "requests": {"api": "Produce", "sender": "source:web", "receiver": "broker:1"},
        "links": {"connection_count": 1},
        "drops": {"subscriber": "billing", "cause": "queue full"},
    }
)
"""Table → column → its value when it was not said."""


def _same_as(column: str) -> Rule:
    return lambda row: row[column]


def _when(column: str, then: object, otherwise: object) -> Rule:
    """Return `then` where `column` has a time, or a number that applies."""
    return lambda row: then if row[column] >= 0 else otherwise


_DERIVED: Final[Mapping[str, Mapping[str, Rule]]] = MappingProxyType(
    {
        "records": {
            "entity": _same_as("key"),
            "created_ns": _same_as("intended_ns"),
            "outcome": _when("acked_ns", "acked", "in_flight"),
            "log_copies": _when("offset", 1, 0),
            "topic": lambda row: row["stream"] if row["partition"] >= 0 else None,
            "committed_ns": _same_as("appended_ns"),
        },
        "batches": {"closed_ns": _same_as("sent_ns")},
        "appends": {"committed_ns": _same_as("appended_ns")},
        "deliveries": {
            "member": lambda row: f"{row['subscriber']}/1",
            "started_ns": _same_as("ended_ns"),
            "fetched_ns": _same_as("started_ns"),
            "outcome": _when("ended_ns", "processed", "in_flight"),
        },
    }
)
"""Table → column → what it follows from when it was not said; applied in this order."""


def small_result(
    records: Iterable[Row] = (),
    deliveries: Iterable[Row] = (),
    *,
    scenario: Scenario | None = None,
    plan: Plan | None = None,
    facts: Mapping[str, Fact] | None = None,
    **tables: Iterable[Row],
) -> Result:
    """Return a result with the rows given.

    Parameters
    ----------
    records, deliveries : iterable of mappings
        One mapping per row, from column to value; a time is `created_ms` in
        milliseconds or `created_ns` in nanoseconds. Left out, a record comes from
        `web`, belongs to `orders`, is created when intended and acknowledged when an
        acknowledgement is given; its entity is its key. A delivery goes to `billing`,
        is the first, takes its place in the log from its record, and is processed when
        `ended` is given. Both tables are always recorded.
    scenario : Scenario, optional
        Left out, one with the sources, streams and subscribers that the rows name.
    plan : Plan, optional
        Left out, the scenario's.
    facts : mapping, optional
        Left out, engine "by hand", and a drained run that ends with its last time.
    **tables : iterable of mappings
        Rows of other tables of the schema. A table that is not given is not recorded.

    Returns
    -------
    Result

    Raises
    ------
    ValidationError
        A table or column that the schema lacks, or a value it does not allow.

    Examples
    --------
    >>> result = small_result(
    ...     records=[{"key": "a", "intended_ms": 0}, {"key": "b", "intended_ms": 1}],
    ...     deliveries=[
    ...         {"record_id": 1, "ended_ms": 3},
    ...         {"record_id": 0, "ended_ms": 5},
    ...     ],
    ...     links=[
    ...         {"sender": "source:web", "receiver": "broker:1", "request_count": 2}
    ...     ],
    ... )
    >>> result.tables
    ('records', 'deliveries', 'links')
    >>> result.table("deliveries", ["record_id", "ended_ms"])
       record_id  ended_ms
    0          1       3.0
    1          0       5.0
    """
    rows = {"records": _filled("records", records)}
    rows["deliveries"] = _filled(
        "deliveries", [_placed(row, rows["records"]) for row in deliveries]
    )
    rows |= {name: _filled(name, given) for name, given in tables.items()}
    recorder = Recorder()
    for name, filled in rows.items():
        _record(recorder, name, filled)
    if scenario is None:
        scenario = _scenario(rows["records"], rows["deliveries"])
    if plan is None:
        plan = scenario.plan()
    if facts is None:
        facts = {"engine": "by hand", "end_ns": _last_ns(rows), "drained": 1}
    return recorder.finish(scenario, plan, facts, {})


def _filled(table: str, rows: Iterable[Row]) -> list[dict[str, Any]]:
    """Return the rows with every column of the schema, labels still as text."""
    schema = schema_of(table)
    return [_filled_row(table, schema, row, number) for number, row in enumerate(rows)]


def _filled_row(
    table: str, schema: tuple[Column, ...], row: Row, number: int
) -> dict[str, Any]:
    said = dict(_stored(table, name, value) for name, value in row.items())
    usual = dict(_USUAL.get(table, {}))
    if table in _NUMBERED:
        usual[_NUMBERED[table]] = number
    filled = {c.name: _missing(c) for c in schema} | usual | said
    for column, rule in _DERIVED.get(table, {}).items():
        if column not in said:
            filled[column] = rule(filled)
    return filled


def _stored(table: str, name: str, value: object) -> tuple[str, object]:
    """Return the stored name and value of a cell as it was said."""
    stored = name.removesuffix("_ms") + "_ns" if name.endswith("_ms") else name
    column = next((c for c in TABLES[table] if c.name == stored), None)
    if column is None:
        known = ", ".join(frame_columns(table))
        raise ValidationError(f"{table}.{name}", name, f"one of {known}")
    if value is None:
        return stored, _missing(column)
    if name.endswith("_ms"):
        return stored, ns_from_ms(cast("float", value))
    return stored, value


def _missing(column: Column) -> object:
    match column.kind:
        case "time":
            return MISSING_NS
        case "label":
            return None
        case "offset" | "number" | "share":
            return -1


def _placed(delivery: Row, records: list[dict[str, Any]]) -> Row:
    """Return a delivery with its record's place in the log, unless it says another."""
    record = records[delivery["record_id"]]
    place = {name: record[name] for name in ("topic", "partition", "offset")}
    return place | dict(delivery)


def _record(recorder: Recorder, table: str, rows: list[dict[str, Any]]) -> None:
    arrays: dict[str, Array] = {}
    labels: dict[str, tuple[str, ...]] = {}
    for column in TABLES[table]:
        values = [row[column.name] for row in rows]
        if column.kind == "label":
            values, labels[column.name] = _coded(table, column.name, values)
        arrays[column.name] = np.array(values, dtype=column.dtype)
    if table in ("records", "deliveries"):  # as the engine does: expanded, not hashed
        recorder.columns(table, arrays, labels)
        return
    write = recorder.writer(table)
    for row in zip(*(array.tolist() for array in arrays.values()), strict=True):
        write(*row)
    for name, names in labels.items():
        recorder.labels(table, name, names)


def _coded(
    table: str, column: str, values: list[str | None]
) -> tuple[list[int], tuple[str, ...]]:
    """Return codes and labels: the schema's, else in order of first appearance."""
    names = DEFAULT_LABELS.get((table, column))
    if names is None:
        names = tuple(dict.fromkeys(value for value in values if value is not None))
    for value in values:
        if value is not None and value not in names:
            raise ValidationError(f"{table}.{column}", value, f"one of {names}")
    codes = {name: code for code, name in enumerate(names)}
    return [-1 if value is None else codes[value] for value in values], names


def _last_ns(tables: Mapping[str, list[dict[str, Any]]]) -> int:
    return max(
        (
            row[column.name]
            for name, rows in tables.items()
            for column in TABLES[name]
            if column.kind == "time"
            for row in rows
        ),
        default=0,
    )


def _scenario(
    records: list[dict[str, Any]], deliveries: list[dict[str, Any]]
) -> Scenario:
    """Return a scenario with the sources, streams and subscribers of the rows."""
    streams = {row["source"]: row["stream"] for row in records} or {"web": "orders"}
    wanted: dict[str, set[str]] = {}
    for row in deliveries:
        stream = records[row["record_id"]]["stream"]
        wanted.setdefault(row["subscriber"], set()).add(stream)
    return Scenario(
        Traffic(
            sources={
                name: Source(stream=stream, arrivals=Periodic(rate_per_s=1.0))
                for name, stream in streams.items()
            },
            subscribers={
                name: Subscriber(streams=sorted(names))
                for name, names in wanted.items()
            },
            duration_s=1.0,
        )
    )
