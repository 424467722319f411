"""Worked examples of the clients' assignors, each computed by Kafka's classes."""

import pytest

from kafkasim.protocol.assignors import (
    CLIENT_ASSIGNORS,
    Racks,
    RebalanceProtocol,
    assign,
    common_protocol,
)
from kafkasim.protocol.assignors.client import (
    CooperativeStickyAssignor,
    StickyAssignor,
)
from kafkasim.protocol.groups.group_messages import Assigned, Subscription

EIGHT = {"t0": 2, "t1": 2, "t2": 2, "t3": 2}


def group(members: str, *topics: str) -> dict[str, Subscription]:
    return {member: Subscription(topics) for member in members.split()}


def texts(assignment: dict[str, Assigned]) -> dict[str, str]:
    return {
        member: " ".join(f"{topic}-{number}" for topic, number in assigned)
        for member, assigned in assignment.items()
    }


@pytest.mark.parametrize(
    ("count", "sizes"),
    [(1, [7]), (2, [4, 3]), (3, [3, 2, 2]), (5, [2, 2, 1, 1, 1])],
)
def test_the_first_members_of_a_range_get_one_partition_more(
    count: int, sizes: list[int]
) -> None:
    members = group(" ".join(f"c{at}" for at in range(count)), "t")
    assignment = assign("range", members, {"t": 7})

    assert [len(one) for one in assignment.values()] == sizes
    assert [number for one in assignment.values() for _, number in one] == list(
        range(7)
    )


def test_a_range_takes_each_topic_by_itself() -> None:
    assignment = assign("range", group("c0 c1", "t0", "t1"), {"t0": 3, "t1": 3})
    assert texts(assignment) == {"c0": "t0-0 t0-1 t1-0 t1-1", "c1": "t0-2 t1-2"}


def test_static_members_come_first_in_the_order_of_their_instance_ids() -> None:
    assignment = assign(
        "range",
        group("c0 c1", "t0", "t1"),
        {"t0": 3, "t1": 3},
        instances={"c0": "iB", "c1": "iA"},
    )
    assert texts(assignment) == {"c0": "t0-2 t1-2", "c1": "t0-0 t0-1 t1-0 t1-1"}


def test_members_take_their_turn_in_the_order_of_their_ids_as_text() -> None:
    assignment = assign("range", group("c1 c2 c10", "t"), {"t": 5})
    assert texts(assignment) == {"c1": "t-0 t-1", "c2": "t-4", "c10": "t-2 t-3"}


def test_a_range_prefers_partitions_in_the_member_s_rack() -> None:
    members = {
        member: Subscription(("t",), rack=rack)
        for member, rack in (("c0", "c"), ("c1", "b"), ("c2", "a"))
    }
    racks = {"t": [["abc"[number % 3]] for number in range(6)]}
    assignment = assign("range", members, {"t": 6}, racks=racks)
    assert texts(assignment) == {"c0": "t-2 t-5", "c1": "t-1 t-4", "c2": "t-0 t-3"}


def test_racks_do_not_count_where_every_partition_is_in_all_of_them() -> None:
    members = {
        member: Subscription(("t",), rack=rack)
        for member, rack in (("c0", "elsewhere"), ("c1", "a"))
    }
    racks: Racks = {"t": [["a", "b"], ["b", "a", None]]}
    assignment = assign("range", members, {"t": 2}, racks=racks)
    assert texts(assignment) == {"c0": "t-0", "c1": "t-1"}


def test_round_robin_deals_one_partition_after_the_other() -> None:
    two = assign("roundrobin", group("c0 c1", "t0", "t1"), {"t0": 3, "t1": 3})
    assert texts(two) == {"c0": "t0-0 t0-2 t1-1", "c1": "t0-1 t1-0 t1-2"}
    three = assign("roundrobin", group("c0 c1 c2", *EIGHT), EIGHT)
    assert texts(three) == {
        "c0": "t0-0 t1-1 t3-0",
        "c1": "t0-1 t2-0 t3-1",
        "c2": "t1-0 t2-1",
    }


def test_round_robin_passes_over_members_that_do_not_subscribe() -> None:
    members = {**group("a c", "t", "u"), **group("b", "u")}
    assignment = assign("roundrobin", members, {"t": 3, "u": 3})
    assert texts(assignment) == {"a": "t-0 t-2 u-2", "c": "t-1 u-1", "b": "u-0"}


@pytest.mark.parametrize("name", ["sticky", "cooperative-sticky"])
def test_a_fresh_sticky_group_is_dealt_out_like_round_robin(name: str) -> None:
    assert texts(assign(name, group("c0 c1 c2", *EIGHT), EIGHT)) == {
        "c0": "t0-0 t1-1 t3-0",
        "c1": "t0-1 t2-0 t3-1",
        "c2": "t1-0 t2-1",
    }
    assert texts(assign(name, group("c0 c1 c2", "t"), {"t": 7})) == {
        "c0": "t-0 t-3 t-6",
        "c1": "t-1 t-4",
        "c2": "t-2 t-5",
    }
    assert texts(assign(name, group("c0 c1", "t"), {"t": 6})) == {
        "c0": "t-0 t-2 t-4",
        "c1": "t-1 t-3 t-5",
    }
    assert texts(assign(name, group("c0 c1", "t0", "t1"), {"t0": 3, "t1": 3})) == {
        "c0": "t0-0 t0-2 t1-1",
        "c1": "t0-1 t1-0 t1-2",
    }


