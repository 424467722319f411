"""The engine's producer and the plain one give identical rows on random scenarios."""

from collections.abc import Sequence
from itertools import count
from typing import Any, NamedTuple
from unittest.mock import patch

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from kafkasim.config.producer import ProducerConfig
from kafkasim.engine.sim.calendar import Calendar, CheckedCalendar, Rank, key_base
from kafkasim.engine.sim.producer import Batch, ProducerClient
from kafkasim.engine.sim.source_columns import Placing
from kafkasim.protocol import sticky
from kafkasim.protocol.partitioner import Draws, key_partition
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
MIXED = (None, None, None, 1, 2, 3, 6)
VALUE_BYTES = (-1, 0, 1, *range(50, 71), 100, 1_000, *range(8_170, 8_201, 3))
GAPS_NS = (0, 0, 1, 999_999, MS, MS + 1, 5 * MS, 63 * MS, 64 * MS, 65 * MS, 900 * MS)


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
        config=ProducerConfig(
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
        ).resolve(),
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
    end_ns = scenario.settings.end_ns
    refused = rows.refused
    if end_ns is not None:
        refused = [at for at in refused if scenario.records[at][0] <= end_ns]
    assert refused == expected.refused
    return rows


@st.composite
def busy_settings(draw: st.DrawFn) -> ReferenceSettings:
    """Draw settings with which answers come while other nodes are waiting to fill."""
    return ReferenceSettings(
        leaders=draw(st.sampled_from(((0, 1), (0, 1, 2), (0, 1, 1, 2, 0)))),
        batch_size=draw(st.sampled_from((200, 400, 1_000, 4_000))),
        linger_ns=draw(st.sampled_from((5, 20, 100))) * MS,
        max_in_flight=1,
        delay_ns=draw(st.sampled_from((200_000, MS, 7 * MS))),
    )


@st.composite
def any_settings(draw: st.DrawFn) -> ReferenceSettings:
    nodes = draw(st.integers(1, 3))
    return ReferenceSettings(
        leaders=tuple(
            draw(st.lists(st.integers(0, nodes - 1), min_size=1, max_size=9))
        ),
        batch_size=draw(
            st.sampled_from((1, 200, 600, 1_000, 4_000, 9_000, 16_384, 60_000))
        ),
        linger_ns=draw(st.sampled_from((0, 0, 1, 5, 5, 64, 100))) * MS,
        max_in_flight=draw(st.sampled_from((1, 2, 5))),
        max_request_size=draw(st.sampled_from((300, 2_000, 8_260, 70_000, 1_048_576))),
        adaptive=draw(st.sampled_from((True, True, False))),
        acks=draw(st.sampled_from(("all", "all", "1", "0"))),
        delay_ns=draw(st.sampled_from((1, 200_000, MS, 20 * MS))),
        service_ns=draw(st.sampled_from((0, 50_000, MS, 30 * MS))),
        end_ns=draw(st.none() | st.integers(0, 2_000 * MS)),
    )


@st.composite
def tight_settings(draw: st.DrawFn) -> ReferenceSettings:
    """Draw settings with little memory, slow nodes, and partitions left out."""
    nodes = draw(st.integers(1, 3))
    partitions = draw(st.integers(1, 6))
    batch_size = draw(st.sampled_from((1, 200, 600, 1_000, 9_000)))
    linger_ns = draw(st.sampled_from((0, 1, 5, 100))) * MS
    return ReferenceSettings(
        leaders=tuple(partition % nodes for partition in range(partitions)),
        batch_size=batch_size,
        linger_ns=linger_ns,
        max_in_flight=draw(st.sampled_from((1, 1, 2, 5))),
        buffer_memory=draw(st.sampled_from((1, 2, 3, 7))) * max(batch_size, 300),
        max_block_ns=draw(st.sampled_from((0, 1, 20, 60_000))) * MS,
        partition=draw(st.sampled_from((None, None, None, partitions - 1))),
        round_robin=draw(st.sampled_from((False, False, True))),
        adaptive=draw(st.sampled_from((True, True, False))),
        availability_ns=draw(st.sampled_from((0, 0, 1, 10))) * MS,
        acks=draw(st.sampled_from(("all", "all", "1", "0"))),
        delay_ns=draw(st.sampled_from((1, 200_000, 7 * MS))),
        service_ns=draw(st.sampled_from((0, 50_000, 3 * MS))),
        slower_ns=draw(st.sampled_from(((), (0, 30 * MS), (50 * MS,)))),
        end_ns=draw(st.none() | st.integers(0, 2_000 * MS)),
    )


