"""The scorecard: its rows, its events, and where it refuses."""

import math

import numpy as np
import pandas as pd
import pytest

from kafkasim.analysis.carrying import carrying
from kafkasim.analysis.scoring import (
    SATURATED,
    SCORED,
    TOLERANCE,
    Better,
    as_good,
    scorecard,
    systems_of,
)
from kafkasim.engine.sim.run import run
from kafkasim.errors import ValidationError
from kafkasim.experiments.saturating import saturate
from kafkasim.result.result import Result
from kafkasim.scenario.arrivals import Periodic, Poisson
from kafkasim.scenario.events import Crash
from kafkasim.scenario.keys import UniformKeys
from kafkasim.scenario.many_to_many import many_to_many
from kafkasim.scenario.pipelines import PointToPoint
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.systems import Group, Kafka, System

CRASH = Crash("subscriber:subscriber-1", at_s=0.5, for_s=0.5)
SYSTEMS: dict[str, System] = {
    "direct": PointToPoint(),
    "Kafka": Kafka(
        groups={f"subscriber-{n}": Group(commit="each_poll") for n in (1, 2)}
    ),
}


def runs(subscribers: int) -> dict[str, Result]:
    traffic = many_to_many(3, subscribers, arrivals=Periodic(40.0), duration_s=1.5)
    return {
        name: run(Scenario(traffic, system, events=[CRASH]))
        for name, system in SYSTEMS.items()
    }


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return scorecard(runs(2), added=runs(3))


def test_it_has_every_metric_and_three_rows_for_an_event(table: pd.DataFrame) -> None:
    metrics = list(table["metric"])

    assert metrics[: len(SCORED)] == [row.metric for row in SCORED]
    assert metrics[len(SCORED) :] == [
        *("pairs_hurt Crash subscriber:subscriber-1",),
        *("blast_pair_s Crash subscriber:subscriber-1",),
        *("recovery_s Crash subscriber:subscriber-1",),
        *("sources_touched", "new_links"),
    ]
    assert systems_of(table) == ["direct", "Kafka"]
    assert set(table["better"]) == {"less", "more"}
    assert set(table["metric"][table["tolerance"] == 0]) == {
        *("links", "adapters_per_source", "sockets", "hub_nodes"),
        *("sources_touched", "new_links"),
    }
    assert set(table["tolerance"]) == {0, TOLERANCE}


@pytest.mark.parametrize(
    ("values", "better", "as_good_ones"),
    [
        ((100.0, 110.0, 111.0), "less", (0, 1)),
        ((100.0, 90.0, 89.0), "more", (0, 1)),
        ((0.0, 1e-9, 0.0), "less", (0, 2)),
        ((100.0, 105.0, 109.0), "less", ()),
        ((100.0, math.nan, 111.0), "less", (0,)),
        ((100.0, math.nan, 101.0), "less", ()),
        ((math.nan, math.nan, math.nan), "less", ()),
    ],
)
def test_who_is_within_a_tenth_of_the_best_is_as_good(
    values: tuple[float, ...], better: Better, as_good_ones: tuple[int, ...]
) -> None:
    good = as_good(np.array(values), better, 0.1)
    assert tuple(np.flatnonzero(good).tolist()) == as_good_ones


def test_with_another_seed_systems_are_apart_by_the_same_within_the_tolerance() -> None:
    """One standard deviation of the ratio of two systems, over seeds."""
    traffic = many_to_many(
        *(4, 4), arrivals=Poisson(15.0), keys=UniformKeys(50), duration_s=10.0
    )
    varying = ["total_bytes_per_record", "throughput_per_s"]
    varying += [f"latency_ms_{rank}" for rank in ("p50", "p99", "p999")]
    what = "Crash subscriber:subscriber-1"
    varying += [f"blast_pair_s {what}", f"recovery_s {what}"]
    event = Crash("subscriber:subscriber-1", at_s=4.0, for_s=3.0)
    seen = []
    for seed in range(5):
        made = {
            name: run(Scenario(traffic, system, seed=seed, events=[event]))
            for name, system in SYSTEMS.items()
        }
        rows = scorecard(made).set_index("metric").loc[varying]
        seen.append((rows["Kafka"] / rows["direct"]).to_numpy())

    ratios = np.array(seen)
    spread = ratios.std(axis=0, ddof=1) / ratios.mean(axis=0)
    assert spread.max() < TOLERANCE, dict(zip(varying, spread, strict=True))
    assert spread.max() > 0.01, "chance does play"


def test_a_second_event_of_a_kind_has_rows_of_its_own() -> None:
    traffic = many_to_many(2, 2, arrivals=Periodic(40.0), duration_s=2.0)
    later = Crash("subscriber:subscriber-1", at_s=1.5, for_s=0.25)
    twice = Scenario(traffic, PointToPoint(), events=[CRASH, later])
    table = scorecard({"direct": run(twice), "the same": run(twice)})
    by = dict(zip(table["metric"], table["direct"], strict=True))
    first, second = (
        by[f"recovery_s Crash subscriber:subscriber-1{which}"] for which in ("", " (2)")
    )
    assert 0 < second < first
    assert "crash of subscriber-1 (2)" in " ".join(table["label"])


def test_its_numbers_are_those_of_the_runs(table: pd.DataFrame) -> None:
    numbers = table[["direct", "Kafka"]].to_numpy().tolist()
    by: dict[str, list[float]] = dict(zip(table["metric"], numbers, strict=True))

    assert by["links"] == [6, 5]
    assert by["sends_per_record"] == [2, 1]
    assert by["source_bytes_per_record"][0] == 400
    assert by["pairs_hurt Crash subscriber:subscriber-1"] == [6, 3]
    assert by["sources_touched"] == [3, 0]
    assert by["new_links"] == [3, 1]
    assert math.isnan(by["overtaken_share"][1])  # no keys, no order


def test_an_interruption_may_have_to_last_a_while_at_least() -> None:
    made, what = runs(2), "pairs_hurt Crash subscriber:subscriber-1"
    hurt = []
    for least_ms in (100.0, 10_000.0):
        table = scorecard(made, least_ms=least_ms)
        row = table.loc[table["metric"] == what, ["direct", "Kafka"]]
        hurt.append(row.to_numpy().tolist())
    assert hurt == [[[6, 3]], [[0, 0]]]


def test_it_refuses_nothing_and_other_names() -> None:
    with pytest.raises(ValidationError, match="at least one run"):
        scorecard({})
    made = runs(2)
    with pytest.raises(ValidationError, match="direct, Kafka"):
        scorecard(made, added={"direct": made["direct"]})


def test_what_systems_carry_at_most_is_two_rows_of_saturated_runs() -> None:
    calm = runs(2)
    traffic = many_to_many(3, 2, arrivals=Periodic(40.0), work_ms=2.0)
    full = saturate(traffic, SYSTEMS, duration_s=0.5)
    table = scorecard(calm, saturated=full)

    by = table.set_index("metric")
    assert list(table["metric"])[len(SCORED) :][:2] == [row.metric for row in SATURATED]
    for name, result in full.items():
        carried = carrying(result)["saturation_per_s"]
        assert by.loc["saturation_per_s", name] == carried
        hub = 1 if name == "Kafka" else 0
        each = by.loc["saturation_per_machine_s", name]
        assert each == pytest.approx(carried / (3 + 2 + hub))
    with pytest.raises(ValidationError, match=r"saturated.direct: .* ks.saturate"):
        scorecard(calm, saturated=calm)
    with pytest.raises(ValidationError, match=r"^saturated: .* direct, Kafka"):
        scorecard(calm, saturated={"Kafka": full["Kafka"]})
