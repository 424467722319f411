"""Whole runs against the plain producer: identical `records` and `batches`.

`tests/testing` compares the two producers alone; here the engine's stands in a cluster,
with its connections, request queues and logs, on hardware that is ideal: bytes take no
time, every request takes the same.
"""

from itertools import count
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from kafkasim.config.producer import ProducerConfig
from kafkasim.engine.sim.run import run
from kafkasim.protocol.producing.partitioner import Draws, key_partition
from kafkasim.result.result import Result
from kafkasim.scenario.arrivals import Periodic
from kafkasim.scenario.hardware import Cpu, Hardware, Link
from kafkasim.scenario.plan import SourcePlan, planned
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.streams import stream
from kafkasim.scenario.systems import Kafka, Producer, Topic
from kafkasim.scenario.traffic import Source, Traffic
from kafkasim.testing import (
    ReferenceProducer,
    ReferenceRecord,
    ReferenceSettings,
)
from kafkasim.units import MISSING_NS

MS = 1_000_000
KEYS = ("", "a", "key-1", "key-2", "k" * 63)
VALUE_BYTES = (-1, 0, 50, 62, 63, 64, 100, 8_189, 8_190, 8_191)
GAPS_NS = (0, 0, 1, MS - 1, MS, 5 * MS, 64 * MS, 65 * MS)

Records = list[tuple[int, int, int]]
"""created_ns, key (−1: null), value_bytes."""


@st.composite
def some_records(draw: st.DrawFn, keys: tuple[int, ...]) -> Records:
    stretch = st.tuples(
        st.integers(1, 60),
        st.sampled_from(GAPS_NS),
        st.lists(st.sampled_from(keys), min_size=1, max_size=3),
        st.lists(st.sampled_from(VALUE_BYTES), min_size=1, max_size=3),
    )
    now_ns = 0
    records = []
    for length, gap_ns, some_keys, sizes in draw(st.lists(stretch, min_size=1)):
        for place in range(length):
            key = some_keys[place % len(some_keys)]
            records.append((now_ns, key, sizes[place % len(sizes)]))
            now_ns += gap_ns
    return records


@st.composite
def tight_settings(draw: st.DrawFn) -> ReferenceSettings:
    """Draw settings with which the application waits for memory, often in vain."""
    brokers = draw(st.integers(1, 3))
    partitions = draw(st.integers(brokers, 6))
    batch_size = draw(st.sampled_from((200, 1_000, 9_000)))
    return ReferenceSettings(
        leaders=tuple(partition % brokers for partition in range(partitions)),
        batch_size=batch_size,
        linger_ns=draw(st.sampled_from((0, 5, 100))) * MS,
        max_in_flight=draw(st.sampled_from((1, 5))),
        buffer_memory=draw(st.sampled_from((1, 2, 5, 30))) * batch_size,
        max_block_ns=draw(st.sampled_from((1, 20, 60_000))) * MS,
        round_robin=draw(st.sampled_from((False, False, True))),
        partition=draw(st.sampled_from((None, None, None, partitions - 1))),
        adaptive=draw(st.sampled_from((True, True, False))),
        availability_ns=draw(st.sampled_from((0, 0, 5))) * MS,
        acks=draw(st.sampled_from(("all", "all", "1", "0"))),
        delay_ns=draw(st.sampled_from((1_000, 200_000, 20 * MS))),
        service_ns=draw(st.sampled_from((0, 50_000, 30 * MS))),
    )


@st.composite
def some_settings(draw: st.DrawFn) -> ReferenceSettings:
    brokers = draw(st.integers(1, 3))
    partitions = draw(st.integers(brokers, 9))
    return ReferenceSettings(
        leaders=tuple(partition % brokers for partition in range(partitions)),
        batch_size=draw(st.sampled_from((200, 1_000, 9_000, 16_384, 60_000))),
        linger_ns=draw(st.sampled_from((0, 1, 5, 64, 100))) * MS,
        max_in_flight=draw(st.sampled_from((1, 2, 5))),
        max_request_size=draw(st.sampled_from((9_000, 1_048_576))),
        adaptive=draw(st.sampled_from((True, True, False))),
        acks=draw(st.sampled_from(("all", "all", "1", "0"))),
        delay_ns=draw(st.sampled_from((1_000, 200_000, 20 * MS))),
        service_ns=draw(st.sampled_from((0, 50_000, 30 * MS))),
    )


