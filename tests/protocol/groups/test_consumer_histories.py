"""Random histories of a group: joins, leaves, crashes, lost answers, slow callbacks.

After each event nobody has what the coordinator may give to others, and so no partition
has two owners; when all is quiet again the group converges in bounded time, and another
coordinator knows the same from the records alone.
"""

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from kafkasim.protocol.groups.coordinator.consumer_group import TRANSITIONS, GroupState
from kafkasim.protocol.groups.coordinator.consumer_heartbeat import (
    ConsumerGroupSettings,
)
from kafkasim.protocol.groups.member.member_settings import MemberSettings
from tests.protocol.groups.consumer_cluster import GROUP, Cluster, Host
from tests.protocol.groups.simple_assignors import ASSIGNORS

SESSION_MS = 6_000
HEARTBEAT_MS = 1_000
POLL_INTERVAL_MS = 4_000
"""Also the time a member has to give up what it must."""
CONVERGES_MS = SESSION_MS + 2 * POLL_INTERVAL_MS + 5 * HEARTBEAT_MS
"""The dead are removed; whoever was late leaves, and comes again; then the target, what
is given up, and what is free each take a heartbeat."""


@dataclass(frozen=True)
class Event:
    after_ms: int
    kind: str
    at: int
    """Which of the members."""
    ms: int


EVENTS = st.lists(
    st.builds(
        Event,
        st.integers(0, 2_500),
        st.sampled_from([
            *("join", "join", "join", "static", "leave", "die", "slow", "work"),
            *("deaf", "hears", "grow", "fail over", "quiet"),
        ]),
        st.integers(0, 7),
        st.integers(0, 6_000),
    ),
    min_size=3,
    max_size=25,
)  # fmt: skip


class History:
    """A cluster to which things happen."""

    def __init__(self, *, commits: bool, interval_ms: int) -> None:
        self.commits = commits
        self.cluster = Cluster(
            ConsumerGroupSettings(
                session_timeout_ms=SESSION_MS,
                heartbeat_interval_ms=HEARTBEAT_MS,
                assignment_interval_ms=interval_ms,
            ),
            ASSIGNORS,
            {"a": 5, "b": 3},
        )
        self.cluster.after_each = self.check
        self.named = 0
        self.seen: GroupState = GroupState.EMPTY

    def check(self) -> None:
        """Assert that what members have is theirs; and each step of the group legal."""
        groups = self.cluster.groups
        if not groups.has(GROUP):
            return
        group = groups.group(GROUP)
        for host in self.cluster.members:
            known = group.members[host.name]
            assert host.owned <= {*known.assigned, *known.revoking}, host.name
        owners = [at for host in self.cluster.members for at in host.owned]
        assert len(owners) == len(set(owners))
        for _, state, _ in self.cluster.changes:
            assert state == self.seen or GroupState(state) in TRANSITIONS[self.seen]
            self.seen = GroupState(state)
        self.cluster.changes.clear()

    def live(self) -> list[Host]:
        return [one for one in self.cluster.hosts if one.alive and not one.closed]

    def happens(self, event: Event) -> None:
        self.cluster.run_to(self.cluster.now_ms + event.after_ms)
        if event.kind in {"join", "static"}:
            self.join(event)
            return
        live = self.live()
        if event.kind == "grow":
            topic = "ab"[event.at % 2]
            self.cluster.topics[topic] += 1
            self.cluster.groups.metadata_changed([topic])
        elif event.kind == "fail over":
            self.cluster.fail_over()
        elif live:
            self.member(live[event.at % len(live)], event)

    def join(self, event: Event) -> None:
        name = f"m{self.named}"
        self.named += 1
        made = MemberSettings(
            group=GROUP,
            client_id="consumer",
            topics=[("a",), ("a", "b"), ("b",), ("a", "b")][event.at % 4],
            instance_id=f"i{event.at % 3}" if event.kind == "static" else None,
            max_poll_interval_ms=POLL_INTERVAL_MS,
            auto_commit_ms=2_000 if self.commits else None,
        )
        self.cluster.start(name, made, poll_ms=50 + 40 * event.at)

    def member(self, host: Host, event: Event) -> None:
        match event.kind:
            case "leave":
                host.close()
            case "die":
                host.alive = False
            case "slow":
                host.callback_ms = event.ms
            case "work":
                host.works_until_ms = self.cluster.now_ms + event.ms
            case "deaf":
                host.answers_get_lost = True
            case _:
                host.answers_get_lost = False
                host.callback_ms = 0

    def calm_down(self) -> None:
        for host in self.live():
            host.answers_get_lost = False
            host.callback_ms = host.works_until_ms = 0
        self.cluster.run_to(self.cluster.now_ms + POLL_INTERVAL_MS)
        self.cluster.run_to(self.cluster.now_ms + CONVERGES_MS)


@given(events=EVENTS, commits=st.booleans(), interval_ms=st.sampled_from([0, 1_000]))
def test_a_partition_has_one_owner_and_a_quiet_group_converges(
    events: list[Event],
    commits: bool,  # noqa: FBT001
    interval_ms: int,
) -> None:
    history = History(commits=commits, interval_ms=interval_ms)
    cluster = history.cluster
    for event in events:
        history.happens(event)
    history.calm_down()
    members = [host for host in history.live() if not host.raised]
    assert [host.name for host in cluster.members] == [host.name for host in members]
    if not members:
        return
    group = cluster.groups.group(GROUP)
    assert group.state == GroupState.STABLE
    for host in members:
        assert host.owned == set(group.targets[host.name])
        assert host.owned == set(host.machine.owned)
    read = {topic for host in members for topic in group.members[host.name].said.topics}
    owned = {at for host in members for at in host.owned}
    assert owned == {(name, at) for name in read for at in range(cluster.topics[name])}


@given(events=EVENTS)
def test_another_coordinator_knows_the_same_from_the_records(
    events: list[Event],
) -> None:
    history = History(commits=False, interval_ms=1_000)
    for event in events:
        if event.kind != "fail over":
            history.happens(event)
    before = history.cluster.groups
    if not before.has(GROUP):
        return
    history.cluster.fail_over()
    old, new = before.group(GROUP), history.cluster.groups.group(GROUP)
    assert vars(new) | {"_refresh_ms": 0, "_refresh_epoch": 0} == vars(old) | {
        "_refresh_ms": 0,
        "_refresh_epoch": 0,
    }
    assert history.cluster.groups.tombstones(GROUP) == before.tombstones(GROUP)
