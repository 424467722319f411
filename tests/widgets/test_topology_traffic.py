"""The topology explorer's scenarios: who wants what, and what happens in both."""

from dataclasses import replace
from typing import Any

import pytest

from kafkasim.scenario.pipelines import PointToPoint
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.systems import Kafka
from kafkasim.widgets.topology_traffic import (
    COMES_S,
    CONTROLS,
    PRESETS,
    Values,
    newcomer,
    star_at,
    tangle_at,
    traffic_at,
    victim,
)


def pairs(values: Values) -> set[tuple[str, str]]:
    readers = traffic_at(values).subscribers
    return {(name, each) for name, reader in readers.items() for each in reader.streams}


def test_it_begins_with_four_and_four_all_wanted_and_nobody_dead() -> None:
    assert Values() == Values(4, 4, 1.0, False, "none", "asynchronous")  # noqa: FBT003
    assert list(CONTROLS) == list(Values.__dataclass_fields__)
    assert len(pairs(Values())) == 16


def test_both_systems_get_the_same_traffic_seed_and_events() -> None:
    values = Values(crash="the hub", one_more=True, density=0.5)
    tangle, star = tangle_at(values), star_at(values)

    assert (tangle.traffic, tangle.seed) == (star.traffic, star.seed)
    assert tangle.events == star.events
    assert [event.target for event in star.events] == ["hub"]


def test_the_hub_is_three_brokers_with_three_copies_of_which_two_are_needed() -> None:
    system = star_at(Values(sources=2)).system

    assert isinstance(system, Kafka)
    assert (system.brokers, len(system.topics)) == (3, 2)
    for topic in system.topics.values():
        assert topic.replication_factor == 3
        assert topic.config.resolve().min_insync_replicas == 2


def test_sources_send_as_the_mode_says() -> None:
    for mode in ("asynchronous", "synchronous"):
        system = tangle_at(Values(mode=mode)).system
        assert isinstance(system, PointToPoint)
        assert system.mode == mode


def test_the_newcomer_comes_later_wants_all_and_changes_nobodys_wishes() -> None:
    before, after = Values(density=0.5), Values(density=0.5, one_more=True)
    comes = traffic_at(after).subscribers["subscriber-5"]

    assert pairs(before) < pairs(after)
    assert (len(comes.streams), comes.from_s, comes.wants) == (2, COMES_S, "all")
    assert (newcomer(before), newcomer(after)) == (None, "subscriber-5")


def test_nobody_is_left_alone_however_few_pairs_are_wanted() -> None:
    assert len(pairs(Values(density=0.1))) == 4
    assert len(pairs(Values(sources=1, subscribers=3, density=0.1))) == 3


def test_the_second_subscriber_dies_or_the_only_one() -> None:
    assert victim(Values()) == "subscriber-2"
    alone = Values(subscribers=1, crash="a subscriber")
    assert victim(alone) == "subscriber-1"
    (dies,) = star_at(alone).events
    assert dies.target == "subscriber:subscriber-1"


@pytest.mark.parametrize("preset", PRESETS, ids=lambda preset: preset.question)
def test_it_can_be_written_down_and_read_back(preset: Any) -> None:  # noqa: ANN401
    values = replace(Values(), **dict(preset.values))
    for scenario in (tangle_at(values), star_at(values)):
        assert Scenario.from_toml(scenario.to_toml()) == scenario
