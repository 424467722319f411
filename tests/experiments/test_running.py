from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from kafkasim.analysis.measures import metrics
from kafkasim.engine.sim import run as simulating
from kafkasim.errors import RunError, TableNotRecorded, ValidationError
from kafkasim.experiments import running
from kafkasim.experiments.running import enough_memory, run, unfinished
from kafkasim.result.result import Result, load_result
from kafkasim.scenario.arrivals import DayCurve
from kafkasim.scenario.events import Crash
from kafkasim.scenario.scenario import Scenario


def test_a_run_is_the_same_with_its_plan_drawn_before(scenario: Scenario) -> None:
    assert run(scenario, plan=scenario.plan()) == run(scenario)


def test_a_checked_run_is_the_same_and_breaks_nothing(scenario: Scenario) -> None:
    checked, plain = run(scenario, check=True), run(scenario)
    assert checked.violations.empty
    assert checked.columns("deliveries") == plain.columns("deliveries")
    assert checked.columns("requests") == plain.columns("requests")


def test_a_run_that_drained_is_not_unfinished(scenario: Scenario) -> None:
    assert unfinished(run(scenario)) == ""


def test_a_run_that_stopped_says_when_why_and_what_is_left(scenario: Scenario) -> None:
    crash = Crash("subscriber:billing", at_s=0.0)
    result = run(scenario.where({"events": (crash,), "drain_limit_s": 5.0}))
    pending = metrics(result)["pending"]
    assert pending == len(result.records) > 0
    ends = f": no progress for 5 s; {pending:.0f} records pending"
    assert unfinished(result).startswith("stopped at 6")
    assert unfinished(result).endswith(ends)


def test_a_run_that_was_meant_to_be_cut_is_not_unfinished(scenario: Scenario) -> None:
    result = run(scenario.where({"end": "cut", "traffic.duration_s": 0.5}))
    assert metrics(result)["pending"] > 0
    assert unfinished(result) == ""


def test_without_enough_memory_the_error_says_how_many_records_were_asked_for(
    scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> Result:
        raise MemoryError

    monkeypatch.setattr(simulating, "run", full)
    with pytest.raises(RunError, match=r"^not enough memory: 500 records were asked"):
        run(scenario)
    curve = DayCurve(mean_rate_per_s=2_000, peak_ratio=2.0, day_s=1)
    daily = scenario.where({"traffic.sources.web.arrivals": curve})
    with pytest.raises(RunError, match="2,000 records"):
        run(daily)


def test_without_enough_memory_the_error_names_the_way_that_takes_less(
    scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> Result:
        raise MemoryError

    monkeypatch.setattr(simulating, "run", full)
    with pytest.raises(RunError, match=r'; result="streamed" \(--streamed\) keeps'):
        run(scenario)
    with pytest.raises(RunError, match=r"; larger batches or a shorter run leave"):
        run(scenario, result="streamed")


def test_a_library_that_does_not_fit_into_memory_is_the_same_error(
    scenario: Scenario,
) -> None:
    text = "libarrow.so: failed to map segment from shared object"
    with (
        pytest.raises(RunError, match=r"^not enough memory: 500 records"),
        enough_memory(scenario.traffic),
    ):
        raise ImportError(text)
    with pytest.raises(ImportError, match="no such"), enough_memory(scenario.traffic):
        raise ImportError("no such module")


def test_a_streamed_run_has_the_digest_and_the_metrics_of_a_full_one(
    scenario: Scenario,
) -> None:
    full, streamed = run(scenario), run(scenario, result="streamed")
    assert streamed.digest == full.digest
    assert streamed.facts == full.facts
    assert metrics(streamed) == pytest.approx(metrics(full), rel=0.01, nan_ok=True)
    assert "histograms" in streamed.tables
    with pytest.raises(TableNotRecorded, match="run with result='full'"):
        _ = streamed.records


def test_a_streamed_run_is_saved_and_loaded_equal(
    scenario: Scenario, tmp_path: Path
) -> None:
    streamed = run(scenario, result="streamed")
    streamed.save(tmp_path / "out")
    loaded = load_result(tmp_path / "out")
    assert loaded == streamed
    assert metrics(loaded) == pytest.approx(metrics(streamed), rel=0, nan_ok=True)


def test_a_streamed_run_that_stopped_says_what_is_left(scenario: Scenario) -> None:
    crash = Crash("subscriber:billing", at_s=0.0)
    stuck = scenario.where({"events": (crash,), "drain_limit_s": 5.0})
    assert unfinished(run(stuck, result="streamed")) == unfinished(run(stuck)) != ""


def test_another_kind_of_result_is_refused(scenario: Scenario) -> None:
    with pytest.raises(ValidationError, match="expected full or streamed"):
        run(scenario, result="steamed")  # type: ignore[arg-type]


def test_a_bar_changes_nothing_and_is_drawn_only_when_asked_for(
    scenario: Scenario, capsys: pytest.CaptureFixture[str]
) -> None:
    plain = run(scenario)
    assert capsys.readouterr() == ("", "")
    assert run(scenario, progress=True) == plain
    seen = capsys.readouterr()
    assert seen.out == ""
    assert "s simulated" in seen.err


def test_by_itself_a_bar_is_only_for_big_runs_on_a_terminal(
    scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown: list[bool | None] = []

    @contextmanager
    def noted(_: float, *, progress: bool | None) -> Iterator[None]:
        shown.append(progress)
        yield None

    monkeypatch.setattr(running, "bar_in_simulated_time", noted)
    run(scenario)
    monkeypatch.setattr(running, "BIG_RUN", 500)
    run(scenario)
    assert shown == [False, None]
