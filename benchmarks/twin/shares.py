"""How much of an event loop is driving, and how much is what both kinds share.

The processor's timer looks every few milliseconds at what runs. The innermost function
of kafkasim, of SimPy or of the twin decides: calendars, processes and the handlers that
put entries on a calendar are driving; accumulators, logs, fetch sessions, network cards
and rows are shared.
"""

import signal
from types import FrameType

INTERVAL_S = 0.001
"""Asked for; many kernels look every 4 ms."""

DRIVING = (
    "simpy.",
    "benchmarks.",
    "kafkasim.engine.sim.broker",
    "kafkasim.engine.sim.calendar",
    "kafkasim.engine.sim.consumer",
    "kafkasim.engine.sim.producer",
    "kafkasim.engine.sim.request",
    "kafkasim.engine.sim.systems.kafka_clients",
)
"""How the names of modules begin that drive; the rest of kafkasim is shared."""


class Samples:
    """How often either was found running."""

    def __init__(self) -> None:
        self.driving = 0
        self.shared = 0

    @property
    def shared_share(self) -> float:
        """The share of what both kinds share."""
        return self.shared / (self.shared + self.driving)

    def start(self) -> None:
        """Begin to look, also again."""
        signal.signal(signal.SIGPROF, self._look)
        signal.setitimer(signal.ITIMER_PROF, INTERVAL_S, INTERVAL_S)

    def stop(self) -> None:
        """Look no more."""
        signal.setitimer(signal.ITIMER_PROF, 0.0)

    def _look(self, _: int, frame: FrameType | None) -> None:
        """Count the innermost function that is known."""
        while frame is not None:
            module = frame.f_globals["__name__"]
            if module.startswith(DRIVING):
                self.driving += 1
                return
            if module.startswith("kafkasim."):
                self.shared += 1
                return
            frame = frame.f_back
