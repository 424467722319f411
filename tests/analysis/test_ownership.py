"""Who owned which partition, the gaps between, and what each rebalance cost."""

from typing import Any

import numpy as np
import pytest

from kafkasim.analysis.ownership import ownership, rebalances
from kafkasim.errors import TableNotRecorded
from kafkasim.result.result import Fact, Result
from kafkasim.testing.builders import Row, small_result

FACTS: dict[str, Fact] = {"engine": "by hand", "end_ns": 60_000_000_000}


def owned(
    partition: int, member: str, since_s: float, until_s: float | None, epoch: int = 1
) -> Row:
    return {
        "group": "billing",
        "epoch": epoch,
        "member": member,
        "topic": "orders",
        "partition": partition,
        "since_ms": 1_000 * since_s,
        "until_ms": None if until_s is None else 1_000 * until_s,
        "start_offset": 0,
    }


def state(at_s: float, name: str, epoch: int, members: int, cause: str) -> Row:
    return {
        "group": "billing",
        "state": name,
        "epoch": epoch,
        "members": members,
        "at_ms": 1_000 * at_s,
        "cause": cause,
    }


def member_dies() -> Result:
    """Return a run by hand: of two members one dies at 5 s, and is missed at 50 s."""
    return small_result(
        records=[{"intended_ms": 0.0, "created_ms": 0.0}],
        facts=FACTS,
        assignments=[
            owned(1, "billing/2", 3, 5),
            owned(0, "billing/1", 3, 50, epoch=1),
            owned(0, "billing/1", 51, None, epoch=2),
            owned(1, "billing/1", 51, None, epoch=2),
        ],
        group_states=[
            state(0, "PreparingRebalance", 0, 1, "member joined"),
            state(3, "CompletingRebalance", 1, 2, "all joined"),
            state(3, "Stable", 1, 2, "assignment came"),
            state(50, "PreparingRebalance", 1, 1, "session expired"),
            state(51, "CompletingRebalance", 2, 1, "all joined"),
            state(51, "Stable", 2, 1, "assignment came"),
        ],
    )


def only_assigned() -> Result:
    """Return a run whose group had no coordinator."""
    return small_result(
        records=[{"intended_ms": 0.0, "created_ms": 0.0}],
        facts=FACTS,
        assignments=[owned(0, "billing/1", 0, None)],
    )


def test_a_gap_lasts_from_one_owner_to_the_next() -> None:
    table = ownership(member_dies())

    assert table["partition"].tolist() == [0, 0, 1, 1]
    assert table["member"].tolist() == ["billing/1"] * 2 + ["billing/2", "billing/1"]
    np.testing.assert_equal(table["gap_ms"].tolist(), [1_000, np.nan, 46_000, np.nan])
    np.testing.assert_equal(table["until_ms"].tolist(), [50_000, np.nan, 5_000, np.nan])


def test_a_rebalance_lasts_until_the_group_is_stable_and_pays_for_its_gaps() -> None:
    first, second = rebalances(member_dies()).to_dict("records")

    assert first == {
        "group": "billing", "cause": "member joined", "began_ms": 0.0,
        "ended_ms": 3_000.0, "epoch": 1, "members": 2,
        "moved": 0, "gap_ms": 0.0, "gap_partition_s": 0.0,
    }  # fmt: skip
    assert second == {
        "group": "billing", "cause": "session expired", "began_ms": 50_000.0,
        "ended_ms": 51_000.0, "epoch": 2, "members": 1,
        "moved": 1, "gap_ms": 46_000.0, "gap_partition_s": 47.0,
    }  # fmt: skip


def test_one_that_the_end_of_the_run_cuts_has_no_end() -> None:
    result = small_result(
        records=[{"intended_ms": 0.0, "created_ms": 0.0}],
        facts=FACTS,
        assignments=[],
        group_states=[state(1, "Assigning", 1, 1, "member joined")],
    )

    (only,) = rebalances(result).to_dict("records")

    assert only["began_ms"] == 1_000
    assert np.isnan(only["ended_ms"])


def test_a_group_at_rest_from_beginning_to_end_has_none() -> None:
    result = small_result(
        records=[{"intended_ms": 0.0, "created_ms": 0.0}],
        facts=FACTS,
        assignments=[owned(0, "billing/1", 0, None)],
        group_states=[state(0, "Stable", 1, 1, "as the run begins")],
    )

    assert rebalances(result).empty


@pytest.mark.parametrize("missing", ["group_states"])
def test_groups_without_a_coordinator_have_no_rebalances(missing: str) -> None:
    tables: dict[str, Any] = {"assignments": [owned(0, "billing/1", 0, None)]}
    result = small_result(
        records=[{"intended_ms": 0.0, "created_ms": 0.0}], facts=FACTS, **tables
    )

    with pytest.raises(TableNotRecorded, match=missing):
        rebalances(result)
