"""Run a scenario in simulated time."""

from kafkasim.engine.sim.systems.kafka import run_kafka
from kafkasim.engine.sim.systems.point_to_point import run_point_to_point
from kafkasim.errors import ValidationError
from kafkasim.result.result import Result
from kafkasim.scenario.plan import Plan
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.systems import Kafka, PointToPoint


def run(scenario: Scenario, *, plan: Plan | None = None, check: bool = False) -> Result:
    """Simulate a scenario and return what happened.

    Parameters
    ----------
    scenario : Scenario
        What to run.
    plan : Plan, optional
        Its traffic, drawn already; `scenario.plan()` otherwise.
    check : bool
        Check invariants after every entry of the calendar; slow, and off by default.

    Returns
    -------
    Result
        The tables of the run.

    Raises
    ------
    ValidationError
        The scenario does not fit together.
    """
    resolved = scenario.resolve()
    if plan is None:
        plan = resolved.plan()
    if isinstance(resolved.system, Kafka):
        return run_kafka(resolved, plan, check=check)
    if isinstance(resolved.system, PointToPoint):
        return run_point_to_point(resolved, plan, check=check)
    raise ValidationError(
        "system", type(resolved.system).__name__, "Kafka or PointToPoint"
    )
