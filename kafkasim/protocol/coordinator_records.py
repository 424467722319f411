"""The records of `__consumer_offsets`: what a coordinator must not forget.

Types by the version of the key (OF-3): 0 and 1 an offset commit, 2 the metadata of a
classic group, 3 to 8 those of a group of the consumer protocol (KIP-848). A record
without a value is a tombstone. Source: `GroupCoordinatorRecordHelpers` and the messages
`OffsetCommitKey.json` and so on (4.3).
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class OffsetRecord:
    """A committed offset, or that there is none any more."""

    group: str
    topic: str
    partition: int
    offset: int | None
    """None: a tombstone."""
    leader_epoch: int = -1
    metadata: str = ""
    committed_ms: int = 0


Record = OffsetRecord
"""Any of them."""
