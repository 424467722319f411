"""What Kafka promises and what it does not, as short stories to follow by hand.

Each test is a setup, a fault, and what is seen then; DS-1 and so on are the numbers of
delivery scenarios. Where a story is one of milliseconds, all are 5 ms apart, one way,
so that a fault fits between two steps.
"""

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

import kafkasim as ks

if TYPE_CHECKING:
    import pandas as pd

APART_MS = 5.0
"""One way between any two, where a fault is to come between two steps."""


def records_at(*seconds: float) -> ks.Source:
    """Return a source that sends one record at each of some times."""
    times_ns = np.rint(np.array(seconds) * 1e9).astype(np.int64)
    return ks.Source("orders", ks.Trace(times_ns, {}))


def evenly(rate_per_s: float, from_s: float) -> ks.Source:
    """Return a source that sends at equal distances."""
    return ks.Source("orders", ks.Periodic(rate_per_s, from_s))


def story(
    source: ks.Source,
    *events: ks.Crash | ks.Pause,
    until_s: float,
    min_isr: int = 2,
    copies: int = 3,
    unclean: bool = False,
    delay_ms: float = 0.2,
    **producer: Any,  # noqa: ANN401 - settings by name
) -> ks.Result:
    """Run one partition on as many brokers as it has copies, and one reader.

    Broker 1 leads. The rest of the arguments are settings of the producer, which waits
    for nothing before it sends.
    """
    topic = ks.Topic(
        replication_factor=copies,
        config=ks.TopicConfig(
            min_insync_replicas=min_isr, unclean_leader_election_enable=unclean
        ),
    )
    reads_all = ks.ConsumerConfig(auto_offset_reset="earliest")
    cluster = ks.Kafka(
        brokers=copies,
        topics={"orders": topic},
        producers={"shop": ks.Producer(ks.ProducerConfig(linger_ms=0, **producer))},
        groups={"billing": ks.Group(config=reads_all)},
        hardware=ks.Hardware(link=ks.Link(delay_ms=delay_ms)),
    )
    traffic = ks.Traffic(
        {"shop": source}, {"billing": ks.Subscriber(["orders"])}, duration_s=until_s
    )
    result = ks.run(ks.Scenario(traffic, cluster, events=events), check=True)
    assert result.violations.empty
    return result


def waits_ms(records: "pd.DataFrame") -> "pd.Series[float]":
    """Return how long each record's sender waited for its acknowledgement."""
    return records.acked_ms - records.created_ms


def times_read(result: ks.Result) -> dict[int, int]:
    """Return how often the reader was handed each record."""
    counts = result.deliveries.record_id.value_counts()
    return {record: int(counts.get(record, 0)) for record in result.records.record_id}


def in_log_order(result: ks.Result) -> list[int]:
    """Return the records as a fresh reader would see them."""
    kept = result.records.dropna(subset="offset")
    return kept.sort_values("offset").record_id.tolist()


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


# --- keys and order -----------------------------------------------------------------


def keyed(partitions: int, members: int = 1) -> ks.Result:
    """Run records of 40 customers, each customer's name a key."""
    source = ks.Source("orders", ks.Poisson(500), keys=ks.UniformKeys(40))
    cluster = ks.Kafka(
        topics={"orders": ks.Topic(partitions=partitions)},
        groups={"billing": ks.Group(members=members)},
    )
    reader = ks.Subscriber(["orders"], work_ms=1.0)
    traffic = ks.Traffic({"shop": source}, {"billing": reader}, duration_s=2.0)
    return ks.run(ks.Scenario(traffic, cluster), check=True)


def test_another_number_of_partitions_sends_keys_elsewhere() -> None:
    """DS-29: of a key whose partition changes, old records stay and new ones go."""
    three, four = (
        keyed(partitions).records.groupby("key", observed=True).partition
        for partitions in (3, 4)
    )

    assert set(three.nunique()) == set(four.nunique()) == {1}
    moved = three.first() != four.first()
    assert 0 < moved.sum() < len(moved)
    for key, partition in four.first().items():
        assert ks.partition_for_key(str(key), 4) == partition


