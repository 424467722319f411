"""The group explorer's scenario: who joins how, and what happens to whom."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from kafkasim.scenario.events import Crash
from kafkasim.scenario.member_events import AddMember, RemoveMember, RollingRestart
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.systems import Kafka
from kafkasim.widgets.group_traffic import (
    CONTROLS,
    DURATION_S,
    EVENT_S,
    PRESETS,
    READER,
    Happens,
    Values,
    alive_s,
    scenario_at,
    victim,
)


def settings(values: Values) -> dict[str, object]:
    system = scenario_at(values).system
    assert isinstance(system, Kafka)
    return {"members": system.groups[READER].members} | {
        name: getattr(system.groups[READER].config.resolve(), name)
        for name in ("group_protocol", "partition_assignment_strategy")
    }


def test_the_four_protocols_are_kafkas_settings() -> None:
    eager = settings(Values())
    cooperative = settings(Values(protocol="cooperative"))
    static = settings(Values(protocol="static"))

    assert eager["group_protocol"] == "classic"
    assert eager["partition_assignment_strategy"] == ("range", "cooperative-sticky")
    assert cooperative["partition_assignment_strategy"] == ("cooperative-sticky",)
    assert settings(Values(protocol="KIP-848"))["group_protocol"] == "consumer"
    assert static | {"members": 3} == eager
    assert isinstance(static["members"], Mapping)
    assert [each.instance_id for each in static["members"].values()] == [
        f"billing-{number}" for number in (1, 2, 3)
    ]


@pytest.mark.parametrize(
    ("event", "kind", "target"),
    [
        ("add", AddMember, "subscriber:billing"),
        ("leave", RemoveMember, "member:billing/2"),
        ("crash", Crash, "member:billing/2"),
        ("restart", RollingRestart, "subscriber:billing"),
    ],
)
def test_what_happens_happens_once_and_to_one(
    event: Happens, kind: type, target: str
) -> None:
    (happens,) = scenario_at(Values(event=event)).events

    assert type(happens) is kind
    assert (happens.target, happens.at_s) == (target, EVENT_S)
    if isinstance(happens, RollingRestart):
        assert EVENT_S + happens.every_s > DURATION_S
    if isinstance(happens, Crash):
        assert happens.for_s is None


def test_one_that_is_alone_is_the_one_that_goes() -> None:
    assert victim(Values(members=1)) == 1
    assert victim(Values(members=8)) == 2
    assert victim(Values(members=8, event="restart")) == 1


def test_members_are_there_from_when_they_come_to_when_they_go() -> None:
    ever = float("inf")

    assert alive_s(Values(members=2)) == {1: (0.0, ever), 2: (0.0, EVENT_S)}
    assert alive_s(Values(members=1, event="add")) == {
        1: (0.0, ever),
        2: (EVENT_S, ever),
    }
    assert alive_s(Values(members=1, event="restart")) == {1: (0.0, ever)}


def test_a_static_group_gets_a_static_member() -> None:
    (event,) = scenario_at(Values(protocol="static", event="add")).events

    assert isinstance(event, AddMember)
    assert (event.name, event.instance_id) == ("4", "billing-4")


def test_it_can_be_written_down_and_read_back() -> None:
    for preset in PRESETS:
        changes: dict[str, Any] = dict(preset.values)
        scenario = scenario_at(replace(Values(), **changes))
        assert Scenario.from_toml(scenario.to_toml()) == scenario


def test_it_begins_with_three_members_six_partitions_and_a_farewell() -> None:
    assert Values() == Values(3, 6, "eager", "leave")
    assert list(CONTROLS) == list(Values.__dataclass_fields__)
    changes = [tuple(sorted(each.values.items())) for each in PRESETS]
    assert len(set(changes)) == len(PRESETS) >= 5
