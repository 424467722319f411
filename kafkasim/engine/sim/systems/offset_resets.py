"""An administrator sets what a group has committed.

As `kafka-consumer-groups.sh --reset-offsets --execute` does: an OffsetCommit of no
member and no generation, which a coordinator refuses while the group has members. An
offset that a partition does not have becomes the nearest that it has.

Source: `ConsumerGroupCommand.resetOffsets`, `checkOffsetsRange`,
`OffsetMetadataManager.validateOffsetCommit` (4.3).
"""

from kafkasim.config.offset_reset import reset_duration_ns
from kafkasim.engine.sim.partition import Partition
from kafkasim.engine.sim.systems.coordinated_groups import CoordinatedGroups
from kafkasim.log.reading import EARLIEST_TIMESTAMP, LATEST_TIMESTAMP
from kafkasim.protocol.errors import ERRORS, NONE
from kafkasim.protocol.groups.group_messages import CommittedOffset, OffsetCommit
from kafkasim.scenario.member_events import ResetOffsets
from kafkasim.units import NS_PER_MS

_SHOWN = 4
"""Of how many partitions the effect is written out."""


def reset_offsets(run: CoordinatedGroups, event: ResetOffsets, subscriber: str) -> str:
    """Ask the group's coordinator to store offsets; return what came of it in words."""
    group, topics = run.groups[subscriber], run.topics
    mine = [
        (partition, _offset(partition, event.to, run.calendar.now_ns))
        for partition in group.partitions
        if event.stream is None or topics[partition.topic] == event.stream
        if event.partition is None or partition.number == event.partition
    ]
    offsets = tuple(
        CommittedOffset(
            topic=topics[partition.topic], partition=partition.number, offset=offset
        )
        for partition, offset in mine
    )
    commit = OffsetCommit(group=subscriber, offsets=offsets)
    told = [coordinators.administer(commit) for coordinators in run.coordinators]
    error = next((each for each in told if each is not None), None)
    if error is None:
        return "refused: no broker coordinates the group"
    if error != NONE:
        return f"refused: {ERRORS[error]}"
    for partition, offset in mine:
        group.committed[partition.index] = offset
        run.pass_over(group, partition, offset)
    words = [f"{each.topic}-{each.partition} to {each.offset}" for each in offsets]
    more = len(words) - _SHOWN
    return "; ".join(words[:_SHOWN]) + (f"; and {more} more" if more > 0 else "")


def _offset(partition: Partition, to: int | str, now_ns: int) -> int:
    """Return the offset that is meant, or the nearest that there is."""
    log = partition.log
    end = log.high_watermark
    if isinstance(to, int):
        return min(max(to, log.log_start_offset), end)
    ago_ns = reset_duration_ns(to)
    if ago_ns is not None:
        timestamp_ms = max(0, (now_ns - ago_ns) // NS_PER_MS)
    else:
        timestamp_ms = LATEST_TIMESTAMP if to == "latest" else EARLIEST_TIMESTAMP
    found = log.offset_for_time(timestamp_ms, until="high_watermark")
    return end if found is None else found.offset
