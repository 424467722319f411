"""A coordinator of classic groups at a clock, with a log that replicates at will.

`Coordinated` plays the host: it runs timers, appends what is written and tells how that
went. Times are milliseconds; members are named m1, m2 and so on, and their ids are
`m1-1`, `m2-2` by the order in which the coordinator gave them out.
"""

from dataclasses import replace
from itertools import count
from typing import TypeVar

from kafkasim.protocol.errors import ERRORS, NONE
from kafkasim.protocol.groups.coordinator.classic_groups import ClassicGroups, Heard
from kafkasim.protocol.groups.coordinator.classic_rebalances import ClassicSettings
from kafkasim.protocol.groups.coordinator_records import ClassicGroupRecord, Record
from kafkasim.protocol.groups.group_messages import (
    Answer,
    Beaten,
    CommittedOffset,
    Effect,
    GroupChanged,
    Heartbeat,
    Joined,
    JoinGroup,
    LeaveGroup,
    Left,
    OffsetCommit,
    Request,
    Response,
    Subscription,
    Synced,
    SyncGroup,
    Write,
    WriteFailed,
    Written,
)

GROUP = "g"
RANGE = (("range", Subscription(("orders",))),)
AnyResponse = TypeVar("AnyResponse", bound=Response)


class Coordinated:
    """Classic groups, a clock, a log."""

    def __init__(self, settings: ClassicSettings | None = None) -> None:
        self.settings = settings or ClassicSettings()
        self.groups = self.fresh()
        self.now_ms = 0
        self.holds = False
        """Whether writes wait, to be ended by `end`."""
        self.waiting: list[Write] = []
        self.log: list[Record] = []
        self.answers: list[tuple[int, Request, Response]] = []
        self.changes: list[tuple[int, GroupChanged]] = []

    def fresh(self) -> ClassicGroups:
        numbers = count(1)
        return ClassicGroups(self.settings, lambda: str(next(numbers)))

    # Time

    def at(self, now_ms: int) -> "Coordinated":
        """Go on to a time; what is due until then happens at its own time."""
        while (due_ms := self.groups.next_deadline_ms) is not None and due_ms <= now_ms:
            self.now_ms = due_ms
            self.take(self.groups.handle_timeout(due_ms))
        self.now_ms = now_ms
        return self

    def take(self, effects: list[Effect]) -> None:
        for effect in effects:
            if isinstance(effect, Answer):
                self.answers.append((self.now_ms, effect.request, effect.response))
            elif isinstance(effect, GroupChanged):
                self.changes.append((self.now_ms, effect))
            else:
                self.waiting.append(effect)
                if not self.holds:
                    self.end()

    def end(self, error: int = NONE, *, appended: bool = False) -> None:
        """Say of the oldest write how it went."""
        write = self.waiting.pop(0)
        if error == NONE or appended:
            self.log += write.records
        if error == NONE:
            self.take(list(write.answers))
            self.tell(Written(write))
        else:
            self.tell(WriteFailed(write, error, appended))

    def tell(self, heard: Heard) -> None:
        self.take(self.groups.handle(heard, self.now_ms))

    # Requests

    def ask(self, request: Heard, kind: type[AnyResponse]) -> AnyResponse | None:
        """Hand a request over; return its response if it comes at once."""
        before = len(self.answers)
        self.tell(request)
        for _, asked, response in self.answers[before:]:
            if asked is request:
                assert isinstance(response, kind)
                return response
        return None

    def join(
        self,
        client: str,
        member_id: str = "",
        *,
        protocols: tuple[tuple[str, Subscription], ...] = RANGE,
        instance_id: str | None = None,
        session_timeout_ms: int = 45_000,
        rebalance_timeout_ms: int = 300_000,
    ) -> Joined | None:
        request = JoinGroup(
            group=GROUP,
            member_id=member_id,
            instance_id=instance_id,
            client_id=client,
            protocols=protocols,
            session_timeout_ms=session_timeout_ms,
            rebalance_timeout_ms=rebalance_timeout_ms,
        )
        return self.ask(request, Joined)

    def enter(self, client: str, **more: object) -> str:
        """Join with an id from the coordinator; the join is parked. Return the id."""
        asked = self.join(client, **more)  # type: ignore[arg-type]
        assert asked is not None and name(asked.error) == "MEMBER_ID_REQUIRED"
        self.join(client, asked.member_id, **more)  # type: ignore[arg-type]
        return asked.member_id

    def sync(self, member_id: str, generation: int, **more: object) -> Synced | None:
        """Ask for the assignment; the leader gives everybody partition 0 of its id."""
        group = self.groups.groups[GROUP]
        assignments = tuple((each, ((each, 0),)) for each in sorted(group.members))
        request = SyncGroup(
            group=GROUP,
            member_id=member_id,
            generation=generation,
            assignments=assignments if member_id == group.leader else (),
        )
        return self.ask(replace(request, **more), Synced)  # type: ignore[arg-type]

    def heartbeat(self, member_id: str, generation: int, **more: object) -> str:
        """Return the name of the error."""
        request = Heartbeat(group=GROUP, generation=generation, member_id=member_id)
        beaten = self.ask(replace(request, **more), Beaten)  # type: ignore[arg-type]
        assert beaten is not None
        return name(beaten.error)

    def leave(self, member_id: str, instance_id: str | None = None) -> str | None:
        """Return the name of the error, None if the answer waits for a write."""
        request = LeaveGroup(group=GROUP, member_id=member_id, instance_id=instance_id)
        left = self.ask(request, Left)
        return None if left is None else name(left.error)

    def commit(self, member_id: str, generation: int, **more: object) -> str:
        request = OffsetCommit(
            group=GROUP,
            generation=generation,
            member_id=member_id,
            offsets=(CommittedOffset(topic="orders", partition=0, offset=1),),
        )
        asked = replace(request, **more)  # type: ignore[arg-type]
        return name(self.groups.may_commit(asked, self.now_ms))

    # What is so

    @property
    def state(self) -> str:
        return str(self.groups.groups[GROUP].state)

    @property
    def generation(self) -> int:
        return self.groups.groups[GROUP].generation

    @property
    def leader(self) -> str | None:
        return self.groups.groups[GROUP].leader

    @property
    def members(self) -> list[str]:
        return sorted(self.groups.groups[GROUP].members)

    def joins(self) -> list[tuple[int, str, str, int]]:
        """When each join was answered: member id, error and generation."""
        return [
            (at_ms, response.member_id, name(response.error), response.generation)
            for at_ms, _, response in self.answers
            if isinstance(response, Joined)
        ]

    def syncs(self) -> list[tuple[int, str, str, tuple[tuple[str, int], ...]]]:
        """When each sync was answered: member id, error, partitions."""
        return [
            (at_ms, request.member_id, name(response.error), response.assigned)
            for at_ms, request, response in self.answers
            if isinstance(request, SyncGroup) and isinstance(response, Synced)
        ]

    def story(self) -> list[tuple[int, str, str]]:
        """Return when the group went into which state, and why."""
        return [(at_ms, each.state, each.cause) for at_ms, each in self.changes]

    # Ways to get there

    def grown(self, *clients: str, **more: object) -> list[str]:
        """Let clients form a stable group, generation 1, and forget how; return ids."""
        ids = [self.enter(each, **more) for each in clients]
        while self.state == "PreparingRebalance":
            self.at(self.groups.next_deadline_ms or 0)
        self.settle()
        return ids

    def settle(self) -> None:
        """Let all members sync, and forget what happened."""
        generation = self.generation
        for each in self.members:
            self.sync(each, generation)
        assert self.state == "Stable"
        self.forget()

    def forget(self) -> None:
        self.answers.clear()
        self.changes.clear()

    def reload(self) -> "Coordinated":
        """Return another coordinator that has replayed the log."""
        other = Coordinated(self.settings)
        other.now_ms = self.now_ms
        other.log = list(self.log)
        for record in self.log:
            assert isinstance(record, ClassicGroupRecord)
            other.groups.replay(record, self.now_ms)
        other.take(other.groups.loaded(self.now_ms))
        return other


def name(error: int) -> str:
    return "NONE" if error == NONE else ERRORS[error]
