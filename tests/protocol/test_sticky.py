"""The accumulator of records without a key; draws are given."""

import numpy as np

from kafkasim.protocol.accumulator import Settings
from kafkasim.protocol.batch import CUT, DRAINED, FULL, LINGER, NEVER, Batch
from kafkasim.protocol.columns import (
    REFUSED,
    ROUND_ROBIN,
    STICKY,
    RecordBlocks,
    RecordColumns,
)
from kafkasim.protocol.partitioner import Draws
from kafkasim.protocol.sticky import StickyAccumulator

MS = 1_000_000


class GivenDraws(Draws):
    """Partitions in the order in which they are to be chosen."""

    def __init__(self, *partitions: int) -> None:
        super().__init__(np.random.default_rng(0))
        self._values = list(partitions)


def accumulator(
    created_ms: list[int],
    value_bytes: int | list[int],
    *draws: int,
    keyed: dict[int, int] | None = None,
    leaders: tuple[int, ...] = (0, 0, 0),
    batch_size: int = 200,
    linger_ms: int = 100,
    memory: int = 1 << 25,
    max_block_ms: int = 60_000,
    max_request: int = 1_048_576,
    hand_over: "Told | None" = None,
) -> StickyAccumulator:
    """Make one; `keyed` gives the partitions of those records that have a key."""
    count = len(created_ms)
    partitions = np.full(count, STICKY, dtype=np.int32)
    for at, partition in (keyed or {}).items():
        partitions[at] = partition
    columns = RecordColumns(
        created_ns=np.array(created_ms, dtype=np.int64) * MS,
        key_bytes=np.full(count, -1, dtype=np.int64),
        value_bytes=np.broadcast_to(np.array(value_bytes, dtype=np.int64), count),
        partitions=partitions,
        max_request_size=max_request,
    )
    settings = Settings(
        source_index=0,
        batch_size=batch_size,
        linger_ns=linger_ms * MS,
        max_request_size=max_request,
        leaders=leaders,
        node_count=max(leaders) + 1,
        buffer_memory=memory,
        max_block_ns=max_block_ms * MS,
    )
    blocks = RecordBlocks([columns])
    return StickyAccumulator(settings, blocks, GivenDraws(*draws), hand_over=hand_over)


