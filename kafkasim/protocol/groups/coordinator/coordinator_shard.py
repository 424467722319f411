"""One partition of `__consumer_offsets` as a machine: the coordinator of its groups.

It owns the groups of both protocols and their committed offsets, sends each request to
whose it is, and lets old offsets expire. All that must last is in the records it
writes: another one that replays them knows the same (OF-7). Sources:
`GroupCoordinatorShard`, `GroupCoordinatorService`, `CoordinatorRuntime` (4.3).

Of converting a group from one protocol to the other only what needs no policy is
modelled: that of a group without members. A group that has some refuses those of the
other protocol, as with `group.consumer.migration.policy=disabled`.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final

from kafkasim.protocol.errors import GROUP_ID_NOT_FOUND, NONE
from kafkasim.protocol.groups.coordinator.classic_group import State
from kafkasim.protocol.groups.coordinator.classic_group_records import record_of
from kafkasim.protocol.groups.coordinator.classic_groups import ClassicGroups
from kafkasim.protocol.groups.coordinator.consumer_groups import ConsumerGroups
from kafkasim.protocol.groups.coordinator.coordinator_answers import refused, wrong
from kafkasim.protocol.groups.coordinator.offset_store import (
    OffsetSettings,
    OffsetStore,
)
from kafkasim.protocol.groups.coordinator_bytes import encode_key
from kafkasim.protocol.groups.coordinator_records import (
    ClassicGroupRecord,
    OffsetRecord,
    RawRecord,
    Record,
)
from kafkasim.protocol.groups.group_messages import (
    Answer,
    ConsumerGroupHeartbeat,
    Effect,
    FindCoordinator,
    GroupChanged,
    Heartbeat,
    JoinGroup,
    LeaveGroup,
    OffsetCommit,
    OffsetFetch,
    OffsetsCommitted,
    Request,
    SyncGroup,
    Write,
    WriteFailed,
    Written,
)
from kafkasim.protocol.subscription import TopicPartition
from kafkasim.protocol.topic_ids import TopicIds

_NO_IDS: Final = TopicIds()
_DEFAULTS: Final = OffsetSettings()

ClassicRequest = JoinGroup | SyncGroup | Heartbeat | LeaveGroup
"""What members of the classic protocol ask."""


@dataclass(frozen=True, slots=True)
class _UnderWay:
    """A write of the shard's own, and what takes it back."""

    write: Write
    number: int
    undo: list[tuple[Record, Record]]
    """Each record of the shard's own, and the one that takes it back."""
    inner: Write | None = None
    """That of a kind of groups which it holds too."""