def test_order_holds_for_a_key_and_in_a_partition_but_not_overall() -> None:
    """DS-30: and no two members of a group work on one key."""
    result = keyed(partitions=3, members=3)

    for per in ("key", "partition"):
        assert ks.analysis.ordering(result, per=per).overtaken.sum() == 0
    ended = result.deliveries.sort_values("ended_ms").record_id.tolist()
    created = result.records.set_index("record_id").created_ms[ended]
    assert not created.is_monotonic_increasing
    read = result.deliveries.merge(result.records[["record_id", "key"]])
    assert set(read.groupby("key", observed=True).member.nunique()) == {1}


# --- a cluster that is in trouble ---------------------------------------------------


def test_records_flow_while_the_controller_fails_over_but_nobody_is_elected() -> None:
    """DS-38: a leader that dies in that time is missed a whole session longer."""
    resigns = ks.Crash("controller", at_s=5.0)
    dies = ks.Crash("broker:1", at_s=5.1)

    alone = story(evenly(20, 0.0), resigns, until_s=10.0)
    both = story(evenly(20, 0.0), resigns, dies, until_s=10.0)

    assert waits_ms(alone.records).max() < 10
    assert "elected" not in set(alone.replicas.cause)
    (elected_ms,) = both.replicas.query("cause == 'elected'").at_ms
    assert elected_ms > 5_000 + 9_000  # clocks begin anew when the next one is active
    assert waits_ms(both.records).max() > 9_000
    assert set(both.records.outcome) == {"acked"}


def test_a_leader_that_crashes_is_missed_for_7_to_10_seconds() -> None:
    """DS-39: with the defaults no error reaches the application."""
    result = story(evenly(20, 0.0), ks.Crash("broker:1", at_s=5.0), until_s=20.0)

    assert 7_000 < waits_ms(result.records).max() < 12_000  # and until it is told of
    assert set(result.records.outcome) == {"acked"}
    assert result.records.error.isna().all()
    assert set(times_read(result).values()) == {1}


def test_a_leader_that_shuts_down_in_order_is_hardly_missed() -> None:
    """DS-40: leadership has moved before it stops."""
    stops = ks.Crash("broker:1", at_s=5.0, clean=True)

    result = story(evenly(20, 0.0), stops, until_s=20.0)

    assert waits_ms(result.records).max() < 1_000
    assert set(result.records.outcome) == {"acked"}
    moved, stopped = (
        result.replicas.query(f"cause == '{cause}'").at_ms.tolist()
        for cause in ("elected", "shut down")
    )
    assert moved < stopped


@pytest.mark.parametrize(("pause_s", "failed"), [(30.0, 0), (100.0, 1)])
def test_a_full_buffer_makes_the_application_wait(pause_s: float, failed: int) -> None:
    """DS-41: `send` blocks for 60 s at most and then throws; nothing is dropped."""
    source = ks.Source("orders", ks.Periodic(100, 0.0), value_bytes=10_000)
    stands_still = ks.Pause("broker:1", at_s=1.0, for_s=pause_s)

    result = story(
        source,
        stands_still,
        until_s=3.0,
        copies=1,
        min_isr=1,
        buffer_memory=1_000_000,
    )

    records = result.records
    blocked = result.blocked.iloc[0]
    assert blocked.cause == "buffer.memory"
    assert blocked.since_ms == 1_000 + 61 * 10  # 61 batches of 16 KiB are there by then
    assert blocked.until_ms - blocked.since_ms == pytest.approx(
        min(pause_s, 60.0) * 1e3, abs=700
    )
    assert (records.created_ms - records.intended_ms).max() > pause_s * 900
    thrown = records[records.outcome == "failed"]
    assert len(thrown) == failed
    assert set(thrown.error) <= {"REQUEST_TIMED_OUT"}
    kept = records[records.outcome == "acked"]
    assert len(kept) + failed == len(records) == 300
    assert set(kept.log_copies) == {1}


def test_a_record_above_the_largest_request_is_refused_by_the_client() -> None:
    """DS-42: 1.5 MB never leave it."""
    source = ks.Source("orders", ks.Periodic(1.0, 0.0), value_bytes=1_500_000)

    result = story(source, until_s=1.0, copies=1, min_isr=1)

    (record,) = result.records.itertuples()
    assert record.outcome == "failed"
    assert record.error == "MESSAGE_TOO_LARGE"
    assert record.send_count == 0
    assert result.requests.query("api == 'Produce'").empty
