"""Closed loops in which time does not pass are stopped, with a word of why."""

from typing import Final

from kafkasim.errors import ValidationError

MOST_AT_ONCE: Final = 10_000
"""Records that a loop may create at one time, or a hundred by each of its users."""
_ROUNDS: Final = 100


class Pace:
    """Counts what a closed loop creates at one time.

    Parameters
    ----------
    source : str
        Name of the source.
    outstanding : int
        Its users. One sends again at the same time only after what failed at once, such
        as a record that is too large; so hundred times in a row means always.
    """

    def __init__(self, source: str, outstanding: int) -> None:
        self._source = source
        self._most = max(MOST_AT_ONCE, _ROUNDS * outstanding)
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
                "a loop in which time passes",
                "with think_ms=0 an acknowledgement must take some time",
            )
