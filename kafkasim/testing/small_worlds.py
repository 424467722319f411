"""Small random worlds, each from one number, that any system can be put into."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final, TypeVar

import numpy as np

from kafkasim.errors import ValidationError
from kafkasim.scenario.applicability import not_applicable
from kafkasim.scenario.arrivals import Bursts, ClosedLoop, Periodic, Poisson
from kafkasim.scenario.distributions import Exponential
from kafkasim.scenario.events import (
    AddPartitions,
    Crash,
    Cut,
    Delay,
    Event,
    Lose,
    Pause,
    Slow,
)
from kafkasim.scenario.keys import NoKeys, UniformKeys, ZipfKeys
from kafkasim.scenario.member_events import AddMember, StuckRecord
from kafkasim.scenario.own_systems import OwnSystem
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.systems import System
from kafkasim.scenario.traffic import Source, Subscriber, Traffic

DURATION_S: Final = 1.5
_TARGETS: Final = (
    "subscriber:billing", "subscriber:audit", "source:web", "source:app", "hub",
    "broker:1", "broker:2", "controller", "node:1", "node:2", "member:billing/1",
    "member:audit/1",
)  # fmt: skip
"""What may be there to fail; what a system lacks it refuses."""
_PAIRS: Final = (
    ("source:web", "subscriber:billing"), ("source:app", "subscriber:audit"),
    ("source:web", "hub"), ("hub", "subscriber:billing"), ("hub", "subscriber:late"),
    ("source:web", "broker:1"), ("broker:1", "subscriber:billing"),
    ("broker:1", "broker:2"), ("source:web", "node:1"), ("node:2", "node:1"),
    ("node:1", "subscriber:billing"),
)  # fmt: skip
"""Who may talk to each other."""
_TRIES: Final = 40
"""Events that are thought of before a scenario has enough of them."""

ChoiceT = TypeVar("ChoiceT")


class Dice:
    """Draws of one world."""

    def __init__(self, seed: int | Sequence[int]) -> None:
        self.draws = np.random.default_rng(seed)

    def one(self, *choices: ChoiceT) -> ChoiceT:
        """Return one of the choices."""
        return choices[int(self.draws.integers(len(choices)))]

    def time_s(self, low: float, high: float) -> float:
        """Return a time between two, in whole milliseconds."""
        return round(float(self.draws.uniform(low, high)), 3)


def small_world(seed: int, system: System) -> Scenario:
    """Return the scenario of a number, the same one every time.

    Parameters
    ----------
    seed : int
        Of traffic, of events and of the run.
    system : System
        What serves the traffic; events befall what it has.

    Returns
    -------
    Scenario
        About a hundred records. In one of six nothing happens, in the others up to
        three things do, each with an end, and one more may that means nothing to the
        system; in half of those it also gets a member or partitions more, if it can;
        one of four is cut. In one of four a source is a closed loop, unless the system
        is one's own.
    """
    dice, more = Dice(seed), Dice([seed, 2])
    traffic = _traffic(dice)
    if more.one(True, False, False, False) and not isinstance(system, OwnSystem):  # noqa: FBT003 - a choice
        traffic = _looping(more, traffic)
    is_cut = dice.one(False, False, False, True)  # noqa: FBT003 - a choice
    count = dice.one(0, 1, 1, 2, 2, 3)
    scenario = Scenario(traffic, system, seed=seed, end="cut" if is_cut else "drain")
    idle = 0
    for event in _events(dice):
        if len(scenario.events) - idle == count:
            break
        if not not_applicable(event, traffic, system):
            scenario = _with(scenario, event)
        elif count and not idle:  # one that is only told of
            fuller = _with(scenario, event)
            idle, scenario = len(fuller.events) - len(scenario.events), fuller
    grows = count and more.one(True, False)  # noqa: FBT003 - a choice
    return _with(scenario, _growth(more)) if grows else scenario


def _with(scenario: Scenario, event: Event) -> Scenario:
    """Return the scenario with one more event, if its system knows it."""
    try:
        return replace(scenario, events=(*scenario.events, event))
    except ValidationError:
        return scenario


def _traffic(dice: Dice) -> Traffic:
    late_s = dice.time_s(0.1, DURATION_S)
    return Traffic(
        sources={"web": _source(dice, "orders"), "app": _source(dice, _stream(dice))},
        subscribers={
            "billing": Subscriber(["orders"], work_ms=_work(dice)),
            "audit": Subscriber(["orders"], work_ms=_work(dice)),
            "late": Subscriber(
                ["orders"],
                work_ms=_work(dice),
                from_s=late_s,
                wants=dice.one("new", "all"),
            ),
        },
        duration_s=DURATION_S,
    )


def _looping(dice: Dice, traffic: Traffic) -> Traffic:
    """Return the traffic with a source whose users wait for what they sent."""
    name = dice.one("web", "app")
    law = ClosedLoop(dice.one(1, 5), think_ms=dice.one(20.0, 90.0))
    source = replace(traffic.sources[name], arrivals=law)
    return replace(traffic, sources={**traffic.sources, name: source})


def _stream(dice: Dice) -> str:
    """Return the second source's stream; of the other one nobody reads."""
    return dice.one("orders", "orders", "returns")


