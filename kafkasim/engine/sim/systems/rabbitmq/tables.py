"""What a run of RabbitMQ writes at its end: columns per message, and links."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from kafkasim.engine.sim.plan_columns import plan_columns
from kafkasim.engine.sim.systems.rabbitmq.consumers import PROCESSED, Consuming
from kafkasim.engine.sim.systems.rabbitmq.feed import ROW_SHIFT, Feed
from kafkasim.engine.sim.systems.rabbitmq.ways import Ways
from kafkasim.result.recorder import Recorder
from kafkasim.result.schema_queues import LEFT, QUEUE_CHANGES
from kafkasim.scenario.plan import Plan
from kafkasim.units import MISSING_NS

_MOST_SENDS = 32_767
_ENQUEUED = QUEUE_CHANGES.index("enqueued")
_GONE = [QUEUE_CHANGES.index(change) for change in LEFT]


def write_done_ahead(
    recorder: Recorder, consumers: Sequence[Consuming], sure_ns: int
) -> None:
    """Write the deliveries whose ends were known before, each in its place.

    Before `sure_ns` a row is written when the work ends, of ends at one time that of
    the first consumer first; what is written later stays behind them.
    """
    blocks = []
    for each in consumers:
        columns = np.array(each.done_ahead, np.int64).reshape(-1, 4)
        block = np.empty(len(columns), recorder.rows("deliveries").dtype)
        block["record_id"] = columns[:, 0]
        block["subscriber"] = block["topic"] = each.subscriber
        block["member"] = each.code
        block["partition"] = block["offset"] = -1
        block["epoch"], block["delivery_count"] = 0, 1
        for place, name in enumerate(("fetched_ns", "started_ns", "ended_ns"), 1):
            block[name] = columns[:, place]
        block["outcome"] = PROCESSED
        blocks.append(block)
    if not any(map(len, blocks)):
        return
    recorder.add("deliveries", np.concatenate(blocks))
    rows = recorder.rows("deliveries")
    later = rows["ended_ns"] >= sure_ns
    later |= rows["ended_ns"] == MISSING_NS
    ended_ns = np.where(later, 0, rows["ended_ns"])
    if not later.any() and (ended_ns[1:] > ended_ns[:-1]).all():
        return
    member = np.where(later, 0, rows["member"])
    rows[:] = rows[np.lexsort((member, ended_ns, later))]


def number_messages(recorder: Recorder, feeds: Sequence[Feed]) -> None:
    """Give messages the rows of their records, now that it is known how many are."""
    for feed in feeds:
        if feed.loop is not None:
            feed.cut()
    bases = np.cumsum([0, *(len(feed.created_ns) for feed in feeds)])
    for table in ("deliveries", "queues"):
        numbers = recorder.rows(table)["record_id"]
        codes = numbers >> ROW_SHIFT
        numbers[:] = bases[codes] + numbers - (codes << ROW_SHIFT)


def count_hand_outs(recorder: Recorder) -> None:
    """Count the hand-outs of each message to a subscriber, in their order."""
    rows = recorder.rows("deliveries")
    if not len(rows):
        return
    subscribers = int(rows["subscriber"].max()) + 1
    pairs = rows["record_id"] * subscribers + rows["subscriber"]
    order = np.lexsort((rows["fetched_ns"], pairs))
    ordered = pairs[order]
    places = np.arange(len(ordered))
    new = np.ones(len(ordered), dtype=np.bool_)
    new[1:] = ordered[1:] != ordered[:-1]
    starts = np.maximum.accumulate(np.where(new, places, 0))
    rows["delivery_count"][order] = places - starts + 1


def write_records(recorder: Recorder, plan: Plan, feeds: Sequence[Feed]) -> None:
    """Write the `records` table: what was planned, and what closed loops sent."""
    sent = {feed.plan.source: feed.plan for feed in feeds}
    columns, labels = plan_columns(replace(plan, sources=sent))
    count = len(columns["record_id"])

    def of_all(name: str, dtype: str) -> NDArray[np.generic]:
        parts = [np.array(getattr(feed, name), dtype) for feed in feeds]
        return np.concatenate([np.zeros(0, dtype), *parts])

    columns |= {
        "created_ns": of_all("created_ns", "<i8"),
        "acked_ns": of_all("acked_ns", "<i8"),
        "outcome": of_all("outcomes", "<i1"),
        "error": of_all("errors", "<i1"),
        "batch_id": np.full(count, -1, np.int64),
        "batch_index": np.full(count, -1, np.int32),
        "send_count": np.minimum(of_all("send_count", "<i4"), _MOST_SENDS).astype(
            "<i2"
        ),
        "log_copies": _held(recorder, count),
        "resend_of": np.full(count, -1, np.int64),
        "caused_by": of_all("causes", "<i2"),
        "topic": np.full(count, -1, np.int16),
        "partition": np.full(count, -1, np.int32),
        "offset": np.full(count, -1, np.int64),
        "appended_ns": of_all("appended_ns", "<i8"),
        "committed_ns": np.full(count, MISSING_NS, np.int64),
    }
    labels |= {"topic": (), "error": ("NO_ROUTE",), "caused_by": ("Crash",)}
    for name in ("created", "acked", "appended"):
        recorder.hash_array(name, columns[f"{name}_ns"])
    recorder.columns("records", columns, labels)


def _held(recorder: Recorder, count: int) -> NDArray[np.int16]:
    """Return how many copies of each record are in queues at the end."""
    rows = recorder.rows("queues")
    came = rows["record_id"][rows["change"] == _ENQUEUED]
    went = rows["record_id"][np.isin(rows["change"], _GONE)]
    held = np.bincount(came, minlength=count) - np.bincount(went, minlength=count)
    return held.astype(np.int16)


def write_links(recorder: Recorder, ways: Mapping[tuple[str, str], Ways]) -> None:
    """Write who sent how much to whom, both ways of each connection."""
    write = recorder.writer("links")
    hosts = sorted({host for pair in ways for host in pair})
    for (there, here), between in sorted(ways.items(), key=lambda item: item[0]):
        pair = hosts.index(there), hosts.index(here)
        write(*pair, 1, between.sent_there, between.bytes_there)
        if between.sent_back:
            write(*pair[::-1], 1, between.sent_back, between.bytes_back)
    recorder.labels("links", "sender", hosts)
    recorder.labels("links", "receiver", hosts)


def write_labels(
    recorder: Recorder,
    *,
    sources: Iterable[str],
    subscribers: Sequence[str],
    members: Sequence[str],
    causes: Sequence[str],
) -> None:
    """Name the codes of what was written in the run."""
    for table, column, names in (
        ("deliveries", "subscriber", subscribers),
        ("deliveries", "member", members),
        ("deliveries", "topic", subscribers),
        ("queues", "topic", subscribers),
        ("queues", "member", members),
        ("blocked", "source", tuple(sources)),
        ("blocked", "cause", causes),
    ):
        recorder.labels(table, column, names)
