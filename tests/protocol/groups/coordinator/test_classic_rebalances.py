"""When rebalances of a classic group begin and end, at literal times."""

from collections.abc import Callable

import pytest

from kafkasim.protocol.errors import (
    KAFKA_STORAGE_ERROR,
    NOT_COORDINATOR,
    NOT_ENOUGH_REPLICAS,
    NOT_LEADER_OR_FOLLOWER,
    REQUEST_TIMED_OUT,
)
from kafkasim.protocol.groups.coordinator.classic_rebalances import ClassicSettings
from kafkasim.protocol.groups.group_messages import Subscription
from tests.protocol.groups.coordinator.classic_coordinator import (
    GROUP,
    RANGE,
    Coordinated,
    name,
)

BOTH = (("range", Subscription(("orders",))), ("sticky", Subscription(("orders",))))
STICKY_FIRST = tuple(reversed(BOTH))
PAYMENTS = (("range", Subscription(("payments",))),)


# GR-2: the initial delay


def test_one_member_alone_starts_after_3_s() -> None:
    coordinated = Coordinated()
    coordinated.enter("m1")
    coordinated.at(2_999)
    assert coordinated.state == "PreparingRebalance"
    coordinated.at(3_000)
    assert coordinated.joins()[-1] == (3_000, "m1-1", "NONE", 1)
    assert coordinated.story() == [
        (0, "PreparingRebalance", "member joined"),
        (3_000, "CompletingRebalance", "initial delay is over"),
    ]


def test_three_members_that_come_together_start_after_6_s() -> None:
    coordinated = Coordinated()
    coordinated.enter("m1")
    coordinated.at(10).enter("m2")
    coordinated.at(20).enter("m3")
    coordinated.at(60_000)
    started = [join for join in coordinated.joins() if join[2] == "NONE"]
    assert sorted(started) == [
        (6_000, "m1-1", "NONE", 1),
        (6_000, "m2-2", "NONE", 1),
        (6_000, "m3-3", "NONE", 1),
    ]


def test_the_delay_grows_as_long_as_members_come_up_to_the_rebalance_timeout() -> None:
    coordinated = Coordinated()
    coordinated.enter("m1", rebalance_timeout_ms=10_000)
    for second in range(1, 30):
        coordinated.at(1_000 * second - 500)
        if coordinated.state == "PreparingRebalance":
            coordinated.enter(f"m{second + 1}", rebalance_timeout_ms=10_000)

    began_ms = [ms for ms, state, _ in coordinated.story() if state[0] == "C"]
    assert began_ms == [10_000]


def test_without_a_delay_the_first_one_starts_at_its_next_tick() -> None:
    coordinated = Coordinated(ClassicSettings(initial_rebalance_delay_ms=0))
    coordinated.enter("m1")
    coordinated.at(0)
    assert coordinated.state == "CompletingRebalance"


def test_only_a_group_that_was_empty_is_delayed() -> None:
    coordinated = Coordinated()
    (m1,) = coordinated.grown("m1")
    coordinated.at(20_000)
    m2 = coordinated.enter("m2")
    coordinated.at(20_400).join("m1", m1)
    assert sorted(coordinated.joins()[-2:]) == [
        (20_400, m1, "NONE", 2),
        (20_400, m2, "NONE", 2),
    ]


def test_when_all_have_left_the_next_one_waits_again() -> None:
    coordinated = Coordinated()
    (m1,) = coordinated.grown("m1")
    coordinated.at(10_000).leave(m1)
    assert (coordinated.state, coordinated.generation) == ("Empty", 2)
    coordinated.enter("m2")
    coordinated.at(12_999)
    assert coordinated.state == "PreparingRebalance"
    coordinated.at(13_000)
    assert (coordinated.state, coordinated.generation) == ("CompletingRebalance", 3)


# GR-3: who does not join again