def _source(dice: Dice, stream: str) -> Source:
    rate_per_s = dice.one(4.0, 15.0, 40.0)
    arrivals: tuple[Poisson | Periodic | Bursts, ...] = (
        Poisson(rate_per_s),
        Periodic(rate_per_s),
        Bursts(rate_per_s, burst=6),
    )
    keys: tuple[NoKeys | UniformKeys | ZipfKeys, ...] = (
        NoKeys(),
        UniformKeys(5),
        ZipfKeys(9),
    )
    return Source(
        stream,
        dice.one(*arrivals),
        keys=dice.one(*keys),
        entity=dice.one(None, None, UniformKeys(4)),
        value_bytes=dice.one(0, 100, 4_000),
        tombstones=dice.one(0.0, 0.0, 0.2),
    )


def _work(dice: Dice) -> float | Exponential:
    works: tuple[float | Exponential, ...] = (0.0, 0.5, 8.0, Exponential(3.0))
    return dice.one(*works)


def _events(dice: Dice) -> Iterator[Event]:
    for _ in range(_TRIES):
        at_s = dice.time_s(0.0, DURATION_S)
        for_s = dice.one(0.02, 0.2, 0.7)
        target = dice.one(*_TARGETS)
        match dice.one("crash", "crash", "pause", "slow", "link", "link", "stuck"):
            case "crash":
                yield Crash(target, at_s=at_s, for_s=for_s)
            case "pause":
                yield Pause(target, at_s=at_s, for_s=for_s)
            case "slow":
                yield Slow(target, at_s=at_s, for_s=for_s, factor=dice.one(3.0, 50.0))
            case "stuck":
                ordinal, work_ms = dice.one(0, 3, 9), dice.one(50.0, 400.0)
                who = "subscriber:billing"
                yield StuckRecord(who, "web", ordinal=ordinal, work_ms=work_ms)
            case _:
                yield _of_a_link(dice, at_s, for_s)


def _growth(dice: Dice) -> Event:
    at_s = dice.time_s(0.0, DURATION_S)
    if dice.one(True, False):  # noqa: FBT003 - a choice
        return AddMember("subscriber:billing", at_s=at_s)
    return AddPartitions("stream:orders", at_s=at_s, to=5)


def _of_a_link(dice: Dice, at_s: float, for_s: float) -> Event:
    one, other = dice.one(*_PAIRS)
    link = "link:" + dice.one(f"{one}->{other}", f"{other}->{one}", f"{one}<->{other}")
    match dice.one("cut", "delay", "lose"):
        case "cut":
            return Cut(link, at_s=at_s, for_s=for_s)
        case "delay":
            extra_ms = dice.one(3.0, 90.0)
            return Delay(link, at_s=at_s, for_s=for_s, extra_ms=extra_ms)
        case _:
            return Lose(link, at_s=at_s, for_s=for_s, share=dice.one(0.1, 1.0))
