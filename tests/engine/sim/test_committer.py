"""When a member commits and what it does when that fails: 1 ms each way, 10 ms of work.

The coordinator is broker 2.
"""

import pytest

from kafkasim.engine.sim.poll_settings import (
    AFTER_WORK,
    BEFORE_WORK,
    EACH_POLL,
    MANUAL,
)
from kafkasim.protocol.errors import COORDINATOR_NOT_AVAILABLE, FENCED_INSTANCE_ID
from tests.engine.sim.member_world import MS, World

API = "OffsetCommit"


def world_of(commit: str = "auto", **settings: int) -> World:
    """A member that is given three records at 2 ms."""
    world = World((0,), commit=commit, **settings)  # type: ignore[arg-type]
    world.append(3)
    return world


def begun(world: World) -> list[tuple[int, float]]:
    """The first offset of each row, and when work on it began."""
    return [(row.from_offset, row.started_ns / MS) for row in world.rows]


def test_after_the_work_the_next_poll_waits_for_the_commit() -> None:
    """`commitSync` is answered before the application goes on (CO-12)."""
    world = world_of(AFTER_WORK)
    world.start()
    world.run(10)
    world.append(1)
    world.run(100)
    # The work on three records ends at 32, its commit is answered at 34.
    assert world.commits == [(33.0, {0: 3}), (45.0, {0: 4})]
    assert begun(world) == [(0, 2.0), (3, 34.0)]


def test_before_the_work_the_records_wait_for_the_commit() -> None:
    world = world_of(BEFORE_WORK)
    world.start()
    world.run(100)
    assert world.commits == [(3.0, {0: 3})]
    assert begun(world) == [(0, 4.0)]


def test_records_that_wait_for_a_commit_are_abandoned_by_a_crash() -> None:
    world = world_of(BEFORE_WORK)
    world.start()
    world.run(3)
    world.member.crash()
    (row,) = world.rows
    assert (row.from_offset, row.to_offset, row.crashed) == (0, 3, 1)
    assert row.until_ns == 3 * MS < row.started_ns
    assert world.processed == 0
    assert world.commits == [(3.0, {0: 3})]


def test_each_poll_commits_and_goes_on_at_once() -> None:
    """`commitAsync` waits for nothing."""
    world = world_of(EACH_POLL)
    world.start()
    world.run(10)
    world.append(1)
    world.run(100)
    assert begun(world) == [(0, 2.0), (3, 32.0)]
    assert world.commits == [(33.0, {0: 3}), (43.0, {0: 4})]


def test_every_two_records_their_offsets_are_committed() -> None:
    """CO-9: the offset behind the last one processed."""
    world = world_of(MANUAL, commit_every=2)
    world.start()
    world.run(22)
    world.append(1)
    world.run(100)
    # Two end at 22, the third and the fourth at 34 and 44.
    assert begun(world) == [(0, 2.0), (2, 24.0), (3, 34.0)]
    assert world.commits == [(23.0, {0: 2}), (45.0, {0: 4})]


def test_a_commit_counts_records_of_all_partitions() -> None:
    world = World([0, 0], commit=MANUAL, commit_every=3)
    world.append(2, 0)
    world.append(2, 1)
    world.start()
    world.run(100)
    assert world.commits == [(33.0, {0: 2, 1: 1})]


@pytest.mark.parametrize(("commit", "again"), [(AFTER_WORK, True), (EACH_POLL, False)])
def test_only_a_commit_that_is_waited_for_is_tried_again(
    commit: str,
    again: bool,  # noqa: FBT001
) -> None:
    """CO-12, CO-13: after `retry.backoff.ms`, with jitter; `commitAsync` never."""
    world = world_of(commit)
    world.commit_errors = [COORDINATOR_NOT_AVAILABLE]
    world.start()
    world.run(300)
    sent = [at for _, at in world.sent(API)]
    assert sent[0] == 32.0
    if again:
        assert len(sent) == 2
        assert 34 + 80 <= sent[1] <= 34 + 120
        assert [offsets for _, offsets in world.commits] == [{0: 3}]
    else:
        assert len(sent) == 1
        assert world.commits == []


