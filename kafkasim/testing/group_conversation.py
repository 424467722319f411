"""A group and its coordinator talk, and what they say is written down.

The machines of both sides run here without a broker, queues or threads: any message
takes the same time, and so does a write to the log until it is replicated. Applications
wait in `poll()` unless they are told to work, and their callbacks return at once. What
is read in the end is the conversation: a line for each message, for each change of the
group and for each callback. Heartbeats are left out unless the answer is an error.
"""

from collections.abc import Callable, Mapping
from heapq import heappop, heappush
from itertools import count

from kafkasim.protocol.classic_groups import ClassicGroups
from kafkasim.protocol.classic_member import ClassicMember
from kafkasim.protocol.classic_rebalances import ClassicSettings
from kafkasim.protocol.errors import NONE
from kafkasim.protocol.group_messages import (
    Answer,
    Beaten,
    CommittedOffset,
    CoordinatorFound,
    Effect,
    FindCoordinator,
    GroupChanged,
    Heartbeat,
    JoinGroup,
    LeaveGroup,
    OffsetCommit,
    OffsetsCommitted,
    Request,
    Response,
    SyncGroup,
    TopicPartition,
    Write,
    Written,
)
from kafkasim.protocol.member_effects import (
    Answered,
    Assigned,
    CallbackDone,
    Close,
    Closed,
    Input,
    Lost,
    MetadataCame,
    Polled,
    Raised,
    Revoked,
    Send,
)
from kafkasim.protocol.member_effects import Effect as MemberEffect
from kafkasim.protocol.member_settings import MemberSettings
from kafkasim.testing.group_words import (
    error_name,
    partition_names,
    request_words,
    response_words,
)

READ = 10
"""Position of a member in each partition that it owns, as commits tell it."""


class _Process:
    """A consumer: its machine, and whether its process runs."""

    def __init__(self, name: str, settings: MemberSettings) -> None:
        self.name = name
        self.frozen_until_ms = 0
        self.works_until_ms = 0
        self.runs = True
        self.closes = False
        self.machine = ClassicMember(
            settings, consumed=self._consumed, backoff_ms=lambda _: 100
        )

    def _consumed(self) -> tuple[CommittedOffset, ...]:
        return tuple(
            CommittedOffset(topic=topic, partition=number, offset=READ)
            for topic, number in self.machine.owned
        )


