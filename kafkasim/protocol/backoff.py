"""How long a client waits before it tries again.

Source: `ExponentialBackoff` (common/utils), with base 2 and jitter 0.2 as
`CommonClientConfigs` has them. Backoffs are whole milliseconds there and here.
"""

from math import log2
from typing import Final

import numpy as np

from kafkasim.units import NS_PER_MS

_JITTER: Final = 0.2


class Backoff:
    """Backoffs that double: ``min(initial · 2ⁿ, most) · U(0.8, 1.2)``, at most `most`.

    Parameters
    ----------
    initial_ns, most_ns : int
        The first and the longest, in nanoseconds. If the longest is not above the
        first, it is what every backoff takes, without jitter.
    draws : numpy.random.Generator
        Where the jitter comes from; of one client.
    """

    __slots__ = ("_draws", "_initial_ms", "_most_exponent", "_most_ms")

    def __init__(
        self, initial_ns: int, most_ns: int, draws: np.random.Generator
    ) -> None:
        self._draws = draws
        self._most_ms = most_ns // NS_PER_MS
        self._initial_ms = min(initial_ns // NS_PER_MS, self._most_ms)
        rises = self._most_ms > self._initial_ms
        self._most_exponent = (
            log2(self._most_ms / max(self._initial_ms, 1)) if rises else 0.0
        )

    def draw_ns(self, failures: int) -> int:
        """Return a backoff in nanoseconds after so many earlier ones, from 0."""
        return self._draw_ms(failures) * NS_PER_MS

    def _draw_ms(self, failures: int) -> int:
        if not self._most_exponent:
            return self._initial_ms
        term = self._initial_ms * 2.0 ** min(failures, self._most_exponent)
        factor = self._draws.uniform(1.0 - _JITTER, 1.0 + _JITTER)
        return min(int(factor * term), self._most_ms)

    def draw_tested_ns(self, failures: int) -> int:
        """Return how long a batch really waits whose backoff is redrawn at each test.

        The producer asks ``waited < backoff`` when it looks for ready batches and once
        more when it drains, with a new jitter each time, and sleeps for yet another one
        in between (`RecordAccumulator.shouldBackoff`, `batchReady`). This is that
        chain, as it goes when nothing else wakes the sender meanwhile; what does would
        only add tests.
        """
        waited_ms = 0
        while True:
            if waited_ms < self._draw_ms(failures):
                waited_ms = max(waited_ms, self._draw_ms(failures))
            elif waited_ms >= self._draw_ms(failures):
                return waited_ms * NS_PER_MS
