"""A run's counts from blocks, by hand."""

from collections.abc import Sequence

import numpy as np
import pytest

from kafkasim.result.schema import OUTCOMES, TOTALS
from kafkasim.result.streaming import Streamed
from kafkasim.result.streaming_blocks import PassedBlock, ProcessedBlock, RecordBlock
from kafkasim.result.table import Table
from kafkasim.scenario.arrivals import Periodic
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.systems import Kafka, Topic
from kafkasim.scenario.traffic import Source, Subscriber, Traffic
from kafkasim.units import MISSING_NS

S = 1_000_000_000


def streamed(*, warmup_s: float = 0.0) -> Streamed:
    """`audit` comes at 2 s and wants history of `orders`; `billing` wants both."""
    periodic = Periodic(rate_per_s=1.0)
    traffic = Traffic(
        {"pay": Source("payments", periodic), "web": Source("orders", periodic)},
        {
            "billing": Subscriber(["orders", "payments"]),
            "audit": Subscriber(["orders"], from_s=2.0, wants="all"),
            "new": Subscriber(["orders"], from_s=2.0),
        },
        duration_s=10.0,
        warmup_s=warmup_s,
    )
    topics = {"orders": Topic(partitions=3)}
    return Streamed(
        Scenario(traffic, Kafka(topics=topics)).resolve(),
        streams=("orders", "payments"),
        subscribers=("audit", "billing", "new"),
        topics=("orders", "payments"),
    )


def records(
    *rows: tuple[int, float, float | None, int], outcome: str = "acked"
) -> RecordBlock:
    """Rows: stream, intended, appended (s), partition."""
    appended = [MISSING_NS if row[2] is None else round(row[2] * S) for row in rows]
    return RecordBlock(
        stream=np.array([row[0] for row in rows], dtype=np.int16),
        intended_ns=np.array([round(row[1] * S) for row in rows], dtype=np.int64),
        appended_ns=np.array(appended, dtype=np.int64),
        topic=np.array([row[0] if row[3] >= 0 else -1 for row in rows], dtype=np.int16),
        partition=np.array([row[3] for row in rows], dtype=np.int32),
        outcome=np.full(len(rows), OUTCOMES["records"].index(outcome), dtype=np.int8),
    )


def processed(*rows: tuple[int, int, int, float, float, int]) -> ProcessedBlock:
    """Rows: subscriber, stream, record, intended, ended (s), earlier; one entity."""
    return ProcessedBlock(
        subscriber=np.array([row[0] for row in rows], dtype=np.int16),
        stream=np.array([row[1] for row in rows], dtype=np.int16),
        entity=np.zeros(len(rows), dtype=np.int32),
        record=np.array([row[2] for row in rows], dtype=np.int64),
        intended_ns=np.array([round(row[3] * S) for row in rows], dtype=np.int64),
        in_log=np.ones(len(rows), dtype=np.bool_),
        ended_ns=np.array([round(row[4] * S) for row in rows], dtype=np.int64),
        earlier=np.array([row[5] for row in rows], dtype=np.int16),
    )


def passed(*rows: tuple[int, float, float | None]) -> PassedBlock:
    """Rows: subscriber, intended, passed (s); of `orders`."""
    at = [MISSING_NS if row[2] is None else round(row[2] * S) for row in rows]
    return PassedBlock(
        subscriber=np.array([row[0] for row in rows], dtype=np.int16),
        stream=np.zeros(len(rows), dtype=np.int16),
        intended_ns=np.array([round(row[1] * S) for row in rows], dtype=np.int64),
        at_ns=np.array(at, dtype=np.int64),
    )


def totals(found: Table, subscriber: str | None = None) -> dict[str, int]:
    owner = -1 if subscriber is None else found.labels["subscriber"].index(subscriber)
    mine = (found["subscriber"] == owner) & (found["partition"] < 0)
    names = [TOTALS[metric] for metric in found["metric"][mine]]
    return dict(zip(names, found["value"][mine].tolist(), strict=True))


