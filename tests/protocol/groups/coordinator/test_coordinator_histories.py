"""After any history the log alone tells all (OF-7), compacted or not.

Members of both protocols, commits, deletions, expiry, writes that fail; now and then
the cleaner compacts the log, which holds Kafka's bytes. Another broker that reads it
must know what this one knows.
"""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from kafkasim.protocol.errors import NOT_ENOUGH_REPLICAS
from kafkasim.protocol.groups.coordinator_records import (
    ClassicGroupRecord,
    OffsetRecord,
)
from kafkasim.protocol.groups.group_messages import (
    CommittedOffset,
    ConsumerGroupBeaten,
    ConsumerGroupHeartbeat,
    Heartbeat,
    Joined,
    JoinGroup,
    LeaveGroup,
    OffsetCommit,
    Subscription,
    SyncGroup,
)
from tests.protocol.groups.coordinator.sharded import (
    DAY_MS,
    TOPICS,
    Sharded,
    durable,
    settled,
)

GROUPS = st.sampled_from(["g", "h"])
PROTOCOLS = (("range", Subscription(("orders",))),)
PARTITIONS = [
    (topic, each) for topic, number in TOPICS.items() for each in range(number)
]
OFFSETS = st.lists(
    st.builds(
        lambda at, offset: CommittedOffset(topic=at[0], partition=at[1], offset=offset),
        st.sampled_from(PARTITIONS),
        st.integers(0, 9),
    ),
    max_size=3,
).map(tuple)


