"""A member of the consumer protocol, and what it has sent and not been answered."""

from kafkasim.protocol.errors import NONE
from kafkasim.protocol.groups.group_messages import (
    CommittedOffset,
    ConsumerGroupBeaten,
    ConsumerGroupHeartbeat,
    CoordinatorFound,
    FindCoordinator,
    OffsetCommit,
    OffsetsCommitted,
    Request,
    TopicPartition,
)
from kafkasim.protocol.groups.member.consumer_member import ConsumerMember
from kafkasim.protocol.groups.member.consumer_states import State
from kafkasim.protocol.groups.member.member_effects import (
    Answered,
    CallbackDone,
    CoordinatorIs,
    Effect,
    Input,
    Polled,
    Send,
)
from kafkasim.protocol.groups.member.member_settings import MemberSettings

T0, T1, T2 = ("t", 0), ("t", 1), ("t", 2)
OFFSET = CommittedOffset(topic="t", partition=0, offset=7)


class Driven:
    """A member, and what it has sent and not been answered."""

    def __init__(
        self, *, auto_commit_ms: int | None = None, instance_id: str | None = None
    ) -> None:
        settings = MemberSettings(
            group="group",
            client_id="consumer",
            topics=("t",),
            instance_id=instance_id,
            auto_commit_ms=auto_commit_ms,
            max_poll_interval_ms=60_000,
        )
        self.machine = ConsumerMember(
            settings,
            member_id="m",
            consumed=lambda: (OFFSET,),
            backoff_ms=lambda failures: 100 * 2**failures,
        )
        self.sent: list[Request] = []

    def hear(self, event: Input, now_ms: int) -> list[Effect]:
        return self.noted(self.machine.handle(event, now_ms))

    def time_out(self, now_ms: int) -> list[Effect]:
        return self.noted(self.machine.handle_timeout(now_ms))

    def noted(self, effects: list[Effect]) -> list[Effect]:
        self.sent += [each.request for each in effects if isinstance(each, Send)]
        return [each for each in effects if not isinstance(each, Send)]

    def beat(self) -> ConsumerGroupHeartbeat:
        """Return the last heartbeat."""
        beats = [one for one in self.sent if isinstance(one, ConsumerGroupHeartbeat)]
        return beats[-1]

    def beaten(
        self,
        now_ms: int,
        epoch: int = 2,
        *assigned: TopicPartition,
        error: int = NONE,
        tells: bool = True,
    ) -> list[Effect]:
        """Answer the last heartbeat."""
        response = ConsumerGroupBeaten(
            error=error,
            member_epoch=epoch,
            heartbeat_interval_ms=5_000,
            assigned=assigned if tells else None,
        )
        return self.hear(Answered(self.beat(), response), now_ms)

    def committed(self, now_ms: int, error: int = NONE) -> list[Effect]:
        """Answer the last commit."""
        commit = [one for one in self.sent if isinstance(one, OffsetCommit)][-1]
        answer = OffsetsCommitted(errors=((("t", 0), error),))
        return self.hear(Answered(commit, answer), now_ms)

    def last(self) -> object:
        """Return the last request."""
        return self.sent[-1]

    def state(self) -> State:
        return self.machine.state

    def due_ms(self) -> int | None:
        return self.machine.next_deadline_ms

    def owned(self) -> tuple[TopicPartition, ...]:
        return self.machine.owned


def joining(**settings: int | str | None) -> Driven:
    made = Driven(**settings)  # type: ignore[arg-type]
    made.hear(Polled(), 0)
    (look,) = made.sent
    assert isinstance(look, FindCoordinator)
    found = made.hear(Answered(look, CoordinatorFound(node=1)), 1)
    assert found == [CoordinatorIs(1)]
    return made


def stable(*assigned: TopicPartition, **settings: int | str | None) -> Driven:
    """Return a member that has these, acknowledged at 10 ms."""
    made = joining(**settings)
    made.beaten(2, 2, *assigned)
    made.hear(Polled(), 10)
    if settings.get("auto_commit_ms"):
        made.committed(10)
        made.hear(Polled(), 10)
    made.hear(CallbackDone(), 10)
    made.beaten(11, 2, tells=False)
    assert made.state() is State.STABLE
    return made
