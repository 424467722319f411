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
    assert assign("range", members="a", topics={"t": 1})["member"].tolist() == ["a"]
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
