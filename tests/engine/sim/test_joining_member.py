"""Members that join their group: when they own what, what they read and commit.

The coordinator of `group_world` is that of the classic protocol; a way over the network
takes 1 ms, work on a record 10 ms.
"""

from functools import partial

import pytest

from kafkasim.engine.sim.poll_settings import (
    AFTER_WORK,
    BEFORE_WORK,
    EACH_POLL,
    MANUAL,
)
from tests.engine.sim.group_world import GroupWorld
from tests.engine.sim.member_world import MS


def started(world: GroupWorld, *numbers: int, at: float = 0.0) -> GroupWorld:
    """Let these members begin then."""
    for number in numbers:
        world.at(at, world.members[number].start)
    return world


def whole(told: list[tuple[float, str]]) -> list[tuple[int, str]]:
    """Return what was told, times in whole milliseconds."""
    return [(round(at), text) for at, text in told]


def test_three_members_own_all_after_the_initial_delay_and_read_every_record_once() -> (
    None
):
    # GR-1, GR-2, CO-1: 3 s, and 3 s more since others came.
    world = started(GroupWorld(3, 6, delay_ms=3_000), 0, 1, 2)
    for index in range(6):
        world.append(10, index)

    told = whole(world.run(10_000))

    assert told == [
        (6_012, f"{member} reads {index} from 0, generation 1")
        for member, index in ((0, 0), (0, 1), (1, 2), (1, 3), (2, 4), (2, 5))
    ]
    read = sorted((r.partition, r.from_offset, r.to_offset) for r in world.rows)
    assert read == [(index, 0, 10) for index in range(6)]


def test_one_that_joins_makes_all_give_up_what_they_have_at_their_next_heartbeat() -> (
    None
):
    # GR-7, GR-12, CO-10: the commit comes first, and nothing is read twice.
    world = GroupWorld(2, 2, joining={"auto_commit_ms": 60_000})
    started(started(world, 0), 1, at=2_000)
    for index in range(2):
        world.append(10, index)
    world.run(1_000)

    told = whole(world.run(10_000))

    assert told == [
        (3_010, "0 revoked 0"),
        (3_010, "0 revoked 1"),
        (3_016, "0 reads 0 from 10, generation 2"),
        (3_016, "1 reads 1 from 10, generation 2"),
    ]
    assert world.committed == {0: 10, 1: 10}


def test_one_that_closes_leaves_at_once_and_its_partitions_wait_for_a_heartbeat() -> (
    None
):
    # GR-9
    world = started(GroupWorld(2, 2, delay_ms=3_000), 0, 1)
    world.committed = {0: 0, 1: 0}
    world.run(7_000)
    world.at(7_000, world.members[1].close)

    told = whole(world.run(12_000))

    assert told == [
        (7_000, "1 revoked 1"),
        (7_002, "1 closed"),
        (9_008, "0 revoked 0"),
        (9_014, "0 reads 0 from 0, generation 2"),
        (9_014, "0 reads 1 from 0, generation 2"),
    ]
    assert len(world.sent("LeaveGroup")) == 1


def test_one_that_crashes_is_missed_when_its_session_is_over() -> None:
    # GR-9: last heard of at 6 s, the session 7 s, the next heartbeat at 15 s.
    world = GroupWorld(2, 2, delay_ms=3_000, joining={"session_timeout_ms": 7_000})
    started(world, 0, 1)
    world.committed = {0: 0, 1: 0}
    world.run(7_000)
    world.at(7_000, world.members[1].crash)

    told = whole(world.run(20_000))

    assert told == [
        (7_000, "1 crashed 1"),
        (15_008, "0 revoked 0"),
        (15_014, "0 reads 0 from 0, generation 2"),
        (15_014, "0 reads 1 from 0, generation 2"),
    ]


def test_work_that_takes_too_long_makes_a_member_leave_while_its_heart_beats() -> None:
    # GR-8, DS-19: 5 s of work, 4 s between polls; its commit fails, it has lost all
    # when it polls, and reads the same records again.
    world = GroupWorld(
        2,
        2,
        delay_ms=3_000,
        joining={"max_poll_interval_ms": 4_000},
        commit=AFTER_WORK,
    )
    started(world, 0, 1)
    world.committed = {0: 0, 1: 0}
    world.run(7_000)
    world.append(500, 0)

    told = whole(world.run(17_000))

    assert world.sent("LeaveGroup") == [11_001]
    assert told == [
        (12_001, "0 lost 0"),
        (13_008, "1 revoked 1"),
        (13_014, "0 reads 0 from 0, generation 2"),
        (13_014, "1 reads 1 from 0, generation 2"),
    ]
    assert world.committed[0] == 0
    assert world.sent("OffsetCommit") == []
    world.run(18_500)
    read = [(r.member, r.from_offset, r.to_offset) for r in world.rows]
    assert read == [(0, 0, 500), (0, 0, 500)]