def histogram(found: Table, metric: str, subscriber: str) -> list[tuple[int, int]]:
    """Return begin of the bin (ns) and records, over all buckets."""
    mine = found["metric"] == found.labels["metric"].index(metric)
    mine &= found["subscriber"] == found.labels["subscriber"].index(subscriber)
    counts: dict[int, int] = {}
    for at, count in zip(
        found["at_ns"][mine].tolist(), found["count"][mine].tolist(), strict=True
    ):
        counts[at] = counts.get(at, 0) + count
    return sorted(counts.items())


def test_each_subscriber_counts_what_it_wants() -> None:
    run = streamed()
    run.records(records((0, 1, 1.1, 0), (1, 1.5, 1.6, 0), (0, 3, 3.1, 2)))
    found = run.finish()["totals"]
    assert totals(found)["records"] == 3
    assert [totals(found, name)["wanted"] for name in ("audit", "billing", "new")] == [
        2,
        3,
        1,
    ]
    assert totals(found)["last_intended_ns"] == 3 * S
    assert totals(found)["last_appended_ns"] == round(3.1 * S)


def test_partitions_are_counted_topic_by_topic() -> None:
    run = streamed()
    run.records(records((0, 1, 1.1, 0), (0, 3, 3.1, 2), (1, 2, 2.5, 0)))
    run.records(records((0, 4, 4.1, 2), (0, 5, None, -1)))
    found = run.finish()["totals"]
    mine = found["metric"] == TOTALS.index("partition_records")
    rows = zip(*(found[n][mine] for n in ("topic", "partition", "value")), strict=True)
    assert [tuple(map(int, row)) for row in rows] == [
        (0, 0, 1),
        (0, 1, 0),
        (0, 2, 2),
        (1, 0, 1),
    ]


def test_the_third_time_is_no_new_duplicate() -> None:
    run = streamed()
    run.records(records((0, 1, 1.1, 0)))
    run.processed(processed((1, 0, 0, 1, 2, 0), (1, 0, 0, 1, 3, 1), (1, 0, 0, 1, 4, 2)))
    found = totals(run.finish()["totals"], "billing")
    assert (found["processed"], found["duplicated"]) == (1, 1)
    assert found["last_processed_ns"] == 2 * S


def test_what_was_not_wanted_is_left_out_of_every_block() -> None:
    run = streamed()
    run.records(records((0, 1, 2.1, 0)))
    run.processed(processed((2, 0, 0, 1, 3, 0), (2, 0, 0, 1, 4, 1)))
    run.skipped(passed((2, 1, 3)))
    run.lost(passed((2, 1, None)))
    found = totals(run.finish()["totals"], "new")
    counted = ("wanted", "processed", "duplicated", "skipped", "lost", "not_kept")
    assert {name: found[name] for name in counted} == dict.fromkeys(counted, 0)
    assert found["lag_records_max"] == 0


def test_lost_before_one_came_is_not_kept() -> None:
    run = streamed()
    run.lost(passed((0, 1.9, None), (0, 2, None), (1, 1, None)))
    found = run.finish()["totals"]
    audit, billing = totals(found, "audit"), totals(found, "billing")
    assert (audit["not_kept"], audit["lost"]) == (1, 1)
    assert (billing["not_kept"], billing["lost"]) == (0, 1)


@pytest.mark.parametrize(
    ("outcome", "partition", "count"),
    [("failed", -1, 1), ("failed", 0, 0), ("acked", -1, 0)],
)
def test_what_the_client_gave_up_and_no_log_holds_is_not_accepted(
    outcome: str, partition: int, count: int
) -> None:
    run = streamed()
    run.records(records((0, 1, None, partition), outcome=outcome))
    assert totals(run.finish()["totals"], "billing")["not_accepted"] == count


def test_skipped_records_leave_the_lag_when_a_reset_passes_them() -> None:
    run = streamed()
    run.records(records((0, 1, 1.1, 0), (0, 2, 2.1, 0), (0, 4, 4.1, 0)))
    run.skipped(passed((1, 1, 3), (1, 2, 3)))
    found = totals(run.finish()["totals"], "billing")
    assert (found["skipped"], found["lag_records_max"]) == (2, 2)


def test_what_no_log_holds_is_no_lag() -> None:
    run = streamed()
    run.records(records((0, 1, None, -1), (0, 1, None, -1)))
    block = processed((1, 0, 0, 1, 2, 0))
    run.processed(
        ProcessedBlock(
            **{
                name: getattr(block, name)
                for name in ProcessedBlock.__dataclass_fields__
                if name != "in_log"
            },
            in_log=np.array([False]),
        )
    )
    run.records(records((0, 3, 3.1, 0)))
    found = totals(run.finish()["totals"], "billing")
    assert (found["appended"], found["lag_records_max"]) == (1, 1)


