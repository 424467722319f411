"""The calendar alone, and what it costs a whole run.

*Hold model*: a number of actors, each of which does nothing but put itself back on the
calendar after its next delay. The same delays, actor by actor, in three forms:

- entries of the engine's calendar, each actor keeping its key as the engine's do;
- SimPy's processes, one generator each, that yield timeouts;
- a bare loop over a heap, the leanest a person would write: pop
  ``(time, sequence, function, argument)``, call ``function(argument)``, which pushes
  its next entry; no stop flag, no count, no key of rank and actor.

*The real engine*: one Kafka scenario with the engine's calendar and with a plain heap
in its place (`plain_calendar.py`); the digests must be equal.
"""

from collections.abc import Callable, Generator, Iterator, Sequence
from functools import partial
from heapq import heappop, heappush
from itertools import count, cycle
from typing import Any

import numpy as np
import simpy

from benchmarks.bench import Figure, figure, interleaved, medians, scenario
from benchmarks.plain_calendar import plain_calendars
from kafkasim.engine.sim.calendar import Calendar, Rank, key_base
from kafkasim.engine.sim.run import run

MEAN_NS = 1_000_000
ENTRIES = 200_000
ROUNDS = 7
PENDING = (30, 1_000)

Draw = Callable[[], int]
"""Returns an actor's next delay in nanoseconds."""


class Actor:
    """One that holds: its delays, and its key in the engine's calendar."""

    __slots__ = ("draw", "key")

    def __init__(self, number: int, draw: Draw) -> None:
        self.draw = draw
        self.key = key_base(Rank.TIMER, number)


def draws(pending: int) -> list[Draw]:
    """Return each actor's delays: 64 exponential ones of at least 1 ns, in a circle."""
    drawn = np.random.default_rng(5).exponential(MEAN_NS, (pending, 64))
    whole = np.maximum(np.rint(drawn), 1).astype(np.int64)
    return [cycle(own).__next__ for own in whole.tolist()]


def hold_entries(delays: Sequence[Draw], until_ns: int) -> None:
    """Hold by the engine's calendar."""
    calendar = Calendar()

    def fire(actor: Actor) -> None:
        actor.key += 1
        calendar.at(calendar.now_ns + actor.draw(), actor.key, fire, actor)

    for number, draw in enumerate(delays):
        fire(Actor(number, draw))
    calendar.run_entries(until_ns - 1)


def hold_processes(delays: Sequence[Draw], until_ns: int) -> None:
    """Hold by SimPy's processes."""
    env = simpy.Environment()

    def actor(draw: Draw) -> Generator[simpy.Timeout, None, None]:
        while True:
            yield env.timeout(draw())

    for draw in delays:
        env.process(actor(draw))
    env.run(until=until_ns)


def hold_bare(delays: Sequence[Draw], until_ns: int) -> None:
    """Hold by a bare heap."""
    heap: list[tuple[int, int, Callable[[Any], None], Any]] = []
    next_sequence = count().__next__
    now = 0

    def fire(actor: Actor) -> None:
        heappush(heap, (now + actor.draw(), next_sequence(), fire, actor))

    for number, draw in enumerate(delays):
        fire(Actor(number, draw))
    while heap[0][0] < until_ns:
        now, _, function, argument = heappop(heap)
        function(argument)


FORMS = (hold_entries, hold_processes, hold_bare)


def entries_of(
    form: Callable[[Sequence[Draw], int], None], pending: int, until_ns: int
) -> int:
    """Return how many entries or timeouts a form runs before `until_ns`."""
    drawn = 0

    def counted(draw: Draw) -> Draw:
        def one() -> int:
            nonlocal drawn
            drawn += 1
            return draw()

        return one

    form([counted(draw) for draw in draws(pending)], until_ns)
    return drawn - pending


def figures_of_the_hold_model() -> Iterator[Figure]:
    for pending in PENDING:
        until_ns = MEAN_NS * ENTRIES // pending
        counts = {entries_of(form, pending, until_ns) for form in FORMS}
        assert len(counts) == 1, f"not the same work: {counts}"
        entries = counts.pop()
        ours, processes, bare = medians(
            *(partial(form, draws(pending), until_ns) for form in FORMS), rounds=ROUNDS
        )
        us_per_entry = ours / entries * 1e6
        yield figure(
            f"hold model, {pending:,} pending: speed over SimPy's processes",
            processes / ours,
            1.8,
            at_least=True,
            entries=entries,
            us_per_entry=us_per_entry,
            us_per_timeout=processes / entries * 1e6,
        )
        yield figure(
            f"hold model, {pending:,} pending: speed over a bare heap loop",
            bare / ours,
            0.85,
            at_least=True,
            entries=entries,
            us_per_entry=us_per_entry,
            us_per_bare_entry=bare / entries * 1e6,
        )


def figures_of_the_engine() -> Iterator[Figure]:
    chosen = scenario("calendar")
    plan = chosen.plan()

    def plainly() -> str:
        with plain_calendars():
            return run(chosen, plan=plan).digest

    result = run(chosen, plan=plan)
    assert plainly() == result.digest, "another calendar, another run"
    ours, plain = interleaved(lambda: run(chosen, plan=plan), plainly, ROUNDS)
    yield figure(
        "speed of a Kafka run over the same with a plain heap as its calendar",
        plain / ours,
        0.85,
        at_least=True,
        entries=result.facts["calendar_entries"],
        seconds=ours,
        plain_seconds=plain,
    )
