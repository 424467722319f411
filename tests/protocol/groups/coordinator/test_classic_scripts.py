"""Classic groups against Kafka's own classes, in random scripts.

`data/classic_scripts.json` is what `kafka/ClassicScripts.java` wrote: the answers of
the real `GroupMetadataManager` and `OffsetMetadataManager`, what they wrote to the log,
and the group after each step, at times that Kafka's clock was set to. Member ids are
those that Kafka drew, so the order of its hash maps is compared too.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from kafkasim.protocol import errors
from kafkasim.protocol.errors import NONE, NOT_COORDINATOR
from kafkasim.protocol.groups.coordinator.classic_groups import ClassicGroups
from kafkasim.protocol.groups.coordinator.classic_rebalances import ClassicSettings
from kafkasim.protocol.groups.coordinator_records import (
    ClassicGroupRecord,
    ClassicGroupValue,
    ClassicMemberValue,
)
from kafkasim.protocol.groups.group_messages import (
    Beaten,
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
)
from tests.protocol.groups.coordinator.classic_coordinator import (
    GROUP,
    Coordinated,
    name,
)

SCRIPTS: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[2] / "data" / "classic_scripts.json").read_text("utf-8")
)
Rows = list[list[Any]]


class Played(Coordinated):
    """A script, played with the ids that Kafka gave out."""

    def __init__(self, script: dict[str, Any]) -> None:
        self.ids: list[str] = script["ids"]
        self.next_uuid = ""
        super().__init__(
            ClassicSettings(
                initial_rebalance_delay_ms=script["delay_ms"],
                max_size=script["max_size"],
            )
        )
        self.holds = True
        self.moved_with: list[bool] = []
        """Of the writes under way at the next move, whether they are in the log."""
        self.asked: dict[int, int] = {}
        """Number of the step of each request, by identity."""
        self.kept: list[Request] = []
        self.commits: Rows = []

    def fresh(self) -> ClassicGroups:
        return ClassicGroups(self.settings, lambda: self.next_uuid)

    def id(self, place: int) -> str:
        return "" if place < 0 else self.ids[place]

    def place(self, member_id: str | None) -> int:
        return self.ids.index(member_id) if member_id else -1

    # What is asked

    def play(self, number: int, kind: str, *values: Any) -> None:  # noqa: ANN401
        if kind == "end":
            error, appended = values
            code = NONE if error == "NONE" else getattr(errors, error)
            self.end(code, appended=appended)
        elif kind == "move":
            self.move()
        elif kind != "timeout":
            request = self.request(kind, *values)
            self.asked[id(request)] = number
            self.kept.append(request)
            if isinstance(request, OffsetCommit):
                error = name(self.groups.may_commit(request, self.now_ms))
                self.commits.append([number, error])
            else:
                self.tell(request)  # type: ignore[arg-type]

    def request(
        self,
        kind: str,
        place: int,
        instance: str | None,
        *more: Any,  # noqa: ANN401
    ) -> Request:
        member_id = self.id(place)
        if kind == "join":
            client, protocols, session_ms, rebalance_ms, new = more
            if new is not None:
                first = client if instance is None else instance
                self.next_uuid = self.ids[new].removeprefix(f"{first}-")
            return JoinGroup(
                group=GROUP,
                member_id=member_id,
                instance_id=instance,
                client_id=client,
                protocols=tuple((each, Subscription((t,))) for each, t in protocols),
                session_timeout_ms=session_ms,
                rebalance_timeout_ms=rebalance_ms,
            )
        if kind == "sync":
            generation, protocol, given = more
            return SyncGroup(
                group=GROUP,
                generation=generation,
                member_id=member_id,
                instance_id=instance,
                protocol=protocol,
                assignments=tuple((self.id(to), (("t", p),)) for to, p in given),
            )
        if kind == "leave":
            return LeaveGroup(group=GROUP, member_id=member_id, instance_id=instance)
        if kind == "heartbeat":
            return Heartbeat(
                group=GROUP,
                generation=more[0],
                member_id=member_id,
                instance_id=instance,
            )
        return OffsetCommit(
            group=GROUP,
            generation=more[0],
            member_id=member_id,
            instance_id=instance,
            offsets=(),
        )

    def move(self) -> None:
        """Go to another coordinator; writes under way end before."""
        while self.waiting:
            self.end(NOT_COORDINATOR, appended=self.moved_with.pop(0))
        self.take(self.groups.unloaded(self.now_ms))
        self.groups = self.fresh()
        for record in self.log:
            assert isinstance(record, ClassicGroupRecord)
            self.groups.replay(record, self.now_ms)
        self.take(self.groups.loaded(self.now_ms))

    # What comes of it

    def rows(self) -> Rows:
        rows = [
            [self.asked[id(asked)], *self.row(response)]
            for _, asked, response in self.answers
        ]
        rows += self.commits
        self.answers.clear()
        self.commits.clear()
        return sorted(rows)

    def row(self, response: Response) -> list[Any]:
        match response:
            case Joined():
                members = [
                    [self.place(who), instance, said.topics[0]]
                    for who, instance, said in response.members
                ]
                return [
                    *(name(response.error), response.generation, response.protocol),
                    *(self.place(response.leader), self.place(response.member_id)),
                    *(members, response.skip_assignment),
                ]
            case Synced():
                return [
                    name(response.error),
                    response.protocol,
                    part(response.assigned),
                ]
            case Beaten() | Left():
                return [name(response.error)]
            case _:
                raise AssertionError(response)

    def written(self, since: int) -> Rows:
        rows: Rows = []
        for write in self.waiting[since:]:
            for record in write.records:
                assert isinstance(record, ClassicGroupRecord)
                assert record.value is not None
                rows.append(self.value(record.value))
        return rows

    def value(self, value: ClassicGroupValue) -> list[Any]:
        return [
            *(value.protocol_type, value.generation, value.protocol),
            *(self.place(value.leader), value.changed_ms),
            [self.member(each) for each in value.members],
        ]

    def member(self, value: ClassicMemberValue) -> list[Any]:
        assert isinstance(value.subscription, Subscription)
        return [
            *(self.place(value.member_id), value.instance_id, value.client_id),
            *(value.rebalance_timeout_ms, value.session_timeout_ms),
            *(value.subscription.topics[0], part(value.assigned)),
        ]

    def group(self) -> list[Any]:
        group = self.groups.groups.get(GROUP)
        if group is None:
            return []
        members = group.members.values()
        return [
            *(str(group.state), group.generation, self.place(group.leader)),
            [self.place(each.member_id) for each in members],
            [self.place(each.member_id) for each in members if each.joining],
            [self.place(each.member_id) for each in members if each.syncing],
            sorted(map(self.place, group.pending_joins)),
            sorted(map(self.place, group.pending_syncs)),
            -1 if group.subscribed is None else list(group.subscribed),
        ]


def part(assigned: object) -> int:
    """The partition that stands for an assignment; -1 for none."""
    if not assigned:
        return -1
    assert isinstance(assigned, tuple)
    ((_, partition),) = assigned
    assert isinstance(partition, int)
    return partition


def expected(answers: Rows) -> Rows:
    """Kafka's answers: a join that failed names no protocol, or an empty one."""
    return sorted(
        [None if value == "" else value for value in answer] for answer in answers
    )


@pytest.mark.parametrize("script", SCRIPTS, ids=range(len(SCRIPTS)))
def test_the_real_coordinator_decided_the_same(script: dict[str, Any]) -> None:
    played = Played(script)
    last: list[Any] = []
    for number, step in enumerate(script["steps"]):
        now_ms, asked, answers, records, due_ms, *group = step
        place = f"step {number}: {asked}"
        before = len(played.waiting)
        played.at(now_ms)
        if asked[0] != "timeout":
            assert (played.rows(), played.waiting[before:]) == ([], []), place
        if asked[0] == "move":
            played.moved_with, before = list(asked[1]), 0
        elif asked[0] == "end":
            before -= 1
        played.play(number, *asked)
        last = group[0] if group else last

        assert played.rows() == expected(answers), place
        assert played.written(before) == records, place
        assert (played.groups.next_deadline_ms or -1) == due_ms, place
        assert played.group() == last, place
