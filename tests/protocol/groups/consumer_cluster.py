"""Members of the consumer protocol and their coordinator, with a network between.

Both sides are the real machines. Every message takes `LATENCY_MS`, a write `WRITE_MS`;
applications poll every `POLL_MS` and their callbacks take as long as they are told.
"""

from collections.abc import Callable, Mapping
from heapq import heappop, heappush
from typing import Final

from kafkasim.protocol.errors import NOT_COORDINATOR
from kafkasim.protocol.groups.coordinator.consumer_groups import ConsumerGroups
from kafkasim.protocol.groups.coordinator.consumer_heartbeat import (
    ConsumerGroupSettings,
)
from kafkasim.protocol.groups.coordinator.consumer_target import ServerAssignor
from kafkasim.protocol.groups.coordinator_records import Record
from kafkasim.protocol.groups.group_messages import (
    Answer,
    CommittedOffset,
    ConsumerGroupBeaten,
    ConsumerGroupHeartbeat,
    CoordinatorFound,
    FindCoordinator,
    GroupChanged,
    OffsetCommit,
    OffsetFetch,
    OffsetsCommitted,
    OffsetsFetched,
    Request,
    Response,
    TopicPartition,
    Write,
    Written,
)
from kafkasim.protocol.groups.group_messages import Effect as Decided
from kafkasim.protocol.groups.member.consumer_member import ConsumerMember
from kafkasim.protocol.groups.member.consumer_states import State
from kafkasim.protocol.groups.member.member_effects import (
    Answered,
    Assigned,
    CallbackDone,
    Close,
    Closed,
    Effect,
    Failed,
    Input,
    Lost,
    Polled,
    Raised,
    Revoked,
    Send,
)
from kafkasim.protocol.groups.member.member_settings import MemberSettings

GROUP: Final = "group"
LATENCY_MS: Final = 1
WRITE_MS: Final = 2


class Host:
    """A process with one member; it tells what callbacks it runs, and when."""

    def __init__(
        self, cluster: "Cluster", name: str, settings: MemberSettings, poll_ms: int
    ) -> None:
        self.cluster = cluster
        self.name = name
        self.poll_ms = poll_ms
        self.machine = ConsumerMember(
            settings,
            member_id=name,
            consumed=self.consumed,
            backoff_ms=lambda failures: 100 * 2 ** min(failures, 3),
            now_ms=cluster.now_ms,
        )
        self.owned: set[TopicPartition] = set()
        self.callbacks: list[tuple[int, str, tuple[int, ...]]] = []
        self.alive = True
        self.works_until_ms = 0
        self.callback_ms = 0
        self.answers_get_lost = False
        self.closed = False
        self.raised: list[int] = []
        self._in_callback = False
        self._due_ms: int | None = None
        self.poll()

    def consumed(self) -> tuple[CommittedOffset, ...]:
        return tuple(
            CommittedOffset(topic=topic, partition=partition, offset=1)
            for topic, partition in sorted(self.owned)
        )

    def poll(self) -> None:
        """Poll, and again and again."""
        if not self.alive or self.closed or self.raised:
            return
        now_ms = self.cluster.now_ms
        if now_ms >= self.works_until_ms and not self._in_callback:
            self.hear(Polled())
        self.cluster.at(now_ms + self.poll_ms, self.poll)

    def close(self) -> None:
        """Close as soon as no callback runs."""
        if self._in_callback:
            self.cluster.at(self.cluster.now_ms + self.poll_ms, self.close)
        elif self.alive:
            self.hear(Close())

    def hear(self, event: Input) -> None:
        """Let the machine hear something, and do what it asks for."""
        if self.alive and not self.closed:
            for effect in self.machine.handle(event, self.cluster.now_ms):
                self.do(effect)
            self.look_at_the_clock()

    def look_at_the_clock(self) -> None:
        due_ms = self.machine.next_deadline_ms
        if due_ms is not None and due_ms != self._due_ms:
            self._due_ms = due_ms
            self.cluster.at(max(due_ms, self.cluster.now_ms), self.timeout)

    def timeout(self) -> None:
        due_ms = self.machine.next_deadline_ms
        if due_ms is None or due_ms > self.cluster.now_ms:
            return
        self._due_ms = None
        if self.alive and not self.closed:
            for effect in self.machine.handle_timeout(self.cluster.now_ms):
                self.do(effect)
            self.look_at_the_clock()

    def do(self, effect: Effect) -> None:
        match effect:
            case Send(request):
                self.cluster.send(self, request)
            case Revoked(partitions) | Lost(partitions):
                self.note(effect, partitions)
                self.call(partitions)
            case Assigned(partitions):
                self.owned |= set(partitions)
                self.note(effect, partitions)
                self.call(())
            case Closed():
                self.closed = True
                self.note(effect, ())
            case Raised(error):
                self.raised.append(error)
            case _:
                pass

    def note(self, effect: Effect, partitions: tuple[TopicPartition, ...]) -> None:
        numbers = tuple(partition for _, partition in partitions)
        name = type(effect).__name__.lower()
        self.callbacks.append((self.cluster.now_ms, name, numbers))

    def call(self, given_up: tuple[TopicPartition, ...]) -> None:
        self._in_callback = True
        at_ms = self.cluster.now_ms + self.callback_ms

        def done() -> None:
            self._in_callback = False
            self.owned -= set(given_up)
            self.hear(CallbackDone())

        self.cluster.at(at_ms, done)


