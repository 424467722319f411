"""A bar in simulated time: how far a run is.

It is drawn on stderr, where it disturbs no output, and says `draining` once all records
were to be sent: how long that takes is not known before.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from kafkasim.units import NS_PER_S

Report = Callable[[int, int], object]
"""Takes the simulated time in nanoseconds, and how much is left to settle."""

_FORMAT: Final = (
    "{desc}{percentage:3.0f}%|{bar}| {n:.4g}/{total:.4g} s simulated "
    "[{elapsed}<{remaining}{postfix}]"
)


@contextmanager
def bar_in_simulated_time(
    duration_s: float, *, progress: bool | None
) -> Iterator[Report | None]:
    """Yield what the engine tells how far it is; none when no bar is drawn.

    Parameters
    ----------
    duration_s : float
        How long sources emit, in simulated seconds: where the bar is full.
    progress : bool or None
        Whether to draw it; None draws it when stderr is a terminal.
    """
    if progress is False:
        # Not even a hidden bar: making one leaves a lock to the sweep's workers.
        yield None
        return
    from tqdm import tqdm

    hidden = None if progress is None else not progress
    with tqdm(total=duration_s, bar_format=_FORMAT, disable=hidden, leave=False) as bar:

        def report(now_ns: int, unsettled: int) -> None:
            now_s = now_ns / NS_PER_S
            if now_s > duration_s:
                bar.set_description("draining", refresh=False)
                bar.set_postfix_str(
                    f"at {now_s:,.4g} s, {unsettled:,} receipts to settle",
                    refresh=False,
                )
            bar.update(min(now_s, duration_s) - bar.n)
            if now_s > duration_s:
                bar.refresh()

        yield None if bar.disable else report
