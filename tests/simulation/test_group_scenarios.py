"""What a consumer group promises and what it does not, as short stories.

Each test is a setup, a fault, and what is seen then; DS-14 and so on are the numbers of
delivery scenarios, MS-3 and so on those of misstatements that a test speaks against.
"""

import numpy as np
import pytest

import kafkasim as ks
from kafkasim.protocol.offsets_topic import offsets_partition
from tests.simulation.group_stories import (
    FIRST,
    at_once,
    evenly,
    gaps_ms,
    group_story,
    members_at,
    times_done,
)

TEN = at_once(10, at_s=10.0)
KILLED = ks.Crash(FIRST, at_s=10.55)
"""Five of ten are done then, at 100 ms each."""


# --- before the work, or after it -----------------------------------------------------


def test_committed_after_the_work_means_twice_after_a_crash() -> None:
    """DS-14: a group does not rule out duplicates (MS-3)."""
    result = group_story(TEN, KILLED, until_s=60, work_ms=100, commit="after_work")

    assert times_done(result) == [2] * 5 + [1] * 5
    again = result.deliveries.query("member == 'billing/2'")
    assert again.record_id.tolist() == list(range(10))
    # It was missed 45 s after its last heartbeat, which was at 9 s.
    assert again.fetched_ms.min() == pytest.approx(54_000, abs=100)


def test_committed_before_the_work_means_never_after_a_crash() -> None:
    """DS-15: what was at work, and what came after it in the poll, is lost."""
    result = group_story(TEN, KILLED, until_s=60, work_ms=100, commit="before_work")

    assert times_done(result) == [1] * 5 + [0] * 5
    assert result.commits.offset.tolist() == [10]


@pytest.mark.parametrize("protocol", ["classic", "consumer"])
def test_a_commit_that_throws_before_the_work_is_made_again(protocol: str) -> None:
    """CO-12: what was polled is kept meanwhile, and none of it is passed over."""
    result = group_story(
        TEN, ks.Cut(f"link:{FIRST}->broker:1", at_s=9.99, for_s=4.0), until_s=20,
        members=1, start="cold", work_ms=1, commit="before_work",
        group_protocol=protocol, auto_offset_reset="earliest",
        request_timeout_ms=1_000, default_api_timeout_ms=2_000,
    )  # fmt: skip

    assert times_done(result) == [1] * 10
    commits = result.requests.query("api == 'OffsetCommit'")
    assert len(commits) == 2  # what threw while it waited is not sent later
    first, second = commits.iloc[0], commits.iloc[1]
    assert first.error == "REQUEST_TIMED_OUT"
    assert second.sent_ms > 13_990
    assert result.deliveries.fetched_ms.max() < 10_002
    assert result.deliveries.started_ms.min() >= second.answered_ms


@pytest.mark.parametrize("at_s", [14.98, 15.01, 19.7, 23.3])
def test_automatic_commits_lose_nothing_while_polls_do_the_work(at_s: float) -> None:
    """DS-16: duplicates are of five seconds and one batch at most."""
    crash = ks.Crash(FIRST, at_s)
    result = group_story(evenly(10), crash, until_s=70, work_ms=20)

    done = np.array(times_done(result))
    assert set(done) <= {1, 2}
    twice = result.records.created_ms[done == 2]
    committed_ms = at_s // 5 * 5_000  # at 5, 10, 15 and 20 s
    assert len(twice) == pytest.approx((at_s * 1_000 - committed_ms) / 100, abs=1)
    assert twice.between(committed_ms - 100, at_s * 1_000).all()


def test_a_consumer_that_is_closed_has_committed() -> None:
    """DS-18: nobody gets anything twice."""
    result = group_story(evenly(10), ks.RemoveMember(FIRST, 12.3), until_s=20)

    assert set(times_done(result)) == {1}
    assert set(result.commits.query("kind == 'close'").member) == {"billing/1"}
    assert members_at(result, 19_000) == {0: "billing/2"}


# --- members that are late ------------------------------------------------------------


