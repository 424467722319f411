"""Records that join a producer's others as the run goes on.

Those of a closed loop are known before, but not when they will be created; what an
application sends again stands behind everything created up to then. Both are handed
over at the very time at which they join.
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from kafkasim.protocol.producing.batch import Batch
from kafkasim.protocol.producing.columns import RecordColumns


class Joining(NamedTuple):
    """What joins now."""

    begun: int
    """How many of the records that were known before, the first ones first; until then
    they are created at `NOT_YET_NS`."""
    added: RecordColumns | None = None
    """Others, all created now."""


class Joiner(Protocol):
    """Who has them."""

    def joining(self, now_ns: int) -> Joining | None:
        """Return what joins now; it is asked again until that is nothing."""

    def joined(self, joining: Joining, added_at: int) -> None:
        """Take note that it has joined, the first of those `added` at an ordinal."""

    def refused(self, count: int) -> None:
        """Take note of records that are too large for a request (PR-5)."""


class Application(Joiner, Protocol):
    """Who hands over more than was planned, because of what became of other records."""

    def done(self, batches: Sequence[Batch]) -> None:
        """Take note of batches that are final at the client."""
