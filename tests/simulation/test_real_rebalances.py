"""Whole runs of a group through four events, beside what a real one did.

Recorded from Kafka 4.3.1 with Java consumers, one process each, one broker, two kinds
of groups, three repeats: three members start, a fourth joins, one closes, one is
killed; each event comes 2.0 to 2.2 s after the last callback. Times are milliseconds
since the event. Every time is here at which a partition was revoked from a member or
assigned to one. What a run has no row for is not: when a process subscribed and when it
had closed, and callbacks without partitions. Which of three KIP-848 members is first is
chance there, so only how many partitions each has is compared.
"""

from collections import Counter
from itertools import pairwise
from typing import Any

import pytest

import kafkasim as ks

LOADING_MS = 200
"""What processes that have just begun take longer there: they load their classes."""
WORK_MS = 30
"""What real ones take for the work of a rebalance; here it takes none."""
POLL_MS = 110
"""What passes there between a KIP-848 heartbeat and the callback: two polls are 50 ms
apart, and the next heartbeat is counted from the last answer."""

Moves = list[tuple[float, int]]
"""When partitions were given up, or got, and how many."""


class Recorded:
    """A run of a group with the three events, and what moved after each of the four."""

    def __init__(self, at_s: tuple[float, float, float], **consumer: Any) -> None:  # noqa: ANN401
        group = ks.Group(
            3,
            start="cold",
            config=ks.ConsumerConfig(auto_offset_reset="earliest", **consumer),
        )
        traffic = ks.Traffic(
            {"web": ks.Source("rebalance", ks.Periodic(1.0))},
            {"g": ks.Subscriber(["rebalance"])},
            duration_s=at_s[2] + 7.0,
        )
        cluster = ks.Kafka(
            topics={"rebalance": ks.Topic(partitions=6)},
            groups={"g": group},
            broker_config=ks.BrokerConfig(group_consumer_session_timeout_ms=6_000),
        )
        events = (
            ks.AddMember("subscriber:g", at_s[0], "4"),
            ks.RemoveMember("member:g/2", at_s[1]),
            ks.Crash("member:g/3", at_s[2]),
        )
        scenario = ks.Scenario(traffic, cluster, events=events, end="cut")
        self.rows = ks.run(scenario, check=True).assignments
        self._begins_ms = [0.0, *(at * 1_000 for at in at_s), scenario_end_ms(at_s)]

    def moved(self, phase: int, column: str, *but: str) -> Moves:
        """Return what moved after an event, by time, of all members but some."""
        begin, end = self._begins_ms[phase : phase + 2]
        rows = self.rows[~self.rows.member.isin(but)]
        times = rows[column][(rows[column] > begin) & (rows[column] < end)]
        counts = Counter(times.round())
        return sorted((at - begin, count) for at, count in counts.items())

    def owned(self, at_ms: float) -> dict[str, list[int]]:
        """Return what each member has then."""
        here = (self.rows.since_ms <= at_ms) & ~(self.rows.until_ms <= at_ms)
        by_member = self.rows[here].groupby("member", observed=True).partition
        return {str(member): sorted(each) for member, each in by_member}


def scenario_end_ms(at_s: tuple[float, float, float]) -> float:
    """Return when the run ends whose last event is then."""
    return (at_s[2] + 7.0) * 1_000


@pytest.fixture(scope="module")
def classic() -> Recorded:
    return Recorded(
        (8.103, 11.105, 14.095), partition_assignment_strategy=("range",),
        session_timeout_ms=6_000, heartbeat_interval_ms=3_000,
    )  # fmt: skip


@pytest.fixture(scope="module")
def consumer() -> Recorded:
    return Recorded((12.051, 19.102, 24.130), group_protocol="consumer")


