"""A group and its coordinator talk, and what they say is written down.

The machines of both sides run here without a broker's queue or threads: any message
takes the same time, and so does a write to the log until it is replicated. Applications
wait in `poll()` unless they are told to work, and their callbacks return at once; they
read ten records of each partition as soon as they know where to begin. What is read in
the end is the conversation: a line for each message, for each change of the group, for
each callback, and for where a member begins. Heartbeats are left out unless one of the
two has something to say with them, and what is longer than a line goes on in the next.
"""

from collections.abc import Callable, Mapping
from heapq import heappop, heappush
from itertools import count
from typing import Final

from kafkasim.protocol.groups.coordinator.classic_rebalances import ClassicSettings
from kafkasim.protocol.groups.group_messages import (
    ConsumerGroupHeartbeat,
    FindCoordinator,
    Heartbeat,
    Request,
    Response,
    TopicPartition,
)
from kafkasim.protocol.groups.member.member_effects import (
    Answered,
    Assigned,
    CallbackDone,
    Close,
    Closed,
    CoordinatorIs,
    Failed,
    Input,
    Lost,
    MetadataCame,
    OffsetsFound,
    OffsetsWanted,
    Partitions,
    Polled,
    Raised,
    Revoked,
    Send,
)
from kafkasim.protocol.groups.member.member_effects import Effect as MemberEffect
from kafkasim.protocol.groups.member.member_settings import MemberSettings
from kafkasim.testing.group_brokers import BrokerCalls, GroupBrokers, new_shard
from kafkasim.testing.group_process import TalkingProcess
from kafkasim.testing.group_words import (
    error_name,
    lines_of,
    partition_names,
    request_words,
    response_words,
    says_something,
)

_BEATS: Final = (Heartbeat, ConsumerGroupHeartbeat)


