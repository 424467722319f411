"""The one schema of what a run records.

Every engine and every system writes the same tables; analysis and figures know these
and nothing else. Times are int64 nanoseconds since the run's start (`_ns`, `MISSING_NS`
when it never happened); names are codes into a table of labels; a number that does not
apply is −1.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal

from kafkasim.result.schema_columns import (
    PARTITION,
    TOPIC,
    Column,
    label,
    number,
    offset,
    time,
)
from kafkasim.result.schema_groups import (
    GROUP_LABELS,
    GROUP_TABLES,
    ONE_GROUP_ROW_PER,
)
from kafkasim.result.schema_queues import (
    ONE_QUEUE_ROW_PER,
    QUEUE_LABELS,
    QUEUE_TABLES,
)

SCHEMA_VERSION: Final = 2
"""Rises when a column or the digest's recipe changes.

A table that is added leaves it, and digests: an older result did not record it.
"""

ResultKind = Literal["full", "streamed"]
"""What a run keeps: a row per record, or counts in place of them."""

OUTCOMES: Final = MappingProxyType(
    {
        "records": ("acked", "failed", "unacked", "in_flight"),
        "deliveries": ("processed", "abandoned", "in_flight", "nacked", "rejected"),
    }
)
"""Labels of the `outcome` columns; a code is the position."""

CLOSED_BY: Final = ("full", "linger", "drained", "cut")
"""Why a batch took no more records.

`full`: the next record had no room, or the last one filled it; `linger`: it was drained
when its own linger was over; `drained`: another partition of the same broker was ready
and took it along (PR-27); `cut`: the run ended first.
"""

APIS: Final = (
    "Produce", "Fetch", "OffsetCommit", "ListOffsets", "FetchFollower", "Metadata",
    "InitProducerId", "OffsetForLeaderEpoch", "FindCoordinator", "JoinGroup",
    "SyncGroup", "Heartbeat", "LeaveGroup", "OffsetFetch", "ConsumerGroupHeartbeat",
)  # fmt: skip
"""Labels of `requests.api`; `FetchFollower`: as in Kafka's own `RequestMetrics`."""

ROLLED_BY: Final = ("size", "time", "index", "offset", "retention")
"""Why a segment took no more batches (LG-1); `retention`: all segments were to be
deleted, so the log went on in a new one (LG-8)."""

REMOVED_BY: Final = (
    "time", "size", "start_offset", "compaction", "truncation", "lost_disk",
)  # fmt: skip
"""Why records left a log, or a segment was deleted."""

ROLES: Final = ("leader", "follower", "offline")
"""Labels of `replicas.role`; `offline`: its broker is down."""

REPLICA_CAUSES: Final = (
    "start", "elected", "elected unclean", "follows", "no leader", "left the ISR",
    "joined the ISR", "crashed", "truncated", "shut down", "lost its disk",
    "elected from the ELR", "elected as the last leader",
)  # fmt: skip
"""Why a replica changed. Of those that are elected `elected` is from the ISR."""

ELECTED: Final = tuple(cause for cause in REPLICA_CAUSES if cause.startswith("elected"))
"""Those by which a replica leads from then on."""

RESOURCE_KINDS: Final = (
    "cpu", "io_thread", "network_thread", "nic_in", "nic_out", "disk", "page_cache",
    "queue",
)  # fmt: skip
"""Labels of `resources.kind`; `cpu`: IO threads while they serve, `io_thread`: and
while they wait for the disk; `network_thread`: while it waits; `queue`: how full one
is that holds records for another host, at most."""

APPEND_KINDS: Final = ("data",)
"""Labels of `appends.kind`."""

HISTOGRAMS: Final = ("latency", "intended", "appended", "processed")
"""Labels of `histograms.metric`.

`latency`: first processed − intended, by the time intended. The others count records
that the subscriber wants, by when they were intended, appended and processed first.
"""

STREAMED_TABLES: Final = ("histograms", "totals")
"""What a streamed run keeps in place of its per-record tables."""

PER_RECORD_TABLES: Final = ("records", "deliveries")
"""What it does not keep."""

TOTALS: Final = (
    "records", "bin_ns", "last_intended_ns", "last_appended_ns",
    "partition_records", "wanted", "processed", "duplicated", "lost", "skipped",
    "not_kept", "not_accepted", "appended", "lag_records_max", "ordered",
    "overtaken", "latency_s_sum", "latency_ns_sum", "latency_ns_max",
    "last_wanted_ns", "last_processed_ns", "measured_from_ns", "measured_until_ns",
    "measured_processed", "expired",
)  # fmt: skip
"""Labels of `totals.metric`; `docs/guides/many-records.md` says what each is."""


