"""Who may join a classic group, at literal times: new ids, sizes, static members."""

from kafkasim.protocol.errors import (
    NOT_ENOUGH_REPLICAS,
)
from kafkasim.protocol.groups.coordinator.classic_rebalances import ClassicSettings
from kafkasim.protocol.groups.group_messages import Subscription
from tests.protocol.groups.coordinator.classic_coordinator import (
    GROUP,
    Coordinated,
    name,
)

BOTH = (("range", Subscription(("orders",))), ("sticky", Subscription(("orders",))))
STICKY_FIRST = tuple(reversed(BOTH))
PAYMENTS = (("range", Subscription(("payments",))),)


# GR-1: who comes without an id


def test_a_new_member_is_given_an_id_and_told_to_join_with_it() -> None:
    coordinated = Coordinated()
    joined = coordinated.join("m1")

    assert joined is not None
    assert (name(joined.error), joined.member_id) == ("MEMBER_ID_REQUIRED", "m1-1")
    assert (coordinated.state, coordinated.members) == ("Empty", [])
    assert coordinated.join("m1", "m1-1") is None
    assert (coordinated.state, coordinated.members) == ("PreparingRebalance", ["m1-1"])


def test_an_id_that_nobody_uses_is_forgotten_after_a_session() -> None:
    coordinated = Coordinated()
    coordinated.join("m1")
    coordinated.at(44_999)
    assert coordinated.groups.groups[GROUP].pending_joins == {"m1-1"}
    coordinated.at(45_000)
    assert coordinated.groups.groups[GROUP].pending_joins == set()
    assert coordinated.join("m1", "m1-1") is not None
    assert coordinated.joins()[-1] == (45_000, "m1-1", "UNKNOWN_MEMBER_ID", -1)


def test_a_rebalance_waits_for_who_was_given_an_id() -> None:
    coordinated = Coordinated()
    (m1,) = coordinated.grown("m1")
    coordinated.join("m2")
    coordinated.join("m1", m1)
    assert coordinated.state == "PreparingRebalance"
    coordinated.join("m2", "m2-2")
    assert coordinated.state == "CompletingRebalance"


def test_an_id_of_a_group_that_is_not_there_is_unknown() -> None:
    coordinated = Coordinated()
    coordinated.join("m1", "m1-7")
    assert coordinated.joins() == [(0, "m1-7", "UNKNOWN_MEMBER_ID", -1)]
    assert not coordinated.groups.has(GROUP)


def test_a_group_is_in_the_log_from_its_first_member_on() -> None:
    coordinated = Coordinated()
    coordinated.join("m1")
    assert coordinated.reload().groups.has(GROUP)


# The size of a group


def test_a_group_that_is_full_takes_nobody() -> None:
    coordinated = Coordinated(ClassicSettings(max_size=2))
    m1, m2 = coordinated.grown("m1", "m2")
    coordinated.join("m3")
    assert coordinated.joins()[-1][1:3] == ("", "GROUP_MAX_SIZE_REACHED")
    assert coordinated.heartbeat(m1, 1) == coordinated.heartbeat(m2, 1) == "NONE"


def test_of_a_group_that_is_too_large_after_a_load_the_last_to_join_go() -> None:
    coordinated = Coordinated()
    m1, m2, m3 = coordinated.grown("m1", "m2", "m3")
    coordinated.settings = ClassicSettings(max_size=2)
    other = coordinated.reload()
    assert other.story()[-1][1:] == ("PreparingRebalance", "group is too large")
    other.join("m3", m3)
    other.join("m1", m1)
    other.join("m2", m2)
    assert other.joins()[-1][1:3] == ("", "GROUP_MAX_SIZE_REACHED")
    assert other.members == [m1, m3]


# GR-14: static members


def static(coordinated: Coordinated) -> tuple[str, str]:
    """Let two static members form a group; return their ids, the leader's first."""
    coordinated.join("s", instance_id="one")
    coordinated.join("s", instance_id="two")
    coordinated.at(6_000).settle()
    one, two = coordinated.members
    assert (one, two, coordinated.leader) == ("one-1", "two-2", one)
    return one, two


def test_a_static_member_that_comes_back_gets_what_it_had_without_a_rebalance() -> None:
    coordinated = Coordinated()
    _, two = static(coordinated)
    joined = coordinated.at(20_000).join("s", instance_id="two")
    assert joined is not None
    assert (name(joined.error), joined.member_id) == ("NONE", "two-3")
    assert (joined.generation, joined.skip_assignment) == (1, False)
    synced = coordinated.sync("two-3", 1, instance_id="two")
    assert synced is not None and synced.assigned == ((two, 0),)
    assert coordinated.story() == []


