"""Rebalances of the machines against those of a real broker and its consumers.

Kafka 4.3.1 on one machine: range, six partitions, `session.timeout.ms` 6 s,
`heartbeat.interval.ms` 3 s. Three members start at once, a fourth one joins, one
leaves, one is killed, each 2.0 to 2.2 s after the last callback. Times are until the
last member has its partitions, in three repeats.
"""

from collections.abc import Callable
from functools import cache

import pytest

from kafkasim.protocol.groups.member.member_settings import MemberSettings
from kafkasim.testing.group_conversation import GroupConversation

MEASURED_MS = {
    "start": (6184, 6167, 6172),
    "join": (945, 921, 960),
    "leave": (920, 921, 939),
    "kill": (6930, 3930, 6943),
}
OWNED = {
    "start": {"m0": [0, 1], "m1": [2, 3], "m2": [4, 5]},
    "join": {"m0": [0, 1], "m1": [2, 3], "m2": [4], "m3": [5]},
    "leave": {"m0": [0, 1], "m2": [2, 3], "m3": [4, 5]},
    "kill": {"m0": [0, 1, 2], "m3": [3, 4, 5]},
}
JITTER_MS = 200
"""Slack of the measurement: the gap before a cause, and the first requests of a JVM."""
GAP_MS = 2_100


@cache
def played() -> dict[str, tuple[int, dict[str, list[int]]]]:
    """Return, by cause, how long the group took, and who owned what then."""
    group = GroupConversation({"orders": 6})

    def start(at_ms: int, name: str) -> None:
        one = MemberSettings(
            group="g",
            client_id=name,
            topics=("orders",),
            assignors=("range",),
            session_timeout_ms=6_000,
        )
        group.start(at_ms, name, one)

    def start_three(at_ms: int) -> None:
        for name in ("m0", "m1", "m2"):
            start(at_ms, name)

    def settled_ms(since_ms: int, members: int) -> int:
        """When so many have their partitions; time goes no further."""
        for now_ms in range(since_ms, since_ms + 10_000, 5):
            if group.text(now_ms, since_ms).count("onPartitionsAssigned") == members:
                return now_ms
        raise AssertionError(since_ms)

    causes: dict[str, Callable[[int], object]] = {
        "start": start_three,
        "join": lambda at_ms: start(at_ms, "m3"),
        "leave": lambda at_ms: group.close(at_ms, "m1"),
        "kill": lambda at_ms: group.crash(at_ms, "m2"),
    }
    found = {}
    at_ms = 0
    for cause, happens in causes.items():
        happens(at_ms)
        settled = settled_ms(at_ms, len(OWNED[cause]))
        owned = {
            name: [number for _, number in partitions]
            for name, partitions in group.owned.items()
        }
        found[cause] = (settled - at_ms, owned)
        at_ms = settled + GAP_MS
    return found


@pytest.mark.parametrize("cause", MEASURED_MS)
def test_the_machines_take_the_time_that_a_real_group_takes(cause: str) -> None:
    took_ms, owned = played()[cause]

    assert owned == OWNED[cause]
    assert min(abs(took_ms - real_ms) for real_ms in MEASURED_MS[cause]) < JITTER_MS
