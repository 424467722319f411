import errno
import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from kafkasim.cli.main import main
from kafkasim.engine.sim.own_systems import register_system
from kafkasim.experiments import running
from kafkasim.experiments.running import run
from kafkasim.experiments.sweeping import sweep
from kafkasim.result.result import Result, load_result
from kafkasim.result.schema import TABLES
from kafkasim.result.table import Table
from kafkasim.scenario import own_systems
from kafkasim.scenario.keys import NoKeys, UniformKeys
from kafkasim.scenario.scenario import Scenario, load
from tests.testing.pigeonholes import Pigeonholes, Sound

Captured = pytest.CaptureFixture[str]
PARTITIONS = "system.topics.orders.partitions"


def test_a_run_leaves_a_result_that_loads_a_summary_and_figures(
    scenario_file: Path, tmp_path: Path, capsys: Captured
) -> None:
    out = tmp_path / "out"
    assert main(["run", str(scenario_file), "--out", str(out)]) == 0
    names = {path.name for path in out.iterdir()}
    assert names == {
        "SHA256SUMS",
        "lag.png",
        "lag.svg",
        "latency.png",
        "latency.svg",
        "result",
        "scenario.toml",
        "summary.csv",
        "summary.parquet",
        "throughput.png",
        "throughput.svg",
    }
    result = load_result(out / "result")
    assert load(out / "scenario.toml") == load(scenario_file)
    assert pd.read_csv(out / "summary.csv")["records"].tolist() == [len(result.records)]
    said = capsys.readouterr()
    assert "billing" in said.out
    assert str(out) in said.out
    assert said.err == ""


