"""How much a system carries when more is wanted of it than it can: its saturation.

`wanted_per_s`, `saturation_per_s`
    records wanted, and records processed for the first time, per second; per
    subscriber, then the mean. Both count from the middle of the time in which sources
    send to its end, so that neither the start nor the rest that is carried afterwards
    is in it.
`saturation_per_machine_s`
    the latter for each machine: sources, subscribers, and those of the hub that talked.

While a system keeps up both are alike. One of which twice as much is wanted as it
carries is **saturated**, and what it carries then is its throughput at saturation. A
run in which nothing is processed in that time is too short to say anything.
"""

from typing import Final

from kafkasim.analysis.dealings import dealings
from kafkasim.analysis.piping import pipelines
from kafkasim.result.result import Result
from kafkasim.result.rows import wanted_ns
from kafkasim.units import NS_PER_S, ns_from_s

CARRYING: Final = ("wanted_per_s", "saturation_per_s", "saturation_per_machine_s")
"""Names of the numbers, in their order."""
TIMES: Final = 2.0
"""How many times more than it carries is wanted of a system that is saturated."""


def carrying(result: Result) -> dict[str, float]:
    """Return how much was wanted of a system and how much it carried.

    Parameters
    ----------
    result : Result
        Full, of open loops; see `kafkasim.saturate`.

    Returns
    -------
    dict of str to float
        `CARRYING`, in that order; this module's first lines define each.

    Raises
    ------
    TableNotRecorded
        When the run did not record `records`, `deliveries` or `links`.
    """
    end_ns = ns_from_s(float(result.scenario.resolve().traffic.duration_s))
    begin_ns = end_ns // 2
    wanted = carried = 0
    every = dealings(result)
    times_ns = wanted_ns(result.columns("records"))
    for dealing in every:
        came_ns, done_ns = times_ns[dealing.rows], dealing.first_processed_ns
        wanted += int(((came_ns >= begin_ns) & (came_ns < end_ns)).sum())
        carried += int(((done_ns >= begin_ns) & (done_ns < end_ns)).sum())
    each = len(every) * (end_ns - begin_ns) / NS_PER_S
    made = pipelines(result)
    machines = made["sources"] + made["subscribers"] + made["hub_nodes"]
    rates = (wanted / each, carried / each) if each else (0.0, 0.0)
    return dict(zip(CARRYING, (*rates, rates[1] / machines), strict=True))


def is_saturated(carried: dict[str, float]) -> bool:
    """Return whether more was wanted than a system can carry; of `carrying`."""
    return 0 < TIMES * carried["saturation_per_s"] <= carried["wanted_per_s"]
