"""The engine's producer, before ideal brokers, and the plain one, on one scenario."""

from itertools import count
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kafkasim.config.producer import ProducerConfig
from kafkasim.engine.sim.calendar import Calendar, CheckedCalendar, Rank, key_base
from kafkasim.engine.sim.producer import Batch, ProducerClient
from kafkasim.engine.sim.source_columns import Placing
from kafkasim.protocol.producing.partitioner import Draws, key_partition
from kafkasim.result.schema import CLOSED_BY
from kafkasim.scenario.blocks import PlannedBlocks
from kafkasim.scenario.plan import SourcePlan
from kafkasim.testing import (
    ReferenceBatch,
    ReferenceProducer,
    ReferenceRecord,
    ReferenceRow,
    ReferenceSettings,
)
from kafkasim.units import MISSING_NS

MS = 1_000_000
KEYS = ("", "a", "key-1", "key-2", "key-3", "k" * 63, "k" * 64)


class Scenario(NamedTuple):
    """Records as (created_ns, key or None, value_bytes), and how to send them."""

    records: list[tuple[int, int | None, int]]
    settings: ReferenceSettings
    ignore_keys: bool
    seed: int
    by_record: bool = False


class IdealBrokers:
    """Constant delay and service; one request of a connection at a time."""

    def __init__(self, calendar: Calendar, settings: ReferenceSettings) -> None:
        self.calendar = calendar
        self.settings = settings
        self.sent: list[Batch] = []
        self.numbers = 0
        nodes = max(settings.leaders) + 1
        self.leaves_ns = [0] * nodes
        self.keys = [key_base(Rank.ANSWER, node) for node in range(nodes)]

    def next_batch_id(self) -> int:
        self.numbers += 1
        return self.numbers - 1

    def send(
        self, client: ProducerClient, node: int, batches: list[Batch], size: int
    ) -> None:
        assert size == sum(batch.size_bytes for batch in batches)
        self.sent += batches
        if not client.awaits_answers:
            return
        arrived_ns = self.calendar.now_ns + self.settings.delay_ns
        leaves_ns = max(arrived_ns, self.leaves_ns[node]) + self.settings.service_ns
        leaves_ns += sum(self.settings.slower_ns[node:][:1])
        self.leaves_ns[node] = leaves_ns
        self.keys[node] += 1
        self.calendar.at(
            leaves_ns + self.settings.delay_ns,
            self.keys[node],
            self.answer,
            (client, node, batches),
        )

    def answer(self, request: tuple[ProducerClient, int, list[Batch]]) -> None:
        client, node, batches = request
        client.on_answer(node, batches)


def plan_of(scenario: Scenario) -> SourcePlan:
    created_ns, keys, value_bytes = zip(*scenario.records, strict=True)
    size = len(created_ns)
    return SourcePlan(
        source="web",
        stream="orders",
        intended_ns=np.array(created_ns, dtype=np.int64),
        key_id=np.array([-1 if key is None else key for key in keys], dtype=np.int32),
        key_labels=KEYS,
        entity_id=np.full(size, -1, dtype=np.int32),
        entity_labels=(),
        value_bytes=np.array(value_bytes, dtype=np.int32),
    )


class Handed:
    """When records were created, and what became of those that were not appended."""

    def __init__(self, scenario: Scenario) -> None:
        self.intended_ns = [created_ns for created_ns, _, _ in scenario.records]
        self.created_ns = self.intended_ns.copy()
        self.waits: list[tuple[int, int]] = []
        self.failed: list[int] = []

    def delayed(self, ordinal: int, created_ns: int) -> None:
        assert created_ns > self.created_ns[ordinal]
        self.created_ns[ordinal] = created_ns

    def blocked(self, since_ns: int, until_ns: int) -> None:
        self.waits.append((since_ns, until_ns))

    def timed_out(self, ordinal: int, intended_ns: int) -> None:
        assert intended_ns == self.intended_ns[ordinal]
        self.failed.append(ordinal)


class Greedy:
    """Keeps nothing that was sent; remembers the ordinals of what was let go."""

    def __init__(self, sent: list[Batch], partitions: int) -> None:
        self.sent = sent
        self.gone: list[list[int]] = [[] for _ in range(partitions)]

    def needed(self) -> list[int]:
        ends = [0] * len(self.gone)
        for batch in self.sent:
            ends[batch.partition] = batch.hi
        return ends

    def released(self, partition: int, ordinals: NDArray[np.int32]) -> None:
        self.gone[partition] += ordinals.tolist()


class Rows(NamedTuple):
    """What a run has come to."""

    batches: list[tuple[Any, ...]]
    records: list[ReferenceRow]
    refused: list[int]
    failed: list[int]
    waits: list[tuple[int, int]]


