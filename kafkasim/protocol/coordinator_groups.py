"""What a coordinator needs of the groups of the consumer protocol."""

from collections.abc import Collection
from typing import Protocol

from kafkasim.protocol.coordinator_records import Record
from kafkasim.protocol.group_messages import (
    ConsumerGroupHeartbeat,
    Effect,
    Heartbeat,
    JoinGroup,
    LeaveGroup,
    OffsetCommit,
    OffsetFetch,
    SyncGroup,
    WriteFailed,
    Written,
)


class ModernGroup(Protocol):
    """One group."""

    def before(self, record: Record) -> Record:
        """Return the record that undoes one that is about to be replayed."""


class ModernGroups(Protocol):
    """The groups of the consumer protocol of one partition of `__consumer_offsets`."""

    @property
    def groups(self) -> Collection[str]:
        """Ids of all groups."""

    @property
    def next_deadline_ms(self) -> int | None:
        """When to call `handle_timeout`; None if nobody is waited for."""

    def has(self, group: str) -> bool:
        """Tell whether there is such a group."""

    def group(self, group: str) -> ModernGroup:
        """Return a group."""

    def subscribed(self, group: str) -> tuple[str, ...] | None:
        """Return the topics its members read; None if it has none."""

    def tombstones(self, group: str) -> tuple[Record, ...]:
        """Return the records that delete a group."""

    def commit_errors(self, request: OffsetCommit, now_ms: int) -> tuple[int, ...]:
        """Return the error of each partition of a commit, or `NONE`."""

    def may_fetch(self, request: OffsetFetch) -> int:
        """Return the error that asking for offsets is refused with, or `NONE`."""

    def handle(
        self,
        request: ConsumerGroupHeartbeat
        | JoinGroup
        | SyncGroup
        | Heartbeat
        | LeaveGroup
        | Written
        | WriteFailed,
        now_ms: int,
    ) -> list[Effect]:
        """Decide on a request, or go on when a write has ended."""

    def handle_timeout(self, now_ms: int) -> list[Effect]:
        """Do what is due, if anything is."""

    def replay(self, record: Record, now_ms: int, /) -> None:
        """Take over what a record says; records of other groups are passed over."""

    def loaded(self, now_ms: int) -> list[Effect]:
        """Begin to coordinate what was replayed."""
