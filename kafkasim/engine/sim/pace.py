"""Closed loops in which time does not pass are stopped, with a word of why."""

from typing import Final

from kafkasim.catalogue import say
from kafkasim.errors import ValidationError

MOST_AT_ONCE: Final = 10_000
"""Records that a loop may create at one time, however few users it has."""
MOST_ROUNDS: Final = 100
"""How often its users may send at one time, taken together."""


class Pace:
    """Counts what a closed loop creates at one time.

    Some rounds without time are nothing bad: a record that is too large is done at
    once, a batch that was full just now may be full again. Whose users go round a
    hundred times on average, and ten thousand times together, is in a loop in which
    time never passes, or might as well not.

    Parameters
    ----------
    source : str
        Name of the source.
    outstanding : int
        Its users, each of whom may send once at a time without more ado.
    """

    def __init__(self, source: str, outstanding: int) -> None:
        self._source = source
        self._most = max(MOST_AT_ONCE, MOST_ROUNDS * outstanding)
        self._at_ns = -1
        self._count = 0

    def count(self, count: int, now_ns: int) -> None:
        """Count what is created now.

        Raises
        ------
        ValidationError
            The loop goes round and round without time passing.
        """
        if now_ns != self._at_ns:
            self._at_ns, self._count = now_ns, 0
        self._count += count
        if self._count > self._most:
            raise ValidationError(
                f"traffic.sources.{self._source}.arrivals",
                f"{self._count} records at one time",
                say("a loop in which time passes"),
                say("with think_ms=0 an acknowledgement must take some time"),
            )
