"""A run with coordinators of a small make, and someone who asks them.

The machine behind each partition of the offsets topic is the smallest that stores
offsets: what is tested with it is its host.
"""

from collections.abc import Collection, Iterable, Sequence
from typing import Any

from kafkasim.engine.sim.calendar import Rank, key_base
from kafkasim.engine.sim.group_requests import GroupRequest
from kafkasim.engine.sim.request import Request
from kafkasim.engine.sim.systems.coordinated import CoordinatedRun
from kafkasim.protocol.errors import ERRORS, NONE
from kafkasim.protocol.groups.coordinator.coordinator_answers import refused
from kafkasim.protocol.groups.coordinator_records import OffsetRecord, Record
from kafkasim.protocol.groups.group_messages import (
    Answer,
    Beaten,
    CommittedOffset,
    Effect,
    Heartbeat,
    OffsetCommit,
    OffsetFetch,
    OffsetsCommitted,
    OffsetsFetched,
    Response,
    Write,
    WriteFailed,
)
from kafkasim.protocol.groups.group_messages import Request as Message
from kafkasim.protocol.offsets_topic import offsets_partition
from kafkasim.result.result import Result
from kafkasim.scenario.arrivals import Periodic
from kafkasim.scenario.events import Event
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.systems import Kafka, Topic
from kafkasim.scenario.traffic import Source, Traffic

GROUP = "billing"
_PROBE = 900
"""Its number among the actors."""


class SmallShard:
    """Stores offsets, and says what it heard."""

    def __init__(self) -> None:
        self.offsets: dict[tuple[str, int], int | None] = {}
        self.loaded: list[Record] | None = None
        self.heard: list[object] = []
        self.deadline_ms: int | None = None
        self.fired: list[int] = []

    @property
    def next_deadline_ms(self) -> int | None:
        return self.deadline_ms

    def load(self, records: Iterable[Record], now_ms: int) -> list[Effect]:  # noqa: ARG002
        self.loaded = list(records)
        for record in self.loaded:
            assert isinstance(record, OffsetRecord)
            self.offsets[record.topic, record.partition] = record.offset
        return []

    def handle(self, message: Any, now_ms: int) -> list[Effect]:  # noqa: ANN401
        self.heard.append(message)
        if isinstance(message, OffsetCommit):
            records = tuple(
                OffsetRecord(
                    message.group, each.topic, each.partition, each.offset,
                    metadata=each.metadata, committed_ms=now_ms,
                )
                for each in message.offsets
            )  # fmt: skip
            for record in records:
                self.offsets[record.topic, record.partition] = record.offset
            good = tuple(((r.topic, r.partition), NONE) for r in records)
            answer = Answer(message, OffsetsCommitted(errors=good))
            return [Write(records, (answer,))]
        if isinstance(message, OffsetFetch):
            found = tuple(
                CommittedOffset(
                    topic=topic, partition=n, offset=self.offsets.get((topic, n)) or -1
                )
                for topic, n in message.partitions
            )
            return [Answer(message, OffsetsFetched(offsets=found))]
        if isinstance(message, Heartbeat):
            return [Answer(message, Beaten(), after_writes=True)]
        if isinstance(message, WriteFailed):
            told = [each.request for each in message.write.answers]
            return [refused(one, message.error) for one in told]
        return []

    def metadata_changed(self, topics: Collection[str]) -> None:
        """It does not look at topics."""

    def unload(self, now_ms: int) -> list[Effect]:  # noqa: ARG002
        self.heard.append("unload")
        return []

    def handle_timeout(self, now_ms: int) -> list[Effect]:
        self.fired.append(now_ms)
        self.deadline_ms = None
        return []


class Said:
    """An answer that has come."""

    def __init__(self, at_ms: float, response: Response | None, error: str) -> None:
        self.at_ms = at_ms
        self.response = response
        self.error = error


class ProbedRun(CoordinatedRun):
    """A run without subscribers, in which a probe asks coordinators."""

    shards: dict[int, list[SmallShard]]
    next_shard: SmallShard | None = None

    def probe(self) -> None:
        """Make the probe's connections, two to each broker."""
        self.shards = {}
        code = self.tables.client_code("source:web")
        self.ways = [
            [
                self.hosts.connect("source:web", code, broker, f"/probe {turn}")
                for broker in range(self.system.brokers)
            ]
            for turn in range(2)
        ]
        self._key = key_base(Rank.ARRIVAL, _PROBE)

    def _new_shard(self, number: int) -> SmallShard:
        made = self.next_shard or SmallShard()
        self.next_shard = None
        self.shards.setdefault(number, []).append(made)
        return made

    def _coordinator_answered(self, request: GroupRequest, answer: Response) -> None:
        """Note nothing: the group is no subscriber's."""

    def ask(
        self, at_ms: float, node: int, message: Message, way: int = 0
    ) -> list[Said]:
        """Ask a broker at a time; the list gets the answer when it comes."""
        said: list[Said] = []

        def answered(request: Request) -> None:
            error = "" if request.error == NONE else ERRORS[request.error]
            said.append(Said(self.calendar.now_ns / 1e6, request.answer, error))

        def send(_: object) -> None:
            now_ns = self.calendar.now_ns
            connection = self.ways[way][node]
            request = GroupRequest(connection, now_ns, message, answered, 0)
            request.request_id = self.next_request_id()
            self._key += 1
            at_ns = connection.up.transfer(now_ns, 0)
            self.calendar.at(at_ns, self._key, self.brokers[node].arrive, request)

        self.timeline.command(round(at_ms * 1e6), send, None)
        return said

    @property
    def home(self) -> int:
        """The broker that leads the group's partition at first."""
        return offsets_partition(GROUP) % self.system.brokers


def large_commit(offset: int, size_bytes: int) -> OffsetCommit:
    """Return a commit whose records take so many bytes and some more."""
    text = "x" * 4_000
    what = tuple(
        CommittedOffset(topic="orders", partition=n, offset=offset, metadata=text)
        for n in range(size_bytes // 4_000)
    )
    return OffsetCommit(group=GROUP, offsets=what)


def commit(offset: int, partition: int = 0) -> OffsetCommit:
    """Return the commit of an offset."""
    what = CommittedOffset(topic="orders", partition=partition, offset=offset)
    return OffsetCommit(group=GROUP, offsets=(what,))


def fetch() -> OffsetFetch:
    """Return the question what is committed."""
    return OffsetFetch(group=GROUP, partitions=(("orders", 0),))


def beat() -> Heartbeat:
    """Return a heartbeat."""
    return Heartbeat(group=GROUP, generation=1, member_id="m")


def probed(
    brokers: int = 1,
    *,
    events: Sequence[Event] = (),
    duration_s: float = 1.0,
    check: bool = True,
    **kafka: Any,  # noqa: ANN401
) -> ProbedRun:
    """Return a run with a probe, ready to be asked and then run."""
    traffic = Traffic(
        sources={"web": Source("orders", Periodic(10))},
        subscribers={},
        duration_s=duration_s,
    )
    topic = Topic(partitions=2, replication_factor=brokers)
    system = Kafka(brokers=brokers, topics={"orders": topic}, **kafka)
    scenario = Scenario(traffic, system, events=tuple(events), end="cut")
    run = ProbedRun(scenario, scenario.plan(), check=check)
    run.probe()
    return run


def healthy(result: Result) -> Result:
    """Assert that no invariant was broken; return the result."""
    assert len(result.violations) == 0, result.violations.to_string()
    return result
