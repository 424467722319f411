"""A coordinator of groups over one topic, for tests of what it does by itself."""

from typing import Any

from kafkasim.protocol.groups.coordinator.consumer_group import GroupState
from kafkasim.protocol.groups.coordinator.consumer_groups import ConsumerGroups
from kafkasim.protocol.groups.coordinator.consumer_heartbeat import (
    ConsumerGroupSettings,
)
from kafkasim.protocol.groups.coordinator.consumer_target import broker_assignors
from kafkasim.protocol.groups.coordinator_records import Record
from kafkasim.protocol.groups.group_messages import (
    Answer,
    ConsumerGroupBeaten,
    ConsumerGroupHeartbeat,
    GroupChanged,
    Write,
)

GROUP = "group"


class Coordinator:
    """Groups over one topic `t`, and what they answer."""

    def __init__(self, partitions: int = 4, **settings: int) -> None:
        self.topics = {"t": partitions}
        self.groups = ConsumerGroups(
            ConsumerGroupSettings(**settings), broker_assignors(), self.topics.get
        )
        self.log: list[Record] = []
        self.causes: list[str] = []
        self.last: Write | None = None

    def beat(
        self,
        member_id: str,
        epoch: int,
        now_ms: int = 0,
        **said: Any,  # noqa: ANN401
    ) -> ConsumerGroupBeaten:
        request = ConsumerGroupHeartbeat(
            group=GROUP, member_id=member_id, member_epoch=epoch, **said
        )
        return self.answered(request, now_ms)

    def join(
        self,
        member_id: str,
        now_ms: int = 0,
        **said: Any,  # noqa: ANN401
    ) -> ConsumerGroupBeaten:
        wanted = {"rebalance_timeout_ms": 8_000, "topics": ("t",), "owned": ()}
        return self.beat(member_id, 0, now_ms, **wanted | said)

    def answered(
        self, request: ConsumerGroupHeartbeat, now_ms: int
    ) -> ConsumerGroupBeaten:
        self.last = None
        answers: list[Answer] = []
        for effect in self.groups.handle(request, now_ms):
            match effect:
                case Answer():
                    answers.append(effect)
                case Write():
                    self.last = effect
                    self.log += effect.records
                    answers += effect.answers
                case GroupChanged():
                    self.causes.append(effect.cause)
        (answer,) = answers
        assert isinstance(answer.response, ConsumerGroupBeaten)
        return answer.response

    def time_out(self, now_ms: int) -> None:
        assert self.groups.next_deadline_ms == now_ms
        for effect in self.groups.handle_timeout(now_ms):
            if isinstance(effect, GroupChanged):
                self.causes.append(effect.cause)
            elif isinstance(effect, Write):
                self.log += effect.records

    @property
    def state(self) -> GroupState:
        return self.groups.group(GROUP).state


def two_members() -> Coordinator:
    """Return a group of a and b that share the topic, at 10 s; its epoch is 3."""
    known = Coordinator()
    assert len(known.join("a").assigned or ()) == 4
    known.join("b", 5_000)
    told = known.beat("a", 2, 5_100).assigned
    assert told is not None
    known.beat("a", 2, 5_200, owned=told)
    known.beat("b", 3, 5_300)
    assert known.state == GroupState.STABLE
    return known
