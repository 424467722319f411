"""The environment of the twin: SimPy's own, whose times are whole nanoseconds."""

from typing import TYPE_CHECKING

import simpy

if TYPE_CHECKING:

    class Clock(simpy.Environment):
        """Says that delays are ints, and so every time is one."""

        @property
        def now(self) -> int:
            """The current time in nanoseconds since the run's start."""

else:
    Clock = simpy.Environment
