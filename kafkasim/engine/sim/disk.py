"""A broker's disk: one thing after the other, in the order in which it is asked.

What it is asked for is known when it is asked, so the time at which it will be done is
too, and nothing needs an entry of its own on the calendar. Only a pause moves such a
time: whoever waits looks at `lag_ns` again when it thinks that the disk is done.
"""

from itertools import repeat

from kafkasim.engine.sim.drawn import durations_ns
from kafkasim.scenario.distributions import Distribution
from kafkasim.units import ns_from_ms

UNSLOWED = 1.0


class DiskQueue:
    """Reading and writing, one request at a time.

    Parameters
    ----------
    bandwidth_mb_per_s : float
        In 10⁶ bytes per second.
    access_ms : float or distribution
        What it takes to find a place, in milliseconds.
    seed, host
        Of the stream that this is drawn from.

    Attributes
    ----------
    free_ns : int
        When it has done all that it was asked for so far.
    lag_ns : int
        How long it has stood still so far, all pauses together.
    factor : float
        How many times longer all takes now.
    """

    __slots__ = ("_accesses", "_ns_per_byte", "factor", "free_ns", "lag_ns")

    def __init__(
        self,
        bandwidth_mb_per_s: float,
        access_ms: Distribution | float,
        *,
        seed: int,
        host: str,
    ) -> None:
        self._ns_per_byte = 1_000.0 / bandwidth_mb_per_s
        self._accesses = (
            repeat(ns_from_ms(access_ms))
            if isinstance(access_ms, (int, float))
            else durations_ns(access_ms, seed, f"disk/{host}")
        )
        self.free_ns = self.lag_ns = 0
        self.factor = UNSLOWED

    def take(self, now_ns: int, size_bytes: int, *, finds: bool = False) -> int:
        """Move bytes; return when it is done.

        Parameters
        ----------
        now_ns : int
            Not before then.
        size_bytes : int
            Read or written.
        finds : bool
            It has to find the place first.
        """
        takes_ns = size_bytes * self._ns_per_byte
        if finds:
            takes_ns += next(self._accesses)
        start_ns = now_ns if now_ns > self.free_ns else self.free_ns
        self.free_ns = start_ns + round(takes_ns * self.factor)
        self.note(now_ns, start_ns, self.free_ns, size_bytes)
        return self.free_ns

    def note(self, now_ns: int, start_ns: int, end_ns: int, size_bytes: int) -> None:
        """Take note of what it does; nobody asks here."""

    def stand_still(self, now_ns: int, until_ns: int) -> None:
        """Do nothing for a while: what is under way and what waits ends later."""
        lasts_ns = until_ns - now_ns
        self.free_ns = max(self.free_ns, now_ns) + lasts_ns
        self.lag_ns += lasts_ns
