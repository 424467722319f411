"""The cluster of a run: connections and channels, and what goes over them in time.

The machines decide what is said; here it is carried. A message takes an entry of the
calendar for each way that it goes: to its node, through the process of each of its
queues, to a consumer, and back as a confirm and as an acknowledgement; between two
nodes, another one.
"""

from collections.abc import Callable, Iterable
from typing import Any, Final

from kafkasim.engine.sim.calendar import Calendar, Rank, key_base
from kafkasim.engine.sim.hosts import Hosts
from kafkasim.engine.sim.network import Pipe
from kafkasim.engine.sim.request import Connection
from kafkasim.engine.sim.systems.rabbitmq.channel import Channel
from kafkasim.engine.sim.systems.rabbitmq.consumers import Consuming, Delivery
from kafkasim.engine.sim.systems.rabbitmq.exchanges import Exchanges
from kafkasim.engine.sim.systems.rabbitmq.feed import ORDINAL
from kafkasim.engine.sim.systems.rabbitmq.messages import (
    CancelConsumer,
    ChannelClosed,
    ClientRequest,
    CloseChannel,
    Closing,
    Confirm,
    Consume,
    Deliver,
    Publish,
    PublishNack,
    Return,
)
from kafkasim.engine.sim.systems.rabbitmq.node import Job, Node
from kafkasim.engine.sim.systems.rabbitmq.publisher import Publishing
from kafkasim.engine.sim.systems.rabbitmq.queue_hosts import QueueHosts
from kafkasim.engine.sim.systems.rabbitmq.queue_messages import (
    Dropped,
    Enqueue,
    Settle,
)
from kafkasim.engine.sim.timeline import Timeline
from kafkasim.units import NS_PER_MS

_TAG: Final = "c"
"""Consumer tag: each consumer has a channel of its own."""


class Ways:
    """The pipes between two hosts, and what went over them."""

    __slots__ = ("down", "moved", "sent", "up")

    def __init__(self, up: Pipe, down: Pipe) -> None:
        self.up = up
        self.down = down
        self.sent = [0, 0]
        """Messages there and back."""
        self.moved = [0, 0]
        """Their bytes."""

    def there(self, now_ns: int, size_bytes: int) -> int:
        """Send there; return when it arrives."""
        self.sent[0] += 1
        self.moved[0] += size_bytes
        return self.up.transfer(now_ns, size_bytes)

    def back(self, now_ns: int, size_bytes: int) -> int:
        """Send back; return when it arrives."""
        self.sent[1] += 1
        self.moved[1] += size_bytes
        return self.down.transfer(now_ns, size_bytes)


