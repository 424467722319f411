"""The controller: what it decides by itself, and at which millisecond."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kafkasim.protocol.cluster.controller import Controller
from kafkasim.protocol.cluster.controller_messages import (
    AlterPartition,
    Answer,
    BrokerState,
    Changed,
    ControllerSettings,
    ElectPreferred,
    Failover,
    Heartbeat,
    MoveLeader,
    PartitionState,
    Register,
    Resign,
)
from kafkasim.protocol.errors import INELIGIBLE_REPLICA, NONE, NOT_CONTROLLER
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

MINUTE_MS = 60_000

# Sessions


def test_a_broker_is_fenced_at_the_first_check_after_its_session_timed_out() -> None:
    controller = cluster()
    beat(controller, 2_000, 0, 1, 2)
    beat(controller, 4_000, 1, 2)
    beat(controller, 10_000, 1, 2)

    assert run_until(controller, 10_125) == []  # nine checks, 1,125 ms apart
    ((at_ms, batch),) = run_until(controller, 11_250)

    assert at_ms == 11_250  # 2,000 + 9,000 was over after 11,000
    assert batch == Changed(
        ((0, PartitionState(ABC, (1, 2), 1, leader_epoch=1, partition_epoch=1)),),
        (BrokerState(0, fenced=True, shutting_down=False, epoch=0),),
        offset=5,
    )


def test_a_session_is_over_after_its_last_millisecond_not_in_it() -> None:
    controller = cluster(session_timeout_ms=8_000)  # so a check is at 8,000
    beat(controller, 1_000, 1, 2)

    assert run_until(controller, 8_000) == []
    ((at_ms, _),) = run_until(controller, 9_000)
    assert at_ms == 9_000


def test_brokers_that_die_together_are_fenced_one_after_another() -> None:
    controller = cluster(whole(0, 1, 2, 3, 4), brokers=5)
    beat(controller, 9_000, 3, 4)
    fenced = run_until(controller, 10_200)

    assert [at_ms for at_ms, _ in fenced] == [10_125, 10_135, 10_145]
    leaders = [changed([batch]).partitions[0][1].leader for _, batch in fenced]
    assert leaders == [
        1,
        2,
        3,
    ]  # each election sees the brokers that are not fenced yet
    assert controller.next_deadline_ms == 10_155 + 1_125  # one look more, in vain


def test_brokers_that_beat_every_two_seconds_stay() -> None:
    controller = cluster()

    for now_ms in range(0, MINUTE_MS, 2_000):
        assert run_until(controller, now_ms) == []
        assert errors(beat(controller, now_ms, *ABC)) == [NONE] * 3


@given(phase_ms=st.integers(0, 1_999), crash_ms=st.integers(4_000, 30_000))
def test_a_crash_is_noticed_7_to_10_13_seconds_later(
    phase_ms: int, crash_ms: int
) -> None:
    controller = cluster()
    last_ms = -1
    for now_ms in range(crash_ms + 12_000):
        if now_ms % 2_000 == phase_ms:
            beat(controller, now_ms, 1, 2)
            if now_ms < crash_ms:
                beat(controller, now_ms, 0)
                last_ms = now_ms
        if now_ms == controller.next_deadline_ms and controller.handle_timeout(now_ms):
            break

    assert 9_000 < now_ms - last_ms <= 10_125
    assert 7_000 < now_ms - crash_ms <= 10_125


def test_a_fenced_broker_s_own_partitions_and_isr_places_go_in_one_batch() -> None:
    controller = cluster(
        whole(0, 1, 2),  # led
        whole(1, 2, 0),  # followed
        whole(1, 2),  # not kept
        PartitionState((2, 0, 1), (2, 1), 2),  # followed, out of the ISR
        min_isr=1,
    )
    now_ms = fence(controller, 0)

    assert now_ms == 10_125
    assert controller.partitions == (
        PartitionState((0, 1, 2), (1, 2), 1, 1, 1),
        PartitionState((1, 2, 0), (1, 2), 1, 0, 1),
        whole(1, 2),
        PartitionState((2, 0, 1), (2, 1), 2),
    )


def test_a_fenced_broker_that_falls_silent_again_changes_nothing_more() -> None:
    controller = cluster()
    now_ms = fence(controller, 0)
    controller.handle(Heartbeat(0, 0, caught_up=False), now_ms + 1)

    for later_ms in range(now_ms, now_ms + 30_000, 1_000):
        beat(controller, later_ms, 1, 2)
        assert run_until(controller, later_ms) == []


# Coming back


def test_a_broker_that_has_caught_up_is_unfenced_and_leads_what_nobody_led() -> None:
    controller = cluster(whole(0), whole(1, 0), whole(0, 1))
    now_ms = fence(controller, 0) + 1
    assert controller.partitions[0] == PartitionState(
        (0,), (), -1, 1, 1, elr=(0,), last_known_elr=(0,)
    )
    (_, answer) = controller.handle(Register(0, clean=True), now_ms)
    assert isinstance(answer, Answer) and answer.broker is not None
    epoch = answer.broker.epoch

    (waits,) = controller.handle(Heartbeat(0, epoch, caught_up=False), now_ms + 10)
    assert isinstance(waits, Answer) and waits.broker == answer.broker
    batch = changed(controller.handle(Heartbeat(0, epoch), now_ms + 20))

    assert batch.brokers == (
        BrokerState(0, fenced=False, shutting_down=False, epoch=epoch),
    )
    assert batch.partitions == ((0, PartitionState((0,), (0,), 0, 2, 2)),)
    assert controller.partitions[2].isr == (1,)  # the leader has to let it in


def test_it_has_caught_up_when_it_has_replayed_its_registration() -> None:
    controller = cluster()
    now_ms = fence(controller, 0) + 1
    batch = changed(controller.handle(Register(0, clean=True), now_ms))
    epoch = controller.brokers[0].epoch

    early = controller.handle(Heartbeat(0, epoch, offset=batch.offset - 1), now_ms + 1)
    assert errors(early) == [NONE] and controller.brokers[0].fenced
    controller.handle(Heartbeat(0, epoch, offset=batch.offset), now_ms + 2)
    assert not controller.brokers[0].fenced


# Preferred leaders


def test_leaders_are_moved_back_every_five_minutes() -> None:
    controller = cluster()
    now_ms = fence(controller, 0)
    start(controller, 0, now_ms + 1, clean=True)
    state = controller.partitions[0]
    controller.handle(
        AlterPartition(1, 1, 0, state.leader_epoch, state.partition_epoch, (1, 2, 0)),
        now_ms + 2,
    )
    moved = []
    for at_ms in range(12_000, 601_000, 2_000):
        beat(controller, at_ms, *ABC)
        moved += run_until(controller, at_ms)

    ((at_ms, batch),) = moved
    assert at_ms == 300_000
    assert changed([batch]).partitions == (
        (0, PartitionState(ABC, (1, 2, 0), 0, 2, 3)),
    )


def test_a_preferred_leader_that_is_not_in_sync_stays_a_follower() -> None:
    controller = cluster(PartitionState(ABC, (1, 2), 1))
    controller.handle(ElectPreferred(), 0)

    assert controller.partitions == (PartitionState(ABC, (1, 2), 1),)


def test_preferred_leaders_are_elected_at_once_when_asked_for() -> None:
    controller = cluster(PartitionState(ABC, ABC, 2), whole(*ABC))
    effects = controller.handle(ElectPreferred(), 5)

    assert changed(effects).partitions == ((0, PartitionState(ABC, ABC, 0, 1, 1)),)
    assert errors(effects) == [NONE]
    assert errors(controller.handle(ElectPreferred(), 6)) == [NONE]


def test_a_leader_is_moved_to_another_copy_that_is_in_sync() -> None:
    controller = cluster(PartitionState(ABC, (0, 2), 0), whole(*ABC))
    effects = controller.handle(MoveLeader(0, 2), 5)

    moved = PartitionState((2, 0, 1), (0, 2), 2, 1, 1)
    assert changed(effects).partitions == ((0, moved),)
    assert errors(effects) == [NONE]
    refused = controller.handle(MoveLeader(0, 1), 6)  # not in sync
    assert errors(refused) == [INELIGIBLE_REPLICA]
    assert controller.partitions[0] == moved


def test_a_run_moves_a_thousand_leaders_and_goes_on_10_ms_later() -> None:
    moved = PartitionState(ABC, ABC, 1)
    controller = Controller(
        ControllerSettings(session_timeout_ms=10**9), [moved] * 2_500, 3
    )
    batches = run_until(controller, 301_000)

    assert [(at_ms, len(changed([batch]).partitions)) for at_ms, batch in batches] == [
        (300_000, 1_000),
        (300_010, 1_000),
        (300_020, 500),
    ]
    assert all(state.leader == 0 for state in controller.partitions)


def test_without_leader_rebalancing_nobody_is_moved() -> None:
    controller = Controller(
        ControllerSettings(preferred_interval_ms=None, session_timeout_ms=10**9),
        [PartitionState(ABC, ABC, 1)],
        3,
    )

    assert run_until(controller, 10 * MINUTE_MS) == []


# Unclean elections


def leaderless() -> PartitionState:
    """Only broker 0 was in sync when it was lost."""
    return PartitionState(ABC, (0,), 0)


@pytest.mark.parametrize("elr", [False, True])
def test_an_unclean_leader_is_elected_in_the_batch_that_fences(*, elr: bool) -> None:
    controller = cluster(leaderless(), unclean=True, min_isr=1, elr=elr)
    fence(controller, 0)

    (state,) = controller.partitions
    assert (state.leader, state.isr, state.recovering) == (1, (1,), True)
    assert (state.leader_epoch, state.partition_epoch) == (1, 1)


@pytest.mark.parametrize("elr", [False, True])
def test_where_it_is_forbidden_the_partition_waits_for_its_last_leader(
    *, elr: bool
) -> None:
    controller = cluster(leaderless(), min_isr=1, elr=elr)
    now_ms = fence(controller, 0)
    assert controller.partitions[0].leader == -1

    start(controller, 0, now_ms + 1, clean=True)
    (state,) = controller.partitions
    assert (state.leader, state.isr, state.recovering) == (0, (0,), False)


def test_a_partition_without_a_leader_is_tried_again_every_five_minutes() -> None:
    controller = Controller(
        ControllerSettings(session_timeout_ms=10**9),
        [PartitionState(ABC, (), -1, 3, 8), PartitionState(ABC, (), -1, 3, 8)],
        3,
        unclean=[True, False],
    )
    ((at_ms, batch),) = run_until(controller, 599_999)

    assert at_ms == 300_000
    assert changed([batch]).partitions == (
        (0, PartitionState(ABC, (0,), 0, 4, 9, recovering=True)),
    )


def test_a_new_cluster_has_eligible_leader_replicas() -> None:
    controller = Controller(ControllerSettings(), [whole(0)], 1)
    fence(controller, 0)

    assert (controller.partitions[0].isr, controller.partitions[0].elr) == ((), (0,))


# Failing over


def test_a_new_controller_waits_a_whole_session_for_everybody() -> None:
    controller = cluster()
    beat(controller, 2_000, *ABC)
    run_until(controller, 3_000)
    controller.handle(Resign(), 3_100)
    assert controller.next_deadline_ms is None
    assert controller.handle(Failover(), 7_000) == []
    beat(controller, 15_000, 1, 2)

    ((at_ms, batch),) = run_until(controller, 20_000)
    assert at_ms == 7_000 + 10_125  # not 11,250, as the one before would have
    assert changed([batch]).brokers[0].node == 0


def test_a_new_controller_knows_what_the_one_before_wrote() -> None:
    controller = cluster()
    now_ms = fence(controller, 0)
    before = (controller.partitions, controller.brokers)
    controller.handle(Resign(), now_ms + 1)
    controller.handle(Failover(), now_ms + 2_000)

    assert (controller.partitions, controller.brokers) == before
    beat(controller, now_ms + 11_000, 1, 2)
    assert run_until(controller, now_ms + 2_000 + 10_126) == []  # 0 is fenced already


def test_without_an_active_controller_nothing_is_decided() -> None:
    controller = cluster()
    controller.handle(Resign(), 100)

    for request in (Heartbeat(0, 0), Register(0, clean=True), ElectPreferred()):
        assert controller.handle(request, 200) == [Answer(request, NOT_CONTROLLER)]
    assert controller.handle_timeout(20_000) == []
    assert not controller.active
