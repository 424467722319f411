"""What a scenario does to streams and records.

An administrator asks leaders to delete records, or the controller for partitions.

Source: `ReplicaManager.deleteRecords`, `Partition.deleteRecordsOnLeader` (LG-23).
"""

from collections.abc import Callable
from typing import Final

from kafkasim.engine.sim.partition import Partition
from kafkasim.engine.sim.replicated_broker import ReplicatedBroker
from kafkasim.engine.sim.systems.added_partitions import add_partitions
from kafkasim.engine.sim.systems.kafka_cluster import KafkaCluster
from kafkasim.engine.sim.systems.stuck_records import told
from kafkasim.errors import LogError
from kafkasim.ids import Target
from kafkasim.log.trimmable_log import HIGH_WATERMARK
from kafkasim.scenario.events import AddPartitions, DeleteRecords, Event
from kafkasim.scenario.member_events import StuckRecord

_SHOWN: Final = 4
"""Of how many partitions the effect is written out."""


def stream_event(
    run: KafkaCluster, event: Event
) -> Callable[[Event, Target, int], str] | None:
    """Return what does an event at a stream or a record, None of any other event."""
    if isinstance(event, AddPartitions):
        return lambda _, target, __: add_partitions(run, event, target.name)
    if isinstance(event, DeleteRecords):
        return lambda _, target, __: _delete_records(run, event, target.name)
    if isinstance(event, StuckRecord) and run.plan is not None:
        lanes = [each for each in run.traffic.lanes if each.source == event.source]
        mine = [run.plan.sources[each.name] for each in lanes]
        count = None if mine[0].law else sum(map(len, mine))
        return lambda *_: told(event, count)
    return None


def _delete_records(run: KafkaCluster, event: DeleteRecords, topic: str) -> str:
    """Let logs begin at a later offset; return what came of it in words."""
    told = [
        f"partition {partition.number} {_delete(run, event, partition)}"
        for partition in run.by_topic[topic]
        if event.partition in {None, partition.number}
    ]
    more = len(told) - _SHOWN
    return "; ".join(told[:_SHOWN]) + (f"; and {more} more" if more > 0 else "")


def _delete(run: KafkaCluster, event: DeleteRecords, partition: Partition) -> str:
    broker = run.brokers[partition.leader]
    if isinstance(broker, ReplicatedBroker) and partition.home.state is None:
        return "has no leader: nothing is deleted"
    offset = HIGH_WATERMARK if event.to == "high_watermark" else int(event.to)
    manager = run.log_managers[partition.leader]
    try:
        start = manager.delete_records(partition.home, offset)
    except LogError as error:
        return f"refuses: {error.code}"
    if isinstance(broker, ReplicatedBroker):
        broker.tell_start(partition.index)
    return f"begins at {start}"