def test_set_changes_the_scenario_that_runs_and_is_saved(
    scenario_file: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    settings = ["--set", f"{PARTITIONS}=3", "--set", "seed=11"]
    keys = ["--set", 'traffic.sources.web.keys={kind="no_keys"}']
    assert main(["run", str(scenario_file), "--out", str(out), *settings, *keys]) == 0
    changed = load(out / "scenario.toml")
    assert changed.seed == 11
    assert changed.value_at(PARTITIONS) == 3
    assert changed.value_at("traffic.sources.web.keys") == NoKeys()


def test_a_checked_run_records_that_nothing_broke(
    scenario_file: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    assert main(["run", str(scenario_file), "--check", "--out", str(out)]) == 0
    assert load_result(out / "result").violations.empty


def test_a_broken_invariant_ends_with_1_and_the_result_is_kept(
    scenario_file: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaking(scenario: Scenario, *, check: bool, **_: object) -> Result:
        result = run(scenario, check=check)
        row = (0, 1, 0, 0)
        columns = TABLES["violations"]
        table = Table(
            "violations",
            {c.name: np.array([v], c.dtype) for c, v in zip(columns, row, strict=True)},
            {"rule": ("order",), "where": ("orders-0",), "text": ("7 before 6",)},
        )
        return Result(
            scenario=result.scenario,
            plan=result.plan,
            facts=result.facts,
            digests=result.digests,
            tables={name: result.columns(name) for name in result.tables}
            | {"violations": table},
        )

    monkeypatch.setattr(running, "run", breaking)
    out = scenario_file.parent / "out"
    assert main(["run", str(scenario_file), "--check", "--out", str(out)]) == 1
    assert "invariants were broken 1 times" in capsys.readouterr().err
    assert (out / "SHA256SUMS").exists()


def test_a_sweep_writes_the_table_of_every_combination(
    scenario_file: Path, tmp_path: Path, capsys: Captured
) -> None:
    out = tmp_path / "out"
    keys = 'traffic.sources.web.keys={kind="uniform_keys", count=10},{kind="no_keys"}'
    sets = ["--set", keys, "--set", f"{PARTITIONS}=1,4"]
    assert main(["sweep", str(scenario_file), *sets, "--out", str(out)]) == 0
    table = pd.read_parquet(out / "sweep.parquet")
    assert table["keys"].tolist() == [
        "uniform_keys count=10",
        "uniform_keys count=10",
        "no_keys",
        "no_keys",
    ]
    assert table["partitions"].tolist() == [1, 4, 1, 4]
    expected = sweep(
        load(scenario_file),
        {"traffic.sources.web.keys": [UniformKeys(10), NoKeys()], PARTITIONS: [1, 4]},
    )
    assert table["digest"].tolist() == expected["digest"].tolist()
    assert "no_keys" in capsys.readouterr().out
    assert {path.suffix for path in out.glob("sweep.*")} == {
        ".csv",
        ".parquet",
        ".png",
        ".svg",
    }


def test_replications_are_shown_with_their_half_width(
    scenario_file: Path, tmp_path: Path, capsys: Captured
) -> None:
    out = tmp_path / "out"
    arguments = ["--set", f"{PARTITIONS}=1,2", "--replications", "2", "--workers", "1"]
    assert main(["sweep", str(scenario_file), *arguments, "--out", str(out)]) == 0
    assert "±" in capsys.readouterr().out


def test_describe_says_what_was_filled_in_and_resolved_prints_it(
    scenario_file: Path, tmp_path: Path, capsys: Captured
) -> None:
    assert main(["describe", str(scenario_file)]) == 0
    assert capsys.readouterr().out == f"{load(scenario_file).describe()}\n"
    assert main(["describe", str(scenario_file), "--resolved"]) == 0
    again = tmp_path / "resolved.toml"
    again.write_text(capsys.readouterr().out, encoding="utf-8")
    assert load(again) == load(scenario_file).resolve()


@pytest.mark.parametrize(
    ("setting", "named"),
    [
        ("system.topics.orders.partitons=4", "did you mean partitions?"),
        (f"{PARTITIONS}=many", "partitions: 'many' is not allowed"),
        (f"{PARTITIONS}=0", "partitions: 0 is not allowed"),
        (f"{PARTITIONS}=[1", "partitions: '[1' is not allowed"),
        (f"{PARTITIONS}=1,2", "several values are for kafkasim sweep"),
        ("seed", "--set: 'seed' is not allowed; expected path=value"),
        ('traffic.sources.web.keys={kind="zip_keys"}', "did you mean zipf_keys?"),
    ],
)
def test_a_setting_that_is_not_allowed_is_named_and_nothing_is_written(
    scenario_file: Path, tmp_path: Path, capsys: Captured, setting: str, named: str
) -> None:
    out = tmp_path / "out"
    arguments = ["run", str(scenario_file), "--set", setting, "--out", str(out)]
    assert main(arguments) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("kafkasim: ")
    assert named in said.err
    assert said.err.count("\n") == 1
    assert sorted(tmp_path.iterdir()) == [scenario_file]


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (None, "No such file or directory"),
        ("seed = = 7", "line 1, column 8"),
        ("seed = 7\n[trafic]\n", "did you mean traffic?"),
        ("kafkasim = 99\n", "another version of kafkasim"),
    ],
)
def test_a_scenario_file_that_cannot_be_read_is_named(
    tmp_path: Path, capsys: Captured, text: str | None, named: str
) -> None:
    file = tmp_path / "broken.toml"
    if text is not None:
        file.write_text(text, encoding="utf-8")
    assert main(["describe", str(file)]) == 2
    said = capsys.readouterr().err
    assert str(file) in said
    assert named in said


def test_a_folder_is_no_scenario_file(tmp_path: Path, capsys: Captured) -> None:
    assert main(["describe", str(tmp_path)]) == 2
    assert "directory" in capsys.readouterr().err


def test_an_output_folder_that_holds_something_is_left_as_it_is(
    scenario_file: Path, tmp_path: Path, capsys: Captured
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "thesis.txt").write_text("mine", encoding="utf-8")
    command = ["run", str(scenario_file), "--out", str(out)]
    assert main(command) == 1
    assert "is not empty" in capsys.readouterr().err
    assert main([*command, "--force"]) == 1
    assert "'thesis.txt'" in capsys.readouterr().err
    assert [path.name for path in out.iterdir()] == ["thesis.txt"]


def test_force_replaces_what_kafkasim_wrote(
    scenario_file: Path, tmp_path: Path, capsys: Captured
) -> None:
    out = tmp_path / "out"
    command = ["run", str(scenario_file), "--out", str(out)]
    assert main(command) == 0
    assert main(command) == 1
    assert "or replace it with --force" in capsys.readouterr().err
    assert main([*command, "--force", "--set", "seed=8"]) == 0
    assert load(out / "scenario.toml").seed == 8


def test_a_full_disk_is_one_line_and_leaves_nothing(
    scenario_file: Path,
    tmp_path: Path,
    capsys: Captured,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Result, "save", full)
    out = tmp_path / "out"
    assert main(["run", str(scenario_file), "--out", str(out)]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert "No space left on device" in said.err
    assert sorted(tmp_path.iterdir()) == [scenario_file]


def test_a_folder_that_cannot_be_made_is_one_line(
    scenario_file: Path, tmp_path: Path, capsys: Captured
) -> None:
    file = tmp_path / "file"
    file.touch()
    assert main(["run", str(scenario_file), "--out", str(file / "out")]) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "cannot write" in said


@pytest.mark.parametrize("code", [errno.EACCES, errno.EROFS])
def test_a_read_only_folder_is_one_line_before_anything_runs(
    scenario_file: Path,
    tmp_path: Path,
    capsys: Captured,
    monkeypatch: pytest.MonkeyPatch,
    code: int,
) -> None:
    def locked(*_: object, **__: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(Path, "mkdir", locked)
    monkeypatch.setattr(running, "run", None)
    assert main(["run", str(scenario_file), "--out", str(tmp_path / "out")]) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert os.strerror(code) in said


CRASH = [
    *("--set", 'events=[{kind="crash", target="subscriber:billing", at_s=0.0}]'),
    *("--set", "drain_limit_s=5"),
]


def test_a_run_that_did_not_drain_says_so_in_one_line_on_stderr(
    scenario_file: Path, tmp_path: Path, capsys: Captured
) -> None:
    out = tmp_path / "out"
    assert main(["run", str(scenario_file), *CRASH, "--out", str(out)]) == 0
    said = capsys.readouterr()
    pending = pd.read_csv(out / "summary.csv")["pending"].iloc[0]
    assert said.err.startswith("kafkasim: stopped at ")
    assert said.err.endswith(f" s: no progress for 5 s; {pending} records pending\n")
    assert said.err.count("\n") == 1
    assert "pending" in said.out.partition("\n")[0]


def test_a_sweep_names_the_first_run_that_did_not_drain(
    scenario_file: Path, tmp_path: Path, capsys: Captured
) -> None:
    sets = [*CRASH, "--set", f"{PARTITIONS}=1,2"]
    out = tmp_path / "out"
    assert main(["sweep", str(scenario_file), *sets, "--out", str(out)]) == 0
    said = capsys.readouterr().err
    assert said.startswith("kafkasim: 2 of 2 runs; first events=")
    assert "partitions=1, seed 7: stopped at " in said
    assert said.count("\n") == 1


def test_values_of_more_than_one_type_are_swept_and_saved_as_text(
    scenario_file: Path, tmp_path: Path
) -> None:
    config = "system.producers.web.config"
    sets = ["--set", f"{config}.acks=all,1,0"]
    sets += ["--set", f"{config}.enable_idempotence=false"]
    out = tmp_path / "out"
    assert main(["sweep", str(scenario_file), *sets, "--out", str(out)]) == 0
    acks = pd.read_parquet(out / "sweep.parquet")["acks"]
    assert acks.tolist() == ["all", "1", "0"]


def test_a_value_that_is_swept_twice_is_refused(
    scenario_file: Path, tmp_path: Path, capsys: Captured
) -> None:
    command = ["sweep", str(scenario_file), "--set", f"{PARTITIONS}=1,2,1"]
    assert main([*command, "--out", str(tmp_path / "out")]) == 2
    assert "partitions: 1 is not allowed; expected each" in capsys.readouterr().err


def test_a_system_of_its_own_may_have_nothing_to_check_and_it_is_said(
    scenario_file: Path,
    tmp_path: Path,
    capsys: Captured,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(own_systems, "_BY_KIND", {})
    register_system(Pigeonholes, Sound)
    command = ["run", str(scenario_file), "--set", 'system={kind="pigeonholes"}']
    assert main([*command, "--check", "--out", str(tmp_path / "out")]) == 0
    said = capsys.readouterr().err
    assert said.startswith("kafkasim: --check: nothing to check: ")


def test_what_varies_between_replications_is_printed(
    scenario_file: Path, tmp_path: Path, capsys: Captured
) -> None:
    command = ["sweep", str(scenario_file), "--set", f"{PARTITIONS}=1"]
    command += ["--replications", "2", "--workers", "1"]
    assert main([*command, "--out", str(tmp_path / "out")]) == 0
    said = capsys.readouterr().out
    assert "\nBetween replications varies: arrivals/web, entity/web, keys/web" in said


def test_a_streamed_run_keeps_counts_and_has_no_figure_of_lag(
    scenario_file: Path, tmp_path: Path, capsys: Captured
) -> None:
    outs = [tmp_path / "full", tmp_path / "streamed"]
    assert main(["run", str(scenario_file), "--out", str(outs[0])]) == 0
    assert main(["run", str(scenario_file), "--out", str(outs[1]), "--streamed"]) == 0
    assert capsys.readouterr().err == ""
    full, streamed = (load_result(out / "result") for out in outs)
    assert streamed.digest == full.digest
    assert "totals" in streamed.tables
    assert "records" not in streamed.tables
    names = [{path.name for path in out.iterdir()} for out in outs]
    assert names[0] - names[1] == {"lag.png", "lag.svg"}
    assert names[1] < names[0]
    one, other = (pd.read_csv(out / "summary.csv") for out in outs)
    assert other["lag_records_max"].equals(one["lag_records_max"])
    assert other["latency_ms_p99"][0] == pytest.approx(one["latency_ms_p99"][0], 0.01)


def test_a_streamed_sweep_writes_the_same_counts(
    scenario_file: Path, tmp_path: Path
) -> None:
    command = ["sweep", str(scenario_file), "--set", f"{PARTITIONS}=1,2", "--out"]
    assert main([*command, str(tmp_path / "full")]) == 0
    assert main([*command, str(tmp_path / "streamed"), "--streamed"]) == 0
    full, streamed = (
        pd.read_csv(tmp_path / name / "sweep.csv") for name in ("full", "streamed")
    )
    assert streamed["digest"].equals(full["digest"])
    assert not streamed["latency_ms_p50"].equals(full["latency_ms_p50"])
