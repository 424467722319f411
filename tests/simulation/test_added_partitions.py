"""A topic gets more partitions in a run: producers and readers (DS-29)."""

import pytest

import kafkasim as ks
from kafkasim.analysis.order import ordering, overtakings
from tests.simulation.growing_shop import (
    asked_ms,
    check_places,
    knows_ms,
    of_key,
    outcomes,
    shop,
)

# --- producers --------------------------------------------------------------------


def test_a_key_goes_by_the_new_number_once_the_producer_knows() -> None:
    result = shop()

    knew_ms = knows_ms(result)
    assert 4_000 < knew_ms < 4_010
    check_places(result, knew_ms)
    assert set(result.records.partition) == {0, 1, 2, 3}
    assert outcomes(result) == {"once": 500}


def test_what_is_in_a_batch_stays_in_its_partition() -> None:
    """A linger of 1 s: batches are open when the metadata come, and go on growing."""
    result = shop(linger_ms=1_000)

    knew_ms = knows_ms(result)
    open_then = result.batches.query("opened_ms < @knew_ms and sent_ms > @knew_ms")
    assert len(open_then) == 2
    records = result.records[result.records.batch_id.isin(open_then.batch_id)]
    early = records[records.created_ms < knew_ms]
    late = records[records.created_ms > knew_ms]
    assert len(early) > 20
    assert {of_key(key, 4) for key in early.key} == {0, 1, 2, 3}
    assert set(early.partition) == {0, 1}
    assert len(late) > 0
    assert (late.partition == [of_key(k, 4) for k in late.key]).all()


def test_a_producer_that_does_not_look_sends_as_before() -> None:
    """`metadata.max.age.ms` is 5 min."""
    result = shop(ages_ms=(300_000, 300_000))

    assert set(result.records.partition) == {0, 1}
    assert result.events.effect.tolist() == [
        "partition 2 on broker 1; partition 3 on broker 1"
    ]
    assert asked_ms(result, "source:shop") == []


def test_a_producer_that_meets_an_error_looks_at_once() -> None:
    """Its connection to broker 1 is lost when that one crashes."""
    crash = ks.Crash("broker:1", at_s=5.0, for_s=1.0)

    result = shop(crash, brokers=3, copies=3, ages_ms=(300_000, 3_000))

    records = result.records
    first_ms = records[records.partition >= 2].created_ms.min()
    assert 5_000 < first_ms < 5_100
    assert outcomes(result).keys() <= {"once", "duplicated"}


def test_records_without_a_key_may_stick_to_new_partitions() -> None:
    result = shop(keys=ks.NoKeys(), to=12, until_s=20.0, batch_size=200)

    knew_ms = knows_ms(result)
    records = result.records
    assert set(records[records.created_ms < knew_ms].partition) == {0, 1}
    assert set(records[records.created_ms > knew_ms].partition) == set(range(12))


def test_new_partitions_have_their_turn_in_a_round_robin() -> None:
    result = shop(partitioner="round_robin")

    records = result.records
    late = records[records.created_ms > 4_100].partition.tolist()
    assert set(records[records.created_ms < 4_000].partition) == {0, 1}
    assert late[:8] in [[(n + k) % 4 for k in range(8)] for n in range(4)]


def test_a_named_partition_stays_the_one_that_is_named() -> None:
    assert set(shop(partition=1).records.partition) == {1}


@pytest.mark.parametrize(("codec", "ratio"), [("none", None), ("lz4", 0.5)])
def test_sequences_go_on_in_old_partitions_and_begin_at_0_in_new_ones(
    codec: str, ratio: float | None
) -> None:
    result = shop(compression_type=codec, ratio=ratio)

    for _, mine in result.records.groupby("partition"):
        assert sorted(mine.offset) == list(range(len(mine)))
    assert set(result.records.outcome) == {"acked"}
    assert set(result.records.log_copies) == {1}


def test_a_record_that_waits_for_memory_keeps_its_partition() -> None:
    """It has chosen when it is handed over; broker 1 stands still, broker 2 tells."""
    pause = ks.Pause("broker:1", at_s=3.5, for_s=0.7)

    result = shop(pause, brokers=2, buffer_memory=400, batch_size=200)

    knew_ms = knows_ms(result)
    assert 4_000 < knew_ms < 4_010
    wait = result.blocked.query("since_ms < 4_000 and until_ms > 4_200")
    records = result.records
    (waited,) = records[records.created_ms.isin(wait.since_ms)].itertuples()
    (behind,) = records[records.created_ms.isin(wait.until_ms)].itertuples()
    assert waited.partition == of_key(waited.key, 2)
    assert waited.partition != of_key(waited.key, 4)
    assert behind.partition == of_key(behind.key, 4)
    assert outcomes(result) == {"once": 500}


def test_a_broker_that_has_not_heard_of_them_tells_nobody() -> None:
    """It is asked 10 ms after the controller has decided; it hears after 25 ms."""
    records = shop(at_s=3.99).records

    assert 6_000 < records[records.partition >= 2].created_ms.min() < 6_100


# --- order ------------------------------------------------------------------------


