"""A member of the classic protocol, driven by hand: what it does, in words."""

from collections.abc import Sequence
from dataclasses import replace

from kafkasim.protocol.errors import ERRORS, NONE
from kafkasim.protocol.groups.group_messages import (
    Assigned,
    Beaten,
    CommittedOffset,
    CoordinatorFound,
    FindCoordinator,
    Heartbeat,
    Joined,
    JoinGroup,
    LeaveGroup,
    Left,
    OffsetCommit,
    OffsetFetch,
    OffsetsCommitted,
    OffsetsFetched,
    Request,
    Response,
    Subscription,
    Synced,
    SyncGroup,
)
from kafkasim.protocol.groups.member.classic_member import ClassicMember
from kafkasim.protocol.groups.member.member_effects import (
    Answered,
    CallbackDone,
    Disconnected,
    Effect,
    Failed,
    Input,
    MetadataCame,
    Polled,
    Send,
)
from kafkasim.protocol.groups.member.member_settings import MemberSettings

TOPIC = "t"
NAMES = {
    Heartbeat: "Heartbeat", JoinGroup: "JoinGroup", SyncGroup: "SyncGroup",
    LeaveGroup: "LeaveGroup", OffsetCommit: "OffsetCommit", OffsetFetch: "OffsetFetch",
    FindCoordinator: "FindCoordinator",
}  # fmt: skip


def partitions(*numbers: int) -> Assigned:
    """Return partitions of the one topic."""
    return tuple((TOPIC, number) for number in numbers)


def offsets(**positions: int) -> tuple[CommittedOffset, ...]:
    """Return offsets by partition: ``offsets(p0=5)``."""
    return tuple(
        CommittedOffset(topic=TOPIC, partition=int(name[1:]), offset=offset)
        for name, offset in positions.items()
    )


class DrivenMember:
    """The machine, and what it has sent and not got an answer to.

    Keyword arguments are fields of `MemberSettings`.
    """

    def __init__(self, **settings: object) -> None:
        plain = MemberSettings(
            group="g", client_id="c", topics=(TOPIC,), assignors=("range",)
        )
        self.settings = replace(plain, **settings)  # type: ignore[arg-type]
        self.positions: tuple[CommittedOffset, ...] = ()
        self.open: list[Request] = []
        self.machine = ClassicMember(
            self.settings,
            consumed=lambda: self.positions,
            backoff_ms=lambda failures: min(100 * 2**failures, 1_000),
        )
        self.hears(MetadataCame({TOPIC: 2}), 0)

    def hears(self, event: Input, at: int) -> list[str]:
        """Tell the machine; return what it does."""
        return self._said(self.machine.handle(event, at))

    def polls(self, at: int) -> list[str]:
        return self.hears(Polled(), at)

    def returns(self, at: int) -> list[str]:
        """Let the callback return."""
        return self.hears(CallbackDone(), at)

    def waits(self, at: int) -> list[str]:
        """Let time pass to then: what was due earlier is done when it was."""
        said: list[str] = []
        while (due := self.machine.next_deadline_ms) is not None and due <= at:
            said += self._said(self.machine.handle_timeout(due))
        return said

    def answers(self, response: Response, at: int) -> list[str]:
        """Answer the oldest request that this can be the answer to."""
        kinds: dict[type, type] = {
            CoordinatorFound: FindCoordinator, Joined: JoinGroup, Synced: SyncGroup,
            Beaten: Heartbeat, Left: LeaveGroup, OffsetsCommitted: OffsetCommit,
            OffsetsFetched: OffsetFetch,
        }  # fmt: skip
        request = self.sent(kinds[type(response)])
        self.open = [each for each in self.open if each is not request]
        return self.hears(Answered(request, response), at)

    def fails(self, kind: type, at: int) -> list[str]:
        """Let the oldest request of that kind fail."""
        request = self.sent(kind)
        self.open = [each for each in self.open if each is not request]
        return self.hears(Failed(request), at)

    def disconnects(self, at: int) -> list[str]:
        return self.hears(Disconnected(), at)

    def sent(self, kind: type) -> Request:
        """Return the oldest request of that kind without an answer."""
        return next(request for request in self.open if isinstance(request, kind))

    def commits(self, error: int, at: int) -> list[str]:
        """Answer a commit with that error of every partition."""
        request = self.sent(OffsetCommit)
        assert isinstance(request, OffsetCommit)
        errors = tuple(
            ((each.topic, each.partition), error) for each in request.offsets
        )
        return self.answers(OffsetsCommitted(errors=errors), at)

    def _said(self, effects: Sequence[Effect]) -> list[str]:
        self.open += [e.request for e in effects if isinstance(e, Send)]
        return [said(effect) for effect in effects]

    # --- on the way to a state --------------------------------------------------------

    def finds(self, at: int = 0) -> "DrivenMember":
        """Find the coordinator."""
        self.polls(at)
        self.answers(CoordinatorFound(node=1), at)
        return self

    def joins(self, at: int = 0) -> "DrivenMember":
        """Send JoinGroup, as one that the coordinator knows if it is dynamic."""
        self.finds(at)
        self.polls(at)
        if self.settings.instance_id is None:
            self.answers(
                Joined(error=ERRORS.index("MEMBER_ID_REQUIRED"), member_id="me"), at
            )
            self.polls(at)
        return self

    def syncs(self, at: int = 0, *, leads: bool = False) -> "DrivenMember":
        """Be in generation 1, and wait for the assignment."""
        self.joins(at)
        self.answers(self.joined(1, leads=leads), at)
        return self

    def is_stable(self, at: int = 0, *, leads: bool = False) -> "DrivenMember":
        """Own both partitions in generation 1."""
        self.syncs(at, leads=leads)
        self.answers(Synced(assigned=partitions(0, 1)), at)
        self.polls(at)
        self.returns(at)
        return self

    def joined(self, generation: int, *, leads: bool = False) -> Joined:
        """Return what lets it into a generation."""
        me = Subscription(topics=(TOPIC,))
        return Joined(
            generation=generation, protocol=self.settings.assignors[0], member_id="me",
            leader="me" if leads else "other",
            members=(("me", None, me), ("other", None, me)) if leads else (),
        )  # fmt: skip


def said(effect: Effect) -> str:
    """Return an effect in words."""
    name = type(effect).__name__
    if isinstance(effect, Send):
        return f"Send {NAMES[type(effect.request)]}"
    shown = []
    for field in effect.__dataclass_fields__:
        value = getattr(effect, field)
        if field == "partitions":
            value = [number for _, number in value]
        elif field == "offsets":
            value = {each.partition: each.offset for each in value}
        elif field == "error":
            value = "none" if value == NONE else ERRORS[value]
        elif field == "outcome":
            value = value.name
        shown.append(str(value))
    return " ".join([name, *shown])
