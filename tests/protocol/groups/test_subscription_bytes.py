"""Subscriptions and assignments of the classic protocol in bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kafkasim.protocol.groups.coordinator_bytes import decode
from kafkasim.protocol.groups.coordinator_records import ClassicGroupRecord
from kafkasim.protocol.groups.subscription_bytes import (
    by_topic,
    decode_assignment,
    decode_subscription,
    encode_assignment,
    encode_subscription,
    parse_assignment,
    parse_subscription,
)
from kafkasim.protocol.subscription import Subscription
from kafkasim.protocol.wire import MalformedError
from tests.protocol.groups.coordinator_data import WRITTEN

PARTITIONS = (("orders", 0), ("orders", 2), ("paid", 1))

_partitions = st.lists(
    st.tuples(st.sampled_from(["a", "b", "c"]), st.integers(0, 9)), unique=True
)


def _of_version(protocol: str, version: int) -> bytes:
    name = f"GroupMetadata v3 {protocol} subscription v{version}"
    record = decode(*WRITTEN[name])
    assert isinstance(record, ClassicGroupRecord) and record.value is not None
    said = record.value.members[0].subscription
    assert isinstance(said, bytes)
    return said


@pytest.mark.parametrize(
    ("version", "owned", "generation"),
    [(0, (), -1), (1, PARTITIONS, -1), (2, PARTITIONS, 6)],
)
def test_each_version_of_a_subscription_says_more(
    version: int, owned: tuple[tuple[str, int], ...], generation: int
) -> None:
    data = _of_version("sticky", version)
    had = (("paid", 1), ("orders", 0), ("orders", 2)), 6
    assert parse_subscription(data, "sticky") == Subscription(
        ("orders", "paid"), owned, generation, None, had
    )
    assert parse_subscription(data, "range").user_data is None
    assert decode_subscription(data, "sticky") == data


def test_topics_and_owned_partitions_are_written_sorted() -> None:
    mixed = Subscription(("b", "a"), (("b", 1), ("a", 1), ("b", 0)))
    inorder = Subscription(("a", "b"), (("a", 1), ("b", 0), ("b", 1)))
    data = encode_subscription(mixed, "range")
    assert data == encode_subscription(inorder, "range")
    assert decode_subscription(data, "range") == inorder


def test_user_data_is_the_sticky_assignors_own() -> None:
    with pytest.raises(ValueError, match="user data, but range has none"):
        encode_subscription(Subscription(("a",), user_data=((), 1)), "range")


@given(_partitions)
def test_an_assignment_comes_back_by_topic(partitions: list[tuple[str, int]]) -> None:
    grouped = tuple(
        (topic, number)
        for topic, numbers in by_topic(partitions).items()
        for number in numbers
    )
    data = encode_assignment(tuple(partitions))
    assert parse_assignment(data) == grouped
    assert decode_assignment(data) == grouped
    assert encode_assignment(grouped) == data


@pytest.mark.parametrize("data", [b"", b"\0", b"\0\3\0\0\0\5", b"\xff\xff\0\0\0\0"])
def test_what_is_none_keeps_its_bytes(data: bytes) -> None:
    assert decode_subscription(data, "range") == data
    assert decode_assignment(data) == data
    with pytest.raises(MalformedError):
        parse_subscription(data, "range")