def run_engine(records: Records, settings: ReferenceSettings, seed: int) -> Result:
    created_ns, keys, value_bytes = zip(*records, strict=True)
    source = SourcePlan(
        source="web",
        stream="orders",
        intended_ns=np.array(created_ns, dtype=np.int64),
        key_id=np.array(keys, dtype=np.int32),
        key_labels=KEYS,
        entity_id=np.full(len(records), -1, dtype=np.int32),
        entity_labels=(),
        value_bytes=np.array(value_bytes, dtype=np.int32),
    )
    scenario = Scenario(
        Traffic({"web": Source("orders", Periodic(1.0))}, {}, duration_s=1_000.0),
        system=Kafka(
            brokers=max(settings.leaders) + 1,
            topics={"orders": Topic(partitions=len(settings.leaders))},
            producers={
                "web": Producer(
                    config=ProducerConfig(
                        acks=settings.acks,  # type: ignore[arg-type]
                        enable_idempotence=False,
                        batch_size=settings.batch_size,
                        linger_ms=settings.linger_ns // MS,
                        max_in_flight_requests_per_connection=settings.max_in_flight,
                        max_request_size=settings.max_request_size,
                        buffer_memory=settings.buffer_memory,
                        max_block_ms=settings.max_block_ns // MS,
                        partitioner_availability_timeout_ms=(
                            settings.availability_ns // MS
                        ),
                        partitioner_adaptive_partitioning_enable=settings.adaptive,
                    ),
                    partitioner="round_robin" if settings.round_robin else "builtin",
                    partition=settings.partition,
                )
            },
            hardware=Hardware(
                link=Link(delay_ms=settings.delay_ns / MS, bandwidth_mb_per_s=1e12),
                cpu=Cpu(request_ms=settings.service_ns / MS, mb_ms=0.0),
            ),
        ),
        seed=seed,
    )
    plan = planned(seed, 1_000 * 10**9, {"web": source}, {})
    return run(scenario, plan=plan, check=True)


def run_plain(
    records: Records, settings: ReferenceSettings, seed: int
) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]], list[tuple[int, int]]]:
    """Rows of `batches` by number, of `records` and `blocked`, from the plain one."""
    partitions = len(settings.leaders)
    plain = ReferenceProducer(
        [
            ReferenceRecord(
                created_ns,
                -1 if key < 0 else len(KEYS[key]),
                value_bytes,
                None if key < 0 else key_partition(KEYS[key].encode(), partitions),
            )
            for created_ns, key, value_bytes in records
        ],
        settings,
        map(Draws(stream(seed, "partitioner/web")).__getitem__, count()),
    )
    rows = plain.run()
    batches = [
        (
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
        for batch in plain.batches
    ]
    awaits = settings.acks != "0"
    errors = dict.fromkeys(plain.refused, "MESSAGE_TOO_LARGE")
    errors |= dict.fromkeys(plain.timed_out, "REQUEST_TIMED_OUT")
    outcome = "acked" if awaits else "unacked"
    lines = [
        (
            row.partition,
            row.batch_id,
            row.batch_index,
            row.acked_ns if awaits else None,
            "failed" if place in errors else outcome,
            errors.get(place),
            row.created_ns,
        )
        for place, row in enumerate(rows)
    ]
    return batches, lines, plain.blocked


def columns(result: Result, table: str, *names: str) -> list[tuple[Any, ...]]:
    """Rows of some columns: labels as text, a missing time as None."""
    recorded = result.columns(table)
    lists = []
    for name in names:
        values = recorded[name].tolist()
        if name in recorded.labels:
            labels = recorded.labels[name]
            values = [labels[code] if code >= 0 else None for code in values]
        elif name.endswith("_ns"):
            values = [None if value == MISSING_NS else value for value in values]
        lists.append(values)
    return list(zip(*lists, strict=True))


def check_equal(records: Records, settings: ReferenceSettings, seed: int) -> None:
    result = run_engine(records, settings, seed)
    batches, rows, blocked = run_plain(records, settings, seed)
    names = (
        "batch_id",
        "partition",
        "record_count",
        "size_bytes",
        "opened_ns",
        "closed_ns",
        "closed_by",
        "sent_ns",
        "acked_ns",
    )
    assert sorted(columns(result, "batches", *names)) == batches
    assert (
        columns(
            result,
            "records",
            "partition",
            "batch_id",
            "batch_index",
            "acked_ns",
            "outcome",
            "error",
            "created_ns",
        )
        == rows
    )
    assert columns(result, "blocked", "since_ns", "until_ns") == blocked
    assert result.table("violations").empty


@given(some_records((0, 1, 2, 3, 4)), some_settings(), st.integers(0, 99))
def test_keyed(records: Records, settings: ReferenceSettings, seed: int) -> None:
    check_equal(records, settings, seed)


@given(some_records((-1,)), some_settings(), st.integers(0, 99))
def test_keyless(records: Records, settings: ReferenceSettings, seed: int) -> None:
    check_equal(records, settings, seed)


@given(some_records((-1, -1, 1, 2, 4)), some_settings(), st.integers(0, 99))
def test_mixed(records: Records, settings: ReferenceSettings, seed: int) -> None:
    check_equal(records, settings, seed)


@given(
    some_records((0, 1, 2, 3, 4)) | some_records((-1,)) | some_records((-1, -1, 1, 2)),
    tight_settings(),
    st.integers(0, 99),
)
def test_little_memory(
    records: Records, settings: ReferenceSettings, seed: int
) -> None:
    check_equal(records, settings, seed)