@pytest.mark.parametrize(
    ("commit", "every", "offset"),
    [(AFTER_WORK, 0, 10), (BEFORE_WORK, 0, 10), (EACH_POLL, 0, 10), (MANUAL, 4, 8)],
)
def test_every_way_to_commit_is_one_of_a_member(
    commit: str, every: int, offset: int
) -> None:
    world = started(GroupWorld(commit=commit, commit_every=every), 0)
    world.append(10)
    world.run(1_000)

    assert world.committed == {0: offset}


def test_what_a_commit_was_to_precede_is_kept_through_a_rebalance() -> None:
    # CO-12: a commit throws while it joins, and until the second rebalance is over; it
    # polls for 100 ms and commits again. What it drops of 1 is read by the other one.
    world = GroupWorld(
        2,
        2,
        commit=BEFORE_WORK,
        joining={"assignors": ("cooperative-sticky",)},
        min_bytes=150,  # so one fetch brings both batches
    )
    started(started(world, 0), 1, at=2_000)
    for partition in (0, 1):
        world.at(3_010.5, partial(world.append, 3, partition))

    told = whole(world.run(6_110))

    assert (3_012, "0 revoked 1") in told
    assert [(r.partition, r.crashed) for r in world.rows] == [(1, 1)]
    assert world.committed == {}
    world.run(8_000)
    assert world.committed == {0: 3, 1: 3}
    read = [(r.member, r.partition, r.from_offset, r.crashed) for r in world.rows]
    assert read == [(0, 1, 0, 1), (0, 0, 0, 0), (1, 1, 0, 0)]
    fetched, begun = (int(at) // 1_000_000 for at in world.rows[1][5:7])
    assert (fetched, begun) == (3_011, 6_113)


def test_who_was_expelled_drops_what_its_commit_was_to_precede() -> None:
    # CO-12, GR-13: the records are read again, by who owns them then.
    world = started(
        GroupWorld(commit=BEFORE_WORK, joining={"session_timeout_ms": 7_000}), 0
    )
    world.run(1_000)
    member = world.members[0]
    world.at(1_000, lambda: member.pause(20_000_000_000))
    world.at(1_200, lambda: world.append(3))
    world.at(20_000, member.resume)

    told = whole(world.run(30_000))

    assert told[0][1] == "0 lost 0"
    assert [(r.from_offset, r.crashed) for r in world.rows] == [(0, 1), (0, 0)]
    assert world.committed == {0: 3}


def test_a_commit_without_an_answer_before_the_work_is_made_again() -> None:
    # CO-12: a TimeoutException after `default.api.timeout.ms`; nothing is passed over.
    world = started(GroupWorld(commit=BEFORE_WORK, api_timeout_ns=2_000_000_000), 0)
    world.run(1_000)
    world.at(1_000, world.brokers[1].crash)
    world.at(1_500, lambda: world.append(3))
    world.at(5_000, lambda: setattr(world, "coordinator", 2))

    world.run(4_999)
    assert world.rows == []
    world.run(8_000)
    assert [(r.from_offset, r.crashed) for r in world.rows] == [(0, 0)]
    assert world.committed == {0: 3}


def test_an_application_that_counts_commits_the_rest_when_partitions_are_taken() -> (
    None
):
    # GR-13
    world = GroupWorld(2, 2, commit=MANUAL, commit_every=8)
    started(started(world, 0), 1, at=2_000)
    world.append(10)
    world.run(1_000)
    assert world.committed == {0: 8}

    told = whole(world.run(10_000))

    assert world.committed == {0: 10}
    assert (3_010, "0 revoked 0") in told
    assert (3_016, "0 reads 0 from 10, generation 2") in told


def test_a_coordinator_that_moves_is_found_by_who_asks_it() -> None:
    world = started(GroupWorld(joining={"auto_commit_ms": 5_000}), 0)
    world.append(10)
    world.run(4_000)
    world.coordinator = 2

    assert world.run(20_000) == []
    assert world.committed == {0: 10}
    rows = [row for row in sorted(world.requests) if row[1] == "OffsetCommit"]
    assert [(row[2], row[3]) for row in rows[:2]] == [(1, "NOT_COORDINATOR"), (2, "")]


def test_a_member_whose_coordinator_dies_reads_on_and_keeps_what_it_owns() -> None:
    world = started(GroupWorld(joining={"auto_commit_ms": 5_000}), 0)
    world.run(4_000)
    world.at(4_000, world.brokers[1].crash)
    world.run(4_500)
    world.coordinator = 2
    world.append(10)

    assert world.run(20_000) == []
    assert [(row.from_offset, row.to_offset) for row in world.rows] == [(0, 10)]
    assert world.committed == {0: 10}


def test_a_process_that_stands_still_beats_no_more_and_loses_what_it_had() -> None:
    # DS-20
    world = GroupWorld(2, 2, delay_ms=3_000, joining={"session_timeout_ms": 7_000})
    started(world, 0, 1)
    world.committed = {0: 0, 1: 0}
    world.run(7_000)
    pauses = world.members[0]
    world.at(7_000, lambda: pauses.pause(20_000_000_000))
    world.at(20_000, pauses.resume)

    told = whole(world.run(40_000))

    assert told[:3] == [
        (15_008, "1 revoked 1"),
        (15_014, "1 reads 0 from 0, generation 2"),
        (15_014, "1 reads 1 from 0, generation 2"),
    ]
    assert [text for _, text in told if text.startswith("0 lost")] == ["0 lost 0"]
    assert len(pauses.owned) == len(world.members[1].owned) == 1


def test_what_has_been_fetched_is_not_handed_out_while_that_commit_is_under_way() -> (
    None
):
    # CO-10: a record comes between the commit and its answer; it is read once.
    world = GroupWorld(2, 2, joining={"auto_commit_ms": 60_000})
    started(started(world, 0), 1, at=2_000)
    world.append(10)
    world.run(1_000)
    world.at(3_007.5, lambda: world.append(1))

    world.run(5_000)

    read = [(r.from_offset, r.to_offset) for r in world.rows]
    assert read == [(0, 10), (10, 11)]
    assert world.rows[1].started_ns > 3_016_000_000


def test_a_static_member_comes_back_to_what_it_had_and_nobody_joins_anew() -> None:
    # GR-14, DS-44
    world = GroupWorld(2, 2, delay_ms=3_000, instances=("one", "two"))
    world.committed = {0: 0, 1: 0}
    started(world, 0, 1)
    world.run(7_000)
    world.at(7_000, world.members[1].crash)
    world.at(9_500, world.members[1].start)

    told = whole(world.run(60_000))

    assert told == [
        (7_000, "1 crashed 1"),
        (9_508, "1 reads 1 from 0, generation 1"),
    ]


def test_of_two_with_one_instance_id_the_older_one_ends_with_an_exception() -> None:
    # GR-14
    world = GroupWorld(2, 1, instances=("one", "one"))
    started(started(world, 0), 1, at=1_000)

    told = whole(world.run(5_000))

    assert told == [
        (10, "0 reads 0 from 0, generation 1"),
        (1_010, "1 reads 0 from 0, generation 1"),  # both do, until a heartbeat
        (3_006, "0 crashed 0"),
        (3_006, "0 threw"),
    ]


def test_without_a_coordinator_a_poll_returns_what_it_has_when_its_time_is_over() -> (
    None
):
    # `ConsumerCoordinator.poll` blocks, `pollForFetches` does not.
    world = started(GroupWorld(), 0)
    world.run(1_000)
    world.at(1_000, world.brokers[1].crash)
    world.run(3_000)
    world.append(10)
    world.run(5_000)

    (row,) = world.rows
    fetched, begun = row.fetched_ns // 1_000_000, row.started_ns // 1_000_000
    assert fetched == 3_001
    assert 0 < begun - fetched <= 100


def asked(world: GroupWorld, *apis: str) -> list[tuple[int, str]]:
    """Return when these requests were sent."""
    return [(round(at), api) for at, api, _, _ in sorted(world.requests) if api in apis]


def begun(partitions: int, **named: dict[int, int]) -> list[tuple[int, str]]:
    """Let one begin at offset 3 of some partitions; return what it asks leaders."""
    world = started(GroupWorld(1, partitions, retry_backoff_ns=50 * MS), 0)
    world.committed = dict.fromkeys(range(partitions), 3)
    world.epochs = named["epochs"]
    for index in range(partitions):
        world.append(3, index)
    world.run(2_000)
    told = asked(world, "OffsetFetch", "OffsetForLeaderEpoch", "Fetch")
    return told[: 2 + (len(named["epochs"]) < partitions) + 1]


def test_a_position_from_a_commit_is_validated_by_the_next_round_of_its_poll() -> None:
    # `updateFetchPositions` validates first; with nothing to fetch, `pollForFetches`
    # then waits for retry.backoff.ms.
    (found, _), *then = begun(2, epochs={0: 0, 1: 0})

    assert then == [(found + 52, "OffsetForLeaderEpoch"), (found + 54, "Fetch")]


def test_a_fetch_of_something_else_ends_the_round_at_once() -> None:
    (found, _), *then = begun(2, epochs={0: 0})

    assert then[:2] == [(found + 2, "Fetch"), (found + 2, "OffsetForLeaderEpoch")]
