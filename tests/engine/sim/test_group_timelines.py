"""A group through four events, beside what a real one did.

Recorded from Kafka 4.3.1 with Java consumers, one process each, one broker: range
assignor, heartbeats every 3 s, a session of 6 s, three repeats. Three members start, a
fourth joins, one closes, one is killed; each event comes 2.0 to 2.2 s after the last
callback. Times are milliseconds since the event.
"""

from collections.abc import Callable

import pytest

from tests.engine.sim.group_world import GroupWorld

Callbacks = list[tuple[float, int, str, list[int]]]

LOADING_MS = 200
"""What the real ones take longer: processes that have just begun load their classes."""
WORK_MS = 30
"""What real ones take for the work of a rebalance; here it takes none."""
PAUSE_MS = 2_100
"""From the last callback to the next event."""


class Timeline:
    """The four phases, and the callbacks of each."""

    def __init__(self) -> None:
        self.world = GroupWorld(
            4,
            6,
            delay_ms=3_000,
            joining={"session_timeout_ms": 6_000, "auto_commit_ms": 5_000},
        )
        members = self.world.members
        self.start = self.phase(self._start_three, at=0, until=8_000)
        self.join = self.phase(members[3].start)
        self.leave = self.phase(members[1].close)
        self.kill = self.phase(members[2].crash, until=10_000)

    def _start_three(self) -> None:
        for member in self.world.members[:3]:
            member.start()

    def phase(
        self, event: Callable[[], object], at: float | None = None, until: float = 2_000
    ) -> Callbacks:
        """Let it happen, and return the callbacks since then."""
        world = self.world
        if at is None:
            at = world.callbacks[-1][0] + PAUSE_MS
        world.run(at)
        before = len(world.callbacks)
        world.at(at, event)
        world.run(at + until)
        return [(when - at, *rest) for when, *rest in world.callbacks[before:]]  # type: ignore[misc]


@pytest.fixture(scope="module")
def timeline() -> Timeline:
    return Timeline()


def times(callbacks: Callbacks, what: str, *but: int) -> list[float]:
    return [
        at for at, member, kind, _ in callbacks if kind == what and member not in but
    ]


def owned(callbacks: Callbacks) -> dict[int, list[int]]:
    """Return what each member was assigned last."""
    return {member: what for _, member, kind, what in callbacks if kind == "assigned"}


def test_three_members_wait_six_seconds_at_the_start(timeline: Timeline) -> None:
    # Recorded: assigned after 6158 to 6184 ms.
    assert owned(timeline.start) == {0: [0, 1], 1: [2, 3], 2: [4, 5]}
    for at in times(timeline.start, "assigned"):
        assert 6_158 - LOADING_MS <= at <= 6_184


def test_a_fourth_one_joins_with_the_next_heartbeat(timeline: Timeline) -> None:
    # Recorded: revoked after 881 to 902 ms, assigned after 903 to 960 ms.
    assert owned(timeline.join) == {0: [0, 1], 1: [2, 3], 2: [4], 3: [5]}
    for at in times(timeline.join, "revoked"):
        assert 881 <= at <= 902
    for at in times(timeline.join, "assigned"):
        assert 903 - WORK_MS <= at <= 960


def test_one_that_closes_gives_up_what_it_has_at_once(timeline: Timeline) -> None:
    # Recorded: its own after 13 to 54 ms, those of the others after 889 to 914 ms,
    # assigned after 916 to 939 ms.
    own = [at for at, member, *_ in timeline.leave if member == 1]
    assert len(own) == 1 and own[0] <= 54
    assert owned(timeline.leave) == {0: [0, 1], 2: [2, 3], 3: [4, 5]}
    for at in times(timeline.leave, "revoked", 1):
        assert 889 - WORK_MS <= at <= 914
    for at in times(timeline.leave, "assigned"):
        assert 916 - WORK_MS <= at <= 939


def test_one_that_is_killed_is_missed_with_the_heartbeat_after_its_session(
    timeline: Timeline,
) -> None:
    # Recorded: assigned after 3930 ms, or after 6930 and 6943 where the heartbeats of
    # the others came first. A member was revoked its partitions with either.
    assert owned(timeline.kill) == {0: [0, 1, 2], 3: [3, 4, 5]}
    for at in times(timeline.kill, "revoked"):
        assert 3_912 - WORK_MS <= at <= 3_916 or 6_916 - WORK_MS <= at <= 6_925
    for at in times(timeline.kill, "assigned"):
        assert 3_929 - WORK_MS <= at <= 3_930 or 6_929 - WORK_MS <= at <= 6_943
