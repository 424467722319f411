"""What a streamed result answers, against the full result it was made from."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kafkasim.analysis.dealings import dealings
from kafkasim.analysis.keeping import kept_of
from kafkasim.analysis.kept_counts import KeptCounts
from kafkasim.analysis.kept_rows import KeptRows
from kafkasim.analysis.measures import METRICS, metrics, summary
from kafkasim.analysis.order import ordering, overtakings
from kafkasim.analysis.producing import batching, skew
from kafkasim.analysis.progress import lag, offsets
from kafkasim.analysis.provenance import provenance
from kafkasim.analysis.receiving import receipts
from kafkasim.analysis.waiting import latency, latency_over_time, throughput
from kafkasim.analysis.wiring import topology
from kafkasim.errors import TableNotRecorded, ValidationError
from kafkasim.result.result import Result
from kafkasim.result.streaming_tables import stream_tables
from kafkasim.scenario.arrivals import Periodic
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.systems import Kafka, Topic
from kafkasim.scenario.traffic import Source, Subscriber, Traffic
from kafkasim.testing.builders import small_result

Sent = tuple[int, int, int, list[int], str | None]
"""Intended, partition, appended after, processed after the append, entity."""

RUNS = st.lists(
    st.tuples(
        st.integers(0, 20),
        st.integers(0, 2),
        st.integers(0, 9),
        st.lists(st.integers(0, 12), max_size=3),
        st.sampled_from(["a", "b", None]),
    ),
    max_size=25,
)
BEGINNINGS = st.lists(
    st.tuples(st.integers(0, 30), st.integers(0, 2), st.integers(0, 12)), max_size=4
)


def a_result(
    run: list[Sent],
    beginnings: list[tuple[int, int, int]],
    *,
    from_s: float = 0.0,
    warmup_s: float = 0.0,
) -> Result:
    """Return a full result; a moment of the run is a millisecond."""
    run = sorted(run, key=lambda record: record[0])
    traffic = Traffic(
        {"web": Source("orders", Periodic(rate_per_s=1.0))},
        {
            "billing": Subscriber(["orders"]),
            "late": Subscriber(["orders"], from_s=from_s),
        },
        duration_s=0.1,
        warmup_s=warmup_s,
    )
    return small_result(
        records=[
            {
                "intended_ms": at,
                "appended_ms": at + wait,
                "acked_ms": at + wait,
                "partition": partition,
                "offset": number,
                "entity": entity,
            }
            for number, (at, partition, wait, _, entity) in enumerate(run)
        ],
        deliveries=[
            {"record_id": number, "ended_ms": at + wait + after, "subscriber": who}
            for number, (at, _, wait, ends, _) in enumerate(run)
            for after in ends
            for who in ("billing", "late")
        ],
        assignments=[
            {"since_ms": since, "partition": number, "start_offset": start}
            for since, number, start in beginnings
        ],
        batches=[],
        appends=[],
        commits=[],
        links=[],
        scenario=Scenario(traffic, Kafka(topics={"orders": Topic(partitions=3)})),
    )


@given(
    RUNS,
    BEGINNINGS,
    st.sampled_from([0.0, 0.01]),
    st.sampled_from([0.0, 0.007]),
    st.sampled_from([1, 4, 100]),
)
def test_every_metric_is_that_of_the_full_result_whatever_ties_there_are(
    run: list[Sent],
    beginnings: list[tuple[int, int, int]],
    from_s: float,
    warmup_s: float,
    block_rows: int,
) -> None:
    full = a_result(run, beginnings, from_s=from_s, warmup_s=warmup_s)
    made = stream_tables(full, block_rows=block_rows)
    one, other = metrics(full), metrics(made)
    for name in METRICS:
        if name.startswith("latency"):
            assert other[name] == pytest.approx(one[name], rel=0.004, nan_ok=True)
        else:
            assert other[name] == one[name] or math.isnan(one[name]), name
            assert math.isnan(other[name]) == math.isnan(one[name]), name
    left = ["skipped", "not_kept", "not_accepted", "pending", "records"]
    assert summary(made)[left].equals(summary(full)[left])


RUN: list[Sent] = [(0, 0, 1, [5], "a"), (3, 2, 1, [1], "a"), (30, 0, 2, [], None)]


@pytest.fixture(scope="module")
def full() -> Result:
    return a_result(RUN, [])


@pytest.fixture(scope="module")
def made(full: Result) -> Result:
    return stream_tables(full)


def test_which_kind_a_result_is_of_is_seen_by_its_tables(
    full: Result, made: Result
) -> None:
    assert isinstance(kept_of(full), KeptRows)
    assert isinstance(kept_of(made), KeptCounts)


def test_rates_have_the_width_in_which_the_run_counted(
    full: Result, made: Result
) -> None:
    # 0.1 s in at most 80 bins: 2 ms each.
    for analyse in (throughput, latency_over_time):
        assert analyse(made)["at_ms"][1] == 2.0
        assert len(analyse(made)) == len(analyse(full, bin_ms=2))
        assert analyse(made, bin_ms=2).equals(analyse(made))
    assert throughput(made).equals(throughput(full, bin_ms=2))


@pytest.mark.parametrize("bin_ms", [1, 5, 0, -1])
def test_another_width_is_refused_and_the_one_there_is_is_named(
    made: Result, bin_ms: float
) -> None:
    for analyse in (throughput, latency_over_time):
        with pytest.raises(ValidationError, match="expected 2, the width") as error:
            analyse(made, bin_ms=bin_ms)
        assert "result='full'" in str(error.value)


def test_the_mean_and_the_longest_latency_are_exact(full: Result, made: Result) -> None:
    exact = ["records", "latency_ms_mean", "latency_ms_max"]
    assert latency(made)[exact].equals(latency(full)[exact])
    assert latency(made)["latency_ms_max"].tolist() == [6.0, 6.0]


def test_a_quantile_is_never_beyond_the_longest(made: Result) -> None:
    table = latency(made)
    assert (table["latency_ms_p999"] <= table["latency_ms_max"]).all()


def test_partitions_are_counted_the_empty_ones_too(full: Result, made: Result) -> None:
    shown = ["topic", "partition", "records", "records_share"]
    assert skew(made).equals(skew(full)[shown])
    assert skew(made)["records"].tolist() == [2, 0, 1]


def test_who_ran_is_said_as_of_a_full_result(full: Result, made: Result) -> None:
    assert provenance(made) == provenance(full)
    assert topology(made).graph == topology(full).graph


def test_what_is_asked_of_single_records_names_the_option(made: Result) -> None:
    for analyse in (
        *(ordering, overtakings, receipts, lag, offsets, batching, dealings),
    ):
        with pytest.raises(TableNotRecorded, match="run with result='full'"):
            analyse(made)


def test_frames_remember_their_scenario(made: Result) -> None:
    assert throughput(made).attrs["scenario"] == provenance(made)
    assert np.isfinite(throughput(made)["processed_per_s"]).all()