class Told:
    """What an application is told of its waits, in milliseconds."""

    def __init__(self) -> None:
        self.late: list[tuple[int, int]] = []
        self.waits: list[tuple[int, int]] = []
        self.failed: list[tuple[int, int]] = []

    def delayed(self, ordinal: int, created_ns: int) -> None:
        self.late.append((ordinal, created_ns // MS))

    def blocked(self, since_ns: int, until_ns: int) -> None:
        self.waits.append((since_ns // MS, until_ns // MS))

    def timed_out(self, ordinal: int, intended_ns: int) -> None:
        self.failed.append((ordinal, intended_ns // MS))


def appended(records: StickyAccumulator) -> dict[int, list[int]]:
    return {
        partition: list(records.append_list(partition))
        for partition in range(3)
        if len(records.append_list(partition))
    }


def shown(batches: list[Batch]) -> list[tuple[int, int, int, int, int]]:
    return [(b.partition, b.lo, b.hi, b.closed_ns, b.closed_by) for b in batches]


def test_a_record_without_key_goes_to_the_sticky_partition() -> None:
    records = accumulator([0, 1], 50, 2)
    records.catch_up(1 * MS)

    assert appended(records) == {2: [0, 1]}


def test_the_partition_changes_when_batch_size_bytes_went_to_a_full_batch() -> None:
    # 61 + 57 + 57 = 175 bytes fill a batch; they are counted with the header.
    records = accumulator([0, 1, 2, 3, 4], 50, 0, 1, 2, batch_size=175)
    records.catch_up(4 * MS)

    assert appended(records) == {0: [0, 1], 1: [2, 3], 2: [4]}


def test_a_new_batch_counts_with_its_header() -> None:
    # 61 + 139 bytes are the whole batch.size; the batch has room for 16 bytes more.
    records = accumulator([0, 1], 130, 0, 1)
    records.catch_up(1 * MS)

    assert appended(records) == {0: [0], 1: [1]}


def test_a_record_that_closes_the_tail_may_go_to_another_partition() -> None:
    # 118, 175; closed, 175 < 200: new batch, 293, 350; closed, 350 >= 200: changed.
    records = accumulator([0, 1, 2, 3, 4], 50, 0, 1)
    records.catch_up(4 * MS)

    assert appended(records) == {0: [0, 1, 2, 3], 1: [4]}
    assert shown(records.finish(5 * MS)) == [
        (0, 0, 2, 2 * MS, FULL),
        (0, 2, 4, 4 * MS, FULL),
        (1, 0, 1, 5 * MS, CUT),
    ]


def test_the_partition_does_not_change_while_its_last_batch_is_open() -> None:
    # 200 bytes are reached with the 3rd record, but the batch is open until the 5th.
    records = accumulator([0, 1, 2, 3, 4, 5], [130, -1, -1, -1, 50, 50], 0, 1, 2)
    records.catch_up(5 * MS)

    assert appended(records) == {0: [0, 1, 2], 1: [3, 4, 5]}


def test_at_twice_batch_size_the_partition_changes_although_its_batch_is_open() -> None:
    # Bytes of keyless records: 118, 175; then each record with a key closes the batch
    # and opens one with room for one keyless record: 232, 289, 346, 403.
    records = accumulator([*range(11)], 50, 0, 1, keyed=dict.fromkeys((2, 4, 6, 8), 0))
    records.catch_up(10 * MS)

    assert appended(records) == {0: [*range(10)], 1: [10]}
    assert shown(records.finish(10 * MS))[-2:] == [
        (0, 8, 10, 10 * MS, CUT),
        (1, 0, 1, 10 * MS, CUT),
    ]


def test_a_change_that_was_put_off_is_made_once_the_batch_was_drained() -> None:
    records = accumulator([0, 0, 0, 9], 50, 0, 1, linger_ms=5)
    records.catch_up(0)
    assert shown(records.drain(0, 0)) == [(0, 0, 2, 0, FULL)]
    records.catch_up(5 * MS)
    assert shown(records.drain(0, 5 * MS)) == [(0, 2, 3, 5 * MS, LINGER)]

    records.catch_up(9 * MS)

    assert appended(records) == {0: [0, 1, 2], 1: [3]}


def test_the_same_partition_may_be_drawn_again() -> None:
    records = accumulator([0, 1, 2], 50, 1, 4, batch_size=175)
    records.catch_up(2 * MS)

    assert appended(records) == {1: [0, 1, 2]}


def test_records_with_keys_leave_the_sticky_partition_alone() -> None:
    records = accumulator([0, 0, 0, 0, 0], 50, 0, 1, keyed={0: 2, 1: 2, 2: 2, 3: 2})
    records.catch_up(0)

    assert appended(records) == {0: [4], 2: [0, 1, 2, 3]}


def test_a_look_names_when_the_first_node_is_ready() -> None:
    # The batch opened at 1 ms is full at 3 ms; with the linger of 1 ms at 2 ms already.
    assert accumulator([1, 2, 3], 50, 0).look_ahead([True], 0) == 3 * MS
    assert accumulator([1, 2, 3], 50, 0, linger_ms=1).look_ahead([True], 0) == 2 * MS


def test_a_look_is_not_about_nodes_that_may_not_be_sent_to() -> None:
    records = accumulator([1, 2], 50, 0, keyed={1: 1}, leaders=(0, 1, 1), linger_ms=5)

    assert records.look_ahead([False, True], 0) == 7 * MS
    assert records.look_ahead([False, False], 0) == NEVER


def test_a_look_comes_back_after_some_records() -> None:
    records = accumulator(
        [*range(1_000)],
        -1,
        0,
        keyed=dict.fromkeys(range(999), 0),
        batch_size=60_000,
        linger_ms=100_000,
    )

    assert records.look_ahead([True], 0) == 128 * MS
    records.catch_up(128 * MS)
    assert records.look_ahead([True], 128 * MS) == 257 * MS


def test_looking_leaves_no_trace_when_a_drain_comes_before() -> None:
    created_ms = list(range(40))
    keyed = dict.fromkeys(range(0, 40, 5), 2)
    looked = accumulator(created_ms, 50, *[0, 1] * 20, keyed=keyed, leaders=(0, 1, 1))
    plain = accumulator(created_ms, 50, *[0, 1] * 20, keyed=keyed, leaders=(0, 1, 1))
    looked.look_ahead([False, True], 0)
    assert len(looked.append_list(0)) > 1

    for now_ms in (1, 3, 20):
        for records in (looked, plain):
            records.catch_up(now_ms * MS)
        assert shown(looked.drain(0, now_ms * MS)) == shown(plain.drain(0, now_ms * MS))
        looked.look_ahead([False, True], now_ms * MS)

    assert shown(looked.finish(30 * MS)) == shown(plain.finish(30 * MS))
    assert appended(looked) == appended(plain)


def test_round_robin_passes_over_a_partition_without_a_leader() -> None:
    keyed = dict.fromkeys(range(6), ROUND_ROBIN)
    records = accumulator([*range(6)], 0, keyed=keyed)
    records.catch_up(2 * MS)
    records.set_leaders([0, -1, 0], 2 * MS)
    records.catch_up(5 * MS)

    # Of the two that are left each has every second number: 3, 4, 5 are 1, 0, 1.
    assert appended(records) == {0: [0, 4], 1: [1], 2: [2, 3, 5]}


def test_a_tail_closed_for_a_record_that_goes_elsewhere_wakes_nobody() -> None:
    # The record of 4 ms closes p0's second batch and goes into the open one of p1
    # (PR-15b); the one of 7 ms opens a batch, and then the sender sees both.
    records = accumulator(
        [0, 0, 1, 2, 3, 4, 7],
        [-1, *[50] * 6],
        0,
        1,
        keyed={0: 1, 6: 2},
        leaders=(0, 1, 2),
    )
    assert records.look_ahead([True, False, False], 0) == 2 * MS
    assert shown(records.drain(0, 2 * MS)) == [(0, 0, 2, 2 * MS, FULL)]

    assert records.look_ahead([True, False, False], 2 * MS) == 7 * MS

    assert appended(records) == {0: [1, 2, 3, 4], 1: [0, 5], 2: [6]}
    assert shown(records.drain(0, 7 * MS)) == [(0, 2, 4, 4 * MS, FULL)]


def test_a_batch_takes_its_capacity_and_gives_it_back_when_it_completes() -> None:
    told = Told()
    records = accumulator(
        [0, 1, 2, 3], 110, keyed=dict.fromkeys(range(4), 0), memory=400, hand_over=told
    )
    records.catch_up(3 * MS)
    # Two batches of 200 bytes are all there is; the third record waits from 2 ms on.
    assert appended(records) == {0: [0, 1]}
    records.look([False], 3 * MS)
    (first,) = records.drain(0, 3 * MS)
    records.look_ahead([False], 3 * MS)
    records.catch_up(9 * MS)
    assert appended(records) == {0: [0, 1]}

    records.answered([first], 10 * MS)

    assert told.waits == [(2, 10)]
    assert told.late == [(3, 10)]
    assert appended(records) == {0: [0, 1, 2]}
    waiting = records.finish(11 * MS)
    assert [(batch.lo, batch.opened_ns // MS) for batch in waiting] == [(1, 1), (2, 10)]
    assert told.waits[1:] == [(10, 11)]
    assert told.failed == []


def test_a_record_fails_that_has_waited_for_max_block_ms() -> None:
    told = Told()
    records = accumulator(
        [0, 1, 2, 30],
        110,
        keyed=dict.fromkeys(range(4), 0),
        memory=200,
        max_block_ms=20,
        hand_over=told,
    )

    assert records.look_ahead([True], 0) == 21 * MS
    records.catch_up(60 * MS)

    assert told.failed == [(1, 1), (2, 2)]
    assert told.late == [(2, 21), (3, 41)]
    assert told.waits == [(1, 21), (21, 41)]
    assert appended(records) == {0: [0]}


def test_while_a_thread_waits_all_that_waits_may_be_sent() -> None:
    # Linger is 100 ms; the sender looks at 100 ms because of p0, or with an answer.
    keyed = {0: 0, 1: 1, 2: 2}
    records = accumulator([0, 1, 2], 50, keyed=keyed, memory=400)

    assert records.look_ahead([True], 0) == 100 * MS
    records.catch_up(50 * MS)
    records.look([True], 50 * MS)

    assert records.ready_ns == [50 * MS]
    assert shown(records.drain(0, 50 * MS)) == [
        (0, 0, 1, 50 * MS, DRAINED),
        (1, 0, 1, 50 * MS, DRAINED),
    ]


def test_what_did_not_fit_into_the_request_is_ready_too_while_a_thread_waits() -> None:
    keyed = {0: 0, 1: 1, 2: 2}
    records = accumulator([0, 1, 2], 50, keyed=keyed, memory=400, max_request=150)
    records.catch_up(50 * MS)
    records.look([True], 50 * MS)

    assert shown(records.drain(0, 50 * MS)) == [(0, 0, 1, 50 * MS, DRAINED)]
    assert records.ready_ns[0] <= 50 * MS
    assert shown(records.drain(0, 50 * MS)) == [(1, 0, 1, 50 * MS, DRAINED)]


def test_a_record_that_waited_has_the_timestamp_of_its_call() -> None:
    # 64 ms lie between the calls, and 4 ms between the appends: two bytes more.
    records = accumulator(
        [0, 64], [130, 0], keyed={0: 0, 1: 0}, memory=300, batch_size=300
    )
    records.catch_up(64 * MS)
    assert [batch.size_bytes for batch in records.finish(64 * MS)] == [200 + 8]

    told = Told()
    records = accumulator(
        [0, 10, 70, 75],
        [110, 0, 0, 0],
        keyed={0: 0, 1: 1, 2: 1, 3: 1},
        memory=200,
        hand_over=told,
    )
    records.catch_up(10 * MS)
    (first,) = records.drain(0, 10 * MS)
    records.look_ahead([True], 10 * MS)
    records.answered([first], 74 * MS)
    records.catch_up(75 * MS)

    # Called at 10, 74 and 75 ms: 64 ms and more after the first one, a byte each.
    assert told.late == [(2, 74)]
    assert [batch.size_bytes for batch in records.finish(75 * MS)] == [61 + 7 + 8 + 8]


def test_neither_time_nor_a_drain_moves_the_sticky_partition() -> None:
    records = accumulator([0, 200, 400], 30, 0, 1, 2, linger_ms=5)
    for now_ms in (5, 205, 405):
        records.catch_up(now_ms * MS)
        (batch,) = records.drain(0, now_ms * MS)
        records.look_ahead([True], now_ms * MS)
        # 61 + 37 bytes each: 98, 196; only the third one makes 200.
        assert batch.partition == 0


def test_round_robin_counts_what_was_let_go_and_refused() -> None:
    keyed = dict.fromkeys((1, 2, 4), ROUND_ROBIN) | {0: REFUSED, 3: REFUSED}
    records = accumulator([*range(5)], 0, keyed=keyed)
    records.catch_up(4 * MS)

    assert appended(records) == {1: [1, 4], 2: [2]}


def test_memory_that_was_only_looked_ahead_at_is_free_again() -> None:
    keyed = {0: 0, 1: 1}
    records = accumulator([0, 50], 110, keyed=keyed, leaders=(0, 1, 1), memory=400)
    assert records.look_ahead([False, True], 0) == 150 * MS

    records.catch_up(10 * MS)
    records.drain(0, 10 * MS)
    records.look_ahead([False, True], 10 * MS)
    records.catch_up(50 * MS)

    assert appended(records) == {0: [0], 1: [1]}
