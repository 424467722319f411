"""A sweep's title claims only what its numbers show."""

import math

import pandas as pd
import pytest

from kafkasim.plot.sweep_findings import finding, worsening


def line(values: list[float], *, spread: float | None = None) -> pd.DataFrame:
    made = pd.DataFrame(
        {"partitions": [2**step for step in range(len(values))], "drain_s": values}
    )
    if spread is not None:
        made["drain_s_low"] = made["drain_s"] - spread
        made["drain_s_high"] = made["drain_s"] + spread
    return made


def test_it_is_the_line_that_loses_most_from_its_best_to_its_last() -> None:
    lines = {
        "a": line([10.0, 5.0, 6.0]),
        "b": line([10.0, 4.0, 8.0]),
        "c": line([10.0, 1.0, 1.0]),
    }
    assert worsening(lines, "drain_s", "partitions") == ("b", 2, 4)
    assert finding(lines, "drain_s", "partitions") == (
        "More partitions, slower: b 4 s at 2, 8 s at 4"
    )


def test_rows_need_no_order() -> None:
    shuffled = {"b": line([10.0, 4.0, 8.0]).iloc[[2, 0, 1]]}
    assert worsening(shuffled, "drain_s", "partitions") == ("b", 2, 4)


@pytest.mark.parametrize(
    ("values", "found"), [([10.0, 0.0, 0.51], True), ([10.0, 0.0, 0.49], False)]
)
def test_a_loss_that_cannot_be_seen_is_none(
    values: list[float], *, found: bool
) -> None:
    assert (worsening({"": line(values)}, "drain_s", "partitions") is not None) is found


def test_the_axis_of_a_metric_begins_at_zero() -> None:
    assert worsening({"": line([100.0, 99.0, 100.0])}, "drain_s", "partitions") is None
    seen = worsening({"": line([100.0, 90.0, 96.0])}, "drain_s", "partitions")
    assert seen == ("", 2, 4)


def test_of_replications_the_intervals_must_be_apart() -> None:
    apart = {"": line([10.0, 4.0, 8.0], spread=1.9)}
    touching = {"": line([10.0, 4.0, 8.0], spread=2.0)}
    assert worsening(apart, "drain_s", "partitions") is not None
    assert worsening(touching, "drain_s", "partitions") is None


def test_of_throughput_more_is_better() -> None:
    rising = line([1.0, 5.0, 3.0]).rename(columns={"drain_s": "throughput_per_s"})
    assert worsening({"": rising}, "throughput_per_s", "partitions") == ("", 2, 4)
    assert finding({"": rising}, "throughput_per_s", "partitions") == (
        "More partitions, fewer records per second: 5 records/s at 2, 3 records/s at 4"
    )


def test_sizes_and_times_are_larger_and_shares_percentages() -> None:
    lines = line([0.3, 0.1, 0.2]).rename(
        columns={"drain_s": "overtaken_share", "partitions": "linger_ms"}
    )
    assert finding({"": lines}, "overtaken_share", "linger_ms") == (
        "Larger linger_ms, less order: 10 % at 2, 20 % at 4"
    )


def test_there_is_no_finding_where_nothing_is_better_or_nothing_is_there() -> None:
    lines = {"": line([1.0, 5.0]).rename(columns={"drain_s": "records"})}
    assert finding(lines, "records", "partitions") is None
    assert finding({}, "drain_s", "partitions") is None
    assert finding({"": line([math.nan, 3.0])}, "drain_s", "partitions") is None
    assert finding({"": line([3.0, 2.0, 1.0])}, "drain_s", "partitions") is None
