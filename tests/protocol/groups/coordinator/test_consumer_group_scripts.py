"""Consumer protocol groups against Kafka's own classes, in random scripts.

`data/consumer_group_scripts.json` is what `kafka/ConsumerGroupScripts.java` wrote: what
the real group coordinator answered and wrote, with times that its clock was set to.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from kafkasim.protocol.errors import ERRORS, NONE
from kafkasim.protocol.groups.coordinator.consumer_groups import ConsumerGroups
from kafkasim.protocol.groups.coordinator.consumer_heartbeat import (
    ConsumerGroupSettings,
)
from kafkasim.protocol.groups.coordinator_records import (
    ConsumerGroupRecord,
    CurrentAssignmentRecord,
    MemberRecord,
    Record,
    TargetEpochRecord,
    TargetMemberRecord,
)
from kafkasim.protocol.groups.group_messages import (
    Answer,
    CommittedOffset,
    ConsumerGroupBeaten,
    ConsumerGroupHeartbeat,
    Effect,
    GroupChanged,
    OffsetCommit,
    OffsetFetch,
    Write,
    Written,
)
from tests.protocol.groups.simple_assignors import ASSIGNORS

GROUP = "group"
SCRIPTS: list[dict[str, Any]] = json.loads(
    (Path(__file__).parents[2] / "data" / "consumer_group_scripts.json").read_text(
        "utf-8"
    )
)


def listed(record: Record) -> list[Any]:
    """Return a record as the scripts have it; without the hash of the topics."""
    match record:
        case ConsumerGroupRecord(_, value):
            return [3, None if value is None else value.epoch]
        case MemberRecord(_, member_id, said):
            return [
                *(5, member_id),
                None
                if said is None
                else [
                    *(said.instance_id, said.rack, said.client_id, said.client_host),
                    *(list(said.topics), said.regex, said.rebalance_timeout_ms),
                    said.assignor,
                ],
            ]
        case TargetEpochRecord(_, target):
            return [6, None if target is None else [target.epoch, target.at_ms]]
        case TargetMemberRecord(_, member_id, assigned):
            return [7, member_id, None if assigned is None else pairs(assigned)]
        case CurrentAssignmentRecord(_, member_id, current):
            if current is None:
                return [8, member_id, None]
            return [
                *(8, member_id),
                [
                    *(current.epoch, current.previous_epoch, current.state),
                    held(current.assigned, current.assigned_epochs),
                    held(current.revoking, current.revoking_epochs),
                ],
            ]
        case _:
            raise AssertionError(record)


def pairs(partitions: Any) -> list[list[Any]]:  # noqa: ANN401
    return [list(at) for at in partitions]


def held(partitions: Any, epochs: Any) -> list[list[Any]]:  # noqa: ANN401
    return [[*at, epoch] for at, epoch in zip(partitions, epochs, strict=True)]


def error_of(error: int) -> str | None:
    return None if error == NONE else ERRORS[error]


class Replayed:
    """The machine, one step of a script after the other."""

    def __init__(self, script: dict[str, Any]) -> None:
        names = (
            *("session_timeout_ms", "heartbeat_interval_ms"),
            *("assignment_interval_ms", "max_size"),
        )
        self.settings = ConsumerGroupSettings(**{name: script[name] for name in names})
        self.counts: dict[str, int] = dict(script["topics"])
        self.log: list[Record] = []
        self.groups = self.made()

    def made(self) -> ConsumerGroups:
        return ConsumerGroups(self.settings, ASSIGNORS, self.counts.get)

    def standing(self) -> list[Any] | None:
        if not self.groups.has(GROUP):
            return None
        standing = self.groups.group(GROUP).standing
        return [standing.state, standing.epoch, standing.members]

    def taken(self, effects: list[Effect]) -> tuple[list[Answer], list[Any]]:
        """Return what is answered, and the records that are written."""
        answers: list[Answer] = []
        records: list[Any] = []
        changes = [each for each in effects if isinstance(each, GroupChanged)]
        for effect in effects:
            match effect:
                case Answer():
                    answers.append(effect)
                case Write():
                    answers += effect.answers
                    records += [listed(record) for record in effect.records]
                    self.log += effect.records
                    assert self.groups.handle(Written(effect), 0) == []
                case GroupChanged():
                    assert effect.cause
                case _:
                    pytest.fail(str(effect))
        for changed in changes[-1:]:
            last = [changed.state, changed.epoch, changed.members]
            assert self.standing() == last
        return answers, records

    def step(self, step: list[Any]) -> None:
        now_ms, kind, *rest = step
        match kind:
            case "timeout":
                self.timeout(now_ms, *rest)
            case "heartbeat":
                self.heartbeat(now_ms, *rest)
            case "topic":
                self.counts[rest[0]] = rest[1]
                self.groups.metadata_changed([rest[0]])
            case "loaded":
                self.groups = self.made()
                for record in self.log:
                    self.groups.replay(record, now_ms)
                assert self.groups.loaded(now_ms) == []
                assert self.standing() == rest[0]
            case "commit":
                self.commit(now_ms, *rest)
            case _:
                pytest.fail(str(kind))

    def timeout(self, now_ms: int, records: list[Any], standing: Any) -> None:  # noqa: ANN401
        assert self.groups.next_deadline_ms == now_ms
        assert self.taken(self.groups.handle_timeout(now_ms)) == ([], records)
        assert self.standing() == standing

    def heartbeat(
        self,
        now_ms: int,
        asked: list[Any],
        expected: Any,  # noqa: ANN401
        records: list[Any],
        standing: Any,  # noqa: ANN401
    ) -> None:
        member_id, epoch, instance_id, rack, timeout_ms, topics, assignor, owned = asked
        request = ConsumerGroupHeartbeat(
            group=GROUP,
            member_id=member_id,
            member_epoch=epoch,
            instance_id=instance_id,
            rack=rack,
            rebalance_timeout_ms=timeout_ms,
            topics=None if topics is None else tuple(topics),
            server_assignor=assignor,
            owned=None if owned is None else tuple((name, at) for name, at in owned),
        )
        answers, written = self.taken(self.groups.handle(request, now_ms))
        assert written == records
        assert len(answers) == 1 and answers[0].request is request
        beaten = answers[0].response
        assert isinstance(beaten, ConsumerGroupBeaten)
        if isinstance(expected, str):
            assert error_of(beaten.error) == expected
        else:
            assert beaten.error == NONE
            assert [
                *(beaten.member_id, beaten.member_epoch, beaten.heartbeat_interval_ms),
                None if beaten.assigned is None else pairs(beaten.assigned),
            ] == expected
        assert self.standing() == standing

    def commit(self, now_ms: int, *step: Any) -> None:  # noqa: ANN401
        member_id, epoch, topic, partition, error, fetch = step
        offset = CommittedOffset(topic=topic, partition=partition, offset=1)
        commit = OffsetCommit(
            group=GROUP, member_id=member_id, generation=epoch, offsets=(offset,)
        )
        errors = self.groups.commit_errors(commit, now_ms)
        assert [error_of(each) for each in errors] == [error]
        asked = OffsetFetch(
            group=GROUP, member_id=member_id, member_epoch=epoch, partitions=()
        )
        assert error_of(self.groups.may_fetch(asked)) == fetch


@pytest.mark.parametrize("script", SCRIPTS, ids=range(len(SCRIPTS)))
def test_a_group_answers_and_writes_what_kafkas_own_classes_do(
    script: dict[str, Any],
) -> None:
    replayed = Replayed(script)
    for step in script["steps"]:
        replayed.step(step)
