"""The table of what happens in queues: RabbitMQ's, and of whoever else has some."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from kafkasim.result.schema_columns import TOPIC, Column, label, number, time

QUEUE_CHANGES: Final = (
    "enqueued", "delivered",
    "acked", "auto-acked", "nacked", "rejected", "delivery_limit",
    "not persistent", "not yet on disk", "disk lost", "queue not durable",
    "not replicated",
    "requeued: nacked", "requeued: rejected", "requeued: channel closed",
    "requeued: consumer timeout", "requeued: consumer's node disconnected",
    "requeued: node restarted",
)  # fmt: skip
"""Labels of `queues.change`: a message came in, was handed out; left the queue, and
why; or came back to it, and why."""

LEFT: Final = tuple(
    change
    for change in QUEUE_CHANGES
    if change not in {"enqueued", "delivered"} and not change.startswith("requeued")
)
"""Changes after which a message is not in the queue any more."""

QUEUE_TABLES: Final[Mapping[str, tuple[Column, ...]]] = MappingProxyType(
    {
        "queues": (
            TOPIC,
            number("record_id", "<i8", "row of the record"),
            time("at_ns", "when the queue's process did it"),
            label("change", "enqueued, delivered, acked, requeued, …", "<i1"),
            label("member", "to whom it was handed out; none otherwise", "<i4"),
            number("ready", "<i4", "messages then that could be handed out"),
            number("unacked", "<i4", "messages then that were, and are not settled"),
        ),
    }
)
"""Columns of the tables of queues."""

ONE_QUEUE_ROW_PER: Final[Mapping[str, str]] = MappingProxyType(
    {"queues": "thing that happened to a message in a queue"}
)
"""What a row stands for."""

QUEUE_LABELS: Final[Mapping[tuple[str, str], tuple[str, ...]]] = MappingProxyType(
    {("queues", "change"): QUEUE_CHANGES}
)
"""(table, column) → names that kafkasim fixes."""
