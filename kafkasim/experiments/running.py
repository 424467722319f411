"""One run: a scenario in, a result out."""

from kafkasim.result.result import Result
from kafkasim.scenario.plan import Plan
from kafkasim.scenario.scenario import Scenario


def run(scenario: Scenario, *, plan: Plan | None = None, check: bool = False) -> Result:
    """Run a scenario and return what happened.

    Parameters
    ----------
    scenario : Scenario
        What to run.
    plan : Plan, optional
        The traffic, drawn or loaded already; the scenario's when it is not given.
    check : bool
        Whether to check the engine's invariants after every event; slower. What broke
        stands in `result.violations`.

    Returns
    -------
    Result

    Raises
    ------
    ValidationError
        Before anything runs, when the scenario is not allowed.
    RunError
        When the run cannot go on; names the simulated time.

    Examples
    --------
    >>> import kafkasim as ks
    >>> web = ks.Source(stream="orders", arrivals=ks.Periodic(rate_per_s=100))
    >>> traffic = ks.Traffic({"web": web}, {"billing": ks.Subscriber(["orders"])}, 1)
    >>> len(ks.run(ks.Scenario(traffic)).records)
    100
    """
    from kafkasim.engine.sim.run import run as simulate

    return simulate(scenario, plan=plan, check=check)
