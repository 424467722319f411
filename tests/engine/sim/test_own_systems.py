"""Registering a system of one's own, and what cannot be."""

from dataclasses import dataclass
from typing import Any

import pytest

import kafkasim as ks
from kafkasim.errors import ValidationError
from kafkasim.scenario import own_systems
from tests.testing.pigeonholes import Pigeonholes, Sound


@dataclass(frozen=True, repr=False)
class Letters(ks.OwnSystem):
    """Nobody registers it."""


@dataclass(frozen=True, repr=False)
class Kafka(ks.OwnSystem):
    """It has a name that is taken."""


@dataclass(frozen=True, repr=False)
class Needy(ks.OwnSystem):
    """It has a field without a default."""

    count: int


class Bare(ks.OwnSystem):
    """It is no dataclass."""

    count: int = 1


@dataclass
class Thawed(ks.OwnSystem):
    """It is not frozen."""

    count: int = 1


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_systems, "_BY_KIND", {})
    ks.register_system(Pigeonholes, Sound)


def traffic() -> ks.Traffic:
    web = ks.Source("orders", ks.Periodic(50))
    return ks.Traffic({"web": web}, {"billing": ks.Subscriber(["orders"])}, 1)


@pytest.mark.parametrize(
    ("description", "run_class", "why"),
    [
        (Kafka, Sound, "another name than kafka, point_to_point"),
        (Needy, Sound, "fields have defaults"),
        (Bare, Sound, r"frozen dataclass.*@dataclass\(frozen=True"),
        (Thawed, Sound, r"frozen dataclass.*@dataclass\(frozen=True"),
        (dict, Sound, "a class below OwnSystem"),
        (Letters, dict, r"a class with a method run\(\)"),
    ],
)
def test_what_does_not_fit_is_refused(
    description: type[Any], run_class: type[Any], why: str
) -> None:
    with pytest.raises(ValidationError, match=why):
        ks.register_system(description, run_class)


def test_registered_again_it_runs_as_was_said_last() -> None:
    class Late(Sound):
        def start(self) -> None:
            pass

    scenario = ks.Scenario(traffic(), Pigeonholes(), end="cut")
    assert len(ks.run(scenario).deliveries) == 49
    ks.register_system(Pigeonholes, Late)
    assert len(ks.run(scenario).deliveries) == 0
