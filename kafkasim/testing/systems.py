"""Is a system sound? Small random worlds, and what must be true of each."""

import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Final

import numpy as np

from kafkasim.errors import ValidationError
from kafkasim.experiments.running import run
from kafkasim.result.schema import TABLES
from kafkasim.scenario.pipelines import PointToPoint
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.systems import System
from kafkasim.testing.small_worlds import small_world
from kafkasim.testing.what_holds import OF_RECORDS, wrongs

PROMISED_ORDER: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "Kafka": ("subscriber", "topic", "partition"),
        "PointToPoint": ("subscriber",),
        "Relay": ("subscriber",),
        "RabbitMQ": ("subscriber", "topic", "member"),
    }
)
"""By system: within equal values of these columns of `deliveries`, the records of a
source are first handed out in the order in which it sent them."""

SENT_AGAIN_LATER: Final = ("RabbitMQ",)
"""Systems whose clients send again what was refused, behind what was sent meanwhile; of
such records no order is promised."""
_MOST: Final = 6
"""Faults of one run that are told."""


def check_system(
    system: System | Callable[[np.random.Generator], System],
    *,
    seeds: int | Iterable[int] = 10,
    order: Sequence[str] | None = None,
    may_lose: bool = False,
) -> None:
    """Put a system into small random worlds and hold every run against what must be so.

    Each seed gives a traffic (two sources, three subscribers, one of them late) and up
    to three events that the system knows; a source may be a closed loop, unless the
    system is one's own, and a subscriber or a stream may grow. Of the run it checks:

    - the tables: rows that others name exist, and so does everybody named;
    - conservation: what was sent is what the world wanted, nothing else; each record
      comes to an end for each subscriber that wants it, and an end other than `once`
      has a cause; nothing is handed out that was not sent, or before, or to somebody
      who does not want it;
    - work: a record takes each subscriber as long as the world says, or longer where
      an event may have slowed it;
    - order, as promised;
    - redeliveries: they are counted 1, 2, 3 …, and each has a cause;
    - invariants, if the system checks any; and that every event is told of;
    - the same scenario gives the same digest again, checked or not.

    Parameters
    ----------
    system : system, or function
        A system; or a function that returns one from a random generator, so that its
        settings vary with the seed.
    seeds : int or iterable of int
        How many worlds, or which.
    order : sequence of str, optional
        The system's promise, as columns of `deliveries`, or `source` and `stream`:
        within equal values of all of them the records of a source are first handed out
        in the order in which it sent them. When not given, that of `PROMISED_ORDER`;
        none for other systems, nor for point to point with several requests in flight.
    may_lose : bool
        Whether the system may lose records though nothing befell it.

    Raises
    ------
    ValidationError
        Before anything runs, when `system` is a class, `seeds` are none, or `order`
        names no column.
    AssertionError
        For the first seed whose run is not sound; says what does not hold, and ends
        with the line that shows it again.

    Examples
    --------
    >>> import kafkasim as ks
    >>> check_system(ks.PointToPoint(), seeds=2)
    """
    for seed in _checked(system, seeds, order):
        made = _made(system, seed)
        promised = _promised(made) if order is None else order
        scenario = small_world(seed, made)
        again = f"again: {_command(system, seed, order, may_lose=may_lose)}"
        try:
            found = _faults(scenario, promised, may_lose=may_lose)
        except Exception as error:
            error.add_note(f"{_circumstances(scenario)}\n{again}")
            raise
        if found:
            more = [f"  and {len(found) - _MOST} more"] if len(found) > _MOST else []
            told = [*(f"  {one}" for one in found[:_MOST]), *more]
            lines = [f"{made!r} is not sound", *told, _circumstances(scenario), again]
            raise AssertionError("\n".join(lines))


def _checked(
    system: object, seeds: int | Iterable[object], order: Sequence[str] | None
) -> list[int]:
    """Return the seeds; refuse what would check nothing, or could not be checked."""
    if isinstance(system, type):
        allowed = f"a system, such as {system.__name__}(), or a function"
        raise ValidationError("system", system, allowed)
    every: Iterable[object] = range(seeds) if isinstance(seeds, int) else list(seeds)
    found = [each for each in every if isinstance(each, int) and each >= 0]
    if not found or found != list(every):
        raise ValidationError("seeds", seeds, "how many, at least 1, or which, from 0")
    columns = [*OF_RECORDS, *(each.name for each in TABLES["deliveries"])]
    if isinstance(order, str) or any(name not in columns for name in order or ()):
        allowed = f"a list of {', '.join(columns)}"
        raise ValidationError("order", order, allowed)
    return found


def _promised(system: System) -> tuple[str, ...] | None:
    """Return within which columns a system keeps a source's order."""
    if isinstance(system, PointToPoint) and system.in_flight > 1:
        return None  # what is sent again may be overtaken
    return PROMISED_ORDER.get(type(system).__name__)


def _circumstances(scenario: Scenario) -> str:
    """Return what a scenario's seed is, and what happens in it."""
    events = [f"  {event!r}" for event in scenario.events] or ["  nothing"]
    ends = "is cut" if scenario.end == "cut" else "drains"
    return "\n".join([f"seed {scenario.seed}, which {ends}; what happens:", *events])


def _made(
    system: System | Callable[[np.random.Generator], System], seed: int
) -> System:
    return system(np.random.default_rng([seed, 1])) if callable(system) else system


def _faults(
    scenario: Scenario, order: Sequence[str] | None, *, may_lose: bool
) -> list[str]:
    """Return what is wrong with a system in a world."""
    result = run(scenario, check=True, progress=False)
    plain = run(scenario, progress=False)
    once = type(scenario.system).__name__ in SENT_AGAIN_LATER
    found = list(wrongs(result, order, may_lose=may_lose, only_sent_once=once))
    if plain.digest != result.digest:
        same = run(scenario, progress=False).digest == plain.digest
        why = "checking it changes it" if same else "no two runs of it are the same"
        found.append(f"the digest differs: {why}")
    return found


def _command(
    system: System | Callable[[np.random.Generator], System],
    seed: int,
    order: Sequence[str] | None,
    *,
    may_lose: bool,
) -> str:
    """Return the one line that shows a failure again."""
    named = system if callable(system) else type(system)
    name = getattr(named, "__qualname__", repr(named))
    said = name if callable(system) else repr(system)
    options = f"seeds=[{seed}]"
    options += f", order={tuple(order)!r}" if order is not None else ""
    options += ", may_lose=True" if may_lose else ""
    imports = "from kafkasim import *; from kafkasim.testing import check_system; "
    module = getattr(named, "__module__", "__main__")
    if module in {"__main__", "builtins"}:
        return f"check_system({said}, {options})"
    if not module.startswith("kafkasim."):
        imports += f"from {module} import {name}; "
    return f"python -c {shlex.quote(f'{imports}check_system({said}, {options})')}"