class Cluster:
    """All connections of a run, and the channels behind them.

    Parameters
    ----------
    calendar, timeline
        The run's.
    actor : int
        Its number among the run's actors.
    hosts : Hosts
        Makes pipes.
    nodes : list of Node
        All.
    exchanges : Exchanges
        Those of the cluster.
    """

    def __init__(
        self,
        calendar: Calendar,
        timeline: Timeline,
        *,
        actor: int,
        hosts: Hosts,
        nodes: list[Node],
        exchanges: Exchanges,
    ) -> None:
        self._calendar = calendar
        self._timeline = timeline
        self._hosts = hosts
        self._arrival_key = key_base(Rank.ARRIVAL, actor)
        self.nodes = nodes
        self.exchanges = exchanges
        self.queues: QueueHosts
        self._channels: dict[int, Channel] = {}
        self._owners: dict[int, Publishing | Consuming] = {}
        self._at: dict[int, Node] = {}
        """Owners and nodes of channels, by number."""
        self._numbers = 0
        self.ways: dict[tuple[str, str], Ways] = {}
        self._held: dict[int, list[tuple[Callable[[Any], None], Any]]] = {}
        """What came to a node that stands still."""

    # --- connections --------------------------------------------------------------

    def _ways(self, there: str, here: str) -> Ways:
        found = self.ways.get((there, here))
        if found is None:
            up = self._hosts.pipe(there, here)
            down = self._hosts.pipe(here, there, messages="responses")
            found = self.ways[there, here] = Ways(up, down)
        return found

    def between(self, one: Node, other: Node) -> Pipe:
        """Return the pipe from one node to another."""
        return self._ways(one.host, other.host).up

    def _open(self, owner: Publishing | Consuming, node: Node, ways: Ways) -> None:
        """Give a client a connection, and a channel behind it."""
        self._numbers = number = self._numbers + 1
        owner.channel = number
        owner.connection = Connection(
            client=number, broker=node.code, up=ways.up, down=ways.down
        )
        owner.connection.on_lost = self.lose
        self._channels[number] = Channel(number, self.exchanges, node=node.code)
        self._owners[number] = owner
        self._at[number] = node

    def connect_publisher(self, publisher: Publishing) -> bool:
        """Connect a publisher to its node, or else the next one that is up."""
        first = publisher.feed.code
        for step in range(len(self.nodes)):
            node = self.nodes[(first + step) % len(self.nodes)]
            if node.up:
                publisher.node = node
                host = f"source:{publisher.feed.plan.source}"
                publisher.ways = self._ways(host, node.host)
                self._open(publisher, node, publisher.ways)
                return True
        return False

    def connect(self, consumer: Consuming) -> bool:
        """Connect a consumer to the node that leads its queue, and subscribe."""
        node = self.queues.hosted[consumer.queue].process.node
        if not node.up:
            return False
        consumer.ways = self._ways(node.host, f"member:{consumer.name}")
        self._open(consumer, node, consumer.ways)
        settings = consumer.settings
        request = Consume(
            queue=consumer.queue,
            consumer_tag=_TAG,
            prefetch=settings.prefetch,
            auto_ack=settings.ack == "auto",
            priority=consumer.priority,
        )
        if consumer.is_from_start:
            consumer.is_from_start = False
            self._from_client((consumer.channel, request))
        else:
            self.say(consumer, request)
        return True

    def is_open(self, number: int) -> bool:
        """Return whether a channel is there."""
        return number in self._channels

    def lose(self, connection: Connection) -> None:
        """Let both ends of a connection learn that it is broken."""
        if connection.broken:
            return
        connection.broken = True
        owner = self._owners.get(connection.client)
        if owner is None or owner.connection is not connection:
            return
        self._close((connection.client, Closing.CONNECTION_LOST))
        owner.connection_lost()

    def _close(self, closing: tuple[int, Closing]) -> None:
        """Close a channel at its node."""
        number, cause = closing
        at = self._at.get(number)
        if at is not None and not self._waits(at, self._close, closing):
            self._from_client((number, CloseChannel(cause)))
            self._forget(number)

    def _forget(self, number: int) -> None:
        del self._channels[number], self._owners[number], self._at[number]

    def leave(self, publisher: Publishing) -> None:
        """Let a publisher's node learn that it has crashed."""
        if publisher.connection is not None:
            publisher.connection.broken = True
            self._close((publisher.channel, Closing.CONNECTION_LOST))

    def hang_up(self, consumer: Consuming) -> None:
        """Let a consumer's node learn that its connection is closed."""
        assert consumer.connection is not None
        consumer.connection.broken = True
        arrives_ns = consumer.ways.down.transfer(self._calendar.now_ns, 0)
        consumer.reply_key += 1
        closing = consumer.channel, Closing.CONNECTION_LOST
        self._calendar.at(arrives_ns, consumer.reply_key, self._close, closing)

    # --- from clients -------------------------------------------------------------

    def publish(self, publisher: Publishing, ordinal: int, number: int) -> None:
        """Send a message of a publisher to its node."""
        feed, settings = publisher.feed, publisher.settings
        size_bytes = feed.sizes[ordinal]
        request = Publish(
            message=feed.base + ordinal,
            exchange=settings.exchange,
            routing_key=publisher.routing_key(ordinal),
            publish_seq_no=number,
            mandatory=settings.mandatory,
            persistent=settings.persistent,
            size_bytes=size_bytes,
        )
        arrives_ns = publisher.ways.there(self._calendar.now_ns, size_bytes)
        publisher.arrival_key += 1
        what = publisher, publisher.channel, request
        self._calendar.at(arrives_ns, publisher.arrival_key, self._arrive, what)

    def _arrive(self, what: tuple[Publishing, int, Publish]) -> None:
        """Take a message in, through the card that all who send to it share."""
        publisher, _, request = what
        now_ns = self._calendar.now_ns
        if request.size_bytes:
            there_ns = publisher.ways.up.receive(now_ns, request.size_bytes)
            if there_ns > now_ns:
                publisher.arrival_key += 1
                self._calendar.at(there_ns, publisher.arrival_key, self._route, what)
                return
        self._route(what)

    def _route(self, what: tuple[Publishing, int, Publish]) -> None:
        publisher, number, request = what
        if number in self._channels:
            if self._waits(self._at[number], self._route, what):
                return
            self._from_client((number, request))
        if not request.publish_seq_no:
            publisher.sent(request.message & ORDINAL)

    def _waits(
        self, node: Node, function: Callable[[Any], None], argument: object
    ) -> bool:
        """Let something wait if its node stands still; return whether it does."""
        if node.paused:
            self._held.setdefault(node.code, []).append((function, argument))
        return node.paused

    def say(self, consumer: Consuming, request: ClientRequest) -> None:
        """Send what a consumer says to its node."""
        arrives_ns = consumer.ways.back(self._calendar.now_ns, 0)
        consumer.reply_key += 1
        what = consumer.channel, request
        self._calendar.at(arrives_ns, consumer.reply_key, self._from_client, what)

    def _from_client(self, what: tuple[int, ClientRequest]) -> None:
        number, request = what
        channel = self._channels.get(number)
        if channel is None:
            return
        node = self._at[number]
        if self._waits(node, self._from_client, what):
            return
        now_ms = self._calendar.now_ns // NS_PER_MS
        self._perform(channel.handle(request, now_ms), node)

    # --- what channels decide -----------------------------------------------------

    def to_channel(self, message: Any, node: Node) -> int:  # noqa: ANN401
        """Take what a queue on a node tells a channel.

        Returns
        -------
        int
            The code of the consumer that gets a message; -1 if it is none.
        """
        number = message.channel
        at = self._at.get(number)
        if at is None:
            return -1
        if at is node:
            self._tell_channel((number, message))
        else:
            arrives_ns = self.between(node, at).transfer(self._calendar.now_ns, 0)
            self._arrival_key += 1
            what = number, message
            self._calendar.at(arrives_ns, self._arrival_key, self._tell_channel, what)
        owner = self._owners.get(number)
        return owner.code if isinstance(owner, Consuming) else -1

    def _tell_channel(self, what: tuple[int, Any]) -> None:
        number, message = what
        channel = self._channels.get(number)
        if channel is not None:
            now_ms = self._calendar.now_ns // NS_PER_MS
            self._perform(channel.handle(message, now_ms), self._at[number])

    def _perform(self, effects: Iterable[Any], node: Node) -> None:
        for effect in effects:
            match effect:
                case Enqueue():
                    self.queues.expect(effect)
                    size_bytes = self.queues.size_of(effect.message)
                    self._to_queue(Job(effect, costs=True, size_bytes=size_bytes), node)
                case Settle():
                    self._to_queue(Job(effect, costs=True), node)
                case Deliver():
                    self._deliver(effect)
                case Confirm() | PublishNack() | Return():
                    self._to_publisher(effect)
                case ChannelClosed() | Dropped() | CancelConsumer():
                    pass
                case _:
                    self._to_queue(Job(effect, costs=False), node)

    def _to_queue(self, job: Job, node: Node) -> None:
        """Tell the process of a queue something, over the link between nodes if so."""
        hosted = self.queues.hosted[job.request.queue]
        to = hosted.process.node
        if to is node or not to.up:
            self.queues.tell(hosted, job)
            return
        now_ns = self._calendar.now_ns
        self._arrival_key += 1
        self._calendar.at(
            self._ways(node.host, to.host).there(now_ns, job.size_bytes),
            self._arrival_key,
            self._told,
            (hosted, job),
        )

    def _told(self, what: Any) -> None:  # noqa: ANN401
        self.queues.tell(*what)

    # --- to clients ---------------------------------------------------------------

    def _deliver(self, effect: Deliver) -> None:
        consumer = self._owners[effect.channel]
        assert isinstance(consumer, Consuming)
        if consumer.settings.ack == "auto":
            self._timeline.unsettled += 1
        size_bytes = self.queues.size_of(effect.message)
        arrives_ns = consumer.ways.there(self._calendar.now_ns, size_bytes)
        delivery = Delivery(effect.message, effect.delivery_tag)
        consumer.arrival_key += 1
        what = consumer, effect.channel, delivery
        self._calendar.at(arrives_ns, consumer.arrival_key, self._delivered, what)

    def _delivered(self, what: tuple[Consuming, int, Delivery]) -> None:
        """Take a delivery in, through the consumer's card."""
        consumer, _, delivery = what
        size_bytes = self.queues.size_of(delivery.message)
        now_ns = self._calendar.now_ns
        if size_bytes:
            there_ns = consumer.ways.up.receive(now_ns, size_bytes)
            if there_ns > now_ns:
                consumer.arrival_key += 1
                self._calendar.at(there_ns, consumer.arrival_key, self._take, what)
                return
        self._take(what)

    def _take(self, what: tuple[Consuming, int, Delivery]) -> None:
        consumer, number, delivery = what
        if consumer.connection is not None and consumer.channel == number:
            consumer.take(delivery)
        elif consumer.settings.ack == "auto":
            self._timeline.settle(1)

    def _to_publisher(self, effect: Confirm | PublishNack | Return) -> None:
        publisher = self._owners[effect.channel]
        assert isinstance(publisher, Publishing)
        size_bytes = 0
        if isinstance(effect, Return):
            size_bytes = self.queues.size_of(effect.message)
        arrives_ns = publisher.ways.back(self._calendar.now_ns, size_bytes)
        publisher.confirm_key += 1
        what = publisher, effect
        self._calendar.at(arrives_ns, publisher.confirm_key, self._answered, what)

    @staticmethod
    def _answered(what: tuple[Publishing, Confirm | PublishNack | Return]) -> None:
        publisher, effect = what
        if publisher.connection is None or publisher.channel != effect.channel:
            return
        if isinstance(effect, Return):
            publisher.returned(effect.message & ORDINAL)
            return
        publisher.confirmed(
            effect.publish_seq_no,
            multiple=effect.multiple,
            refused=isinstance(effect, PublishNack),
        )

    # --- nodes --------------------------------------------------------------------

    def crash(self, node: Node) -> None:
        """Let a node stop at once, and all connections to it break."""
        node.up = node.paused = False
        node.epoch += 1
        self._held.pop(node.code, None)
        there = [number for number, at in self._at.items() if at is node]
        owners = [self._owners[number] for number in there]
        for number in there:
            self._forget(number)
        self.queues.node_down(node)
        for owner in owners:
            if owner.connection is not None:
                owner.connection.broken = True
                owner.connection_lost()

    def restart(self, node: Node) -> None:
        """Let a node come back with what its disk kept."""
        node.up = True
        self.queues.node_up(node)

    def stand_still(self, node: Node, until_ns: int) -> None:
        """Let a node do nothing until a time."""
        node.paused, node.until_ns = True, until_ns
        for hosted in self.queues.hosted.values():
            if hosted.process.node is node:
                hosted.process.stand_still(until_ns)

    def go_on(self, node: Node) -> None:
        """Let a node go on with what has come, unless a crash has ended its pause."""
        if not node.paused:
            return
        node.paused = False
        for function, argument in self._held.pop(node.code, []):
            function(argument)
        for hosted in self.queues.hosted.values():
            if hosted.process.node is node:
                hosted.process.go_on()
