"""What the topology explorer says of two runs."""

from dataclasses import replace
from typing import Any

import pytest

from kafkasim.widgets.topology_words import (
    alt_text,
    heading,
    names,
    note,
    numbers,
    stops,
    title,
)
from tests.widgets.test_topology_shown import seen


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "16 links point to point, 8 with a hub: fewer with a hub"),
        ({"sources": 1}, "4 links point to point, 5 with a hub: more with a hub"),
        (
            {"density": 0.5},
            "8 links point to point, 8 with a hub: as many either way",
        ),
        (
            {"one_more": True},
            "One more subscriber: 4 new links point to point, 1 with a hub",
        ),
        (
            {"crash": "a subscriber", "mode": "synchronous"},
            "A subscriber dies: all 16 pairs stop point to point, 4 with a hub",
        ),
        (
            {"crash": "a subscriber"},
            "A subscriber dies: 4 of 16 pairs stop either way",
        ),
        (
            {"crash": "the hub"},
            "The hub dies: all 16 pairs stop; point to point has no such point",
        ),
    ],
)
def test_the_title_is_what_one_sees(changes: dict[str, Any], said: str) -> None:
    assert title(seen(**changes)) == said


def test_pairs_that_stop_are_counted_in_words() -> None:
    side = seen().tangle

    assert stops(side) == "none of 16 pairs stops"
    assert stops(replace(side, pairs_hurt=1)) == "1 of 16 pairs stops"
    assert stops(replace(side, pairs=1, pairs_hurt=1)) == "the only pair stops"


def test_above_a_net_stands_who_it_is_and_what_stopped() -> None:
    shown = seen(crash="the hub")
    name = names(shown)

    assert name == ("asynchronous point to point", "Kafka, 3 brokers")
    assert heading(name[0], shown.tangle, shown) == (
        "asynchronous point to point: 16 links",
        "no such point: nothing stops",
    )
    first, second = heading(name[1], shown.star, shown)
    assert first == "Kafka, 3 brokers: 8 links"
    assert second.startswith("all 16 pairs stop, up to ")
    more = seen(one_more=True)
    assert heading("x", more.star, more) == ("x: 8 links + 1", "")


def test_the_note_is_who_wants_what_and_what_moves() -> None:
    assert note(seen()).startswith("16 of 16 pairs wanted; bytes per record over all")
    both = note(seen(crash="the hub", one_more=True))
    assert "one more subscriber: 4 new links against 1" in both


def test_the_numbers_are_those_of_both_runs() -> None:
    rows = numbers(seen())

    assert rows["links between systems"] == "16 against 8"
    assert rows["machines of a hub"] == "0 against 3"
    assert rows["sends of a record by its source"] == "4 against 1"
    assert not {"pairs interrupted", "one more subscriber: new links"} & set(rows)
    rows = numbers(seen(crash="the hub", one_more=True))
    assert rows["pairs interrupted"] == "0 against 16"
    assert rows["one more subscriber: new links"] == "4 against 1"
    assert rows["sources that have to know it"] == "4 against 0"
    assert rows["what was sent before it came, and it gets"] == "0 % against 100 %"


def test_the_alternative_text_says_both_nets_and_who_is_dead() -> None:
    words = alt_text(seen(crash="the hub", one_more=True))

    assert words.startswith("The hub dies: all 16 pairs stop")
    assert "Asynchronous point to point: 16 links + 4; no such point" in words
    assert "Kafka, 3 brokers: 8 links + 1; all 16 pairs stop" in words
    assert "Crossed out: the hub, dead from 4 s to 8 s." in words
    assert "subscriber-5 comes later" in words
    assert "subscriber-2, dead" in alt_text(seen(crash="a subscriber"))
