"""RabbitMQ: exchanges route messages to queues, and queues forget what is acknowledged.

Little is needed to begin: `RabbitMQ()` is one node, for every stream a fanout exchange
of its name, for every source a publisher with confirms, and for every subscriber a
classic queue of its name, bound to the exchanges of its streams, with one consumer that
may hold 100 messages and acknowledges each by hand when its work is done.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, ClassVar, Final, Literal

from kafkasim.catalogue import say
from kafkasim.config.document import Document, document, setting
from kafkasim.config.frozen import UNSET, FrozenDict
from kafkasim.config.paths import join_path, one_of
from kafkasim.config.rules import AtLeastZero, Positive, Share, Whole
from kafkasim.errors import ValidationError
from kafkasim.scenario.hardware import Hardware

DEFAULT_EXCHANGE: Final = ""
"""The exchange to which every queue is bound by its own name."""
QUORUM_PREFETCH: Final = 2_000
"""The most that a consumer of a quorum queue may hold (RQ-6)."""
PLACEHOLDERS: Final = ("stream", "source", "key")
"""What a routing key may be made of."""
_PLACEHOLDER: Final = re.compile(r"\{([^{}]*)\}")


@document
class Exchange(Document):
    """Where publishers send; it keeps nothing, and has its queues by bindings."""

    type: Literal["fanout", "direct", "topic"] = "fanout"
    """Which bindings it follows: all; those with the routing key itself; those whose
    pattern fits it, word by word, `*` for one word and `#` for any number."""


@document
class Binding(Document):
    """What a queue wants from an exchange."""

    exchange: str
    """Its name."""
    key: str = ""
    """The routing key, or a topic exchange's pattern; a fanout exchange reads none."""


@document
class Queue(Document):
    """The queue of one subscriber; it has the subscriber's name."""

    type: Literal["classic", "quorum"] = "classic"
    """One copy on one node; or copies on several nodes, the majority of which decides
    (Raft)."""
    members: Annotated[int, Whole(1, 99)] = setting(3)
    """Copies of a quorum queue; not said: three, or as many as there are nodes."""
    durable: bool = True
    """Whether it is there again when its node is; a quorum queue always is."""
    declared: Literal["with_consumers", "start"] = "with_consumers"
    """Since when it is there: since its subscriber came, or since the run's start. What
    was published before is not in it: RabbitMQ keeps no history."""
    bindings: Sequence[Binding] = ()
    """What it wants; none: all of its subscriber's streams."""
    delivery_limit: Annotated[int, Whole(-1, 1_000_000)] = setting(20)
    """How often a quorum queue takes a message back that was rejected, or whose
    consumer went, before it drops it; -1: any number, as in classic queues."""
    single_active_consumer: bool = False
    """One consumer gets all, and when it goes another one."""

    def check(self) -> None:
        """Check what only quorum queues have, and what they always have."""
        if self.type == "quorum":
            if not self.durable:
                allowed = say("true for a quorum queue")
                raise ValidationError("durable", self.durable, allowed)
            return
        if self.members is not UNSET and self.members != 1:
            allowed = say("1, or nothing, for a classic queue")
            why = say("mirrored classic queues were removed in RabbitMQ 4.0")
            raise ValidationError("members", self.members, allowed, why)
        if self.delivery_limit is not UNSET and self.delivery_limit != -1:
            allowed = say("-1, or nothing, for a classic queue")
            why = say("only quorum queues count")
            raise ValidationError("delivery_limit", self.delivery_limit, allowed, why)


@document
class Publisher(Document):
    """The client of one source; it has the source's name."""

    exchange: str = UNSET
    """Where it publishes; not said: the exchange that has the stream's name. An empty
    name is the default exchange, which knows every queue by its name."""
    routing_key: str = "{stream}"
    """The routing key of each message, in which `{stream}`, `{source}` and `{key}` (the
    record's, nothing if it has none) stand for these."""
    confirms: bool = True
    """Whether the node confirms what it has taken over; if it does not, nobody learns
    what is lost, and nothing is sent again."""
    persistent: bool = True
    """Whether messages are written to disk, so that they survive a restart of a classic
    queue's node; a quorum queue writes all."""
    mandatory: bool = False
    """Whether a message that no queue wants comes back, instead of being dropped."""
    max_unconfirmed: Annotated[int, Whole(1, 1_000_000)] | None = None
    """How many messages may wait for their confirms before the source is blocked; none:
    any number."""
    retry_ms: Positive = 100.0
    """How long it waits before it connects anew, or sends again what a node refused."""

    def check(self) -> None:
        """Check the routing key, and that there is something to count."""
        for found in _PLACEHOLDER.findall(self.routing_key):
            if found not in PLACEHOLDERS:
                allowed = say(
                    "text in which braces hold {names}", names=one_of(PLACEHOLDERS)
                )
                raise ValidationError("routing_key", self.routing_key, allowed)
        if set("{}") & set(_PLACEHOLDER.sub("", self.routing_key)):
            allowed = say("text in which every brace has its other one")
            raise ValidationError("routing_key", self.routing_key, allowed)
        if self.max_unconfirmed is not None and not self.confirms:
            allowed = say("none without confirms")
            why = say("nothing is ever confirmed")
            raise ValidationError("max_unconfirmed", self.max_unconfirmed, allowed, why)


