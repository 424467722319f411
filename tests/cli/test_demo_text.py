from pathlib import Path

import pandas as pd
import pytest

from kafkasim.cli import demo_text


@pytest.fixture
def table() -> pd.DataFrame:
    """Two numbers of partitions; every number is made up and different."""
    rows = [
        ("carrier", 8, 2_000.0, 6.0, 0.43, 0.43, 10.0, 0.0, 0.0),
        ("carrier", 32, 1_600.0, 2.0, 0.22, 0.61, 9.0, 0.01, 20.0),
        ("tail number", 8, 5_600.0, 500.0, 0.13, 0.14, 12.0, 0.0, 0.0),
        ("tail number", 32, 5_500.0, 150.0, 0.04, 0.15, 11.0, 0.0, 0.0),
        ("none", 8, 5_400.0, 0.0, 0.15, 0.16, 180.0, 0.25, 3_200.0),
        ("none", 32, 5_300.0, 0.0, 0.05, 0.17, 170.0, 0.24, 3_100.0),
    ]
    names = (
        "keys partitions throughput_per_s fullest_keys fullest_share member_share "
        "latency_ms_p50 overtaken_share aircraft_overtaken"
    )
    frame = pd.DataFrame(rows, columns=names.split())
    return frame.assign(
        latency_ms_p99=10 * frame["latency_ms_p50"],
        key_count=16.0,
        records_per_run=193.0,
        aircraft=4_043.0,
    )


def test_the_first_sentence_is_about_the_fullest_partition(table: pd.DataFrame) -> None:
    assert demo_text.parallel(table, 8) == (
        "The key decides who can help: keyed by carrier the fullest of 8 partitions "
        "holds 6 of 16 keys and 43 % of the records, and the group processes 2,000 "
        "records/s; keyed by tail number it holds 500 of 16 keys and 13 % of the "
        "records, and the group processes 5,600 records/s; with 32 partitions keyed by "
        "carrier one member is assigned 61 % of the records, and the group processes "
        "1,600 records/s."
    )


def test_it_ends_earlier_when_there_are_no_more_partitions(table: pd.DataFrame) -> None:
    few = table[table["partitions"] == 8]
    assert demo_text.parallel(few, 8).endswith("the group processes 5,600 records/s.")


def test_the_second_sentence_is_about_sticky_runs(table: pd.DataFrame) -> None:
    assert demo_text.sticky(table, 8) == (
        "Without keys the producer stays with a partition until it has sent it "
        "batch.size bytes, 193 records in a row on average, 193 ms of work for one "
        "member: over 8 partitions the median latency is 180 ms and the 99th "
        "percentile 1,800 ms, keyed by tail number 12 ms and 120 ms."
    )


def test_the_third_sentence_is_about_aircraft(table: pd.DataFrame) -> None:
    assert demo_text.order(table, 32) == (
        "Order holds within a partition, so for a key, and nowhere else: over 32 "
        "partitions 24 % of the flights without keys were overtaken by a later flight "
        "of the same aircraft (3,100 of 4,043 aircraft), 1 % keyed by carrier (20 "
        "aircraft) and 0 % keyed by tail number (0)."
    )


def test_the_comparison_is_about_those_who_are_not_slow() -> None:
    table = pd.DataFrame(
        {
            "system": ["Kafka", "Kafka", "point to point", "point to point"],
            "subscriber": ["crew", "billing"] * 2,
            "throughput_per_s": [5_000.0, 1_000.0, 700.0, 700.0],
            "latency_ms_p50": [5.0, 90.0, 100.0, 100.0],
            "latency_ms_p99": [8.0, 200.0, 300.0, 300.0],
            "drain_s": [0.0, 20.0, 30.0, 30.0],
        }
    )
    text = " ".join(demo_text.point_to_point(table, slow="billing").split())
    assert "billing is done 20 s after the last flight" in text
    assert "the others' latency is 8 ms" in text
    assert "billing is done after 30 s and the others' is 300 ms" in text
    assert "sending asynchronously narrows the gap" in text


def test_lines_fit_a_terminal(table: pd.DataFrame) -> None:
    filled = table.assign(lag_records_max=1.0, drain_s=1.0, partition_imbalance=1.0)
    text = demo_text.keys_and_partitions(filled, members=8)
    assert max(len(line) for line in text.splitlines()) <= 96


@pytest.mark.parametrize("command", ["kafkasim", "python3 run.py"])
def test_the_command_to_run_again_is_named_as_it_was_typed(
    monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    monkeypatch.delenv("KAFKASIM_COMMAND", raising=False)
    if command != "kafkasim":
        monkeypatch.setenv("KAFKASIM_COMMAND", command)
    said = demo_text.closing(Path("kafkasim-demo"))
    assert f"\n  {command} run kafkasim-demo/1-one-run/scenario.toml --set " in said
