"""The memory of a producer, and an application that waits for it."""

from kafkasim.protocol.producing.batch import DRAINED
from tests.protocol.producing.given_draws import MS, Told, accumulator, appended, shown


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


def test_memory_that_was_only_looked_ahead_at_is_free_again() -> None:
    keyed = {0: 0, 1: 1}
    records = accumulator([0, 50], 110, keyed=keyed, leaders=(0, 1, 1), memory=400)
    assert records.look_ahead([False, True], 0) == 150 * MS

    records.catch_up(10 * MS)
    records.drain(0, 10 * MS)
    records.look_ahead([False, True], 10 * MS)
    records.catch_up(50 * MS)

    assert appended(records) == {0: [0], 1: [1]}


def test_memory_that_was_taken_and_not_needed_is_given_back() -> None:
    # At 4 ms a record takes memory for a new batch and goes into the open one of p1.
    records = accumulator(
        [0, 0, 1, 2, 3, 4, 7],
        [-1, *[50] * 6],
        0,
        1,
        keyed={0: 1, 6: 2},
        memory=800,
    )
    records.catch_up(7 * MS)

    assert appended(records) == {0: [1, 2, 3, 4], 1: [0, 5], 2: [6]}
