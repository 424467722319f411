"""What leaders and administrators may ask of partitions."""

import pytest

from kafkasim.protocol.cluster.controller import Controller
from kafkasim.protocol.cluster.controller_messages import (
    AddPartitions,
    AlterPartition,
    AlterTopic,
    Answer,
    ControllerSettings,
    Heartbeat,
    PartitionState,
)
from kafkasim.protocol.errors import (
    ERRORS,
    FENCED_LEADER_EPOCH,
    INELIGIBLE_REPLICA,
    INVALID_PARTITIONS,
    INVALID_REPLICA_ASSIGNMENT,
    INVALID_REPLICATION_FACTOR,
    INVALID_REQUEST,
    INVALID_UPDATE_VERSION,
    NONE,
    NOT_CONTROLLER,
    POLICY_VIOLATION,
    STALE_BROKER_EPOCH,
    UNKNOWN_TOPIC_OR_PARTITION,
)
from tests.protocol.cluster.controlled_cluster import (
    ABC,
    beat,
    changed,
    cluster,
    errors,
    fence,
    start,
    whole,
)

STATE = PartitionState(ABC, (0, 1), 0, leader_epoch=3, partition_epoch=8)


def alter(
    *isr: int,
    node: int = 0,
    broker_epoch: int | None = None,
    partition: int = 0,
    leader_epoch: int = 3,
    partition_epoch: int = 8,
    isr_epochs: tuple[int, ...] = (),
    recovering: bool = False,
) -> AlterPartition:
    return AlterPartition(
        node,
        node if broker_epoch is None else broker_epoch,
        partition,
        leader_epoch,
        partition_epoch,
        isr,
        isr_epochs,
        recovering,
    )


# A leader's ISR


def test_an_isr_that_grows_raises_the_partition_epoch_alone() -> None:
    controller = cluster(STATE)
    request = alter(0, 1, 2)
    batch, answer = controller.handle(request, 0)

    state = STATE._replace(isr=ABC, partition_epoch=9)
    assert changed([batch]).partitions == ((0, state),)
    assert answer == Answer(request, NONE, state)


def test_an_isr_that_shrinks_below_the_minimum_leaves_members_eligible() -> None:
    controller = cluster(STATE)
    controller.handle(alter(0), 0)

    assert controller.partitions == (
        STATE._replace(isr=(0,), elr=(1,), partition_epoch=9),
    )


def test_the_minimum_is_at_most_the_number_of_replicas() -> None:
    controller = cluster(whole(0, 1), min_isr=3)
    fence(controller, 1)
    assert controller.partitions[0].elr == (1,)
    start(controller, 1, 10_126, clean=True)
    controller.handle(alter(0, 1, leader_epoch=0, partition_epoch=1), 10_127)

    assert not controller.partitions[0].elr


def test_an_isr_that_stands_already_is_answered_and_not_written() -> None:
    controller = cluster(STATE)

    assert controller.handle(alter(0, 1), 0) == [
        Answer(alter(0, 1), NONE, STATE),
    ]


@pytest.mark.parametrize(
    ("request_", "error"),
    [
        (alter(0, 1, broker_epoch=7), STALE_BROKER_EPOCH),
        (alter(0, node=9), STALE_BROKER_EPOCH),
        (alter(0, 1, partition=1), UNKNOWN_TOPIC_OR_PARTITION),
        (alter(0, 1, partition=-1), UNKNOWN_TOPIC_OR_PARTITION),
        (alter(0, 1, leader_epoch=4, partition_epoch=7), NOT_CONTROLLER),
        (alter(0, 1, leader_epoch=2, partition_epoch=9), NOT_CONTROLLER),
        (alter(0, 1, leader_epoch=2, partition_epoch=7), FENCED_LEADER_EPOCH),
        (alter(0, 1, leader_epoch=2, node=1), FENCED_LEADER_EPOCH),
        (alter(0, 1, node=1, partition_epoch=7), INVALID_REQUEST),
        (alter(0, 0, 1, partition_epoch=7), INVALID_UPDATE_VERSION),
        (alter(0, 1, 1), INVALID_REQUEST),
        (alter(0, 3), INVALID_REQUEST),
        (alter(1, 2), INVALID_REQUEST),
        (alter(), INVALID_REQUEST),
        (alter(0, recovering=True), INVALID_REQUEST),
        (alter(0, 1, 2, isr_epochs=(0, 1, 7)), INELIGIBLE_REPLICA),
    ],
)
def test_what_a_leader_may_not_have_is_refused(
    request_: AlterPartition, error: int
) -> None:
    controller = cluster(STATE, brokers=4)

    assert controller.handle(request_, 0) == [Answer(request_, error)], ERRORS[error]
    assert controller.partitions == (STATE,)


def test_a_fenced_or_leaving_broker_may_not_join() -> None:
    controller = cluster(PartitionState((0, 1, 2, 3), (0, 1), 0), whole(3), brokers=4)
    now_ms = fence(controller, 2)
    controller.handle(Heartbeat(3, 3, wants_shutdown=True), now_ms)

    for node in (2, 3):
        request = alter(0, 1, node, leader_epoch=0, partition_epoch=0)
        assert errors(controller.handle(request, now_ms)) == [INELIGIBLE_REPLICA]
    start(controller, 2, now_ms + 1, clean=True)
    epoch = controller.brokers[2].epoch
    for known, error in ((2, INELIGIBLE_REPLICA), (epoch, NONE)):
        request = alter(
            *(0, 1, 2), leader_epoch=0, partition_epoch=0, isr_epochs=(-1, 1, known)
        )
        assert errors(controller.handle(request, now_ms + 2)) == [error]


