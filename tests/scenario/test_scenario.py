import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from kafkasim.config.producer import ProducerConfig
from kafkasim.errors import ValidationError
from kafkasim.scenario.arrivals import Bursts, DayCurve, Poisson
from kafkasim.scenario.distributions import Exponential, LogNormal
from kafkasim.scenario.events import Crash
from kafkasim.scenario.keys import HotKey, TraceColumn, UniformKeys, ZipfKeys
from kafkasim.scenario.pipelines import PointToPoint
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.systems import Group, Kafka, Producer, Topic
from kafkasim.scenario.trace import Trace
from kafkasim.scenario.trace_columns import CodedColumn
from kafkasim.scenario.traffic import Source, Subscriber, Traffic

TRAFFIC = Traffic(
    {"web": Source("orders", Poisson(100))},
    {"billing": Subscriber(["orders"], work_ms=1)},
    duration_s=60,
)
SCENARIO = Scenario(TRAFFIC, seed=7)
TRACE = Trace(
    np.array([0, 5, 9]),
    {"web": CodedColumn(np.array([0, 1, -1]), ("a", "b"))},
    name="clicks",
)
CLICKS = Scenario(
    Traffic(
        {"clicks": Source("clicks", TRACE, keys=TraceColumn("web"))},
        {"billing": Subscriber(["clicks"])},
    )
)


def test_a_path_into_a_part_that_was_filled_in_makes_it() -> None:
    changed = SCENARIO.where(
        {
            "system.topics.orders.partitions": 12,
            "system.producers.web.config.linger_ms": 20,
        }
    )

    assert changed.system == Kafka(
        topics={"orders": Topic(partitions=12)},
        producers={"web": Producer(ProducerConfig(linger_ms=20))},
    )


def test_shorter_paths_come_first_whatever_the_order() -> None:
    changed = SCENARIO.where(
        {
            "system.groups.billing.members": 3,
            "traffic.sources.web.keys.exponent": 1.5,
            "traffic.sources.web.keys": ZipfKeys(10),
            "system": Kafka(brokers=2),
        }
    )

    assert changed.system == Kafka(brokers=2, groups={"billing": Group(3)})
    assert changed.traffic.sources["web"].keys == ZipfKeys(10, exponent=1.5)


def test_a_change_may_pass_through_what_would_not_fit() -> None:
    changed = SCENARIO.where(
        {
            "traffic.sources.web.keys": TraceColumn("web"),
            "traffic.sources.web.arrivals": TRACE,
            "system.producers.web.config.enable_idempotence": False,
            "system.producers.web.config.max_in_flight_requests_per_connection": 9,
        }
    )

    assert changed.traffic.sources["web"].arrivals == TRACE


def test_a_variant_is_set_as_object_or_as_table() -> None:
    path = "traffic.sources.clicks.keys"

    by_table = CLICKS.where({path: {"kind": "trace_column", "column": "web"}})

    assert by_table == CLICKS.where({path: TraceColumn("web")})


def test_the_speed_up_of_a_trace_is_a_path() -> None:
    changed = CLICKS.where({"traffic.sources.clicks.arrivals.speedup": 3})

    assert changed.traces["clicks"].speedup == 3.0
    assert changed.value_at("traffic.sources.clicks.arrivals.speedup") == 3.0


def test_an_item_of_a_list_is_a_number() -> None:
    scenario = replace(SCENARIO, events=[Crash("subscriber:billing", at_s=1)])

    assert scenario.where({"events.0.at_s": 5}).events[0].at_s == 5.0


