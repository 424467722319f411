"""How brokers stand: registration, fencing, controlled shutdown."""

import pytest

from kafkasim.protocol.cluster.controller_brokers import (
    TRANSITIONS,
    Brokers,
    Cause,
    Standing,
)
from kafkasim.protocol.cluster.controller_messages import (
    Answer,
    BrokerState,
    Changed,
    Failover,
    Heartbeat,
    MayStop,
    PartitionState,
    Register,
)
from kafkasim.protocol.errors import (
    DUPLICATE_BROKER_REGISTRATION,
    NONE,
    STALE_BROKER_EPOCH,
)
from tests.protocol.cluster.controlled_cluster import (
    ABC,
    beat,
    changed,
    cluster,
    errors,
    fence,
    run_until,
    start,
    whole,
)


def standing(node: int, kind: Standing) -> Brokers:
    """Brokers of which one stands as it is said."""
    brokers = Brokers(3, 9_000, 0)
    if kind is Standing.FENCED:
        brokers.move(node, Cause.EXPIRED)
    elif kind is Standing.SHUTTING_DOWN:
        brokers.move(node, Cause.LEAVES)
    elif kind is Standing.UNREGISTERED:
        brokers = Brokers(node, 9_000, 0)
    return brokers


@pytest.mark.parametrize("kind", Standing)
@pytest.mark.parametrize("cause", Cause)
def test_a_broker_stands_as_the_table_says_or_not_otherwise(
    kind: Standing, cause: Cause
) -> None:
    brokers = standing(2, kind)
    before = brokers.states
    assert brokers.standing(2) is kind
    after = TRANSITIONS.get((kind, cause))

    if after is None:
        with pytest.raises(ValueError, match=rf"broker 2 is {kind.value}"):
            brokers.move(2, cause)
        assert (brokers.standing(2), brokers.states) == (kind, before)
    elif cause is Cause.REGISTERED:
        brokers.register(2, 77)
        assert brokers.standing(2) is after
        assert brokers[2] == BrokerState(2, fenced=True, shutting_down=False, epoch=77)
    else:
        assert brokers.move(2, cause) is (brokers.states != before)
        assert brokers.standing(2) is after
        assert brokers[2].fenced is (after is Standing.FENCED)


# Registration


def test_each_registration_has_a_higher_epoch_and_is_fenced() -> None:
    controller = cluster()
    now_ms = fence(controller, 0, 1)
    epochs = []
    for node in (1, 0, 1):
        batch, answer = controller.handle(Register(node, clean=True), now_ms)
        assert isinstance(batch, Changed) and isinstance(answer, Answer)
        (state,) = batch.brokers
        assert (answer.broker, answer.error) == (state, NONE)
        assert state.node == node and state.fenced
        epochs.append(state.epoch)

    assert epochs == [8, 9, 10]  # 3 brokers, 1 partition, 2 × (broker, partition)


def test_a_broker_that_is_new_to_the_controller_may_register() -> None:
    controller = cluster()
    start(controller, 7, 0, clean=False)

    assert controller.brokers[-1] == BrokerState(7, False, False, 4)  # noqa: FBT003


def test_while_the_old_session_lasts_a_new_process_is_refused() -> None:
    controller = cluster()
    beat(controller, 2_000, *ABC)
    beat(controller, 8_000, 1, 2)
    request = Register(0, clean=True)

    refusal = [Answer(request, DUPLICATE_BROKER_REGISTRATION)]
    assert controller.handle(request, 2_500) == refusal
    assert controller.handle(request, 11_000) == refusal
    # Before the check at 11,250 has fenced it, it comes back as a new broker.
    batch = changed(controller.handle(request, 11_001))
    assert batch.partitions == ((0, PartitionState(ABC, (1, 2), 1, 1, 1)),)
    assert batch.brokers[0].epoch == 4
    # The session that timed out is of an epoch nobody has any more.
    assert [effect for _, effect in run_until(controller, 11_260)] == []
    assert controller.next_deadline_ms == 11_260 + 1_125


def test_an_old_epoch_is_refused_and_still_counts_as_a_session_of_its_own() -> None:
    controller = cluster()
    now_ms = fence(controller, 0)
    controller.handle(Register(0, clean=True), now_ms)

    assert errors(controller.handle(Heartbeat(0, 0), now_ms)) == [STALE_BROKER_EPOCH]
    assert errors(controller.handle(Heartbeat(9, 0), now_ms)) == [STALE_BROKER_EPOCH]
    assert controller.brokers[0].fenced


def test_a_clean_stop_keeps_a_broker_eligible() -> None:
    controller = cluster(PartitionState(ABC, (0, 1), 0))
    now_ms = fence(controller, 0, 1)
    assert controller.partitions[0].elr == (0, 1)

    batch = changed(controller.handle(Register(0, clean=True), now_ms + 1))
    assert batch.partitions == ()
    assert controller.partitions[0].elr == (0, 1)


def test_an_unclean_stop_takes_it_out_of_every_elr() -> None:
    controller = cluster(PartitionState(ABC, (0, 1), 0), whole(1, 2))
    now_ms = fence(controller, 0, 1)

    batch = changed(controller.handle(Register(0, clean=False), now_ms + 1))
    assert [(at, state.elr) for at, state in batch.partitions] == [(0, (1,))]


def test_an_unclean_stop_takes_it_out_of_every_isr_and_nobody_calls_it_eligible() -> (
    None
):
    controller = cluster(whole(0, 1), min_isr=2)
    beat(controller, 9_000, 1)

    batch = changed(controller.handle(Register(0, clean=False), 9_001))
    assert batch.partitions == ((0, PartitionState((0, 1), (1,), 1, 1, 1)),)


