"""One run: a scenario in, a result out, and whether it came to its end."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from typing import Final

from kafkasim.analysis.measures import metrics
from kafkasim.errors import RunError
from kafkasim.experiments.progress import bar_in_simulated_time
from kafkasim.result.result import Result
from kafkasim.result.schema import ResultKind
from kafkasim.scenario.plan import Plan
from kafkasim.scenario.resolution import resolved_traffic
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.trace import Trace
from kafkasim.scenario.traffic import Source, Traffic
from kafkasim.units import NS_PER_S

BIG_RUN: Final = 1_000_000
"""Records from which a run takes long enough to show how far it is."""

_NO_ROOM: Final = re.compile(
    "cannot allocate memory|failed to map segment", re.IGNORECASE
)
"""What the system's loader says of a library that does not fit into memory."""


def run(
    scenario: Scenario,
    *,
    plan: Plan | None = None,
    check: bool = False,
    result: ResultKind = "full",
    progress: bool | None = None,
    logs: str | PathLike[str] | None = None,
    resources: bool = False,
) -> Result:
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
    result : "full" or "streamed"
        Keep a row per record and per hand-out, or in their place `histograms` and
        `totals`: the same digest and metrics, quantiles of latency within 1 %, but
        nothing that is asked of single records.
    progress : bool, optional
        Whether to draw a bar in simulated time on stderr; when not given, only on a
        terminal and for a run of about a million records or more.
    logs : str or path, optional
        A folder that is not there yet, or empty. When the run is over its logs are
        written there as a broker leaves them after a clean stop: a log directory
        `broker-N` for each broker, a folder for each partition in it, with files that
        Kafka reads. Values are a text that says which record it is, as long as the
        record's value was.
    resources : bool
        Whether to measure how busy each part of the hardware is, for the table
        `resources`; the rest of the result is the same with it and without.

    Returns
    -------
    Result

    Raises
    ------
    ValidationError
        Before anything runs, when the scenario is not allowed, or `logs` is asked of a
        streamed run or of a system that keeps no log.
    OutputError
        Before anything runs, when the folder for the logs holds something.
    RunError
        When the run cannot go on; names the simulated time, or how many records did
        not fit into memory.

    Examples
    --------
    >>> import kafkasim as ks
    >>> web = ks.Source(stream="orders", arrivals=ks.Periodic(rate_per_s=100))
    >>> traffic = ks.Traffic({"web": web}, {"billing": ks.Subscriber(["orders"])}, 1)
    >>> len(ks.run(ks.Scenario(traffic)).records)
    100
    """
    from kafkasim.engine.sim.run import run as simulate

    if progress is None and asked(scenario.traffic) < BIG_RUN:
        progress = False
    duration_s = float(resolved_traffic(scenario.traffic).duration_s)
    with (
        enough_memory(scenario.traffic, result),
        bar_in_simulated_time(duration_s, progress=progress) as report,
    ):
        return simulate(
            scenario,
            plan=plan,
            check=check,
            result=result,
            report=report,
            logs=None if logs is None else Path(logs),
            resources=resources,
        )


def asked(traffic: Traffic) -> float:
    """Return about how many records a traffic's sources send."""
    return sum(_asked(source, traffic) for source in traffic.sources.values())


def unfinished(result: Result) -> str:
    """Say when and why a run stopped that should have drained; nothing if it did.

    A scenario that ends with `cut` is meant to stop with records pending.

    Raises
    ------
    TableNotRecorded
        When a run that did not drain kept neither its records nor counts of them.
    """
    if result.scenario.end == "cut" or result.facts["drained"]:
        return ""
    ended_s = int(result.facts["end_ns"]) / NS_PER_S
    limit_s = result.scenario.drain_limit_s
    return (
        f"stopped at {ended_s:,.6g} s: no progress for {limit_s:g} s; "
        f"{metrics(result)['pending']:,.0f} records pending"
    )


@contextmanager
def enough_memory(traffic: Traffic, result: ResultKind = "full") -> Iterator[None]:
    """Turn running out of memory into an error that says what was asked for.

    Parameters
    ----------
    traffic : Traffic
        Whose records were asked for.
    result : "full" or "streamed"
        What is kept; for a full result the error names the way that takes less.

    Raises
    ------
    RunError
        In the place of MemoryError, and of the ImportError of a library that did not
        fit.
    """
    try:
        yield
    except (MemoryError, ImportError) as error:
        if isinstance(error, ImportError) and not _NO_ROOM.search(str(error)):
            raise
        text = f"not enough memory: {asked(traffic):,.0f} records were asked for"
        if result == "full":
            text += '; result="streamed" (--streamed) keeps counts, not a row of each'
        else:
            text += "; larger batches or a shorter run leave fewer rows"
        raise RunError(text) from None


def _asked(source: Source, traffic: Traffic) -> float:
    """Return about how many records a source sends."""
    arrivals = source.arrivals
    if isinstance(arrivals, Trace):
        return len(arrivals)
    rate = getattr(arrivals, "rate_per_s", 0.0)
    rate_per_s = float(getattr(arrivals, "mean_rate_per_s", rate))
    return rate_per_s * float(resolved_traffic(traffic).duration_s)
