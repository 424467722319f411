import math
from collections.abc import Mapping

import pandas as pd
import pytest

from kafkasim.analysis.measures import METRICS, metrics
from kafkasim.errors import RunError, ValidationError
from kafkasim.experiments import sweeping
from kafkasim.experiments.grid import Values
from kafkasim.experiments.running import run
from kafkasim.experiments.sweeping import sweep
from kafkasim.result.result import Result
from kafkasim.scenario.arrivals import Periodic
from kafkasim.scenario.events import Crash
from kafkasim.scenario.keys import NoKeys, UniformKeys
from kafkasim.scenario.plan import draw_plan
from kafkasim.scenario.scenario import Scenario

PARTITIONS = "system.topics.orders.partitions"
MEMBERS = "system.groups.billing.members"
KEYS = "traffic.sources.web.keys"


def test_each_combination_is_a_row_and_the_last_path_changes_fastest(
    scenario: Scenario,
) -> None:
    table = sweep(scenario, {PARTITIONS: [1, 2], MEMBERS: [1, 3]})
    assert table["partitions"].tolist() == [1, 1, 2, 2]
    assert table["members"].tolist() == [1, 3, 1, 3]
    assert table.attrs["paths"] == {"partitions": PARTITIONS, "members": MEMBERS}


def test_a_row_is_what_a_run_of_that_scenario_gives(scenario: Scenario) -> None:
    table = sweep(scenario, {PARTITIONS: [4]})
    result = run(scenario.where({PARTITIONS: 4}))
    assert table["digest"].tolist() == [result.digest]
    assert table.loc[0, list(METRICS)].to_dict() == pytest.approx(
        metrics(result), nan_ok=True
    )


def test_one_replication_has_no_interval_and_says_so_with_nan(
    scenario: Scenario,
) -> None:
    table = sweep(scenario, {PARTITIONS: [1]})
    assert table["replications"].tolist() == [1]
    assert math.isnan(table["drain_s_low"].iloc[0])
    assert math.isnan(table["drain_s_high"].iloc[0])


@pytest.mark.parametrize("replications", [1, 3])
def test_the_number_of_workers_changes_nothing(
    scenario: Scenario, replications: int
) -> None:
    grid: dict[str, Values] = {KEYS: [UniformKeys(20), NoKeys()], PARTITIONS: [1, 3]}
    tables = [
        sweep(scenario, grid, replications=replications, workers=workers)
        for workers in (1, 2, 3)
    ]
    for other in tables[1:]:
        pd.testing.assert_frame_equal(tables[0], other, check_exact=True)
        assert other.attrs == tables[0].attrs


def test_replications_draw_other_worlds_and_combinations_the_same(
    scenario: Scenario,
) -> None:
    table = sweep(scenario, {PARTITIONS: [1, 2]}, replications=3)
    assert "digest" not in table
    expected = [
        [
            run(scenario.where({PARTITIONS: n, "seed": seed})).digest
            for seed in (7, 8, 9)
        ]
        for n in (1, 2)
    ]
    assert table.attrs["digests"] == expected
    assert (table["latency_ms_p50_low"] < table["latency_ms_p50"]).all()
    assert (table["latency_ms_p50"] < table["latency_ms_p50_high"]).all()


def test_what_varied_between_replications_is_listed(scenario: Scenario) -> None:
    table = sweep(scenario, {PARTITIONS: [1]}, replications=2)
    assert table.attrs["varies"] == [
        "arrivals/web",
        "entity/web",
        "keys/web",
        "value_bytes/web",
        "work/billing/web",
    ]


def test_named_variants_stand_in_the_table_under_their_names(
    scenario: Scenario,
) -> None:
    table = sweep(scenario, {KEYS: {"customer": UniformKeys(20), "none": NoKeys()}})
    assert table["keys"].tolist() == ["customer", "none"]


def test_a_column_is_not_called_like_a_metric(scenario: Scenario) -> None:
    table = sweep(scenario, {"seed": [1, 2]})
    assert table["seed"].tolist() == [1, 2]
    assert table["digest"].nunique() == 2


def test_a_measure_of_ones_own_takes_the_place_of_the_metrics(
    scenario: Scenario,
) -> None:
    table = sweep(scenario, {PARTITIONS: [1, 2]}, measure=_batches, workers=2)
    assert list(table.columns) == [
        "partitions",
        "replications",
        "batches",
        "batches_low",
        "batches_high",
        "digest",
    ]
    assert table["batches"].iloc[0] < table["batches"].iloc[1]


def _batches(result: Result) -> Mapping[str, float]:
    return {"batches": len(result.columns("batches"))}


