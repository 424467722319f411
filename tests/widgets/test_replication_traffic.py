"""The replication explorer's scenario: which brokers go, and when they are back."""

import pytest

from kafkasim.scenario.events import Crash
from kafkasim.scenario.systems import Kafka
from kafkasim.widgets.replication_traffic import (
    BACK_S,
    CONTROLS,
    DOWN_S,
    LAST_S,
    PRESETS,
    Values,
    scenario_at,
)


def gone(values: Values) -> list[str]:
    return [event.target.removeprefix("broker:") for event in crashes(values)]


def crashes(values: Values) -> list[Crash]:
    found = []
    for event in scenario_at(values).events:
        assert isinstance(event, Crash)
        found.append(event)
    return found


@pytest.mark.parametrize(
    ("values", "brokers"),
    [
        (Values(down=0), []),
        (Values(), ["1"]),
        (Values(down=2), ["1", "2"]),
        (Values(first="followers"), ["2"]),
        (Values(first="followers", down=2), ["2", "3"]),
        (Values(first="followers", replication_factor=1), ["1"]),
        (Values(first="followers", replication_factor=2, down=2), ["2", "1"]),
        (Values(down=1, last_too=True), ["1", "3"]),
        (Values(down=2, first="followers", last_too=True), ["2", "3", "1"]),
        (Values(replication_factor=2, down=2, last_too=True), ["1", "2"]),
    ],
)
def test_brokers_with_a_copy_go_in_the_order_asked_for(
    values: Values, brokers: list[str]
) -> None:
    assert gone(values) == brokers


def test_they_go_and_come_back_together_and_the_last_one_dies_between() -> None:
    events = crashes(Values(down=2, leave="clean stop", last_too=True))

    *together, last = events
    assert {event.at_s for event in together} == {DOWN_S}
    assert {event.for_s for event in together} == {BACK_S - DOWN_S}
    assert all(event.clean for event in together)
    assert DOWN_S < last.at_s == LAST_S < BACK_S
    assert not last.clean
    assert last.for_s is not None
    assert last.at_s + last.for_s > BACK_S


def test_controls_reach_kafkas_own_settings() -> None:
    system = scenario_at(Values(replication_factor=2, min_isr=1, acks="1")).system

    assert isinstance(system, Kafka)
    assert system.topics["payments"].replication_factor == 2
    assert system.topics["payments"].config.min_insync_replicas == 1
    assert system.producers["shop"].config.resolve().acks == "1"
    assert system.brokers == 3


def test_it_begins_with_three_copies_two_needed_and_the_leader_dying() -> None:
    begin = Values()

    assert (begin.replication_factor, begin.min_isr, begin.acks) == (3, 2, "all")
    assert begin.down == 1
    assert list(CONTROLS) == list(Values.__dataclass_fields__)
    changes = [tuple(sorted(each.values.items())) for each in PRESETS]
    assert len(set(changes)) == len(PRESETS) >= 5
