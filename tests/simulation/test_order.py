"""Order across partitions, seen by whoever processes: by hand and without work."""

import pytest

from kafkasim.analysis.measures import metrics
from kafkasim.analysis.order import ordering
from kafkasim.engine.sim.run import run
from kafkasim.scenario.arrivals import Poisson
from kafkasim.scenario.keys import UniformKeys
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.systems import Group, Kafka, Topic
from kafkasim.scenario.traffic import Source, Subscriber, Traffic


def scattered(work_ms: float, members: int) -> Scenario:
    """Records of 20 entities, each with a key of its own, over four partitions."""
    keys = UniformKeys(500, prefix="order-")
    source = Source(
        "orders", Poisson(rate_per_s=2_000), keys=keys, entity=UniformKeys(20)
    )
    return Scenario(
        Traffic(
            {"web": source},
            {"b": Subscriber(["orders"], work_ms=work_ms)},
            duration_s=1,
        ),
        Kafka(
            topics={"orders": Topic(partitions=4)}, groups={"b": Group(members=members)}
        ),
    )


@pytest.mark.parametrize("members", [1, 4])
def test_records_overtake_each_other_also_when_work_takes_no_time(
    members: int,
) -> None:
    without, with_little = (
        metrics(run(scattered(work_ms, members)))["overtaken_share"]
        for work_ms in (0.0, 1e-6)
    )
    assert without == with_little > 0.05


def test_order_holds_within_a_partition_and_for_a_key() -> None:
    result = run(scattered(0.3, 4))
    assert ordering(result, per="entity")["overtaken"].sum() > 0
    assert ordering(result, per="partition")["overtaken"].sum() == 0
    assert ordering(result, per="key")["overtaken"].sum() == 0
