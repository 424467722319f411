from pathlib import Path

import pandas as pd
import pytest

from kafkasim.cli.demo import KEYS, one_group, three_subscribers
from kafkasim.cli.main import main
from kafkasim.experiments.running import run
from kafkasim.scenario.keys import TraceColumn
from kafkasim.scenario.scenario import load

Captured = pytest.CaptureFixture[str]


def test_the_scenario_is_the_year_in_a_minute_with_one_ms_of_work() -> None:
    scenario = one_group().resolve()
    assert scenario.traffic.duration_s == pytest.approx(60.0, rel=0.01)
    assert len(scenario.traces["departures"]) == 336_776
    assert scenario.value_at("system.groups.board.members") == 8
    assert scenario.value_at("traffic.subscribers.board.work_ms") == 1.0
    assert scenario.value_at("traffic.sources.departures.entity") == TraceColumn("tail")
    assert list(KEYS) == ["carrier", "tail number", "none"]


def test_one_of_three_subscribers_is_slow() -> None:
    subscribers = three_subscribers(one_group(month=1)).subscribers
    work = [subscriber.work_ms for subscriber in subscribers.values()]
    assert work == [0.1, 0.1, 1.0]


def test_the_demo_runs_prints_and_leaves_what_it_names(
    tmp_path: Path, capsys: Captured
) -> None:
    out = tmp_path / "demo"
    assert main(["demo", "--quick", "--workers", "1", "--out", str(out)]) == 0
    said = capsys.readouterr().out
    assert "155 have no tail number" in said
    assert str(out) in said
    for number in (1, 2, 3):
        assert f"\n{number}. " in said
    assert "synchronous kind" in said
    assert sorted(path.name for path in out.iterdir()) == [
        "1-one-run",
        "2-keys-and-partitions",
        "3-point-to-point",
    ]
    table = pd.read_parquet(out / "2-keys-and-partitions" / "sweep.parquet")
    assert table["keys"].tolist() == [key for key in KEYS for _ in range(2)]
    assert table["partitions"].tolist() == [2, 8, 2, 8, 2, 8]
    assert table["records"].unique().tolist() == [27_004]
    by_tail = table[table["keys"] == "tail number"]
    assert (by_tail["overtaken_share"] == 0).all()
    again = run(load(out / "1-one-run" / "scenario.toml"))
    assert table["digest"].tolist()[1] == again.digest
    (by_system,) = [
        pd.read_csv(out / "3-point-to-point" / "comparison.csv").set_index(
            ["system", "subscriber"]
        )["latency_ms_p99"]
    ]
    assert by_system["Kafka", "crew"] < 50 < by_system["point to point", "crew"]


def test_a_folder_that_holds_something_is_refused_before_anything_runs(
    tmp_path: Path, capsys: Captured
) -> None:
    (tmp_path / "old.txt").touch()
    assert main(["demo", "--quick", "--out", str(tmp_path)]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert "is not empty" in said.err
