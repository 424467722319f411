"""How much each system carries at most: the same traffic, more and more of it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from kafkasim.analysis.carrying import carrying, is_saturated
from kafkasim.catalogue import say
from kafkasim.errors import ValidationError
from kafkasim.experiments.each_system import SystemFor, scenarios_of
from kafkasim.experiments.running import asked, run
from kafkasim.result.result import Result
from kafkasim.scenario.arrivals import DayCurve
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.traffic import Source, Traffic

LEAST: Final = 100
"""Records of the first run; of fewer, chance says how many are still on their way."""
MOST: Final = 1_000_000
"""Records of a run up to which more are wanted of a system."""


def saturate(
    traffic: Traffic,
    systems: Mapping[str, SystemFor],
    *,
    seed: int = 0,
    duration_s: float = 1.0,
) -> dict[str, Result]:
    """Run each system with more and more traffic, until it is wanted to carry too much.

    Every source sends twice, four times, eight times as often and so on, each time anew
    from the start. A run is cut when sources cease to send.

    Parameters
    ----------
    traffic : Traffic
        Of open loops whose rate is a number.
    systems : mapping of str to system
        By what to call each; a function is called with the traffic and returns one.
        They are compared fairly if their hardware is the same.
    seed : int
        Of all runs.
    duration_s : float
        How long sources send in each run, seconds. Long beside what a record takes, and
        beside the gaps between bursts.

    Returns
    -------
    dict of str to Result
        By the same names: the first run in which at least twice as much was wanted as
        the system carried, for `analysis.scorecard`; `analysis.carrying` says how much
        that was.

    Raises
    ------
    ValidationError
        Before anything runs, when there is no system or no subscriber, a system does
        not fit the traffic, or a source has no rate; later, when a system carries all
        that is wanted of it, or `duration_s` is over before it has processed anything.

    Examples
    --------
    >>> import kafkasim as ks
    >>> slow = ks.many_to_many(1, 1, arrivals=ks.Periodic(100), work_ms=5.0)
    >>> found = ks.saturate(
    ...     slow, {"direct": ks.PointToPoint(hardware=ks.Hardware.ideal())}
    ... )
    >>> round(ks.analysis.carrying(found["direct"])["saturation_per_s"])
    200
    """
    if not traffic.subscribers:
        allowed = say("at least one subscriber")
        raise ValidationError("traffic.subscribers", traffic.subscribers, allowed)
    shorter = replace(traffic, duration_s=duration_s)
    scenarios = scenarios_of(_times(shorter, 1), systems, seed)
    return {name: _saturated(name, each) for name, each in scenarios.items()}


def _saturated(name: str, scenario: Scenario) -> Result:
    times = 1
    while asked(_times(scenario.traffic, times)) < LEAST:
        times *= 2
    while True:
        traffic = _times(scenario.traffic, times)
        result = run(replace(scenario, traffic=traffic, end="cut"), progress=False)
        carried = carrying(result)
        if is_saturated(carried):
            return result
        times *= 2
        if 2 * asked(traffic) > MOST:
            raise _never_full(name, result, carried["saturation_per_s"])


def _never_full(name: str, result: Result, carried_per_s: float) -> ValidationError:
    """Return the error of a system that was never given more than it carries."""
    if not carried_per_s:
        duration_s = result.scenario.traffic.duration_s
        allowed = say("longer than {name!r} takes to process a record", name=name)
        why = say("it processes none in the second half")
        return ValidationError("duration_s", duration_s, allowed, why)
    allowed = say("a system that can be given more than it carries")
    why = say("it keeps up with {count:,} records in a run", count=len(result.records))
    return ValidationError(f"systems.{name}", result.scenario.system, allowed, why)


def _times(traffic: Traffic, times: int) -> Traffic:
    """Return the traffic with so many times as many records a second."""
    sources = {
        name: _source(name, source, times) for name, source in traffic.sources.items()
    }
    return replace(traffic, sources=sources)


def _source(name: str, source: Source, times: int) -> Source:
    law = source.arrivals
    field = "mean_rate_per_s" if isinstance(law, DayCurve) else "rate_per_s"
    rate_per_s = getattr(law, field, None)
    if rate_per_s is None:
        path = f"traffic.sources.{name}.arrivals"
        raise ValidationError(
            path, law, say("an open loop with a rate, such as Poisson")
        )
    return replace(source, arrivals=replace(law, **{field: times * rate_per_s}))