class GroupConversation:
    """One group of the classic protocol.

    Parameters
    ----------
    topics : mapping
        How many partitions each topic has.
    settings : ClassicSettings, optional
        Of the coordinator.
    wire_ms : int
        How long each message takes.
    log_ms : int
        How long a write takes until it is replicated.
    """

    def __init__(
        self,
        topics: Mapping[str, int],
        settings: ClassicSettings | None = None,
        *,
        wire_ms: int = 1,
        log_ms: int = 2,
    ) -> None:
        self._topics = topics
        self._wire_ms, self._log_ms = wire_ms, log_ms
        ids = count(1)
        self._groups = ClassicGroups(
            settings or ClassicSettings(), lambda: str(next(ids))
        )
        self._processes: dict[str, _Process] = {}
        self._heap: list[tuple[int, int, Callable[[], None]]] = []
        self._order = count()
        self._now_ms = 0
        self._lines: list[tuple[int, str, int | None]] = []
        """Time, words, and which heartbeat a line belongs to."""
        self._refused: set[int] = set()
        """Heartbeats that were answered with an error."""
        self._asked: list[Request] = []
        """Held so that identities stay their own."""
        self._senders: dict[int, _Process] = {}
        """Who asked, by the identity of the request."""

    # The story

    def start(self, at_ms: int, name: str, settings: MemberSettings) -> None:
        """Start a consumer; the application calls `poll()`."""

        def begin() -> None:
            process = self._processes[name] = _Process(name, settings)
            self._say(f"{name} starts")
            process.machine.handle(MetadataCame(self._topics), self._now_ms)
            self._poll(process)

        self._at(at_ms, begin)

    def close(self, at_ms: int, name: str) -> None:
        """Let an application call `close()`."""

        def begin() -> None:
            self._say(f"{name} closes")
            self._processes[name].closes = True
            self._tell(self._processes[name], Close())

        self._at(at_ms, begin)

    def crash(self, at_ms: int, name: str) -> None:
        """Let a process end without a word."""

        def begin() -> None:
            self._say(f"{name} crashes")
            self._processes[name].runs = False

        self._at(at_ms, begin)

    def freeze(self, at_ms: int, name: str, until_ms: int) -> None:
        """Stop a whole process for a while, heartbeats and all."""

        def begin() -> None:
            self._say(f"{name} freezes")
            self._processes[name].frozen_until_ms = until_ms

        self._at(at_ms, begin)
        self._at(until_ms, lambda: self._thaw(self._processes[name]))

    def work(self, at_ms: int, name: str, until_ms: int) -> None:
        """Let an application work on what it has for a while, and not poll."""

        def begin() -> None:
            self._say(f"{name} works")
            self._processes[name].works_until_ms = until_ms

        self._at(at_ms, begin)
        self._at(until_ms, lambda: self._thaw(self._processes[name]))

    def _thaw(self, process: _Process) -> None:
        self._say(f"{process.name} goes on")
        self._poll(process)

    def text(self, until_ms: int, since_ms: int = 0) -> str:
        """Return what was said in that time."""
        while (due_ms := self._next_ms()) is not None and due_ms <= until_ms:
            self._now_ms = due_ms
            self._step()
        return "".join(
            f"{ms:>7} ms  {words}\n"
            for ms, words, beat in self._lines
            if ms >= since_ms and (beat is None or beat in self._refused)
        )

    @property
    def owned(self) -> dict[str, tuple[TopicPartition, ...]]:
        """What each process that runs owns now."""
        return {
            name: process.machine.owned
            for name, process in self._processes.items()
            if process.runs
        }

    # Time

    def _at(self, at_ms: int, action: Callable[[], None]) -> None:
        heappush(self._heap, (at_ms, next(self._order), action))

    def _next_ms(self) -> int | None:
        dues = [self._groups.next_deadline_ms, *map(self._due_ms, self._live())]
        if self._heap:
            dues.append(self._heap[0][0])
        return min((due for due in dues if due is not None), default=None)

    def _live(self) -> list[_Process]:
        return [
            each
            for each in self._processes.values()
            if each.runs and each.frozen_until_ms <= self._now_ms
        ]

    def _due_ms(self, process: _Process) -> int | None:
        dues = [process.machine.next_deadline_ms]
        if self._polls(process):
            dues.append(process.machine.polls_again_ms)
        return min((due for due in dues if due is not None), default=None)

    def _step(self) -> None:
        """Do what is due: messages and the story first, then timers."""
        if self._heap and self._heap[0][0] <= self._now_ms:
            heappop(self._heap)[2]()
            return
        self._coordinate(self._groups.handle_timeout(self._now_ms))
        for process in self._live():
            due_ms = self._due_ms(process)
            if due_ms is not None and due_ms <= self._now_ms:
                self._do(process, process.machine.handle_timeout(self._now_ms))
                self._poll(process)

    # Members

    def _tell(self, process: _Process, heard: Input) -> None:
        """Let a member hear something, now or when its process goes on."""
        if self._now_ms < process.frozen_until_ms:
            again = process.frozen_until_ms
            self._at(again, lambda: self._tell(process, heard))
        elif process.runs:
            self._do(process, process.machine.handle(heard, self._now_ms))
            self._poll(process)

    def _poll(self, process: _Process) -> None:
        """Let the application's `poll()` go on until there is nothing to do."""
        while process.runs and not process.closes and self._polls(process):
            effects = process.machine.handle(Polled(), self._now_ms)
            if not effects:
                return
            self._do(process, effects)

    def _polls(self, process: _Process) -> bool:
        return process.works_until_ms <= self._now_ms

    def _do(self, process: _Process, effects: list[MemberEffect]) -> None:
        for effect in effects:
            match effect:
                case Send(request):
                    self._send(process, request)
                case Revoked(partitions) | Lost(partitions) | Assigned(partitions):
                    call = f"onPartitions{type(effect).__name__}"
                    self._say(f"{process.name} {call}({partition_names(partitions)})")
                    self._do(
                        process, process.machine.handle(CallbackDone(), self._now_ms)
                    )
                case Raised(error):
                    self._say(f"{process.name} poll() throws {error_name(error)}")
                    process.runs = False
                case Closed():
                    self._say(f"{process.name} has closed")
                    process.runs = False
                case _:
                    pass

    def _send(self, process: _Process, request: Request) -> None:
        self._asked.append(request)
        beat = id(request) if isinstance(request, Heartbeat) else None
        to = "a broker" if isinstance(request, FindCoordinator) else "coordinator"
        self._say(f"{process.name} -> {to}  {request_words(request)}", beat)
        arrives_ms = self._now_ms + self._wire_ms
        self._at(arrives_ms, lambda: self._hear(process, request))

    # The coordinator

    def _hear(self, process: _Process, request: Request) -> None:
        self._senders[id(request)] = process
        match request:
            case FindCoordinator():
                self._answer(request, CoordinatorFound(node=0))
            case OffsetCommit(offsets=offsets):
                error = self._groups.may_commit(request, self._now_ms)
                errors = tuple(((o.topic, o.partition), error) for o in offsets)
                self._answer(request, OffsetsCommitted(errors=errors))
            case JoinGroup() | SyncGroup() | Heartbeat() | LeaveGroup():
                self._coordinate(self._groups.handle(request, self._now_ms))
            case _:
                raise ValueError(f"nobody here answers {request}")

    def _coordinate(self, effects: list[Effect]) -> None:
        for effect in effects:
            match effect:
                case Answer(request, response):
                    self._answer(request, response)
                case GroupChanged():
                    self._say(
                        f"coordinator: {effect.state}, generation {effect.epoch}, "
                        f"members {effect.members} ({effect.cause})"
                    )
                case Write():
                    self._at(self._now_ms + self._log_ms, self._end_of(effect))

    def _end_of(self, write: Write) -> Callable[[], None]:
        def end() -> None:
            self._coordinate(list(write.answers))
            self._coordinate(self._groups.handle(Written(write), self._now_ms))

        return end

    def _answer(self, request: Request, response: Response) -> None:
        process = self._senders.pop(id(request))
        beat = id(request) if isinstance(request, Heartbeat) else None
        if isinstance(response, Beaten) and response.error != NONE:
            self._refused.add(id(request))
        by = "a broker" if isinstance(request, FindCoordinator) else "coordinator"
        self._say(f"{by} -> {process.name}  {response_words(response)}", beat)
        heard = Answered(request, response)
        arrives_ms = self._now_ms + self._wire_ms
        self._at(arrives_ms, lambda: self._tell(process, heard))

    def _say(self, words: str, beat: int | None = None) -> None:
        self._lines.append((self._now_ms, words, beat))
