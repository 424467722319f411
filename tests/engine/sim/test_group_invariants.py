"""What must hold of members that come and go is seen where it does not, on purpose."""

from dataclasses import replace
from typing import Literal

from kafkasim.config.consumer import ConsumerConfig
from kafkasim.engine.sim.group_invariants import (
    OneOwnerOfAnEpoch,
    Owned,
    OwnersPositionsRise,
)
from kafkasim.engine.sim.systems.coordinated import CoordinatedRun
from kafkasim.protocol.groups.group_messages import LEAVE_FOR_A_WHILE_EPOCH
from kafkasim.protocol.offsets_topic import offsets_partition
from kafkasim.scenario.arrivals import Periodic
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.systems import Group, Kafka, Topic
from kafkasim.scenario.traffic import Source, Subscriber, Traffic
from kafkasim.units import NS_PER_MS as MS
from tests.engine.sim.group_world import GroupWorld

REVOKED = "revoked before assigned"


def finished_run(protocol: Literal["classic", "consumer"]) -> CoordinatedRun:
    """Two members that have a partition each, in generation or epoch 1."""
    config = ConsumerConfig(group_protocol=protocol, auto_offset_reset="earliest")
    scenario = Scenario(
        Traffic(
            {"web": Source("orders", Periodic(20.0))},
            {"b": Subscriber(["orders"])},
            duration_s=12.0,
        ),
        system=Kafka(
            topics={"orders": Topic(partitions=2)},
            groups={"b": Group(members=2, start="cold", config=config)},
        ),
    )
    run = CoordinatedRun(scenario, scenario.plan(), check=True)
    run.run()
    return run


def broken(run: CoordinatedRun) -> set[str]:
    """Look, and return the rules that do not hold."""
    assert run.inspection is not None
    before = len(run.inspection.violations)
    run.inspection.inspect(now_ns=7)
    return {each.rule for each in run.inspection.violations[before:]}


def both_own(run: CoordinatedRun, *generations: int) -> None:
    """Let both have partition 0, in these generations or in their own."""
    members = run.joining("b")
    for member, generation in zip(members, generations, strict=True):
        run.owners[member.code, 0] = Owned(5, generation, 0)


def test_two_of_an_older_and_a_newer_epoch_own_one_partition() -> None:
    """N8-5: generations tell them apart, the coordinator does not."""
    run = finished_run("consumer")
    assert broken(run) == set()
    both_own(run, 1, 99)
    assert broken(run) == {REVOKED}

    # One that was removed may not know it yet.
    machine = run.joining("b")[0].machine
    assert machine is not None
    shard = run._shards[offsets_partition("b", 50)]
    known = shard.consumer.group("b").members
    member = known.pop(machine.member_id)
    assert run.inspection is not None
    run.inspection.violations.clear()
    assert broken(run) == set()

    # One that said it leaves for a while may work on what it has.
    known[machine.member_id] = replace(member, epoch=LEAVE_FOR_A_WHILE_EPOCH)
    assert broken(run) == set()


def test_of_a_classic_group_only_the_same_generation_counts() -> None:
    run = finished_run("classic")
    both_own(run, 1, 99)
    assert broken(run) == set()
    both_own(run, 1, 1)
    assert broken(run) == {"one owner"}


def test_one_that_was_replaced_has_to_hear_of_it_in_a_session_timeout() -> None:
    """GR-14: nothing is counted while it stands still."""
    world = GroupWorld(
        2, 1, instances=("one", "one"), joining={"session_timeout_ms": 10_000}
    )
    member = world.members[0]
    world.at(0, member.start)
    world.run(1_000)
    assert member.machine is not None
    owners = {(0, 0): Owned(0, 1, 0), (1, 0): Owned(999 * MS, 1, 0)}
    rule = OneOwnerOfAnEpoch([world.members], owners, lambda: world.calendar.now_ns)

    def seen_after(since: int, until: int) -> list[int]:
        return [
            now
            for now in range(since, until, 50)
            if world.run(now) == [] and list(rule.broken())
        ]

    assert seen_after(1_000, 4_000) == []
    member.pause(10_000 * MS)
    assert seen_after(4_000, 10_000) == []
    member.resume()
    first = seen_after(10_000, 20_000)[0]
    assert 10_000 + 7_000 < first < 10_000 + 7_500


def test_a_position_goes_back_while_nothing_is_reset() -> None:
    run = finished_run("classic")
    member = run.joining("b")[0]
    (partition,) = member.owned
    key = member.code, partition.index
    run.owners[key] = Owned(5, 1, 0)
    rule = OwnersPositionsRise([member], run.owners)
    assert list(rule.broken()) == []
    member.positions[partition.index] -= 1
    (found,) = rule.broken()
    assert found[0] == f"member {member.code}"

    # Another owner, or the same one anew, may begin anywhere.
    run.owners[key] = Owned(9, 1, 0)
    member.positions[partition.index] -= 1
    assert list(rule.broken()) == []
