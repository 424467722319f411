"""Worked examples of the broker's assignors, each computed by Kafka's classes."""

import pytest

from kafkasim.protocol.assignors import AssignorError, assign_at_broker, topic_id
from kafkasim.protocol.groups.group_messages import Assigned, Subscription
from kafkasim.protocol.topic_ids import TopicIds, made_id


def numbers(target: dict[str, Assigned]) -> dict[str, list[int]]:
    return {member: [number for _, number in one] for member, one in target.items()}


def again(target: dict[str, Assigned], members: str) -> dict[str, Subscription]:
    return {one: Subscription(("t",), owned=target.get(one, ())) for one in members}


def test_a_uniform_group_keeps_what_it_has_and_shares_the_rest() -> None:
    one = assign_at_broker("uniform", again({}, "A"), {"t": 6})
    assert numbers(one) == {"A": [0, 1, 2, 3, 4, 5]}
    two = assign_at_broker("uniform", again(one, "AB"), {"t": 6})
    assert numbers(two) == {"A": [0, 1, 2], "B": [3, 4, 5]}
    three = assign_at_broker("uniform", again(two, "ABC"), {"t": 6})
    assert numbers(three) == {"A": [0, 1], "B": [3, 4], "C": [2, 5]}


def test_the_last_members_of_a_fresh_uniform_group_get_one_partition_more() -> None:
    target = assign_at_broker("uniform", again({}, "ABC"), {"t": 7})
    assert numbers(target) == {"A": [0, 1], "B": [2, 3], "C": [4, 5, 6]}


def test_a_member_that_has_the_extra_partition_keeps_it() -> None:
    had: dict[str, Assigned] = {"A": (("t", 0), ("t", 1), ("t", 2)), "B": (), "C": ()}
    target = assign_at_broker("uniform", again(had, "ABC"), {"t": 7})
    assert numbers(target) == {"A": [0, 1, 2], "B": [3, 4], "C": [5, 6]}


@pytest.mark.parametrize(
    ("instances", "first"), [({}, "A"), ({"A": "z", "B": "y"}, "B")]
)
def test_a_range_of_the_broker_is_one_of_the_clients(
    instances: dict[str, str], first: str
) -> None:
    members = {member: Subscription(("T1", "T2")) for member in "AB"}
    target = assign_at_broker("range", members, {"T1": 3, "T2": 3}, instances=instances)
    (second,) = set("AB") - {first}
    assert target == {
        first: (("T1", 0), ("T1", 1), ("T2", 0), ("T2", 1)),
        second: (("T1", 2), ("T2", 2)),
    }


def test_unequal_subscriptions_level_out_topic_by_topic() -> None:
    members = {
        "A": Subscription(("T1",)),
        "B": Subscription(("T1", "T2")),
    }
    ids = {"T1": 1, "T2": 2}
    target = assign_at_broker("uniform", members, {"T1": 3, "T2": 3}, topic_ids=ids)
    assert target == {
        "A": (("T1", 0), ("T1", 1), ("T1", 2)),
        "B": (("T2", 0), ("T2", 1), ("T2", 2)),
    }


def test_a_topic_that_does_not_exist_is_nobody_s() -> None:
    members = {"A": Subscription(("gone",)), "B": Subscription(("gone",))}
    assert assign_at_broker("uniform", members, {}) == {"A": (), "B": ()}
    assert assign_at_broker("uniform", {}, {"t": 1}) == {}


def test_a_target_beyond_a_topic_s_partitions_fails_as_in_kafka() -> None:
    members = {
        "A": Subscription(("t",), owned=(("t", 5),)),
        "B": Subscription(("t", "u")),
    }
    with pytest.raises(AssignorError, match="no partition 5"):
        assign_at_broker("uniform", members, {"t": 2, "u": 1})


def test_a_topic_has_the_id_that_it_has_in_a_run() -> None:
    ids = TopicIds({"orders": made_id("orders")})
    assert topic_id("orders").to_bytes(16) == ids.raw("orders")
    assert topic_id("orders") != topic_id("payments")


def test_ids_of_topics_are_sorted_as_signed_numbers() -> None:
    members = {"A": Subscription(("t", "u")), "B": Subscription(("t", "u", "v"))}
    ids = {"t": 1, "u": 1 << 127, "v": 2}  # the second is below 0 in Java
    target = assign_at_broker("uniform", members, {"t": 1, "u": 1}, topic_ids=ids)
    assert target == {"A": (("u", 0),), "B": (("t", 0),)}
