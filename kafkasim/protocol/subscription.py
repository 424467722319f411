"""What a member tells the leader of its group, and what it is given.

They travel in the requests of the classic protocol and lie in `__consumer_offsets`
(`ConsumerProtocolSubscription.json`, `ConsumerProtocolAssignment.json`).
"""

from dataclasses import dataclass
from typing import Final

TopicPartition = tuple[str, int]
"""Topic and partition."""

NO_GENERATION: Final = -1
"""Generation of one that is in no group (`JoinGroupRequest.UNKNOWN_GENERATION_ID`)."""


@dataclass(frozen=True, slots=True)
class Subscription:
    """What a member tells the leader of its group (`ConsumerProtocolSubscription`)."""

    topics: tuple[str, ...]
    """Sorted."""
    owned: tuple[TopicPartition, ...] = ()
    """What it owns, with a cooperative assignor."""
    generation: int = NO_GENERATION
    """That in which it got what it owns."""
    rack: str | None = None
    """`client.rack`."""
    user_data: tuple[tuple[TopicPartition, ...], int] | None = None
    """Of the sticky assignor: what it had, and in which generation."""


Assigned = tuple[TopicPartition, ...]
"""What a member is to own."""
