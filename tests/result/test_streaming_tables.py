"""A full result made into a streamed one."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kafkasim.analysis.measures import metrics, summary
from kafkasim.errors import TableNotRecorded
from kafkasim.result.result import Result, load_result
from kafkasim.result.streaming_tables import occurrences, stream_tables
from kafkasim.testing.builders import small_result


def placed(at: float, partition: int, offset: int, **more: object) -> dict[str, Any]:
    return {
        "intended_ms": at,
        "appended_ms": at + 1,
        "acked_ms": at + 2,
        "partition": partition,
        "offset": offset,
        "key": "N",
        **more,
    }


def a_run() -> Result:
    """Six records: one twice, one skipped, one lost, one left at its producer."""
    return small_result(
        records=[
            placed(0, 0, 0),
            placed(1, 1, 0),
            placed(2, 0, 1),
            placed(3, 0, 2),
            {"intended_ms": 4, "acked_ms": 5, "key": "N"},
            {"intended_ms": 5, "partition": 1},
        ],
        deliveries=[
            {"record_id": 1, "ended_ms": 2},
            {"record_id": 0, "ended_ms": 7},
            {"record_id": 1, "ended_ms": 8},
            {"record_id": 3, "ended_ms": 9},
            {"record_id": 2, "outcome": "abandoned"},
        ],
        assignments=[
            {"since_ms": 0},
            {"since_ms": 0, "partition": 1},
            {"since_ms": 6, "start_offset": 2},
        ],
    )


@pytest.mark.parametrize("block_rows", [1, 2, 3, 1_000])
def test_the_numbers_are_those_of_the_full_result(block_rows: int) -> None:
    full = a_run()
    made = stream_tables(full, block_rows=block_rows)
    expected, found = metrics(full), metrics(made)
    for name, value in expected.items():
        tolerance = 0.004 if name.startswith("latency") else 0.0
        assert found[name] == pytest.approx(value, rel=tolerance, abs=0, nan_ok=True)
    left = ["skipped", "lost", "duplicated", "pending", "not_accepted"]
    counts = summary(made)[left].iloc[0].to_dict()
    assert counts == summary(full)[left].iloc[0].to_dict()
    assert counts == {
        "skipped": 1,
        "lost": 1,
        "duplicated": 1,
        "pending": 1,
        "not_accepted": 0,
    }


def test_the_digest_and_all_that_is_not_per_record_stay() -> None:
    full = a_run()
    made = stream_tables(full)
    assert made.digest == full.digest
    assert made.tables == ("assignments", "histograms", "totals")
    assert made.columns("assignments") == full.columns("assignments")
    assert made.facts == full.facts


def test_what_is_not_there_says_which_run_has_it() -> None:
    full = a_run()
    made = stream_tables(full)
    for table in ("records", "deliveries"):
        with pytest.raises(TableNotRecorded, match="run with result='full'"):
            made.columns(table)
    for table in ("histograms", "totals"):
        with pytest.raises(TableNotRecorded, match="run with result='streamed'"):
            full.columns(table)
    assert made.not_recorded["batches"] == full.not_recorded["batches"]


def test_a_streamed_result_is_saved_and_loaded_equal(tmp_path: Path) -> None:
    made = stream_tables(a_run())
    made.save(tmp_path / "out")
    loaded = load_result(tmp_path / "out")
    assert loaded == made
    assert metrics(loaded)["lag_records_max"] == metrics(made)["lag_records_max"]


def test_a_result_without_a_record_can_be_streamed() -> None:
    made = stream_tables(small_result())
    assert metrics(made)["records"] == 0
    assert np.isnan(metrics(made)["throughput_per_s"])


def test_occurrences_count_the_equal_ones_before() -> None:
    assert occurrences(np.array([3, 1, 3, 3, 1])).tolist() == [0, 0, 1, 2, 1]
    assert occurrences(np.array([], dtype=np.int64)).tolist() == []
