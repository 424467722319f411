"""The states of a classic group and the bookkeeping of its members."""

import pytest

from kafkasim.protocol.groups.coordinator.classic_group import (
    TRANSITIONS,
    Cause,
    ClassicGroup,
    ClassicMember,
    IllegalTransitionError,
    State,
)
from kafkasim.protocol.groups.group_messages import JoinGroup, Subscription

RANGE = (("range", Subscription(("t",))),)


def member(
    member_id: str, *protocols: str, instance_id: str | None = None
) -> ClassicMember:
    return ClassicMember(
        member_id=member_id,
        instance_id=instance_id,
        client_id="c",
        protocols=tuple((each, Subscription((each,))) for each in protocols),
        rebalance_timeout_ms=300_000,
        session_timeout_ms=45_000,
    )


def join(member_id: str) -> JoinGroup:
    return JoinGroup(group="g", member_id=member_id, protocols=RANGE)


@pytest.mark.parametrize("cause", Cause)
@pytest.mark.parametrize("after", State)
@pytest.mark.parametrize("before", State)
def test_a_way_that_is_not_in_the_table_is_refused_and_changes_nothing(
    before: State, after: State, cause: Cause
) -> None:
    group = ClassicGroup("g", 0)
    group.state = before
    legal = cause in TRANSITIONS.get((before, after), ())
    if legal:
        group.go(after, cause, 5)
        assert (group.state, group.previous, group.changed_ms) == (after, before, 5)
    else:
        with pytest.raises(IllegalTransitionError, match=f"'g': {before} to {after}"):
            group.go(after, cause, 5)
        assert (group.state, group.previous, group.changed_ms) == (before, "Dead", 0)


def test_the_states_before_each_state_are_kafkas() -> None:
    """`ClassicGroupState.validPreviousStates`, but that the dead stay as they are."""
    before: dict[State, set[State]] = {state: set() for state in State}
    for one, after in TRANSITIONS:
        before[after].add(one)
    alive = set(State) - {State.DEAD}
    assert before == {
        State.EMPTY: {State.PREPARING},
        State.PREPARING: {State.STABLE, State.COMPLETING, State.EMPTY},
        State.COMPLETING: {State.PREPARING},
        State.STABLE: {State.COMPLETING},
        State.DEAD: alive,
    }


def test_every_cause_leads_somewhere() -> None:
    assert {each for causes in TRANSITIONS.values() for each in causes} == set(Cause)


def seen(group: ClassicGroup) -> tuple[int, bool]:
    """How many wait, and whether that is everybody."""
    return group.awaiting, group.all_joined


def test_all_have_joined_when_each_waits_and_no_id_is_out() -> None:
    group = ClassicGroup("g", 0)
    first, second = member("a", "range"), member("b", "range")
    group.add(first, join("a"))
    group.add(second)
    assert seen(group) == (1, False)
    group.update(second, RANGE, (1, 2), join("b"))
    assert seen(group) == (2, True)
    group.update(second, RANGE, (1, 2), join("b"))
    group.pending_joins.add("c")
    assert seen(group) == (2, False)
    group.remove("c")
    group.remove("b")
    assert seen(group) == (1, True)
    assert group.take_join(first) == join("a")
    assert group.take_join(first) is None
    assert seen(group) == (0, False)


def leader(group: ClassicGroup) -> str | None:
    return group.leader


def test_who_leads_is_decided_by_java_s_order_when_the_leader_goes() -> None:
    group = ClassicGroup("g", 0)
    for each in ("m12", "m9", "m0", "m3"):
        group.add(member(each, "range"))
    assert leader(group) == "m12"
    group.remove("m12")
    assert leader(group) == "m0"
    assert not group.elect_leader()
    group.update(group.members["m9"], RANGE, (1, 2), join("m9"))
    assert group.elect_leader()
    assert leader(group) == "m9"
    for each in ("m0", "m3", "m9"):
        group.remove(each)
    assert leader(group) is None
    assert not group.elect_leader()


def test_of_equal_votes_the_first_in_java_s_order_wins() -> None:
    group = ClassicGroup("g", 0)
    group.state = State.PREPARING
    group.add(member("a", "range", "sticky"))
    group.add(member("b", "sticky", "range"))
    assert group.elect_protocol() == "sticky"
    group.add(member("c", "range", "sticky"))
    assert group.elect_protocol() == "range"
    group.add(member("d", "other", "sticky"))
    assert group.elect_protocol() == "sticky"


def test_who_joins_needs_a_protocol_that_everybody_has() -> None:
    group = ClassicGroup("g", 0)
    assert group.supports(RANGE)
    assert not group.supports(())
    group.state = State.PREPARING
    group.add(member("a", "range", "sticky"))
    group.add(member("b", "sticky"))
    assert not group.supports(RANGE)
    assert group.supports(member("c", "range", "sticky").protocols)
    group.update(group.members["b"], member("b", "range").protocols, (1, 2), None)
    assert group.supports(RANGE)


def test_a_replaced_member_leaves_all_it_had_to_the_new_one() -> None:
    group = ClassicGroup("g", 0)
    group.add(member("a-1", "range", instance_id="a"), join("a-1"))
    group.members["a-1"].assigned = (("t", 0),)
    old = group.replace("a", "a-2")
    assert (old.member_id, old.joining) == ("a-1", join("a-1"))
    new = group.members["a-2"]
    assert (new.assigned, new.joining, group.awaiting) == ((("t", 0),), None, 0)
    assert (group.leader, group.static_ids) == ("a-2", {"a": "a-2"})
    group.remove("a-2")
    assert group.static_ids == {}


def test_a_new_member_needs_heartbeats_even_while_its_join_waits() -> None:
    new = member("a", "range")
    new.joining, new.new = join("a"), True
    satisfied = [new.satisfied]
    new.new = False
    satisfied.append(new.satisfied)
    new.joining = None
    satisfied.append(new.satisfied)
    assert satisfied == [False, True, False]
