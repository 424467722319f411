"""How one partition changes: whom it elects, who stays eligible, which epochs rise."""

from collections.abc import Callable

import pytest

from kafkasim.protocol.cluster.controller_election import (
    Choice,
    Election,
    change_partition,
    choice_of,
)
from kafkasim.protocol.cluster.controller_messages import PartitionState

ABC = (0, 1, 2)


def up(*nodes: int) -> Callable[[int], bool]:
    return nodes.__contains__


def change(
    state: PartitionState,
    isr: tuple[int, ...],
    active: tuple[int, ...],
    *,
    min_isr: int = 2,
    elr: bool = True,
    election: Election = Election.ONLINE,
    lost_node: int = -1,
    recovering: bool | None = None,
) -> PartitionState | None:
    return change_partition(
        state,
        isr,
        up(*active),
        min_isr=min_isr,
        elr=elr,
        election=election,
        lost_node=lost_node,
        recovering=recovering,
    )


def test_nothing_to_change_is_no_change() -> None:
    assert change(PartitionState(ABC, ABC, 0), ABC, ABC) is None


def test_a_leader_that_is_still_valid_stays_and_only_the_partition_epoch_rises() -> (
    None
):
    state = PartitionState(ABC, ABC, 2, leader_epoch=4, partition_epoch=7)

    assert change(state, (1, 2), (1, 2)) == PartitionState(ABC, (1, 2), 2, 4, 8)


def test_the_next_leader_is_the_first_of_the_assignment_that_is_in_sync() -> None:
    state = PartitionState((2, 0, 1), (0, 1, 2), 2, 4, 7)

    # Not the first of the ISR as it is listed, and not the lowest node.
    assert change(state, (1, 0), (0, 1)) == PartitionState((2, 0, 1), (1, 0), 0, 5, 8)


def test_who_is_in_sync_and_not_active_does_not_lead() -> None:
    state = PartitionState(ABC, ABC, 0)

    assert change(state, (1, 2), (2,)) == PartitionState(ABC, (1, 2), 2, 1, 1)


def test_who_is_active_and_not_in_sync_does_not_lead() -> None:
    state = PartitionState(ABC, (0, 2), 0)

    assert change(state, (2,), (1, 2), min_isr=1) == PartitionState(ABC, (2,), 2, 1, 1)


@pytest.mark.parametrize(("active", "leader"), [((0, 1, 2), 0), ((1, 2), 1), ((2,), 2)])
def test_a_preferred_election_takes_the_first_replica_if_it_is_valid(
    active: tuple[int, ...], leader: int
) -> None:
    state = PartitionState(ABC, ABC, 1)
    found = change(state, ABC, active, election=Election.PREFERRED)

    assert (state if found is None else found).leader == leader


def test_nobody_to_lead_is_a_change_of_leader_too() -> None:
    state = PartitionState(ABC, (0,), 0, 4, 7)

    assert change(state, (), (1, 2), elr=False) == PartitionState(ABC, (0,), -1, 5, 8)


def test_without_eligible_leader_replicas_the_last_of_the_isr_stays_in_it() -> None:
    state = PartitionState(ABC, (0,), 0)
    found = change(state, (), (1, 2), elr=False)

    assert found is not None and (found.isr, found.elr) == ((0,), ())
    back = change(found, found.isr, ABC, elr=False)
    assert back is not None and (back.leader, back.leader_epoch) == (0, 2)


def test_with_them_the_isr_may_become_empty() -> None:
    state = PartitionState(ABC, (0,), 0, elr=(1,))

    assert change(state, (), ()) == PartitionState(
        ABC, (), -1, 1, 1, elr=(0, 1), last_known_elr=(0,)
    )


def test_an_isr_that_is_large_enough_leaves_nobody_eligible() -> None:
    assert change(PartitionState(ABC, ABC, 0), (0, 1), ABC) == PartitionState(
        ABC, (0, 1), 0, 0, 1
    )
    small = PartitionState(ABC, (0,), 0, elr=(1, 2))
    assert change(small, (0, 2), ABC) == PartitionState(ABC, (0, 2), 0, 0, 1)


def test_whoever_leaves_an_isr_that_is_too_small_stays_eligible() -> None:
    state = PartitionState((3, 2, 1, 0), (3, 2, 1), 3, elr=(0,))

    assert change(state, (1,), (1,)) == PartitionState(
        (3, 2, 1, 0), (1,), 1, 1, 1, elr=(0, 2, 3)
    )


def test_but_not_when_it_stopped_uncleanly() -> None:
    state = PartitionState(ABC, (0, 1), 1, elr=(2,))

    assert change(state, (1,), (1, 2), lost_node=0) == PartitionState(
        ABC, (1,), 1, 0, 1, elr=(2,)
    )
    gone = PartitionState(ABC, (1,), 1, elr=(0, 2))
    assert change(gone, (1,), ABC, lost_node=0) == PartitionState(
        ABC, (1,), 1, 0, 1, elr=(2,)
    )


