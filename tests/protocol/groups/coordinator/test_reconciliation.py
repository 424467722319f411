"""N8-5: how a member is brought to its target, and every state with every case."""

from itertools import product

import pytest

from kafkasim.protocol.groups.coordinator.reconciliation import (
    MEMBER_STATES,
    MEMBER_TRANSITIONS,
    NOT_OWNED,
    GroupMember,
    Target,
    reconciled,
)
from kafkasim.protocol.groups.coordinator_records import (
    STABLE,
    UNRELEASED_PARTITIONS,
    UNREVOKED_PARTITIONS,
    MemberValue,
)

T0, T1, T2 = ("t", 0), ("t", 1), ("t", 2)
SAID = MemberValue(client_id="consumer", topics=("t",), rebalance_timeout_ms=8_000)


def member(
    state: int = STABLE,
    *assigned: tuple[str, int],
    revoking: tuple[tuple[str, int], ...] = (),
) -> GroupMember:
    return GroupMember(
        member_id="m",
        epoch=5,
        previous_epoch=4,
        state=state,
        said=SAID,
        assigned=dict.fromkeys(assigned, 3),
        revoking=dict.fromkeys(revoking, 2),
    )


def target(
    *partitions: tuple[str, int],
    taken: tuple[tuple[str, int], ...] = (),
    epoch: int = 6,
) -> Target:
    return Target(
        epoch=epoch,
        partitions=partitions,
        topics=("t",),
        owner_epoch=lambda at: 5 if at in taken else NOT_OWNED,
    )


def test_what_must_be_given_up_is_told_first_and_the_epoch_stays() -> None:
    after = reconciled(member(STABLE, T0, T1), target(T1, T2), (T0, T1))
    assert (after.epoch, after.previous_epoch) == (5, 5)
    assert after.state == UNREVOKED_PARTITIONS
    assert (after.assigned, after.revoking) == ({T1: 3}, {T0: 3})


def test_one_that_still_owns_it_waits_and_so_does_one_that_does_not_say() -> None:
    before = member(UNREVOKED_PARTITIONS, T1, revoking=(T0,))
    assert reconciled(before, target(T1, T2), (T0, T1)) is before
    assert reconciled(before, target(T1, T2), None) is before


def test_one_that_gave_up_moves_on_and_gets_what_is_free() -> None:
    before = member(UNREVOKED_PARTITIONS, T1, revoking=(T0,))
    after = reconciled(before, target(T1, T2), (T1,))
    assert (after.epoch, after.previous_epoch, after.state) == (6, 5, STABLE)
    assert (after.assigned, after.revoking) == ({T1: 3, T2: 6}, {})


def test_it_waits_in_the_new_epoch_for_what_others_own() -> None:
    after = reconciled(member(STABLE, T1), target(T1, T2, taken=(T2,)), (T1,))
    assert (after.epoch, after.state) == (6, UNRELEASED_PARTITIONS)
    assert after.assigned == {T1: 3}
    freed = reconciled(after, target(T1, T2), None)
    assert (freed.state, freed.assigned) == (STABLE, {T1: 3, T2: 6})


def test_what_it_is_giving_up_itself_counts_as_free() -> None:
    before = member(UNREVOKED_PARTITIONS, T1, revoking=(T0,))
    after = reconciled(before, target(T0, T1, taken=(T0,)), (T1,))
    assert (after.state, after.assigned) == (STABLE, {T0: 6, T1: 3})


def test_one_at_its_target_is_left_alone() -> None:
    before = member(STABLE, T0)
    assert reconciled(before, target(T0, epoch=5), None) is before


def test_who_unsubscribes_gives_up_though_no_target_was_computed_yet() -> None:
    before = member(STABLE, T0, ("gone", 1))
    now = target(T0, ("gone", 1), epoch=5)
    after = reconciled(before, now, (T0, ("gone", 1)), resubscribed=True)
    assert (after.state, after.epoch) == (UNREVOKED_PARTITIONS, 5)
    assert (after.assigned, after.revoking) == ({T0: 3}, {("gone", 1): 3})
    given_up = reconciled(before, now, (T0,), resubscribed=True)
    assert (given_up.state, given_up.assigned) == (STABLE, {T0: 3})


CASES = list(
    product(
        MEMBER_STATES,
        [(), (T0,), (T0, T1)],  # assigned
        [(), (T2,)],  # to be revoked
        [(), (T0,), (T1, T2), (T0, T1, T2)],  # target
        [(), (T1, T2)],  # owned by others
        [None, (), (T0,), (T0, T1, T2)],  # said to be owned
        [5, 6],  # epoch of the target
        [False, True],  # another subscription
    )
)


def test_every_state_and_case_ends_in_a_legal_state() -> None:
    for state, assigned, revoking, wanted, taken, owned, epoch, resubscribed in CASES:
        before = member(state, *assigned, revoking=revoking)
        now = target(*wanted, taken=taken, epoch=epoch)
        after = reconciled(before, now, owned, resubscribed=resubscribed)
        if after.state != state:
            assert after.state in MEMBER_TRANSITIONS[state]
        assert after.epoch in {5, epoch}
        if after is before:
            continue
        assert after.previous_epoch == before.epoch
        kept = set(after.assigned) | set(after.revoking)
        given_up = (set(assigned) | set(revoking)) - kept
        assert owned is not None or not given_up - set(revoking)
        assert not given_up & set(owned or ()) or state != UNREVOKED_PARTITIONS
        new = set(after.assigned) - set(assigned)
        assert new <= set(wanted)
        assert not new & set(taken) or new & set(taken) <= set(revoking)
        if after.state == STABLE and after.epoch == 6:
            assert set(after.assigned) == set(wanted)


@pytest.mark.parametrize("state", MEMBER_STATES)
def test_each_state_is_reached_from_each_other(state: int) -> None:
    others = set(MEMBER_STATES) - {state}
    assert set(MEMBER_TRANSITIONS[state]) == others
