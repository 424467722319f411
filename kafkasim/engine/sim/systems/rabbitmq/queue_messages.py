"""What channels and queues of RabbitMQ say to each other, and a cluster to its queues.

A queue's effects are for channels (`Handed`, `Confirmed`, `Refused`, `Released`), for
the host that carries them out (`Flush`, `Replicate`), or tell what became of a message.

What every message needs some of is not frozen, though nobody changes it: to make a
frozen one costs several times as much.
"""

from dataclasses import dataclass
from enum import StrEnum

from kafkasim.engine.sim.systems.rabbitmq.messages import Outcome, Reason, Returned

# From a channel to a queue


@dataclass(slots=True, kw_only=True)
class Enqueue:
    """Take this message in."""

    queue: str
    message: int
    channel: int
    publish_seq_no: int = 0
    """0 if the channel wants no confirms."""
    persistent: bool = True
    node: int = 0
    """Where the channel is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscribe:
    """Deliver to this consumer."""

    queue: str
    channel: int
    consumer_tag: str
    prefetch: int = 0
    auto_ack: bool = False
    priority: int = 0
    timeout_ms: int | None = None
    """Consumer timeout of a quorum queue; None: the queue's (RQ-11)."""
    node: int = 0
    """Where the channel is."""


@dataclass(frozen=True, slots=True)
class Unsubscribe:
    """Deliver to it no more; what it has stays with its channel."""

    queue: str
    channel: int
    consumer_tag: str


@dataclass(slots=True, kw_only=True)
class Settle:
    """These deliveries to a consumer are done with."""

    queue: str
    channel: int
    consumer_tag: str
    positions: tuple[int, ...]
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class ChannelDown:
    """A channel is closed: all that it had unacknowledged is requeued (RQ-8)."""

    queue: str
    channel: int


ToQueue = Enqueue | Subscribe | Unsubscribe | Settle | ChannelDown


# From the cluster to a queue


class Loss(StrEnum):
    """How a node goes."""

    STOPPED = "stopped"
    """Cleanly: its processes end, and everybody learns that they have."""
    CRASHED = "crashed"
    """To the others it is a node that they lost sight of, until it is back."""
    DISCONNECTED = "disconnected"
    """It lives, and the others do not see it (a partition of the network)."""


@dataclass(frozen=True, slots=True)
class NodeDown:
    """A node is gone, with its channels.

    A queue knows which of its consumers were connected there; `ChannelDown` for them is
    not needed.
    """

    node: int
    how: Loss = Loss.CRASHED


@dataclass(frozen=True, slots=True)
class NodeUp:
    """A node is back, with what its disk kept."""

    node: int
    disk_lost: bool = False


@dataclass(slots=True)
class Written:
    """A member of a quorum queue has its log on disk up to an index, incl."""

    node: int
    index: int
    term: int
    """The term of the `Replicate` that it answers; answers of an older one are void."""


@dataclass(frozen=True, slots=True)
class Flushed:
    """A classic queue's messages are on disk up to a position, incl. (see `Flush`)."""

    position: int


ClusterRequest = NodeDown | NodeUp | Written | Flushed

QueueRequest = ToQueue | ClusterRequest


# From a queue to channels


@dataclass(slots=True, kw_only=True)
class Handed:
    """A message for a consumer; its channel makes it a `Deliver`."""

    queue: str
    channel: int
    consumer_tag: str
    position: int
    message: int
    redelivered: bool
    delivery_count: int = 0
    acquired_count: int = 0
    settled: bool = False
    """A classic queue has removed it already: its consumer acknowledges nothing."""


@dataclass(slots=True)
class Confirmed:
    """The queue is answerable for these messages of a channel (RQ-14)."""

    queue: str
    channel: int
    publish_seq_nos: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Refused:
    """The queue cannot take these messages of a channel: its process is gone."""

    queue: str
    channel: int
    publish_seq_nos: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class QueueDown:
    """The process of a queue is gone, and with it this consumer of a channel."""

    queue: str
    channel: int
    consumer_tag: str


@dataclass(frozen=True, slots=True)
class Released:
    """A quorum queue took deliveries back; their channel is to know (RQ-11)."""

    queue: str
    channel: int
    consumer_tag: str
    positions: tuple[int, ...]
    cause: Returned


# From a queue to whoever runs it


@dataclass(slots=True)
class Enqueued:
    """A message is in the queue, ready."""

    queue: str
    position: int
    message: int


@dataclass(slots=True)
class Removed:
    """A message has left the queue."""

    queue: str
    position: int
    message: int
    reason: Reason


@dataclass(frozen=True, slots=True)
class Dropped:
    """A message came into no queue."""

    message: int
    reason: Reason


@dataclass(frozen=True, slots=True)
class Requeued:
    """A message that was delivered is ready again."""

    queue: str
    position: int
    """A quorum queue without a delivery limit gives a new one to what is nacked."""
    was: int
    """Its position before."""
    message: int
    cause: Returned


@dataclass(frozen=True, slots=True)
class Flush:
    """A classic queue wants its messages up to a position, incl., on disk."""

    queue: str
    position: int
    message_count: int


@dataclass(slots=True)
class Replicate:
    """A quorum queue's leader sends its log, from one index to another, both incl.

    To itself too: its own disk counts for one. The host carries it, writes it, and
    brings `Written`.
    """

    queue: str
    node: int
    term: int
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class LeaderChanged:
    """A quorum queue has another leader, or none (-1)."""

    queue: str
    term: int
    node: int


FromQueue = Handed | Confirmed | Refused | QueueDown | Released

QueueEffect = FromQueue | (
    (Enqueued | Removed | Dropped | Requeued) | (Flush | Replicate | LeaderChanged)
)
"""What a queue sends to channels, or tells whoever runs it."""