@pytest.mark.parametrize("name", ["sticky", "cooperative-sticky"])
def test_unequal_subscriptions_are_balanced_as_far_as_they_allow(name: str) -> None:
    members = {
        "c0": Subscription(("t0",)),
        "c1": Subscription(("t0", "t1")),
        "c2": Subscription(("t0", "t1", "t2")),
    }
    assert texts(assign(name, members, {"t0": 1, "t1": 2, "t2": 3})) == {
        "c0": "t0-0",
        "c1": "t1-0 t1-1",
        "c2": "t2-0 t2-1 t2-2",
    }


def joined(name: str, partitions: int, before: str, after: str) -> dict[str, str]:
    """Return what is assigned when somebody has joined a group that was fresh."""
    topics = {"t": partitions}
    had = assign(name, group(before, "t"), topics)
    members = {
        member: Subscription(
            ("t",), owned=had.get(member, ()), generation=1 if member in had else -1
        )
        for member in after.split()
    }
    return texts(assign(name, members, topics))


def test_a_cooperative_group_withholds_what_somebody_else_still_owns() -> None:
    assert joined("cooperative-sticky", 6, "c0 c1", "c0 c1 c2") == {
        "c0": "t-0 t-2",
        "c1": "t-1 t-3",
        "c2": "",
    }
    assert joined("cooperative-sticky", 7, "c0 c1 c2", "c0 c1 c2 c3") == {
        "c0": "t-0 t-3",
        "c1": "t-1 t-4",
        "c2": "t-2 t-5",
        "c3": "",
    }


def test_no_more_members_keep_the_most_than_must() -> None:
    assert joined("cooperative-sticky", 10, "c0 c1 c2", "c0 c1 c2 c3") == {
        "c0": "t-0 t-3 t-6",
        "c1": "t-1 t-4 t-7",
        "c2": "t-2 t-5",
        "c3": "",
    }


def test_an_eager_group_hands_over_at_once_and_moves_no_more_than_it_must() -> None:
    topics = {"t": 6}
    had = assign("sticky", group("c0 c1", "t"), topics)
    members = {
        member: Subscription(("t",), user_data=(one, 1)) for member, one in had.items()
    }
    members["c2"] = Subscription(("t",))
    assert texts(assign("sticky", members, topics)) == {
        "c0": "t-0 t-2",
        "c1": "t-1 t-3",
        "c2": "t-4 t-5",
    }


def test_a_claim_of_a_later_generation_wins_and_two_of_one_count_for_nobody() -> None:
    def claimed(first: int, second: int) -> dict[str, str]:
        members = {
            "a": Subscription(("t",), owned=(("t", 2),), generation=first),
            "b": Subscription(("t",), owned=(("t", 2),), generation=second),
        }
        return texts(assign("cooperative-sticky", members, {"t": 4}))

    assert claimed(5, 4) == {"a": "t-2 t-0", "b": "t-1 t-3"}
    assert claimed(4, 5) == {"a": "t-0 t-3", "b": "t-2 t-1"}
    assert claimed(5, 5) == {"a": "t-0", "b": "t-1 t-3"}


def test_the_sticky_assignor_sends_what_it_had_and_when() -> None:
    assignor = StickyAssignor()
    assert assignor.user_data() is None
    assignor.on_assignment((("b", 1), ("a", 0), ("b", 0)), 7)
    assert assignor.user_data() == ((("a", 0), ("b", 1), ("b", 0)), 7)


def test_the_cooperative_assignor_sends_its_generation() -> None:
    assignor = CooperativeStickyAssignor()
    assert assignor.user_data() == ((), -1)
    assignor.on_assignment((("a", 0),), 7)
    assert assignor.user_data() == ((), 7)


def test_a_member_that_names_no_generation_is_taken_by_that_of_its_user_data() -> None:
    members = {
        "a": Subscription(("t",), owned=(("t", 0),), user_data=((), 3)),
        "b": Subscription(("t",), owned=(("t", 1),), generation=3),
    }
    assert texts(assign("cooperative-sticky", members, {"t": 2})) == {
        "a": "t-0",
        "b": "t-1",
    }


def test_only_members_that_all_can_cooperate_do() -> None:
    assert common_protocol(["cooperative-sticky"]) is RebalanceProtocol.COOPERATIVE
    for name in ("range", "roundrobin", "sticky"):
        assert common_protocol([name]) is RebalanceProtocol.EAGER
        assert common_protocol(["cooperative-sticky", name]) is RebalanceProtocol.EAGER


@pytest.mark.parametrize("name", CLIENT_ASSIGNORS)
def test_a_topic_that_is_missing_or_unread_is_skipped_and_nobody_is_nobody(
    name: str,
) -> None:
    got = assign(name, group("a", "gone", "t"), {"t": 1, "unread": 4})
    assert texts(got) == {"a": "t-0"}
    assert assign(name, {}, {"t": 1}) == {}
