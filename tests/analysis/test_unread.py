"""How many partitions nobody reads."""

import pytest

from kafkasim.analysis.ownership import ownership
from kafkasim.analysis.unread import unread
from kafkasim.errors import ValidationError
from kafkasim.testing.builders import small_result
from tests.analysis.test_ownership import FACTS, member_dies, owned


def test_partitions_are_unread_between_two_owners() -> None:
    table = unread(member_dies())

    assert table["at_ms"].tolist() == [0, 5_000, 50_000, 51_000]
    assert table["partitions"].tolist() == [0, 1, 2, 0]
    assert table.attrs["longest_gap_ms"] == 46_000
    assert table.attrs["gap_partition_s"] == 47
    assert (table.attrs["group"], table.attrs["partitions"]) == ("billing", 2)
    gaps_ms = ownership(member_dies())["gap_ms"].sum()
    assert table.attrs["gap_partition_s"] == gaps_ms / 1_000


def test_what_is_before_is_left_out() -> None:
    table = unread(member_dies(), from_s=20)

    assert table["at_ms"].tolist() == [20_000, 50_000, 51_000]
    assert table["partitions"].tolist() == [1, 2, 0]
    assert table.attrs["longest_gap_ms"] == 31_000


def test_one_that_nobody_takes_over_is_unread_to_the_end() -> None:
    result = small_result(
        records=[{"intended_ms": 0.0, "created_ms": 0.0}],
        facts=FACTS,
        assignments=[
            owned(0, "billing/1", 3, 10),
            owned(1, "billing/1", 3, None),
            {**owned(0, "audit/1", 3, 5), "group": "audit"},
        ],
    )

    table = unread(result, group="billing")
    assert table.attrs["longest_gap_ms"] == 50_000
    assert table["partitions"].tolist() == [0, 1, 0]
    assert unread(result, group="audit").attrs["gap_partition_s"] == 55


def test_a_group_that_is_not_there_is_refused() -> None:
    with pytest.raises(ValidationError, match="one of billing"):
        unread(member_dies(), group="audit")
