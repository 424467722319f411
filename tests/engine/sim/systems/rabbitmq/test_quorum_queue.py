"""A quorum queue: majorities, other leaders, nodes out of sight."""

from kafkasim.engine.sim.systems.rabbitmq.messages import (
    Ack,
    CloseChannel,
    Deliver,
    Publish,
    Reason,
    Returned,
)
from kafkasim.engine.sim.systems.rabbitmq.queue_messages import (
    Dropped,
    LeaderChanged,
    Loss,
    NodeDown,
    NodeUp,
    Requeued,
    Subscribe,
)
from kafkasim.engine.sim.systems.rabbitmq.quorum_log import NOBODY, State
from kafkasim.engine.sim.systems.rabbitmq.quorum_queue import QuorumQueue
from kafkasim.engine.sim.systems.rabbitmq.quorum_settings import QuorumSettings
from tests.engine.sim.systems.rabbitmq.small_broker import SmallBroker

PUBLISHER, ONE, OTHER = 1, 2, 3
MINUTE_MS = 60_000


def broker_of(
    *messages: int,
    members: int = 3,
    disks: tuple[int, ...] = (0, 1, 2),
    settings: QuorumSettings | None = None,
) -> SmallBroker:
    """Return a broker whose quorum queue `q` has these messages.

    Members are 0, 1, 2, led by 0; an election takes 600 ms.
    """
    queue = QuorumQueue(
        "q", members=range(members), settings=settings, draw=lambda most: most
    )
    broker = SmallBroker(queue, disks=disks)
    broker.publish(PUBLISHER, *messages)
    return broker


def counts(broker: SmallBroker) -> list[tuple[int, bool, int, int]]:
    """Return message, redelivered, and both counts of what was delivered."""
    return [
        (each.message, each.redelivered, each.acquired_count, each.delivery_count)
        for each in broker.heard()
        if isinstance(each, Deliver)
    ]


def returned(broker: SmallBroker) -> list[tuple[int, str]]:
    """Return message and cause of all that came back so far."""
    return [(e.message, e.cause) for e in broker.told if isinstance(e, Requeued)]


def test_a_message_is_confirmed_and_ready_when_a_majority_has_it() -> None:
    broker = broker_of(disks=())
    broker.consume(ONE)
    broker.client(PUBLISHER, Publish(message=7, routing_key="q", publish_seq_no=1))
    assert [(each.node, each.first, each.last) for each in broker.replicates] == [
        *((0, 1, 1), (1, 1, 1), (2, 1, 1), (0, 2, 2), (1, 2, 2), (2, 2, 2))
    ]

    broker.write("q", 1)
    assert broker.heard() == []

    broker.write("q", 0)
    assert [type(each).__name__ for each in broker.heard()] == ["Deliver", "Confirm"]


def test_without_a_majority_nothing_is_confirmed_and_no_credit_comes_back() -> None:
    broker = broker_of(0, 1)
    broker.consume(ONE, prefetch=1)
    broker.cluster("q", NodeDown(1), NodeDown(2))
    broker.heard()

    broker.client(ONE, Ack(1))
    broker.client(PUBLISHER, Publish(message=2, routing_key="q", publish_seq_no=1))
    assert broker.heard() == []
    assert broker.queues["q"].ready_count == 1

    broker.cluster("q", NodeUp(2))
    assert [type(each).__name__ for each in broker.heard()] == ["Deliver", "Confirm"]


def test_all_messages_survive_whatever_their_publisher_said() -> None:
    broker = broker_of()
    broker.client(PUBLISHER, Publish(message=7, routing_key="q", persistent=False))

    nodes = (0, 1, 2)
    broker.cluster("q", *map(NodeDown, nodes))
    broker.cluster("q", *map(NodeUp, nodes))
    broker.pass_time(10_000)
    broker.consume(ONE)

    assert counts(broker) == [(7, False, 0, 0)]


def test_a_queue_goes_on_under_another_leader() -> None:
    broker = broker_of(0)
    broker.channel(OTHER, node=9)
    broker.channel(ONE, node=9)
    broker.consume(ONE, prefetch=1)
    assert broker.deliveries() == [(ONE, 0)]

    broker.cluster("q", NodeDown(0))
    broker.publish(OTHER, 1)
    assert broker.heard() == [LeaderChanged("q", 1, NOBODY)]

    broker.pass_time(599)
    assert broker.heard() == []
    broker.pass_time(600)
    assert broker.heard() == [LeaderChanged("q", 2, 1)]

    broker.client(ONE, Ack(1))
    assert broker.deliveries() == [(ONE, 1)]
    assert returned(broker) == [], "the delivery of before is settled as any other"


