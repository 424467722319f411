"""The same traffic and events through several systems: a run of each."""

from collections.abc import Callable, Mapping, Sequence

from kafkasim.catalogue import say
from kafkasim.config.paths import one_of
from kafkasim.errors import ValidationError
from kafkasim.experiments.running import run
from kafkasim.result.result import Result
from kafkasim.scenario.events import Event
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.systems import System
from kafkasim.scenario.traffic import Traffic

SystemFor = System | Callable[[Traffic], System]
"""A system, or what makes one for a traffic: one that names streams, say."""


def run_each(
    traffic: Traffic,
    systems: Mapping[str, SystemFor],
    *,
    seed: int = 0,
    events: Mapping[str, Sequence[Event]] | Sequence[Event] = (),
    resources: bool = False,
) -> dict[str, Result]:
    """Run the same traffic through several systems, and return all results.

    Parameters
    ----------
    traffic : Traffic
    systems : mapping of str to system
        By what to call each; a function is called with the traffic and returns one.
    seed : int
        Of all runs.
    events : sequence of events, or mapping of str to such
        What happens to all of them, or to which.
    resources : bool
        As of `run`.

    Returns
    -------
    dict of str to Result
        By the same names, for `analysis.scorecard`, `plot.tangle` and the like;
        `compare` returns a table at once.

    Raises
    ------
    ValidationError
        Before anything runs, when there is no system, one does not fit the traffic, an
        event does not fit a system, or events are given for no system.
    """
    scenarios = scenarios_of(traffic, systems, seed, events)
    return {
        name: run(scenario, resources=resources, progress=False)
        for name, scenario in scenarios.items()
    }


def scenarios_of(
    traffic: Traffic,
    systems: Mapping[str, SystemFor],
    seed: int,
    events: Mapping[str, Sequence[Event]] | Sequence[Event] = (),
) -> dict[str, Scenario]:
    """Return the scenario of each system; parameters and errors as of `run_each`."""
    _check(systems, events)
    found = {}
    for name, system in systems.items():
        chosen = system(traffic) if callable(system) else system
        mine = events.get(name, ()) if isinstance(events, Mapping) else events
        found[name] = Scenario(traffic, chosen, seed=seed, events=tuple(mine))
    return found


def _check(systems: object, events: object) -> None:
    """Refuse systems that are none, and events for none of them."""
    if not isinstance(systems, Mapping) or not systems:
        raise ValidationError(
            "systems", systems, say("at least one system, by its name")
        )
    for name, system in systems.items():
        if isinstance(system, type):
            allowed = say(
                "a system, such as {kind}(), or a function", kind=system.__name__
            )
            raise ValidationError(f"systems.{name}", system, allowed)
    if isinstance(events, Event):
        raise ValidationError("events", events, say("a list of events"))
    if isinstance(events, Mapping):
        for name in events:
            if name not in systems:
                raise ValidationError(
                    "events", name, one_of(systems), say("no such system")
                )