def test_work_of_more_than_five_minutes_makes_a_member_leave() -> None:
    """DS-19: it sends heartbeats all the time (MS-27), and polls too late."""
    two = ks.Source("orders", ks.Trace(np.array([10, 430], np.int64) * 10**9, {}))
    slow = ks.Slow(FIRST, at_s=1.0, for_s=20.0, factor=400.0)

    result = group_story(two, slow, until_s=450, work_ms=1_000, commit="after_work")

    assert times_done(result) == [2, 1]
    left = result.requests.query("api == 'LeaveGroup'")
    assert left.sender.tolist() == [FIRST]
    assert left.sent_ms.item() == pytest.approx(310_000, abs=10)
    beats = result.requests.query("api == 'Heartbeat' and sender == @FIRST")
    at_work = beats.sent_ms[beats.sent_ms.between(10_100, 309_900)]
    assert len(at_work) == pytest.approx(100, abs=1)
    # Its `commitSync` of 410 s throws: it never came to the coordinator. Then it joins.
    assert result.commits.query("member == 'billing/1'").empty
    joins = result.requests.query("api == 'JoinGroup' and sender == @FIRST")
    assert joins.sent_ms.max() == pytest.approx(410_000, abs=10)


def test_a_member_that_stands_still_for_a_minute_is_removed() -> None:
    """DS-20: its session is over after 45 s; it comes back and joins again."""
    pause = ks.Pause(FIRST, at_s=20.0, for_s=60.0)

    result = group_story(evenly(2), pause, until_s=90)

    expired = result.group_states.query("cause == 'session expired'")
    assert expired.at_ms.item() == pytest.approx(18_000 + 45_000, abs=10)
    assert min(times_done(result)) == 1
    assert members_at(result, 79_000) == {0: "billing/2"}
    assert set(members_at(result, 89_000)) == {0}
    joined = result.requests.query("api == 'JoinGroup' and sender == @FIRST")
    assert joined.sent_ms.min() > 80_000


# --- where a group begins -------------------------------------------------------------


@pytest.mark.parametrize(("reset", "expected"), [("latest", 0), ("earliest", 1)])
def test_a_new_group_begins_where_its_reset_policy_says(
    reset: str, expected: int
) -> None:
    """DS-21: what was sent before its first assignment, latest never delivers."""
    result = group_story(
        evenly(10), until_s=8, members=1, start="cold", auto_offset_reset=reset
    )

    begun_ms = result.assignments.since_ms.min()
    assert begun_ms > 3_000
    done = np.array(times_done(result))
    before = result.records.created_ms.to_numpy() < begun_ms - 10
    assert set(done[before]) == {expected}
    assert set(done[result.records.created_ms.to_numpy() > begun_ms + 10]) == {1}


@pytest.mark.parametrize("reset", ["latest", "earliest"])
def test_records_of_a_new_partition_that_nobody_knows_yet(reset: str) -> None:
    """DS-21: of an added partition, latest skips what came before it was seen."""
    result = group_story(
        evenly(20), ks.AddPartitions("stream:orders", 4.0, to=4), until_s=15,
        members=1, start="cold", auto_offset_reset=reset, metadata_max_age_ms=10_000,
    )  # fmt: skip

    rows = result.assignments.query("partition > 0")
    added = result.records.partition.to_numpy() > 0
    done = np.array(times_done(result))[added]
    assert (rows.start_offset > 0).any() == (reset == "latest")
    assert (done == 0).any() == (reset == "latest")
    assert done.max() == 1


@pytest.mark.parametrize("reset", ["latest", "earliest"])
def test_offsets_of_a_group_that_is_away_for_too_long(reset: str) -> None:
    """DS-22: they are dropped, and the reset policy decides; one minute here."""
    keeps = ks.BrokerConfig(
        offsets_retention_minutes=1, offsets_retention_check_interval_ms=10_000
    )
    result = group_story(
        evenly(1), ks.Crash("subscriber:billing", 12.5, for_s=150.0), until_s=180,
        members=1, start="cold", broker=keeps, auto_offset_reset=reset,
    )  # fmt: skip

    topic = result.offsets_topic.query("kind == 'OffsetCommit'")
    assert topic.committed_offset.isna().any()  # a tombstone
    done = np.array(times_done(result))
    away = result.records.created_ms.between(13_000, 160_000).to_numpy()
    assert set(done[away]) == ({0} if reset == "latest" else {1})
    # With earliest they are read again from the first on.
    assert set(done[5:12]) == ({1} if reset == "latest" else {2})