def test_channels_say_again_what_the_next_leader_does_not_have() -> None:
    broker = broker_of(disks=(0,))
    broker.channel(PUBLISHER, node=2)
    broker.channel(OTHER, node=0)
    broker.client(PUBLISHER, Publish(message=7, routing_key="q", publish_seq_no=1))
    broker.client(OTHER, Publish(message=8, routing_key="q", publish_seq_no=1))
    broker.client(PUBLISHER, Publish(message=9, routing_key="q", publish_seq_no=2))
    assert broker.confirms() == []

    broker.disks = {1, 2}
    broker.cluster("q", NodeDown(0))
    broker.pass_time(600)
    heard = broker.heard()
    assert Dropped(8, Reason.NOT_REPLICATED) in heard, "its channel was on that node"

    broker.consume(ONE)
    assert broker.deliveries() == [(ONE, 7), (ONE, 9)]


def test_a_channel_that_is_closed_says_nothing_again() -> None:
    broker = broker_of()
    broker.cluster("q", NodeDown(0))
    broker.publish(PUBLISHER, 7)
    broker.client(PUBLISHER, CloseChannel())

    broker.pass_time(600)

    assert Dropped(7, Reason.NOT_REPLICATED) in broker.heard()
    assert broker.queues["q"].ready_count == 0


def test_a_member_without_its_disk_is_one_no_more() -> None:
    broker = broker_of()
    broker.cluster("q", NodeDown(1), NodeDown(2))

    broker.cluster("q", NodeUp(1, disk_lost=True))

    queue = broker.queues["q"]
    assert isinstance(queue, QuorumQueue)
    assert queue.state == State.STALLED


# Nodes of consumers


def far_consumer(*, how: Loss) -> SmallBroker:
    """Return a broker with a consumer on node 9, which goes, and one that is near."""
    broker = broker_of(0)
    broker.channel(ONE, node=9)
    broker.consume(ONE, prefetch=2)
    broker.consume(OTHER)
    broker.heard()
    broker.cluster("q", NodeDown(9, how))
    return broker


def test_a_consumer_out_of_sight_keeps_what_it_has_for_a_minute() -> None:
    broker = far_consumer(how=Loss.DISCONNECTED)
    broker.publish(PUBLISHER, 1, 2)
    assert broker.deliveries() == [(OTHER, 1), (OTHER, 2)]

    broker.pass_time(MINUTE_MS - 1)
    assert broker.heard() == []
    broker.pass_time(MINUTE_MS)
    assert counts(broker) == [(0, True, 1, 0)]
    assert returned(broker) == [(0, Returned.DISCONNECTED)]


def test_one_that_is_seen_again_goes_on() -> None:
    broker = far_consumer(how=Loss.DISCONNECTED)

    broker.cluster("q", NodeUp(9))
    broker.client(OTHER, CloseChannel())
    broker.client(ONE, Ack(1))
    broker.publish(PUBLISHER, 1)

    assert broker.deliveries() == [(ONE, 1)]
    assert broker.gone() == [(0, Reason.ACKED)]
    assert broker.queues["q"].next_deadline_ms == 30 * MINUTE_MS


def test_a_node_that_comes_back_after_a_crash_has_lost_its_channels() -> None:
    broker = far_consumer(how=Loss.CRASHED)
    broker.pass_time(5_000)
    assert broker.heard() == [], "nobody can tell a crash from a broken network"

    broker.cluster("q", NodeUp(9))

    assert counts(broker) == [(0, True, 1, 1)]


def test_a_node_that_stops_gives_back_at_once() -> None:
    assert counts(far_consumer(how=Loss.STOPPED)) == [(0, True, 1, 1)]


def test_nothing_happens_before_its_time() -> None:
    queue = QuorumQueue("q", draw=lambda most: most)

    assert queue.next_deadline_ms is None
    assert queue.handle_timeout(10**9) == []


def test_a_host_may_carry_out_itself_what_it_knows() -> None:
    queue = QuorumQueue("q", members=(0,), draw=lambda most: most)
    queue.publish(7, PUBLISHER, 1, now_ms=0)
    queue.handle(Subscribe(queue="q", channel=ONE, consumer_tag="c"), 0)
    assert queue.replicate() == []
    brought, comes = queue.log.written(0, 2, term=1)

    assert brought == (7, PUBLISHER, 1)
    queue.messages.take_in(1, 7)
    queue.confirm(PUBLISHER, 1)
    assert comes is not None
    queue.carry_out(comes, 2, now_ms=0)
    taken = queue.messages.take(0)

    assert taken is not None
    assert (taken[0].channel, *taken[1:]) == (ONE, 1, 7, False)
    assert queue.messages.take(0) is None
    assert queue.messages.acknowledge(ONE, "d", (1,)) == []
    assert queue.messages.acknowledge(ONE, "c", (1, 1, 2)) == [(1, 7)]
    assert (queue.ready_count, queue.unacked_count) == (0, 0)
    assert queue.take_told() == []
    assert queue.take_confirmed() == [(PUBLISHER, [1])]
    assert queue.take_confirmed() == []
