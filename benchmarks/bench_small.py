"""A small run, as an explorer makes one for every move of a knob.

The scenario `small` makes 10,000 calendar entries. Measured in a warm process: a
change of the scenario (another seed, so that nothing is remembered), its plan, the run,
and the table of `summary`. Beside it stands a bare heap loop of as many entries.
"""

from collections.abc import Iterator
from functools import partial
from itertools import count

from benchmarks.bench import Figure, figure, interleaved, scenario
from benchmarks.bench_calendar import MEAN_NS, draws, hold_bare
from kafkasim.analysis.measures import summary
from kafkasim.engine.sim.run import run
from kafkasim.experiments.running import run as run_scenario

BUDGET_S = 0.060
PENDING = 30
ROUNDS = 21


def figures_of_a_small_run() -> Iterator[Figure]:
    small = scenario("small")
    entries = int(run(small).facts["calendar_entries"])
    assert entries >= 10_000
    seeds = count(1)

    def explore() -> None:
        changed = small.where({"seed": next(seeds)})
        summary(run_scenario(changed, progress=False))

    loop = partial(hold_bare, draws(PENDING), MEAN_NS * entries // PENDING)
    took, bare = interleaved(explore, loop, ROUNDS)
    yield figure(
        f"{entries:,} calendar entries from scenario to summary, as a share of 60 ms",
        took / BUDGET_S,
        1.0,
        seconds=took,
        bare_loop_seconds=bare,
        over_a_bare_loop=took / bare,
    )
