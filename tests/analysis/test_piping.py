"""Numbers of pipelines, on runs written by hand and on small ones."""

import math

import pytest

from kafkasim.analysis.piping import PIPELINES, pipelines
from kafkasim.engine.sim.run import run
from kafkasim.scenario.arrivals import Periodic
from kafkasim.scenario.many_to_many import many_to_many
from kafkasim.scenario.pipelines import PointToPoint
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.systems import Kafka
from kafkasim.scenario.traffic import Source, Subscriber, Traffic
from kafkasim.testing.builders import small_result

LINKS = [
    ("source:web", "broker:1", 2, 300),
    ("source:web", "broker:2", 1, 100),
    ("member:billing/1", "broker:1", 4, 0),
    ("broker:1", "member:billing/1", 4, 400),
    ("broker:2", "broker:1", 3, 0),
    ("broker:1", "broker:2", 3, 400),
    ("member:idle/1", "broker:1", 0, 0),
]


def test_a_hub_is_one_system_and_a_connection_is_counted_once() -> None:
    made = pipelines(
        small_result(
            records=[{"acked_ms": 5.0, "send_count": 2}, {"intended_ms": 2.0}],
            deliveries=[],
            links=[
                {
                    "sender": sender,
                    "receiver": receiver,
                    "connection_count": 1,
                    "request_count": requests,
                    "moved_bytes": moved,
                }
                for sender, receiver, requests, moved in LINKS
            ],
            segments=[{"size_bytes": 400}, {"size_bytes": 400, "broker": 2}],
            scenario=Scenario(
                Traffic(
                    {
                        "web": Source(stream="orders", arrivals=Periodic(1.0)),
                        "mute": Source(stream="other", arrivals=Periodic(1.0)),
                    },
                    {"billing": Subscriber(["orders"]), "idle": Subscriber(["other"])},
                    duration_s=1.0,
                ),
                Kafka(brokers=2),
            ),
        )
    )

    assert list(made) == list(PIPELINES)
    assert (made["sources"], made["subscribers"], made["pairs"]) == (2, 2, 2)
    assert made["density"] == 0.5
    assert (made["links"], made["adapters_per_source"]) == (2, 0.5)
    assert (made["sockets"], made["hub_sockets"], made["hub_nodes"]) == (3, 1, 2)
    assert made["sends_per_record"] == 1.5
    assert (made["source_bytes"], made["total_bytes"]) == (400, 1_200)
    assert (made["hub_in_bytes"], made["hub_out_bytes"]) == (400, 800)
    assert made["disk_bytes"] == 800
    assert math.isnan(made["replayed_share"])


def test_sources_keep_what_is_wanted_and_not_acknowledged() -> None:
    records: list[dict[str, object]] = [
        {"intended_ms": 0.0, "acked_ms": 5.0, "value_bytes": 10},
        {"intended_ms": 4.0, "acked_ms": 9.0, "value_bytes": 100},
        {"intended_ms": 5.0, "acked_ms": None, "value_bytes": 1_000},
        {"intended_ms": 4.5, "outcome": "failed", "value_bytes": 9_000},
        {"intended_ms": 9.0, "acked_ms": 9.5, "value_bytes": -1},
    ]
    made = pipelines(small_result(records=records, deliveries=[], links=[]))

    assert made["source_buffer_bytes"] == 1_100


def test_what_left_the_logs_is_kept_no_more() -> None:
    records = [
        {"acked_ms": 1.0, "topic": "orders", "partition": 0, "offset": offset}
        for offset in range(4)
    ]
    gone = {"topic": "orders", "partition": 0, "from_offset": 0, "to_offset": 3}
    removals = [gone | {"cause": "time", "at_ms": 9.0}]
    made = pipelines(
        small_result(records=records, deliveries=[], links=[], removals=removals)
    )

    assert made["kept_share"] == 0.25


@pytest.mark.parametrize(
    ("system", "share"), [(Kafka(), 1.0), (PointToPoint(), 0.0)], ids=["log", "none"]
)
def test_history_is_read_where_something_keeps_it(
    system: Kafka | PointToPoint, share: float
) -> None:
    traffic = Traffic(
        {"web": Source(stream="orders", arrivals=Periodic(rate_per_s=50.0))},
        {
            "billing": Subscriber(["orders"]),
            "late": Subscriber(["orders"], work_ms=2.0, from_s=1.0, wants="all"),
        },
        duration_s=1.2,
    )
    made = pipelines(run(Scenario(traffic, system)))

    assert made["replayed_share"] == made["kept_share"] == share
    # The work on a record is all that takes time.
    if share:
        assert made["replay_per_s"] == pytest.approx(500.0, rel=0.02)
    else:
        assert math.isnan(made["replay_per_s"])


def test_a_run_without_a_record_has_numbers_too() -> None:
    nothing = small_result(records=[], deliveries=[], links=[])

    assert pipelines(nothing)["links"] == 0
    assert math.isnan(pipelines(nothing)["sends_per_record"])


def test_who_wants_nothing_of_whom_has_no_link() -> None:
    traffic = many_to_many(4, 4, 0.5, arrivals=Periodic(20.0), duration_s=0.1)

    assert pipelines(run(Scenario(traffic, PointToPoint())))["links"] == 8