@pytest.mark.parametrize(
    ("path", "message"),
    [
        (
            "system.topics.order.partitions",
            (
                "system.topics.order.partitions: 'order' is not allowed; expected "
                "orders in system.topics (did you mean orders?)"
            ),
        ),
        (
            "systemm.brokers",
            (
                "systemm.brokers: 'systemm' is not allowed; expected one of traffic, "
                "system, seed, events, end, drain_limit_s, name "
                "(did you mean system?)"
            ),
        ),
        (
            "seed.x",
            (
                "seed.x: 'x' is not allowed; expected nothing below seed, which is 7; "
                "set it whole"
            ),
        ),
        (
            "events.0.at_s",
            (
                "events.0.at_s: '0' is not allowed; expected nothing below events, "
                "which is empty; set it whole"
            ),
        ),
    ],
)
def test_a_wrong_path_names_the_wrong_part_and_what_is_there(
    path: str, message: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        SCENARIO.where({path: 1})

    assert str(caught.value) == message


def test_a_wrong_value_is_named_by_its_path() -> None:
    with pytest.raises(ValidationError) as caught:
        SCENARIO.where({"system.topics.orders.partitions": 0})

    assert caught.value.path == "system.topics.orders.partitions"
    assert caught.value.value == 0


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"traffic.sources.web.stream": "sales"}, "traffic.subscribers.billing"),
        ({"traffic.sources.web.keys": TraceColumn("x")}, "traffic.sources.web.keys"),
        ({"system.topics": {"sales": {}}}, "system.topics.sales"),
        ({"events": [Crash("subscriber:x", 1)]}, "events.0.target"),
    ],
    ids=str,
)
def test_parts_that_do_not_fit_are_refused_before_anything_runs(
    changes: dict[str, object], path: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        SCENARIO.where(changes)

    assert caught.value.path.startswith(path)


def test_the_digest_tells_a_default_from_the_same_value_set_by_hand() -> None:
    by_hand = SCENARIO.where({"system.producers.web.config.linger_ms": 5})

    assert by_hand.resolve() == SCENARIO.resolve()
    assert by_hand.digest != SCENARIO.digest


def test_the_digest_does_not_depend_on_the_order_of_names() -> None:
    both = {"web": Source("orders", Poisson(1)), "app": Source("orders", Poisson(2))}
    turned = dict(reversed(both.items()))

    one = Scenario(Traffic(both, {}, duration_s=1))
    other = Scenario(Traffic(turned, {}, duration_s=1))

    assert one == other
    assert one.digest == other.digest


def test_the_digest_covers_the_rows_of_a_trace() -> None:
    later = Trace(np.array([0, 5, 10]), dict(TRACE.columns), name="clicks")
    changed = CLICKS.where({"traffic.sources.clicks.arrivals": later})

    assert changed.digest != CLICKS.digest


def test_no_digest_of_the_plan_moves_when_the_system_changes() -> None:
    changed = SCENARIO.where({"system": PointToPoint()})

    assert changed.plan().digests == SCENARIO.plan().digests


SCRIPT = """
from kafkasim.scenario.scenario import load
import sys
scenario = load(sys.argv[1])
print(scenario.digest, scenario.plan().digest)
"""


def test_digests_are_the_same_in_processes_with_other_hash_seeds(
    tmp_path: Path,
) -> None:
    scenario = Scenario(
        Traffic(
            {
                "web": Source(
                    "orders", DayCurve(500, day_s=3), ZipfKeys(9), HotKey(3, 0.5)
                ),
                "app": Source("orders", Bursts(99), UniformKeys(5, null_share=0.5)),
                "clicks": Source("clicks", TRACE, TraceColumn("web")),
            },
            {
                "billing": Subscriber(["clicks", "orders"], Exponential(1)),
                "audit": Subscriber(["orders"], LogNormal(1, 1)),
            },
            duration_s=3,
        ),
        Kafka(producers={"app": Producer(ProducerConfig(linger_ms=0, acks="1"))}),
        seed=5,
    )
    scenario.save(tmp_path / "x.toml")

    printed = [
        subprocess.run(
            [sys.executable, "-c", SCRIPT, str(tmp_path / "x.toml")],
            env={
                **os.environ,
                "PYTHONHASHSEED": hash_seed,
                "PYTHONPATH": os.pathsep.join(sys.path),
            },
            capture_output=True,
            text=True,
            check=True,
        ).stdout.split()
        for hash_seed in ("1", "2")
    ]

    assert printed == [[scenario.digest, scenario.plan().digest]] * 2


def test_numpy_numbers_are_taken_from_a_sweep() -> None:
    changed = SCENARIO.where({"system.topics.orders.partitions": np.int64(4)})

    assert changed == SCENARIO.where({"system.topics.orders.partitions": 4})