class Histories(RuleBasedStateMachine):
    """What members and time do to a coordinator."""

    @initialize()
    def begin(self) -> None:
        self.sharded = Sharded()
        self.classic: dict[str, list[str]] = {"g": [], "h": []}
        """Member ids given out."""
        self.modern: dict[tuple[str, str], tuple[int, tuple[tuple[str, int], ...]]] = {}
        """Epoch, and what it owns, by group and member id."""

    # Offsets

    @rule(group=GROUPS, offsets=OFFSETS)
    def commit_from_outside(
        self, group: str, offsets: tuple[CommittedOffset, ...]
    ) -> None:
        self.sharded.tell(OffsetCommit(group=group, offsets=offsets))

    @rule(group=GROUPS, offsets=OFFSETS, number=st.integers(0, 3))
    def commit_as_a_member(
        self, group: str, offsets: tuple[CommittedOffset, ...], number: int
    ) -> None:
        classic = self.sharded.shard.classic.groups.get(group)
        members = sorted(classic.members) if classic else sorted(
            member for its, member in self.modern if its == group
        )  # fmt: skip
        if not members:
            return
        member = members[number % len(members)]
        epoch = self.modern.get((group, member), (0, ()))[0]
        generation = classic.generation if classic else epoch
        self.sharded.tell(
            OffsetCommit(
                group=group, generation=generation, member_id=member, offsets=offsets
            )
        )

    @rule(group=GROUPS, partitions=st.lists(st.sampled_from(PARTITIONS), unique=True))
    def delete_offsets(self, group: str, partitions: list[tuple[str, int]]) -> None:
        self.sharded.take(self.sharded.shard.delete_offsets(group, partitions))

    # Classic members

    @rule(group=GROUPS, number=st.integers(0, 3), static=st.booleans())
    def join(self, group: str, number: int, *, static: bool) -> None:
        known = self.classic[group]
        again = known[number] if number < len(known) else ""
        request = JoinGroup(
            group=group,
            member_id=again,
            instance_id="one" if static and not again else None,
            protocols=PROTOCOLS,
        )
        response = self.sharded.ask(request)
        if isinstance(response, Joined) and response.member_id:
            known.append(response.member_id)

    @rule(group=GROUPS)
    def sync_all(self, group: str) -> None:
        """Let whoever is due bring or fetch the assignment; the leader last."""
        own = self.sharded.shard.classic.groups.get(group)
        if own is None:
            return
        given = tuple((each, (("orders", 0),)) for each in sorted(own.members))
        for member in sorted(own.members, key=lambda each: each == own.leader):
            self.sharded.tell(
                SyncGroup(
                    group=group,
                    member_id=member,
                    generation=own.generation,
                    assignments=given if member == own.leader else (),
                )
            )

    @rule(group=GROUPS, number=st.integers(0, 3))
    def beat(self, group: str, number: int) -> None:
        own = self.sharded.shard.classic.groups.get(group)
        if own is not None and own.members:
            member = sorted(own.members)[number % len(own.members)]
            self.sharded.tell(
                Heartbeat(group=group, generation=own.generation, member_id=member)
            )

    @rule(group=GROUPS, number=st.integers(0, 3))
    def leave(self, group: str, number: int) -> None:
        known = self.classic[group]
        if number < len(known):
            self.sharded.tell(LeaveGroup(group=group, member_id=known.pop(number)))

    # Members of the consumer protocol

    @rule(
        group=GROUPS,
        member=st.sampled_from(["m1", "m2", "m3"]),
        how=st.sampled_from(["join", "beat", "beat", "leave"]),
        topics=st.sampled_from([("orders",), ("orders", "other")]),
    )
    def modern_beat(
        self, group: str, member: str, how: str, topics: tuple[str, ...]
    ) -> None:
        epoch, owned = self.modern.get((group, member), (0, ()))
        joins = how == "join" or epoch == 0
        asked = 0 if joins else -1 if how == "leave" else epoch
        request = ConsumerGroupHeartbeat(
            group=group,
            member_id=member,
            member_epoch=asked,
            rebalance_timeout_ms=60_000 if joins else None,
            topics=topics if joins else None,
            owned=() if joins else owned,
        )
        before = len(self.sharded.answers)
        self.sharded.tell(request)
        for what, beaten in self.sharded.answers[before:]:
            if what is not request or not isinstance(beaten, ConsumerGroupBeaten):
                continue
            if beaten.error >= 0 or beaten.member_epoch <= 0:
                self.modern.pop((group, member), None)
            else:
                now = owned if beaten.assigned is None else beaten.assigned
                self.modern[group, member] = beaten.member_epoch, now

    # The host, and time

    @rule()
    def fail_the_next_write(self) -> None:
        self.sharded.fails = NOT_ENOUGH_REPLICAS

    @rule(ms=st.sampled_from([1, 1_000, 3_000, 46_000, 400_000]))
    def wait(self, ms: int) -> None:
        self.sharded.wait(ms)

    @rule(days=st.sampled_from([2, 8]))
    def wait_long(self, days: int) -> None:
        self.sharded.wait(days * DAY_MS)

    @rule()
    def compact(self) -> None:
        self.sharded.log.roll(self.sharded.now_ms)
        self.sharded.log.clean(self.sharded.now_ms)

    @rule()
    @precondition(lambda self: self.sharded.fails < 0)
    def move(self) -> None:
        """Let another broker go on."""
        self.sharded.take(self.sharded.shard.unload(self.sharded.now_ms))
        self.sharded.shard = self.sharded.reloaded()

    # What must hold

    @invariant()
    def the_log_tells_all(self) -> None:
        live, loaded = self.sharded.shard, self.sharded.reloaded()
        assert durable(loaded) == durable(live)
        told = settled(loaded)
        for group, standing in settled(live).items():
            assert told[group] == standing, group

    @invariant()
    def a_group_is_of_one_kind(self) -> None:
        shard = self.sharded.shard
        assert not set(shard.classic.groups) & set(shard.consumer.groups)

    @invariant()
    def the_newest_of_each_key_is_there_and_tombstones_are_last(self) -> None:
        """What compaction leaves is what the replay of all records comes to."""
        stored = {
            (each.group, each.topic, each.partition): each.offset
            for each in self.sharded.records()
            if isinstance(each, OffsetRecord)
        }
        kept = {key: offset for key, offset in stored.items() if offset is not None}
        offsets = self.sharded.shard.offsets
        assert kept == {
            (group, *at): record.offset
            for group in offsets.groups
            for at, record in offsets.offsets(group).items()
        }
        last = {
            each.group: each.value
            for each in self.sharded.records()
            if isinstance(each, ClassicGroupRecord)
        }
        assert {group for group, value in last.items() if value is not None} <= set(
            self.sharded.shard.classic.groups
        )


Histories.TestCase.settings = settings(max_examples=25, stateful_step_count=20)
TestHistories = Histories.TestCase
