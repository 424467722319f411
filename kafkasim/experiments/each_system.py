"""The same traffic and events through several systems: a run of each."""

from collections.abc import Callable, Mapping, Sequence

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
        A system does not fit the traffic, or an event not a system.
    """
    found = {}
    for name, system in systems.items():
        chosen = system(traffic) if callable(system) else system
        mine = events.get(name, ()) if isinstance(events, Mapping) else events
        scenario = Scenario(traffic, chosen, seed=seed, events=tuple(mine))
        found[name] = run(scenario, resources=resources, progress=False)
    return found
