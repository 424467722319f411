"""Connections of clients to nodes, each with a channel behind it."""

from collections.abc import Callable, Sequence
from typing import Any, Final

from kafkasim.engine.sim.calendar import Calendar, Rank, key_base
from kafkasim.engine.sim.hosts import Hosts
from kafkasim.engine.sim.network import Pipe
from kafkasim.engine.sim.request import Connection
from kafkasim.engine.sim.systems.rabbitmq.channel import Channel
from kafkasim.engine.sim.systems.rabbitmq.consumers import Consuming
from kafkasim.engine.sim.systems.rabbitmq.exchanges import Exchanges
from kafkasim.engine.sim.systems.rabbitmq.feed import Feed
from kafkasim.engine.sim.systems.rabbitmq.messages import (
    ClientRequest,
    CloseChannel,
    Closing,
    Consume,
)
from kafkasim.engine.sim.systems.rabbitmq.node import Node
from kafkasim.engine.sim.systems.rabbitmq.publisher import Publishing
from kafkasim.engine.sim.systems.rabbitmq.quorum_hosts import QuorumHosts
from kafkasim.engine.sim.systems.rabbitmq.ways import Ways
from kafkasim.engine.sim.timeline import Timeline

_TAG: Final = "c"
"""Consumer tag: each consumer has a channel of its own."""


class Connections:
    """The connections of a run, and the channels behind them.

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
    feeds : sequence of Feed
        By source.
    sure_ns : int
        Before then every delivery arrives when its link has brought it: nothing befalls
        it, and its consumer's card takes in nothing else.
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
        feeds: Sequence[Feed],
        sure_ns: int,
    ) -> None:
        self._calendar = calendar
        self._timeline = timeline
        self._hosts = hosts
        self._arrival_key = key_base(Rank.ARRIVAL, actor)
        self.sure_ns = sure_ns
        self._feeds = feeds
        self.nodes = nodes
        self.exchanges = exchanges
        self.queues: QuorumHosts
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

    # --- what goes over them ------------------------------------------------------

    def say(self, consumer: Consuming, request: ClientRequest) -> None:
        """Send what a consumer says to its node."""
        raise NotImplementedError

    def _from_client(self, what: tuple[int, ClientRequest]) -> None:
        """Take what a client says to its channel."""
        raise NotImplementedError

    def _waits(
        self, node: Node, function: Callable[[Any], None], argument: object
    ) -> bool:
        """Let something wait if its node stands still; return whether it does."""
        if node.paused:
            self._held.setdefault(node.code, []).append((function, argument))
        return node.paused
