"""What nodes send to clients: deliveries, confirms, returns.

While nothing can happen on the way, what comes of it is worked out at once: when a
consumer has a message and when its acknowledgement is back, and when a publisher has
its confirm.
"""

from typing import Any

from kafkasim.engine.sim.systems.rabbitmq.channel import Channel
from kafkasim.engine.sim.systems.rabbitmq.connections import Connections
from kafkasim.engine.sim.systems.rabbitmq.consumers import Consuming
from kafkasim.engine.sim.systems.rabbitmq.dispatch import Consumer
from kafkasim.engine.sim.systems.rabbitmq.feed import ORDINAL, ROW_SHIFT
from kafkasim.engine.sim.systems.rabbitmq.hosted import Hosted
from kafkasim.engine.sim.systems.rabbitmq.messages import Return
from kafkasim.engine.sim.systems.rabbitmq.node import Node
from kafkasim.engine.sim.systems.rabbitmq.publisher import Publishing
from kafkasim.engine.sim.systems.rabbitmq.queue_messages import Confirmed, Handed


class ToClients(Connections):
    """What goes from nodes to clients."""

    def to_channel(self, message: Any, node: Node) -> int:  # noqa: ANN401
        """Take what a queue on a node tells a channel; return a consumer's code."""
        raise NotImplementedError

    def _acked_one(self, what: tuple[int, int]) -> None:
        """Bring the acknowledgement of one delivery, before anything happens."""
        raise NotImplementedError

    # --- to clients ---------------------------------------------------------------

    def hand(
        self, hosted: Hosted, consumer: Consumer, position: int, message: int
    ) -> int:
        """Hand a message of a queue to a consumer; return its code."""
        number, queue = consumer.channel, hosted.process.name
        is_auto = consumer.auto_ack
        by_channel = is_auto and hosted.is_quorum
        """The channel settles it, and is to say so."""
        if by_channel or self._at.get(number) is not hosted.process.node:
            handed = Handed(
                queue=queue,
                channel=number,
                consumer_tag=consumer.tag,
                position=position,
                message=message,
                redelivered=False,
                settled=is_auto and not by_channel,
            )
            return self.to_channel(handed, hosted.process.node)
        client = self._owners[number]
        assert type(client) is Consuming
        channel = self._channels[number]
        tag = channel.deliver(queue, consumer.tag, position, auto_ack=is_auto)
        return self._send_to_consumer(client, message, tag)

    def _send_to_consumer(self, consumer: Consuming, message: int, tag: int) -> int:
        if consumer.is_auto:
            self._timeline.unsettled += 1
        size_bytes = self._feeds[message >> ROW_SHIFT].sizes[message & ORDINAL]
        ways = consumer.ways
        ways.sent_there += 1
        ways.bytes_there += size_bytes
        arrives_ns = ways.up.transfer(self._calendar.now_ns, size_bytes)
        if arrives_ns < self.sure_ns:  # its card has nothing else to take in
            acked_ns = consumer.will_take(message, tag, arrives_ns)
            if acked_ns:
                consumer.reply_key = key = consumer.reply_key + 1
                what = consumer.channel, tag
                self._calendar.push((acked_ns, key, self._acked_one, what))
            return consumer.code
        consumer.arrival_key += 1
        delivered = consumer, consumer.channel, message, tag
        self._calendar.at(arrives_ns, consumer.arrival_key, self._delivered, delivered)
        return consumer.code

    def _delivered(self, what: tuple[Consuming, int, int, int]) -> None:
        """Take a delivery in, through the consumer's card."""
        consumer, _, message, _ = what
        now_ns, up = self._calendar.now_ns, consumer.ways.up
        up.receive(now_ns, self.queues.size_of(message))
        if up.held_ns >= now_ns:
            consumer.arrival_key += 1
            self._calendar.at(up.held_ns, consumer.arrival_key, self._take, what)
            return
        self._take(what)

    def _take(self, what: tuple[Consuming, int, int, int]) -> None:
        consumer, number, message, tag = what
        if consumer.connection is not None and consumer.channel == number:
            consumer.take(message, tag)
        elif consumer.is_auto:
            self._timeline.settle(1)

    def confirm(self, number: int, seqs: list[int], node: Node) -> None:
        """Take what a queue on a node confirms."""
        if self._at.get(number) is not node:
            self.to_channel(Confirmed("", number, tuple(seqs)), node)
            return
        publisher = self._owners[number]
        assert type(publisher) is Publishing
        confirmed, refused = self._channels[number].confirms.answers(seqs)
        for seq, multiple in confirmed:
            ways = publisher.ways
            arrives_ns = max(
                self._calendar.now_ns + ways.delay_back_ns, ways.down.arrived_ns
            )
            if (
                arrives_ns < self.sure_ns
                and not multiple
                and arrives_ns < publisher.sure_ns
            ):
                ways.sent_back += 1
                publisher.confirmed_one(seq, arrives_ns)
            else:
                self._tell_publisher(number, seq, multiple=multiple, refused=False)
        for seq, multiple in refused:
            self._tell_publisher(number, seq, multiple=multiple, refused=True)

    def _answer(self, channel: Channel) -> None:
        """Send the confirms that are due."""
        confirmed, refused = channel.confirms.due()
        for seq, multiple in confirmed:
            self._tell_publisher(channel.number, seq, multiple=multiple, refused=False)
        for seq, multiple in refused:
            self._tell_publisher(channel.number, seq, multiple=multiple, refused=True)

    def _tell_publisher(
        self, number: int, seq: int, *, multiple: bool, refused: bool
    ) -> None:
        publisher = self._owners[number]
        assert type(publisher) is Publishing
        ways = publisher.ways
        ways.sent_back += 1
        arrives_ns = ways.down.transfer(self._calendar.now_ns, 0)
        if arrives_ns < publisher.sure_ns and not refused:
            publisher.confirmed(seq, arrives_ns, multiple=multiple, refused=False)
            return
        publisher.confirm_key += 1
        what = publisher, number, seq, multiple, refused
        self._calendar.at(arrives_ns, publisher.confirm_key, self._confirmed, what)

    def _confirmed(self, what: tuple[Publishing, int, int, bool, bool]) -> None:
        publisher, number, seq, multiple, refused = what
        if publisher.connection is not None and publisher.channel == number:
            now_ns = self._calendar.now_ns
            publisher.confirmed(seq, now_ns, multiple=multiple, refused=refused)

    def _return(self, effect: Return) -> None:
        """Send a message back to its publisher."""
        publisher = self._owners[effect.channel]
        assert isinstance(publisher, Publishing)
        size_bytes = self.queues.size_of(effect.message)
        arrives_ns = publisher.ways.back(self._calendar.now_ns, size_bytes)
        publisher.confirm_key += 1
        what = publisher, effect
        self._calendar.at(arrives_ns, publisher.confirm_key, self._returned, what)

    @staticmethod
    def _returned(what: tuple[Publishing, Return]) -> None:
        publisher, effect = what
        if publisher.connection is not None and publisher.channel == effect.channel:
            publisher.returned(effect.message & ORDINAL)
