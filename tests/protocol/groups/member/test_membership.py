"""States of a member: every step from every state."""

from itertools import product

import pytest

from kafkasim.protocol.groups.member.membership import (
    NOBODY,
    STEPS,
    Identity,
    Membership,
    State,
    Step,
)

LEGAL = {
    ("UNJOINED", "JOINS"): "PREPARING_REBALANCE",
    ("PREPARING_REBALANCE", "JOINS"): "PREPARING_REBALANCE",
    ("COMPLETING_REBALANCE", "JOINS"): "PREPARING_REBALANCE",
    ("STABLE", "JOINS"): "PREPARING_REBALANCE",
    ("PREPARING_REBALANCE", "JOINED"): "COMPLETING_REBALANCE",
    ("COMPLETING_REBALANCE", "SYNCED"): "STABLE",
    ("UNJOINED", "RESETS"): "UNJOINED",
    ("PREPARING_REBALANCE", "RESETS"): "UNJOINED",
    ("COMPLETING_REBALANCE", "RESETS"): "UNJOINED",
    ("STABLE", "RESETS"): "UNJOINED",
}


@pytest.mark.parametrize(("state", "step"), list(product(State, Step)))
def test_every_step_from_every_state(state: State, step: Step) -> None:
    member = Membership()
    member.state = state
    to = LEGAL.get((state.name, step.name))

    if to is None:
        with pytest.raises(ValueError, match="cannot"):
            member.take(step)
        assert member.state is state
    else:
        member.take(step)
        assert member.state.name == to


def test_the_table_holds_no_more_than_that() -> None:
    assert {(a.name, b.name): c.name for (a, b), c in STEPS.items()} == LEGAL


@pytest.mark.parametrize("keeps_id", [True, False])
def test_a_member_that_is_reset_has_to_prepare_and_join(*, keeps_id: bool) -> None:
    member = Membership()
    member.identity = Identity(3, "me", "range")
    member.rejoin_needed = member.prepare_needed = False

    member.reset(keeps_id=keeps_id)

    assert member.identity == (Identity(member_id="me") if keeps_id else NOBODY)
    assert member.was_expelled
    assert member.rejoin_needed and member.prepare_needed
