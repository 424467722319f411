from typing import Any

import pandas as pd
import pytest

from kafkasim.errors import ValidationError
from kafkasim.experiments.assignment import assign, partition_for_key


def test_the_first_members_of_a_range_get_one_partition_more() -> None:
    table = assign("range", members=["a", "b", "c"], topics={"orders": 7})
    assert table.groupby("member", sort=False)["partition"].apply(list).to_dict() == {
        "a": [0, 1, 2],
        "b": [3, 4],
        "c": [5, 6],
    }
    assert table.attrs["idle"] == []


def test_members_subscribe_to_what_they_name_and_the_surplus_is_idle() -> None:
    table = assign(
        "range",
        members={"a": ["orders"], "b": ["orders", "returns"], "c": ["orders"]},
        topics={"orders": 2, "returns": 1},
    )
    assert table.to_numpy().tolist() == [
        ["a", "orders", 0],
        ["b", "orders", 1],
        ["b", "returns", 0],
    ]
    assert table.attrs["idle"] == ["c"]


def test_a_single_name_is_one_member_or_one_topic() -> None:
    assert assign("range", members="ab", topics={"t": 1})["member"].tolist() == ["ab"]
    assert len(assign("range", members={"a": "t"}, topics={"t": 2, "u": 2})) == 2


def test_nobody_gets_nothing() -> None:
    table = assign("range", members=[], topics={"t": 2})
    assert list(table.columns) == ["member", "topic", "partition"]
    assert table.empty


@pytest.mark.parametrize(
    ("assignor", "members", "topics", "named"),
    [
        ("rang", ["a"], {"t": 1}, "did you mean range"),
        ("range", ["a", "a"], {"t": 1}, "each name once"),
        ("range", ["a"], {"t": -1}, r"topics\.t: -1"),
        ("range", {"a": ["orders"]}, {"order": 1}, r"members\.a.*did you mean order"),
    ],
)
def test_what_is_not_allowed_is_named(
    assignor: str,
    members: list[str] | dict[str, list[str]],
    topics: dict[str, int],
    named: str,
) -> None:
    with pytest.raises(ValidationError, match=named):
        assign(assignor, members=members, topics=topics)


# Captured from Kafka 4.3.1's own classes (`Utils.murmur2`).
@pytest.mark.parametrize(
    ("key", "partitions"),
    [
        ("", {3: 0, 6: 3, 10: 1, 12: 9}),
        ("a", {3: 1, 6: 4, 10: 4, 12: 4}),
        ("order-1001", {3: 0, 6: 0, 10: 8, 12: 6}),
        ("日本", {3: 0, 6: 3, 10: 7, 12: 3}),
    ],
)
def test_a_key_goes_where_kafka_sends_it(key: str, partitions: dict[int, int]) -> None:
    assert {n: partition_for_key(key, n) for n in partitions} == partitions


def test_a_null_key_and_no_partition_are_refused() -> None:
    with pytest.raises(ValidationError, match="a record without a key"):
        partition_for_key(None, 3)  # type: ignore[arg-type]
    with pytest.raises(ValidationError, match="a whole number from 1"):
        partition_for_key("a", 0)


def owners(table: pd.DataFrame) -> dict[str, str]:
    names = table["topic"] + "-" + table["partition"].astype(str)
    return dict(zip(names, table["member"], strict=True))


def test_a_count_of_members_names_them_in_the_order_of_their_numbers() -> None:
    table = assign("roundrobin", members=11, topics={"t": 11})
    assert table["member"].tolist() == [f"c{number:02}" for number in range(1, 12)]
    assert table.attrs["counts"]["c11"] == 1


def test_what_was_owned_before_stays_where_it_can() -> None:
    first = assign("sticky", members=2, topics={"t": 6})
    assert "before" not in first
    second = assign("sticky", members=3, topics={"t": 6}, previous=first)
    moved = second[second["member"] != second["before"]]
    assert moved.to_numpy().tolist() == [["c3", "t", 4, "c1"], ["c3", "t", 5, "c2"]]
    third = assign("range", members=3, topics={"t": 6}, previous=first)
    assert (third["member"] != third["before"]).sum() == 4


