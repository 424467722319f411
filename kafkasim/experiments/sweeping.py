"""What if: the same world run again with other values.

Every combination of a sweep sees the same world. Replication r draws its traffic with
seed + r, whatever the combination: common random numbers (Law, Simulation Modeling and
Analysis, section 11.2), so two rows differ by what was changed and not by luck. Between
replications everything that is drawn from the seed varies: arrivals (of a trace: the
jitter within its resolution), keys, sizes, work, the network's delays where they are
distributions, and the producers' sticky partitions. `table.attrs["varies"]` lists the
columns of the plan that did.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Final

from kafkasim.analysis.intervals import mean_interval
from kafkasim.analysis.measures import METRICS, metrics
from kafkasim.catalogue import say
from kafkasim.errors import RunError, ValidationError
from kafkasim.experiments.grid import Values, axes_of, labels_of, settings_of
from kafkasim.experiments.running import asked, enough_memory, run, unfinished
from kafkasim.experiments.workers import affordable, over
from kafkasim.result.result import Result
from kafkasim.result.schema import ResultKind
from kafkasim.scenario.plan import Plan, draw_plan
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.traffic import Traffic

if TYPE_CHECKING:
    import pandas as pd

Measure = Callable[[Result], Mapping[str, float]]
"""What is measured of each run: name → number."""

_DUST: Final = 1e-12
"""Half width ÷ mean below which an interval is the rounding of its sums."""

_WORTH_PROCESSES: Final = 1_000_000
"""Records over all runs from which starting processes pays: one process takes some
300,000 a second, and the first start of others two to four seconds."""


@dataclass(frozen=True, slots=True)
class _Measured:
    """What comes back from a worker: numbers, never tables."""

    numbers: Mapping[str, float]
    digest: str
    unfinished: str
    plan_digests: Mapping[str, str]


def sweep(
    scenario: Scenario,
    grid: Mapping[str, Values],
    *,
    replications: int = 1,
    workers: int | None = None,
    progress: bool | None = None,
    measure: Measure = metrics,
    result: ResultKind = "full",
) -> "pd.DataFrame":
    """Run a scenario once for every combination of values.

    Parameters
    ----------
    scenario : Scenario
        What all runs have in common.
    grid : mapping of path to values
        Such as ``{"system.topics.orders.partitions": [1, 2, 4]}``. Values may be whole
        variants; a mapping gives them names for the table:
        ``{"traffic.sources.web.keys": {"none": NoKeys(), "user": UniformKeys(100)}}``.
    replications : int
        Runs of each combination, with seeds `scenario.seed`, + 1, …
    workers : int, optional
        Processes; 1 stays in this one. As many as there are cores when not given,
        and 1 when all runs together are small. The table does not depend on it.
    progress : bool, optional
        Whether to draw a bar on stderr; when not given, only on a terminal.
    measure : callable, optional
        Result → mapping of name to number; `analysis.metrics` when not given. It runs
        where the engine runs, so it must be picklable.
    result : "full" or "streamed"
        What each run keeps for `measure`; see `run`.

    Returns
    -------
    pandas.DataFrame
        One row per combination, the last path changing fastest: a column for each path
        (its shortest unambiguous end), `replications`, and for every measure its mean
        and the bounds `_low` and `_high` of its 95 % interval (NaN for one
        replication). With one replication `digest` is the result's.
        `attrs["paths"]`: column → full path; `attrs["varies"]`: columns of the plan
        that differ between replications; `attrs["digests"]`: of every run, by row;
        `attrs["unfinished"]`: run → when it stopped with records pending.

    Raises
    ------
    ValidationError
        Before anything runs: an unknown path, a value that is not allowed or given
        twice, an empty grid. When `measure` returns no mapping of names to numbers.
    RunError
        When a run cannot go on; names the combination and the seed. Any other error,
        such as one of `measure`, has them in a note.
    """
    _check_counts(grid, replications, workers)
    axes = axes_of(grid, [*METRICS, "replications", "digest"])
    labels = labels_of(axes)
    runs = [
        (
            f"{_named(label)}, seed {seed}",
            scenario.where({**setting, "seed": seed}),
        )
        for label, setting in zip(labels, settings_of(axes), strict=True)
        for seed in _seeds(scenario, setting, replications)
    ]
    measured = _measure_all(
        runs,
        workers,
        partial(_measure_run, measure=measure, result=result),
        progress=progress,
    )
    firsts = range(0, len(runs), replications)
    rows = [measured[first : first + replications] for first in firsts]
    table = _table(rows, labels, {axis.column: axis.path for axis in axes})
    table.attrs["unfinished"] = {
        name: each.unfinished
        for (name, _), each in zip(runs, measured, strict=True)
        if each.unfinished
    }
    return table


def _check_counts(
    grid: Mapping[str, Values], replications: int, workers: int | None
) -> None:
    if replications < 1:
        raise ValidationError("replications", replications, say("1 or more"))
    if workers is not None and workers < 1:
        raise ValidationError("workers", workers, say("1 or more"))
    if "seed" in grid and replications > 1:
        why = say("replication r runs with seed + r")
        raise ValidationError("grid", "seed", say("no seed beside replications"), why)


def _named(label: Mapping[str, object]) -> str:
    return ", ".join(f"{column}={value}" for column, value in label.items())


def _seeds(
    scenario: Scenario, setting: Mapping[str, object], replications: int
) -> list[object]:
    if "seed" in setting:
        return [setting["seed"]]
    return [scenario.seed + number for number in range(replications)]


def _measure_all(
    runs: Sequence[tuple[str, Scenario]],
    workers: int | None,
    measure_run: Callable[[tuple[str, Scenario]], _Measured],
    *,
    progress: bool | None,
) -> list[_Measured]:
    """Measure every run; runs with the same traffic and seed follow each other."""
    first_with: dict[tuple[Traffic, int], int] = {}
    keys = [
        first_with.setdefault((scenario.traffic, scenario.seed), number)
        for number, (_, scenario) in enumerate(runs)
    ]
    order = sorted(range(len(runs)), key=lambda number: (keys[number], number))
    measured = over(
        measure_run,
        [runs[number] for number in order],
        workers=_worth(runs) if workers is None else workers,
        progress=progress,
    )
    back = sorted(range(len(runs)), key=order.__getitem__)
    return [measured[number] for number in back]


def _worth(runs: Sequence[tuple[str, Scenario]]) -> int:
    """Return how many workers these runs are worth."""
    if len(runs) == 1:
        return 1
    records = len(runs) * asked(runs[0][1].traffic)
    return 1 if records < _WORTH_PROCESSES else affordable(len(runs))


def _measure_run(
    named: tuple[str, Scenario], *, measure: Measure, result: ResultKind
) -> _Measured:
    name, scenario = named
    try:
        full = result == "full"
        plan = _plan(scenario.traffic, scenario.seed) if full else None
        done = run(scenario, plan=plan, result=result, progress=False)
        with enough_memory(scenario.traffic, result):
            numbers = _numbers(measure(done))
            ended = unfinished(done)
    except RunError as error:
        raise RunError(f"run with {name}: {error}") from error
    except Exception as error:
        error.add_note(f"in the run with {name}")
        raise
    return _Measured(numbers, done.digest, ended, dict(done.plan.digests))


def _numbers(measured: object) -> dict[str, float]:
    allowed = say("a function that returns a mapping of name to number")
    if not isinstance(measured, Mapping):
        why = say("it returned {kind}", kind=type(measured).__name__)
        raise ValidationError("measure", measured, allowed, why)
    try:
        return {str(name): float(value) for name, value in measured.items()}
    except (TypeError, ValueError) as error:
        raise ValidationError("measure", measured, allowed, str(error)) from None


@lru_cache(maxsize=1)
def _plan(traffic: Traffic, seed: int) -> Plan:
    """Draw a plan; kept for the next run of the same traffic and seed."""
    with enough_memory(traffic):
        return draw_plan(traffic, seed)


def _table(
    rows: Sequence[Sequence[_Measured]],
    labels: Sequence[Mapping[str, object]],
    paths: Mapping[str, str],
) -> "pd.DataFrame":
    import pandas as pd

    replications = len(rows[0])
    table = pd.DataFrame(
        [
            {**label, "replications": replications, **_intervals(row)}
            for label, row in zip(labels, rows, strict=True)
        ]
    )
    digests = [[measured.digest for measured in row] for row in rows]
    if replications == 1:
        table["digest"] = [digest for (digest,) in digests]
    table.attrs = {
        "paths": dict(paths),
        "varies": sorted({name for row in rows for name in _varying(row)}),
        "digests": digests,
    }
    return table


def _intervals(row: Sequence[_Measured]) -> dict[str, float]:
    columns: dict[str, float] = {}
    for name in row[0].numbers:
        mean, low, high = mean_interval([run.numbers[name] for run in row])
        if high - low < 2 * _DUST * abs(mean):
            low = high = mean
        columns |= {name: mean, f"{name}_low": low, f"{name}_high": high}
    return columns


def _varying(row: Sequence[_Measured]) -> list[str]:
    first = row[0].plan_digests
    return [
        name
        for name, digest in first.items()
        if any(run.plan_digests.get(name) != digest for run in row[1:])
    ]
