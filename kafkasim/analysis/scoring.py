"""A scorecard: the same traffic through several systems, metric by metric.

The metrics are those that a fair comparison has to show: what is built, what is moved,
how long it takes, what goes wrong and for whom, and what a newcomer costs. None is left
out because one system does well in it. Definitions: `kafkasim.analysis.piping`,
`measures`, `blasts`, `newcomers`, `carrying`.

Another seed gives other numbers, so the smallest alone is not the best: values within a
tolerance of it are as good. That is 10 % where numbers vary by chance, and nothing
where the traffic settles them: who talks with whom, and how many machines there are.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import numpy as np

from kafkasim.analysis.arrays import Bool, Float64
from kafkasim.analysis.blasts import blast_radius
from kafkasim.analysis.carrying import TIMES, carrying, is_saturated
from kafkasim.analysis.event_words import event_words
from kafkasim.analysis.keeping import kept_of
from kafkasim.analysis.kept import joined_spread
from kafkasim.analysis.measures import metrics
from kafkasim.analysis.newcomers import onboarding
from kafkasim.analysis.piping import pipelines
from kafkasim.catalogue import mark, say
from kafkasim.errors import ValidationError
from kafkasim.result.result import Result
from kafkasim.result.wants import wants_of
from kafkasim.units import NS_PER_MS

if TYPE_CHECKING:
    import pandas as pd

Better = Literal["less", "more"]

TOLERANCE: Final = 0.1
"""Within which part of the best value one run does not tell two systems apart."""


@dataclass(frozen=True, slots=True)
class Scored:
    """A row of a scorecard."""

    metric: str
    """Its name, with its unit."""
    label: str
    """In words, with its unit."""
    better: Better
    what: str = ""
    """The event that it is about, in words; empty for none."""
    tolerance: float = TOLERANCE
    """Within which part of the best value others are as good."""

    @property
    def said(self) -> str:
        """Return the label in the language that holds."""
        return say(self.label, what=self.what) if self.what else say(self.label)


SCORED: Final = (
    Scored("links", mark("links between systems"), "less", tolerance=0.0),
    Scored(
        "adapters_per_source", mark("adapters of one source"), "less", tolerance=0.0
    ),
    Scored(
        "sockets", mark("connections of sources and subscribers"), "less", tolerance=0.0
    ),
    Scored("hub_nodes", mark("machines of a hub"), "less", tolerance=0.0),
    Scored("sends_per_record", mark("sends of a record by its source"), "less"),
    Scored("source_bytes_per_record", mark("bytes out of sources, per record"), "less"),
    Scored("total_bytes_per_record", mark("bytes over all links, per record"), "less"),
    Scored("disk_bytes_per_record", mark("bytes written to disks, per record"), "less"),
    Scored("source_buffer_bytes", mark("peak bytes kept at sources"), "less"),
    Scored("throughput_per_s", mark("throughput (records/s)"), "more"),
    Scored("latency_ms_p50", mark("median latency (ms)"), "less"),
    Scored("latency_ms_p99", mark("p99 latency (ms)"), "less"),
    Scored("latency_ms_p999", mark("p99.9 latency (ms)"), "less"),
    Scored("lost", mark("lost (records)"), "less"),
    Scored("duplicated", mark("processed twice (records)"), "less"),
    Scored("overtaken_share", mark("records overtaken (share)"), "less"),
    Scored("kept_share", mark("records still kept at the end (share)"), "more"),
)
"""Rows that every scorecard has."""

SATURATED: Final = (
    Scored("saturation_per_s", mark("throughput at saturation (records/s)"), "more"),
    Scored(
        "saturation_per_machine_s", mark("the same per machine, hub included"), "more"
    ),
)
"""Rows of a scorecard that has been told how much each system carries at most."""

REPLAY: Final = (
    Scored("replayed_share", mark("history read by a newcomer (share)"), "more"),
    Scored("replay_per_s", mark("records of history per second"), "more"),
)
"""Rows of a scorecard in which somebody came later and wanted history."""

_OF_ROWS: Final = ("metric", "label", "better", "tolerance")
"""Columns that say what a row is; the others are systems."""

_OF_EVENTS: Final = (
    ("pairs_hurt", mark("{what}: pairs interrupted"), "less"),
    ("blast_pair_s", mark("{what}: blast radius (pairs × s)"), "less"),
    ("recovery_s", mark("{what}: time to recover (s)"), "less"),
)

_NEWCOMER: Final = (
    Scored(
        "sources_touched",
        mark("one more subscriber: sources touched"),
        "less",
        tolerance=0.0,
    ),
    Scored("new_links", mark("one more subscriber: new links"), "less", tolerance=0.0),
)

_PER_RECORD: Final = ("source_bytes", "total_bytes", "disk_bytes")


def scorecard(
    results: Mapping[str, Result],
    *,
    added: Mapping[str, Result] | None = None,
    saturated: Mapping[str, Result] | None = None,
    least_ms: float = 0.0,
) -> "pd.DataFrame":
    """Return metrics of several systems side by side.

    Parameters
    ----------
    results : mapping of str to Result
        By what to call the system; runs of the same traffic, full ones.
    added : mapping of str to Result, optional
        Runs of the same systems with one more subscriber, by the same names: what that
        touches.
    saturated : mapping of str to Result, optional
        Runs of the same systems of which more is wanted than they carry, by the same
        names, as `kafkasim.saturate` returns them: their throughput at saturation.
    least_ms : float
        How long an event interrupts a pair at least, milliseconds, as of
        `blast_radius`: where records come quickly, a few milliseconds are unusual.

    Returns
    -------
    pandas.DataFrame
        One row per metric: `metric`, `label` (in words, with the unit), `better`
        (`less` or `more`), `tolerance` (within which part of the best value others are
        as good), and a column of floats for each system; NaN where a metric does not
        apply, or an event means nothing in a system. An event has three rows,
        named `<metric> <event> <target>`; of events in several systems those with the
        same target share them.

    Raises
    ------
    ValidationError
        There is no result, `added` or `saturated` have other names, or a system carries
        more than half of what is wanted in its run of `saturated`.
    TableNotRecorded
        When a run did not record `records`, `deliveries`, `links` or `events`.
    """
    import pandas as pd

    if not results:
        raise ValidationError("results", dict(results), say("at least one run"))
    for path, others in (("added", added), ("saturated", saturated)):
        if others is not None and list(others) != list(results):
            raise ValidationError(
                path, list(others), say("runs of {names}", names=", ".join(results))
            )
    numbers = {name: _numbers(result, least_ms) for name, result in results.items()}
    if added is not None:
        for name, result in results.items():
            numbers[name] |= _newcomer(result, added[name])
    rows = [*SCORED]
    if saturated is not None:
        for name, result in saturated.items():
            numbers[name] |= _carried(name, result)
        rows += SATURATED
    if any(each["replayed_share"] >= 0 for each in numbers.values()):
        rows += REPLAY
    rows += _event_rows(results)
    rows += _NEWCOMER if added is not None else ()
    columns: dict[str, object] = {
        "metric": [row.metric for row in rows],
        "label": [row.said for row in rows],
        "better": [row.better for row in rows],
        "tolerance": [row.tolerance for row in rows],
    }
    for name, values in numbers.items():
        columns[name] = [values.get(row.metric, float("nan")) for row in rows]
    return pd.DataFrame(columns)


def systems_of(table: "pd.DataFrame") -> list[str]:
    """Return the columns of a scorecard that are systems."""
    return [str(name) for name in table if name not in _OF_ROWS]


def as_good(values: Float64, better: Better, tolerance: float) -> Bool:
    """Say which values of a metric are the best, or as good as it.

    Parameters
    ----------
    values : float64 array
        Of each system; NaN where the metric does not apply.
    better : {"less", "more"}
    tolerance : float
        Part of the best value by which another may be worse. Where the best is 0, only
        0 is as good.

    Returns
    -------
    bool array
        Of the same shape; none is best where all are as good, or nothing applies.

    Examples
    --------
    >>> as_good(np.array([100.0, 109.0, 111.0]), "less", 0.1).tolist()
    [True, True, False]
    """
    applies = np.isfinite(values)
    if not applies.any():
        return applies
    kept = values[applies]
    best = kept.min() if better == "less" else kept.max()
    good = applies & (np.abs(values - best) <= tolerance * abs(best))
    return np.zeros_like(applies) if bool((good == applies).all()) else good


def _numbers(result: Result, least_ms: float) -> dict[str, float]:
    """Return all numbers of one run, by metric."""
    made, measured = pipelines(result), metrics(result)
    for name in _PER_RECORD:
        count = made["records"]
        made[f"{name}_per_record"] = made[name] / count if count else float("nan")
    wants = wants_of(result.scenario.resolve())
    spread = joined_spread([each.spread for each in kept_of(result).latencies(wants)])
    made["latency_ms_p999"] = spread.nearest_ranks((0.999,))[0] / NS_PER_MS
    events = blast_radius(result, least_ms=least_ms)
    said = _numbered(zip(events["event"], events["target"], strict=True))
    for what, row in zip(said, events.to_dict("records"), strict=True):
        for name, _, _ in _OF_EVENTS:
            made[f"{name} {what}"] = float(row[name])
    return made | measured


def _carried(name: str, result: Result) -> dict[str, float]:
    """Return how much a system carries at most; refuse a run that does not tell."""
    carried = carrying(result)
    if not is_saturated(carried):
        allowed = say(
            "a run in which {times:g} times as much is wanted as it carries",
            times=TIMES,
        )
        why = say(
            "it carries {carried:,.0f} records/s of {wanted:,.0f}; ks.saturate makes "
            "such a run",
            carried=carried["saturation_per_s"],
            wanted=carried["wanted_per_s"],
        )
        raise ValidationError(f"saturated.{name}", result, allowed, why)
    return carried


def _numbered(events: Iterable[tuple[str, str]]) -> list[str]:
    """Return what befell what; from the second time on, the how manieth it is."""
    times: Counter[tuple[str, str]] = Counter()
    said = []
    for event, target in events:
        times[event, target] += 1
        count = times[event, target]
        said.append(f"{event} {target}" + (f" ({count})" if count > 1 else ""))
    return said


def _event_rows(results: Mapping[str, Result]) -> list[Scored]:
    """Return three rows for each event that any system had, in order of time."""
    found: dict[str, int] = {}
    for result in results.values():
        events = result.columns("events")
        words, targets = events.labels["event"], events.labels["target"]
        codes = zip(events["event"], events["target"], strict=True)
        said = _numbered((words[event], targets[target]) for event, target in codes)
        for what, at_ns in zip(said, events["at_ns"], strict=True):
            found.setdefault(what, int(at_ns))
    return [
        Scored(f"{name} {what}", label, "less", _said(what))
        for what in sorted(found, key=lambda each: found[each])
        for name, label, _ in _OF_EVENTS
    ]


def _said(what: str) -> str:
    """Return an event as people say it: `crash of board`."""
    event, target = what.split(" ", 1)
    kind, _, name = target.partition(":")
    who = name if kind in {"source", "subscriber", "member"} else f"{kind} {name}"
    return say(
        "{event} of {who}", event=event_words(event), who=(who or target).strip()
    )


def _newcomer(before: Result, after: Result) -> dict[str, float]:
    touched = onboarding(before, after)
    sources = touched[touched["kind"] == "source"]
    return {
        "sources_touched": float(sources["touched"].sum()),
        "new_links": float(touched["new_links"].sum()),
    }
