"""`__consumer_offsets` as a table: its records, and what compaction has left of them.

A record lies under its key: an offset commit under group, topic and partition, others
under group and member. The newest of each key is what a coordinator goes by that loads
the partition; the others only wait for compaction.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from kafkasim.analysis.arrays import Bool, Int64
from kafkasim.analysis.frames import categorical, frame
from kafkasim.result.leaders import NEVER, leaders_of, met_by_readers
from kafkasim.result.result import Result
from kafkasim.result.rows import code
from kafkasim.result.schema_groups import OFFSETS_TOPIC
from kafkasim.result.table import Table
from kafkasim.units import FOREVER_NS, MISSING_NS, ms_from_ns, ns_from_s

if TYPE_CHECKING:
    import pandas as pd

_KEY: Final = ("partition", "kind", "group", "topic", "topic_partition", "member")
"""What makes two records those of one key."""


def offsets_topic(result: Result, at_s: float | None = None) -> "pd.DataFrame":
    """Return the records of `__consumer_offsets` at a moment of the run.

    Parameters
    ----------
    result : Result
        Of a Kafka cluster whose groups have coordinators.
    at_s : float, optional
        The moment; the end of the run without it.

    Returns
    -------
    pandas.DataFrame
        One row per record written until then, by partition and offset: `partition`,
        `offset`, `at_ms` (written), `group`, `type` (Kafka's name), `key` and `value`
        in words, `tombstone` (its value is null), `newest` (nothing was written under
        its key since), `there` (it is still in the log as readers see it), `gone_ms`
        (when it left the log; NaN if it is there), `size_bytes` (key and value).

    Raises
    ------
    TableNotRecorded
        When the run did not record `offsets_topic`.
    """
    table = result.columns("offsets_topic")
    at_ns = FOREVER_NS if at_s is None else ns_from_s(at_s)
    order = np.lexsort([table["at_ns"], table["offset"], table["partition"]])
    rows = order[table["at_ns"][order] <= at_ns]
    names = {"removals", "replicas"}.intersection(result.tables)
    tables = {name: result.columns(name) for name in names}
    gone_ns = _gone_ns(tables, table)[rows]
    gone_ns[gone_ns > at_ns] = MISSING_NS
    labels = table.labels
    return frame(
        result,
        {
            "partition": table["partition"][rows],
            "offset": table["offset"][rows],
            "at_ms": ms_from_ns(table["at_ns"][rows]),
            "group": categorical(table["group"][rows], labels["group"]),
            "type": categorical(table["kind"][rows], labels["kind"]),
            "key": [_key(table, row) for row in rows.tolist()],
            "value": [_value(table, row) for row in rows.tolist()],
            "tombstone": table["value_bytes"][rows] < 0,
            "newest": _newest(table, rows),
            "there": gone_ns == MISSING_NS,
            "gone_ms": ms_from_ns(gone_ns),
            "size_bytes": table["key_bytes"][rows]
            + np.maximum(table["value_bytes"][rows], 0),
        },
    )


def _gone_ns(tables: Mapping[str, Table], table: Table) -> Int64:
    """Return when each record left the log as readers see it; `MISSING_NS`: never.

    An offset that was truncated is written again; so a removal is of those that were
    there before it.
    """
    gone = np.full(len(table), MISSING_NS, dtype=np.int64)
    removals = tables.get("removals")
    if removals is None or OFFSETS_TOPIC not in removals.labels["topic"]:
        return gone
    met_ns = met_by_readers(removals, leaders_of(tables))
    of_topic = removals["topic"] == code(removals, "topic", OFFSETS_TOPIC)
    runs = np.flatnonzero(of_topic & (met_ns != NEVER))
    runs = runs[np.argsort(met_ns[runs], kind="stable")]
    order = np.lexsort([table["offset"], table["partition"]])
    places = table["partition"].astype(np.int64) << 40 | table["offset"]
    sorted_places = places[order]
    for run in runs.tolist():
        base = int(removals["partition"][run]) << 40
        low, high = np.searchsorted(
            sorted_places,
            [base + removals["from_offset"][run], base + removals["to_offset"][run]],
        )
        mine = order[low:high]
        then = int(met_ns[run])
        mine = mine[(gone[mine] == MISSING_NS) & (table["at_ns"][mine] <= then)]
        gone[mine] = then
    return gone


def _newest(table: Table, rows: Int64) -> Bool:
    """Tell of each row whether none after it has its key."""
    newest = np.zeros(len(rows), dtype=np.bool_)
    seen = set()
    keys = list(zip(*(table[name][rows].tolist() for name in _KEY), strict=True))
    for place in range(len(rows) - 1, -1, -1):
        if keys[place] not in seen:
            seen.add(keys[place])
            newest[place] = True
    return newest


def _key(table: Table, row: int) -> str:
    """Return a key in words: the group, and what of it."""
    group = _name(table, "group", row)
    if table["topic"][row] >= 0:
        number = int(table["topic_partition"][row])
        return f"{group}, {_name(table, 'topic', row)}-{number}"
    member = _name(table, "member", row)
    return f"{group}, {member}" if member else group


def _value(table: Table, row: int) -> str:
    """Return a value in words; empty for a tombstone."""
    if table["value_bytes"][row] < 0:
        return ""
    committed, epoch = int(table["committed_offset"][row]), int(table["epoch"][row])
    told: list[Any] = []
    if committed >= 0:
        told.append(f"offset {committed:,}")
    if epoch >= 0:
        told.append(f"epoch {epoch}")
    told.append(_name(table, "text", row))
    return ", ".join(filter(None, told))


def _name(table: Table, column: str, row: int) -> str:
    number = int(table[column][row])
    return table.labels[column][number] if number >= 0 else ""