def test_without_eligible_replicas_an_unclean_stop_is_like_a_clean_one() -> None:
    controller = cluster(PartitionState(ABC, (0,), 0), elr=False)
    now_ms = fence(controller, 0)
    controller.handle(Register(0, clean=False), now_ms + 1)
    batch = changed(controller.handle(Heartbeat(0, 7 - 1), now_ms + 2))

    assert batch.partitions == ((0, PartitionState(ABC, (0,), 0, 2, 2)),)


def test_a_lone_broker_that_crashed_is_taken_back_as_its_partition_s_last_leader() -> (
    None
):
    controller = cluster(whole(0), brokers=1, min_isr=1)
    now_ms = fence(controller, 0)
    assert controller.partitions[0].last_known_elr == (0,)
    start(controller, 0, now_ms + 1, clean=False)

    assert controller.partitions == (
        PartitionState(
            (0,), (0,), 0, leader_epoch=2, partition_epoch=3, recovering=True
        ),
    )


# Controlled shutdown


def leave(node: int, offset: int | None = None) -> Heartbeat:
    return Heartbeat(node, node, wants_shutdown=True, offset=offset)


def test_a_broker_that_leaves_hands_over_and_stops_when_all_replayed_that() -> None:
    controller = cluster(whole(0, 1, 2), whole(1, 0))
    batch, answer = controller.handle(leave(0), 1_000)

    assert batch == Changed(
        (
            (0, PartitionState(ABC, (1, 2), 1, 1, 1)),
            (1, PartitionState((1, 0), (1,), 1, 0, 1, elr=(0,))),
        ),
        (BrokerState(0, fenced=False, shutting_down=True, epoch=0),),
        offset=7,
    )
    assert isinstance(answer, Answer) and answer.error == NONE
    assert errors(controller.handle(leave(0), 1_050)) == [NONE]  # nobody has said so
    controller.handle(Heartbeat(1, 1, offset=7), 1_100)
    controller.handle(Heartbeat(2, 2, offset=6), 1_200)
    assert MayStop(0) not in controller.handle(leave(0), 3_050)
    controller.handle(Heartbeat(2, 2, offset=7), 3_200)

    batch, answer, stop = controller.handle(leave(0), 5_050)
    assert stop == MayStop(0)
    assert batch == Changed(
        (), (BrokerState(0, fenced=True, shutting_down=True, epoch=0),), offset=8
    )


def test_a_broker_that_leads_nothing_may_stop_at_once_and_leaves_every_isr() -> None:
    controller = cluster(whole(1, 0, 2))
    batch, _, stop = controller.handle(leave(0), 1_000)

    assert stop == MayStop(0)
    assert isinstance(batch, Changed)
    assert batch.partitions == ((0, PartitionState((1, 0, 2), (1, 2), 1, 0, 1)),)
    assert batch.brokers[0].fenced


def test_a_broker_that_stopped_in_order_is_let_in_after_its_session_too() -> None:
    controller = cluster(whole(1, 0, 2))
    controller.handle(leave(0), 1_000)
    request = Register(0, clean=True)

    assert errors(controller.handle(request, 10_000)) == [DUPLICATE_BROKER_REGISTRATION]
    assert errors(controller.handle(request, 10_001)) == [NONE]


def test_a_fenced_broker_may_stop_at_once() -> None:
    controller = cluster()
    now_ms = fence(controller, 0)

    answer, stop = controller.handle(leave(0), now_ms + 1)
    assert (errors([answer]), stop) == ([NONE], MayStop(0))


def test_the_last_active_broker_waits_for_nobody() -> None:
    controller = cluster(whole(0), brokers=1)
    controller.handle(leave(0), 1_000)

    assert MayStop(0) in controller.handle(leave(0), 1_050)


def test_a_broker_that_leaves_is_fenced_when_it_dies_on_the_way() -> None:
    controller = cluster()
    controller.handle(leave(0), 1_000)
    now_ms = fence(controller, 0)

    assert now_ms == 10_125
    assert controller.brokers[0] == BrokerState(0, True, True, 0)  # noqa: FBT003
    start(controller, 0, now_ms + 1, clean=True)
    assert controller.brokers[0].active


def test_a_new_controller_asks_anew_who_has_replayed_what() -> None:
    controller = cluster()
    controller.handle(leave(0), 1_000)
    beat(controller, 1_100, 1, 2)
    controller.handle(Failover(), 2_000)

    answer, stop = controller.handle(leave(0), 3_050)[-2:]
    assert (errors([answer]), stop) == ([NONE], MayStop(0))  # it leads nothing now


def test_a_new_controller_takes_nobody_who_was_fenced_for_alive() -> None:
    controller = cluster()
    now_ms = fence(controller, 0)
    controller.handle(Failover(), now_ms + 1)
    assert controller.brokers[0].fenced

    beat(controller, now_ms + 2, 0)
    assert controller.brokers[0].active


def test_a_broker_counts_as_having_replayed_nothing_when_it_was_just_unfenced() -> None:
    controller = cluster(whole(0, 1, 2))
    now_ms = fence(controller, 2)
    beat(controller, now_ms, 1)
    controller.handle(leave(0), now_ms)
    start(controller, 2, now_ms + 1, clean=True)
    beat(controller, now_ms + 2, 1)

    assert MayStop(0) not in controller.handle(leave(0), now_ms + 50)
    beat(controller, now_ms + 60, 2)
    assert MayStop(0) in controller.handle(leave(0), now_ms + 2_050)