TIGHT = tight_settings()


@st.composite
def scenarios(
    draw: st.DrawFn,
    keys: Sequence[int | None],
    settings: st.SearchStrategy[ReferenceSettings],
) -> Scenario:
    stretches = draw(
        st.lists(
            st.tuples(
                st.integers(1, 90),
                st.sampled_from(GAPS_NS),
                st.sampled_from(GAPS_NS),
                st.lists(st.sampled_from(keys), min_size=1, max_size=3),
                st.lists(st.sampled_from(VALUE_BYTES), min_size=1, max_size=3),
            ),
            min_size=1,
            max_size=12,
        )
    )
    records = []
    now_ns = draw(st.integers(0, 2 * MS))
    for length, before_ns, gap_ns, some_keys, some_bytes in stretches:
        now_ns += before_ns
        for place in range(length):
            key = some_keys[place % len(some_keys)]
            records.append((now_ns, key, some_bytes[place % len(some_bytes)]))
            now_ns += gap_ns
    chosen = draw(settings)
    return Scenario(
        records,
        chosen,
        ignore_keys=draw(st.sampled_from((False, False, False, True))),
        seed=draw(st.integers(0, 2**16)),
        by_record=chosen.buffer_memory < 1 << 20
        or draw(st.sampled_from((False, False, True))),
    )


@given(scenarios(range(len(KEYS)), any_settings()))
def test_keyed_records_give_the_rows_of_the_plain_producer(scenario: Scenario) -> None:
    check_equal(scenario)


@given(scenarios([None], any_settings()))
def test_keyless_records_give_the_rows_of_the_plain_producer(
    scenario: Scenario,
) -> None:
    check_equal(scenario)


@given(scenarios(MIXED, any_settings()))
def test_mixed_records_give_the_rows_of_the_plain_producer(scenario: Scenario) -> None:
    check_equal(scenario)


@given(scenarios(MIXED, busy_settings()) | scenarios([None], busy_settings()))
def test_answers_between_give_the_rows_of_the_plain_producer(
    scenario: Scenario,
) -> None:
    check_equal(scenario)


@given(
    scenarios(range(len(KEYS)), any_settings())
    | scenarios(MIXED, any_settings() | busy_settings())
    | scenarios([None], any_settings()),
    st.integers(1, 60),
)
def test_blocks_of_any_size_give_the_rows_of_the_plain_producer(
    scenario: Scenario, block: int
) -> None:
    with patch.object(sticky, "_TRIM", block // 2):
        check_equal(scenario, block)


@given(
    scenarios(MIXED, TIGHT)
    | scenarios([None], TIGHT)
    | scenarios(range(len(KEYS)), TIGHT),
    st.none() | st.integers(1, 60),
)
def test_little_memory_gives_the_rows_of_the_plain_producer(
    scenario: Scenario, block: int | None
) -> None:
    with patch.object(sticky, "_TRIM", (block or 1 << 15) // 2):
        check_equal(scenario, block)


def test_timestamps_near_a_breakpoint_give_the_rows_of_the_plain_producer() -> None:
    # Floored, 63.6 ms is 63 ms after 0.4 ms and takes one byte; rounded it takes two.
    times_ns = [400_000, 63_600_000, 64_000_000, 64_399_999, 64_400_000]
    settings = ReferenceSettings(leaders=(0,), batch_size=96, linger_ns=100 * MS)
    records: list[tuple[int, int | None, int]] = [(at, 1, 0) for at in times_ns]

    rows = check_equal(Scenario(records, settings, ignore_keys=False, seed=0))

    assert [size_bytes for _, _, _, size_bytes, *_ in rows.batches] == [95, 69]


def test_more_records_than_two_breakpoints_give_the_rows_of_the_plain_producer() -> (
    None
):
    settings = ReferenceSettings(leaders=(0, 1), batch_size=100_000)
    for key in (None, 1):
        records: list[tuple[int, int | None, int]] = [
            (at, key, 0) for at in range(9_000)
        ]
        rows = check_equal(Scenario(records, settings, ignore_keys=False, seed=3))
        assert sum(count for _, _, count, *_ in rows.batches) == 9_000