def test_a_cooperative_group_hands_over_in_a_second_rebalance() -> None:
    first = assign("cooperative-sticky", members=2, topics={"t": 6})
    second = assign("cooperative-sticky", members=3, topics={"t": 6}, previous=first)
    assert second.attrs["free"] == ["t-4", "t-5"]
    assert second.attrs["idle"] == ["c3"]
    third = assign("cooperative-sticky", members=3, topics={"t": 6}, previous=second)
    assert third.attrs["free"] == []
    assert third.attrs["counts"] == {"c1": 2, "c2": 2, "c3": 2}


def test_members_say_what_they_have_their_instance_and_their_rack() -> None:
    table = assign(
        "sticky",
        members={
            "a": {"owned": ["t-1", ("t", 2)], "generation": 4},
            "b": {"owned": ["t-2"], "generation": 5},
        },
        topics={"t": 4},
    )
    assert owners(table) == {"t-0": "a", "t-1": "a", "t-2": "b", "t-3": "b"}
    static = {"a": {"instance_id": "z"}, "b": {"instance_id": "y"}}
    assert owners(assign("range", members=static, topics={"t": 1})) == {"t-0": "b"}
    near = {"a": {"rack": "east"}, "b": {"rack": "west"}}
    racked = assign("range", members=near, topics={"t": ["west", ["east", "north"]]})
    assert owners(racked) == {"t-0": "b", "t-1": "a"}


def test_the_broker_s_assignor_deals_in_blocks_with_the_extra_at_the_end() -> None:
    table = assign("uniform", members=["A", "B", "C"], topics={"t": 7})
    assert table.attrs["counts"] == {"A": 2, "B": 2, "C": 3}
    again = assign("uniform", members=["A", "B"], topics={"t": 7}, previous=table)
    kept = again[again["before"].notna()]
    assert (kept["member"] == kept["before"]).all()
    assert again.attrs["counts"] == {"A": 3, "B": 4}


def test_a_topic_without_readers_is_free() -> None:
    table = assign("roundrobin", members={"a": "t"}, topics={"t": 1, "u": 2})
    assert table.attrs["free"] == ["u-0", "u-1"]


@pytest.mark.parametrize(
    ("members", "topics", "named"),
    [
        (-1, {"t": 1}, "members: -1"),
        ({"a": {"topic": "t"}}, {"t": 1}, "did you mean topics"),
        ({"a": {"owned": ["t"]}}, {"t": 1}, "such as orders-0"),
        ({"a": {"owned": [("t", "x")]}}, {"t": 1}, "such as orders-0"),
        ({"a": {"generation": -2}}, {"t": 1}, "a whole number from -1"),
        ({"a": {"rack": 3}}, {"t": 1}, r"members\.a\.rack"),
        ({key: {"instance_id": "i"} for key in "ab"}, {"t": 1}, "each instance_id"),
        ({"a": 3}, {"t": 1}, "a topic, several topics, or a mapping"),
        (1, {"t": "east"}, "the racks of each partition"),
    ],
)
def test_what_members_and_topics_may_not_say_is_named(
    members: Any,  # noqa: ANN401
    topics: Any,  # noqa: ANN401
    named: str,
) -> None:
    with pytest.raises(ValidationError, match=named):
        assign("sticky", members=members, topics=topics)


def test_a_previous_assignment_is_a_result_and_the_only_one() -> None:
    with pytest.raises(ValidationError, match="a result of assign"):
        assign("sticky", members=1, topics={"t": 1}, previous=pd.DataFrame({"x": [1]}))
    first = assign("sticky", members=1, topics={"t": 1})
    mine = {"c1": {"owned": ["t-0"]}}
    with pytest.raises(ValidationError, match="no owned where"):
        assign("sticky", members=mine, topics={"t": 1}, previous=first)


def test_where_kafka_s_assignor_fails_so_does_this() -> None:
    members = {"a": {"owned": ["t-5"]}, "b": {"topics": ["u"]}}
    with pytest.raises(ValidationError, match="has no partition 5"):
        assign("uniform", members=members, topics={"t": 2, "u": 1})
