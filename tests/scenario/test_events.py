"""Events as documents: every kind is written, read back, and described."""

import pytest

from kafkasim.config.rules import kind_of
from kafkasim.errors import ValidationError
from kafkasim.scenario.arrivals import Poisson
from kafkasim.scenario.events import (
    AddPartitions,
    Crash,
    Cut,
    Delay,
    DeleteRecords,
    Event,
    Lose,
    Pause,
    Slow,
)
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.systems import Kafka
from kafkasim.scenario.traffic import Source, Subscriber, Traffic

EVENTS: list[Event] = [
    Crash("broker:1", at_s=1, for_s=2, clean=True),
    Crash("broker:2", at_s=1, for_s=2, lose_disk=True),
    Pause("broker:2", at_s=1.5),
    Slow("subscriber:billing", at_s=2, for_s=3, factor=4),
    Cut("link:web->broker:1", at_s=3, for_s=0.5),
    Delay("link:broker:1<->broker:2", at_s=4, extra_ms=20, only="responses"),
    Lose("link:billing<->broker:2", at_s=5, for_s=1, share=0.25),
    DeleteRecords("stream:orders", at_s=6),
    DeleteRecords("stream:orders", at_s=7, to=100, partition=0),
    AddPartitions("stream:orders", at_s=8, to=12),
]


def scenario_of(*events: Event) -> Scenario:
    traffic = Traffic(
        {"web": Source("orders", Poisson(10))},
        {"billing": Subscriber(["orders"])},
        duration_s=10,
    )
    return Scenario(traffic, Kafka(brokers=2), events=events)


@pytest.mark.parametrize("event", EVENTS, ids=repr)
def test_every_kind_is_written_and_read_back(event: Event) -> None:
    scenario = scenario_of(event)

    assert f'kind = "{kind_of(type(event))}"' in scenario.to_toml()
    assert Scenario.from_toml(scenario.to_toml()) == scenario
    assert Scenario.from_json(scenario.to_json()) == scenario
    assert repr(event) in scenario.describe()


@pytest.mark.parametrize(
    ("toml", "path"),
    [
        ('kind = "cut"\ntarget = "link:web->broker:1"', "events.0.at_s"),
        (
            'kind = "lose"\ntarget = "link:web->broker:1"\nat_s = 1\nshare = 1.5',
            "events.0.share",
        ),
        (
            'kind = "lose"\ntarget = "link:web->broker:1"\nat_s = 1\nshare = 0',
            "events.0.share",
        ),
        (
            'kind = "cut"\ntarget = "link:web->broker:1"\nat_s = 1\nonly = "acks"',
            "events.0.only",
        ),
        (
            'kind = "delay"\ntarget = "link:web->broker:1"\nat_s = 1\nextra_ms = -1',
            "events.0.extra_ms",
        ),
        ('kind = "cut"\ntarget = "link:wob->broker:1"\nat_s = 1', "events.0.target"),
        (
            'kind = "delete_records"\ntarget = "stream:orderz"\nat_s = 1',
            "events.0.target",
        ),
        (
            'kind = "add_partitions"\ntarget = "stream:orderz"\nat_s = 1\nto = 4',
            "events.0.target",
        ),
        (
            'kind = "add_partitions"\ntarget = "stream:orders"\nat_s = 1\nto = 1',
            "events.0.to",
        ),
        (
            'kind = "delete_records"\ntarget = "stream:orders"\nat_s = 1\nto = -1',
            "events.0.to",
        ),
        (
            'kind = "delete_records"\ntarget = "stream:orders"\nat_s=1\npartition = 3',
            "events.0.partition",
        ),
    ],
)
def test_an_error_names_the_field_of_the_event(toml: str, path: str) -> None:
    text = f"{scenario_of().to_toml()}\n[[events]]\n{toml}\n"

    with pytest.raises(ValidationError) as caught:
        Scenario.from_toml(text)

    assert caught.value.path == path
