"""What holds of classic groups, whatever their members and their log do.

Three clients that follow the protocol as far as they please, a log that may fail, a
coordinator that may move, and time.
"""

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from kafkasim.protocol.errors import (
    NONE,
    NOT_COORDINATOR,
    NOT_ENOUGH_REPLICAS,
    REQUEST_TIMED_OUT,
)
from kafkasim.protocol.groups.coordinator.classic_group import State
from kafkasim.protocol.groups.coordinator.classic_group_records import record_of
from kafkasim.protocol.groups.coordinator_records import ClassicGroupRecord
from kafkasim.protocol.groups.group_messages import (
    Joined,
    JoinGroup,
    Subscription,
    Synced,
    SyncGroup,
)
from tests.protocol.groups.coordinator.classic_coordinator import GROUP, Coordinated

CLIENTS = 3
PARTITIONS = 5
LONGEST_MS = 300_000
"""Rebalance timeout of all, and how long a new member's join may wait."""
SUBSCRIPTIONS = [(("range", Subscription((topic,))),) for topic in ("orders", "both")]


class Groups(RuleBasedStateMachine):
    """Clients by number; each knows the id and generation it was told last."""

    def __init__(self) -> None:
        super().__init__()
        self.played = Coordinated()
        self.played.holds = True
        self.ids = [""] * CLIENTS
        self.generations = [-1] * CLIENTS
        self.heard = 0
        self.behind = False
        """The last write failed: memory and log may differ, either way."""
        self.parked: dict[int, tuple[int, JoinGroup | SyncGroup]] = {}
        """When a request was sent that is not answered, by identity."""
        self.replaced: set[int] = set()
        self.owners: dict[tuple[int, int], str] = {}
        """Who was given a partition in a generation."""
        self.assignments: dict[int, tuple[tuple[str, tuple[tuple[str, int], ...]], ...]]
        self.assignments = {}

    # What clients and the world do

    @rule(
        client=st.integers(0, CLIENTS - 1),
        subscription=st.sampled_from(SUBSCRIPTIONS),
        static=st.booleans(),
        anew=st.booleans(),
    )
    def join(
        self, client: int, subscription: object, *, static: bool, anew: bool
    ) -> None:
        if anew and client:
            self.ids[client] = ""
        named = f"i{client}" if static and client == CLIENTS - 1 else None
        if named is None and client == CLIENTS - 1:
            self.ids[client] = ""
        request = JoinGroup(
            group=GROUP,
            member_id=self.ids[client],
            instance_id=named,
            client_id=f"m{client}",
            protocols=subscription,  # type: ignore[arg-type]
        )
        self.send(request)

    @rule(client=st.integers(0, CLIENTS - 1))
    def sync(self, client: int) -> None:
        member_id, generation = self.ids[client], self.generations[client]
        leads = self.played.groups.has(GROUP) and self.played.leader == member_id
        given = ()
        if leads and generation == self.played.generation:
            if generation not in self.assignments:
                members = self.played.members
                self.assignments[generation] = tuple(
                    (who, tuple(("t", p) for p in range(at, PARTITIONS, len(members))))
                    for at, who in enumerate(members)
                )
            given = self.assignments[generation]  # type: ignore[assignment]
        request = SyncGroup(
            group=GROUP,
            generation=generation,
            member_id=member_id,
            assignments=given,
        )
        self.send(request)

    @rule(client=st.integers(0, CLIENTS - 1), commits=st.booleans())
    def beat(self, client: int, *, commits: bool) -> None:
        if commits:
            self.played.commit(self.ids[client], self.generations[client])
        else:
            self.played.heartbeat(self.ids[client], self.generations[client])

    @rule(client=st.integers(0, CLIENTS - 1))
    def leave(self, client: int) -> None:
        self.played.leave(self.ids[client])

    @rule(more_ms=st.sampled_from([1, 1_000, 3_000, 40_000, LONGEST_MS]))
    def wait(self, more_ms: int) -> None:
        self.played.at(self.played.now_ms + more_ms)

    @rule(error=st.sampled_from([NONE] * 6 + [NOT_ENOUGH_REPLICAS, REQUEST_TIMED_OUT]))
    def end(self, error: int) -> None:
        """End a write; without its first record the group is gone, with who waits."""
        if self.played.waiting:
            self.behind = error != NONE
            there = self.played.groups.has(GROUP)
            self.played.end(error, appended=error == REQUEST_TIMED_OUT)
            self.listen()
            if there and not self.played.groups.has(GROUP):
                self.replaced |= set(self.parked)

    @rule(subscription=st.sampled_from(SUBSCRIPTIONS), rounds=st.integers(1, 3))
    def obey(self, subscription: object, rounds: int) -> None:
        """Let everybody do what the protocol asks for, for some seconds."""
        for _ in range(rounds):
            for client in range(CLIENTS):
                for _ in "id", "join":
                    if self.generations[client] < 0:
                        static = client == CLIENTS - 1
                        self.join(client, subscription, static=static, anew=False)
            self.wait(3_000)
            self.listen()
            for client in range(CLIENTS):
                if self.played.groups.has(GROUP):
                    self.sync(client)
            while self.played.waiting:
                self.end(NONE)
            self.listen()

    @rule(subscription=st.sampled_from(SUBSCRIPTIONS))
    def rejoin(self, subscription: object) -> None:
        """Let everybody join again."""
        for client in range(CLIENTS):
            self.join(client, subscription, static=client == CLIENTS - 1, anew=False)

    @rule(really=st.sampled_from([False, False, True]))
    def move(self, *, really: bool) -> None:
        if not really:
            return
        while self.played.waiting:
            self.end(NOT_COORDINATOR)
        self.played.take(self.played.groups.unloaded(self.played.now_ms))
        self.listen()
        assert [each for each in self.parked if each not in self.replaced] == []
        other = self.played.reload()
        self.played.groups = other.groups

    def send(self, request: JoinGroup | SyncGroup) -> None:
        for earlier, (_, asked) in self.parked.items():
            same = type(asked) is type(request) and asked.member_id == request.member_id
            if same and request.member_id:
                self.replaced.add(earlier)
        self.parked[id(request)] = (self.played.now_ms, request)
        self.played.tell(request)
        self.listen()

    def listen(self) -> None:
        """Let clients hear what they were answered."""
        for now_ms, request, response in self.played.answers[self.heard :]:
            self.parked.pop(id(request), None)
            if isinstance(request, JoinGroup) and isinstance(response, Joined):
                client = int(request.client_id[1:])
                self.ids[client] = response.member_id
                self.generations[client] = response.generation
            elif isinstance(request, SyncGroup) and isinstance(response, Synced):
                if response.error != NONE:
                    self.forget(request.member_id)
                self.check(request, response, now_ms)
        self.heard = len(self.played.answers)

    def forget(self, member_id: str) -> None:
        if member_id in self.ids:
            self.generations[self.ids.index(member_id)] = -1

    # What holds

    def check(self, request: SyncGroup, response: Synced, now_ms: int) -> None:
        """In one generation a partition is one member's."""
        if response.error == NONE:
            for _, partition in response.assigned:
                place = request.generation, partition
                owner = self.owners.setdefault(place, request.member_id)
                assert owner == request.member_id, now_ms

    @invariant()
    def nobody_waits_for_ever(self) -> None:
        self.listen()
        for number, (since_ms, request) in self.parked.items():
            if number not in self.replaced and not self.played.waiting:
                waited_ms = self.played.now_ms - since_ms
                assert waited_ms <= 2 * LONGEST_MS, (waited_ms, request)

    @invariant()
    def counts_agree_with_members(self) -> None:
        group = self.played.groups.groups.get(GROUP)
        if group is None:
            return
        members = group.members.values()
        assert group.awaiting == sum(each.joining is not None for each in members)
        assert (group.leader is None) == (not members)
        assert group.leader is None or group.leader in group.members
        assert group.pending_joins.isdisjoint(group.members)
        assert group.pending_syncs <= set(group.members) or group.state == State.STABLE
        assert (group.state == State.EMPTY) <= (not members)

    @invariant()
    def the_log_has_what_members_were_given(self) -> None:
        """A stable or empty group without a write under way is that of the log."""
        group = self.played.groups.groups.get(GROUP)
        resting = (State.STABLE, State.EMPTY)
        if group is None or group.state not in resting or self.played.waiting:
            return
        if self.behind or not group.consumers:
            return
        given = {each.member_id: each.assigned for each in group.members.values()}
        other = self.played.reload().groups.groups[GROUP]
        loaded = {each.member_id: each.assigned for each in other.members.values()}
        assert (loaded, other.generation) == (given, group.generation)
        assert (other.protocol, other.leader) == (group.protocol, group.leader)
        assert isinstance(record_of(group, given), ClassicGroupRecord)


TestGroups = Groups.TestCase
