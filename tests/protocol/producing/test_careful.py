"""Accumulators after failures: the same rules with and without keys."""

import numpy as np
import pytest

from kafkasim.protocol.producing.accumulator import Settings
from kafkasim.protocol.producing.batch import FULL, LINGER, NEVER, Batch
from kafkasim.protocol.producing.careful import CarefulAccumulator
from kafkasim.protocol.producing.columns import RecordBlocks, RecordColumns
from kafkasim.protocol.producing.keyed import KeyedAccumulator
from kafkasim.protocol.producing.partitioner import Draws
from kafkasim.protocol.producing.retries import Retries
from kafkasim.protocol.producing.sequences import Sequences
from kafkasim.protocol.producing.sticky import StickyAccumulator
from kafkasim.units import MISSING_NS

MS = 1_000_000
ONE = 118
"""Bytes of a batch with one record of 50 bytes."""


@pytest.fixture(params=["keyed", "sticky"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def accumulator(
    kind: str,
    records: list[tuple[float, int]],
    *,
    leaders: tuple[int, ...] = (0, 0, 0, 0),
    nodes: int = 1,
    batch_size: int = 150,
    linger_ms: int = 0,
    room: int = 1_048_576,
    value_bytes: int | list[int] = 50,
) -> CarefulAccumulator:
    """Make one of records given as (created, in ms; partition); one fits a batch."""
    columns = RecordColumns(
        created_ns=np.array([round(at * MS) for at, _ in records], dtype=np.int64),
        key_bytes=np.full(len(records), -1, dtype=np.int64),
        value_bytes=np.broadcast_to(np.array(value_bytes, np.int64), len(records)),
        partitions=np.array([partition for _, partition in records], dtype=np.int32),
        max_request_size=room,
    )
    settings = Settings(
        source_index=0,
        batch_size=batch_size,
        linger_ns=linger_ms * MS,
        max_request_size=room,
        leaders=leaders,
        node_count=nodes,
    )
    blocks = RecordBlocks([columns])
    if kind == "keyed":
        return KeyedAccumulator(settings, blocks)
    return StickyAccumulator(settings, blocks, Draws(np.random.default_rng(1)))


class Sender:
    """Drains a node as a client does, and puts back what it is told to."""

    def __init__(
        self, records: CarefulAccumulator, sequences: Sequences | None = None
    ) -> None:
        self.records = records
        self.sequences = sequences
        self.retries = Retries(sequences)
        if sequences is not None:
            sequences.track([], [0, 0, 0, 0])
        records.catch_up(0)
        self.look(0)

    def care(self) -> None:
        self.records.care(self.retries, 0)

    def look(self, now_ms: float, may_send: tuple[bool, ...] = (True,)) -> float:
        return self.records.look_ahead(may_send, round(now_ms * MS)) / MS

    def drain(self, now_ms: float, node: int = 0) -> list[Batch]:
        now_ns = round(now_ms * MS)
        self.records.catch_up(now_ns)
        batches = self.records.drain(node, now_ns)
        if self.sequences is not None:
            for batch in batches:
                self.sequences.drained(batch)
        self.look(now_ms)
        return batches

    def put_back(self, batch: Batch, now_ms: float, backoff_ms: float = 0) -> None:
        batch.attempts += 1
        batch.retry_ns = round((now_ms + backoff_ms) * MS)
        self.retries.put_back(batch)
        self.records.look_again([0], round(now_ms * MS))
        self.look(now_ms)


def shown(batches: list[Batch]) -> list[tuple[int, int, int]]:
    return [(batch.partition, batch.lo, batch.hi) for batch in batches]


def test_a_batch_put_back_is_drained_alone_of_its_partition_and_first(
    kind: str,
) -> None:
    sender = Sender(accumulator(kind, [(0, 0), (1, 0), (1, 1)]))
    sender.care()
    (batch,) = sender.drain(0)
    sender.put_back(batch, 1)

    assert sender.records.ready_ns[0] <= 1 * MS
    assert shown(sender.drain(1)) == [(0, 0, 1), (1, 0, 1)]
    assert shown(sender.drain(1)) == [(0, 1, 2)]
    assert sender.records.ready_ns == [NEVER]


def test_the_whole_partition_waits_while_its_head_backs_off(kind: str) -> None:
    sender = Sender(accumulator(kind, [(0, 0), (1, 0), (1, 0), (50, 1)]))
    sender.care()
    (batch,) = sender.drain(0)
    sender.put_back(batch, 1, backoff_ms=100)

    # Two more batches of partition 0 are ready, but not sendable.
    assert sender.records.ready_ns[0] >= 50 * MS
    assert shown(sender.drain(50)) == [(1, 0, 1)]
    assert sender.records.ready_ns == [101 * MS]
    assert sender.look(50) == 101
    assert shown(sender.drain(101)) == [(0, 0, 1)]
    assert shown(sender.drain(101)) == [(0, 1, 2)]


def test_a_batch_that_backs_off_is_passed_over_not_stopped_at(kind: str) -> None:
    sender = Sender(accumulator(kind, [(0, 0), (0, 1), (5, 1), (5, 2)]))
    sender.care()
    first, _ = sender.drain(0)
    sender.put_back(first, 1, backoff_ms=100)

    assert shown(sender.drain(5)) == [(1, 1, 2), (2, 0, 1)]


def test_without_idempotence_what_fails_later_goes_before(kind: str) -> None:
    sender = Sender(accumulator(kind, [(0, 0), (1, 0)]))
    sender.care()
    (one,), (two,) = sender.drain(0), sender.drain(1)
    sender.put_back(one, 2)
    sender.put_back(two, 2)

    assert shown(sender.drain(2)) == [(0, 1, 2)]
    assert shown(sender.drain(2)) == [(0, 0, 1)]


def test_with_idempotence_it_goes_where_its_sequence_belongs(kind: str) -> None:
    records = accumulator(kind, [(0, 0), (1, 0), (2, 0)])
    sender = Sender(records, Sequences(7, 4, lambda: 8))
    sender.care()
    batches = [*sender.drain(0), *sender.drain(1), *sender.drain(2)]
    for batch in (batches[1], batches[2], batches[0]):
        sender.put_back(batch, 3)

    assert [b.lo for b in sender.retries.fronts[0]] == [0, 1, 2]


def test_with_idempotence_a_retry_waits_for_the_one_before_it(kind: str) -> None:
    # Partition 0 has batches 0 and 1 in flight; 1 comes back first.
    records = accumulator(kind, [(0, 0), (1, 0), (2, 1), (2, 2)])
    sender = Sender(records, Sequences(7, 4, lambda: 8))
    sender.care()
    (one,), (two,) = sender.drain(0), sender.drain(1)
    sender.put_back(two, 2)
    # The walk begins at 2, and 0 ends it: partition 1 does not come along.
    assert shown(sender.drain(2)) == [(2, 0, 1)]
    assert sender.records.ready_ns == [NEVER]
    assert 0 in sender.retries.blocked
    # The next walk would begin there, so the node waits until something changes.
    sender.put_back(one, 3)
    assert sender.records.ready_ns[0] <= 3 * MS
    assert shown(sender.drain(3)) == [(0, 0, 1), (1, 0, 1)]
    # Again two is behind one, which is in flight.
    assert sender.drain(3) == []
    assert sender.sequences is not None
    sender.sequences.completed(one)
    sender.records.look_again([], 4 * MS)
    sender.look(4)
    assert shown(sender.drain(4)) == [(0, 1, 2)]


def test_a_muted_partition_is_passed_over_until_it_is_not(kind: str) -> None:
    sender = Sender(accumulator(kind, [(0, 0), (0, 1), (4, 0), (4, 1)]))
    sender.care()
    sender.drain(0)
    sender.retries.muted.add(0)
    assert shown(sender.drain(4)) == [(1, 1, 2)]
    assert sender.records.ready_ns == [NEVER]
    sender.retries.muted.clear()
    sender.records.look_again([0], 5 * MS)
    sender.look(5)
    assert shown(sender.drain(5)) == [(0, 1, 2)]


def test_a_retry_that_does_not_fit_is_examined_first_next_time(kind: str) -> None:
    sender = Sender(
        accumulator(kind, [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1)], room=2 * ONE)
    )
    sender.care()
    one, two = sender.drain(0)
    (three,) = sender.drain(0)
    for batch in (three, two, one):
        sender.put_back(batch, 1)

    # The last walk went round once from 2 and ended at 1.
    assert shown(sender.drain(1)) == [(1, 0, 1), (2, 0, 1)]
    assert shown(sender.drain(1)) == [(0, 0, 1), (1, 1, 2)]


def test_partitions_move_with_what_waits_in_them(kind: str) -> None:
    records = accumulator(
        kind,
        [(0, 0), (0, 1), (1, 2), (20, 3)],
        leaders=(0, 0, 0, 1),
        nodes=2,
        linger_ms=5,
    )
    records.catch_up(2 * MS)
    records.look_ahead([True, True], 2 * MS)
    records.set_leaders([1, 0, 1, 0], 2 * MS)

    assert records.ready_ns == [5 * MS, 5 * MS]
    assert shown(records.drain(0, 5 * MS)) == [(1, 0, 1)]
    assert shown(records.drain(1, 5 * MS)) == [(0, 0, 1), (2, 0, 1)]
    records.look_ahead([True, True], 5 * MS)
    records.catch_up(25 * MS)
    assert shown(records.drain(0, 25 * MS)) == [(3, 0, 1)]


def test_a_full_batch_is_still_ready_after_a_move(kind: str) -> None:
    records = accumulator(
        kind, [(0, 0), (1, 0)], leaders=(0, 0, 0, 0), nodes=2, linger_ms=50
    )
    records.catch_up(1 * MS)
    records.look_ahead([True, True], 1 * MS)
    records.set_leaders([1, 0, 0, 0], 2 * MS)
    assert records.ready_ns[0] == NEVER
    assert records.ready_ns[1] <= 2 * MS
    (batch,) = records.drain(1, 2 * MS)
    assert (batch.closed_by, batch.closed_ns) == (FULL, 1 * MS)


def test_what_was_put_back_is_sent_to_the_new_leader(kind: str) -> None:
    records = accumulator(kind, [(0, 0), (1, 0)], leaders=(0, 0, 0, 0), nodes=2)
    sender = Sender(records)
    sender.care()
    (batch,) = sender.drain(0)
    sender.put_back(batch, 1)
    records.set_leaders([1, 0, 0, 0], 2 * MS)
    assert records.ready_ns[0] == NEVER
    assert shown(records.drain(1, 2 * MS)) == [(0, 0, 1)]


def test_a_partition_without_a_leader_waits_and_grows(kind: str) -> None:
    records = accumulator(
        kind, [(0, 0), (1, 1), (10, 0), (10, 1)], batch_size=1_000, linger_ms=5
    )
    records.catch_up(0)
    records.look_ahead([True], 0)
    records.set_leaders([-1, 0, 0, 0], 2 * MS)
    records.look_ahead([True], 2 * MS)
    assert shown(records.drain(0, 6 * MS)) == [(1, 0, 1)]
    records.look_ahead([True], 6 * MS)
    records.catch_up(12 * MS)
    records.set_leaders([0, 0, 0, 0], 12 * MS)
    assert records.ready_ns[0] <= 12 * MS
    batches = records.drain(0, 12 * MS)
    assert sorted(shown(batches)) == [(0, 0, 2), (1, 1, 2)]
    assert {b.partition: b.closed_by for b in batches}[0] == LINGER


def test_the_end_finds_what_waits_for_a_leader(kind: str) -> None:
    records = accumulator(kind, [(0, 0), (1, 1)], leaders=(0, -1, 0, 0))
    assert shown(records.finish(5 * MS)) == [(0, 0, 1), (1, 0, 1)]


def test_heads_expire_by_their_age_and_what_is_behind_them_too(kind: str) -> None:
    records = accumulator(
        kind, [(0, 0), (1, 1), (2, 0), (3, 1)], leaders=(-1, 0, 0, 0), linger_ms=1_000
    )
    records.catch_up(5 * MS)
    records.look_ahead([False], 5 * MS)
    assert records.oldest_ns() == 0
    expired = records.expire(2 * MS, 5 * MS)
    assert shown(expired) == [(0, 0, 1), (0, 1, 2), (1, 0, 1)]
    assert [batch.sent_ns for batch in expired] == [MISSING_NS] * 3
    assert records.oldest_ns() == 3 * MS
    assert records.position(0) == 2
    assert shown(records.finish(5 * MS)) == [(1, 1, 2)]


def test_only_the_head_of_a_queue_is_tested(kind: str) -> None:
    sender = Sender(accumulator(kind, [(0, 0), (1, 0), (2, 0)]))
    sender.care()
    one, two = *sender.drain(0), *sender.drain(1)
    sender.put_back(one, 2, backoff_ms=500)
    sender.put_back(two, 2, backoff_ms=500)
    # Two stands before one, which is older; what was never sent stands behind both.
    assert sender.records.oldest_ns() == 1 * MS
    assert sender.records.expire(0, 10 * MS) == []
    assert shown(sender.records.expire(1 * MS, 10 * MS)) == [(0, 1, 2), (0, 0, 1)]
    assert sender.retries.fronts == {}
    assert shown(sender.records.drain(0, 10 * MS)) == [(0, 2, 3)]


def test_calm_again_it_drains_as_before(kind: str) -> None:
    sender = Sender(accumulator(kind, [(0, 0), (1, 0), (3, 1)]))
    sender.care()
    (batch,) = sender.drain(0)
    sender.put_back(batch, 1)
    assert shown(sender.drain(1)) == [(0, 0, 1)]
    sender.records.care(None, 2 * MS)
    assert sender.records.ready_ns[0] <= 2 * MS
    assert shown(sender.drain(2)) == [(0, 1, 2)]
    assert shown(sender.drain(3)) == [(1, 0, 1)]


def test_a_batch_is_split_by_the_sizes_of_its_records(kind: str) -> None:
    # Records of 57 bytes and one of 209; their upper bounds, header and all, are 135
    # and 286.
    records = accumulator(
        kind,
        [(1, 3), *[(5, 0)] * 6],
        batch_size=16_384,
        value_bytes=[50, 50, 50, 200, 50, 50, 50],
    )
    records.catch_up(5 * MS)
    batches = {batch.partition: batch for batch in records.drain(0, 5 * MS)}
    batch = batches[0]
    batch.batch_id = 4
    parts = records.split(batch, 200)

    # 61 and two of 57 are 175; the large one is 270, and its bound has no room for
    # another beside it.
    assert shown(parts) == [(0, 0, 2), (0, 2, 3), (0, 3, 5), (0, 5, 6)]
    assert [part.size_bytes for part in parts] == [175, 270, 175, 118]
    assert {part.parent_id for part in parts} == {4}
    assert {part.opened_ns for part in parts} == {5 * MS}
    assert [records.largest_bound(each) for each in (batch, parts[0])] == [286, 135]
