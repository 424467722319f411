"""What Kafka promises and what it does not, as short stories to follow by hand.

Each test is a setup, a fault, and what is seen then; DS-1 and so on are the numbers of
delivery scenarios. Where a story is one of milliseconds, all are 5 ms apart, one way,
so that a fault fits between two steps.
"""

import pytest

import kafkasim as ks
from tests.simulation.stories import (
    APART_MS,
    evenly,
    in_log_order,
    records_at,
    story,
    times_read,
    waits_ms,
)

# --- an acknowledgement, and what it is worth ---------------------------------------


def test_acks_0_loses_without_a_word_what_a_dead_leader_was_sent() -> None:
    """DS-1: only what was still at the client waits for another leader."""
    hundred = evenly(5_000, 5.0)
    crash = ks.Crash("broker:1", at_s=5.0069)

    records = story(
        hundred,
        crash,
        until_s=5.02,
        delay_ms=APART_MS,
        acks="0",
        enable_idempotence=False,
    ).records

    lost = records[records.log_copies == 0].record_id.tolist()
    # Those that it had alone, from 5.0002 s on, and those sent until 5.0119 s.
    assert lost == list(range(1, 60))
    assert records.appended_ms[60:].min() > 12_000  # by the next leader
    assert set(records.outcome) == {"unacked"}
    assert records.error.isna().all()
    assert set(records.send_count) == {1}


def test_acks_0_fails_aloud_what_never_left_the_client() -> None:
    """DS-1: without any leader the rest expires, and nobody waits for it."""
    result = story(
        evenly(20, 0.0),
        ks.Crash("broker:1", at_s=0.5),
        copies=1,
        min_isr=1,
        until_s=1.0,
        acks="0",
        enable_idempotence=False,
        request_timeout_ms=1_000,
        delivery_timeout_ms=2_000,
    )

    expired = result.records[result.records.outcome == "failed"]
    assert len(expired) > 0
    assert set(expired.error) == {"REQUEST_TIMED_OUT"}
    assert result.facts["drained"]


def test_acks_1_can_lose_what_was_acknowledged() -> None:
    """DS-2: the leader answers at once, and dies before a follower has the record."""
    two = records_at(10.000, 10.004, 60.0)
    crash = ks.Crash("broker:1", at_s=10.012, for_s=30.0)

    result = story(
        two,
        crash,
        until_s=60.1,
        delay_ms=APART_MS,
        acks="1",
        enable_idempotence=False,
    )

    copied, lost, later = result.records.itertuples()
    assert [copied.outcome, lost.outcome, later.outcome] == ["acked"] * 3
    assert [copied.log_copies, lost.log_copies, later.log_copies] == [1, 0, 1]
    assert times_read(result) == {0: 1, 1: 0, 2: 1}  # nobody ever saw it
    high_watermarks = result.replicas.query("cause == 'crashed'").high_watermark
    assert high_watermarks.max() <= 1  # which did not cover it
    assert [copied.offset, later.offset] == [0, 1]  # its offset was given again
    cut = result.replicas.query("cause == 'truncated'")
    assert cut.broker.tolist() == [1]  # the old leader, when it was back
    assert cut.log_end_offset.tolist() == [1]


@pytest.mark.parametrize("crash_ms", range(0, 40, 3))
def test_acks_all_loses_nothing_that_was_acknowledged(crash_ms: int) -> None:
    """DS-3: whenever the leader dies, all in the ISR had what was acknowledged."""
    two = records_at(10.000, 10.004)
    crash = ks.Crash("broker:1", at_s=10.0 + crash_ms / 1e3, for_s=30.0)

    result = story(two, crash, until_s=10.1, delay_ms=APART_MS)

    assert set(result.records.outcome) == {"acked"}
    assert set(result.records.log_copies) == {1}
    assert times_read(result) == {0: 1, 1: 1}


# --- replicas that are missing ------------------------------------------------------


