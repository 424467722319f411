"""Applications that do with commits what they should not, step by step.

A run has no such application: here the test is the application, on one member and its
coordinator with literal times. A way over the network takes 1 ms; times are
milliseconds.
"""

import pytest

from kafkasim.protocol.errors import COORDINATOR_LOAD_IN_PROGRESS
from kafkasim.units import NS_PER_MS as MS
from tests.engine.sim.group_world import GroupWorld

WORK_MS = 100
"""On each record, by whoever does it."""


def reads_from(world: GroupWorld, until: int) -> list[str]:
    """Return where somebody begins to read, as it is told until then."""
    return [what for _, what in world.run(until) if "reads" in what]


def committing_world(work_ms: int) -> GroupWorld:
    """A member that commits automatically every half second, and gets ten records."""
    world = GroupWorld(
        joining={"auto_commit_ms": 500, "session_timeout_ms": 6_000}, work_ms=work_ms
    )
    world.at(0, world.members[0].start)
    world.at(700, lambda: world.append(10))
    return world


def test_automatic_commits_lose_what_is_handed_to_other_threads() -> None:
    """DS-17: a poll commits what the one before returned, done or not."""
    world = committing_world(work_ms=0)  # to hand records over takes no time
    world.run(1_250)
    (row,) = world.rows
    handed_over_ms = row.started_ns // MS
    assert (handed_over_ms, row.from_offset, row.to_offset) == (701, 0, 10)

    done = (1_250 - handed_over_ms) // WORK_MS
    world.at(1_250, world.members[0].crash)
    world.at(1_260, world.members[0].start)

    # It comes back behind all ten; five of them a thread still had to do.
    assert reads_from(world, 20_000) == ["0 reads 0 from 10, generation 2"]
    assert (done, world.committed) == (5, {0: 10})
    assert sum(row.to_offset - row.from_offset for row in world.rows) == 10


def test_automatic_commits_lose_nothing_of_what_is_done_between_polls() -> None:
    """DS-16: the same records and the same crash."""
    world = committing_world(work_ms=WORK_MS)
    world.run(1_250)
    world.at(1_250, world.members[0].crash)
    world.at(1_260, world.members[0].start)

    assert reads_from(world, 20_000) == ["0 reads 0 from 0, generation 2"]
    assert [(r.from_offset, r.crashed) for r in world.rows] == [(0, 1), (0, 0)]


@pytest.mark.parametrize(("again", "from_offset"), [(1, 10), (0, 20)])
def test_a_commit_that_is_sent_again_by_hand_overwrites_a_newer_one(
    again: int, from_offset: int
) -> None:
    """DS-34: the last one wins, not the highest (CO-13, CO-14)."""
    world = GroupWorld(joining={"session_timeout_ms": 6_000})
    member = world.members[0]

    def commit_async(offset: int) -> None:
        member._commits.commit_async({0: offset}, world.calendar.now_ns)

    world.at(0, member.start)
    world.append(30)
    world.run(1_000)
    world.commit_errors = [COORDINATOR_LOAD_IN_PROGRESS]
    world.at(1_000, lambda: commit_async(10))
    world.at(1_001, lambda: commit_async(20))
    if again:
        world.at(1_005, lambda: commit_async(10))  # it has heard of the failure
    world.run(1_100)
    commits = [row for row in sorted(world.requests) if row[1] == "OffsetCommit"]
    errors = ["COORDINATOR_LOAD_IN_PROGRESS", "", *([""] if again else [])]
    assert [row[3] for row in commits] == errors

    world.at(1_100, member.crash)
    world.at(1_200, member.start)
    told = reads_from(world, 20_000)
    assert told == [f"0 reads 0 from {from_offset}, generation 2"]
