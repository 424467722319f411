"""The range assignor against what the real one assigned."""

import json
from pathlib import Path
from typing import Any

import pytest

from kafkasim.protocol.assignor import assign_range

CASES = json.loads(
    (Path(__file__).parent / "data" / "range_assignor.json").read_text(encoding="utf-8")
)["cases"]


def named(assignment: dict[str, list[tuple[str, int]]]) -> dict[str, list[str]]:
    return {
        member: [f"{topic}-{number}" for topic, number in partitions]
        for member, partitions in assignment.items()
    }


@pytest.mark.parametrize(
    ("members", "sizes"),
    [(1, [7]), (2, [4, 3]), (3, [3, 2, 2]), (5, [2, 2, 1, 1, 1])],
)
def test_the_first_members_get_one_partition_more(
    members: int, sizes: list[int]
) -> None:
    assignment = assign_range({f"c{i}": ["t"] for i in range(members)}, {"t": 7})

    assert [len(partitions) for partitions in assignment.values()] == sizes
    owned = [number for runs in assignment.values() for _, number in runs]
    assert owned == list(range(7))


def test_each_topic_is_assigned_by_itself() -> None:
    assignment = assign_range(
        {"c0": ["t0", "t1"], "c1": ["t0", "t1"]}, {"t0": 3, "t1": 3}
    )

    assert named(assignment) == {
        "c0": ["t0-0", "t0-1", "t1-0", "t1-1"],
        "c1": ["t0-2", "t1-2"],
    }


def test_members_take_their_turn_in_the_order_of_their_ids_as_text() -> None:
    assignment = assign_range({"c1": ["t"], "c2": ["t"], "c10": ["t"]}, {"t": 5})

    assert named(assignment) == {
        "c1": ["t-0", "t-1"],
        "c2": ["t-4"],
        "c10": ["t-2", "t-3"],
    }


def test_static_members_come_first_in_the_order_of_their_instance_ids() -> None:
    assignment = assign_range(
        {"c0": ["t0"], "c1": ["t0"], "a": ["t0"]}, {"t0": 5}, {"c0": "iB", "c1": "iA"}
    )

    assert named(assignment) == {
        "c0": ["t0-2", "t0-3"],
        "c1": ["t0-0", "t0-1"],
        "a": ["t0-4"],
    }


def test_more_members_than_partitions_leave_the_last_ones_idle() -> None:
    assignment = assign_range({"a": ["t"], "b": ["t"], "c": ["t"]}, {"t": 2})

    assert named(assignment) == {"a": ["t-0"], "b": ["t-1"], "c": []}


def test_a_topic_that_is_missing_or_unread_is_skipped() -> None:
    assignment = assign_range({"a": ["gone", "t"]}, {"t": 1, "unread": 4})

    assert named(assignment) == {"a": ["t-0"]}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["case"])
def test_a_captured_group_is_assigned_as_kafka_did(case: dict[str, Any]) -> None:
    assignment = assign_range(case["topics"], case["partitions"], case["instances"])

    expected = {member: sorted(names) for member, names in case["result"].items()}
    assert {
        member: sorted(names) for member, names in named(assignment).items()
    } == expected