def test_warm_up_is_counted_apart() -> None:
    run = streamed(warmup_s=2.0)
    run.records(records((0, 1, 1.1, 0), (0, 2, 2.1, 0), (0, 3, 3.1, 0)))
    run.processed(processed((1, 0, 0, 1, 9, 0), (1, 0, 1, 2, 2.5, 0)))
    found = run.finish()
    counted = totals(found["totals"], "billing")
    assert counted["processed"] == 2
    assert counted["measured_processed"] == counted["ordered"] == 1
    assert counted["measured_from_ns"] == 2 * S
    assert counted["measured_until_ns"] == 3 * S
    assert counted["overtaken"] == 0
    mine = found["histograms"]["metric"] == 0
    assert sorted(found["histograms"]["measured"][mine].tolist()) == [0, 1]


def test_bins_are_those_of_the_duration() -> None:
    run = streamed()
    run.records(records((0, 1, 1.1, 0), (0, 1.1, 1.3, 0), (0, 3, 3.1, 0)))
    run.processed(processed((1, 0, 0, 1, 4.05, 0), (1, 0, 1, 1.1, 4.1, 0)))
    found = run.finish()
    assert totals(found["totals"])["bin_ns"] == S // 5
    counts = found["histograms"]
    assert histogram(counts, "intended", "billing") == [(S, 2), (3 * S, 1)]
    assert histogram(counts, "appended", "billing") == [
        (S, 1),
        (6 * S // 5, 1),
        (3 * S, 1),
    ]
    assert histogram(counts, "processed", "billing") == [(4 * S, 2)]
    assert histogram(counts, "latency", "billing") == [(S, 2)]


def test_a_sum_of_latencies_may_be_too_large_for_64_bits() -> None:
    run = streamed()
    ended = float(2**62 // S)
    block = processed(*((1, 0, number, 0, ended, 0) for number in range(5)))
    run.processed(block)
    found = totals(run.finish()["totals"], "billing")
    summed = found["latency_s_sum"] * S + found["latency_ns_sum"]
    assert summed == 5 * (2**62 // S) * S > 2**64


def test_blocks_of_several_subscribers_are_taken_apart() -> None:
    run = streamed()
    rows = [(0, 0, 0, 3, 4, 0), (1, 0, 0, 3, 5, 0), (2, 0, 0, 3, 6, 0)]
    run.processed(processed(*rows))
    found = run.finish()["totals"]
    ends = [
        totals(found, name)["last_processed_ns"] for name in ("audit", "billing", "new")
    ]
    assert ends == [4 * S, 5 * S, 6 * S]


@pytest.mark.parametrize("stops", [(), (1.5,), (1.5, 2.0, 6.0)])
def test_what_is_summed_in_time_is_the_same_however_often(
    stops: Sequence[float],
) -> None:
    run = streamed()
    given: list[tuple[float, RecordBlock | ProcessedBlock]] = [
        (1.1, records((0, 1, 1.1, 0))),
        (2.1, records((0, 2, 2.1, 0))),
        (3.1, records((0, 3, 3.1, 0))),
        (5.0, processed((1, 0, 1, 2, 5, 0))),
        (6.0, processed((1, 0, 0, 1, 6, 0))),
    ]
    for stop in (*stops, 99):
        for at, block in [each for each in given if each[0] <= stop]:
            if isinstance(block, RecordBlock):
                run.records(block)
            else:
                run.processed(block)
            given = [each for each in given if each[0] != at]
        run.advance(round(stop * S))
    found = totals(run.finish()["totals"], "billing")
    assert (found["lag_records_max"], found["overtaken"]) == (3, 1)


def test_no_block_at_all_gives_tables_with_nothing_in_them() -> None:
    run = streamed()
    run.records(records())
    run.processed(processed())
    run.skipped(passed())
    run.lost(passed())
    found = run.finish()
    assert len(found["histograms"]) == 0
    assert totals(found["totals"], "billing")["last_processed_ns"] == MISSING_NS