class CoordinatorShard:
    """The coordinator of the groups that one partition keeps.

    Parameters
    ----------
    classic : ClassicGroups
        Groups of the classic protocol.
    consumer : ConsumerGroups
        Groups of the consumer protocol.
    settings : OffsetSettings
        Configuration of offsets.
    ids : TopicIds
        Ids of the topics, which commits keep.
    """

    def __init__(
        self,
        classic: ClassicGroups,
        consumer: ConsumerGroups,
        settings: OffsetSettings = _DEFAULTS,
        ids: TopicIds = _NO_IDS,
    ) -> None:
        self.classic = classic
        self.consumer = consumer
        self.settings = settings
        self.offsets = OffsetStore(settings, ids)
        self._check_ms: int | None = None
        """When it looks for what has expired."""
        self._own: dict[int, _UnderWay] = {}
        """By identity: writes under way that neither kind of groups made."""
        self._writes = 0

    @property
    def groups(self) -> tuple[str, ...]:
        """Ids of all groups, sorted."""
        return tuple(sorted({*self.classic.groups, *self.consumer.groups}))

    # Requests

    def handle(
        self, heard: Request | Written | WriteFailed, now_ms: int
    ) -> list[Effect]:
        """Decide on a request, or go on when a write has ended.

        What it decides is replayed already; the host appends it, and then sends the
        answers. Who coordinates a group is not for it to say (`FindCoordinator`).
        """
        match heard:
            case Written():
                return self._written(heard, now_ms)
            case WriteFailed():
                return self._failed(heard, now_ms)
            case _:
                return self._request(heard, now_ms)

    def _request(self, request: Request, now_ms: int) -> list[Effect]:
        error = wrong(request)
        if error != NONE:
            return [refused(request, error)]
        match request:
            case OffsetCommit():
                return self._commit(request, now_ms)
            case OffsetFetch():
                return [self._fetch(request)]
            case ConsumerGroupHeartbeat():
                return self._consumer(request, now_ms)
            case FindCoordinator():
                raise TypeError("who coordinates a group is known to every broker")
            case _:
                return self._classic(request, now_ms)

    def _classic(self, request: ClassicRequest, now_ms: int) -> list[Effect]:
        """Send a request of the classic protocol to whose group it is.

        The first member of a group of the other protocol that has none left makes it a
        classic one (`classicGroupJoin`).
        """
        group = request.group
        if not self.consumer.has(group):
            return self.classic.handle(request, now_ms)
        joins = isinstance(request, JoinGroup) and not request.member_id
        if not joins or not self._is_empty(group):
            return self.consumer.handle(request, now_ms)
        effects = self.classic.handle(request, now_ms)
        return self._converted(self.consumer.tombstones(group), effects)

    def _consumer(self, request: ConsumerGroupHeartbeat, now_ms: int) -> list[Effect]:
        """Send a heartbeat to its group.

        The first member of a classic group that has none left makes it one of the
        consumer protocol (`getOrMaybeCreateConsumerGroup`).
        """
        group = request.group
        if not self.classic.has(group):
            return self.consumer.handle(request, now_ms)
        if not self._is_empty(group):
            return [refused(request, GROUP_ID_NOT_FOUND)]
        effects = self.consumer.handle(request, now_ms)
        return self._converted((ClassicGroupRecord(group, None),), effects)

    def _converted(
        self, tombstones: tuple[Record, ...], effects: list[Effect]
    ) -> list[Effect]:
        """Put the end of the group of the other protocol before what is written now."""
        for place, effect in enumerate(effects):
            if isinstance(effect, Write):
                both = self._write(tombstones, effect.answers, effect)
                return [*effects[:place], *both, *effects[place + 1 :]]
        return effects

    def _is_empty(self, group: str) -> bool:
        if self.classic.has(group):
            return self.classic.groups[group].state == State.EMPTY
        return self.consumer.subscribed(group) is None

    # Offsets

    def _commit(self, request: OffsetCommit, now_ms: int) -> list[Effect]:
        """`OffsetMetadataManager.commitOffset`."""
        errors = self.offsets.errors(request)
        if self.consumer.has(request.group):
            each = self.consumer.commit_errors(request, now_ms)
            asked = [its for its, own in zip(each, errors, strict=True) if own == NONE]
            error = next((its for its in asked if its != NONE), NONE)
        else:
            error = self.classic.may_commit(request, now_ms)
        if error != NONE:
            return [refused(request, error)]
        at = [(each.topic, each.partition) for each in request.offsets]
        response = OffsetsCommitted(errors=tuple(zip(at, errors, strict=True)))
        records = self.offsets.records(request, errors, now_ms)
        if not records:
            return [Answer(request, response, after_writes=True)]
        return self._write(records, (Answer(request, response),))

    def _fetch(self, request: OffsetFetch) -> Answer:
        """`OffsetMetadataManager.fetchOffsets`; an unknown group has no offsets.

        A consumer asks for what is stable, so the answer waits for what is being
        written.
        """
        kind = self.consumer if self.consumer.has(request.group) else self.classic
        error = kind.may_fetch(request)
        if error not in {NONE, GROUP_ID_NOT_FOUND}:
            return refused(request, error)
        response = self.offsets.fetch(request)
        return Answer(request, response, after_writes=True)

    def delete_offsets(
        self, group: str, partitions: Iterable[TopicPartition]
    ) -> list[Effect]:
        """Delete offsets of topics that no member of the group reads."""
        reads = self._subscribed(group)
        kept = [at for at in partitions if at[0] not in reads]
        return self._write(self.offsets.delete(group, kept), ())

    def topics_deleted(self, topics: Iterable[str]) -> list[Effect]:
        """Delete the offsets of topics that are no more (`onTopicsDeleted`)."""
        return self._write(self.offsets.delete_topics(frozenset(topics)), ())

    def _subscribed(self, group: str) -> tuple[str, ...]:
        kind = self.classic if self.classic.has(group) else self.consumer
        return (kind.subscribed(group) or ()) if kind.has(group) else ()

    # Time

    @property
    def next_deadline_ms(self) -> int | None:
        """When to call `handle_timeout`; None before it is loaded."""
        kinds = (self.classic.next_deadline_ms, self.consumer.next_deadline_ms)
        due = (self._check_ms, *kinds)
        return min((each for each in due if each is not None), default=None)

    def handle_timeout(self, now_ms: int) -> list[Effect]:
        """Do what is due, if anything is."""
        effects = self.classic.handle_timeout(now_ms)
        effects += self.consumer.handle_timeout(now_ms)
        if self._check_ms is not None and now_ms >= self._check_ms:
            self._check_ms = now_ms + self.settings.check_interval_ms
            for group in self.groups:
                effects += self._expire(group, now_ms)
        return effects

    def _expire(self, group: str, now_ms: int) -> list[Effect]:
        """Delete what has expired, and the group when nothing is left of it.

        `GroupCoordinatorShard.cleanupGroupMetadata`; one write for each group.
        """
        is_classic = self.classic.has(group)
        before = len(self.offsets.offsets(group))
        if before and is_classic and not self.classic.offsets_may_expire(group):
            return []
        since_ms = self.classic.empty_since_ms(group) if is_classic else None
        records: tuple[Record, ...] = self.offsets.expired(
            group, now_ms, subscribed=self._subscribed(group), empty_since_ms=since_ms
        )
        changed: list[Effect] = []
        if len(records) == before and self._is_empty(group):
            records += self._tombstones(group)
            changed.append(GroupChanged(group, "Dead", -1, 0, "its offsets expired"))
        return [*self._write(records, ()), *changed]

    def _tombstones(self, group: str) -> tuple[Record, ...]:
        if self.classic.has(group):
            return (ClassicGroupRecord(group, None),)
        return self.consumer.tombstones(group)

    # Writing

    def _write(
        self,
        records: tuple[Record, ...],
        answers: tuple[Answer, ...],
        inner: Write | None = None,
    ) -> list[Effect]:
        """Replay records, and say that they are to be written.

        With `inner`, a write of a kind of groups, they go into one batch before it.
        """
        if not records:
            return []
        self._writes += 1
        write = Write(records + (() if inner is None else inner.records), answers)
        undo = [(record, self._apply(record)) for record in records]
        self._own[id(write)] = _UnderWay(write, self._writes, undo, inner)
        return [write]

    def _apply(self, record: Record) -> Record:
        """Replay a record of the shard's own; return the one that takes it back."""
        if isinstance(record, OffsetRecord):
            return self.offsets.replay(record)
        if isinstance(record, ClassicGroupRecord):
            before: Record = record_of(self.classic.groups[record.group], {})
            self.classic.replay(record, 0)
            return before
        assert not isinstance(record, RawRecord)
        before = self.consumer.group(record.group).before(record)
        self.consumer.replay(record, 0)
        return before

    def _written(self, written: Written, now_ms: int) -> list[Effect]:
        own = self._own.pop(id(written.write), None)
        inner = written.write if own is None else own.inner
        if inner is None:
            return []
        return self._kind_of(inner).handle(Written(inner), now_ms)

    def _failed(self, failed: WriteFailed, now_ms: int) -> list[Effect]:
        """Answer with the error; what did not get into the log was never decided."""
        own = self._own.pop(id(failed.write), None)
        inner = failed.write if own is None else own.inner
        effects: list[Effect] = []
        if inner is not None:
            told = WriteFailed(inner, failed.error, failed.appended)
            effects += self._kind_of(inner).handle(told, now_ms)
        elif own is not None:
            effects += [
                refused(each.request, failed.error) for each in own.write.answers
            ]
        if own is not None and not failed.appended:
            for record, before in reversed(own.undo):
                self._take_back(own.number, record, before)
        return effects

    def _take_back(self, number: int, record: Record, before: Record) -> None:
        """Undo a record; where a later write has its key, that one's undo goes on."""
        if not isinstance(record, OffsetRecord):
            self.replay(before, 0)
            return
        key = encode_key(record)
        for later in self._own.values():
            for place, (its, _) in enumerate(later.undo):
                if later.number > number and encode_key(its) == key:
                    later.undo[place] = its, before
                    return
        if self.offsets.stands(record):
            self.replay(before, 0)

    def _kind_of(self, write: Write) -> ClassicGroups | ConsumerGroups:
        """Return the groups that made a write."""
        is_classic = isinstance(write.records[0], ClassicGroupRecord)
        return self.classic if is_classic else self.consumer

    # The log

    def replay(self, record: Record, now_ms: int) -> None:
        """Take over what a record says, in the order of the log.

        Offsets of a group that nobody knows make one that only keeps offsets; its first
        record of the consumer protocol makes it another (`OffsetMetadataManager`,
        `getOrMaybeCreatePersistedConsumerGroup`). Records of other kinds of groups are
        passed over.
        """
        match record:
            case RawRecord():
                return
            case OffsetRecord():
                self.offsets.replay(record)
                if record.offset is not None and not self.consumer.has(record.group):
                    self.classic.create(record.group, now_ms)
            case ClassicGroupRecord():
                self.classic.replay(record, now_ms)
            case _:
                if record.value is not None and self.classic.has(record.group):
                    tombstone = ClassicGroupRecord(record.group, None)
                    self.classic.replay(tombstone, now_ms)
                self.consumer.replay(record, now_ms)

    def load(self, records: Iterable[Record], now_ms: int) -> list[Effect]:
        """Replay the log, and begin to coordinate what it tells of.

        Sessions begin anew; until this is done requests are to be answered with
        COORDINATOR_LOAD_IN_PROGRESS.
        """
        for record in records:
            self.replay(record, now_ms)
        self._check_ms = now_ms + self.settings.check_interval_ms
        return [*self.classic.loaded(now_ms), *self.consumer.loaded(now_ms)]

    def metadata_changed(self, topics: Collection[str]) -> None:
        """Take note that topics have other partitions than before."""
        self.consumer.metadata_changed(topics)

    def unload(self, now_ms: int) -> list[Effect]:
        """Coordinate no more; what is written has failed, NOT_LEADER_OR_FOLLOWER."""
        self._check_ms = None
        return self.classic.unloaded(now_ms)