def test_who_has_not_joined_in_the_rebalance_timeout_is_removed() -> None:
    coordinated = Coordinated()
    m1, m2 = coordinated.grown("m1", "m2", session_timeout_ms=1_000_000)
    coordinated.at(10_000)
    coordinated.join("m1", m1, session_timeout_ms=1_000_000)
    coordinated.at(309_999)
    assert (coordinated.state, coordinated.members) == ("PreparingRebalance", [m1, m2])
    coordinated.at(310_000)
    assert (coordinated.state, coordinated.members) == ("CompletingRebalance", [m1])
    assert coordinated.story()[-1][2] == "rebalance timeout is over"
    assert coordinated.heartbeat(m2, 1) == "UNKNOWN_MEMBER_ID"


def test_the_longest_timeout_of_a_member_counts() -> None:
    coordinated = Coordinated()
    m1 = coordinated.enter("m1", rebalance_timeout_ms=20_000)
    coordinated.enter("m2", rebalance_timeout_ms=50_000, session_timeout_ms=100_000)
    coordinated.at(10_000).settle()
    coordinated.join("m1", m1, rebalance_timeout_ms=20_000)
    coordinated.at(59_999)
    assert coordinated.state == "PreparingRebalance"
    coordinated.at(60_000)
    assert coordinated.members == [m1]


def test_a_static_member_that_has_not_joined_stays() -> None:
    coordinated = Coordinated()
    coordinated.join("s", instance_id="one", session_timeout_ms=1_000_000)
    coordinated.join("s", instance_id="two", session_timeout_ms=1_000_000)
    coordinated.at(6_000).settle()
    one, two = coordinated.members
    coordinated.join("s", one, instance_id="one", session_timeout_ms=1_000_000)
    if coordinated.state == "Stable":
        coordinated.join("s", two, instance_id="two", session_timeout_ms=1_000_000)
    coordinated.at(306_000)
    assert (coordinated.generation, coordinated.members) == (2, [one, two])


def test_if_nobody_at_all_joins_again_it_waits_another_timeout() -> None:
    coordinated = Coordinated()
    coordinated.join("s", instance_id="one", session_timeout_ms=1_800_000)
    coordinated.join("s", instance_id="two", session_timeout_ms=1_800_000)
    (m3,) = coordinated.grown("m3")
    one, two = coordinated.members[1:]
    left_ms = coordinated.now_ms
    coordinated.leave(m3)
    coordinated.at(left_ms + 300_000)
    assert (coordinated.state, coordinated.members) == (
        "PreparingRebalance",
        [one, two],
    )
    coordinated.at(left_ms + 310_000).join("s", one, instance_id="one")
    coordinated.at(left_ms + 599_999)
    assert coordinated.state == "PreparingRebalance"
    coordinated.at(left_ms + 600_000)
    assert (coordinated.state, coordinated.leader) == ("CompletingRebalance", one)


# GR-4: the generation, its leader, its protocol


def test_each_rebalance_is_one_generation_more() -> None:
    coordinated = Coordinated()
    (m1,) = coordinated.grown("m1")
    for generation in (2, 3, 4):
        joined = coordinated.join("m1", m1)
        assert joined is not None and joined.generation == generation
        coordinated.settle()


def test_the_first_to_join_leads_and_hears_what_everybody_reads() -> None:
    coordinated = Coordinated()
    m1 = coordinated.enter("m1")
    m2 = coordinated.enter("m2", protocols=PAYMENTS)
    coordinated.at(6_000)
    told = {
        response.member_id: response  # type: ignore[union-attr]
        for at, _, response in coordinated.answers
        if at == 6_000
    }
    assert told[m1].leader == told[m2].leader == m1  # type: ignore[union-attr]
    assert told[m2].members == ()  # type: ignore[union-attr]
    assert sorted(told[m1].members) == [  # type: ignore[union-attr]
        (m1, None, Subscription(("orders",))),
        (m2, None, Subscription(("payments",))),
    ]


def test_a_leader_that_joins_again_leads_again_and_one_that_left_is_replaced() -> None:
    coordinated = Coordinated()
    m1, m2, m3 = coordinated.grown("m1", "m2", "m3")
    coordinated.join("m3", m3, protocols=PAYMENTS)
    coordinated.join("m2", m2)
    coordinated.join("m1", m1)
    assert coordinated.leader == m1
    coordinated.settle()
    coordinated.leave(m1)
    assert coordinated.leader in (m2, m3)


