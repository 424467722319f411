"""Scenarios that hold a system of one's own."""

from dataclasses import dataclass

import pytest

import kafkasim as ks
from kafkasim.errors import ValidationError
from kafkasim.scenario import own_systems
from tests.testing.pigeonholes import Pigeonholes, Sound


@dataclass(frozen=True, repr=False)
class Letters(ks.OwnSystem):
    """Nobody registers it."""


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_systems, "_BY_KIND", {})
    ks.register_system(Pigeonholes, Sound)


def traffic() -> ks.Traffic:
    web = ks.Source("orders", ks.Periodic(50))
    return ks.Traffic({"web": web}, {"billing": ks.Subscriber(["orders"])}, 1)


def test_a_file_holds_it_by_its_kind() -> None:
    scenario = ks.Scenario(traffic(), Pigeonholes(look_ms=5))

    text = scenario.to_toml()
    assert '[system]\nkind = "pigeonholes"\nlook_ms = 5.0' in text
    assert ks.Scenario.from_toml(text) == scenario
    assert ks.Scenario.from_toml(scenario.to_toml(resolved=True)).system == (
        scenario.system
    )
    assert scenario.digest != scenario.where({"system.look_ms": 6}).digest


def test_paths_lead_into_it_and_a_sweep_goes_along_them() -> None:
    scenario = ks.Scenario(traffic(), Pigeonholes())

    assert scenario.value_at("system.look_ms") == 20.0
    table = ks.sweep(scenario, {"system.look_ms": [10, 100]}, workers=1)
    fast, slow = table.latency_ms_p50
    assert fast < slow / 5
    with pytest.raises(ValidationError, match=r"system\.look_ns.*look_ms"):
        scenario.where({"system.look_ns": 1})


def test_a_wrong_value_is_refused_with_its_path() -> None:
    text = ks.Scenario(traffic(), Pigeonholes(look_ms=5)).to_toml()

    with pytest.raises(ValidationError, match=r"system\.look_ms"):
        ks.Scenario.from_toml(text.replace("5.0", '"often"'))
    with pytest.raises(ValidationError, match=r"did you mean pigeonholes"):
        ks.Scenario.from_toml(text.replace("pigeonholes", "pigeonhole"))


def test_it_is_told_of_in_words() -> None:
    text = ks.Scenario(traffic(), Pigeonholes(look_ms=5)).describe()

    assert "System: Pigeonholes(look_ms=5.0), one of your own" in text
    assert "Not modelled" not in text


def test_one_that_nobody_registered_is_refused() -> None:
    with pytest.raises(ValidationError, match=r"register_system\(Letters, …\)"):
        ks.Scenario(traffic(), Letters())
