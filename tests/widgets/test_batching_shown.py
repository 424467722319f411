"""What is shown of a run, held against the run's own tables and against theory."""

from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest

import kafkasim as ks
from kafkasim.widgets.batching_shown import MOST_ROWS, Shown, shown_of
from kafkasim.widgets.batching_traffic import DURATION_S, Values, scenario_at

RATE = "traffic.sources.web.arrivals.rate_per_s"


@cache
def seen(**values: int) -> tuple[ks.Result, Shown]:
    stand = replace(Values(), **values)
    result = ks.run(scenario_at(stand))
    shown = shown_of(result, "orders", "billing", stand.linger_ms, DURATION_S)
    return result, shown


SEEN = pytest.mark.parametrize(
    "values",
    [
        {},
        {"partitions": 32},
        {"partitions": 32, "brokers": 2},
        {"linger_ms": 0, "rate_per_s": 20_000, "brokers": 1},
        {"rate_per_s": 20_000, "batch_kib": 2},
    ],
    ids=lambda values: ", ".join(f"{k} {v}" for k, v in values.items()) or "begin",
)


@SEEN
def test_counts_are_those_of_the_tables(values: dict[str, int]) -> None:
    result, shown = seen(**values)
    batches = result.batches
    produce = result.requests.query("api == 'Produce'")

    assert shown.records == len(result.records) == batches["record_count"].sum()
    assert (shown.batches, shown.requests) == (len(batches), len(produce))
    assert shown.per_batch == batches["record_count"].mean()
    assert shown.per_request == len(result.records) / len(produce)
    assert produce["batch_count"].sum() == shown.batches
    assert shown.size_bytes == batches["size_bytes"].sum()
    table = ks.analysis.batching(result).set_index("closed_by")["batches_share"]
    assert {name: share for name, share in shown.shares.items() if share} == dict(table)
    longest = (batches["closed_ms"] - batches["opened_ms"]).max()
    assert shown.longest_ms == pytest.approx(longest)
    busy = (produce["done_ms"] - produce["dequeued_ms"]).sum()
    assert shown.thread_us == pytest.approx(1_000 * busy / shown.records)


@SEEN
def test_latency_and_throughput_are_those_of_the_metrics(
    values: dict[str, int],
) -> None:
    result, shown = seen(**values)
    metrics = ks.analysis.metrics(result)

    assert shown.latency_ms == (metrics["latency_ms_p50"], metrics["latency_ms_p99"])
    assert shown.throughput_per_s == metrics["throughput_per_s"]


@SEEN
def test_the_steps_add_up_to_the_mean_latency(values: dict[str, int]) -> None:
    result, shown = seen(**values)
    ended = result.deliveries.set_index("record_id")["ended_ms"].sort_index()
    records = result.records.set_index("record_id")
    sent = result.batches.set_index("batch_id")["sent_ms"][records["batch_id"]]
    at_producer = sent.to_numpy() - records["intended_ms"].to_numpy()

    assert shown.steps_ms[0] == pytest.approx(at_producer.mean())
    whole = (ended - records["intended_ms"]).mean()
    assert shown.steps_ms.sum() == pytest.approx(whole)
    assert (shown.steps_ms >= 0).all()


def test_with_a_broker_for_each_partition_batches_follow_the_law_of_poisson() -> None:
    _, shown = seen()
    law = 1 + Values().rate_per_s / 6 * 0.005  # the first, and who comes in 5 ms
    error = (law - 1) ** 0.5 / shown.batches**0.5  # Poisson: variance is the mean

    assert abs(shown.per_batch - law) < 4 * error
    assert shown.shares["linger"] > 0.98
    assert shown.per_request == shown.per_batch


def test_partitions_shrink_batches_and_leave_requests_alone() -> None:
    counts = [6, 12, 24, 32]
    found = [seen(partitions=count)[1] for count in counts]
    per_batch = [shown.per_batch for shown in found]

    assert per_batch == sorted(per_batch, reverse=True)
    assert 1 < per_batch[-1] < 2
    assert found[-1].per_request == pytest.approx(found[0].per_request, rel=0.03)
    assert found[-1].shares["drained"] > 0.6


def test_fewer_brokers_gather_more_in_a_request() -> None:
    found = [seen(partitions=32, brokers=count)[1].per_request for count in (6, 2, 1)]

    assert found == sorted(found)
    assert found[-1] > 4 * found[0]


