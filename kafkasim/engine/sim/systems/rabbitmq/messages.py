"""What a client of RabbitMQ and its channel say to each other.

A client talks to its *channel* (a process of the node it is connected to), a channel to
*queues* (each a process on one node, or a leader with followers), and back:

    client  --Publish, Consume, Ack->     channel  --Enqueue, Subscribe, Settle->  queue
    client  <-Deliver, Confirm, Return--  channel  <-Handed, Confirmed, Released-- queue

Every arrow is a message that a host may carry over a link and in time; the machines
decide and carry nothing. What stands between channels and queues is in
`queue_messages`. Names are those of AMQP 0-9-1 (`basic.publish`: `Publish`) and of
RabbitMQ's own processes where it has them.

A message is known by an `int` that the host maps to what it is; a queue tells copies
apart by their *position*, an `int` that grows with each message it takes in, so the
same message may be in it twice (RQ-15). Channels are numbered by the host, nodes too;
times are milliseconds.

Hosts that move many messages need none of these objects for each: every machine has
parts with the same rules that take and give plain numbers.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Outcome(StrEnum):
    """What a client says of a delivery, as its channel tells the queue."""

    ACK = "acked"
    NACK = "nacked, requeue"
    """basic.nack with requeue."""
    NACK_DISCARD = "nacked"
    """basic.nack without requeue."""
    REJECT = "rejected, requeue"
    """basic.reject with requeue; a quorum queue counts it (RQ-10)."""
    REJECT_DISCARD = "rejected"
    """basic.reject without requeue."""


REQUEUES: Final = (Outcome.NACK, Outcome.REJECT)
"""Outcomes after which the message stays in the queue."""


class Reason(StrEnum):
    """Why a message left a queue, or never came into one."""

    ACKED = "acked"
    AUTO_ACKED = "auto-acked"
    """Written to the consumer's connection, which counts as delivered (RQ-7)."""
    NACKED = "nacked"
    """basic.nack without requeue: dropped, for there is no dead letter exchange."""
    REJECTED = "rejected"
    """basic.reject without requeue: likewise."""
    DELIVERY_LIMIT = "delivery_limit"
    """A quorum queue gave up on it; likewise."""
    NOT_PERSISTENT = "not persistent"
    """Its node restarted and it was in memory alone (RQ-3)."""
    NOT_ON_DISK = "not yet on disk"
    """Its node crashed before its messages were written (RQ-14)."""
    DISK_LOST = "disk lost"
    """Its node came back without its disk; a classic queue has no replica."""
    NOT_DURABLE = "queue not durable"
    """Its queue is gone with the node (RQ-3)."""
    UNROUTABLE = "unroutable"
    """No queue is bound for its routing key (RQ-1)."""
    NOT_REPLICATED = "not replicated"
    """A quorum queue's leader died with it, and so did its channel (RQ-4)."""


class Returned(StrEnum):
    """Why a message is back in its queue."""

    NACKED = "nacked"
    REJECTED = "rejected"
    CHANNEL_CLOSED = "channel closed"
    TIMEOUT = "consumer timeout"
    """It was unacknowledged for longer than the consumer timeout (RQ-11)."""
    DISCONNECTED = "consumer's node disconnected"
    """For longer than 60 s (RQ-11)."""
    NODE_RESTARTED = "node restarted"


class Closing(StrEnum):
    """Why a channel closes."""

    CLOSED = "closed by the client"
    CONNECTION_LOST = "connection lost"
    """The client died, or its node did."""
    UNKNOWN_DELIVERY_TAG = "PRECONDITION_FAILED: unknown delivery tag"
    CONSUMER_TIMEOUT = "PRECONDITION_FAILED: consumer timeout"
    UNKNOWN_EXCHANGE = "NOT_FOUND: exchange"
    UNKNOWN_QUEUE = "NOT_FOUND: queue"
    CONSUMER_TAG_IN_USE = "NOT_ALLOWED: consumer tag"
    """The server ends the whole connection; here each of its channels is told."""


# From a client to its channel


@dataclass(frozen=True, slots=True, kw_only=True)
class Publish:
    """basic.publish."""

    message: int
    exchange: str = ""
    """The default exchange routes to the queue of that name."""
    routing_key: str = ""
    publish_seq_no: int = 0
    mandatory: bool = False
    """Return it if no queue takes it."""
    persistent: bool = True
    """Delivery mode 2."""
    size_bytes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Consume:
    """basic.consume: a subscription of this channel to a queue."""

    queue: str
    consumer_tag: str
    prefetch: int = 0
    """basic.qos in force: deliveries that may be unacknowledged; 0 without a limit."""
    auto_ack: bool = False
    priority: int = 0
    """x-priority."""
    timeout_ms: int | None = None
    """x-consumer-timeout, of a quorum queue; None: the queue's."""


@dataclass(frozen=True, slots=True)
class Cancel:
    """basic.cancel: no new deliveries; what is unacknowledged stays so."""

    consumer_tag: str


@dataclass(frozen=True, slots=True)
class Ack:
    """basic.ack."""

    delivery_tag: int
    multiple: bool = False
    """Also all lower tags; tag 0 then means all."""


@dataclass(frozen=True, slots=True)
class Nack:
    """basic.nack."""

    delivery_tag: int
    multiple: bool = False
    requeue: bool = True


@dataclass(frozen=True, slots=True)
class Reject:
    """basic.reject: one delivery."""

    delivery_tag: int
    requeue: bool = True


@dataclass(frozen=True, slots=True)
class CloseChannel:
    """channel.close, or the end of the connection."""

    cause: Closing = Closing.CLOSED


ClientRequest = Publish | Consume | Cancel | Ack | Nack | Reject | CloseChannel


# From a channel to its client


@dataclass(slots=True, kw_only=True)
class Deliver:
    """basic.deliver."""

    channel: int
    consumer_tag: str
    delivery_tag: int
    """Of the channel, from 1; it is what the client acknowledges."""
    message: int
    queue: str
    redelivered: bool
    delivery_count: int
    """x-delivery-count of a quorum queue: deliveries that failed; 0 from a classic."""
    acquired_count: int
    """x-acquired-count, likewise: deliveries that came back, failed or not."""


@dataclass(slots=True)
class Confirm:
    """basic.ack to a publisher."""

    channel: int
    publish_seq_no: int
    multiple: bool
    """Also all lower numbers."""


@dataclass(slots=True)
class PublishNack:
    """basic.nack to a publisher: a queue could not take the message."""

    channel: int
    publish_seq_no: int
    multiple: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Return:
    """basic.return, NO_ROUTE: nobody took a mandatory message; its confirm follows."""

    channel: int
    message: int
    exchange: str
    routing_key: str


@dataclass(frozen=True, slots=True)
class CancelConsumer:
    """basic.cancel from the broker: a consumer that let its timeout pass (RQ-11)."""

    channel: int
    consumer_tag: str


@dataclass(frozen=True, slots=True)
class ChannelClosed:
    """The channel is closed; if the broker did it, the client is told the cause."""

    channel: int
    cause: Closing


ChannelEffect = (
    Deliver | Confirm | PublishNack | Return | CancelConsumer | ChannelClosed
)
"""What a channel sends to its client."""
