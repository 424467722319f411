"""Who wants which records: what a subscriber asks for, read from a scenario.

A record is wanted when its stream is one of the subscriber's and it was intended at or
after the time the subscriber came, unless that one wants history too (`wants="all"`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from kafkasim.scenario.scenario import Scenario
from kafkasim.units import ns_from_s


@dataclass(frozen=True, slots=True)
class Want:
    """What one subscriber wants."""

    subscriber: str
    """Its name."""
    streams: tuple[str, ...]
    """Streams it reads."""
    from_ns: int
    """When it comes."""
    history: Literal["new", "all"]
    """`all`: also what was intended before it came."""

    def wanted(
        self,
        names: Sequence[str],
        streams: NDArray[Any],
        intended_ns: NDArray[np.int64],
    ) -> NDArray[np.bool_]:
        """Tell which records it wants.

        Parameters
        ----------
        names : sequence of str
            Streams by code.
        streams : array of codes, shape (n,)
            Stream of each record, −1 for none.
        intended_ns : int64 array of shape (n,), nanoseconds
        """
        wants = np.array([*(name in self.streams for name in names), False])
        wanted: NDArray[np.bool_] = wants[streams]
        if self.history == "new" and self.from_ns > 0:
            wanted &= intended_ns >= self.from_ns
        return wanted


def wants_of(scenario: Scenario) -> tuple[Want, ...]:
    """Return what each subscriber of a resolved scenario wants, in its order."""
    return tuple(
        Want(
            name,
            tuple(subscriber.streams),
            ns_from_s(subscriber.from_s),
            subscriber.wants,
        )
        for name, subscriber in scenario.traffic.subscribers.items()
    )
