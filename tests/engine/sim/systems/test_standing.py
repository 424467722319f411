"""Groups with coordinators that are stable as the run begins."""

from collections.abc import Sequence

import pytest

from kafkasim.analysis.ownership import rebalances
from kafkasim.config.consumer import ConsumerConfig
from kafkasim.engine.sim.run import run
from kafkasim.result.result import Result
from kafkasim.scenario.arrivals import Periodic
from kafkasim.scenario.events import Crash, Event
from kafkasim.scenario.member_events import AddMember, MoveCoordinator
from kafkasim.scenario.members import Member
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.systems import Group, Kafka, Topic
from kafkasim.scenario.traffic import Source, Subscriber, Traffic

CLASSIC = ConsumerConfig(auto_offset_reset="earliest")
COOPERATIVE = ConsumerConfig(partition_assignment_strategy=("cooperative-sticky",))
CONSUMER = ConsumerConfig(group_protocol="consumer")
MOVES = (MoveCoordinator("subscriber:billing", 20.0),)
ASKS = {"FindCoordinator", "JoinGroup", "SyncGroup", "OffsetFetch"}


def shop(
    config: ConsumerConfig,
    *,
    events: Sequence[Event] = MOVES,
    duration_s: float = 12.0,
    brokers: int = 3,
    members: int | dict[str, Member] = 3,
    rate: float = 10.0,
) -> Scenario:
    """Return a shop whose group is joined, in a run with coordinators."""
    traffic = Traffic(
        sources={"web": Source("orders", Periodic(rate))},
        subscribers={"billing": Subscriber(["orders"])},
        duration_s=duration_s,
    )
    system = Kafka(
        brokers=brokers,
        topics={"orders": Topic(partitions=6, replication_factor=brokers)},
        groups={"billing": Group(members=members, config=config)},
    )
    return Scenario(traffic, system, events=tuple(events), end="cut")


def healthy(scenario: Scenario) -> Result:
    """Run with all invariants looked at; assert that none was broken."""
    result = run(scenario, check=True)
    assert len(result.violations) == 0, result.violations.to_string()
    return result


def said(result: Result, what: set[str]) -> list[float]:
    """Return when members said something of a kind, in ms."""
    requests = result.requests
    mine = requests["api"].isin(what) & requests["sender"].str.startswith("member:")
    return list(requests[mine]["sent_ms"])


@pytest.mark.parametrize("config", [CLASSIC, COOPERATIVE, CONSUMER])
@pytest.mark.parametrize("brokers", [1, 3])
def test_a_joined_group_is_stable_at_once_and_asks_nobody(
    config: ConsumerConfig, brokers: int
) -> None:
    result = healthy(shop(config, brokers=brokers))
    states = result.group_states
    told = states[["state", "epoch", "members", "at_ms"]].to_numpy().tolist()
    assert told == [["Stable", 1, 3, 0.0]]
    owned = result.assignments
    assert sorted(owned["partition"]) == list(range(6))
    assert set(owned["since_ms"]) == {0.0}
    assert set(owned["epoch"]) == {1}
    assert set(owned["start_offset"]) == {0}
    assert said(result, ASKS) == []
    assert result.deliveries["fetched_ms"].min() < 10


@pytest.mark.parametrize(
    ("config", "api", "beats"),
    [
        (CLASSIC, "Heartbeat", [3_000, 6_000, 9_000, 12_000]),
        (CONSUMER, "ConsumerGroupHeartbeat", [5_000, 10_000]),
    ],
)
def test_its_heartbeats_go(config: ConsumerConfig, api: str, beats: list[int]) -> None:
    sent_ms = said(healthy(shop(config)), {api})
    assert sent_ms == [float(at) for at in beats for _ in range(3)]


@pytest.mark.parametrize("config", [CLASSIC, CONSUMER])
def test_what_is_on_record_of_it_is_in_the_topic(config: ConsumerConfig) -> None:
    topic = healthy(shop(config)).offsets_topic
    first = topic[topic["at_ms"] == 0.0]
    assert list(first["offset"]) == list(range(len(first)))
    kinds = first["kind"].value_counts()
    assert kinds["OffsetCommit"] == 6
    assert set(first["committed_offset"].dropna()) == {0}
    if config is CLASSIC:
        assert kinds["GroupMetadata"] == 1
    else:
        assert kinds["ConsumerGroupMetadata"] == 1
        for kind in ("MemberMetadata", "TargetAssignmentMember",
                     "CurrentMemberAssignment"):  # fmt: skip
            assert kinds[f"ConsumerGroup{kind}"] == 3


@pytest.mark.parametrize("config", [CLASSIC, CONSUMER])
def test_a_member_that_dies_at_once_is_missed_after_its_session(
    config: ConsumerConfig,
) -> None:
    crash = Crash("member:billing/2", 1.0)
    result = healthy(shop(config, events=[crash], duration_s=55, rate=1))
    states = result.group_states
    assert states["at_ms"][1] == 45_000
    assert states["cause"][1] == "session expired"
    assert states["state"].iloc[-1] == "Stable"
    assert result.assignments["until_ms"].isna().sum() == 6


@pytest.mark.parametrize("config", [CLASSIC, CONSUMER])
def test_another_coordinator_goes_on_with_it(config: ConsumerConfig) -> None:
    events = [MoveCoordinator("subscriber:billing", 4.0)]
    result = healthy(shop(config, events=events, duration_s=60, rate=1))
    assert len(result.group_states) == 1
    assert set(result.assignments["since_ms"]) == {0.0}
    assert set(result.commits["outcome"]) <= {"ok", "NOT_COORDINATOR"}


def test_static_members_keep_their_partitions_when_they_come_back() -> None:
    crash = Crash("member:billing/a", 2.0, for_s=5.0)
    members = {name: Member(instance_id=name) for name in ("a", "b")}
    result = healthy(
        shop(CLASSIC, events=[crash], members=members, duration_s=60, rate=1)
    )
    assert len(result.group_states) == 1
    owned = result.assignments
    came_back = owned[owned["since_ms"] > 0]
    assert set(came_back["member"]) == {"billing/a"}
    assert came_back["since_ms"].min() < 7_100


def test_a_member_more_makes_one_rebalance() -> None:
    events = [AddMember("subscriber:billing", 5.0)]
    result = healthy(shop(CLASSIC, events=events))
    [moved] = rebalances(result)["cause"]
    assert moved == "member joined"
    assert len(result.assignments[result.assignments["until_ms"].isna()]) == 6