@pytest.mark.parametrize("reset", ["latest", "earliest"])
def test_what_is_deleted_before_it_is_read_is_lost(reset: str) -> None:
    """DS-23: whatever the policy; latest also skips what is still there."""
    result = group_story(
        evenly(1),
        ks.Crash("subscriber:billing", 10.0, for_s=20.0),
        ks.DeleteRecords("stream:orders", 25.0, to=18),
        until_s=90, members=1, start="cold", auto_offset_reset=reset,
    )  # fmt: skip

    done = np.array(times_done(result))
    assert set(done[11:18]) == {0}
    assert set(done[18:25]) == ({0} if reset == "latest" else {1})
    assert set(done[60:]) == {1}  # its old self was missed after 45 s


@pytest.mark.parametrize("reset", ["latest", "earliest"])
def test_a_committed_offset_counts_and_not_the_reset_policy(reset: str) -> None:
    """A restart does not begin at the start of the log (MS-18, CO-7)."""
    restart = ks.RollingRestart("subscriber:billing", 20.5, down_s=1.0)

    result = group_story(evenly(2), restart, until_s=40, auto_offset_reset=reset)

    assert set(times_done(result)) == {1}


# --- who stops in a rebalance ---------------------------------------------------------


def test_eager_members_all_stop_when_one_joins() -> None:
    """DS-32: and go on together, in one rebalance."""
    result = group_story(
        evenly(20), ks.AddMember("subscriber:billing", 12.0), until_s=20,
        members=3, partitions=6, partition_assignment_strategy=("range",),
    )  # fmt: skip

    gaps = gaps_ms(result, 12_000)
    assert len(gaps) == 6
    assert min(gaps) > 0
    assert result.group_states.epoch.max() == 2
    assert set(times_done(result)) == {1}


def test_cooperative_members_give_up_only_what_moves() -> None:
    """DS-32: in two rebalances."""
    result = group_story(
        evenly(20), ks.AddMember("subscriber:billing", 12.0), until_s=25,
        members=3, partitions=6,
        partition_assignment_strategy=("cooperative-sticky",),
    )  # fmt: skip

    gaps = gaps_ms(result, 12_000)
    assert sum(gap > 0 for gap in gaps) == 1
    assert max(gaps) < 3_100  # its second joining is seen with a heartbeat
    assert result.group_states.epoch.max() == 3
    assert set(times_done(result)) == {1}


def test_with_kip_848_nobody_waits_for_all() -> None:
    """DS-32: a partition moves when its owner has given it up; no other one stops."""
    result = group_story(
        evenly(20), ks.AddMember("subscriber:billing", 12.0), until_s=35,
        members=3, partitions=6, group_protocol="consumer",
    )  # fmt: skip

    gaps = gaps_ms(result, 12_000)
    assert sum(gap > 0 for gap in gaps) == 1
    assert max(gaps) < 5_100  # one heartbeat
    assert set(times_done(result)) == {1}
    assert members_at(result, 34_000)[gaps.index(max(gaps))] == "billing/4"


@pytest.mark.parametrize("protocol", ["classic", "consumer"])
def test_a_member_more_than_partitions_has_nothing_to_do(protocol: str) -> None:
    """DS-33: and one member may have several partitions (MS-21)."""
    result = group_story(
        evenly(20), until_s=25, members=5, partitions=4, start="cold",
        group_protocol=protocol, auto_offset_reset="earliest",
    )  # fmt: skip
    one = group_story(evenly(20), until_s=5, members=1, partitions=4)

    owners = members_at(result, 24_000)
    assert len(owners) == len(set(owners.values())) == 4
    assert set(times_done(result)) == {1}
    assert set(members_at(one, 4_000).values()) == {"billing/1"}


# --- groups, and members that come back -----------------------------------------------