def config_of(scenario: Scenario) -> ProducerConfig:
    settings = scenario.settings
    return ProducerConfig(
        acks=settings.acks,  # type: ignore[arg-type]
        enable_idempotence=False,
        batch_size=settings.batch_size,
        linger_ms=settings.linger_ns // MS,
        max_in_flight_requests_per_connection=settings.max_in_flight,
        max_request_size=settings.max_request_size,
        partitioner_adaptive_partitioning_enable=settings.adaptive,
        partitioner_ignore_keys=scenario.ignore_keys,
        partitioner_availability_timeout_ms=settings.availability_ns // MS,
        buffer_memory=settings.buffer_memory,
        max_block_ms=settings.max_block_ns // MS,
    ).resolve()


def rows_of(
    settings: ReferenceSettings,
    client: ProducerClient,
    keeper: Greedy,
    handed: Handed,
    batches: list[Batch],
) -> list[ReferenceRow]:
    """Lay out what became of each record."""
    end_ns = settings.end_ns
    rows = [
        ReferenceRow(created_ns=at if end_ns is None or at <= end_ns else None)
        for at in handed.created_ns
    ]
    for batch in batches:
        gone = keeper.gone[batch.partition]
        ordinals = gone + client.append_list(batch.partition).tolist()
        for index, ordinal in enumerate(ordinals[batch.lo : batch.hi]):
            rows[ordinal] = ReferenceRow(
                batch.partition,
                batch.batch_id,
                index,
                known(batch.acked_ns),
                rows[ordinal].created_ns,
            )
    return rows


def run_engine(scenario: Scenario, block: int | None = None) -> Rows:
    settings = scenario.settings
    calendar = CheckedCalendar()
    brokers = IdealBrokers(calendar, settings)
    plan = plan_of(scenario)
    keeper = Greedy(brokers.sent, len(settings.leaders))
    handed = Handed(scenario)
    client = ProducerClient(
        calendar=calendar,
        actor=0,
        source_index=0,
        source=PlannedBlocks(plan, {}, block),
        config=config_of(scenario),
        topic_index=0,
        leaders=settings.leaders,
        node_count=max(settings.leaders) + 1,
        draws=np.random.default_rng(scenario.seed),
        send=brokers.send,
        next_batch_id=brokers.next_batch_id,
        keeper=keeper if block else None,
        hand_over=handed,
        placing=Placing(
            round_robin=settings.round_robin,
            partition=settings.partition,
            leaders_move=scenario.by_record and scenario.seed % 2 == 0,
            by_record=scenario.by_record,
        ),
    )
    client.start()
    batches = brokers.sent
    if settings.end_ns is None:
        calendar.run_entries(1 << 61)
        assert client.finish(calendar.now_ns) == []
    else:
        calendar.run_entries(settings.end_ns)
        batches = batches + client.finish(settings.end_ns)
    rows = rows_of(settings, client, keeper, handed, batches)
    return Rows(
        [engine_row(batch) for batch in batches],
        rows,
        client.refused.tolist(),
        handed.failed,
        handed.waits,
    )


def run_reference(scenario: Scenario) -> Rows:
    partitions = len(scenario.settings.leaders)
    records = []
    for created_ns, key, value_bytes in scenario.records:
        key_bytes = -1 if key is None else len(KEYS[key])
        partition = None
        if key is not None and not scenario.ignore_keys:
            partition = key_partition(KEYS[key].encode(), partitions)
        records.append(ReferenceRecord(created_ns, key_bytes, value_bytes, partition))
    draws = map(Draws(np.random.default_rng(scenario.seed)).__getitem__, count())
    reference = ReferenceProducer(records, scenario.settings, draws)
    rows = reference.run()
    return Rows(
        [reference_row(batch) for batch in reference.batches],
        rows,
        reference.refused,
        reference.timed_out,
        reference.blocked,
    )


def known(time_ns: int) -> int | None:
    return None if time_ns == MISSING_NS else time_ns


def engine_row(batch: Batch) -> tuple[Any, ...]:
    return (
        batch.batch_id,
        batch.partition,
        batch.hi - batch.lo,
        batch.size_bytes,
        batch.opened_ns,
        known(batch.closed_ns),
        CLOSED_BY[batch.closed_by],
        known(batch.sent_ns),
        known(batch.acked_ns),
    )


def reference_row(batch: ReferenceBatch) -> tuple[Any, ...]:
    return (
        batch.batch_id,
        batch.partition,
        len(batch.records),
        batch.size_bytes,
        batch.opened_ns,
        batch.closed_ns,
        batch.closed_by,
        batch.sent_ns,
        batch.acked_ns,
    )


def check_equal(scenario: Scenario, block: int | None = None) -> Rows:
    """Run both producers, compare all rows, and return them.

    With a size of `block` the engine's reads so many records at a time, and lets go of
    what was sent.
    """
    rows = run_engine(scenario, block)
    expected = run_reference(scenario)
    assert rows.batches == expected.batches
    assert rows.waits == expected.waits
    assert rows.failed == expected.failed
    assert rows.records == expected.records
    # The engine's says what would be refused; some were never created by the end.
    created = [row.created_ns is not None for row in rows.records]
    assert [at for at in rows.refused if created[at]] == expected.refused
    return rows
