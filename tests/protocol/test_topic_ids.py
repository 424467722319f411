"""Ids of topics."""

import uuid

import pytest

from kafkasim.protocol.topic_ids import TopicIds, id_bytes, id_text, made_id
from tests.protocol.groups.coordinator_data import DATA


@pytest.mark.parametrize("topic", ["orders", "paid"])
def test_an_id_is_read_as_kafka_prints_it(topic: str) -> None:
    text = DATA["topics"][topic]
    assert id_text(id_bytes(text)) == text
    assert uuid.UUID(bytes=id_bytes(text)).version == 4


@pytest.mark.parametrize(
    "text", ["", "orders", "A" * 21, "A" * 23, "ü" * 22, "A=" * 11]
)
def test_other_text_is_no_id(text: str) -> None:
    with pytest.raises(ValueError, match="is not the id of a topic"):
        id_bytes(text)


def test_a_made_id_looks_like_a_random_one_and_never_begins_with_a_dash() -> None:
    made = [made_id(f"topic-{number}") for number in range(300)]
    assert len(set(made)) == 300
    for text in made:
        found = uuid.UUID(bytes=id_bytes(text))
        assert (found.version, found.variant) == (4, uuid.RFC_4122)
        assert not text.startswith("-")


def test_a_topic_that_is_not_known_goes_by_its_id() -> None:
    other = made_id("ledger")
    ids = TopicIds({"orders": made_id("orders")})
    assert ids.name(ids.raw("orders")) == "orders"
    assert ids.name(id_bytes(other)) == other
    assert ids.raw(other) == id_bytes(other)
