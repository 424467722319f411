"""Dictionaries of several sources become one."""

import numpy as np

from kafkasim.engine.sim.plan_columns import merge_labels, plan_columns, work_by_record
from kafkasim.scenario.arrivals import Periodic
from kafkasim.scenario.keys import UniformKeys
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.traffic import Source, Subscriber, Traffic


def test_equal_labels_of_two_sources_get_one_code() -> None:
    codes, labels = merge_labels(
        [np.array([0, 1, -1], np.int32), np.array([1, 0], np.int32)],
        [("N1", "N2"), ("N3", "N1")],
    )
    assert labels == ("N1", "N2", "N3")
    assert codes.tolist() == [0, 1, -1, 0, 2]


def test_dictionaries_that_are_equal_stay_as_they_are() -> None:
    codes, labels = merge_labels(
        [np.array([1], np.int32), np.array([0], np.int32)], [("a", "b"), ("a", "b")]
    )
    assert labels == ("a", "b")
    assert codes.tolist() == [1, 0]


def test_records_stand_in_the_order_of_source_names() -> None:
    traffic = Traffic(
        sources={
            "web": Source("orders", Periodic(2.0), keys=UniformKeys(3)),
            "app": Source("clicks", Periodic(3.0)),
        },
        subscribers={"b": Subscriber(["orders"], work_ms=1.0)},
        duration_s=1.0,
    )
    plan = Scenario(traffic).plan()
    columns, labels = plan_columns(plan)
    assert labels["source"] == ("app", "web")
    assert labels["stream"] == ("clicks", "orders")
    assert columns["source"].tolist() == [0, 0, 0, 1, 1]
    assert columns["stream"].tolist() == [0, 0, 0, 1, 1]
    assert columns["key"].tolist()[:3] == [-1, -1, -1]
    assert work_by_record(plan, "b").tolist() == [0, 0, 0, 1_000_000, 1_000_000]
