"""The cluster of a run: connections and channels, and what goes over them in time.

The machines decide what is said; here it is carried. A message takes an entry of the
calendar for each way that it goes: to its node, through the process of each queue, to a
consumer, back as a confirm and as an acknowledgement, and from node to node. While
nothing can happen on the way, it is worked out at once when a consumer has a message,
and a publisher its confirm.
"""

from collections.abc import Iterable
from typing import Any

from kafkasim.engine.sim.systems.rabbitmq.consumers import Consuming
from kafkasim.engine.sim.systems.rabbitmq.messages import (
    CancelConsumer,
    ChannelClosed,
    ClientRequest,
    Confirm,
    Deliver,
    Outcome,
    PublishNack,
    Return,
)
from kafkasim.engine.sim.systems.rabbitmq.node import AT_ONCE, Job, Node
from kafkasim.engine.sim.systems.rabbitmq.publisher import Publishing
from kafkasim.engine.sim.systems.rabbitmq.queue_messages import (
    Dropped,
    Enqueue,
    Settle,
)
from kafkasim.engine.sim.systems.rabbitmq.sender import Sent
from kafkasim.engine.sim.systems.rabbitmq.to_clients import ToClients
from kafkasim.units import NS_PER_MS


class Cluster(ToClients):
    """What goes over the connections of a run."""

    # --- from clients -------------------------------------------------------------

    def publish(
        self, publisher: Publishing, ordinal: int, number: int, at_ns: int
    ) -> None:
        """Send a message of a publisher to its node."""
        size_bytes = publisher.feed.sizes[ordinal]
        arrives_ns = publisher.ways.there(at_ns, size_bytes)
        publisher.arrival_key = key = publisher.arrival_key + 1
        sent = publisher, publisher.channel, ordinal, number
        self._calendar.push((arrives_ns, key, self.arrive, sent))

    def arrive(self, sent: Sent) -> None:
        """Take a message in, through the card that all who send to it share."""
        publisher, _, ordinal, _ = sent
        if publisher.send_ahead is not None:
            publisher.under_way -= 1
            publisher.send_ahead()
        now_ns, up = self._calendar.now_ns, publisher.ways.up
        up.receive(now_ns, publisher.feed.sizes[ordinal])
        if up.held_ns >= now_ns:
            publisher.arrival_key += 1
            self._calendar.push((up.held_ns, publisher.arrival_key, self._route, sent))
            return
        self._route(sent)

    def _route(self, sent: Sent) -> None:
        publisher, number, ordinal, seq = sent
        channel = self._channels.get(number)
        if channel is not None:
            node = self._at[number]
            if node.paused and self._waits(node, self._route, sent):
                return
            key = publisher.fixed_key
            if key is None:
                key = publisher.routing_key(ordinal)
            queues = channel.publish(publisher.exchange, key, seq)
            for queue in queues:
                self._into(queue, sent, node)
            if not queues:
                message = publisher.feed.base + ordinal
                self._send_back(publisher, number, message, key)
                self._answer(channel)
        if not seq:
            publisher.sent(ordinal)

    def _send_back(
        self, publisher: Publishing, number: int, message: int, key: str
    ) -> None:
        """Return a message that no queue wants, if its publisher asked for that."""
        if publisher.settings.mandatory:
            exchange = publisher.settings.exchange
            self._return(
                Return(
                    channel=number, message=message, exchange=exchange, routing_key=key
                )
            )

    def _into(self, queue: str, sent: Sent, node: Node) -> None:
        """Bring a message to the process of a queue.

        It is unsettled from then on; one that was sent before is no progress.
        """
        publisher, number, ordinal, seq = sent
        feed, queues = publisher.feed, self.queues
        hosted = queues.hosted[queue]
        if feed.send_count[ordinal] > 1:
            self._timeline.renew(1, 1)
        else:
            self._timeline.unsettled += 1
        size_bytes = feed.sizes[ordinal]
        process = hosted.process
        if process.node is node and process.node.up:
            do = queues.append if hosted.is_quorum else queues.take_in
            process.tell((do, sent, size_bytes))
            return
        enqueue = Enqueue(
            queue=queue,
            message=feed.base + ordinal,
            channel=number,
            publish_seq_no=seq,
            persistent=publisher.settings.persistent,
            node=node.code,
        )
        self._to_queue((self.queues.do, enqueue, size_bytes), node)

    def say(self, consumer: Consuming, request: ClientRequest) -> None:
        """Send what a consumer says to its node."""
        arrives_ns = consumer.ways.back(self._calendar.now_ns, 0)
        consumer.reply_key += 1
        what = consumer.channel, request
        self._calendar.at(arrives_ns, consumer.reply_key, self._from_client, what)

    def acknowledge(
        self,
        consumer: Consuming,
        tag: int,
        multiple: bool,  # noqa: FBT001 - of each message
    ) -> None:
        """Send a consumer's acknowledgement to its node."""
        arrives_ns = consumer.ways.back(self._calendar.now_ns, 0)
        consumer.reply_key += 1
        what = consumer.channel, tag, multiple
        self._calendar.push((arrives_ns, consumer.reply_key, self._acked, what))

    def _acked_one(self, what: tuple[int, int]) -> None:
        """Bring the acknowledgement of one delivery, before anything happens."""
        number, tag = what
        queue, consumer_tag, position = self._channels[number].settle_one(tag)
        queues = self.queues
        hosted = queues.hosted[queue]
        do = queues.append_ack if hosted.is_quorum else queues.let_one_go
        hosted.process.tell((do, (number, consumer_tag, position), 0))

    def _acked(self, what: tuple[int, int, bool]) -> None:
        """Bring acknowledgements to the processes of queues."""
        number, delivery_tag, multiple = what
        channel = self._channels.get(number)
        if channel is None:
            return
        node = self._at[number]
        if node.paused and self._waits(node, self._acked, what):
            return
        settled = channel.settle(delivery_tag, multiple=multiple)
        assert settled is not None  # a consumer acknowledges what it has
        for (queue, tag), positions in settled.items():
            hosted = self.queues.hosted[queue]
            if hosted.is_quorum or hosted.process.node is not node:
                settle = Settle(
                    queue=queue,
                    channel=number,
                    consumer_tag=tag,
                    positions=tuple(positions),
                    outcome=Outcome.ACK,
                )
                self._to_queue((self.queues.do, settle, 0), node)
            else:
                acked = number, tag, positions
                hosted.process.tell((self.queues.let_go, acked, 0))

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
                case Settle():
                    self._to_queue((self.queues.do, effect, 0), node)
                case Deliver():
                    number, tag = effect.channel, effect.delivery_tag
                    owner = self._owners[number]
                    assert type(owner) is Consuming
                    self._send_to_consumer(owner, effect.message, tag)
                case Confirm() | PublishNack():
                    self._tell_publisher(
                        effect.channel,
                        effect.publish_seq_no,
                        multiple=effect.multiple,
                        refused=type(effect) is PublishNack,
                    )
                case ChannelClosed() | Dropped() | CancelConsumer():
                    pass
                case _:
                    self._to_queue((self.queues.do, effect, AT_ONCE), node)

    def _to_queue(self, job: Job, node: Node) -> None:
        """Tell the process of a queue something, over the link between nodes if so."""
        hosted = self.queues.hosted[job[1].queue]
        to = hosted.process.node
        if to is node or not to.up:
            self.queues.tell(hosted, job)
            return
        now_ns = self._calendar.now_ns
        self._arrival_key += 1
        self._calendar.at(
            self._ways(node.host, to.host).there(now_ns, max(0, job[2])),
            self._arrival_key,
            self._told,
            (hosted, job),
        )

    def _told(self, what: Any) -> None:  # noqa: ANN401
        self.queues.tell(*what)

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