@document
class Consumers(Document):
    """The consumers of one subscriber's queue, which share its messages."""

    count: Annotated[int, Whole(1, 100_000)] = 1
    """How many; each works on one message after the other."""
    prefetch: Annotated[int, Whole(0, 65_535)] = 100
    """How many messages each may hold that are not acknowledged (`basic.qos`); 0: any
    number, of a quorum queue 2,000."""
    ack: Literal["manual", "auto"] = "manual"
    """By hand, when the work is done; or a message counts as done as soon as the node
    has sent it."""
    retry_ms: Positive = 100.0
    """How long each waits before it connects anew when its connection is lost."""
    ack_every: Annotated[int, Whole(1, 65_535)] = 1
    """Acknowledge so many with one frame (`multiple`), or fewer when all is done."""
    failing_share: Share = 0.0
    """Probability that work on a message fails, each time anew."""
    on_failure: Literal["nack", "reject"] = "nack"
    """How a consumer tells it (`basic.nack`, `basic.reject`): a quorum queue counts
    rejections against its delivery limit, and nacks not."""
    requeue: bool = True
    """Whether what failed goes back to the queue; else it is gone."""
    priorities: Sequence[int] = ()
    """Priority of each consumer, the first one's first (`x-priority`): who has a higher
    one gets messages as long as it may hold more; those not named have 0."""

    def check(self) -> None:
        """Check that what is to be acknowledged together may be held together."""
        if self.ack == "auto":
            self._check_auto()
        elif self.prefetch and self.ack_every > self.prefetch:
            allowed = say("at most the prefetch of {prefetch}", prefetch=self.prefetch)
            why = say("a consumer that holds fewer would never get the last of them")
            raise ValidationError("ack_every", self.ack_every, allowed, why)
        if len(self.priorities) > self.count:
            allowed = say(
                "at most {count} numbers, one for each consumer", count=self.count
            )
            raise ValidationError("priorities", self.priorities, allowed)

    def _check_auto(self) -> None:
        """Refuse what needs acknowledgements."""
        why = say("a message is gone from the queue before anybody works on it")
        if self.ack_every != 1:
            raise ValidationError(
                "ack_every", self.ack_every, say("1 with ack='auto'"), why
            )
        if self.failing_share:
            allowed = say("0 with ack='auto'")
            raise ValidationError("failing_share", self.failing_share, allowed, why)


@document
class RabbitMQ(Document):
    """A RabbitMQ cluster and its clients.

    Each queue is led by one node, the first by the first, and so on in turn, in the
    order of their names. A source's publisher is connected to one node, likewise in
    turn; consumers are connected to the node that leads their queue.

    Examples
    --------
    >>> RabbitMQ(nodes=3, queues={"billing": Queue(type="quorum")})
    RabbitMQ(nodes=3, queues={'billing': Queue(type='quorum')})
    """

    written_as: ClassVar[str] = "rabbitmq"

    nodes: Annotated[int, Whole(1, 99)] = 1
    """Number of nodes, numbered from 1."""
    exchanges: Mapping[str, Exchange] = FrozenDict()
    """By name; each stream has one of its name."""
    queues: Mapping[str, Queue] = FrozenDict()
    """By subscriber."""
    publishers: Mapping[str, Publisher] = FrozenDict()
    """By source."""
    consumers: Mapping[str, Consumers] = FrozenDict()
    """By subscriber."""
    hardware: Hardware = Hardware()
    """Network, processors and disks."""
    sync_interval_ms: AtLeastZero = 200.0
    """How long persistent messages of classic queues wait for others before all are
    written to disk with one flush, and confirmed (RQ-14)."""
    rabbitmq_version: Literal["4.3"] = "4.3"
    """Whose rules hold."""

    def check(self) -> None:
        """Check that there are nodes for all copies, and credit for all consumers."""
        for name, queue in self.queues.items():
            if queue.members is not UNSET and queue.members > self.nodes:
                path = join_path(("queues", name, "members"))
                allowed = say("at most {nodes}, the number of nodes", nodes=self.nodes)
                raise ValidationError(path, queue.members, allowed)
        for name, consumers in self.consumers.items():
            queue = self.queues.get(name, Queue())
            if queue.type == "quorum" and consumers.prefetch > QUORUM_PREFETCH:
                path = join_path(("consumers", name, "prefetch"))
                allowed = say("at most {most} of a quorum queue", most=QUORUM_PREFETCH)
                raise ValidationError(path, consumers.prefetch, allowed)
