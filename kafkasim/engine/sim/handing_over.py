"""When the records of a source were handed to its producer, and which never could be.

Most are handed over when they are intended, and nothing is kept for that. Where the
application has waited for memory those behind are later, down to the end of the run.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Times = NDArray[np.int64]


class SourceHandOver:
    """What became of one source's records on their way into the client.

    Parameters
    ----------
    source : int
        Its code.
    intended_ns : int64 array or None
        When its records are to be handed over; None in a run that lets them go.
    write_blocked : callable
        Called with (source, since, until, cause) when a wait for memory is over.
    on_timed_out : callable
        Called with (source, intended) when a record has failed.

    Attributes
    ----------
    failed : list of int
        Ordinals of those for which there was no memory in time.
    """

    __slots__ = (
        "_created_ns",
        "_intended_ns",
        "_on_timed_out",
        "_source",
        "_write_blocked",
        "failed",
    )

    def __init__(
        self,
        source: int,
        intended_ns: Times | None,
        *,
        write_blocked: Callable[[int, int, int, int], None],
        on_timed_out: Callable[[int, int], None],
    ) -> None:
        self._source = source
        self._intended_ns = intended_ns
        self._write_blocked = write_blocked
        self._on_timed_out = on_timed_out
        self._created_ns = intended_ns
        self.failed: list[int] = []

    @property
    def created_ns(self) -> Times | None:
        """When they were handed over; later than any run for those that were not."""
        return self._created_ns

    def delayed(self, ordinal: int, created_ns: int) -> None:
        """Take note that a record is handed over later than intended, or never."""
        if self._created_ns is None:
            return
        if self._created_ns is self._intended_ns:
            self._created_ns = self._created_ns.copy()
        self._created_ns[ordinal] = created_ns

    def blocked(self, since_ns: int, until_ns: int) -> None:
        """Write down that the application has waited for memory."""
        self._write_blocked(self._source, since_ns, until_ns, 0)

    def timed_out(self, ordinal: int, intended_ns: int) -> None:
        """Take note that a record has failed: there was no memory for it in time."""
        self.failed.append(ordinal)
        self._on_timed_out(self._source, intended_ns)
