"""What the replication explorer shows of a run, in numbers."""

import numpy as np
import pytest

from kafkasim.testing.builders import small_result
from kafkasim.widgets.replication_shown import shown_of
from tests.analysis.test_copies import batches, by_hand, leader_dies, start


def test_records_are_counted_by_what_became_of_them() -> None:
    tables = batches((0, 0.1, 0.2, 0.3))
    result = small_result(
        records=[
            {"intended_ms": 0, "acked_ms": 4, "partition": 0, "offset": 0},
            {"intended_ms": 1, "acked_ms": 7, "partition": 0, "offset": 1},
            {"intended_ms": 2, "acked_ms": 12, "partition": 0, "offset": 2},
            {"intended_ms": 3, "outcome": "failed"},
            {"intended_ms": 4},
        ],
        deliveries=[
            {"record_id": 0, "ended_ms": 9},
            {"record_id": 0, "ended_ms": 11},
            {"record_id": 1, "outcome": "in_flight"},
        ],
        replicas=start(),
        **tables,
    )

    shown = shown_of(result, "orders")

    assert (shown.sent, shown.acked, shown.failed, shown.read) == (5, 3, 1, 1)
    assert shown.ack_ms == 6.0
    assert shown.events == ()


def test_what_befell_brokers_is_in_order_of_time() -> None:
    done = [
        {"event": "Crash", "target": "broker:3", "at_ms": 9_000, "until_ms": None},
        {"event": "Crash", "target": "broker:1", "at_ms": 4_000, "until_ms": 12_000},
        {"event": "Pause", "target": "subscriber:billing", "at_ms": 1_000},
    ]
    result = by_hand(15.0, replicas=start(), events=done, **batches())

    assert shown_of(result, "orders").events == (
        (4.0, "broker 1: crash"),
        (9.0, "broker 3: crash"),
        (12.0, "broker 1: back"),
    )


def test_elections_are_changes_of_the_leader_after_the_start() -> None:
    shown = shown_of(leader_dies(), "orders")

    assert shown.elections == 1
    assert shown.until_s == 18.0
    assert np.isnan(shown.ack_ms)
    assert shown.events[0] == (4.0, "broker 1: crash")
    assert shown.copies.acks_ns[0] / 1e9 == pytest.approx(1.06)
