"""Both machines against a real broker and real consumers.

`rebalances.json` of a single broker of Kafka 4.3.1 with three Java consumers, a fourth
that joins, one that leaves and one that is killed; heartbeats every 5 s, a session of
6 s. The callbacks must come in the same order, and as late as there but for what a
process needs to start, to answer and to poll.
"""

from pathlib import Path

from kafkasim.protocol.groups.coordinator.consumer_heartbeat import (
    ConsumerGroupSettings,
)
from kafkasim.protocol.groups.coordinator.consumer_target import broker_assignors
from kafkasim.protocol.groups.member.member_settings import MemberSettings
from tests.protocol.groups.consumer_cluster import Cluster, Host

MEASURED = {
    "start": (10_261, 10_257, 10_214),
    "join": (5_098, 5_100, 5_154),
    "leave": (3_008, 3_048, 3_023),
    "kill": (5_916, 5_809, 5_775),
}
"""When each phase had settled, in ms since its cause; three repeats."""
JITTER_MS = {"start": 230, "join": 110, "leave": 110, "kill": 110}
"""What a process there may take longer or shorter: 138 to 224 ms from the start to the
first assignment; else up to 108 ms from a heartbeat to the callback, of which up to
50 ms are between two polls."""
PAGE = Path(__file__).parents[3] / "docs/explanation/consumer-protocol.md"
QUIET_MS = 2_050
"""Between the last event of a phase and the cause of the next."""


def settings(name: str) -> MemberSettings:
    return MemberSettings(group="group", client_id=name, topics=("rebalance",))


def cluster() -> Cluster:
    return Cluster(
        ConsumerGroupSettings(session_timeout_ms=6_000),
        broker_assignors(),
        {"rebalance": 6},
    )


def settled(run: Cluster, cause_ms: int) -> int:
    moves = [
        at_ms
        for host in run.hosts
        for at_ms, name, _ in host.callbacks
        if at_ms >= cause_ms and name != "closed"
    ]
    return max(moves) - cause_ms


def phase(run: Cluster, cause_ms: int, length_ms: int) -> int:
    run.run_to(cause_ms + length_ms)
    took_ms = settled(run, cause_ms)
    assert sum(len(host.owned) for host in run.hosts if host.alive) == 6
    return took_ms


def test_a_group_starts_grows_and_shrinks_as_slowly_as_on_a_real_broker() -> None:
    run = cluster()
    took_ms: dict[str, int] = {}
    hosts: list[Host] = [run.start(name, settings(name)) for name in ("m0", "m1", "m2")]
    took_ms["start"] = phase(run, 0, 11_000)
    joins_ms = took_ms["start"] + QUIET_MS
    run.run_to(joins_ms)
    hosts.append(run.start("m3", settings("m3")))
    took_ms["join"] = phase(run, joins_ms, 6_000)
    leaves_ms = joins_ms + took_ms["join"] + QUIET_MS
    run.run_to(leaves_ms)
    hosts[1].close()
    took_ms["leave"] = phase(run, leaves_ms, 4_000)
    dies_ms = leaves_ms + took_ms["leave"] + QUIET_MS
    run.run_to(dies_ms)
    hosts[2].alive = False
    hosts[2].owned.clear()
    took_ms["kill"] = phase(run, dies_ms, 7_000)
    for name, measured in MEASURED.items():
        late_ms = [each - took_ms[name] for each in measured]
        jitter_ms = JITTER_MS[name]
        assert all(abs(late) <= jitter_ms for late in late_ms), (name, took_ms)
        told = " ".join(f"{each:,}" for each in measured)
        assert f"| {told} | {took_ms[name]:,} |" in PAGE.read_text("utf-8")


def test_the_first_member_gives_up_at_its_next_heartbeat_and_others_get_it_then() -> (
    None
):
    run = cluster()
    hosts = [run.start(name, settings(name)) for name in ("m0", "m1", "m2")]
    run.run_to(11_000)
    first = next(host for host in hosts if len(host.callbacks[0][2]) == 6)
    assert [(name, len(parts)) for _, name, parts in first.callbacks] == [
        ("assigned", 6),
        ("revoked", 4),
        ("assigned", 0),
    ]
    for host in hosts:
        if host is not first:
            kinds = [(name, len(parts)) for _, name, parts in host.callbacks]
            assert kinds == [("assigned", 0), ("assigned", 2)]
