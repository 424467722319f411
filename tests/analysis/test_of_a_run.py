"""What analysis says of a run of the engine: sums and orders that must hold."""

import pytest

from kafkasim.analysis.measures import metrics, summary
from kafkasim.analysis.order import ordering
from kafkasim.analysis.producing import batching, skew
from kafkasim.analysis.progress import lag, offsets
from kafkasim.analysis.receiving import receipts
from kafkasim.analysis.waiting import throughput
from kafkasim.engine.sim.run import run
from kafkasim.result.result import Result
from kafkasim.scenario.arrivals import Poisson
from kafkasim.scenario.distributions import Exponential
from kafkasim.scenario.keys import NoKeys, UniformKeys
from kafkasim.scenario.pipelines import PointToPoint
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.systems import Group, Kafka, Topic
from kafkasim.scenario.traffic import Source, Subscriber, Traffic

TRAFFIC = Traffic(
    {
        "web": Source(
            stream="orders",
            arrivals=Poisson(rate_per_s=2_000.0),
            keys=NoKeys(),
            entity=UniformKeys(50),
        )
    },
    {
        "audit": Subscriber(streams=["orders"], from_s=0.5, wants="all"),
        "billing": Subscriber(streams=["orders"], work_ms=Exponential(1.0)),
    },
    duration_s=2.0,
)
KAFKA = Kafka(
    topics={"orders": Topic(partitions=4)}, groups={"billing": Group(members=4)}
)


@pytest.fixture(scope="module")
def kafka_run() -> Result:
    return run(Scenario(TRAFFIC, KAFKA, seed=3))


@pytest.fixture(scope="module")
def direct_run() -> Result:
    return run(Scenario(TRAFFIC, PointToPoint(), seed=3))


def test_in_a_healthy_run_everyone_gets_everything_once(kafka_run: Result) -> None:
    assert set(receipts(kafka_run)["outcome"]) == {"once"}


def test_a_partition_keeps_its_order_and_partitions_together_do_not(
    kafka_run: Result,
) -> None:
    assert ordering(kafka_run, per="partition")["overtaken_pairs"].sum() == 0
    assert ordering(kafka_run, per="entity")["overtaken_pairs"].sum() > 0


def test_committed_never_passes_position_nor_position_the_log_end(
    kafka_run: Result,
) -> None:
    for partition in range(4):
        table = offsets(kafka_run, subscriber="billing", partition=partition)
        assert (table["committed"] <= table["position"]).all()
        assert (table["position"] <= table["log_end"]).all()


def test_the_metric_is_the_highest_point_of_the_lag_that_is_drawn(
    kafka_run: Result,
) -> None:
    drawn = lag(kafka_run)
    assert metrics(kafka_run)["lag_records_max"] == drawn["lag_records_max"].max()
    peaks = drawn.groupby("subscriber")["lag_records_max"].max().to_dict()
    said = summary(kafka_run).set_index("subscriber")["lag_records_max"].to_dict()
    assert said == peaks


def test_every_record_is_in_one_partition_and_one_batch(kafka_run: Result) -> None:
    count = len(kafka_run.columns("records"))
    assert skew(kafka_run)["records"].sum() == count
    table = batching(kafka_run)
    in_batches = (table["records_per_batch"] * table["batches"]).sum()
    assert in_batches == pytest.approx(count)


def test_rates_times_widths_are_all_records(kafka_run: Result) -> None:
    table = throughput(kafka_run, bin_ms=100)
    counts = table.groupby("subscriber")[["intended_per_s", "processed_per_s"]].sum()
    assert (counts / 10 == len(kafka_run.columns("records"))).all(axis=None)


def test_point_to_point_keeps_nothing_for_a_latecomer(direct_run: Result) -> None:
    table = receipts(direct_run)
    late = table[table["subscriber"] == "audit"]["outcome"].value_counts()
    early = (direct_run.columns("records")["intended_ns"] < 500_000_000).sum()
    assert late["not_kept"] + late["once"] == len(direct_run.columns("records"))
    # One that was intended just before may still be sent after it came.
    assert 0 <= early - late["not_kept"] <= early
    assert late["not_kept"] > 0
    assert ordering(direct_run)["overtaken_pairs"].sum() == 0