def test_acks_all_stalls_until_a_dead_follower_has_left_the_isr() -> None:
    """DS-4: it is fenced 7 to 10.1 s after its crash; acks=1 does not wait for it."""
    crash = ks.Crash("broker:3", at_s=5.0)

    for_all = story(evenly(20, 0.0), crash, until_s=25.0, acks="all")
    for_one = story(
        evenly(20, 0.0), crash, until_s=25.0, acks="1", enable_idempotence=False
    )

    stall_ms = waits_ms(for_all.records).max()
    assert 7_000 < stall_ms < 10_300
    assert waits_ms(for_all.records[for_all.records.created_ms > 16_000]).max() < 10
    assert waits_ms(for_one.records).max() < 10
    assert set(for_all.records.outcome) == {"acked"}


def test_with_too_few_in_sync_replicas_acks_all_is_refused() -> None:
    """DS-5: nothing is appended; each record fails when its delivery time is over."""
    crashes = (ks.Crash("broker:2", at_s=2.0), ks.Crash("broker:3", at_s=2.0))

    result = story(records_at(1.0, 20.0, 20.5), *crashes, until_s=21.0)

    before, *late = result.records.itertuples()
    assert before.outcome == "acked"
    for record in late:
        assert record.outcome == "failed"
        assert record.error == "REQUEST_TIMED_OUT"
        assert record.log_copies == 0
    assert result.records.send_count[1] > 100  # about each second
    assert result.appends.record_count.sum() == 1
    produced = result.requests.query("api == 'Produce' and sent_ms > 15_000")
    assert set(produced.error.dropna()) == {"NOT_ENOUGH_REPLICAS"}


def test_with_too_few_in_sync_replicas_acks_1_is_accepted_and_invisible() -> None:
    """DS-6: the high watermark stands still until the in-sync replicas are enough."""
    crashes = (ks.Crash("broker:2", at_s=2.0, for_s=58.0), ks.Crash("broker:3", 2.0))

    result = story(
        evenly(10, 20.0), *crashes, until_s=25.0, acks="1", enable_idempotence=False
    )

    assert waits_ms(result.records).max() < 10
    assert result.records.committed_ms.min() > 60_000
    assert result.deliveries.fetched_ms.min() > 60_000
    assert set(times_read(result).values()) == {1}


@pytest.mark.parametrize("unclean", [False, True])
def test_a_leader_alone_in_the_isr_takes_its_records_with_it(*, unclean: bool) -> None:
    """DS-7: without it nobody may lead, or somebody who lacks them."""
    events = (
        ks.Crash("broker:2", at_s=2.0, for_s=38.0),
        ks.Crash("broker:3", at_s=2.0),
        ks.Crash("broker:1", at_s=39.9, for_s=60.0),
    )
    source = records_at(1.0, 30.0, 30.1, 80.0)

    result = story(source, *events, until_s=81.0, min_isr=1, unclean=unclean)

    # The second and the third were acknowledged by the leader alone.
    assert set(result.records.outcome) == {"acked"}
    copies = result.records.log_copies.tolist()
    last = result.records.iloc[3]
    if unclean:
        assert copies == [1, 0, 0, 1]
        assert last.offset == 1  # given to another record before
        assert "elected unclean" in set(result.replicas.cause)
    else:
        assert copies == [1, 1, 1, 1]
        assert last.appended_ms > 99_900  # when the only one that had them was back


# --- sent again ---------------------------------------------------------------------


@pytest.mark.parametrize(("idempotent", "copies"), [(False, 2), (True, 1)])
def test_an_answer_that_is_lost_makes_a_duplicate_unless_the_producer_is_idempotent(
    *,
    idempotent: bool,
    copies: int,
) -> None:
    """DS-9 and DS-10: followers have the record; the leader dies before its answer."""
    crash = ks.Crash("broker:1", at_s=10.012)

    result = story(
        records_at(10.000),
        crash,
        until_s=10.1,
        delay_ms=APART_MS,
        enable_idempotence=idempotent,
    )

    (record,) = result.records.itertuples()
    assert record.outcome == "acked"
    assert record.send_count == 2
    assert record.log_copies == copies
    assert record.offset == 0
    assert times_read(result) == {0: copies}