def test_what_may_not_be_retried_is_not() -> None:
    world = world_of(AFTER_WORK)
    world.commit_errors = [FENCED_INSTANCE_ID]
    world.start()
    world.run(10)
    world.append(1)
    world.run(300)
    assert [at for _, at in world.sent(API)] == [32.0, 44.0]


def test_the_application_waits_no_longer_than_default_api_timeout() -> None:
    """Then `commitSync` throws a TimeoutException, and the application goes on."""
    world = world_of(AFTER_WORK, api_timeout_ns=200 * MS)
    world.brokers[1].pause()
    world.start()
    world.run(10)
    world.append(1)
    world.run(400)
    assert begun(world) == [(0, 2.0), (3, 232.0)]


def test_a_commit_before_the_work_that_throws_is_made_again() -> None:
    """What was polled waits for that: a TimeoutException is no commit."""
    world = world_of(BEFORE_WORK, api_timeout_ns=200 * MS)
    world.start()
    world.run(1.5)
    world.brokers[1].crash()
    world.run(1_000)
    assert world.rows == []
    world.brokers[1].come_back()
    world.run(3_000)
    assert [offsets for _, offsets in world.commits] == [{0: 3}]
    (row,) = world.rows
    assert (row.from_offset, row.to_offset, row.crashed) == (0, 3, 0)
    assert row.started_ns / MS > world.commits[0][0]


def test_a_sync_commit_waits_for_a_coordinator_that_comes_back() -> None:
    world = world_of(AFTER_WORK)
    world.start()
    world.run(20)
    world.brokers[1].crash()
    world.run(1_000)
    assert world.commits == []
    world.brokers[1].come_back()
    world.run(3_000)
    assert [offsets for _, offsets in world.commits] == [{0: 3}]


def test_an_automatic_commit_that_failed_is_due_again_after_the_backoff() -> None:
    """CO-11: `nextAutoCommitTimer.updateAndReset(retryBackoffMs)`, in the next poll."""
    world = world_of(auto_commit_ns=500 * MS)
    world.commit_errors = [COORDINATOR_NOT_AVAILABLE]
    world.start()
    world.run(1_000)
    # Sent in a poll that waits, at 500; it hears of the failure at 502.
    assert world.sent(API) == [(1, 500.0), (1, 602.0)]
    assert world.commits == [(603.0, {0: 3})]


def test_a_member_that_works_hears_of_a_failed_commit_in_its_next_poll() -> None:
    world = world_of(auto_commit_ns=5 * MS, max_poll_records=1)
    world.commit_errors = [COORDINATOR_NOT_AVAILABLE]
    world.start()
    world.run(140)
    # Polls at 12, 22 and 32; the commit of the first fails at 14.
    assert world.sent(API)[:2] == [(1, 12.0), (1, 122.0)]


def test_an_automatic_commit_without_a_coordinator_is_tried_again() -> None:
    world = world_of(auto_commit_ns=50 * MS)
    world.start()
    world.run(40)
    world.brokers[1].crash()
    world.run(85)
    assert world.sent(API) == []
    world.run(200)
    assert world.commits == []
    world.brokers[1].come_back()
    world.run(2_000)
    assert world.commits[0][1] == {0: 3}


def test_a_position_that_is_not_known_to_hold_is_not_committed() -> None:
    """`SubscriptionState.allConsumed`: those that are valid."""
    world = World([0, 0], auto_commit_ns=30 * MS)
    world.append(1, 0)
    world.append(1, 1)
    world.start()
    world.run(29)
    world.move(1, epoch=1)
    world.member._metadata.take_hints({0: (1, 1)})
    world.run(40)
    # Asked at 29 and answered at 31; the commit is sent at 30.
    assert world.commits == [(31.0, {1: 1})]


def test_the_last_commit_stays_even_when_it_is_the_lower() -> None:
    """CO-14: nobody looks whether offsets rise."""
    world = world_of(AFTER_WORK)
    world.start()
    world.run(50)
    world.member.crash()
    world.start()
    world.run(54)
    world.member._committer.commit_async({0: 1}, world.calendar.now_ns)
    world.run(60)
    assert [offsets for _, offsets in world.commits] == [{0: 3}, {0: 1}]
