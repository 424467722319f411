"""How fast something happened lately, and tokens for what may happen.

Both in Kafka's own arithmetic, in doubles and whole milliseconds, because the pause of
a client over its quota is computed from them. Source: `SampledStat`, `WindowedSum`,
`Rate` and `TokenBucket` of `org.apache.kafka.common.metrics.stats` (4.3).
"""

import math
from typing import Final

_MS_PER_S: Final = 1_000.0


class Rate:
    """A sum over the last windows, and the time that they took.

    A window begins with the first value after the last one is over, so that idle time
    lies in none. One window more than asked for is kept: the oldest overlaps the time
    that is looked at.

    Parameters
    ----------
    windows : int
        How many windows the rate looks back.
    window_ms : int
        Length of each.
    """

    __slots__ = (
        "_current",
        "_last_ms",
        "_starts_ms",
        "_sums",
        "_window_ms",
        "_windows",
    )

    def __init__(self, windows: int, window_ms: int) -> None:
        self._windows = windows
        self._window_ms = window_ms
        self._current = 0
        self._sums: list[float] = []
        self._starts_ms: list[int] = []
        self._last_ms: list[int] = []

    def record(self, value: float, now_ms: int) -> None:
        """Add a value to the present window, or begin the next one with it."""
        if not self._sums:
            self._begin(now_ms)
        elif now_ms - self._starts_ms[self._current] >= self._window_ms:
            self._current = (self._current + 1) % (self._windows + 1)
            if self._current == len(self._sums):
                self._begin(now_ms)
            else:
                self._reset(self._current, now_ms)
        self._sums[self._current] += value
        self._last_ms[self._current] = now_ms

    def per_second(self, now_ms: int) -> float:
        """Return the rate, in values per second."""
        self._forget(now_ms)
        total = 0.0
        for each in self._sums:  # in their order: sums of doubles depend on it
            total += each
        return total / (self.elapsed_ms(now_ms) / _MS_PER_S)

    def elapsed_ms(self, now_ms: int) -> int:
        """Return the time that the rate is over, one window less than all at least."""
        self._forget(now_ms)
        if not self._sums:
            self._begin(now_ms)
        elapsed_ms = now_ms - min(self._starts_ms)
        missing = self._windows - 1 - elapsed_ms // self._window_ms
        if missing > 0:
            elapsed_ms += missing * self._window_ms
        return max(elapsed_ms, 1)

    def _begin(self, now_ms: int) -> None:
        self._sums.append(0.0)
        self._starts_ms.append(now_ms)
        self._last_ms.append(now_ms)

    def _reset(self, window: int, now_ms: int) -> None:
        self._sums[window] = 0.0
        self._starts_ms[window] = self._last_ms[window] = now_ms

    def _forget(self, now_ms: int) -> None:
        """Empty the windows in which nothing was recorded lately; they begin anew."""
        oldest_ms = now_ms - self._windows * self._window_ms
        for window, last_ms in enumerate(self._last_ms):
            if last_ms <= oldest_ms:
                self._reset(window, now_ms)


class TokenBucket:
    """Tokens that flow in at a rate, up to a burst; who takes too many owes them.

    Full at first: Java's clock does not begin at 0.

    Parameters
    ----------
    windows, window_ms : int
        The burst is what flows in during all windows.
    """

    __slots__ = ("_burst_s", "_last_ms", "_tokens")

    def __init__(self, windows: int, window_ms: int) -> None:
        self._burst_s = windows * (window_ms / _MS_PER_S)
        self._tokens = math.inf
        self._last_ms = 0

    def take(self, tokens: float, per_second: float, now_ms: int) -> None:
        """Take tokens, whether they are there or not."""
        left = self.left(per_second, now_ms) - tokens
        self._tokens = min(self._burst_s * per_second, left)

    def left(self, per_second: float, now_ms: int) -> float:
        """Return the tokens that are there, below 0 if some are owed."""
        flow = per_second * ((now_ms - self._last_ms) / _MS_PER_S)
        self._tokens = min(self._burst_s * per_second, self._tokens + flow)
        self._last_ms = now_ms
        return self._tokens


def java_round(value: float) -> int:
    """Return the nearest whole number as `Math.round` does: a half goes up."""
    return math.floor(value + 0.5) if abs(value) < 2**52 else int(value)