def test_no_batch_is_open_longer_than_linger_and_full_ones_are_shorter() -> None:
    for linger_ms in (0, 5, 50):
        result, shown = seen(linger_ms=linger_ms)
        assert shown.longest_ms <= linger_ms
        batches = result.batches
        open_ms = batches["closed_ms"] - batches["opened_ms"]
        assert open_ms[batches["closed_by"] == "linger"].to_numpy() == pytest.approx(
            linger_ms
        )
    _, filled = seen(rate_per_s=20_000, batch_kib=2)
    assert filled.shares["full"] > 0.9
    assert filled.steps_ms[0] < seen(rate_per_s=20_000)[1].steps_ms[0]


def test_fewer_requests_take_less_of_a_brokers_threads() -> None:
    found = [seen(linger_ms=linger_ms)[1] for linger_ms in (0, 5, 50)]
    thread_us = [shown.thread_us for shown in found]

    assert thread_us == sorted(thread_us, reverse=True)
    assert thread_us[0] > 4 * thread_us[1]


@SEEN
def test_the_piece_holds_the_batches_and_records_of_its_time(
    values: dict[str, int],
) -> None:
    result, shown = seen(**values)
    piece = shown.piece
    rows = dict(zip(piece.partitions.tolist(), range(MOST_ROWS), strict=False))
    inside = result.batches.query(
        "opened_ms <= @piece.until_ms and sent_ms >= @piece.from_ms"
    )
    inside = inside[inside["partition"].isin(rows)]
    drawn = pd.DataFrame(
        {
            "row": piece.row,
            "opened": piece.opened_ms,
            "closed": piece.closed_ms,
            "sent": piece.sent_ms,
        }
    )
    wanted = inside[["partition", "opened_ms", "closed_ms", "sent_ms"]].replace(
        {"partition": rows}
    )

    assert piece.until_ms - piece.from_ms == 20
    assert drawn.to_numpy() == pytest.approx(wanted.to_numpy())
    came = result.records["created_ms"].between(piece.from_ms, piece.until_ms)
    came &= result.records["partition"].isin(rows)
    assert piece.records_ms == pytest.approx(result.records["created_ms"][came])
    partitions = piece.partitions[piece.records_row]
    assert partitions.tolist() == result.records["partition"][came].tolist()


@SEEN
def test_rows_are_of_one_broker_after_the_other(values: dict[str, int]) -> None:
    result, shown = seen(**values)
    piece = shown.piece
    leader = result.appends.groupby("partition")["leader"].first()

    assert piece.leaders.tolist() == leader[piece.partitions].tolist()
    assert (np.diff(piece.leaders) >= 0).all()
    assert len(piece.partitions) == min(MOST_ROWS, len(leader))


def test_a_longer_linger_has_a_longer_piece() -> None:
    _, shown = seen(linger_ms=50)
    piece = shown.piece
    assert piece.until_ms - piece.from_ms == 200
    assert piece.until_ms < 1_000 * DURATION_S


def test_a_run_in_which_nothing_came() -> None:
    result = ks.run(scenario_at(Values()).where({RATE: 1e-9}))
    shown = shown_of(result, "orders", "billing", 5, DURATION_S)

    assert (shown.records, shown.batches, shown.requests) == (0, 0, 0)
    assert shown.per_batch == shown.per_request == shown.thread_us == 0
    assert shown.steps_ms.tolist() == [0, 0, 0]
    assert len(shown.piece.row) == 0


def test_the_wait_for_a_thread_is_no_time_of_the_thread() -> None:
    one_slow_thread = {
        "system.broker_config.num_io_threads": 1,
        "system.hardware.cpu.request_ms": 0.4,
        "system.hardware.cpu.mb_ms": 0,
    }
    usual = scenario_at(Values(linger_ms=0, brokers=2, rate_per_s=4_000))
    result = ks.run(usual.where(one_slow_thread))
    shown = shown_of(result, "orders", "billing", 0, DURATION_S)
    produce = result.requests.query("api == 'Produce'")

    assert (produce["dequeued_ms"] - produce["received_ms"]).mean() > 0.1
    assert shown.thread_us == pytest.approx(400 * shown.requests / shown.records)
