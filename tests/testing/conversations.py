"""The stories of the transcripts: groups that talk, and where that is written down.

    python tests/testing/conversations.py

writes `docs/explanation/transcripts` anew. Commit that only if you understand every
line that has changed.
"""

import sys
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))  # when it is run as a file

from kafkasim.protocol.groups.member.member_settings import MemberSettings  # noqa: E402
from kafkasim.testing.group_conversation import GroupConversation  # noqa: E402

FOLDER = ROOT / "docs" / "explanation" / "transcripts"


def settings(
    name: str,
    *,
    assignor: str = "range",
    instance_id: str | None = None,
    auto_commit_ms: int | None = None,
) -> MemberSettings:
    return MemberSettings(
        group="g",
        client_id=name,
        topics=("orders",),
        assignors=(assignor,),
        instance_id=instance_id,
        auto_commit_ms=auto_commit_ms,
    )


def a_join() -> str:
    """Three members start one after another: a group has to wait 6 s (GR-1, GR-2)."""
    group = GroupConversation({"orders": 6})
    for number, at_ms in enumerate((0, 100, 200), 1):
        group.start(at_ms, f"m{number}", settings(f"m{number}"))
    return group.text(10_000)


def an_eager_rebalance() -> str:
    """A third member comes: everybody gives up all that it has (GR-6, GR-12)."""
    return _third_member("range")


def a_cooperative_rebalance() -> str:
    """The same with the cooperative protocol: two rebalances, one partition moves."""
    return _third_member("cooperative-sticky")


def _third_member(assignor: str) -> str:
    group = GroupConversation({"orders": 4})
    for name in ("m1", "m2"):
        one = settings(name, assignor=assignor, auto_commit_ms=60_000)
        group.start(0, name, one)
    group.start(10_000, "m3", settings("m3", assignor=assignor))
    return group.text(20_000, since_ms=10_000)


def a_fenced_zombie() -> str:
    """A process stands still for longer than its session, and then commits (GR-9)."""
    group = GroupConversation({"orders": 4})
    for name in ("m1", "m2"):
        group.start(0, name, settings(name, auto_commit_ms=50_000))
    group.freeze(10_000, "m1", 70_000)
    return group.text(80_000, since_ms=10_000)


def a_static_restart() -> str:
    """A static member goes and comes back: nobody else notices (GR-14)."""
    group = GroupConversation({"orders": 4})
    for name in ("m1", "m2"):
        group.start(0, name, settings(name, instance_id=f"host-{name}"))
    group.close(10_000, "m2")
    group.start(20_000, "m2", settings("m2", instance_id="host-m2"))
    return group.text(30_000)


def two_of_one_name() -> str:
    """Two processes with one instance id: the older one is fenced (GR-14)."""
    group = GroupConversation({"orders": 4})
    group.start(0, "old", settings("app", instance_id="host-1"))
    group.start(10_000, "new", settings("app", instance_id="host-1"))
    return group.text(20_000, since_ms=10_000)


def a_poll_that_took_too_long() -> str:
    """An application works for longer than `max.poll.interval.ms` (GR-8)."""
    group = GroupConversation({"orders": 4})
    for name in ("m1", "m2"):
        group.start(0, name, settings(name))
    group.work(10_000, "m1", 330_000)
    return group.text(340_000, since_ms=10_000)


def a_reconciliation() -> str:
    """KIP-848: a third member joins; one gives up first, nobody else stops (N8-4)."""
    group = GroupConversation({"orders": 6})
    for name in ("m1", "m2"):
        group.start(0, name, consumer(name))
    group.start(20_000, "m3", consumer("m3"))
    return group.text(26_000, since_ms=20_000)


def consumer(name: str) -> MemberSettings:
    return MemberSettings(
        group="g",
        client_id=name,
        topics=("orders",),
        assignors=(),
        auto_commit_ms=60_000,
    )


def a_coordinator_that_moves() -> str:
    """Another broker replays the group's partition, and nobody rebalances (OF-7)."""
    group = GroupConversation({"orders": 4}, brokers=2)
    for name in ("m1", "m2"):
        group.start(0, name, settings(name, auto_commit_ms=6_200))
    group.move(12_000, 1, loads_ms=300)
    return group.text(20_000, since_ms=12_000)


STORIES: dict[str, Callable[[], str]] = {
    "a-join": a_join,
    "an-eager-rebalance": an_eager_rebalance,
    "a-cooperative-rebalance": a_cooperative_rebalance,
    "a-fenced-zombie": a_fenced_zombie,
    "a-static-restart": a_static_restart,
    "two-of-one-name": two_of_one_name,
    "a-poll-that-took-too-long": a_poll_that_took_too_long,
    "a-reconciliation": a_reconciliation,
    "a-coordinator-that-moves": a_coordinator_that_moves,
}


def write() -> None:
    FOLDER.mkdir(exist_ok=True)
    for name, tell in STORIES.items():
        (FOLDER / f"{name}.txt").write_text(tell(), "utf-8")


if __name__ == "__main__":
    write()