@pytest.mark.parametrize(
    ("idempotent", "in_flight", "in_order"),
    [(False, 5, False), (False, 1, True), (True, 5, True)],
)
def test_retries_change_the_order_unless_one_is_in_flight_or_sequences_are_checked(
    *,
    idempotent: bool,
    in_flight: int,
    in_order: bool,
) -> None:
    """DS-11: five requests die with the leader; each goes back to the queue's front."""
    crash = ks.Crash("broker:1", at_s=10.004)

    result = story(
        ks.Source("orders", ks.Periodic(1_000, 10.0)),
        crash,
        until_s=10.02,
        delay_ms=APART_MS,
        enable_idempotence=idempotent,
        max_in_flight_requests_per_connection=in_flight,
    )

    order = in_log_order(result)
    assert len(order) == 20
    assert (order == sorted(order)) == in_order


def test_a_record_that_failed_may_be_in_the_log() -> None:
    """DS-12: an application that sends it again makes a duplicate no Kafka can see."""
    events = (
        ks.Crash("broker:1", at_s=10.012, for_s=150.0),
        ks.Crash("broker:2", at_s=10.013, for_s=150.0),
    )

    result = story(
        records_at(10.000), *events, until_s=10.1, delay_ms=APART_MS, copies=2
    )

    (record,) = result.records.itertuples()
    assert record.outcome == "failed"
    assert record.error == "REQUEST_TIMED_OUT"
    assert record.log_copies == 1
    assert times_read(result) == {0: 1}


def test_a_follower_that_stands_still_is_not_waited_for_once_it_is_fenced() -> None:
    """DS-4: nothing was written since before it stood still, so it has all there is."""
    stands_still = ks.Pause("broker:3", at_s=2.0, for_s=60.0)

    result = story(evenly(10, 15.0), stands_still, until_s=17.0)

    assert waits_ms(result.records).max() < 10


def test_a_record_that_was_never_sent_fails_and_not_another_one() -> None:
    """DS-1: its broker was dead before; the batch expires at the client."""
    crash = ks.Crash("broker:1", at_s=5.0)

    result = story(records_at(1.0, 20.0), crash, until_s=21.0, copies=1, min_isr=1)

    first, second = result.records.itertuples()
    assert (first.outcome, first.log_copies) == ("acked", 1)
    assert (second.outcome, second.error) == ("failed", "REQUEST_TIMED_OUT")
    assert (second.send_count, second.log_copies) == (0, 0)


@pytest.mark.parametrize("reset", ["earliest", "latest"])
def test_a_reader_ahead_of_an_unclean_leader_reads_on_where_the_logs_part(
    reset: str,
) -> None:
    """DS-8: it has read what is lost, and goes on at offsets given again (KIP-320).

    Whatever `auto.offset.reset` says: its position has an epoch, which tells where.
    """
    events = (
        ks.Crash("broker:2", at_s=2.0, for_s=38.0),
        ks.Crash("broker:3", at_s=2.0),
        ks.Crash("broker:1", at_s=39.9),
    )
    source = records_at(1.0, 30.0, 30.1, 80.0)

    result = story(source, *events, until_s=81.0, min_isr=1, unclean=True, reset=reset)

    assert times_read(result) == {0: 1, 1: 1, 2: 1, 3: 1}
    assert result.deliveries.sort_values("fetched_ms").offset.tolist() == [0, 1, 2, 1]
    assert result.records.log_copies.tolist() == [1, 0, 0, 1]


def test_without_a_reset_policy_a_truncation_ends_the_application() -> None:
    """DS-8: with `auto.offset.reset=none` it gets a LogTruncationException."""
    events = (
        ks.Crash("broker:2", at_s=2.0, for_s=38.0),
        ks.Crash("broker:3", at_s=2.0),
        ks.Crash("broker:1", at_s=39.9),
    )
    source = records_at(1.0, 30.0, 30.1, 80.0)

    result = story(source, *events, until_s=81.0, min_isr=1, unclean=True, reset="none")

    assert times_read(result) == {0: 1, 1: 1, 2: 1, 3: 0}
