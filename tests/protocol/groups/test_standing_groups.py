"""What is on record of a group that is stable, and what a coordinator makes of it."""

import pytest

from kafkasim.protocol.errors import NONE
from kafkasim.protocol.groups.coordinator.classic_group import State
from kafkasim.protocol.groups.coordinator.consumer_group import GroupState
from kafkasim.protocol.groups.coordinator.consumer_target import broker_assignors
from kafkasim.protocol.groups.coordinator_bytes import decode, encode
from kafkasim.protocol.groups.coordinator_records import Record
from kafkasim.protocol.groups.group_messages import (
    Answer,
    Beaten,
    ConsumerGroupBeaten,
    ConsumerGroupHeartbeat,
    Heartbeat,
    JoinGroup,
    OffsetFetch,
    OffsetsFetched,
    Subscription,
)
from kafkasim.protocol.groups.standing_groups import (
    classic_record,
    consumer_records,
    offset_records,
    owned_in,
)
from kafkasim.protocol.topic_ids import TopicIds, made_id
from tests.protocol.groups.coordinator.sharded import Sharded

NOW_MS = 1_000_000
IDS = TopicIds({"orders": made_id("orders")})
OWNED = {"a-1": (("orders", 0), ("orders", 1)), "b-2": (("orders", 2),)}


def loaded(*records: Record) -> Sharded:
    """Return a coordinator that has loaded these, from their bytes."""
    sharded = Sharded()
    pairs = [encode(record, IDS) for record in records]
    sharded.shard.load((decode(*pair, IDS) for pair in pairs), NOW_MS)
    return sharded


def classic() -> Sharded:
    """Return the coordinator of two members that range has assigned."""
    says = Subscription(("orders",))
    joins = {
        member_id: JoinGroup(
            group="g", client_id=member_id[0], protocols=(("range", says),)
        )
        for member_id in OWNED
    }
    return loaded(classic_record(joins, "range", OWNED, NOW_MS))


def test_a_classic_group_is_stable_and_led_by_the_first() -> None:
    group = classic().shard.classic.groups["g"]
    assert group.state == State.STABLE
    assert (group.generation, group.leader) == (1, "a-1")
    assert group.subscribed == ("orders",)
    assert {name: each.assigned for name, each in group.members.items()} == OWNED


def test_its_members_beat_and_sessions_run_from_when_it_was_loaded() -> None:
    shard = classic().shard
    assert shard.next_deadline_ms == NOW_MS + 45_000
    beat = Heartbeat(group="g", generation=1, member_id="b-2")
    [told] = shard.handle(beat, NOW_MS + 3_000)
    assert isinstance(told, Answer)
    assert told.response == Beaten(error=NONE)


def heartbeats() -> list[ConsumerGroupHeartbeat]:
    """Return what two members say when they join."""
    return [
        ConsumerGroupHeartbeat(
            group="g", member_id=member_id, member_epoch=0, client_id=member_id,
            rebalance_timeout_ms=300_000, topics=("orders",), owned=(),
        )
        for member_id in ("a", "b")
    ]  # fmt: skip


def three(_topic: str) -> int:
    return 3


def test_a_group_of_the_consumer_protocol_is_stable_and_stays_so() -> None:
    records = consumer_records(heartbeats(), broker_assignors(), three, NOW_MS)
    owned = owned_in(records)
    assert sorted(at for each in owned.values() for at in each) == [
        ("orders", 0), ("orders", 1), ("orders", 2),
    ]  # fmt: skip
    sharded = loaded(*records)
    group = sharded.shard.consumer.group("g")
    assert group.state is GroupState.STABLE
    assert (group.epoch, group.target_epoch) == (1, 1)
    assert group.target_at_ms == NOW_MS
    for each in ("a", "b"):
        assert set(group.members[each].assigned) == set(owned[each])
        assert group.members[each].epoch == 1


@pytest.mark.parametrize("partitions", [3, 4])
def test_its_topics_are_looked_at_with_the_first_heartbeat(partitions: int) -> None:
    records = consumer_records(
        heartbeats(), broker_assignors(), lambda _: partitions, NOW_MS
    )
    shard = loaded(*records).shard
    beat = ConsumerGroupHeartbeat(
        group="g", member_id="a", member_epoch=1, client_id="a"
    )
    effects = shard.handle(beat, NOW_MS + 5_000)
    if partitions == 3:
        [told] = effects
        assert isinstance(told, Answer)
        assert isinstance(told.response, ConsumerGroupBeaten)
        assert (told.response.member_epoch, told.response.assigned) == (1, None)
    else:
        assert shard.consumer.group("g").epoch == 2


def test_where_it_has_begun_is_found() -> None:
    at = {("orders", 0): 0, ("orders", 2): 7}
    shard = loaded(*offset_records("g", at, IDS, NOW_MS)).shard
    fetch = OffsetFetch(group="g", partitions=(("orders", 0), ("orders", 2)))
    [told] = shard.handle(fetch, NOW_MS)
    assert isinstance(told, Answer)
    assert isinstance(told.response, OffsetsFetched)
    assert [each.offset for each in told.response.offsets] == [0, 7]
