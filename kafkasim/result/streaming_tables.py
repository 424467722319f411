"""A full result made into a streamed one: its tables go through a `Streamed` in blocks.

For a system whose engine holds its per-record tables anyway, and as the plain way
against which an engine that streams is tested.
"""

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from kafkasim.result.removals import passed_or_gone
from kafkasim.result.result import Result
from kafkasim.result.rows import code, wanted_ns
from kafkasim.result.schema import PER_RECORD_TABLES, STREAMED_TABLES
from kafkasim.result.streaming import NOT_STREAMED, Streamed
from kafkasim.result.streaming_blocks import PassedBlock, ProcessedBlock, RecordBlock
from kafkasim.result.table import Table
from kafkasim.result.wants import Want, wants_of
from kafkasim.units import MISSING_NS

Int64 = NDArray[np.int64]

BLOCK_ROWS: Final = 65_536
"""Rows of a block: a few megabytes, which a processor's cache nearly holds."""


def stream_tables(result: Result, *, block_rows: int = BLOCK_ROWS) -> Result:
    """Return the result with counts in place of its per-record tables.

    Parameters
    ----------
    result : Result
        With the tables `records` and `deliveries`.
    block_rows : int
        Rows handed over at once.

    Returns
    -------
    Result
        With the tables `histograms` and `totals` and the digest that it had.

    Raises
    ------
    TableNotRecorded
        When the run did not record those tables.
    """
    records, deliveries = (result.columns(name) for name in PER_RECORD_TABLES)
    resolved = result.scenario.resolve()
    names = deliveries.labels["subscriber"]
    wants = {want.subscriber: want for want in wants_of(resolved)}
    names += tuple(name for name in wants if name not in names)
    streamed = Streamed(
        resolved,
        streams=records.labels["stream"],
        subscribers=names,
        topics=records.labels["topic"],
    )
    hand_outs = _processed(records, deliveries)
    tables = {name: result.columns(name) for name in result.tables}
    for number, name in enumerate(names):
        rows = _open_rows(wants[name], records, hand_outs, number)
        at, expired = passed_or_gone(wants[name], tables, rows)
        _hand_over_passed(streamed, number, records, rows, at, expired)
    _hand_over(streamed, records, hand_outs, block_rows)
    kept = {
        name: result.columns(name)
        for name in result.tables
        if name not in PER_RECORD_TABLES
    }
    why = {n: r for n, r in result.not_recorded.items() if n not in STREAMED_TABLES}
    return Result(
        scenario=result.scenario,
        plan=result.plan,
        facts=result.facts,
        digests=result.digests,
        tables=kept | streamed.finish(),
        not_recorded=why | NOT_STREAMED,
    )


def _processed(records: Table, deliveries: Table) -> ProcessedBlock:
    """Return the hand-outs that ended as processed, in the order of their ends."""
    done = np.flatnonzero(
        deliveries["outcome"] == code(deliveries, "outcome", "processed")
    )
    done = done[np.argsort(deliveries["ended_ns"][done], kind="stable")]
    rows = deliveries["record_id"][done]
    subscriber = deliveries["subscriber"][done]
    return ProcessedBlock(
        subscriber=subscriber,
        stream=records["stream"][rows],
        entity=records["entity"][rows],
        record=rows,
        intended_ns=wanted_ns(records)[rows],
        in_log=records["appended_ns"][rows] != MISSING_NS,
        ended_ns=deliveries["ended_ns"][done],
        earlier=occurrences(
            rows * (int(subscriber.max(initial=0)) + 1) + subscriber
        ).astype(np.int16),
    )


def occurrences(values: Int64) -> Int64:
    """Count for each value the equal ones before it.

    Examples
    --------
    >>> occurrences(np.array([7, 5, 7, 7]))
    array([0, 0, 1, 2])
    """
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    places = np.arange(len(values))
    new = np.ones(len(values), dtype=np.bool_)
    new[1:] = ordered[1:] != ordered[:-1]
    counts = np.empty(len(values), dtype=np.int64)
    counts[order] = places - np.maximum.accumulate(np.where(new, places, 0))
    return counts


def _open_rows(
    want: Want, records: Table, hand_outs: ProcessedBlock, number: int
) -> Int64:
    """Return the records that a subscriber wants and never processed."""
    wanted = want.wanted(
        records.labels["stream"], records["stream"], wanted_ns(records)
    )
    wanted[hand_outs.record[hand_outs.subscriber == number]] = False
    return np.flatnonzero(wanted)


def _hand_over_passed(  # noqa: PLR0917
    streamed: Streamed,
    number: int,
    records: Table,
    rows: Int64,
    at: Int64,
    expired: NDArray[np.bool_],
) -> None:
    """Hand over what a subscriber never got: lost, gone, or passed by a reset."""
    acked = records["outcome"][rows] == code(records, "outcome", "acked")
    gone = acked & (records["log_copies"][rows] == 0)
    for hand_over, kept in (
        (streamed.lost, gone),
        (streamed.expired, expired),
        (streamed.skipped, ~gone & ~expired & (at != MISSING_NS)),
    ):
        mine = rows[kept]
        hand_over(
            PassedBlock(
                subscriber=np.full(len(mine), number, dtype=np.int16),
                stream=records["stream"][mine],
                intended_ns=wanted_ns(records)[mine],
                at_ns=at[kept],
            )
        )


def _hand_over(
    streamed: Streamed, records: Table, hand_outs: ProcessedBlock, block_rows: int
) -> None:
    """Hand over records as they were appended and hand-outs as they ended, in time."""
    in_order = np.argsort(records["appended_ns"], kind="stable")
    appended = records["appended_ns"][in_order]
    given = 0
    for part, until_ns in _in_time(hand_outs, block_rows):
        end = int(np.searchsorted(appended, until_ns, side="right"))
        for first in range(given, end, block_rows):
            rows = in_order[first : min(end, first + block_rows)]
            streamed.records(_record_block(records, rows))
        given = end
        streamed.processed(part)
        streamed.advance(until_ns)


def _in_time(
    hand_outs: ProcessedBlock, block_rows: int
) -> Iterator[tuple[ProcessedBlock, int]]:
    """Yield the hand-outs block by block, each with the time that is over by then."""
    ended = hand_outs.ended_ns
    for first in range(0, len(ended), block_rows):
        end = first + block_rows
        until_ns = int(ended[end]) - 1 if end < len(ended) else _FOREVER_NS
        yield hand_outs.where(slice(first, end)), until_ns
    if not len(ended):
        yield hand_outs, _FOREVER_NS


_FOREVER_NS: Final = 2**63 - 1


def _record_block(records: Table, rows: NDArray[Any]) -> RecordBlock:
    offset = records["offset"][rows]
    return RecordBlock(
        stream=records["stream"][rows],
        intended_ns=wanted_ns(records)[rows],
        appended_ns=records["appended_ns"][rows],
        topic=records["topic"][rows],
        partition=np.where(offset >= 0, records["partition"][rows], -1).astype(
            np.int32
        ),
        outcome=records["outcome"][rows],
    )
