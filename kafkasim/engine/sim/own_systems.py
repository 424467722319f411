"""Systems of one's own: how the engine comes to know them."""

from typing import Protocol, get_args

from kafkasim.config.document import Document
from kafkasim.config.rules import kind_of
from kafkasim.engine.sim.timeline import Timeline
from kafkasim.errors import ValidationError
from kafkasim.result.result import Result
from kafkasim.scenario.own_systems import OwnSystem, check_own, make_known
from kafkasim.scenario.plan import Plan
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.systems import System


class SystemRun(Protocol):
    """A run of a system that keeps a row per record; what it needs is in the table."""

    timeline: Timeline

    def __init__(
        self, scenario: Scenario, plan: Plan, *, check: bool, resources: bool = False
    ) -> None: ...

    def run(self) -> Result:
        """Run to the end and return what was recorded."""
        ...


def register_system(description: type[OwnSystem], run_class: type[SystemRun]) -> None:
    """Let scenarios hold a system of your own, and say how it runs.

    From then on `Scenario`, its files (`kind` is the class's name in small letters,
    words joined by underscores), `run`, `sweep`, `compare` and `check_system` take it.
    Registered again, it replaces what was there.

    Parameters
    ----------
    description : type
        A frozen dataclass below `OwnSystem`.
    run_class : type
        Makes one run; usually below `OwnRun`.

    Raises
    ------
    ValidationError
        The description does not fit, or has the name of one of kafkasim's systems.
    """
    taken = [
        kind_of(each)
        for each in get_args(System)
        if isinstance(each, type) and issubclass(each, Document)
    ]
    check_own(description, tuple(taken))
    if not callable(getattr(run_class, "run", None)):
        raise ValidationError("run_class", run_class, "a class with a method run()")
    description.run_class = run_class
    make_known(description)


def run_class_of(system: OwnSystem) -> type[SystemRun]:
    """Return how a registered system runs."""
    run_class: type[SystemRun] | None = type(system).run_class
    assert run_class is not None  # a scenario takes no other
    return run_class
