import math

import pytest
from pandas.testing import assert_frame_equal

from kafkasim.analysis.measures import METRICS
from kafkasim.analysis.service import SERVICE
from kafkasim.errors import ValidationError
from kafkasim.experiments.comparison import compare
from kafkasim.experiments.running import run
from kafkasim.scenario.arrivals import Poisson
from kafkasim.scenario.events import Crash, Pause
from kafkasim.scenario.keys import NoKeys
from kafkasim.scenario.member_events import StuckRecord
from kafkasim.scenario.pipelines import PointToPoint
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.systems import Kafka, System, Topic
from kafkasim.scenario.traffic import Source, Subscriber, Traffic

SYSTEMS: dict[str, System] = {"Kafka": Kafka(), "point to point": PointToPoint()}


def test_each_subscriber_of_each_system_is_a_row() -> None:
    web = Source("orders", Poisson(300))
    traffic = Traffic(
        {"web": web},
        {
            "billing": Subscriber(["orders"], work_ms=5.0),
            "search": Subscriber(["orders"]),
        },
        duration_s=1,
    )
    table = compare(traffic, SYSTEMS, seed=3)
    assert table[["system", "subscriber"]].to_numpy().tolist() == [
        ["Kafka", "billing"],
        ["Kafka", "search"],
        ["point to point", "billing"],
        ["point to point", "search"],
    ]
    latency = table["latency_ms_p99"]
    assert latency[1] < latency[0]
    assert latency[3] == pytest.approx(latency[2], rel=0.1)


def test_per_system_is_one_row_each_and_what_does_not_apply_is_missing(
    traffic: Traffic,
) -> None:
    table = compare(traffic, SYSTEMS, per="system")
    assert table["system"].tolist() == ["Kafka", "point to point"]
    assert len(set(table["records"])) == 1
    assert not math.isnan(table["partition_imbalance"][0])
    assert math.isnan(table["partition_imbalance"][1])


def test_events_befall_the_system_they_are_given_for(traffic: Traffic) -> None:
    crash = [Crash("subscriber:billing", at_s=0.5, for_s=3.0)]
    systems: dict[str, System] = {"well": PointToPoint(), "ill": PointToPoint()}
    table = compare(traffic, systems, events={"ill": crash})
    assert table["drain_s"][0] < 2.5 < table["drain_s"][1]


def test_one_list_of_events_befalls_every_system(traffic: Traffic) -> None:
    pause = [Pause("subscriber:billing", at_s=0.5, for_s=3.0)]
    apart = compare(traffic, SYSTEMS, events=dict.fromkeys(SYSTEMS, pause))

    together = compare(traffic, SYSTEMS, events=pause)

    assert together.attrs["digests"] == apart.attrs["digests"]
    assert (together["latency_ms_p99"] > 2_500).all()


def test_scenarios_and_results_are_laid_side_by_side(scenario: Scenario) -> None:
    wide = scenario.where({"system.topics.orders.partitions": 4})
    done = run(scenario)
    table = compare({"one": done, "four": wide})
    assert table["system"].tolist() == ["one", "four"]
    assert table.attrs["digests"] == {"one": done.digest, "four": run(wide).digest}
    assert table.attrs["notes"] == []


@pytest.mark.parametrize("system", SYSTEMS.values())
def test_finished_runs_may_differ_in_what_got_stuck(
    traffic: Traffic, system: System
) -> None:
    stuck = StuckRecord("subscriber:billing", "web", ordinal=3, work_ms=900.0)
    scenarios = {
        "calm": Scenario(traffic, system),
        "stuck": Scenario(traffic, system, events=[stuck]),
    }
    done = compare({name: run(each) for name, each in scenarios.items()})

    assert done.attrs["notes"] == []
    assert done["latency_ms_p99"][0] < 900 <= done["latency_ms_p99"][1]
    assert_frame_equal(done, compare(scenarios))


def test_keys_may_differ_and_it_says_so(scenario: Scenario) -> None:
    unkeyed = scenario.where({"traffic.sources.web.keys": NoKeys()})
    table = compare({"keyed": scenario, "unkeyed": unkeyed})
    assert table.attrs["notes"] == ["keys/web of 'unkeyed' differs"]


def test_where_the_entity_moves_with_the_key_it_is_refused(scenario: Scenario) -> None:
    follows = scenario.where({"traffic.sources.web.entity": None})
    unkeyed = follows.where({"traffic.sources.web.keys": NoKeys()})
    with pytest.raises(
        ValidationError, match="entity/web differ; name the sources' ent"
    ):
        compare({"keyed": follows, "unkeyed": unkeyed})


@pytest.mark.parametrize(
    ("path", "value", "column"),
    [
        ("seed", 8, "arrivals/web"),
        ("traffic.sources.web.value_bytes", 50, "value_bytes/web"),
        ("traffic.subscribers.billing.work_ms", 2.0, "work/billing/web"),
        ("traffic.sources.web.arrivals.rate_per_s", 400, "arrivals/web"),
    ],
)
def test_other_worlds_are_refused_and_the_difference_is_named(
    scenario: Scenario, path: str, value: object, column: str
) -> None:
    with pytest.raises(ValidationError, match=rf"'other'.*[( ]{column}"):
        compare({"this": scenario, "other": scenario.where({path: value})})


def test_nothing_to_compare_and_events_of_nobody_are_refused(traffic: Traffic) -> None:
    with pytest.raises(ValidationError, match="at least one system"):
        compare(traffic)
    with pytest.raises(ValidationError, match="at least one system"):
        compare({})
    with pytest.raises(ValidationError, match="'Kfka' is not allowed"):
        compare(traffic, SYSTEMS, events={"Kfka": []})
    with pytest.raises(ValidationError, match="nothing beside a mapping"):
        compare({"a": Scenario(traffic)}, {"b": Kafka(topics={"orders": Topic(2)})})


def test_the_columns_are_who_and_the_metrics_with_what_is_pending(
    traffic: Traffic,
) -> None:
    table = compare(traffic, SYSTEMS)
    assert list(table)[:2] == ["system", "subscriber"]
    assert list(table)[2:13] == list(METRICS)
    assert table["pending"].tolist() == [0, 0]
    assert "index" not in table


def test_streamed_runs_of_another_traffic_are_refused_as_full_ones_are(
    traffic: Traffic,
) -> None:
    scenarios = {"a": Scenario(traffic, seed=3), "b": Scenario(traffic, seed=4)}
    refusals = []
    for kind in ("full", "streamed"):
        with pytest.raises(ValidationError, match="arrivals/web") as refused:
            compare(scenarios, result=kind)
        refusals.append(str(refused.value))
    assert refusals[0] == refusals[1]


def test_a_streamed_run_compares_with_a_full_result(traffic: Traffic) -> None:
    scenario = Scenario(traffic, seed=3)
    table = compare({"a": scenario, "b": run(scenario)}, result="streamed")
    assert table.attrs["digests"]["a"] == table.attrs["digests"]["b"]
    assert len(set(table["lag_records_max"])) == 1


def test_streamed_runs_compare_as_full_ones(traffic: Traffic) -> None:
    full = compare(traffic, SYSTEMS, seed=3)
    streamed = compare(traffic, SYSTEMS, seed=3, result="streamed")
    assert streamed.attrs["digests"] == full.attrs["digests"]
    of_records = SERVICE[:5]
    exact = [
        name
        for name in full
        if not str(name).startswith("latency") and name not in of_records
    ]
    assert streamed[exact].equals(full[exact])
    assert (streamed["latency_ms_p50"] != full["latency_ms_p50"]).any()
