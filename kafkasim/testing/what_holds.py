"""What is true of a run of any system, read from its tables.

Each function yields a sentence for what does not hold, and none of a sound run.
"""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from kafkasim.analysis.arrays import Bool, Int64
from kafkasim.analysis.dealings import (
    RECEIPT_OUTCOMES,
    Dealings,
    dealings_of,
    outcome_codes,
)
from kafkasim.engine.sim.timeline import span_ns
from kafkasim.result.result import Result
from kafkasim.result.rows import wanted_ns
from kafkasim.result.table import Table
from kafkasim.result.wants import Want, wants_of
from kafkasim.testing.what_was_sent import (
    applied,
    is_over,
    rows_told,
    sent,
    text_of,
    worked,
)
from kafkasim.units import MISSING_NS, ns_from_s

_NEEDED: Final = ("records", "deliveries", "events")
_REFERENCES: Final = (
    ("deliveries", "record_id", "records"),
    ("records", "resend_of", "records"),
    ("records", "batch_id", "batches"),
    ("batches", "parent_batch_id", "batches"),
    ("appends", "batch_id", "batches"),
)
"""Table, column, and the table of whose rows it holds numbers; −1 is none."""
OF_RECORDS: Final = ("source", "stream")
"""Columns of `records` by which an order may be promised, too."""
_HANDED_BACK: Final = ("abandoned", "nacked", "released", "rejected", "expired")
"""Ends of a hand-out after which another one is no wonder."""


def wrongs(
    result: Result,
    order: Sequence[str] | None,
    *,
    may_lose: bool,
    only_sent_once: bool = False,
) -> Iterator[str]:
    """Yield what does not hold of a run.

    Parameters
    ----------
    result : Result
        Full; of open loops.
    order : sequence of str, optional
        Columns of `deliveries`, or `source` and `stream`: within equal values of all of
        them records of a source are first handed out in the order of sending.
    may_lose : bool
        Whether records may be lost though nothing happened.
    only_sent_once : bool
        Whether the order is promised only of records that were sent once.
    """
    missing = [name for name in _NEEDED if name not in result.tables]
    if missing:
        yield f"the run does not record {', '.join(missing)}"
        return
    stray = list(_references(result))
    yield from stray
    if stray:
        return  # nothing else can be looked up
    yield from sent(result)
    yield from worked(result)
    yield from _handed_out(result)
    yield from _ends(result, may_lose=may_lose)
    yield from _redeliveries(result)
    yield from _happened(result)
    if order is not None:
        yield from _order(result, order, only_sent_once=only_sent_once)
    if "violations" in result.tables:
        for row in result.table("violations").to_dict("records"):
            yield f"violations: {row['rule']} at {row['where']}: {row['text']}"


def _references(result: Result) -> Iterator[str]:
    """Yield numbers of rows that are not there, and names that nobody has."""
    for table, column, of in _REFERENCES:
        if table not in result.tables or of not in result.tables:
            continue
        numbers = result.columns(table)[column]
        low = 0 if table == "deliveries" else -1
        bad = (numbers < low) | (numbers >= len(result.columns(of)))
        if bad.any():
            yield f"{table}.{column} is {numbers[bad][0]}, which no row of {of} is"
    records, deliveries = result.columns("records"), result.columns("deliveries")
    if not np.array_equal(records["record_id"], np.arange(len(records))):
        yield "records.record_id is not the number of the row"
    if (deliveries["subscriber"] < 0).any():
        yield "deliveries.subscriber names nobody"
    if (records["source"] < 0).any() or (records["stream"] < 0).any():
        yield "records.source or records.stream names nothing"
    known = set(result.scenario.traffic.subscribers)
    for name in sorted(set(deliveries.labels["subscriber"]) - known):
        yield f"deliveries.subscriber has {name!r}, whom the traffic does not know"


def _handed_out(result: Result) -> Iterator[str]:
    """Yield hand-outs of what was not sent, not wanted, or out of time."""
    records, handed = result.columns("records"), result.columns("deliveries")
    rows, created = handed["record_id"], records["created_ns"]
    fetched, began, ended = (handed[f"{n}_ns"] for n in ("fetched", "started", "ended"))
    who, ending = text_of(handed, "subscriber"), text_of(handed, "outcome")
    bad = {
        "was handed out and never sent": created[rows] == MISSING_NS,
        "was handed out before it was sent": fetched < created[rows],
        "was worked on before it came": (began != MISSING_NS) & (began < fetched),
        "was done before it was begun": (ended != MISSING_NS) & (ended < began),
        "has no outcome": ending == "",
        "was processed at no time": (ending == "processed")
        & ((began == MISSING_NS) | (ended == MISSING_NS)),
        "is in somebody's hands though the run drained": (ending == "in_flight")
        & is_over(result),
    }
    streams = text_of(records, "stream")[rows]
    for name, subscriber in result.scenario.traffic.subscribers.items():
        mine = who == name
        unwanted = mine & ~np.isin(streams.astype(str), list(subscriber.streams))
        bad[f"was handed to {name}, who does not want its stream"] = unwanted
        absent = mine & (fetched < ns_from_s(subscriber.from_s))
        bad[f"was handed to {name}, who had not come yet"] = absent
    for what, where in bad.items():
        found = np.zeros(len(records), dtype=np.bool_)
        found[rows[where]] = True
        yield from rows_told(found, what)