def test_a_key_that_moves_is_overtaken_and_one_that_stays_is_not() -> None:
    """DS-29: the one reader is behind, and those of new partitions are idle."""
    result = shop(
        before=1, members=3, work_ms=60.0, ages_ms=(2_000, 2_000), until_s=6.0
    )

    overtaken = ordering(result, per="key").set_index("key").overtaken
    moves = {key: of_key(key, 4) > 0 for key in overtaken.index}
    assert len({key for key in moves if moves[key] and overtaken[key]}) > 5
    assert not any(overtaken[key] for key in moves if not moves[key])
    assert ordering(result, per="partition").overtaken.sum() == 0
    first = overtakings(result, per="key").iloc[0]
    assert (first.record_partition, first.overtaker_partition > 0) == (0, True)


def test_what_was_written_is_not_moved() -> None:
    result = shop()
    alone = shop(to=4, at_s=9.99)

    both = [
        r.records.query("created_ms < 4_000").offset.tolist() for r in (result, alone)
    ]
    assert both[0] == both[1]


# --- consumers --------------------------------------------------------------------


def test_the_group_reads_new_partitions_from_when_its_leader_has_looked() -> None:
    result = shop()

    found_ms = knows_ms(result, "member:billing/1")
    assert 6_000 < found_ms < 6_510  # it waits behind a fetch of its connection
    asked = result.requests.query("api == 'ListOffsets'")
    assert asked.sent_ms.min() == found_ms
    late = result.assignments.query("partition >= 2")
    assert set(late.start_offset) == {0}
    assert late.since_ms.between(found_ms, found_ms + 510).all()


def test_a_group_that_begins_anew_looks_at_once() -> None:
    crash = ks.Crash("subscriber:billing", at_s=4.0, for_s=0.5)

    result = shop(crash, ages_ms=(2_000, 300_000))

    late = result.assignments.query("partition >= 2")
    assert late.since_ms.between(4_500, 5_510).all()
    assert outcomes(result).keys() <= {"once", "duplicated"}


def test_a_run_waits_until_the_leader_looks() -> None:
    """It looks after 100 s, and for 10 s without progress a run goes on."""
    result = shop(ages_ms=(2_000, 100_000), until_s=5.0, drain_limit_s=10.0)

    assert outcomes(result) == {"once": 250}
    assert 100e9 < float(result.facts["end_ns"]) < 102e9


@pytest.mark.parametrize(
    ("before", "to", "members", "shares"),
    [
        (4, 6, 2, {"billing/1": [0, 1, 4], "billing/2": [2, 3, 5]}),
        (2, 5, 2, {"billing/1": [0, 2, 3], "billing/2": [1, 4]}),
        (1, 4, 3, {"billing/1": [0, 1], "billing/2": [2], "billing/3": [3]}),
    ],
)
def test_members_share_the_new_ones_and_keep_what_they_have(
    before: int, to: int, members: int, shares: dict[str, list[int]]
) -> None:
    result = shop(before=before, to=to, members=members)

    found = result.assignments.groupby("member", observed=True).partition
    assert {name: sorted(mine) for name, mine in found} == shares
    assert outcomes(result) == {"once": 500}


def test_latest_misses_what_came_before_it_was_found_and_earliest_does_not() -> None:
    """From 4 s to 6 s the producer knows of them and the group does not."""
    latest, earliest = shop(reset="latest"), shop(reset="earliest")

    assert outcomes(earliest) == {"once": 500}
    begun_ms = latest.assignments.query("partition >= 2").since_ms
    new = latest.records.query("partition >= 2")
    missed = set(new[new.created_ms < begun_ms.min() - 1_000].record_id)
    read = set(new[new.created_ms > begun_ms.max()].record_id)
    receipts = ks.receipts(latest).set_index("record_id").outcome
    assert len(missed) > 10
    assert set(receipts[list(missed)]) == {"skipped"}
    assert set(receipts[list(read)]) == {"once"}
    assert outcomes(latest).keys() == {"once", "skipped"}


def test_without_a_reset_the_application_ends() -> None:
    """NoOffsetForPartitionException at the poll that finds them."""
    result = shop(reset="none", drain_limit_s=5.0)

    assert result.deliveries.ended_ms.max() < 6_510
    assert outcomes(result).keys() == {"once", "pending"}


def test_a_group_that_comes_later_reads_all() -> None:
    result = shop(from_s=5.0)

    late = result.assignments.query("partition >= 2")
    assert late.since_ms.between(5_000, 6_010).all()
    assert outcomes(result) == {"once": 250}  # what came before, it does not want


def test_offsets_of_new_partitions_are_committed_and_count_after_a_crash() -> None:
    crash = ks.Crash("subscriber:billing", at_s=9.0, for_s=0.2)

    result = shop(crash, until_s=12.0, reset="latest", commit_ms=500)

    again = result.assignments.query("partition >= 2 and since_ms > 9_000")
    assert len(again) == 2
    assert (again.start_offset > 5).all()
    assert set(again.start_offset) & set(result.commits.offset)
    assert "skipped" in outcomes(result)
    lost = ks.receipts(result).query("outcome == 'skipped'").record_id
    assert result.records.created_ms[lost].max() < 6_600
