"""How a group comes to have been stable before a run begins.

Its members' machines hear what they would have heard: who coordinates, that they are in
the first generation, what they own, where to read. They take it as at any time, and at
no time at all: not a message goes over a network. What they answer tells what the
coordinator has on record of them; it gets that as records of its log, and loads them.
"""

from collections.abc import Callable, Mapping, Sequence

from kafkasim.engine.sim.joining_member import JoiningMember
from kafkasim.protocol.errors import NONE
from kafkasim.protocol.groups.coordinator.consumer_group import PartitionsOf
from kafkasim.protocol.groups.coordinator.consumer_target import ServerAssignor
from kafkasim.protocol.groups.coordinator_records import Record
from kafkasim.protocol.groups.group_messages import (
    Assigned,
    CommittedOffset,
    ConsumerGroupBeaten,
    ConsumerGroupHeartbeat,
    CoordinatorFound,
    FindCoordinator,
    Joined,
    JoinGroup,
    OffsetCommit,
    OffsetFetch,
    OffsetsCommitted,
    OffsetsFetched,
    Request,
    Response,
    Synced,
    SyncGroup,
    TopicPartition,
)
from kafkasim.protocol.groups.standing_groups import (
    FIRST,
    classic_record,
    consumer_records,
    owned_in,
)

Said = tuple[int, Request]
"""Number of a member, and what it says."""


class StandingGroup:
    """A group of members that have joined.

    Parameters
    ----------
    members : sequence of JoiningMember
        Those that are in it; the first leads.
    node : int
        The broker that coordinates.
    committed : mapping of (str, int) to int
        Where the group has begun to read.
    next_uuid : callable
        Returns the second half of the id of each member of the classic protocol.
    now_ms : int
        Now, as coordinators count.
    """

    def __init__(
        self,
        members: Sequence[JoiningMember],
        *,
        node: int,
        committed: Mapping[TopicPartition, int],
        next_uuid: Callable[[], str],
        now_ms: int,
    ) -> None:
        self._members = members
        self._node = node
        self._committed = committed
        self._next_uuid = next_uuid
        self._now_ms = now_ms
        self._owned: dict[str, Assigned] = {}
        self.records: list[Record] = []
        """What is on record of the group; nothing before they have spoken."""

    def speak(
        self,
        assignors: Mapping[str, ServerAssignor],
        partitions_of: PartitionsOf,
        *,
        interval_ms: int,
        computed_ms: int,
    ) -> None:
        """Let all members become stable; then they begin to poll.

        Parameters
        ----------
        assignors, partitions_of
            Of the coordinator, for a group of the consumer protocol.
        interval_ms, computed_ms : int
            Its heartbeat interval, and when its target was computed.
        """
        for member in self._members:
            member.begin()
        answers: list[list[tuple[Request, Response]]] = [[] for _ in self._members]
        while True:
            said = [
                (number, message)
                for number, member in enumerate(self._members)
                for message in member.rehearse(answers[number])
            ]
            if not said:
                break
            answers = [[] for _ in self._members]
            self._hear_joins(said)
            self._hear_beats(said, assignors, partitions_of, computed_ms)
            for number, message in said:
                answer = self._answer(number, message, interval_ms)
                answers[number].append((message, answer))
        for member in self._members:
            member.go_live()

    # --- what they say --------------------------------------------------------------

    def _hear_joins(self, said: Sequence[Said]) -> None:
        """Take who is in a group of the classic protocol, and what each is to own."""
        joins = [message for _, message in said if isinstance(message, JoinGroup)]
        if joins:
            ids = [f"{each.instance_id or each.client_id}-{self._next_uuid()}"
                   for each in joins]  # fmt: skip
            self._joins = dict(zip(ids, joins, strict=True))
            self._ids = ids
            self._protocol = joins[0].protocols[0][0]
        for _, message in said:
            if isinstance(message, SyncGroup) and message.assignments:
                self._owned = dict(message.assignments)
                record = classic_record(
                    self._joins, self._protocol, self._owned, self._now_ms
                )
                self.records = [record]

    def _hear_beats(
        self,
        said: Sequence[Said],
        assignors: Mapping[str, ServerAssignor],
        partitions_of: PartitionsOf,
        computed_ms: int,
    ) -> None:
        """Take who is in a group of the consumer protocol; compute its target."""
        beats = [m for _, m in said if isinstance(m, ConsumerGroupHeartbeat)]
        if beats and not self.records:
            self.records = consumer_records(
                beats, assignors, partitions_of, computed_ms
            )
            self._owned = owned_in(self.records)

    # --- what they hear -------------------------------------------------------------

    def _answer(self, number: int, message: Request, interval_ms: int) -> Response:
        match message:
            case FindCoordinator():
                return CoordinatorFound(node=self._node)
            case JoinGroup():
                return self._joined(number)
            case SyncGroup():
                owned = self._owned.get(message.member_id, ())
                return Synced(protocol=self._protocol, assigned=owned)
            case ConsumerGroupHeartbeat():
                joins = message.member_epoch < FIRST
                owned = self._owned[message.member_id]
                return ConsumerGroupBeaten(
                    member_id=message.member_id,
                    member_epoch=FIRST,
                    heartbeat_interval_ms=interval_ms,
                    assigned=owned if joins else None,
                )
            case OffsetFetch():
                return OffsetsFetched(
                    offsets=tuple(map(self._where, message.partitions))
                )
            case OffsetCommit():
                at = ((each.topic, each.partition) for each in message.offsets)
                return OffsetsCommitted(errors=tuple((one, NONE) for one in at))
            case _:
                raise TypeError(f"a member that joins says no {message}")

    def _joined(self, number: int) -> Joined:
        members = tuple(
            (member_id, join.instance_id, dict(join.protocols)[self._protocol])
            for member_id, join in self._joins.items()
        )
        return Joined(
            generation=FIRST,
            protocol=self._protocol,
            leader=self._ids[0],
            member_id=self._ids[number],
            members=() if number else members,
        )

    def _where(self, at: TopicPartition) -> CommittedOffset:
        topic, number = at
        offset = self._committed.get(at, -1)
        return CommittedOffset(topic=topic, partition=number, offset=offset)