def _ends(result: Result, *, may_lose: bool) -> Iterator[str]:
    """Yield records that have no end for somebody, or one without a cause."""
    if result.scenario.end == "drain" and not result.facts["drained"]:
        yield "the run does not end: something is pending for ever"
    records = result.columns("records")
    wants = wants_of(result.scenario.resolve())
    for want, dealing in zip(wants, dealings_of(result, wants), strict=True):
        codes = outcome_codes(dealing, records)
        for name in set(RECEIPT_OUTCOMES) - {"once"}:
            rows = dealing.rows[codes == RECEIPT_OUTCOMES.index(name)]
            bad = rows[~_excused(result, name, rows, want, may_lose=may_lose)]
            found = np.zeros(len(records), dtype=np.bool_)
            found[bad] = True
            yield from rows_told(found, f"{name} for {want.subscriber} without a cause")
        yield from _wanted_all(dealing, records, want)


def _wanted_all(dealing: Dealings, records: Table, want: Want) -> Iterator[str]:
    """Yield if not all that a subscriber wants has a receipt."""
    first = records["resend_of"] < 0
    streams = np.isin(text_of(records, "stream").astype(str), list(want.streams))
    early = (want.history == "new") & (wanted_ns(records) < want.from_ns)
    count = int((first & streams & ~early).sum())
    if len(dealing.rows) != count:
        wanting = f"{want.subscriber} wants {count} records"
        yield f"{wanting}, {len(dealing.rows)} have an end"


def _excused(
    result: Result, outcome: str, rows: Int64, want: Want, *, may_lose: bool
) -> Bool:
    """Return which of the records may have come to such an end."""
    everyone = np.ones(len(rows), dtype=np.bool_)
    if outcome == "pending":
        return everyone if not is_over(result) else ~everyone
    if outcome == "skipped" and want.from_ns > 0:
        return everyone  # where it began to read stands in the table of assignments
    if outcome in {"expired", "not_kept"}:
        return everyone  # removals tell of the one; the other is for latecomers alone
    if outcome in {"lost", "not_accepted"} and may_lose:
        return everyone
    return _follows_an_event(result, rows)


def _follows_an_event(result: Result, rows: Int64) -> Bool:
    """Return which records an event can have befallen: it ended after they came."""
    created = result.columns("records")["created_ns"][rows]
    ends = [span_ns(event)[1] for event in applied(result)]
    return created <= max(ends, default=MISSING_NS)


def _redeliveries(result: Result) -> Iterator[str]:
    """Yield hand-outs that are miscounted, and such as have no cause."""
    handed = result.columns("deliveries")
    pairs = handed["record_id"] * len(handed.labels["subscriber"])
    pairs += handed["subscriber"]
    order = np.lexsort((handed["delivery_count"], handed["fetched_ns"], pairs))
    pairs, count = pairs[order], handed["delivery_count"][order]
    again = np.concatenate([[False], pairs[1:] == pairs[:-1]])[: len(pairs)]
    counted = np.ones(len(pairs), dtype=np.int64)
    for place in np.flatnonzero(again).tolist():
        counted[place] = counted[place - 1] + 1
    rows = handed["record_id"][order]
    found = np.zeros(len(result.columns("records")), dtype=np.bool_)
    found[rows[count != counted]] = True
    yield from rows_told(found, "its hand-outs are not counted 1, 2, 3 …")
    ending = text_of(handed, "outcome")[order]
    begins = [span_ns(event)[0] for event in applied(result)]
    fetched = handed["fetched_ns"][order]
    caused = fetched >= min(begins, default=2**62)
    caused[1:] |= np.isin(ending[:-1].astype(str), _HANDED_BACK)
    found[:] = False
    found[rows[again & ~caused]] = True
    yield from rows_told(found, "was handed out again without a cause")


def _happened(result: Result) -> Iterator[str]:
    """Yield events of the scenario that are not in the table."""
    done = result.table("events")
    at_ns = result.columns("events")["at_ns"].tolist()
    rows = list(zip(done["event"], done["target"], at_ns, strict=True))
    for event in result.scenario.events:
        if (type(event).__name__, event.target, ns_from_s(event.at_s)) not in rows:
            yield f"{event!r} is not in the table events"
    if done["effect"].isna().any() or (done["effect"].astype(str) == "").any():
        yield "an event without an effect"


def _order(
    result: Result, names: Sequence[str], *, only_sent_once: bool
) -> Iterator[str]:
    """Yield records of one source that were overtaken where none may be."""
    records, handed = result.columns("records"), result.columns("deliveries")
    keep = (handed["delivery_count"] == 1) & (handed["started_ns"] != MISSING_NS)
    keep &= records["resend_of"][handed["record_id"]] < 0
    if only_sent_once:
        keep &= records["send_count"][handed["record_id"]] <= 1
    rows, at = handed["record_id"][keep], handed["started_ns"][keep]
    columns = [records["source"][rows]]
    for name in names:
        own = name in OF_RECORDS
        columns.append(records[name][rows] if own else handed[name][keep])
    order = np.lexsort((rows, at, *columns))
    rows = rows[order]
    same = np.ones(max(0, len(rows) - 1), dtype=np.bool_)
    for column in columns:
        same &= np.diff(column[order]) == 0
    found = np.zeros(len(records), dtype=np.bool_)
    found[rows[1:][same & (np.diff(rows) < 0)]] = True
    where = " and ".join(names) or "all"
    yield from rows_told(found, f"came after a later one of its source, by {where}")
