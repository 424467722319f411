"""The copies of one partition, read from the tables of a run.

A request names no partition, so refusals are counted of a run whose topic has one.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from kafkasim.analysis.arrays import Bool, Int64
from kafkasim.analysis.copies import Copies, Loss, Span, State, Steps
from kafkasim.catalogue import say
from kafkasim.errors import ValidationError
from kafkasim.result.result import Result
from kafkasim.result.rows import code, wanted_ns
from kafkasim.result.schema import ELECTED
from kafkasim.result.table import Table
from kafkasim.units import MISSING_NS

_OFFLINE: Final = "offline"


def copies_of(result: Result, topic: str | None, partition: int) -> Copies:
    """Return what became of one partition's copies.

    Parameters
    ----------
    result : Result
        With the tables `appends` and `batches`. One that did not record its replicas
        had one copy of each partition.
    topic : str or None
        The first that has a replica or an append without it.
    partition : int
        From 0.

    Raises
    ------
    ValidationError
        There is no such topic or partition.
    TableNotRecorded
        When the run did not record those tables.
    """
    appends = result.columns("appends")
    replicas = result.columns("replicas") if "replicas" in result.tables else None
    name = _topic(appends, replicas, topic)
    mine = _rows_of(appends, name, partition)
    changes = (
        np.zeros(0, np.int64)
        if replicas is None
        else _rows_of(replicas, name, partition)
    )
    if not len(mine) and not len(changes):
        _check_partition(appends, replicas, name, partition)
    until_ns = int(result.facts.get("end_ns", 0))
    elected = _elections(replicas, changes)
    acks = _acks(result.columns("batches"), appends, mine)
    ends = appends["base_offset"][mine] + appends["record_count"][mine]
    losses = tuple(_losses(appends, mine, acks, elected))
    refused_ns, refused_with = _refusals(result, name)
    acked = acks != MISSING_NS
    return Copies(
        topic=name,
        partition=partition,
        until_ns=until_ns,
        wanted_until_ns=_wanted_until(result, name),
        log_end=_line(appends["appended_ns"][mine], ends, elected),
        high_watermark=_line(appends["committed_ns"][mine], ends, elected),
        acked=_line(acks, ends, elected),
        acks_ns=np.sort(acks[acked]),
        refused_ns=refused_ns,
        refused_with=refused_with,
        spans=tuple(_spans(replicas, changes, appends, mine, until_ns)),
        losses=losses,
    )


def _topic(appends: Table, replicas: Table | None, topic: str | None) -> str:
    """Return the topic asked for, or the first by the order of its rows."""
    names = list(appends.labels["topic"])
    if replicas is not None:
        names += [each for each in replicas.labels["topic"] if each not in names]
    if topic is None:
        return names[0] if names else ""
    if topic not in names:
        raise ValidationError(
            "topic", topic, say("one of {names}", names=", ".join(names))
        )
    return topic


def _rows_of(table: Table, topic: str, partition: int) -> Int64:
    rows: Int64 = np.flatnonzero(
        (table["topic"] == code(table, "topic", topic))
        & (table["partition"] == partition)
    )
    return rows


def _check_partition(
    appends: Table, replicas: Table | None, topic: str, partition: int
) -> None:
    """Refuse a partition beyond the last that is known; an empty topic has one, 0."""
    last = 0
    for table in filter(None, (appends, replicas)):
        numbers = table["partition"][table["topic"] == code(table, "topic", topic)]
        last = max(last, int(numbers.max(initial=0)))
    if not 0 <= partition <= last:
        raise ValidationError(
            "partition", partition, say("{low} to {high}", low=0, high=last)
        )


@dataclass(frozen=True, slots=True)
class _Elections:
    """The leaders that took over, by time."""

    at_ns: Int64
    broker: Int64
    log_end: Int64


def _elections(replicas: Table | None, rows: Int64) -> _Elections:
    """Return the rows in which a replica became leader after the start."""
    if replicas is None:
        return _Elections(*(np.zeros(0, np.int64) for _ in range(3)))
    causes = [code(replicas, "cause", each) for each in ELECTED]
    chosen = rows[np.isin(replicas["cause"][rows], causes)]
    chosen = chosen[np.argsort(replicas["at_ns"][chosen], kind="stable")]
    return _Elections(
        replicas["at_ns"][chosen],
        replicas["broker"][chosen].astype(np.int64),
        replicas["log_end_offset"][chosen],
    )


def _acks(batches: Table, appends: Table, mine: Int64) -> Int64:
    """Return for each append when its batch was acknowledged; `MISSING_NS`: never."""
    numbers = batches["batch_id"]
    order = np.argsort(numbers, kind="stable")
    wanted = appends["batch_id"][mine]
    places = np.minimum(
        np.searchsorted(numbers[order], wanted), max(len(numbers) - 1, 0)
    )
    if not len(numbers):
        return np.full(len(mine), MISSING_NS)
    rows = order[places]
    acked = (numbers[rows] == wanted) & (batches["error"][rows] < 0)
    found: Int64 = np.where(acked, batches["acked_ns"][rows], MISSING_NS)
    return found


def _line(at_ns: Int64, values: Int64, elected: _Elections) -> Steps:
    """Return a line that rises with `values`, and falls to a new leader's log end.

    What was committed stays so when a leader takes over that has it, though its own
    high watermark may take a moment to say so again (BR-22).

    Parameters
    ----------
    at_ns, values : arrays of shape (n,)
        Where it is set to what; rows without a time are left out.
    elected : _Elections
    """
    there = at_ns != MISSING_NS
    order = np.argsort(at_ns[there], kind="stable")
    at, height = at_ns[there][order], values[there][order]
    cuts = np.searchsorted(at, elected.at_ns, side="left")
    times: list[Int64] = []
    heights: list[Int64] = []
    level = 0
    bounds = np.concatenate(([0], cuts, [len(at)]))
    for number in range(len(bounds) - 1):
        if number:
            start = int(elected.log_end[number - 1])
            level = min(level, start)
            times.append(elected.at_ns[number - 1 : number])
            heights.append(np.array([level]))
        part = height[bounds[number] : bounds[number + 1]]
        part = np.maximum.accumulate(np.concatenate(([level], part)))[1:]
        times.append(at[bounds[number] : bounds[number + 1]])
        heights.append(part)
        level = int(part[-1]) if len(part) else level
    return _last_of_each(np.concatenate(times), np.concatenate(heights))


def _last_of_each(at_ns: Int64, values: Int64) -> Steps:
    """Return steps with one value for each time: the one set last."""
    last = np.append(at_ns[1:] != at_ns[:-1], True) if len(at_ns) else at_ns == 0
    return Steps(at_ns[last], values[last].astype(np.int64))


def _losses(
    appends: Table, mine: Int64, acks: Int64, elected: _Elections
) -> Iterator[Loss]:
    """Yield what each election left out of the log."""
    base = appends["base_offset"][mine]
    ends = base + appends["record_count"][mine]
    alive: Bool = np.ones(len(mine), dtype=np.bool_)
    for number in range(len(elected.at_ns)):
        at_ns, start = int(elected.at_ns[number]), int(elected.log_end[number])
        gone = alive & (base >= start) & (appends["appended_ns"][mine] <= at_ns)
        if not gone.any():
            continue
        alive &= ~gone
        told = gone & (acks != MISSING_NS)
        yield Loss(
            at_ns=at_ns,
            leader=int(elected.broker[number]),
            from_offset=start,
            to_offset=int(ends[gone].max()),
            acked_records=int(appends["record_count"][mine][told].sum()),
        )


def _wanted_until(result: Result, topic: str) -> int:
    """Return when the last record of a stream was wanted; 0 without one."""
    if "records" not in result.tables:
        return 0
    records = result.columns("records")
    mine = records["stream"] == code(records, "stream", topic)
    return int(wanted_ns(records)[mine].max(initial=0))


def _refusals(result: Result, topic: str) -> tuple[Int64, tuple[str, ...]]:
    """Return when produce requests were refused, and with what."""
    nothing = np.zeros(0, np.int64)
    topics = getattr(result.scenario.resolve().system, "topics", {})
    alone = len(topics) == 1 and getattr(topics.get(topic), "partitions", 0) == 1
    if not alone or "requests" not in result.tables:
        return nothing, ()
    requests = result.columns("requests")
    refused = (requests["api"] == code(requests, "api", "Produce")) & (
        requests["error"] >= 0
    )
    refused &= requests["answered_ns"] != MISSING_NS
    counts = np.bincount(requests["error"][refused].astype(np.int64))
    frequent = [each for each in np.argsort(-counts, kind="stable") if counts[each]]
    names = tuple(requests.labels["error"][each] for each in frequent)
    return np.sort(requests["answered_ns"][refused]), names


def _spans(
    replicas: Table | None,
    changes: Int64,
    appends: Table,
    mine: Int64,
    until_ns: int,
) -> Iterator[Span]:
    """Yield each broker's parts; a run without replicas has a leader that stays."""
    if replicas is None or not len(changes):
        for broker in np.unique(appends["leader"][mine]).tolist():
            yield Span(broker, "leader", 0, until_ns)
        return
    for broker in np.unique(replicas["broker"][changes]).tolist():
        rows = changes[replicas["broker"][changes] == broker]
        rows = rows[np.argsort(replicas["at_ns"][rows], kind="stable")]
        at = replicas["at_ns"][rows].tolist()
        states = [_state(replicas, row) for row in rows.tolist()]
        since, held = at[0], states[0]
        for when, state in zip(at[1:], states[1:], strict=True):
            if state != held:
                if when > since:
                    yield Span(broker, held, since, when)
                since, held = when, state
        if until_ns > since or until_ns == 0:
            yield Span(broker, held, since, until_ns)


def _state(replicas: Table, row: int) -> State:
    role = replicas.labels["role"][replicas["role"][row]]
    in_isr = replicas["in_isr"][row] == 1
    if role == _OFFLINE:
        return "down, in sync" if in_isr else "down"
    if role == "leader":
        return "leader"
    return "in sync" if in_isr else "behind"