def test_two_groups_read_all_and_know_nothing_of_each_other() -> None:
    """DS-43: and what one has read is still there."""

    def run(*events: ks.Crash) -> ks.Result:
        kafka = ks.Kafka(
            topics={"orders": ks.Topic(partitions=2)},
            groups={name: ks.Group(2, start="cold") for name in ("audit", "billing")},
        )
        traffic = ks.Traffic(
            {"shop": ks.Source("orders", ks.Periodic(10))},
            {name: ks.Subscriber(["orders"]) for name in ("audit", "billing")},
            duration_s=70,
        )
        return ks.run(ks.Scenario(traffic, kafka, events=events), check=True)

    calm, struck = run(), run(ks.Crash("member:billing/1", 15.0))

    for result in (calm, struck):
        assert result.violations.empty
    mine = ["record_id", "member", "partition", "offset"]
    calm_rows, rows = (
        result.deliveries.query("subscriber == 'audit'")[mine].reset_index(drop=True)
        for result in (calm, struck)
    )
    assert rows.equals(calm_rows)
    assert max(times_done(struck, "audit")) == 1
    assert max(times_done(struck)) == 2
    assert (struck.records.log_copies == 1).all()


def test_a_static_member_that_is_back_in_time_finds_its_partitions() -> None:
    """DS-44: nobody else hears of it, and its partitions wait for it."""
    static = {"a": ks.Member(instance_id="a"), "b": ks.Member(instance_id="b")}
    crash = ks.Crash("member:billing/a", at_s=15.0, for_s=20.0)

    result = group_story(
        evenly(10), crash, until_s=60, members=static, partitions=4
    )  # fmt: skip

    assert set(result.group_states.epoch) == {1}
    assert members_at(result, 14_000) == members_at(result, 59_000)
    gaps = gaps_ms(result, 14_900)
    assert sorted(round(gap, -2) for gap in gaps) == [0, 0, 20_000, 20_000]


@pytest.mark.parametrize("protocol", ["classic", "consumer"])
def test_the_partitions_of_a_dead_member_wait_for_45_seconds(protocol: str) -> None:
    """DS-45: from its last heartbeat on, with nothing but defaults (MS-28)."""
    result = group_story(
        evenly(10), ks.Crash(FIRST, at_s=20.0), until_s=80, partitions=2,
        group_protocol=protocol,
    )  # fmt: skip

    api = "Heartbeat" if protocol == "classic" else "ConsumerGroupHeartbeat"
    asked = result.requests
    last_ms = asked[(asked.api == api) & (asked.sender == FIRST)].sent_ms.max()
    (gone,) = (g for g in result.group_states.query("cause == 'session expired'").at_ms)
    assert gone == pytest.approx(last_ms + 45_000, abs=5)
    every_ms = 3_000 if protocol == "classic" else 5_000
    assert 45_000 - every_ms < max(gaps_ms(result, 20_000)) < 45_000 + 2 * every_ms
    assert min(times_done(result)) == 1


# --- what is said wrongly -------------------------------------------------------------


def test_offsets_are_in_a_topic_with_a_name_and_copies() -> None:
    """They are no secret and in no other system (MS-1)."""
    result = group_story(evenly(10), until_s=12, start="cold")

    topic = result.offsets_topic
    assert set(topic.partition) == {offsets_partition("billing", 50)}
    stored = topic.query("kind == 'OffsetCommit'").committed_offset
    assert len(stored) > 0
    assert stored.tolist() == result.commits.offset.tolist()


def test_who_does_not_poll_does_not_commit_by_itself() -> None:
    """Automatic commits are made in `poll()`, not by a clock (MS-17, CO-10)."""
    slow = at_once(2, at_s=1.0)

    result = group_story(slow, until_s=2, members=1, work_ms=20_000, max_poll_records=2)

    # 5 s are over at 5 s; the next poll is when both are done.
    assert times_done(result) == [1, 1]
    long = group_story(
        ks.Source("orders", ks.Trace(np.array([1, 1, 50], np.int64) * 10**9, {})),
        until_s=51, members=1, work_ms=20_000,
    )  # fmt: skip
    assert long.commits.at_ms.iloc[0] == pytest.approx(41_000, abs=10)
