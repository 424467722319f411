"""The tables of states that figures draw are those of the coordinators."""

import pytest

from kafkasim.errors import ValidationError
from kafkasim.experiments.transitions import transitions
from kafkasim.protocol.groups.coordinator import classic_group, consumer_group


def test_every_way_of_the_classic_protocol_is_there_with_its_causes() -> None:
    table = transitions("classic")
    rows = zip(table["state"], table["next_state"], table["why"], strict=True)
    assert {(a, b): why for a, b, why in rows} == {
        (str(a), str(b)): ", ".join(why)
        for (a, b), why in classic_group.TRANSITIONS.items()
    }
    assert table.attrs["protocol"] == "classic"


def test_every_way_of_the_consumer_protocol_is_there_with_its_reason() -> None:
    table = transitions("consumer")
    rows = zip(table["state"], table["next_state"], table["why"], strict=True)
    assert {(a, b): why for a, b, why in rows} == {
        (str(a), str(b)): why
        for a, row in consumer_group.TRANSITIONS.items()
        for b, why in row.items()
    }


def test_there_are_two_protocols() -> None:
    with pytest.raises(ValidationError, match="one of classic, consumer"):
        transitions("eager")