def test_the_protocol_with_most_votes_wins() -> None:
    coordinated = Coordinated()
    coordinated.enter("m1", protocols=BOTH)
    coordinated.enter("m2", protocols=STICKY_FIRST)
    coordinated.enter("m3", protocols=STICKY_FIRST)
    coordinated.at(6_000)
    assert coordinated.groups.groups[GROUP].protocol == "sticky"


def test_a_protocol_that_one_member_lacks_cannot_win() -> None:
    coordinated = Coordinated()
    coordinated.enter("m1", protocols=STICKY_FIRST)
    coordinated.enter("m2", protocols=STICKY_FIRST)
    coordinated.enter("m3", protocols=RANGE)
    coordinated.at(6_000)
    assert coordinated.groups.groups[GROUP].protocol == "range"


def test_who_shares_no_protocol_with_all_is_refused() -> None:
    coordinated = Coordinated()
    coordinated.grown("m1")
    coordinated.join("m2", protocols=(("sticky", Subscription(("orders",))),))
    assert coordinated.joins()[-1][2] == "INCONSISTENT_GROUP_PROTOCOL"
    assert coordinated.state == "Stable"
    coordinated.join("m1", "m1-1", protocols=STICKY_FIRST[:1])
    assert coordinated.joins()[-1][1:3] == ("m1-1", "INCONSISTENT_GROUP_PROTOCOL")


# GR-5: the assignment


def test_followers_wait_for_the_leader_and_all_wait_for_the_log() -> None:
    coordinated = Coordinated()
    m1, m2 = coordinated.enter("m1"), coordinated.enter("m2")
    coordinated.at(6_000).holds = True
    assert coordinated.sync(m2, 1) is None
    coordinated.at(6_010)
    assert coordinated.sync(m1, 1) is None
    assert coordinated.state == "CompletingRebalance"
    coordinated.at(6_015).end()
    assert sorted(coordinated.syncs()) == [
        (6_015, m1, "NONE", ((m1, 0),)),
        (6_015, m2, "NONE", ((m2, 0),)),
    ]
    assert coordinated.story()[-1] == (6_015, "Stable", "assignment stored")


def test_a_member_that_the_leader_left_out_has_nothing() -> None:
    coordinated = Coordinated()
    m1, m2 = coordinated.enter("m1"), coordinated.enter("m2")
    coordinated.at(6_000)
    coordinated.sync(m1, 1, assignments=((m1, (("orders", 0),)),))
    synced = coordinated.sync(m2, 1)
    assert synced is not None and (name(synced.error), synced.assigned) == ("NONE", ())


def test_who_asks_later_gets_what_was_stored() -> None:
    coordinated = Coordinated()
    m1, m2 = coordinated.enter("m1"), coordinated.enter("m2")
    coordinated.at(6_000).sync(m1, 1)
    synced = coordinated.at(7_000).sync(m2, 1)
    assert synced is not None and synced.assigned == ((m2, 0),)


def test_who_does_not_ask_in_the_rebalance_timeout_is_removed() -> None:
    coordinated = Coordinated()
    long: dict[str, object] = {"session_timeout_ms": 1_000_000}
    m1, m2 = coordinated.enter("m1", **long), coordinated.enter("m2", **long)
    coordinated.at(6_000).sync(m1, 1)
    coordinated.at(305_999)
    assert (coordinated.state, coordinated.members) == ("Stable", [m1, m2])
    coordinated.at(306_000)
    assert (coordinated.state, coordinated.members) == ("PreparingRebalance", [m1])
    assert coordinated.story()[-1] == (306_000, "PreparingRebalance", "no sync in time")


def test_when_all_have_asked_nobody_is_removed() -> None:
    coordinated = Coordinated()
    (m1,) = coordinated.grown("m1", session_timeout_ms=1_000_000)
    coordinated.at(900_000)
    assert (coordinated.state, coordinated.members) == ("Stable", [m1])


def test_a_rebalance_sends_those_away_who_wait_for_an_assignment() -> None:
    coordinated = Coordinated()
    m1, m2 = coordinated.enter("m1"), coordinated.enter("m2")
    coordinated.at(6_000).sync(m2, 1)
    coordinated.at(6_100).join("m1", m1, protocols=PAYMENTS)
    assert coordinated.syncs() == [(6_100, m2, "REBALANCE_IN_PROGRESS", ())]


