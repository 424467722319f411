"""A producer client on a calendar; the test answers its requests."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from kafkasim.config.producer import ProducerConfig
from kafkasim.engine.sim.calendar import Calendar, CheckedCalendar, Rank, key_base
from kafkasim.engine.sim.producer import Batch, ProducerClient
from kafkasim.protocol.producing.batch import DRAINED, FULL, LINGER
from kafkasim.scenario.blocks import PlannedBlocks
from kafkasim.scenario.plan import SourcePlan

MS = 1_000_000


@dataclass
class Wire:
    """Notes what is sent, and answers after `delay_ms` unless that is None."""

    calendar: Calendar
    delay_ms: float | None
    requests: list[tuple[int, int, list[Batch]]] = field(default_factory=list)
    count: int = 0

    def send(
        self, client: ProducerClient, node: int, batches: list[Batch], size: int
    ) -> None:
        assert size == sum(batch.size_bytes for batch in batches)
        self.requests.append((self.calendar.now_ns, node, batches))
        if self.delay_ms is not None and client.awaits_answers:
            self.calendar.at(
                self.calendar.now_ns + round(self.delay_ms * MS),
                key_base(Rank.ANSWER, 1) + len(self.requests),
                lambda request: client.on_answer(*request),
                (node, batches),
            )

    def next_batch_id(self) -> int:
        self.count += 1
        return self.count - 1

    def shown(self) -> list[tuple[float, int, list[tuple[int, int]]]]:
        """Return the requests: time in ms, node, and (partition, records) per batch."""
        return [
            (now_ns / MS, node, [(b.partition, b.hi - b.lo) for b in batches])
            for now_ns, node, batches in self.requests
        ]


def source(
    created_ms: list[float], keys: list[str | None], value_bytes: int = 50
) -> SourcePlan:
    labels = tuple(sorted({key for key in keys if key is not None}))
    count = len(created_ms)
    return SourcePlan(
        source="web",
        stream="orders",
        intended_ns=np.array([round(at * MS) for at in created_ms], dtype=np.int64),
        key_id=np.array(
            [-1 if key is None else labels.index(key) for key in keys], dtype=np.int32
        ),
        key_labels=labels,
        entity_id=np.full(count, -1, dtype=np.int32),
        entity_labels=(),
        value_bytes=np.full(count, value_bytes, dtype=np.int32),
    )


def started(
    plan: SourcePlan,
    *,
    leaders: tuple[int, ...] = (0,),
    delay_ms: float | None = 1.0,
    **config: Any,  # noqa: ANN401 - settings by name
) -> tuple[ProducerClient, Wire]:
    calendar = CheckedCalendar()
    wire = Wire(calendar, delay_ms)
    client = ProducerClient(
        calendar=calendar,
        actor=0,
        source_index=0,
        source=PlannedBlocks(plan, {}),
        config=ProducerConfig(**config).resolve(),
        topic_index=0,
        leaders=leaders,
        node_count=max(leaders) + 1,
        draws=np.random.default_rng(5),
        send=wire.send,
        next_batch_id=wire.next_batch_id,
    )
    client.start()
    return client, wire


def run(wire: Wire, until_ms: float = 1e6) -> None:
    wire.calendar.run_entries(round(until_ms * MS))


# Keys "a", "key-1" and "bob" of two partitions go to 0, 1 and 0.
A, ONE, BOB = "a", "key", "bob"


def test_a_batch_is_sent_when_its_linger_is_over() -> None:
    _, wire = started(source([1, 2, 7], [A, A, A]))
    run(wire)

    assert wire.shown() == [(6, 0, [(0, 2)]), (12, 0, [(0, 1)])]
    batches = [batch for _, _, request in wire.requests for batch in request]
    assert [batch.batch_id for batch in batches] == [0, 1]
    assert [batch.acked_ns for batch in batches] == [7 * MS, 13 * MS]


def test_a_full_batch_takes_along_what_another_partition_has() -> None:
    _, wire = started(
        source([1, 1, 2, 2], [ONE, A, A, A]), leaders=(0, 0), batch_size=200
    )
    run(wire)

    _, _, batches = wire.requests[0]
    assert wire.shown()[0] == (2, 0, [(0, 2), (1, 1)])
    assert [batch.closed_by for batch in batches] == [FULL, DRAINED]
    assert wire.shown()[1:] == [(7, 0, [(0, 1)])]


def test_the_first_record_sets_the_linger_not_the_last() -> None:
    _, wire = started(source([0, 1, 2, 3, 4, 5], [A] * 6))
    run(wire)

    assert wire.shown() == [(5, 0, [(0, 6)])]
    assert wire.requests[0][2][0].closed_by == LINGER


def test_no_more_requests_are_in_flight_than_allowed() -> None:
    _, wire = started(
        source([0, 1, 2, 3], [A] * 4),
        delay_ms=10,
        linger_ms=0,
        max_in_flight_requests_per_connection=2,
    )
    run(wire)

    assert wire.shown() == [(0, 0, [(0, 1)]), (1, 0, [(0, 1)]), (10, 0, [(0, 2)])]


def test_an_answer_lets_a_node_send_at_once() -> None:
    # Two records fill a batch; what is ready waits for one of two requests.
    _, wire = started(
        source([0, 1, 1, 1, 1, 1], [A] * 6),
        delay_ms=10,
        linger_ms=0,
        batch_size=177,
        max_in_flight_requests_per_connection=2,
    )
    run(wire)

    assert wire.shown() == [
        (0, 0, [(0, 1)]),
        (1, 0, [(0, 2)]),
        (10, 0, [(0, 2)]),
        (11, 0, [(0, 1)]),
    ]


def test_a_node_without_a_free_request_does_not_hold_up_another() -> None:
    _, wire = started(
        source([0, 1, 2], [A, A, ONE]),
        leaders=(0, 1),
        delay_ms=10,
        linger_ms=0,
        max_in_flight_requests_per_connection=1,
    )
    run(wire)

    assert wire.shown() == [(0, 0, [(0, 1)]), (2, 1, [(1, 1)]), (10, 0, [(0, 1)])]


def test_at_one_time_a_deadline_acts_before_an_answer() -> None:
    # Node 0 is answered at 10 ms, when the linger of node 1's batch is over as well.
    _, wire = started(
        source([0, 1, 10], [A, A, ONE]),
        leaders=(0, 1),
        delay_ms=10,
        linger_ms=0,
        max_in_flight_requests_per_connection=1,
    )
    run(wire)

    assert wire.shown() == [(0, 0, [(0, 1)]), (10, 1, [(1, 1)]), (10, 0, [(0, 1)])]


def test_nodes_that_are_ready_at_one_time_take_turns() -> None:
    # Keys of partitions 0, 1 and 2; a request has room for one batch.
    _, wire = started(
        source([0, 0, 0], ["abc", "a", "key-2"]),
        leaders=(0, 1, 0),
        linger_ms=0,
        max_request_size=140,
    )
    run(wire)

    assert wire.shown() == [(0, 0, [(0, 1)]), (0, 1, [(1, 1)]), (0, 0, [(2, 1)])]


def test_with_acks_0_nothing_is_awaited() -> None:
    client, wire = started(
        source([0, 1, 2], [A] * 3),
        delay_ms=None,
        acks="0",
        linger_ms=0,
        max_in_flight_requests_per_connection=1,
    )
    run(wire)

    assert not client.awaits_answers
    assert wire.shown() == [(0, 0, [(0, 1)]), (1, 0, [(0, 1)]), (2, 0, [(0, 1)])]
    assert [b.acked_ns for _, _, (b,) in wire.requests] == [0, 1 * MS, 2 * MS]


def test_an_empty_key_is_hashed_and_a_missing_one_is_not() -> None:
    client, wire = started(
        source([0, 0, 0, 0], ["", "", None, ""]), leaders=(0,) * 7, linger_ms=0
    )
    run(wire)

    # murmur2 of nothing is 275646681, by 7 it leaves 2.
    assert list(client.append_list(2)) == [0, 1, 3]
    assert sum(len(client.append_list(number)) for number in range(7)) == 4


def test_ignored_keys_go_where_records_without_key_go() -> None:
    client, wire = started(
        source([0, 0, 0], [A, ONE, BOB]), leaders=(0,) * 9, partitioner_ignore_keys=True
    )
    run(wire)

    assert [len(batches) for _, _, batches in wire.requests] == [1]
    assert wire.requests[0][2][0].hi == 3
    # 61 and, per record, 57 for the value and the key's bytes.
    assert wire.requests[0][2][0].size_bytes == 61 + 3 * 57 + 1 + 3 + 3
    assert client.partition_count == 9


def test_a_record_too_large_for_a_request_fails_and_is_not_sent() -> None:
    client, wire = started(source([0], [A], value_bytes=2_000_000))
    run(wire)

    assert client.refused.tolist() == [0]
    assert wire.requests == []


def test_a_run_that_is_cut_leaves_numbered_batches_that_were_not_sent() -> None:
    client, wire = started(source([0, 1, 2], [A, None, A]), leaders=(0, 0))
    run(wire, until_ms=1.5)

    left = client.finish(round(1.5 * MS))
    assert sorted(batch.batch_id for batch in left) == list(range(len(left)))
    assert sum(batch.hi - batch.lo for batch in left) == 2


@pytest.mark.parametrize("key", [A, None])
def test_deadlines_are_set_again_only_when_they_come_earlier(key: str | None) -> None:
    created_ms = [at / 4 for at in range(4_000)]
    _, wire = started(source(created_ms, [key] * 4_000), delay_ms=None, acks="0")
    run(wire)

    assert 160 <= len(wire.requests) <= 200
    assert wire.calendar.entry_count <= 2 * len(wire.requests)


@pytest.mark.parametrize(
    ("value_bytes", "records", "size"), [(100, 148, 16_277), (1_000, 16, 16_205)]
)
def test_full_batches_are_those_that_a_real_client_sent(
    value_bytes: int, records: int, size: int
) -> None:
    # ProducerPerformance with Kafka 4.3.1, linger.ms 50: batch-size-max.
    created_ms = [at / 20 for at in range(1_000)]
    _, wire = started(source(created_ms, [None] * 1_000, value_bytes), linger_ms=50)
    run(wire)

    first = wire.requests[0][2][0]
    assert (first.hi - first.lo, first.size_bytes) == (records, size)
