"""A topic gets more partitions while a run goes on.

An administrator asks the controller (`kafka-topics --alter --partitions`,
`ReplicationControlManager.createPartitions`); it places them, brokers learn of them
with the metadata, and each client with the next metadata that it asks for: because of
their age (`metadata.max.age.ms`), or because something has failed.
"""

from collections.abc import Sequence
from functools import partial

from kafkasim.engine.sim.growing_member import GrowingMember
from kafkasim.engine.sim.owning_member import OwningMember
from kafkasim.engine.sim.systems.kafka_cluster import KafkaCluster
from kafkasim.engine.sim.systems.kafka_replication import placed_in_turn
from kafkasim.ids import member_name
from kafkasim.protocol.assignors import assign_range
from kafkasim.protocol.cluster import controller_messages as messages
from kafkasim.protocol.errors import ERRORS, NONE
from kafkasim.scenario.events import AddPartitions

_SHOWN = 4
"""Of how many partitions the effect is written out."""


def add_partitions(run: KafkaCluster, event: AddPartitions, topic: str) -> str:
    """Ask the controller for more partitions; return what came of it in words."""
    replication = run.replication
    assert replication is not None
    before = len(run.by_topic[topic])
    error = replication.host.add_partitions(
        partial(_request, run, event, topic), partial(_take_up, run, topic)
    )
    if error is None:
        return "there is no controller: it is asked again until there is one"
    if error != NONE:
        return f"refused: {ERRORS[error]}"
    added = run.by_topic[topic][before:]
    told = [f"partition {p.number} on {_brokers(list(p.replicas))}" for p in added]
    more = len(told) - _SHOWN
    return "; ".join(told[:_SHOWN]) + (f"; and {more} more" if more > 0 else "")


def _brokers(nodes: Sequence[int]) -> str:
    names = ", ".join(str(node + 1) for node in nodes)
    return f"broker{'s' * (len(nodes) > 1)} {names}"


def _request(
    run: KafkaCluster, event: AddPartitions, topic: str
) -> messages.AddPartitions | None:
    """Return what to ask the controller for; None when there are as many already."""
    there = run.by_topic[topic]
    numbers = range(len(there), event.to)
    if not numbers:
        return None
    by_hand: tuple[tuple[int, ...], ...] = ()
    if run.system.placement != "striped":
        by_hand = tuple(placed_in_turn(run.system, topic, numbers))
    return messages.AddPartitions(there[0].index, len(numbers), by_hand)


def _take_up(run: KafkaCluster, topic: str, changed: messages.Changed) -> None:
    """Make the partitions that the controller has decided on."""
    readers = [name for name in run.groups if topic in run.subscribers[name].streams]
    for index, state in changed.partitions:
        partition = run.add_partition(topic, state.replicas, state.leader)
        assert partition.index == index
        for name in readers:
            run.groups[name].add(partition)
        for broker in run.replicated_brokers:
            broker.expect(state)
        for node, replica in partition.replicas.items():
            run.log_managers[node].add(replica)
    for name in readers:
        if run.groups[name].joined:
            # Until its leader looks the group is not stuck.
            expires_ns = [each.metadata.expires_ns for each in _lookers(run, name)]
            run.timeline.expect(max(expires_ns, default=0))


def leader_of(run: KafkaCluster, group: str) -> GrowingMember:
    """Return the member that leads a group: the first by name."""
    member = run.members[group][0]
    assert isinstance(member, GrowingMember)
    return member


def _lookers(run: KafkaCluster, group: str) -> list[GrowingMember | OwningMember]:
    """Return the members whose metadata matter: any that joins may lead its group."""
    members = run.members[group]
    joining = [each for each in members if isinstance(each, OwningMember)]
    return [*joining] if joining else [leader_of(run, group)]


def watch(run: KafkaCluster, group: str) -> None:
    """Let the leader of a group see partitions that are added.

    Members that join see them by themselves.
    """
    if not isinstance(run.members[group][0], OwningMember):
        leader_of(run, group).metadata.on_new = partial(_discover, run, group)


def look_anew(run: KafkaCluster, group: str) -> None:
    """Let the leader of a group that begins ask what there is, if there is more."""
    if isinstance(run.members[group][0], OwningMember):
        return
    owned = sum(len(member.owned) for member in run.members[group])
    if owned < len(run.groups[group].partitions):
        leader_of(run, group).ask_for_metadata()


def _discover(run: KafkaCluster, group: str, new: dict[int, tuple[int, int]]) -> None:
    """Share new partitions out among the members, as the range assignor does."""
    members = {
        member_name(group, number): member
        for number, member in enumerate(run.members[group], start=1)
    }
    taken = {p.index for member in members.values() for p in member.owned}
    mine: dict[str, list[int]] = {}
    for index in sorted(set(new) - taken):
        mine.setdefault(run.topics[run.partitions[index].topic], []).append(index)
    shares = assign_range(
        {name: list(mine) for name in members},
        {topic: len(indices) for topic, indices in mine.items()},
    )
    for name, share in shares.items():
        member = members[name]
        assert isinstance(member, GrowingMember)
        for topic, number in share:
            index = mine[topic][number]
            member.take_over(run.partitions[index], *new[index])