def test_an_unclean_leader_says_with_its_first_change_that_it_took_over() -> None:
    controller = cluster(STATE._replace(isr=(0,), recovering=True))
    refused = alter(0, 1, recovering=True)
    assert errors(controller.handle(refused, 0)) == [INVALID_REQUEST]
    controller.handle(alter(0, 1), 0)

    assert controller.partitions == (STATE._replace(partition_epoch=9),)


# More partitions


def test_added_partitions_are_placed_and_take_the_topic_s_settings() -> None:
    controller = cluster(whole(0, 1), brokers=3, min_isr=2, unclean=True)
    effects = controller.handle(AddPartitions(first=0, count=2), 0)

    added = ((1, whole(0, 1)), (2, whole(1, 2)))
    assert changed(effects).partitions == added
    assert changed(effects).offset == 5
    assert errors(effects) == [NONE]
    fence(controller, 1)
    assert controller.partitions[2] == PartitionState((1, 2), (2,), 2, 1, 1, elr=(1,))


def test_the_next_ones_are_placed_with_the_next_draws() -> None:
    class Draws:
        def __getitem__(self, index: int, /) -> int:
            return (0, 0, 1 << 30, 0)[index]  # a start for brokers and one for racks

    controller = Controller(ControllerSettings(), [whole(0)], 2, draws=Draws())
    controller.handle(AddPartitions(first=0, count=1), 0)
    controller.handle(AddPartitions(first=0, count=1), 0)

    assert [state.leader for state in controller.partitions] == [0, 0, 1]


def test_racks_are_known_when_partitions_are_placed() -> None:
    controller = Controller(
        ControllerSettings(), [whole(0, 2)], 4, racks=["a", "a", "b", "b"]
    )
    controller.handle(AddPartitions(first=0, count=2), 0)

    assert controller.partitions[1:] == (whole(0, 2), whole(3, 1))


def test_a_broker_that_leaves_gets_no_partition_and_a_fenced_one_only_follows() -> None:
    controller = cluster(whole(0, 1), whole(3), brokers=4, min_isr=1)
    now_ms = fence(controller, 1)
    controller.handle(Heartbeat(3, 3, wants_shutdown=True), now_ms)
    controller.handle(AddPartitions(first=0, count=3), now_ms)

    assert controller.partitions[2:] == (whole(0, 2), whole(2, 0), whole(2, 0))
    controller.handle(AddPartitions(first=0, count=1, assignment=((1, 0),)), now_ms)
    assert controller.partitions[5] == PartitionState((1, 0), (0,), 0)


@pytest.mark.parametrize(
    ("request_", "error"),
    [
        (AddPartitions(first=1, count=1), UNKNOWN_TOPIC_OR_PARTITION),
        (AddPartitions(first=0, count=0), INVALID_PARTITIONS),
        (AddPartitions(first=0, count=10_001), POLICY_VIOLATION),
        (AddPartitions(0, 2, ((0, 1),)), INVALID_REPLICA_ASSIGNMENT),
        (AddPartitions(0, 1, ((0, 1, 2),)), INVALID_REPLICA_ASSIGNMENT),
        (AddPartitions(0, 1, ((0, 5),)), INVALID_REPLICA_ASSIGNMENT),
    ],
)
def test_partitions_that_cannot_be_added_are_refused(
    request_: AddPartitions, error: int
) -> None:
    controller = cluster(whole(0, 1))

    assert controller.handle(request_, 0) == [Answer(request_, error)], ERRORS[error]
    assert len(controller.partitions) == 1


def test_where_nobody_is_active_nothing_can_be_added() -> None:
    controller = cluster(whole(0, 1), brokers=2)
    now_ms = fence(controller, 0, 1)
    placed = AddPartitions(first=0, count=1)
    by_hand = AddPartitions(first=0, count=1, assignment=((1, 0),))

    assert errors(controller.handle(placed, now_ms)) == [INVALID_REPLICATION_FACTOR]
    assert errors(controller.handle(by_hand, now_ms)) == [INVALID_REPLICA_ASSIGNMENT]


# Settings of a topic


def test_a_new_minimum_clears_who_is_eligible_and_then_holds() -> None:
    controller = cluster(whole(0, 1), whole(0, 1), whole(2, 0), whole(2))
    now_ms = fence(controller, 1)
    before = controller.partitions
    effects = controller.handle(AlterTopic((0, 2, 3), min_isr=1), now_ms)

    cleared = before[0]._replace(elr=(), partition_epoch=before[0].partition_epoch + 1)
    assert changed(effects).partitions == ((0, cleared),)
    assert controller.partitions[1].elr == (1,)
    beat(controller, now_ms + 8_000, 1, 2)
    fence(controller, 2)
    assert controller.partitions[2].elr == ()


def test_a_topic_may_be_allowed_to_elect_uncleanly_later() -> None:
    controller = cluster(PartitionState(ABC, (0,), 0), min_isr=1)
    now_ms = fence(controller, 0)
    assert errors(controller.handle(AlterTopic((0,), unclean=True), now_ms)) == [NONE]
    assert controller.partitions[0].leader == -1

    for at_ms in range(12_000, 302_000, 2_000):  # the next try is at 300 s
        assert (controller.partitions[0].leader == -1) is (at_ms <= 300_000)
        beat(controller, at_ms, 1, 2)
        controller.handle_timeout(at_ms)
    assert controller.partitions[0].leader == 1


def test_a_topic_of_unknown_partitions_keeps_its_settings() -> None:
    request = AlterTopic((0, 7), min_isr=1)

    assert cluster().handle(request, 0) == [Answer(request, UNKNOWN_TOPIC_OR_PARTITION)]
