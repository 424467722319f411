"""The offset explorer's own traffic, its controls and its questions.

Twenty orders, which two groups read. A process of the first one crashes at a chosen
point of its poll loop, and the same program is started again a second later. When that
point comes is read off a run without a crash: until then both are the same.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final, Literal

import numpy as np

from kafkasim.analysis.arrays import Int64
from kafkasim.catalogue import mark
from kafkasim.config.consumer import ConsumerConfig
from kafkasim.experiments.running import run
from kafkasim.result.result import Result
from kafkasim.result.rows import code
from kafkasim.scenario.arrivals import Periodic
from kafkasim.scenario.events import Crash
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.systems import Group, Kafka
from kafkasim.scenario.traffic import Source, Subscriber, Traffic
from kafkasim.units import NS_PER_S, NS_PER_US
from kafkasim.widgets.inputs import Choice, Control, Slider
from kafkasim.widgets.panel import Preset

TOPIC: Final = "orders"
CRASHES: Final = "billing"
OTHER: Final = "audit"
"""The two subscribers, and so the two groups."""

RECORDS: Final = 20
MIDDLE: Final = 10
"""The crash falls into the poll that hands this record out."""
RATE_PER_S: Final = 100
"""All are in the log when the first member is told what to read, at 3 s."""
WORK_MS: Final = 500.0
"""Of `billing` on a record."""
OTHER_WORK_MS: Final = 1_400.0
"""Of `audit`: it is behind, so the run goes on when `billing` is done."""
SESSION_MS: Final = 6_000
"""`session.timeout.ms` of both groups; Kafka's default is 45 s."""
BACK_S: Final = 1.0
"""From the crash to the start of the new process."""
_AFTER_NS: Final = 100 * NS_PER_US
"""From when a commit is stored to the crash after it; its answer is on its way."""
_BEFORE_NS: Final = 500 * NS_PER_US
"""From when `poll()` returned records to the crash before anything is done with them;
what the poll sent, such as a commit, has arrived."""

Commit = Literal["auto", "each_poll", "before_work", "after_work", "manual"]
CrashPoint = Literal[
    "never", "before the work", "in the work", "after the work", "after the commit"
]
POINTS: Final[tuple[CrashPoint, ...]] = (
    mark("never"),
    mark("before the work"),
    mark("in the work"),
    mark("after the work"),
    mark("after the commit"),
)


@dataclass(frozen=True, slots=True)
class Values:
    """Where the controls stand."""

    commit: Commit = "after_work"
    """When `billing` commits; manual: after each record."""
    crash: CrashPoint = "in the work"
    """Where its process dies."""
    per_poll: int = 4
    """`max.poll.records` of both."""


_COMMITS: Final = ("after_work", "before_work", "auto", "each_poll", "manual")
CONTROLS: Final[Mapping[str, Control]] = {
    "commit": Choice(mark("commit"), _COMMITS, frozenset(_COMMITS)),
    "crash": Choice(mark("crash"), POINTS),
    "per_poll": Slider(mark("records per poll"), 1, MIDDLE),
}

PRESETS: Final = (
    Preset(mark("Committed after the work: what does a crash cost?"), {}),
    Preset(mark("And committed before it?"), {"commit": "before_work"}),
    Preset(mark("And by default?"), {"commit": "auto"}),
    Preset(
        mark("All done, and then?"), {"commit": "after_work", "crash": "after the work"}
    ),
    Preset(
        mark("If each record is committed?"),
        {"commit": "manual", "crash": "after the work"},
    ),
    Preset(
        mark("How much can be lost?"),
        {"commit": "before_work", "crash": "after the commit", "per_poll": MIDDLE},
    ),
    Preset(mark("Is any crash harmless?"), {"crash": "after the commit"}),
)


def scenario_at(values: Values) -> Scenario:
    """Return the scenario that the controls' values mean."""
    calm = _calm(values.commit, values.per_poll)
    if values.crash == "never":
        return calm
    at_s = moments(values.commit, values.per_poll)[values.crash] / NS_PER_S
    crash = Crash(f"member:{CRASHES}/1", at_s=at_s, for_s=BACK_S)
    return calm.where({"events": [crash]})


def _calm(commit: Commit, per_poll: int) -> Scenario:
    """Return the scenario without a crash."""
    said = "manual(every=1)" if commit == "manual" else commit
    settings = ConsumerConfig(max_poll_records=per_poll, session_timeout_ms=SESSION_MS)
    groups = {
        CRASHES: Group(start="cold", commit=said, config=settings),
        OTHER: Group(start="cold", config=settings),
    }
    subscribers = {
        CRASHES: Subscriber([TOPIC], work_ms=WORK_MS, wants="all"),
        OTHER: Subscriber([TOPIC], work_ms=OTHER_WORK_MS, wants="all"),
    }
    traffic = Traffic(
        {"shop": Source(TOPIC, Periodic(RATE_PER_S))},
        subscribers,
        RECORDS / RATE_PER_S,
    )
    return Scenario(traffic, Kafka(groups=groups), seed=1, name="two groups")


@cache
def moments(commit: Commit, per_poll: int) -> Mapping[CrashPoint, int]:
    """Return when each point of the poll loop comes, ns, from a run without a crash.

    What happens to a member at a moment comes before what it does then: dead at the
    moment at which its work ends, it has done the work and commits nothing.
    """
    result = run(_calm(commit, per_poll), progress=False)
    first = MIDDLE // per_poll * per_poll
    last = min(first + per_poll, RECORDS) - 1
    half = first + per_poll // 2
    since, until = _work(result)
    stored = int(_stored(result, last + 1)) + _AFTER_NS
    handed_out = since[first] + _BEFORE_NS
    if commit == "before_work":
        handed_out = until[first - 1]
    return {
        "before the work": int(handed_out),
        "in the work": int(since[half] + until[half]) // 2,
        "after the work": int(until[last]),
        "after the commit": stored,
    }


def _work(result: Result) -> tuple[Int64, Int64]:
    """Return when the work on each record began and ended, by offset."""
    rows = result.columns("deliveries")
    mine = rows["subscriber"] == code(rows, "subscriber", CRASHES)
    order = np.argsort(rows["offset"][mine])
    since: Int64 = rows["started_ns"][mine][order]
    until: Int64 = rows["ended_ns"][mine][order]
    return since, until


def _stored(result: Result, offset: int) -> int:
    """Return when an offset, or a higher one, was committed first."""
    rows = result.columns("commits")
    mine = rows["group"] == code(rows, "group", CRASHES)
    return int(rows["at_ns"][mine & (rows["offset"] >= offset)].min())
