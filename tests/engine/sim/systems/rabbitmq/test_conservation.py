"""Whatever happens, a message is ready, unacknowledged, or gone for a reason."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from kafkasim.engine.sim.systems.rabbitmq.classic_queue import ClassicQueue
from kafkasim.engine.sim.systems.rabbitmq.lifecycle import Lives, State
from kafkasim.engine.sim.systems.rabbitmq.messages import (
    Ack,
    Cancel,
    ClientRequest,
    CloseChannel,
    Consume,
    Nack,
    Publish,
    Reject,
)
from kafkasim.engine.sim.systems.rabbitmq.queue_messages import (
    Enqueued,
    Handed,
    Loss,
    NodeDown,
    NodeUp,
    Removed,
    Requeued,
)
from kafkasim.engine.sim.systems.rabbitmq.quorum_queue import QuorumQueue
from kafkasim.engine.sim.systems.rabbitmq.quorum_settings import QuorumSettings, Retry
from tests.engine.sim.systems.rabbitmq.small_broker import Queue, SmallBroker

PUBLISHER = 1


class Conservation(RuleBasedStateMachine):
    """A queue, its clients, nodes and disks doing anything in any order."""

    queue: Queue
    nodes: tuple[int, ...]

    def __init__(self) -> None:
        super().__init__()
        self.broker = SmallBroker()
        self.lives = Lives()
        self.messages: dict[int, int] = {}
        self.published = 0
        self.looked = 0
        self.next_channel = 2
        self.down: set[int] = set()

    def start(self, queue: Queue, nodes: tuple[int, ...]) -> None:
        """Begin with messages, and with two consumers who have some of them."""
        self.queue, self.nodes = queue, nodes
        self.broker = SmallBroker(queue, disks=nodes)
        self.broker.channel(PUBLISHER, node=9)
        self.publish(count=4, persistent=True, confirms=True)
        for node in (0, 3):
            self.consume(prefetch=2, auto_ack=False, priority=0, node=node)

    def holder(self, which: int) -> tuple[int, list[int]]:
        """Return one of the channels that have deliveries, and their tags."""
        holders = [
            (number, list(channel._unacked))
            for number, channel in self.broker.channels.items()
            if channel.unacked_count
        ]
        return holders[which % len(holders)] if holders else (0, [])

    @rule(count=st.integers(1, 3), persistent=st.booleans(), confirms=st.booleans())
    def publish(self, *, count: int, persistent: bool, confirms: bool) -> None:
        for message in range(self.published, self.published + count):
            seq = message + 1 if confirms else 0
            self.broker.client(
                PUBLISHER,
                Publish(
                    message=message,
                    routing_key="q",
                    publish_seq_no=seq,
                    persistent=persistent,
                ),
            )
        self.published += count

    @rule(
        prefetch=st.integers(0, 3),
        auto_ack=st.booleans(),
        priority=st.integers(0, 1),
        node=st.integers(0, 3),
    )
    def consume(
        self, *, prefetch: int, auto_ack: bool, priority: int, node: int
    ) -> None:
        if node in self.down:
            return
        self.broker.channel(self.next_channel, node=node)
        self.broker.client(
            self.next_channel,
            Consume(
                queue="q",
                consumer_tag="c",
                prefetch=prefetch,
                auto_ack=auto_ack,
                priority=priority,
            ),
        )
        self.next_channel += 1

    @rule(which=st.integers(0, 9), tag=st.integers(0, 9), multiple=st.booleans())
    def acknowledge(self, *, which: int, tag: int, multiple: bool) -> None:
        channel, tags = self.holder(which)
        if tags:
            self.broker.client(channel, Ack(tags[tag % len(tags)], multiple=multiple))

    @rule(
        which=st.integers(0, 9),
        tag=st.integers(0, 9),
        multiple=st.booleans(),
        say=st.sampled_from(["nack", "reject", "drop"]),
    )
    def give_back(self, *, which: int, tag: int, multiple: bool, say: str) -> None:
        channel, tags = self.holder(which)
        if not tags:
            return
        chosen = tags[tag % len(tags)]
        requests: dict[str, ClientRequest] = {
            "nack": Nack(chosen, multiple=multiple),
            "reject": Reject(chosen),
            "drop": Nack(chosen, multiple=multiple, requeue=False),
        }
        self.broker.client(channel, requests[say])

    @rule(which=st.integers(0, 9), close=st.booleans())
    def end(self, *, which: int, close: bool) -> None:
        channel, tags = self.holder(which)
        if tags:
            self.broker.client(channel, CloseChannel() if close else Cancel("c"))

    @rule(node=st.integers(0, 3), how=st.sampled_from(Loss))
    def lose_node(self, *, node: int, how: Loss) -> None:
        if node in self.down:
            return
        self.down.add(node)
        self.broker.cluster("q", NodeDown(node, how))
        if how != Loss.DISCONNECTED:
            for number, channel in list(self.broker.channels.items()):
                if channel.node == node:
                    del self.broker.channels[number]

    @rule(node=st.integers(0, 3))
    def find_node(self, *, node: int) -> None:
        if node in self.down:
            self.down.discard(node)
            self.broker.cluster("q", NodeUp(node))

    @rule(later_ms=st.sampled_from([1, 200, 700, 61_000, 1_800_001]))
    def wait(self, *, later_ms: int) -> None:
        self.broker.pass_time(self.broker.now_ms + later_ms)
        self.broker.write()

    @invariant()
    def every_message_has_one_life(self) -> None:
        for told in self.broker.told[self.looked :]:
            assert isinstance(told, Enqueued | Handed | Requeued | Removed)
            self.lives.follow(told)
            if isinstance(told, Requeued):
                self.messages[told.position] = self.messages.pop(told.was)
            assert self.messages.setdefault(told.position, told.message) == told.message
        self.looked = len(self.broker.told)
        waiting = 0
        if isinstance(self.queue, QuorumQueue):
            waiting = self.queue.messages.delayed_count
        assert self.lives.count(State.READY) == self.queue.ready_count + waiting
        assert self.lives.count(State.UNACKED) == self.queue.unacked_count
        held = sorted(self.messages.values())
        assert held == sorted(set(held)), "each message came in once"


class ClassicConservation(Conservation):
    """A classic queue on node 0."""

    @initialize(durable=st.booleans(), single=st.booleans())
    def begin(self, *, durable: bool, single: bool) -> None:
        self.start(ClassicQueue("q", durable=durable, single_active=single), (0,))


class QuorumConservation(Conservation):
    """A quorum queue of three members."""

    @initialize(
        limit=st.sampled_from([None, 0, 2]),
        single=st.booleans(),
        retry=st.sampled_from(Retry),
        least_ms=st.sampled_from([0, 100]),
    )
    def begin(
        self, *, limit: int | None, single: bool, retry: Retry, least_ms: int
    ) -> None:
        arguments = QuorumSettings(
            delivery_limit=limit,
            single_active=single,
            retry=retry,
            retry_min_ms=least_ms,
        )
        queue = QuorumQueue("q", settings=arguments, draw=lambda most: most)
        self.start(queue, (0, 1, 2))


TestClassicConservation = ClassicConservation.TestCase
TestQuorumConservation = QuorumConservation.TestCase
FEW = settings(stateful_step_count=40)
TestClassicConservation.settings = FEW
TestQuorumConservation.settings = FEW