@pytest.mark.parametrize(
    ("phase", "revoked", "assigned", "shorter_ms"),
    [
        (0, None, (6_158, 6_184), LOADING_MS),
        (1, (881, 902), (903, 960), WORK_MS),
        (2, (889, 914), (916, 939), WORK_MS),
        (3, (3_912, 3_916), (3_929, 3_930), WORK_MS),
    ],
)
def test_a_classic_group_stops_as_a_whole_at_its_next_heartbeat(
    classic: Recorded,
    phase: int,
    revoked: tuple[int, int] | None,
    assigned: tuple[int, int],
    shorter_ms: int,
) -> None:
    """The killed one was missed with this heartbeat once there, twice with the next."""
    got = classic.moved(phase, "since_ms")
    assert sum(count for _, count in got) == 6
    assert all(assigned[0] - shorter_ms <= at <= assigned[1] for at, _ in got)
    lost = classic.moved(phase, "until_ms", "g/2", "g/3") if revoked else []
    assert bool(lost) == (revoked is not None)
    for at, _ in lost:
        assert revoked is not None
        assert revoked[0] - shorter_ms <= at <= revoked[1]


def test_a_classic_member_that_closes_gives_up_what_it_has_at_once(
    classic: Recorded,
) -> None:
    """Recorded: after 13, 31 and 54 ms."""
    ((at, count), *_) = classic.moved(2, "until_ms")
    assert count == 2
    assert 0 <= at <= 13


def test_a_classic_group_has_what_the_real_one_had(classic: Recorded) -> None:
    after = [classic.owned(at) for at in (8_000, 11_000, 14_000, 21_000)]
    assert after == [
        {"g/1": [0, 1], "g/2": [2, 3], "g/3": [4, 5]},
        {"g/1": [0, 1], "g/2": [2, 3], "g/3": [4], "g/4": [5]},
        {"g/1": [0, 1], "g/3": [2, 3], "g/4": [4, 5]},
        {"g/1": [0, 1, 2], "g/4": [3, 4, 5]},
    ]


@pytest.mark.parametrize(
    ("phase", "column", "count", "between"),
    [
        (0, "until_ms", 4, (5_225 - LOADING_MS - WORK_MS, 5_294)),
        (0, "since_ms", 4, (10_193 - LOADING_MS - WORK_MS, 10_261)),
        (1, "until_ms", 1, (2_903 - POLL_MS, 3_029)),
        (1, "since_ms", 1, (5_098 - LOADING_MS, 5_154)),
        (3, "since_ms", 1, (2_961 - POLL_MS, 3_020)),
        (3, "since_ms", 1, (5_775 - POLL_MS, 5_916)),
    ],
)
def test_a_consumer_group_moves_only_what_has_to_move(
    consumer: Recorded, phase: int, column: str, count: int, between: tuple[int, int]
) -> None:
    """At a heartbeat of whoever gives a partition up, and of whoever gets it."""
    low, high = between
    moved = [each for at, each in consumer.moved(phase, column) if low <= at <= high]
    assert sum(moved) == count


def test_a_consumer_group_moves_what_one_that_closes_had_in_two_steps(
    consumer: Recorded,
) -> None:
    """Recorded: given up after 23 to 55 ms, got after 885 to 953, and 3008 to 3048."""
    ((given_up, both),) = consumer.moved(2, "until_ms")
    assert both == 2
    assert 0 <= given_up <= 23
    (first, one), (second, other) = consumer.moved(2, "since_ms")
    assert (one, other) == (1, 1)
    assert 885 - POLL_MS <= first <= 953
    assert 3_008 - POLL_MS <= second <= 3_048


def test_a_consumer_group_is_even_and_has_what_it_had(consumer: Recorded) -> None:
    after = [consumer.owned(at) for at in (12_000, 19_000, 24_000, 31_000)]
    sizes = [sorted(map(len, each.values())) for each in after]
    assert sizes == [[2, 2, 2], [1, 1, 2, 2], [2, 2, 2], [3, 3]]
    for before, now in pairwise(after):
        stay = now.keys() & before.keys()
        moved = sum(len(set(before[each]) - set(now[each])) for each in stay)
        assert moved == ("g/4" in now and "g/4" not in before)