class GroupConversation:
    """One group; a member without assignors speaks the consumer protocol.

    Parameters
    ----------
    topics : mapping
        How many partitions each topic has.
    settings : ClassicSettings, optional
        Of the coordinator.
    brokers : int
        How many there are; the first one coordinates.
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
        brokers: int = 1,
        wire_ms: int = 1,
        log_ms: int = 2,
    ) -> None:
        self._topics = topics
        self._wire_ms = wire_ms
        self._processes: dict[str, TalkingProcess] = {}
        self._heap: list[tuple[int, int, Callable[[], None]]] = []
        self._order = count()
        self._now_ms = 0
        self._lines: list[tuple[int, str, int | None]] = []
        """Time, words, and which heartbeat a line belongs to."""
        self._told: set[int] = set()
        """Heartbeats with which something is said."""
        self._asked: list[Request] = []
        """Held so that identities stay their own."""
        self._senders: dict[int, TalkingProcess] = {}
        """Who asked, by the identity of the request."""
        calls = BrokerCalls(self._at, lambda: self._now_ms, self._say, self._answer)
        ids = count(1)
        groups = settings or ClassicSettings()
        self._brokers = GroupBrokers(
            lambda: new_shard(topics, groups, lambda: str(next(ids))),
            brokers,
            log_ms,
            calls,
        )

    # The story

    def start(self, at_ms: int, name: str, settings: MemberSettings) -> None:
        """Start a consumer; the application calls `poll()`."""

        def begin() -> None:
            process = TalkingProcess(name, settings, self._now_ms)
            self._processes[name] = process
            self._say(f"{name} starts")
            self._tell(process, MetadataCame(self._topics))

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

    def move(self, at_ms: int, broker: int, loads_ms: int) -> None:
        """Let another broker, from 0, lead the partition that keeps the group.

        Parameters
        ----------
        at_ms : int
            When.
        broker : int
            Which one.
        loads_ms : int
            How long it reads the partition until it coordinates.
        """
        self._at(at_ms, lambda: self._brokers.move(broker, loads_ms))

    def _thaw(self, process: TalkingProcess) -> None:
        self._say(f"{process.name} goes on")
        self._poll(process)

    def text(self, until_ms: int, since_ms: int = 0) -> str:
        """Return what was said in that time."""
        while (due_ms := self._next_ms()) is not None and due_ms <= until_ms:
            self._now_ms = due_ms
            self._step()
        told = [
            line
            for ms, words, beat in self._lines
            if ms >= since_ms and (beat is None or beat in self._told)
            for line in lines_of(ms, words)
        ]
        return "".join(f"{line}\n" for line in told)

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
        dues = [self._brokers.next_deadline_ms, *map(self._due_ms, self._live())]
        if self._heap:
            dues.append(self._heap[0][0])
        return min((due for due in dues if due is not None), default=None)

    def _live(self) -> list[TalkingProcess]:
        return [
            each
            for each in self._processes.values()
            if each.runs and each.frozen_until_ms <= self._now_ms
        ]

    def _due_ms(self, process: TalkingProcess) -> int | None:
        dues = [process.machine.next_deadline_ms]
        if self._polls(process):
            dues.append(process.machine.polls_again_ms)
        return min((due for due in dues if due is not None), default=None)

    def _step(self) -> None:
        """Do what is due: messages and the story first, then timers."""
        if self._heap and self._heap[0][0] <= self._now_ms:
            heappop(self._heap)[2]()
            return
        self._brokers.handle_timeout()
        for process in self._live():
            due_ms = self._due_ms(process)
            if due_ms is not None and due_ms <= self._now_ms:
                self._do(process, process.machine.handle_timeout(self._now_ms))
                self._poll(process)

    # Members

    def _tell(self, process: TalkingProcess, heard: Input) -> None:
        """Let a member hear something, now or when its process goes on."""
        if self._now_ms < process.frozen_until_ms:
            again = process.frozen_until_ms
            self._at(again, lambda: self._tell(process, heard))
        elif process.runs:
            self._do(process, process.machine.handle(heard, self._now_ms))
            self._poll(process)

    def _poll(self, process: TalkingProcess) -> None:
        """Let the application's `poll()` go on until there is nothing to do."""
        while process.runs and not process.closes and self._polls(process):
            effects = process.machine.handle(Polled(), self._now_ms)
            if not effects and process.machine.is_ready:
                wanted = OffsetsWanted(process.lost_positions)
                effects = process.machine.handle(wanted, self._now_ms)
            if not effects:
                return
            self._do(process, effects)

    def _polls(self, process: TalkingProcess) -> bool:
        return process.works_until_ms <= self._now_ms

    def _do(self, process: TalkingProcess, effects: list[MemberEffect]) -> None:
        for effect in effects:
            match effect:
                case Send(request):
                    self._send(process, request)
                case CoordinatorIs(node):
                    self._turn(process, node)
                case Revoked(partitions) | Lost(partitions) | Assigned(partitions):
                    self._call(process, effect, partitions)
                case OffsetsFound(offsets):
                    self._say(f"{process.name} reads {process.read(offsets)}")
                case Raised(error):
                    self._say(f"{process.name} poll() throws {error_name(error)}")
                    process.runs = False
                case Closed():
                    self._say(f"{process.name} has closed")
                    process.runs = False
                case _:
                    pass

    def _call(
        self,
        process: TalkingProcess,
        effect: Revoked | Lost | Assigned,
        partitions: Partitions,
    ) -> None:
        """Run a callback; what is given up is forgotten after it."""
        call = f"onPartitions{type(effect).__name__}"
        self._say(f"{process.name} {call}({partition_names(partitions)})")
        self._do(process, process.machine.handle(CallbackDone(), self._now_ms))
        if not isinstance(effect, Assigned):
            for at in partitions:
                process.positions.pop(at, None)

    def _turn(self, process: TalkingProcess, node: int | None) -> None:
        """Turn to another coordinator; what is under way to the old one fails."""
        failed, process.under_way = process.under_way, []
        if node is not None:
            process.coordinator = node
        for request in failed:
            self._do(process, process.machine.handle(Failed(request), self._now_ms))

    def _send(self, process: TalkingProcess, request: Request) -> None:
        self._asked.append(request)
        beat = id(request) if isinstance(request, _BEATS) else None
        node = process.coordinator
        to = "a broker"
        if not isinstance(request, FindCoordinator):
            process.under_way.append(request)
            to = self._brokers.name(node)
        self._say(f"{process.name} -> {to}  {request_words(request)}", beat)
        self._senders[id(request)] = process
        arrives_ms = self._now_ms + self._wire_ms
        self._at(arrives_ms, lambda: self._brokers.take(node, request))

    def _answer(self, node: int, request: Request, response: Response) -> None:
        process = self._senders.pop(id(request))
        beat = id(request) if isinstance(request, _BEATS) else None
        if says_something(request, response):
            self._told.add(id(request))
        is_looked_for = isinstance(request, FindCoordinator)
        by = "a broker" if is_looked_for else self._brokers.name(node)
        self._say(f"{by} -> {process.name}  {response_words(response)}", beat)

        def hear() -> None:
            if not is_looked_for:
                if not any(each is request for each in process.under_way):
                    return  # it has failed
                process.under_way = [
                    each for each in process.under_way if each is not request
                ]
            self._tell(process, Answered(request, response))

        self._at(self._now_ms + self._wire_ms, hear)

    def _say(self, words: str, beat: int | None = None) -> None:
        self._lines.append((self._now_ms, words, beat))