TABLES: Final[Mapping[str, tuple[Column, ...]]] = MappingProxyType(
    {
        "records": (
            number(
                "record_id",
                "<i8",
                "row number; sources in name order, then what was sent again",
            ),
            label("source", "who sent it"),
            label("stream", "what it belongs to"),
            label("key", "key as sent; none when null", "<i4"),
            label("entity", "whose order matters; none when it has no owner", "<i4"),
            number("value_bytes", "<i4", "size of the value; -1 for a null value"),
            time("intended_ns", "when the world wanted it; none in a closed loop"),
            time("created_ns", "when the client took it"),
            time("acked_ns", "when the client held the acknowledgement"),
            label("outcome", "acked, failed, unacked (acks=0) or in_flight", "<i1"),
            label("error", "Kafka's error name; none when there was none", "<i1"),
            number("batch_id", "<i8", "record batch; -1 when it was never in one"),
            number("batch_index", "<i4", "place in its batch, from 0"),
            number("send_count", "<i2", "times it was sent"),
            number("log_copies", "<i2", "copies in the log"),
            number("resend_of", "<i8", "record the application sent again; -1: none"),
            label("caused_by", "error or event that made it be sent again", "<i2"),
            TOPIC,
            PARTITION,
            offset("offset", "offset of its first surviving append"),
            time("appended_ns", "when the leader appended it"),
            time("committed_ns", "when the high watermark passed it"),
        ),
        "batches": (
            number("batch_id", "<i8", "number of the batch"),
            number("parent_batch_id", "<i8", "batch it was split from; -1: none"),
            label("producer", "who made it"),
            TOPIC,
            PARTITION,
            number("record_count", "<i4", "records in it"),
            number("size_bytes", "<i4", "exact size of the v2 batch, header included"),
            time("opened_ns", "when its first record was added"),
            time("closed_ns", "when it took no more records"),
            label("closed_by", "full, linger, drained or cut", "<i1"),
            time("sent_ns", "when the first request with it was sent"),
            time("acked_ns", "when its answer was received"),
            number("attempts", "<i2", "requests it was part of"),
            label("error", "what it failed with in the end; none if it did not", "<i1"),
        ),
        "appends": (
            number("append_id", "<i8", "number of the append"),
            number("batch_id", "<i8", "batch appended"),
            number("attempt", "<i2", "which try of the producer, from 1"),
            TOPIC,
            PARTITION,
            offset("base_offset", "offset of its first record"),
            number("record_count", "<i4", "records in it"),
            label("kind", "data or control", "<i1"),
            number("leader", "<i4", "broker that appended it"),
            number("leader_epoch", "<i4", "its leader epoch"),
            time("appended_ns", "when the leader appended it"),
            time("committed_ns", "when the high watermark passed it"),
            time("truncated_ns", "when it was cut off again"),
        ),
        "deliveries": (
            number("record_id", "<i8", "row of the record"),
            label("subscriber", "who reads"),
            label("member", "which member of it", "<i4"),
            TOPIC,
            PARTITION,
            offset("offset", "its offset"),
            number("epoch", "<i4", "generation or member epoch of the hand-out"),
            number(
                "delivery_count", "<i2", "which hand-out to this subscriber, from 1"
            ),
            time("fetched_ns", "when its bytes reached the member"),
            time("started_ns", "when work on it began"),
            time("ended_ns", "when work on it ended"),
            label(
                "outcome", "processed, abandoned, nacked, rejected, in_flight", "<i1"
            ),
        ),
        **GROUP_TABLES,
        **QUEUE_TABLES,
        "replicas": (
            TOPIC,
            PARTITION,
            number("broker", "<i4", "broker that has the replica"),
            label("role", "leader, follower or offline", "<i1"),
            number("leader_epoch", "<i4", "leader epoch that the broker knows"),
            offset("log_end_offset", "offset after the last record it has"),
            offset("high_watermark", "below it all is replicated, as it knows"),
            number("in_isr", "<i1", "1 if it is in the ISR, 0 if not"),
            time("at_ns", "when it changed"),
            label("cause", "why", "<i1"),
        ),
        "requests": (
            number("request_id", "<i8", "number of the request"),
            label("api", "Produce, Fetch, OffsetCommit, ListOffsets, …", "<i1"),
            label("sender", "client, or follower", "<i4"),
            label("receiver", "broker", "<i2"),
            time("sent_ns", "when the client sent it"),
            time("received_ns", "when the broker read it; none of a crashed client's"),
            time("dequeued_ns", "when an IO thread took it"),
            time("done_ns", "when its answer was ready"),
            time("answered_ns", "when the client held the answer"),
            number(
                "size_bytes",
                "<i8",
                "bytes of record batches it carried or fetched; where groups have "
                "coordinators, of their requests and answers",
            ),
            number("batch_count", "<i4", "record batches it carried or fetched"),
            label("error", "Kafka's error name; none when there was none", "<i1"),
        ),
        "resources": (
            label("resource", "whose: the host"),
            label("kind", "cpu, io_thread, nic_out, …", "<i1"),
            time("at_ns", "begin of the second"),
            Column(
                "busy_share",
                "<f8",
                "share",
                "of the second in which it was busy; of the memory in use, at most",
            ),
            number("moved_bytes", "<i8", "bytes moved; read without the disk"),
            number(
                "queue_max",
                "<i8",
                "most that waited for it; bytes without the disk yet",
            ),
        ),
        "links": (
            label("sender", "from", "<i4"),
            label("receiver", "to", "<i4"),
            number("connection_count", "<i4", "connections between the two"),
            number("request_count", "<i8", "requests or messages sent"),
            number("moved_bytes", "<i8", "bytes moved from sender to receiver"),
        ),
        "blocked": (
            label("source", "who could not hand over"),
            time("since_ns", "from"),
            time("until_ns", "to"),
            label("cause", "what blocked it", "<i2"),
        ),
        "events": (
            label("event", "what was done"),
            label("target", "to what"),
            time("at_ns", "when it began, or was to"),
            time("until_ns", "when it ended; missing when for good"),
            label("effect", "what it did, or not applicable, or not reached"),
        ),
        "drops": (
            number("record_id", "<i8", "row of the record"),
            label("subscriber", "who does not get it, unless it has it already"),
            time("at_ns", "when the system let go of it"),
            label(
                "cause", "queue full, gave up, source crashed, hub crashed, …", "<i1"
            ),
        ),
        "segments": (
            TOPIC,
            PARTITION,
            number("broker", "<i4", "broker whose log it is in"),
            offset("base_offset", "offset it begins with, and its file's name"),
            offset("end_offset", "offset after its last"),
            time("created_ns", "when the log began to write it"),
            time("rolled_ns", "when it took no more batches; missing while it does"),
            label("rolled_by", "size, time, index, offset or retention", "<i1"),
            time("deleted_ns", "when it left the log; missing while it stays"),
            label("cause", "time, size, start_offset, compaction or truncation", "<i1"),
            number("size_bytes", "<i8", "bytes of its batches"),
            number("record_count", "<i8", "records in it"),
        ),
        "removals": (
            TOPIC,
            PARTITION,
            number("broker", "<i4", "broker whose log it was"),
            offset("from_offset", "first offset of those removed"),
            offset("to_offset", "offset after the last of them"),
            time("at_ns", "when they left the log"),
            label("cause", "time, size, start_offset, compaction or truncation", "<i1"),
        ),
        "histograms": (
            label("metric", "what is counted", "<i1"),
            label("subscriber", "of whose records"),
            time("at_ns", "begin of the bin of time"),
            number(
                "measured",
                "<i1",
                "1 when intended after warm-up, 0 in it; -1 in a plain count",
            ),
            time("low_ns", "smallest latency of the bucket; missing in a plain count"),
            time("high_ns", "largest latency of the bucket"),
            number("count", "<i8", "records"),
        ),
        "totals": (
            label("metric", "what is counted, summed or largest", "<i1"),
            label("subscriber", "of whose records; none: of all"),
            TOPIC,
            PARTITION,
            number("value", "<i8", "how many; a time or a width in nanoseconds"),
        ),
        "violations": (
            label("rule", "invariant"),
            time("at_ns", "when it broke"),
            label("where", "where"),
            label("text", "what was seen", "<i4"),
        ),
    }
)
"""Columns of each table, in the order in which rows are written."""

