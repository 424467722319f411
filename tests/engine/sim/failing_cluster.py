"""A producer and brokers that fail as a test tells them: 1 ms each way, no service."""

from collections.abc import Callable, Sequence
from itertools import count
from typing import Any

import numpy as np

from kafkasim.config.producer import ProducerConfig
from kafkasim.engine.sim.calendar import CheckedCalendar, Rank, key_base
from kafkasim.engine.sim.client import NetworkClient, NetworkSettings
from kafkasim.engine.sim.client_metadata import ClientMetadata, MetadataSettings
from kafkasim.engine.sim.delivery import Delivery
from kafkasim.engine.sim.network import Nic, Pipe
from kafkasim.engine.sim.producer import Batch, ProducerClient
from kafkasim.engine.sim.request import METADATA, PRODUCE, Connection, Request
from kafkasim.protocol.errors import (
    ERRORS,
    INVALID_PRODUCER_EPOCH,
    MESSAGE_TOO_LARGE,
    NONE,
    NOT_LEADER_OR_FOLLOWER,
    OUT_OF_ORDER_SEQUENCE_NUMBER,
)
from kafkasim.scenario.blocks import PlannedBlocks
from kafkasim.scenario.hardware import Link
from kafkasim.scenario.plan import SourcePlan
from kafkasim.units import ns_from_ms

MS = 1_000_000
FIRST = 10
"""Run-wide index of partition 0."""
KEYS = ("abc", "a", "key-2", "key-4")
"""Keys of partitions 0, 1, 2 and 0 among three; 0, 0, 0, 0 of one."""


class Server:
    """A broker: notes what arrives, answers at once what the test says."""

    def __init__(self, cluster: "Cluster", node: int) -> None:
        self.cluster = cluster
        self.node = node
        self.up = True
        self.silent = False
        """Takes one more request of a connection, and never answers it."""
        self.errors: dict[int, list[int]] = {}
        """By partition, what the next batches meet; NONE appends."""
        self.appends_anyway = False
        """Appends also what it answers an error to."""
        self.most_bytes = 1 << 30
        """`max.message.bytes`."""
        self.hints: dict[int, tuple[int, int]] | None = None
        self.connections: list[Connection] = []
        self._key = key_base(Rank.ANSWER, 10 + node)

    def accept(self, connection: Connection) -> bool:
        if self.up:
            self.connections.append(connection)
        return self.up

    def arrive(self, request: Request) -> None:
        connection = request.connection
        if not self.up or connection.broken or connection.muted:
            return
        if request.api == METADATA:
            request.answer = dict(self.cluster.leaders)
        elif request.api == PRODUCE:
            self._produce(request)
        if self.silent:
            connection.muted = True
        elif request.wants_answer:
            self.answer(request)

    def answer(self, request: Request) -> None:
        self._key += 1
        calendar = self.cluster.calendar
        at_ns = request.connection.down.transfer(calendar.now_ns, 0)
        calendar.at(at_ns, self._key, request.on_answer, request)

    def _produce(self, request: Request) -> None:
        met = {}
        for batch in request.payload:
            script = self.errors.get(batch.partition)
            error = script.pop(0) if script else NONE
            if batch.size_bytes > self.most_bytes:
                error = MESSAGE_TOO_LARGE
            if error == NONE or self.appends_anyway:
                refused = self.cluster.append(batch, self.node)
                error = refused if error == NONE else error
            if error != NONE:
                met[FIRST + batch.partition] = error
        request.errors = met or None
        request.hints = self.hints if met else None

    def crash(self) -> None:
        """Die now; clients learn of it after the link's delay."""
        if not self.up:
            return
        self.up = False
        connection = self.cluster.network.connections[self.node]
        connection.broken = True
        on_lost = connection.on_lost
        assert on_lost is not None
        self._key += 1
        calendar = self.cluster.calendar
        at_ns = connection.down.transfer(calendar.now_ns, 0)
        calendar.at(at_ns, self._key, on_lost, connection)


