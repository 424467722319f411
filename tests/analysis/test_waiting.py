"""Throughput and latency over time, counted by hand."""

import numpy as np
import pytest

from kafkasim.analysis.waiting import latency, latency_over_time, throughput
from kafkasim.errors import ValidationError
from kafkasim.result.histogram import BINS
from kafkasim.result.result import Result
from kafkasim.testing.builders import small_result


def four_records() -> Result:
    # Intended at 0, 1, 12 and 13 ms; appended 2 ms later; the last is not processed.
    return small_result(
        records=[
            {"intended_ms": at, "appended_ms": at + 2, "partition": 0, "offset": number}
            for number, at in enumerate([0, 1, 12, 13])
        ],
        deliveries=[
            {"record_id": 0, "ended_ms": 4},
            {"record_id": 1, "ended_ms": 21},
            {"record_id": 1, "ended_ms": 30},
            {"record_id": 2, "ended_ms": 22},
        ],
    )


def test_rates_are_counts_over_the_width_of_a_bin() -> None:
    table = throughput(four_records(), bin_ms=10)
    assert table["at_ms"].tolist() == [0, 10, 20]
    assert table["intended_per_s"].tolist() == [200, 200, 0]
    assert table["appended_per_s"].tolist() == [200, 200, 0]
    assert table["processed_per_s"].tolist() == [100, 0, 200]


def test_bins_end_with_the_last_thing_that_happened_to_a_record() -> None:
    facts: dict[str, int | str] = {"engine": "by hand", "end_ns": 600_000_000_000}
    waited = small_result(
        records=[{"intended_ms": 0}],
        deliveries=[{"record_id": 0, "ended_ms": 9}],
        facts=facts,
    )
    assert throughput(waited, bin_ms=5)["at_ms"].tolist() == [0, 5]


def test_latency_is_from_intended_to_first_processed() -> None:
    table = latency(four_records())
    assert table["records"].tolist() == [3]
    assert table["latency_ms_mean"].tolist() == pytest.approx([(4 + 20 + 10) / 3])
    assert table["latency_ms_p50"].tolist() == [10]
    assert table["latency_ms_p90"].tolist() == [20]
    assert table["latency_ms_max"].tolist() == [20]


def test_latency_over_time_goes_by_when_a_record_was_intended() -> None:
    table = latency_over_time(four_records(), bin_ms=5)
    assert table["at_ms"].tolist() == [0, 5, 10]
    assert table["records"].tolist() == [2, 0, 1]
    np.testing.assert_array_equal(table["latency_ms_p50"], [4, np.nan, 10])
    np.testing.assert_array_equal(table["latency_ms_p99"], [20, np.nan, 10])


def test_without_a_width_bins_are_round_and_not_too_many() -> None:
    result = small_result(
        records=[{"intended_ms": at} for at in range(0, 7_000, 10)],
        deliveries=[{"record_id": 0, "ended_ms": 5}],
    )
    table = throughput(result)
    assert table["at_ms"].iloc[1] == 100.0
    assert len(table) <= BINS + 1


def test_a_width_is_above_zero() -> None:
    with pytest.raises(ValidationError, match="above 0 ms"):
        throughput(four_records(), bin_ms=-1)
    with pytest.raises(ValidationError, match="above 0 ms"):
        latency_over_time(four_records(), bin_ms=float("nan"))


def test_a_run_in_which_nothing_is_processed_has_rates_and_no_latency() -> None:
    result = small_result(
        records=[{"intended_ms": 0}],
        deliveries=[{"record_id": 0, "started_ms": 1, "outcome": "abandoned"}],
    )
    assert throughput(result, bin_ms=1)["processed_per_s"].tolist() == [0]
    assert np.isnan(latency(result)["latency_ms_p50"].iloc[0])
    assert np.isnan(latency_over_time(result, bin_ms=1)["latency_ms_p99"].iloc[0])