def test_an_eligible_replica_leads_cleanly_when_the_isr_is_empty() -> None:
    state = PartitionState(ABC, (), -1, 5, 9, elr=(1, 2), last_known_elr=(0,))

    assert change(state, (), (2,)) == PartitionState(ABC, (2,), 2, 6, 10, elr=(1,))


def test_and_not_while_somebody_is_in_the_isr() -> None:
    state = PartitionState(ABC, (0,), 0, elr=(1,))

    assert change(state, (0,), (1,)) == PartitionState(
        ABC, (0,), -1, 1, 1, elr=(1,), last_known_elr=(0,)
    )


def test_an_unclean_leader_is_the_first_that_is_active_and_is_alone_in_sync() -> None:
    state = PartitionState((2, 0, 1), (2,), 2, 4, 7)
    found = change(state, (), (0, 1), elr=False, election=Election.UNCLEAN)

    assert found == PartitionState((2, 0, 1), (0,), 0, 5, 8, recovering=True)


def test_an_unclean_election_prefers_who_is_in_sync() -> None:
    state = PartitionState(ABC, (0, 2), 0)
    found = change(state, (2,), (1, 2), min_isr=1, election=Election.UNCLEAN)

    assert found == PartitionState(ABC, (2,), 2, 1, 1)


def test_an_unclean_election_leaves_nobody_eligible() -> None:
    state = PartitionState(ABC, (2,), 2, elr=(1,))
    found = change(state, (2,), (0,), election=Election.UNCLEAN)

    assert found == PartitionState(ABC, (0,), 0, 1, 1, recovering=True)


def test_the_last_leader_is_remembered_once() -> None:
    state = PartitionState(ABC, (1,), 1)
    first = change(state, (), (), lost_node=1)

    assert first == PartitionState(ABC, (), -1, 1, 1, last_known_elr=(1,))
    assert change(first, (), (0, 2)) is None


def test_the_last_leader_is_taken_back_as_unclean_even_where_that_is_forbidden() -> (
    None
):
    state = PartitionState(ABC, (), -1, 5, 9, last_known_elr=(1,))

    assert change(state, (), (0, 1)) == PartitionState(
        ABC, (1,), 1, 6, 10, recovering=True
    )
    assert change(state, (), (0, 2)) is None  # it alone, and only when it is back


def test_the_last_leader_comes_before_any_other_in_an_unclean_election() -> None:
    state = PartitionState(ABC, (), -1, 5, 9, last_known_elr=(1,))
    found = change(state, (), ABC, election=Election.UNCLEAN)

    assert found is not None and found.leader == 1


def test_the_last_leader_is_not_taken_while_somebody_is_eligible() -> None:
    state = PartitionState(ABC, (), -1, 5, 9, elr=(2,), last_known_elr=(1,))

    assert change(state, (), (0, 1)) is None


def test_a_leader_that_took_over_says_so_by_its_next_change_of_the_isr() -> None:
    state = PartitionState(ABC, (0,), 0, 5, 9, recovering=True)

    assert change(state, (0, 1), ABC, recovering=False) == PartitionState(
        ABC, (0, 1), 0, 5, 10
    )
    kept = change(state, (0, 1), ABC)
    assert kept is not None and kept.recovering


# How a leader was chosen


def choice(
    before: PartitionState, active: tuple[int, ...], *, lost_node: int = -1
) -> Choice:
    """Elect uncleanly, if need be, where a node may have lost its place, or none."""
    found = change(
        *(before, tuple(node for node in before.isr if node != lost_node), active),
        election=Election.UNCLEAN,
        lost_node=lost_node,
    )
    assert found is not None and found.leader != before.leader
    return choice_of(before, found, (lost_node,))


def test_a_choice_is_named_by_where_the_leader_was() -> None:
    in_sync = PartitionState(ABC, (0, 1), 0)
    eligible = PartitionState(ABC, (), -1, elr=(1, 2), last_known_elr=(0,))
    nobody = PartitionState(ABC, (), -1, last_known_elr=(2,))

    assert choice(in_sync, (1, 2), lost_node=0) is Choice.IN_SYNC
    assert choice(eligible, ABC) is Choice.ELIGIBLE
    assert choice(nobody, ABC) is Choice.LAST_LEADER
    assert choice(nobody, (0, 1)) is Choice.UNCLEAN
    assert choice(eligible, (0,)) is Choice.UNCLEAN  # though it was the last to lead


def test_the_last_leader_is_chosen_when_the_last_eligible_replica_loses_its_place() -> (
    None
):
    state = PartitionState(ABC, (), -1, elr=(2,), last_known_elr=(1,))

    assert choice(state, (0, 1), lost_node=2) is Choice.LAST_LEADER


@pytest.mark.parametrize(("isr", "elr"), [((1,), ()), ((), (1,))])
def test_a_clean_choice_is_one_though_the_leader_before_did_not_report(
    isr: tuple[int, ...], elr: tuple[int, ...]
) -> None:
    state = PartitionState(ABC, isr, -1, elr=elr, recovering=True)
    found = change(state, isr, (1,))

    assert found is not None and found.recovering
    assert choice_of(state, found) in {Choice.IN_SYNC, Choice.ELIGIBLE}
