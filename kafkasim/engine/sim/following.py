"""What a broker is as a follower, and what it is sent."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, Protocol

from kafkasim.engine.sim.planned_batches import Held
from kafkasim.engine.sim.replica import Placed, Replica
from kafkasim.engine.sim.request import Request


class Copied(NamedTuple):
    """What a leader answers of one partition."""

    replica: Replica
    """The follower's copy."""
    batches: Sequence[Held]
    """What comes next in the leader's log."""
    high_watermark: int
    """The leader's."""
    log_start_offset: int
    """The leader's."""
    truncate_to: int = -1
    """Offset to cut the copy to, because it parts from the leader's log; −1: none."""
    begin_at: int = -1
    """Offset to begin the copy anew at, because the leader's log starts beyond it; −1:
    none."""
    removed: Sequence[Placed] = ()
    """What stood between these batches, and compaction has taken as a whole."""


class Holding(Protocol):
    """A broker that may stand still."""

    def holds(self, function: Callable[[Any], None], argument: Any) -> bool:  # noqa: ANN401
        """Say whether it stands still; then the call is made when it goes on."""


class Following(Holding, Protocol):
    """A broker as the owner of copies."""

    up: bool

    def make_room_for_copies(
        self,
        copied: Sequence[Copied],
        function: Callable[[Request], None],
        request: Request,
    ) -> None:
        """Call the function when the disk lets what came be appended."""

    def truncate(self, replica: Replica, offset: int) -> None:
        """Cut a copy where it parts from its leader's log."""

    def begin_anew(self, replica: Replica, offset: int) -> None:
        """Drop a copy that ends before its leader's log starts, and begin there."""

    def append_copies(self, copied: Copied) -> None:
        """Append what the leader sent."""
