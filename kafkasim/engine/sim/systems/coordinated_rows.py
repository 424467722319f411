"""What a run writes of its coordinators: groups, commits, records of the topic."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from kafkasim.engine.sim.consumer import Member
from kafkasim.engine.sim.group_invariants import Owned
from kafkasim.engine.sim.group_requests import GroupRequest
from kafkasim.engine.sim.literal_batches import LiteralBatch
from kafkasim.engine.sim.partition import Partition
from kafkasim.protocol.errors import ERRORS
from kafkasim.protocol.groups.coordinator_bytes import TYPE_NAMES
from kafkasim.protocol.groups.coordinator_records import (
    STABLE,
    UNRELEASED_PARTITIONS,
    UNREVOKED_PARTITIONS,
    ClassicGroupValue,
    ConsumerGroupValue,
    CurrentAssignmentRecord,
    CurrentAssignmentValue,
    MemberRecord,
    MemberValue,
    OffsetRecord,
    RawRecord,
    Record,
    RegexRecord,
    TargetEpochValue,
    TargetMemberRecord,
)
from kafkasim.protocol.groups.group_messages import (
    GroupChanged,
    OffsetCommit,
    OffsetsCommitted,
    Response,
)
from kafkasim.result.recorder import Recorder
from kafkasim.result.schema_groups import GROUP_STATES, OFFSETS_TOPIC_KINDS

_COLUMNS = {
    "group_states": ("group", "cause"),
    "offsets_topic": ("group", "topic", "member", "text"),
}


class Names:
    """Codes of texts, in the order in which they are met."""

    def __init__(self) -> None:
        self._codes: dict[str, int] = {}

    def code(self, text: str) -> int:
        """Return the code of a text; −1 of none."""
        return self._codes.setdefault(text, len(self._codes)) if text else -1

    @property
    def known(self) -> tuple[str, ...]:
        """The texts, by code."""
        return tuple(self._codes)


class CoordinatedRows:
    """Writes the tables of coordinators.

    Parameters
    ----------
    recorder : Recorder
        The run's.
    subscribers, topics : sequences of str
        Names by code.
    epoch_ms : int
        What the run's clock counts from, in milliseconds since 1970.
    """

    def __init__(
        self,
        recorder: Recorder,
        subscribers: Sequence[str],
        topics: Sequence[str],
        epoch_ms: int,
    ) -> None:
        self._recorder = recorder
        self._subscribers = list(subscribers)
        self._topics = list(topics)
        self._epoch_ms = epoch_ms
        self._write_state = recorder.writer("group_states")
        self._write_record = recorder.writer("offsets_topic")
        self._write_commit = recorder.writer("commits")
        self._write_assignment = recorder.writer("assignments")
        self._names = {
            (table, column): Names()
            for table, columns in _COLUMNS.items()
            for column in columns
        }

    def changed(self, change: GroupChanged, at_ns: int) -> None:
        """Write what has become of a group."""
        names = self._names
        self._write_state(
            names["group_states", "group"].code(change.group),
            GROUP_STATES.index(change.state),
            change.epoch,
            change.members,
            at_ns,
            names["group_states", "cause"].code(change.cause),
        )

    def committed(self, request: GroupRequest, answer: Response, at_ns: int) -> None:
        """Write an OffsetCommit that is answered, a row per partition."""
        message = request.payload
        assert isinstance(message, OffsetCommit)
        assert isinstance(answer, OffsetsCommitted)
        group = self._subscribers.index(message.group)
        for each, (_, error) in zip(message.offsets, answer.errors, strict=True):
            self._write_commit(
                group, request.member, self._topics.index(each.topic), each.partition,
                each.offset, at_ns, request.kind, error + 1,
            )  # fmt: skip

    def owned(
        self, member: Member, partition: Partition, owned: Owned, until_ns: int
    ) -> None:
        """Write since when, until when and from where a member read a partition."""
        self._write_assignment(
            member.group.index, owned.generation, member.code, partition.topic,
            partition.number, owned.since_ns, until_ns, owned.offset,
        )  # fmt: skip

    def appended(
        self,
        batch: LiteralBatch,
        records: Sequence[Record],
        leader: int,
        leader_epoch: int,
        at_ns: int,
    ) -> None:
        """Write the records of a batch that a coordinator has appended."""
        for number, record in enumerate(records):
            key, value = batch.records[number]
            self._write_record(
                batch.partition, batch.base_offset + number, leader + 1, leader_epoch,
                at_ns, *self._told(record),
                len(key), -1 if value is None else len(value),
            )  # fmt: skip

    def _told(self, record: Record) -> tuple[Any, ...]:
        """Return kind, group, topic, partition, member, offset, epoch and text."""
        names = self._names
        kind = OFFSETS_TOPIC_KINDS.index(TYPE_NAMES[record.type])
        told = told_of(record)
        return (
            kind,
            names["offsets_topic", "group"].code(told.group),
            names["offsets_topic", "topic"].code(told.topic),
            told.partition,
            names["offsets_topic", "member"].code(told.member),
            told.offset,
            told.epoch,
            names["offsets_topic", "text"].code(told.text),
        )

    def finish(self) -> None:
        """Give the codes their names."""
        for (table, column), names in self._names.items():
            self._recorder.labels(table, column, names.known)
        self._recorder.labels("commits", "outcome", ("ok", *ERRORS))


class Told(NamedTuple):
    """What a row says of a record."""

    group: str
    topic: str = ""
    partition: int = -1
    member: str = ""
    offset: int = -1
    epoch: int = -1
    text: str = ""


def told_of(record: Record) -> Told:
    """Return what a row says of a record."""
    match record:
        case OffsetRecord():
            offset = -1 if record.offset is None else record.offset
            return Told(
                record.group, record.topic, record.partition, offset=offset,
                epoch=record.leader_epoch, text=record.metadata,
            )  # fmt: skip
        case RawRecord():
            return Told("")
        case RegexRecord():
            return Told(record.group, member=record.regex, text=_text(record.value))
        case MemberRecord() | TargetMemberRecord() | CurrentAssignmentRecord():
            value = record.value
            epoch = value.epoch if isinstance(value, CurrentAssignmentValue) else -1
            return Told(
                record.group, member=record.member_id, epoch=epoch, text=_text(value)
            )
        case _:
            return Told(record.group, epoch=_epoch(record), text=_text(record.value))


def _epoch(record: Record) -> int:
    """Return the generation or epoch that a group's own record is about."""
    value = getattr(record, "value", None)
    if isinstance(value, ClassicGroupValue):
        return value.generation
    if isinstance(value, ConsumerGroupValue | TargetEpochValue):
        return value.epoch
    return -1


def _text(value: object) -> str:
    """Return in a few words what else a value says."""
    match value:
        case ClassicGroupValue():
            count = len(value.members)
            leader = f", leader {value.leader}" if value.leader else ""
            return (
                f"{value.protocol or 'no protocol'}, "
                f"{count} member{'s' * (count != 1)}{leader}"
            )
        case MemberValue():
            return f"subscribed to {', '.join(value.topics)}"
        case CurrentAssignmentValue():
            state = _STATES[value.state]
            owned = _listed(value.assigned)
            revoking = (
                f"; to revoke {_listed(value.revoking)}" if value.revoking else ""
            )
            return f"{state}; owns {owned}{revoking}"
        case tuple():
            return f"to own {_listed(value)}"
        case _:
            return ""


_STATES: Final = {
    STABLE: "Stable",
    UNREVOKED_PARTITIONS: "UnrevokedPartitions",
    UNRELEASED_PARTITIONS: "UnreleasedPartitions",
}


def _listed(assigned: Sequence[Any]) -> str:
    """Return partitions such as ``orders-0 orders-1``."""
    return " ".join(f"{topic}-{number}" for topic, number in assigned) or "nothing"
