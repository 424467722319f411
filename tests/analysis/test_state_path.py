"""The way of a group through its states."""

import pytest

from kafkasim.analysis.state_path import StatePath, Step, state_path
from kafkasim.errors import TableNotRecorded, ValidationError
from kafkasim.testing.builders import small_result
from tests.analysis.test_ownership import member_dies, only_assigned, state


def test_steps_are_changes_of_state_and_times_add_up_to_the_run() -> None:
    path = state_path(member_dies())

    assert [step.at_s for step in path.steps] == [0, 3, 3, 50, 51, 51]
    assert path.steps[3] == Step(50, "Stable", "PreparingRebalance", "session expired")
    assert path.seconds == {
        "Empty": 0, "PreparingRebalance": 4, "CompletingRebalance": 0, "Stable": 56,
    }  # fmt: skip
    assert path.state == "Stable"


def test_a_moment_ends_the_way() -> None:
    path = state_path(member_dies(), at_s=50.5)

    assert path.state == "PreparingRebalance"
    assert len(path.steps) == 4
    assert sum(path.seconds.values()) == 50.5
    assert state_path(member_dies(), at_s=99) == state_path(member_dies())


def test_what_is_told_without_a_change_is_no_step() -> None:
    result = small_result(
        records=[{"intended_ms": 0.0, "created_ms": 0.0}],
        facts={"engine": "by hand", "end_ns": 9_000_000_000},
        group_states=[
            state(1, "Empty", 0, 0, "made"),
            state(2, "Stable", 1, 1, "member joined"),
            state(3, "Stable", 2, 1, "member moved on"),
        ],
    )

    assert state_path(result) == StatePath(
        "billing",
        (Step(2, "Empty", "Stable", "member joined"),),
        {"Empty": 2, "Stable": 7},
        "Stable",
    )


def test_an_unknown_group_and_one_without_coordinator_are_refused() -> None:
    with pytest.raises(ValidationError, match="one of billing"):
        state_path(member_dies(), group="audit")
    with pytest.raises(TableNotRecorded, match="group_states"):
        state_path(only_assigned())