class Cluster:
    """A producer of a source with these records, and so many brokers.

    Parameters
    ----------
    records : list of (float, str)
        When each is created, in ms, and its key.
    leaders : tuple of int
        Node that leads each partition.
    nodes : int
        Number of brokers.
    strict : bool
        Brokers look at who leads, and at producer ids, epochs and sequences.
    config
        The producer's settings.
    """

    def __init__(
        self,
        records: list[tuple[float, str | None]],
        *,
        leaders: tuple[int, ...] = (0,),
        nodes: int = 1,
        request_timeout_ms: int = 1_000,
        strict: bool = False,
        **config: Any,  # noqa: ANN401 - settings by name
    ) -> None:
        settings = {"delivery_timeout_ms": 10_000, "linger_ms": 0, **config}
        resolved = ProducerConfig(
            request_timeout_ms=request_timeout_ms, **settings
        ).resolve()
        self.calendar = CheckedCalendar()
        self.leaders = {FIRST + p: (node, 0) for p, node in enumerate(leaders)}
        self.log: list[list[tuple[int, int, int, int]]] = [[] for _ in leaders]
        """Per partition: lo, hi, producer epoch and base sequence of each append."""
        self.strict = strict
        self.servers = [Server(self, node) for node in range(nodes)]
        self.sent: list[tuple[float, int, list[tuple[int, int, int]]]] = []
        """Requests: ms, node, and (partition, lo, attempts) of each batch."""
        self.done: list[tuple[float, int, int, str | None]] = []
        """Final batches: ms, partition, lo, and the error's name."""
        self.splits: list[tuple[int, int]] = []
        """Batches that were split."""
        self.requests = count()
        self.network = self._network(request_timeout_ms, resolved)
        self.metadata = ClientMetadata(
            calendar=self.calendar,
            network=self.network,
            partitions=list(self.leaders),
            leaders=leaders,
            settings=MetadataSettings(),
            draws=np.random.default_rng(2),
            next_request_id=self.requests.__next__,
            on_done=lambda _, __: None,
        )
        self.client = self._producer(records, resolved)
        self.client.start()

    def _network(self, timeout_ms: int, config: ProducerConfig) -> NetworkClient:
        link = Link(delay_ms=1.0)
        pipes = [
            [
                Pipe(Nic(1e9), link, seed=1, name=f"{way}/{server.node}")
                for way in ("up", "down")
            ]
            for server in self.servers
        ]
        return NetworkClient(
            calendar=self.calendar,
            actor=0,
            connections=[
                Connection(client=0, broker=node, up=up, down=down)
                for node, (up, down) in enumerate(pipes)
            ],
            brokers=self.servers,
            settings=NetworkSettings(
                request_timeout_ns=ns_from_ms(timeout_ms),
                max_in_flight=config.max_in_flight_requests_per_connection,
            ),
            draws=np.random.default_rng(1),
            on_failed=self.failed,
        )

    def _producer(
        self, records: list[tuple[float, str | None]], config: ProducerConfig
    ) -> ProducerClient:
        return ProducerClient(
            calendar=self.calendar,
            actor=0,
            source_index=0,
            source=PlannedBlocks(source(records), {}),
            config=config,
            topic_index=0,
            leaders=self.metadata.leaders,
            node_count=len(self.servers),
            draws=np.random.default_rng(5),
            send=self.send,
            next_batch_id=count().__next__,
            delivery=Delivery(
                network=self.network,
                metadata=self.metadata,
                draws=np.random.default_rng(3),
                on_batches_done=self.note_done,
                on_split=lambda batch: self.splits.append((batch.lo, batch.hi)),
                producer_id=7,
                new_producer_id=lambda: 8,
            ),
        )

    # --- what the producer calls --------------------------------------------------

    def send(
        self, client: ProducerClient, node: int, batches: list[Batch], size: int
    ) -> None:
        now_ns = self.calendar.now_ns
        assert size == sum(batch.size_bytes for batch in batches)
        shown = [(batch.partition, batch.lo, batch.attempts) for batch in batches]
        self.sent.append((now_ns / MS, node, shown))
        connection = self.network.connections[node]
        request = Request(PRODUCE, connection, now_ns, batches, self.answered)
        request.request_id = next(self.requests)
        request.wants_answer = client.awaits_answers
        for batch in batches:
            batch.partition_index = FIRST + batch.partition
        self.network.send(request)

    def answered(self, request: Request) -> None:
        if self.network.answered(request):
            self.client.on_answer(
                request.connection.broker,
                request.payload,
                request.errors,
                request.hints,
            )

    def failed(self, request: Request) -> None:
        if not self.metadata.failed(request):
            self.client.on_failed(request.payload, request.error)

    def note_done(self, batches: Sequence[Batch]) -> None:
        now_ns = self.calendar.now_ns
        for batch in batches:
            error = None if batch.error == NONE else ERRORS[batch.error]
            assert (error is None) == (batch.acked_ns == now_ns)
            self.done.append((now_ns / MS, batch.partition, batch.lo, error))

    # --- what a test does -----------------------------------------------------------

    def append(self, batch: Batch, node: int) -> int:
        """Append a batch to its partition's log; return what keeps it from that."""
        log = self.log[batch.partition]
        entry = (batch.lo, batch.hi, batch.producer_epoch, batch.base_sequence)
        if self.strict:
            if self.leaders[FIRST + batch.partition][0] != node:
                return NOT_LEADER_OR_FOLLOWER
            error = self._met_sequence(log, batch)
            if error is not None:
                return error
        log.append(entry)
        return NONE

    @staticmethod
    def _met_sequence(log: list[tuple[int, int, int, int]], batch: Batch) -> int | None:
        """Return what a broker says to a sequence, None if it appends (ID-7 to ID-10).

        A duplicate of one of the last five batches succeeds and is not appended.
        """
        if not log or batch.producer_id < 0:
            return None
        lo, hi, epoch, sequence = log[-1]
        if batch.producer_epoch < epoch:
            return INVALID_PRODUCER_EPOCH
        if batch.producer_epoch > epoch:
            return None if batch.base_sequence == 0 else OUT_OF_ORDER_SEQUENCE_NUMBER
        key = (batch.base_sequence, batch.hi - batch.lo)
        known = [e for e in log[-5:] if e[2] == epoch]
        if key in {(first, end - begin) for begin, end, _, first in known}:
            return NONE
        follows = batch.base_sequence == sequence + hi - lo
        return None if follows else OUT_OF_ORDER_SEQUENCE_NUMBER

    def run(self, until_ms: float = 100_000) -> None:
        self.calendar.run_entries(round(until_ms * MS))

    def at(self, ms: float, function: Callable[[], object]) -> None:
        """Run a function at a time, before what else happens then."""
        self.calendar.at(
            round(ms * MS),
            key_base(Rank.COMMAND, 0) + next(self.requests),
            lambda _: function(),
            None,
        )

    def move(self, partition: int, node: int) -> None:
        """Let another node lead a partition, in the next epoch."""
        _, epoch = self.leaders[FIRST + partition]
        self.leaders[FIRST + partition] = (node, epoch + 1)

    def outcomes(self) -> list[tuple[int, int, str | None]]:
        return [(partition, lo, error) for _, partition, lo, error in self.done]


def source(records: list[tuple[float, str | None]]) -> SourcePlan:
    labels = tuple(sorted({key for _, key in records if key is not None}))
    return SourcePlan(
        source="web",
        stream="orders",
        intended_ns=np.array([round(at * MS) for at, _ in records], dtype=np.int64),
        key_id=np.array(
            [-1 if key is None else labels.index(key) for _, key in records],
            dtype=np.int32,
        ),
        key_labels=labels,
        entity_id=np.full(len(records), -1, dtype=np.int32),
        entity_labels=(),
        value_bytes=np.full(len(records), 50, dtype=np.int32),
    )
