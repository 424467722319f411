"""What waits for the writes of a coordinator of classic groups.

A group's state in memory runs ahead of its record: when the record is replicated,
members can be given their assignment, or a static member its answer; when it is not,
they are told so. Source: the handlers of `appendFuture` in `GroupMetadataManager`
(4.3).
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass

from kafkasim.protocol.groups.coordinator.classic_group import (
    ClassicGroup,
    ClassicMember,
)
from kafkasim.protocol.groups.coordinator_records import ClassicGroupRecord
from kafkasim.protocol.groups.group_messages import Answer, JoinGroup, SyncGroup, Write
from kafkasim.protocol.subscription import Assigned, Subscription


@dataclass(frozen=True, slots=True)
class Made:
    """The first record of a new group."""

    group: ClassicGroup
    request: JoinGroup
    """Of who made it; a static member's waits, though not for the record."""


@dataclass(frozen=True, slots=True)
class Emptied:
    """A group has lost its last member."""


@dataclass(frozen=True, slots=True)
class Stored:
    """The assignment of a generation."""

    group: ClassicGroup
    request: SyncGroup
    """With which the leader brought it."""
    assignments: Mapping[str, Assigned]


@dataclass(frozen=True, slots=True, kw_only=True)
class Replaced:
    """A static member that came back, with all it had before."""

    group: ClassicGroup
    request: JoinGroup
    member: ClassicMember
    """Under its new id."""
    old_id: str
    old_leader: str | None
    old_protocols: tuple[tuple[str, Subscription], ...]
    old_timeouts_ms: tuple[int, int]
    """That of rebalances, and that of its session."""


Waiting = Made | Emptied | Stored | Replaced
"""What waits for a write."""


class Writes:
    """Writes that are under way, and what waits for each.

    Of writes that are equal the one made first ends first.
    """

    def __init__(self) -> None:
        self._waiting: dict[Write, deque[Waiting]] = {}

    def __len__(self) -> int:
        return sum(map(len, self._waiting.values()))

    def begin(
        self,
        record: ClassicGroupRecord,
        waiting: Waiting,
        answers: tuple[Answer, ...] = (),
    ) -> Write:
        """Return a write of one record, and remember what waits for it."""
        write = Write((record,), answers)
        self._waiting.setdefault(write, deque()).append(waiting)
        return write

    def end(self, write: Write) -> Waiting | None:
        """Return what waited for a write; None if it is somebody else's."""
        waiting = self._waiting.get(write)
        if waiting is None:
            return None
        first = waiting.popleft()
        if not waiting:
            del self._waiting[write]
        return first