def test_the_plan_is_drawn_once_for_runs_of_the_same_world(
    scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[int] = []

    def counting(traffic, seed):  # type: ignore[no-untyped-def] # noqa: ANN001, ANN202
        drawn.append(seed)
        return draw_plan(traffic, seed)

    sweeping._plan.cache_clear()
    monkeypatch.setattr(sweeping, "draw_plan", counting)
    grid: dict[str, Values] = {PARTITIONS: [1, 2, 3], KEYS: [UniformKeys(20), NoKeys()]}
    sweep(scenario, grid, replications=2, workers=1)
    assert sorted(drawn) == [7, 7, 8, 8]


@pytest.mark.parametrize(
    ("grid", "options", "named"),
    [
        ({"system.topics.orders.partition": [1]}, {}, "did you mean partitions"),
        ({PARTITIONS: [1, 0]}, {}, "partitions: 0 is not allowed"),
        ({PARTITIONS: []}, {}, "at least one value"),
        ({PARTITIONS: [4, 4]}, {}, "each value once"),
        ({}, {}, "at least one path"),
        ({PARTITIONS: [1]}, {"replications": 0}, "replications: 0"),
        ({PARTITIONS: [1]}, {"workers": 0}, "workers: 0"),
        ({"seed": [1]}, {"replications": 2}, "no seed beside replications"),
    ],
)
def test_what_is_not_allowed_is_named_before_anything_runs(
    scenario: Scenario,
    monkeypatch: pytest.MonkeyPatch,
    grid: dict[str, list[object]],
    options: dict[str, int],
    named: str,
) -> None:
    monkeypatch.setattr(sweeping, "run", None)
    with pytest.raises(ValidationError, match=named):
        sweep(scenario, grid, **options)  # type: ignore[arg-type]


def test_a_run_that_fails_is_named_with_its_combination(
    scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    def failing(*_: object, **__: object) -> Result:
        raise RunError("at 0.5 s: nothing moves")

    monkeypatch.setattr(sweeping, "run", failing)
    with pytest.raises(RunError, match=r"partitions=2, seed 7: at 0\.5 s"):
        sweep(scenario, {PARTITIONS: [2]})


@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_amid_a_sweep_has_its_combination_in_a_note(
    scenario: Scenario, workers: int
) -> None:
    with pytest.raises(ZeroDivisionError) as raised:
        sweep(scenario, {PARTITIONS: [1, 2]}, measure=_per_odd, workers=workers)
    assert raised.value.__notes__ == ["in the run with partitions=2, seed 7"]


def _per_odd(result: Result) -> Mapping[str, float]:
    partitions = result.scenario.value_at(PARTITIONS)
    assert isinstance(partitions, int)
    return {"odd": 1 / (partitions % 2)}


def test_memory_that_a_measure_lacks_is_named_with_its_combination(
    scenario: Scenario,
) -> None:
    with pytest.raises(RunError, match="partitions=1, seed 7: not enough memory: 500"):
        sweep(scenario, {PARTITIONS: [1]}, measure=_too_much)


def _too_much(_: Result) -> Mapping[str, float]:
    raise MemoryError


def test_values_of_more_than_one_type_stand_in_the_table_as_text(
    scenario: Scenario,
) -> None:
    acks = "system.producers.web.config.acks"
    loose = scenario.where({"system.producers.web.config.enable_idempotence": False})
    table = sweep(loose, {acks: ["all", 1, 0]})
    assert table["acks"].tolist() == ["all", "1", "0"]


def test_runs_that_did_not_drain_show_what_is_pending_and_are_listed(
    scenario: Scenario,
) -> None:
    short = scenario.where({"drain_limit_s": 5.0})
    crash = Crash("subscriber:billing", at_s=0.0)
    table = sweep(short, {"events": {"well": (), "crash": (crash,)}})
    assert table["pending"].iloc[0] == 0
    assert table["pending"].iloc[1] == table["records"].iloc[1]
    (unfinished,) = table.attrs["unfinished"].items()
    assert unfinished[0] == "events=crash, seed 7"
    assert "no progress for 5 s" in unfinished[1]


def test_what_does_not_vary_has_an_interval_without_width(scenario: Scenario) -> None:
    table = sweep(scenario, {PARTITIONS: [1]}, replications=3, measure=_tenth)
    low, high = table["tenth_low"].iloc[0], table["tenth_high"].iloc[0]
    assert low == table["tenth"].iloc[0] == high


def _tenth(_: Result) -> Mapping[str, float]:
    return {"tenth": 0.1}


@pytest.mark.parametrize("returned", [None, 3.0, {"batches": "many"}])
def test_a_measure_that_gives_no_numbers_with_names_is_refused(
    scenario: Scenario, returned: object
) -> None:
    with pytest.raises(ValidationError, match=r"^measure: .*mapping of name to number"):
        sweep(scenario, {PARTITIONS: [1]}, measure=lambda _: returned)  # type: ignore[arg-type,return-value]


def test_too_many_records_for_the_memory_are_counted(
    scenario: Scenario, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> Result:
        raise MemoryError

    sweeping._plan.cache_clear()
    monkeypatch.setattr(sweeping, "draw_plan", full)
    with pytest.raises(RunError, match="not enough memory: 500 records"):
        sweep(scenario, {PARTITIONS: [1, 2]})


def test_a_streamed_sweep_has_the_same_runs_and_exact_counts(
    scenario: Scenario,
) -> None:
    grid: dict[str, Values] = {PARTITIONS: [1, 3]}
    full, streamed = sweep(scenario, grid), sweep(scenario, grid, result="streamed")
    latencies = [name for name in full if str(name).startswith("latency")]
    exact = full.columns.difference(latencies)
    pd.testing.assert_frame_equal(streamed[exact], full[exact], check_exact=True)
    pd.testing.assert_frame_equal(streamed[latencies], full[latencies], rtol=0.01)
    # A quantile of a streamed run is the middle of a bucket: streamed it was.
    assert (streamed["latency_ms_p50"] != full["latency_ms_p50"]).any()


@pytest.mark.parametrize(("many", "used"), [(900_000, 1), (1_100_000, 5)])
def test_processes_are_started_for_a_million_records(
    scenario: Scenario, monkeypatch: pytest.MonkeyPatch, many: int, used: int
) -> None:
    asked_for = []

    def counting(*_: object, workers: int, progress: bool | None) -> list[object]:
        asked_for.append((workers, progress))
        raise RunError("enough")

    monkeypatch.setattr(sweeping, "over", counting)
    monkeypatch.setattr(sweeping, "affordable", lambda runs: runs)
    arrivals = Periodic(rate_per_s=many / 5)
    with pytest.raises(RunError, match="enough"):
        sweep(
            scenario.where({"traffic.sources.web.arrivals": arrivals}),
            {PARTITIONS: [1, 2, 3, 4, 5]},
        )
    assert asked_for == [(used, None)]
