"""The committed offsets of all groups of one partition of `__consumer_offsets`.

A machine without a clock. What is to change comes out as records; they take effect when
they are replayed, by the one that decided on them as by one that loads the log. Source:
`OffsetMetadataManager`, `OffsetExpirationConditionImpl` (4.3). Not modelled: commits in
a transaction.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from kafkasim.protocol.errors import NONE, OFFSET_METADATA_TOO_LARGE
from kafkasim.protocol.groups.coordinator_records import OffsetRecord
from kafkasim.protocol.groups.group_messages import (
    CommittedOffset,
    OffsetCommit,
    OffsetFetch,
    OffsetsFetched,
)
from kafkasim.protocol.subscription import TopicPartition
from kafkasim.protocol.topic_ids import TopicIds

NO_OFFSET: Final = -1
"""Where nothing is committed (`OffsetFetchResponse.INVALID_OFFSET`)."""

_NOTHING: Final[Mapping[TopicPartition, OffsetRecord]] = MappingProxyType({})
_NO_IDS: Final = TopicIds()


@dataclass(frozen=True, slots=True, kw_only=True)
class OffsetSettings:
    """What a broker is told of offsets."""

    metadata_max: int = 4_096
    """`offset.metadata.max.bytes`, though what is counted are UTF-16 units."""
    retention_ms: int = 7 * 24 * 60 * 60_000
    """`offsets.retention.minutes`."""
    check_interval_ms: int = 600_000
    """`offsets.retention.check.interval.ms`."""


class OffsetStore:
    """Offsets by group, topic and partition.

    Parameters
    ----------
    settings : OffsetSettings
        Configuration.
    ids : TopicIds
        Ids of the topics, which commits keep too.
    """

    def __init__(self, settings: OffsetSettings, ids: TopicIds = _NO_IDS) -> None:
        self.settings = settings
        self._ids = ids
        self._offsets: dict[str, dict[TopicPartition, OffsetRecord]] = {}

    def offsets(self, group: str) -> Mapping[TopicPartition, OffsetRecord]:
        """Return what a group has committed."""
        return MappingProxyType(self._offsets.get(group, _NOTHING))

    @property
    def groups(self) -> tuple[str, ...]:
        """Groups that have committed something."""
        return tuple(self._offsets)

    # Requests

    def errors(self, request: OffsetCommit) -> tuple[int, ...]:
        """Return for each partition of a commit whether it may be stored.

        Nobody asks whether the offset exists, or is larger than that before (CO-14).
        """
        most = self.settings.metadata_max
        return tuple(
            OFFSET_METADATA_TOO_LARGE if _units(each.metadata) > most else NONE
            for each in request.offsets
        )

    def records(
        self, request: OffsetCommit, errors: Collection[int], now_ms: int
    ) -> tuple[OffsetRecord, ...]:
        """Return the records that store what has no error."""
        return tuple(
            OffsetRecord(
                request.group,
                each.topic,
                each.partition,
                each.offset,
                each.leader_epoch,
                each.metadata,
                now_ms,
                topic_id=self._ids.text(each.topic),
            )
            for each, error in zip(request.offsets, errors, strict=True)
            if error == NONE
        )

    def fetch(self, request: OffsetFetch) -> OffsetsFetched:
        """Return what is committed; offset -1 where nothing is."""
        stored = self.offsets(request.group)
        return OffsetsFetched(
            offsets=tuple(_committed(at, stored.get(at)) for at in request.partitions)
        )

    def delete(
        self, group: str, partitions: Iterable[TopicPartition]
    ) -> tuple[OffsetRecord, ...]:
        """Return the tombstones of those of the partitions that have an offset."""
        stored = self.offsets(group)
        return tuple(
            OffsetRecord(group, topic, partition, None)
            for topic, partition in partitions
            if (topic, partition) in stored
        )

    def delete_topics(self, topics: Collection[str]) -> tuple[OffsetRecord, ...]:
        """Return the tombstones of all offsets of topics that are no more."""
        return tuple(
            OffsetRecord(group, topic, partition, None)
            for group, offsets in self._offsets.items()
            for topic, partition in sorted(offsets)
            if topic in topics
        )

    # Expiry

    def expired(
        self,
        group: str,
        now_ms: int,
        *,
        subscribed: Collection[str] = (),
        empty_since_ms: int | None = None,
    ) -> tuple[OffsetRecord, ...]:
        """Return the tombstones of a group's offsets whose time is over (OF-5).

        Parameters
        ----------
        group : str
            Its id.
        now_ms : int
            Now.
        subscribed : collection of str
            Topics that a member reads: their offsets stay.
        empty_since_ms : int, optional
            From when on the time runs, in a group that has lost its members; else it
            runs from each commit.
        """
        return tuple(
            OffsetRecord(group, topic, partition, None)
            for (topic, partition), record in sorted(self.offsets(group).items())
            if topic not in subscribed and self._is_over(record, now_ms, empty_since_ms)
        )

    def _is_over(
        self, record: OffsetRecord, now_ms: int, empty_since_ms: int | None
    ) -> bool:
        if record.expires_ms is not None:
            return now_ms >= record.expires_ms
        since_ms = record.committed_ms if empty_since_ms is None else empty_since_ms
        return now_ms - since_ms >= self.settings.retention_ms

    # The log

    def replay(self, record: OffsetRecord) -> OffsetRecord:
        """Take over what a record says; return the record that takes it back."""
        offsets = self._offsets.setdefault(record.group, {})
        at = record.topic, record.partition
        before = offsets.pop(at, None)
        if record.offset is not None:
            offsets[at] = record
        if not offsets:
            del self._offsets[record.group]
        if before is not None:
            return before
        return OffsetRecord(record.group, record.topic, record.partition, None)

    def stands(self, record: OffsetRecord) -> bool:
        """Tell whether a record that was replayed is the last one of its key."""
        found = self.offsets(record.group).get((record.topic, record.partition))
        return found is (None if record.offset is None else record)


def _units(text: str) -> int:
    """Return the length that Java gives a text (`String.length`)."""
    return len(text.encode("utf-16-be", "surrogatepass")) // 2


def _committed(at: TopicPartition, record: OffsetRecord | None) -> CommittedOffset:
    topic, partition = at
    if record is None or record.offset is None:
        return CommittedOffset(topic=topic, partition=partition, offset=NO_OFFSET)
    return CommittedOffset(
        topic=topic,
        partition=partition,
        offset=record.offset,
        leader_epoch=record.leader_epoch,
        metadata=record.metadata,
    )
