"""When offsets and groups go: by time, by deletion (OF-4, OF-5)."""

from kafkasim.protocol.groups.coordinator_records import (
    OffsetRecord,
)
from kafkasim.protocol.groups.group_messages import (
    CommittedOffset,
    Heartbeat,
    JoinGroup,
    LeaveGroup,
    OffsetCommit,
)
from tests.protocol.groups.coordinator.sharded import (
    DAY_MS,
    RANGE,
    Sharded,
    beat,
    joined,
    kinds,
    name,
)

WEEK_MS = 7 * DAY_MS
CHECK_MS = 600_000


# Expiry


def test_offsets_without_members_live_a_week_from_the_commit() -> None:
    sharded = Sharded()
    sharded.commit("g", 7)
    committed_ms = sharded.now_ms
    sharded.wait(DAY_MS)
    sharded.commit("g", 8, partition=1)
    sharded.wait(committed_ms + WEEK_MS + CHECK_MS - sharded.now_ms)
    assert [sharded.committed("g", each) for each in (0, 1)] == [-1, 8]
    assert kinds(sharded, 1) == ["Offset gone"]
    sharded.wait(DAY_MS)
    assert kinds(sharded, 2) == ["Offset gone", "ClassicGroup gone"]
    assert sharded.shard.groups == ()


def test_it_looks_for_them_every_ten_minutes() -> None:
    sharded = Sharded()
    assert sharded.shard.next_deadline_ms == 1_000 + CHECK_MS
    sharded.wait(CHECK_MS)
    assert sharded.shard.next_deadline_ms == 1_000 + 2 * CHECK_MS
    sharded.commit("g", 7)
    sharded.wait(WEEK_MS - 1)
    assert sharded.committed("g") == 7
    sharded.wait(1)
    assert sharded.committed("g") == -1


def test_offsets_of_a_group_live_a_week_from_when_it_lost_its_last_member() -> None:
    sharded = Sharded()
    member, generation = joined(sharded, session_timeout_ms=1_800_000)
    sharded.commit("g", 7, generation=generation, member_id=member)
    beats = Heartbeat(group="g", generation=generation, member_id=member)
    for _ in range(10 * 48):
        sharded.wait(1_799_000).tell(beats)
    assert sharded.committed("g") == 7
    sharded.tell(LeaveGroup(group="g", member_id=member))
    left_ms = sharded.now_ms
    sharded.wait(WEEK_MS - 1)
    assert sharded.committed("g") == 7
    sharded.wait(1 + CHECK_MS)
    assert sharded.committed("g") == -1
    assert not sharded.shard.classic.has("g")
    assert sharded.now_ms < left_ms + WEEK_MS + 2 * CHECK_MS
    assert sharded.changes[-1].state == "Dead"


def test_in_a_group_at_work_only_topics_that_nobody_reads_expire() -> None:
    sharded = Sharded()
    _, epoch = beat(sharded, "m1", 0)
    offsets = tuple(
        CommittedOffset(topic=topic, partition=0, offset=5)
        for topic in ("orders", "other")
    )
    sharded.ask(
        OffsetCommit(group="g", generation=epoch, member_id="m1", offsets=offsets)
    )
    sharded.take(sharded.shard._expire("g", sharded.now_ms + WEEK_MS))
    assert [at for at, _ in sharded.shard.offsets.offsets("g").items()] == [
        ("orders", 0)
    ]
    assert sharded.shard.consumer.has("g")


def test_nothing_expires_while_a_classic_group_rebalances() -> None:
    sharded = Sharded()
    sharded.commit("g", 7)
    member, generation = joined(sharded)
    sharded.tell(JoinGroup(group="g", member_id="", protocols=RANGE))
    newcomer = sharded.ask(JoinGroup(group="g", protocols=RANGE)).member_id
    sharded.tell(JoinGroup(group="g", member_id=newcomer, protocols=RANGE))
    beaten = sharded.ask(Heartbeat(group="g", generation=generation, member_id=member))
    assert name(beaten.error) == "REBALANCE_IN_PROGRESS"
    other = CommittedOffset(topic="other", partition=0, offset=5)
    sharded.tell(
        OffsetCommit(
            group="g", generation=generation, member_id=member, offsets=(other,)
        )
    )
    sharded.take(sharded.shard._expire("g", 10 * WEEK_MS))
    assert len(sharded.shard.offsets.offsets("g")) == 2


def test_a_group_without_members_and_offsets_goes_at_the_next_look() -> None:
    sharded = Sharded()
    member, _ = joined(sharded)
    sharded.tell(LeaveGroup(group="g", member_id=member))
    sharded.wait(CHECK_MS)
    assert sharded.shard.groups == ()
    assert kinds(sharded, 1) == ["ClassicGroup gone"]


# Deletion


def test_offsets_are_deleted_of_topics_that_nobody_reads() -> None:
    sharded = Sharded()
    beat(sharded, "m1", 0)
    sharded.shard.replay(OffsetRecord("g", "orders", 0, 7), 0)
    sharded.shard.replay(OffsetRecord("g", "other", 0, 8), 0)
    partitions = [("orders", 0), ("other", 0), ("other", 1)]
    sharded.take(sharded.shard.delete_offsets("g", partitions))
    assert list(sharded.shard.offsets.offsets("g")) == [("orders", 0)]
    sharded.take(sharded.shard.topics_deleted(["orders"]))
    assert sharded.shard.offsets.groups == ()
