"""A tiny system whose mistakes have to be found, one by one."""

import pytest

import kafkasim as ks
from kafkasim.scenario import own_systems
from kafkasim.testing import check_system
from tests.testing.pigeonholes import MISTAKES, Pigeonholes, Sound


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(own_systems, "_BY_KIND", {})
    ks.register_system(Pigeonholes, Sound)


def test_a_sound_one_of_ones_own_passes() -> None:
    check_system(Pigeonholes(), seeds=10, order=("subscriber",))


@pytest.mark.parametrize("mistaken", MISTAKES, ids=lambda each: each.__name__)
def test_a_mistake_is_found(mistaken: type[Sound]) -> None:
    ks.register_system(Pigeonholes, mistaken)

    with pytest.raises(AssertionError) as found:
        check_system(Pigeonholes(), seeds=10, order=("subscriber",))

    assert str(mistaken.__doc__) in str(found.value)
