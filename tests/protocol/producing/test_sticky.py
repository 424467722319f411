"""The accumulator of records without a key; draws are given."""

from kafkasim.protocol.producing.batch import CUT, FULL, LINGER, NEVER
from kafkasim.protocol.producing.columns import (
    REFUSED,
    ROUND_ROBIN,
)
from tests.protocol.producing.given_draws import MS, accumulator, appended, shown


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


def test_an_answer_makes_the_sender_see_earlier_what_it_missed() -> None:
    # As above: closed at 4 ms, seen at 7 ms, unless an answer comes between.
    records = accumulator(
        [0, 0, 1, 2, 3, 4, 7],
        [-1, *[50] * 6],
        0,
        1,
        keyed={0: 1, 6: 2},
        leaders=(0, 1, 2),
    )
    records.look_ahead([True, False, False], 0)
    records.drain(0, 2 * MS)
    assert records.look_ahead([True, False, False], 2 * MS) == 7 * MS

    assert records.attentive
    records.look([True, False, False], 5 * MS)

    assert records.ready_ns[0] == 5 * MS
    assert shown(records.drain(0, 5 * MS)) == [(0, 2, 4, 4 * MS, FULL)]


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


def test_partitions_that_are_added_are_drawn_like_any_that_have_had_no_batch() -> None:
    """While one has had none all are drawn alike, however long the queues are (PR-19).

    A draw of 7 means partition 1 of 3 then; with weights of 1, 5 and 5 by what waits it
    would mean partition 2. The one before was drawn when there was one partition.
    """
    records = accumulator([0, 1, 2, 9, 10], 130, 0, 0, 0, 0, 7, leaders=(0,))
    records.catch_up(2 * MS)
    assert appended(records, 1) == {0: [0, 1, 2]}

    records.set_leaders([0, 0, 0], 3 * MS)
    records.catch_up(10 * MS)

    assert appended(records) == {0: [0, 1, 2, 3], 1: [4]}


def test_what_was_looked_ahead_at_is_appended_anew_when_there_are_more() -> None:
    records = accumulator(
        [0, 5, 6], 50, 0, 1, leaders=(0,), batch_size=100, linger_ms=9
    )
    records.catch_up(0)
    records.look_ahead([True], 0)

    records.set_leaders([0, 0], 1 * MS)
    records.catch_up(6 * MS)

    found = appended(records, 2)
    assert sum(map(len, found.values())) == 3
    assert found[0][0] == 0