def test_its_new_id_is_in_the_log_before_it_hears_of_it() -> None:
    coordinated = Coordinated()
    one, _ = static(coordinated)
    coordinated.holds = True
    assert coordinated.join("s", instance_id="two") is None
    coordinated.end()
    assert coordinated.joins()[-1][1:3] == ("two-3", "NONE")
    assert coordinated.reload().members == [one, "two-3"]


def test_a_leader_that_comes_back_leads_on_and_need_not_assign() -> None:
    coordinated = Coordinated()
    _, two = static(coordinated)
    joined = coordinated.at(20_000).join("s", instance_id="one")
    assert joined is not None
    assert (joined.leader, joined.skip_assignment) == ("one-3", True)
    assert sorted(each[0] for each in joined.members) == ["one-3", two]


def test_the_old_one_is_fenced() -> None:
    coordinated = Coordinated()
    _, two = static(coordinated)
    coordinated.join("s", instance_id="two")
    assert coordinated.heartbeat(two, 1, instance_id="two") == "FENCED_INSTANCE_ID"
    assert coordinated.commit(two, 1, instance_id="two") == "FENCED_INSTANCE_ID"
    assert coordinated.leave(two, "two") == "FENCED_INSTANCE_ID"
    coordinated.join("s", two, instance_id="two")
    assert coordinated.joins()[-1][1:3] == (two, "FENCED_INSTANCE_ID")
    synced = coordinated.sync(two, 1, instance_id="two")
    assert synced is not None and name(synced.error) == "FENCED_INSTANCE_ID"
    assert coordinated.heartbeat("two-3", 1, instance_id="two") == "NONE"


def test_the_old_one_is_fenced_at_once_if_its_request_waits() -> None:
    coordinated = Coordinated()
    one, two = static(coordinated)
    coordinated.join("s", one, instance_id="one")
    coordinated.join("s", two, instance_id="two")
    assert coordinated.state == "CompletingRebalance"
    coordinated.sync(two, 2, instance_id="two")
    coordinated.forget()
    coordinated.join("s", instance_id="two")
    assert coordinated.syncs()[0][1:3] == (two, "FENCED_INSTANCE_ID")
    assert coordinated.story()[0][2] == "static member came back"
    coordinated.join("s", instance_id="two")
    assert coordinated.joins()[0][1:3] == ("two-3", "FENCED_INSTANCE_ID")


def test_a_static_member_may_be_away_for_its_session() -> None:
    coordinated = Coordinated()
    one, _ = static(coordinated)
    coordinated.at(50_000).heartbeat(one, 1, instance_id="one")
    coordinated.at(50_999)
    assert coordinated.state == "Stable"
    coordinated.at(51_000)
    assert coordinated.story() == [(51_000, "PreparingRebalance", "session expired")]


def test_if_it_votes_for_another_protocol_there_is_a_rebalance() -> None:
    coordinated = Coordinated()
    coordinated.join("s", instance_id="one", protocols=STICKY_FIRST)
    coordinated.join("s", instance_id="two", protocols=BOTH)
    coordinated.join("s", instance_id="three", protocols=BOTH)
    coordinated.at(6_000).settle()
    assert coordinated.groups.groups[GROUP].protocol == "range"
    coordinated.join("s", instance_id="two", protocols=STICKY_FIRST)
    assert coordinated.story()[0][1:] == (
        "PreparingRebalance",
        "static member came back",
    )


def test_if_its_new_id_cannot_be_stored_the_old_one_is_back() -> None:
    coordinated = Coordinated()
    one, two = static(coordinated)
    coordinated.holds = True
    coordinated.join("s", instance_id="one", session_timeout_ms=100_000)
    assert coordinated.leader == "one-3"
    coordinated.end(NOT_ENOUGH_REPLICAS)
    ((_, _, joined),) = coordinated.answers
    assert name(joined.error) == "COORDINATOR_NOT_AVAILABLE"  # type: ignore[union-attr]
    assert joined.leader == one  # type: ignore[union-attr]
    assert (coordinated.members, coordinated.leader) == ([one, two], one)
    group = coordinated.groups.groups[GROUP]
    assert group.members[one].session_timeout_ms == 45_000
    assert coordinated.heartbeat(one, 1, instance_id="one") == "NONE"


def test_a_static_member_can_be_made_to_leave_by_its_name_alone() -> None:
    coordinated = Coordinated()
    one, _ = static(coordinated)
    assert coordinated.leave("", "two") == "NONE"
    assert coordinated.members == [one]
    assert coordinated.leave("", "two") == "UNKNOWN_MEMBER_ID"
