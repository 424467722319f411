"""What a crash costs at each point of the poll loop, for each way to commit.

Records come in six groups of four, and every `poll()` returns one group. Two
subscribers read them. While the first is about its fourth group, its process dies; five
seconds later the same program is started again, and joins its group. When the points of
the loop come is read off a run without a crash: until then both are the same.

* *before the work*: `poll()` has what it is about to return, and nothing of it is done;
* *in the work*: two of the four are done, and the third is half done;
* *after the work*: all four are done, and what the loop does next is not;
* *after the commit*: the coordinator has stored an offset behind the four.

What happens to a process at a moment comes before what it does then: dead when its work
ends, it has done the work and commits nothing.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from kafkasim.analysis.measures import summary
from kafkasim.catalogue import say
from kafkasim.config.consumer import ConsumerConfig
from kafkasim.errors import ValidationError
from kafkasim.experiments.running import run
from kafkasim.result.result import Result
from kafkasim.result.rows import code
from kafkasim.scenario.events import Crash
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.systems import Group, Kafka, Topic
from kafkasim.scenario.trace import Trace
from kafkasim.scenario.traffic import Source, Subscriber, Traffic
from kafkasim.units import MISSING_NS, NS_PER_S

if TYPE_CHECKING:
    import pandas as pd

COMMITS: Final = ("auto", "each_poll", "before_work", "after_work", "manual(every=3)")
"""Ways to commit, as `Group.commit` has them."""
POINTS: Final = ("before the work", "in the work", "after the work", "after the commit")
"""Points of the poll loop, in its order."""

CRASHES: Final = "billing"
OTHER: Final = "audit"
PER_POLL: Final = 4
_FIRST_S: Final = 4.5
"""When the first group of records comes: members have their partitions from 3 s on."""
_EVERY_S: Final = 2.0
_GROUPS: Final = 6
_WORK_MS: Final = 250.0
_BACK_S: Final = 5.0
_OFFSETS: Final = range(3 * PER_POLL, 4 * PER_POLL)
"""Of the records that the crash is about."""
_LEFT_OUT: Final = ("lost", "skipped", "expired", "pending")
"""What became of records that a subscriber never did, as `summary` counts them; a
committed offset that passed them makes them `skipped`."""
_COLUMNS: Final = (
    *("commit", "point", "at_s", "committed", "done", "twice", "never", "other"),
    "digest",
)


def crash_points(
    *, commits: Sequence[str] = COMMITS, points: Sequence[str] = POINTS
) -> "pd.DataFrame":
    """Run a crash at each point of the poll loop, for each way to commit.

    Parameters
    ----------
    commits : sequence of str
        As `Group.commit` has them.
    points : sequence of str
        Any of `POINTS`.

    Returns
    -------
    pandas.DataFrame
        One row per way and point, the points changing fastest, each from a run of its
        own: `commit`, `point`; `at_s`, when the process died, in simulated seconds;
        `committed`, the offset from which the next one went on; `done`, one past the
        last record that the first had done; `twice`, records on which the group did the
        work twice; `never`, records on which it never did; `other`, both of the other
        group together; `digest` of the run.

    Raises
    ------
    ValidationError
        No such point, or no way to commit.

    Examples
    --------
    >>> table = crash_points(commits=["before_work"], points=["in the work"])
    >>> table[["committed", "done", "twice", "never"]].to_numpy().tolist()
    [[16, 14, 0, 2]]
    """
    import pandas as pd

    rows = [_row(commit, point) for commit in commits for point in points]
    return pd.DataFrame(rows, columns=list(_COLUMNS))


def crash_scenario(commit: str, point: str | None) -> Scenario:
    """Return the scenario of one crash.

    Parameters
    ----------
    commit : str
        As `Group.commit` has it.
    point : str or None
        Any of `POINTS`; None: without a crash.

    Raises
    ------
    ValidationError
        No such point, or no such way to commit.
    """
    if point is None:
        return _calm(commit)
    if point not in POINTS:
        raise ValidationError(
            "point", point, say("one of {names}", names=", ".join(POINTS))
        )
    at_s = _moments(commit)[point] / NS_PER_S
    crash = Crash(f"member:{CRASHES}/1", at_s=at_s, for_s=_BACK_S)
    return _calm(commit).where({"events": [crash]})


def _calm(commit: str) -> Scenario:
    """Return the scenario without a crash."""
    begin = np.arange(_GROUPS) * _EVERY_S + _FIRST_S
    times_ns = np.repeat((begin * NS_PER_S).astype(np.int64), PER_POLL)
    source = Source("orders", Trace(times_ns, {}, name="groups of four"))
    names = (CRASHES, OTHER)
    settings = ConsumerConfig(max_poll_records=PER_POLL)
    return Scenario(
        Traffic(
            {"shop": source},
            {name: Subscriber(["orders"], work_ms=_WORK_MS) for name in names},
        ),
        Kafka(
            topics={"orders": Topic()},
            groups={
                name: Group(start="cold", commit=commit, config=settings)
                for name in names
            },
        ),
    )


@cache
def _moments(commit: str) -> Mapping[str, int]:
    """Return when each point comes, ns, from a run without a crash."""
    result = run(_calm(commit), progress=False)
    rows = result.columns("deliveries")
    mine = rows["subscriber"] == code(rows, "subscriber", CRASHES)
    of_group = mine & np.isin(rows["offset"], _OFFSETS)
    came, since, until = (
        np.sort(rows[name][of_group])
        for name in ("fetched_ns", "started_ns", "ended_ns")
    )
    half = PER_POLL // 2
    commits = result.columns("commits")
    behind = (commits["group"] == code(commits, "group", CRASHES)) & (
        commits["offset"] >= _OFFSETS.stop
    )
    at = (
        came[0],
        (since[half] + until[half]) // 2,
        until[-1],
        commits["at_ns"][behind].min() + 1,
    )
    return dict(zip(POINTS, map(int, at), strict=True))


def _row(commit: str, point: str) -> Mapping[str, Any]:
    scenario = crash_scenario(commit, point)
    result = run(scenario, progress=False)
    (crash,) = scenario.events
    found = {
        str(each["subscriber"]): (
            int(each["duplicated"]),
            sum(int(each[name]) for name in _LEFT_OUT),
        )
        for each in summary(result).to_dict("records")
    }
    return {
        "commit": commit,
        "point": point,
        "at_s": crash.at_s,
        **_offsets(result, int(crash.at_s * NS_PER_S)),
        "twice": found[CRASHES][0],
        "never": found[CRASHES][1],
        "other": sum(found[OTHER]),
        "digest": result.digest,
    }


def _offsets(result: Result, crash_ns: int) -> Mapping[str, int]:
    """Return where the next process went on, and how far the first had come."""
    owned = result.columns("assignments")
    mine = owned["group"] == code(owned, "group", CRASHES)
    last = int(np.argmax(np.where(mine, owned["since_ns"], MISSING_NS)))
    rows = result.columns("deliveries")
    done = rows["subscriber"] == code(rows, "subscriber", CRASHES)
    done &= (rows["ended_ns"] <= crash_ns) & (rows["ended_ns"] != MISSING_NS)
    done &= rows["outcome"] == code(rows, "outcome", "processed")
    return {
        "committed": int(owned["start_offset"][last]),
        "done": int(rows["offset"][done].max(initial=-1)) + 1,
    }
