"""Which records are in a subscriber's queue, and which have left it."""

import numpy as np

from kafkasim.result.queued import queued
from kafkasim.result.schema import TABLES
from kafkasim.result.schema_queues import QUEUE_CHANGES
from kafkasim.result.table import Table
from kafkasim.units import MISSING_NS

# Queue, record, time, change: 0 is acknowledged, 1 is there, 2 came twice and one is
# there; of b's only 0 is there, and 3 was never anywhere.
ROWS = (
    (0, 0, 10, "enqueued"),
    (1, 0, 11, "enqueued"),
    (0, 1, 12, "enqueued"),
    (0, 0, 13, "delivered"),
    (0, 0, 14, "requeued: rejected"),
    (0, 0, 15, "delivered"),
    (0, 2, 16, "enqueued"),
    (0, 2, 17, "enqueued"),
    (0, 0, 18, "acked"),
    (0, 2, 19, "acked"),
    (1, 1, 20, "enqueued"),
    (1, 1, 21, "not persistent"),
)


def table() -> Table:
    values = {
        "topic": [row[0] for row in ROWS],
        "record_id": [row[1] for row in ROWS],
        "at_ns": [row[2] for row in ROWS],
        "change": [QUEUE_CHANGES.index(row[3]) for row in ROWS],
        "member": [-1] * len(ROWS),
        "ready": [0] * len(ROWS),
        "unacked": [0] * len(ROWS),
    }
    columns = {c.name: np.array(values[c.name], c.dtype) for c in TABLES["queues"]}
    return Table("queues", columns, {"topic": ("a", "b"), "member": ()})


def test_a_record_is_held_while_one_copy_is_in_the_queue() -> None:
    found = queued(table(), "a", np.arange(4))
    assert found.came_ns.tolist() == [10, 12, 16, MISSING_NS]
    assert found.gone_ns.tolist() == [18, MISSING_NS, MISSING_NS, MISSING_NS]
    assert found.held.tolist() == [False, True, True, False]


def test_each_queue_has_its_own() -> None:
    found = queued(table(), "b", np.array([1, 0]))
    assert found.came_ns.tolist() == [20, 11]
    assert found.held.tolist() == [False, True]


def test_a_subscriber_without_a_queue_has_nothing() -> None:
    assert not queued(table(), "c", np.arange(2)).held.any()
