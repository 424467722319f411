"""A rolling restart with each way to rebalance: what follows from the protocols."""

import pytest

from kafkasim.analysis.ownership import ownership, rebalances
from kafkasim.analysis.unread import unread
from kafkasim.errors import ValidationError
from kafkasim.experiments.rolling_restart import (
    PROTOCOLS,
    RESTART_AT_S,
    rolling_restarts,
)
from kafkasim.result.result import Result

MEMBERS, PARTITIONS, DOWN_S = 3, 12, 5.0
BEFORE_S = RESTART_AT_S - 5


@pytest.fixture(scope="module")
def runs() -> dict[str, Result]:
    return rolling_restarts(
        members=MEMBERS, partitions=PARTITIONS, work_ms=1_000, down_s=DOWN_S,
        every_s=30,
    )  # fmt: skip


def test_static_members_rebalance_never_and_wait_for_the_restart(
    runs: dict[str, Result],
) -> None:
    """KIP-345: each of the partitions is unread while its member is down."""
    begun = rebalances(runs["static"])["began_ms"]
    assert (begun < 1e3 * BEFORE_S).all()
    table = unread(runs["static"], from_s=BEFORE_S)
    assert table["partitions"].max() == PARTITIONS // MEMBERS
    assert table.attrs["longest_gap_ms"] == pytest.approx(1e3 * DOWN_S, abs=100)
    owners = ownership(runs["static"]).groupby("partition")["member"].nunique()
    assert owners.tolist() == [1] * PARTITIONS


def test_eager_stops_the_world_and_the_others_do_not(runs: dict[str, Result]) -> None:
    most = {
        name: unread(each, from_s=BEFORE_S)["partitions"].max()
        for name, each in runs.items()
    }
    assert most["eager"] == PARTITIONS
    assert max(most[name] for name in PROTOCOLS if name != "eager") < PARTITIONS


def test_another_protocol_is_refused() -> None:
    with pytest.raises(ValidationError, match="any of eager, cooperative, static"):
        rolling_restarts(["lazy"])