def test_an_assignment_of_an_older_generation_that_comes_through_is_not_given() -> None:
    coordinated = Coordinated()
    m1 = coordinated.enter("m1")
    coordinated.at(3_000).holds = True
    coordinated.sync(m1, 1)
    coordinated.enter("m2")
    assert coordinated.syncs() == [(3_000, m1, "REBALANCE_IN_PROGRESS", ())]
    coordinated.end()
    assert coordinated.state == "PreparingRebalance"
    assert len(coordinated.syncs()) == 1


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (NOT_ENOUGH_REPLICAS, "COORDINATOR_NOT_AVAILABLE"),
        (REQUEST_TIMED_OUT, "COORDINATOR_NOT_AVAILABLE"),
        (NOT_LEADER_OR_FOLLOWER, "NOT_COORDINATOR"),
        (KAFKA_STORAGE_ERROR, "NOT_COORDINATOR"),
        (NOT_COORDINATOR, "NOT_COORDINATOR"),
    ],
)
def test_if_the_assignment_cannot_be_stored_there_is_another_rebalance(
    error: int, told: str
) -> None:
    coordinated = Coordinated()
    m1, m2 = coordinated.enter("m1"), coordinated.enter("m2")
    coordinated.at(6_000).holds = True
    coordinated.sync(m2, 1)
    coordinated.sync(m1, 1)
    coordinated.end(error)
    assert {(who, said) for _, who, said, _ in coordinated.syncs()} == {
        (m1, told),
        (m2, told),
    }
    assert coordinated.story()[-1][1:] == (
        "PreparingRebalance",
        "assignment could not be stored",
    )


def test_a_sync_for_another_protocol_is_refused() -> None:
    coordinated = Coordinated()
    (m1,) = coordinated.grown("m1")
    other = coordinated.sync(m1, 1, protocol="sticky")
    same = coordinated.sync(m1, 1, protocol="range")
    assert other is not None and same is not None
    assert name(other.error) == "INCONSISTENT_GROUP_PROTOCOL"
    assert name(same.error) == "NONE"


# GR-6: what begins a rebalance

Trigger = Callable[[Coordinated], object]
TRIGGERS: list[tuple[str, Trigger, str]] = [
    ("a new member", lambda c: c.enter("m3"), "member joined"),
    ("leave", lambda c: c.leave("m2-2"), "member left"),
    ("session", lambda c: c.at(c.now_ms + 45_000), "session expired"),
    ("leader", lambda c: c.join("m1", "m1-1"), "leader rejoined"),
    (
        "other topics",
        lambda c: c.join("m2", "m2-2", protocols=PAYMENTS),
        "subscription changed",
    ),
]


@pytest.mark.parametrize(
    ("trigger", "cause"), [pytest.param(t, c, id=n) for n, t, c in TRIGGERS]
)
def test_this_begins_a_rebalance(trigger: Trigger, cause: str) -> None:
    coordinated = Coordinated()
    coordinated.grown("m1", "m2")
    trigger(coordinated)
    assert coordinated.story()[0][1:] == ("PreparingRebalance", cause)


def test_a_follower_that_says_what_it_said_gets_the_generation_that_is() -> None:
    coordinated = Coordinated()
    _, m2 = coordinated.grown("m1", "m2")
    joined = coordinated.join("m2", m2)
    assert joined is not None and (joined.generation, joined.members) == (1, ())
    assert coordinated.story() == []


def test_who_missed_the_response_to_its_join_is_told_again() -> None:
    coordinated = Coordinated()
    m1, m2 = coordinated.enter("m1"), coordinated.enter("m2")
    coordinated.at(6_000)
    leader, follower = coordinated.join("m1", m1), coordinated.join("m2", m2)
    assert leader is not None and follower is not None
    assert (leader.generation, len(leader.members)) == (1, 2)
    assert (follower.generation, follower.members) == (1, ())
    assert coordinated.state == "CompletingRebalance"