class Cluster:
    """One coordinator and the members that talk to it."""

    def __init__(
        self,
        settings: ConsumerGroupSettings,
        assignors: Mapping[str, ServerAssignor],
        topics: dict[str, int],
    ) -> None:
        self.settings = settings
        self.assignors = assignors
        self.topics = topics
        self.now_ms = 0
        self.hosts: list[Host] = []
        self.log: list[Record] = []
        self.changes: list[tuple[int, str, int]] = []
        """When, state, and members."""
        self.after_each: Callable[[], None] = lambda: None
        self._queue: list[tuple[int, int, Callable[[], None]]] = []
        self._turn = 0
        self._due_ms: int | None = None
        self.groups = self.coordinator()

    def coordinator(self) -> ConsumerGroups:
        return ConsumerGroups(self.settings, self.assignors, self.topics.get)

    def at(self, at_ms: int, do: Callable[[], None]) -> None:
        self._turn += 1
        heappush(self._queue, (at_ms, self._turn, do))

    def run_to(self, at_ms: int) -> None:
        while self._queue and self._queue[0][0] <= at_ms:
            self.now_ms, _, do = heappop(self._queue)
            do()
            self.after_each()
            due_ms = self.groups.next_deadline_ms
            if due_ms is not None and due_ms != self._due_ms:
                self._due_ms = due_ms
                self.at(max(due_ms, self.now_ms), self.timeout)
        self.now_ms = at_ms

    def start(self, name: str, settings: MemberSettings, poll_ms: int = 50) -> Host:
        host = Host(self, name, settings, poll_ms)
        self.hosts.append(host)
        return host

    def timeout(self) -> None:
        self._due_ms = None
        for effect in self.groups.handle_timeout(self.now_ms):
            self.decided(None, effect)

    def fail_over(self) -> None:
        """Let another coordinator take over, with what was written."""
        self.groups = self.coordinator()
        for record in self.log:
            self.groups.replay(record, self.now_ms)
        self.groups.loaded(self.now_ms)

    def send(self, host: Host, request: Request) -> None:
        self.at(self.now_ms + LATENCY_MS, lambda: self.arrive(host, request))

    def arrive(self, host: Host, request: Request) -> None:
        match request:
            case FindCoordinator():
                self.answer(host, request, CoordinatorFound(node=0))
            case OffsetCommit():
                partitions = [(at.topic, at.partition) for at in request.offsets]
                errors = (
                    self.groups.commit_errors(request, self.now_ms)
                    if self.groups.has(GROUP)
                    else (NOT_COORDINATOR,) * len(partitions)
                )
                errors_of = tuple(zip(partitions, errors, strict=True))
                self.answer(host, request, OffsetsCommitted(errors=errors_of))
            case OffsetFetch():
                self.answer(host, request, OffsetsFetched())
            case ConsumerGroupHeartbeat():
                for effect in self.groups.handle(request, self.now_ms):
                    self.decided(host, effect)
            case _:
                raise AssertionError(request)

    def decided(self, host: Host | None, effect: Decided) -> None:
        match effect:
            case Answer(request, response):
                if host is not None:
                    self.answer(host, request, response)
            case Write():
                self.log += effect.records
                self.at(self.now_ms + WRITE_MS, lambda: self.written(host, effect))
            case GroupChanged():
                change = (self.now_ms, effect.state, effect.members)
                self.changes.append(change)

    def written(self, host: Host | None, write: Write) -> None:
        for answer in write.answers:
            if host is not None:
                self.answer(host, answer.request, answer.response)
        self.groups.handle(Written(write), self.now_ms)

    def answer(self, host: Host, request: Request, response: Response) -> None:
        gets_lost = host.answers_get_lost
        event = Failed(request) if gets_lost else Answered(request, response)
        self.at(self.now_ms + LATENCY_MS, lambda: host.hear(event))

    # What is looked at

    def beaten(self, request: ConsumerGroupHeartbeat) -> ConsumerGroupBeaten:
        """Return what a heartbeat out of the blue is answered."""
        effects = self.groups.handle(request, self.now_ms)
        for effect in effects:
            if isinstance(effect, Write):
                self.log += effect.records
        answers = [effect for effect in effects if isinstance(effect, Answer)]
        answers += [
            answer
            for effect in effects
            if isinstance(effect, Write)
            for answer in effect.answers
        ]
        response = answers[0].response
        assert isinstance(response, ConsumerGroupBeaten)
        return response

    @property
    def members(self) -> list[Host]:
        """Hosts whose members the coordinator counts, and that know it."""
        if not self.groups.has(GROUP):
            return []
        known = self.groups.group(GROUP).members
        return [
            host
            for host in self.hosts
            if host.alive
            and host.machine.state not in {State.FENCED, State.STALE}
            and host.name in known
            and host.machine.generation > 0
        ]