ONE_ROW_PER: Final[Mapping[str, str]] = MappingProxyType(
    {
        "records": "logical send",
        "batches": "record batch that a producer made",
        "appends": "append of a batch to a leader's log, retries included",
        "deliveries": "hand-out of a record to a member, each time",
        **ONE_GROUP_ROW_PER,
        **ONE_QUEUE_ROW_PER,
        "replicas": "change of a replica, and one for each at the start",
        "requests": "request served",
        "resources": "part of a host's hardware and second; on request",
        "links": "pair that talked",
        "blocked": "time in which a source could not hand over",
        "events": "thing done to the system",
        "drops": "record that a system without a log let go, and subscriber",
        "segments": "segment of a log, also what compaction made",
        "removals": "run of offsets whose records left a log together",
        "histograms": "metric, subscriber, bin of time and bucket that is not empty",
        "totals": "number of a streamed run, by subscriber or partition",
        "violations": "broken invariant; none in a healthy run",
    }
)
"""What a row of each table stands for."""

DEFAULT_LABELS: Final[Mapping[tuple[str, str], tuple[str, ...]]] = MappingProxyType(
    {
        ("records", "outcome"): OUTCOMES["records"],
        ("deliveries", "outcome"): OUTCOMES["deliveries"],
        **GROUP_LABELS,
        **QUEUE_LABELS,
        ("batches", "closed_by"): CLOSED_BY,
        ("appends", "kind"): APPEND_KINDS,
        ("requests", "api"): APIS,
        ("resources", "kind"): RESOURCE_KINDS,
        ("replicas", "role"): ROLES,
        ("replicas", "cause"): REPLICA_CAUSES,
        ("segments", "rolled_by"): ROLLED_BY,
        ("segments", "cause"): REMOVED_BY,
        ("removals", "cause"): REMOVED_BY,
        ("histograms", "metric"): HISTOGRAMS,
        ("totals", "metric"): TOTALS,
    }
)
"""(table, column) → names, where Kafka or kafkasim fixes the values."""
