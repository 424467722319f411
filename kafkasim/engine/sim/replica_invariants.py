"""What must hold of copies and leaders after every entry of the calendar."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet

from kafkasim.engine.sim.invariants import Invariant
from kafkasim.engine.sim.partition import Partition
from kafkasim.engine.sim.planned_batches import parts
from kafkasim.engine.sim.replica import Replica, contents_of
from kafkasim.engine.sim.replicated_broker import ReplicatedBroker
from kafkasim.protocol.cluster.replica import LeaderState
from kafkasim.protocol.producing.batch import Batch


def of_replicas(
    brokers: Sequence[ReplicatedBroker],
    partitions: Sequence[Partition],
    unused: AbstractSet[int] = frozenset(),
) -> list[Invariant]:
    """Return what must hold of them.

    Nobody looks at partitions, by index, that are `unused`.
    """
    return [
        LeadersHighWatermark(brokers, partitions, unused),
        CopiesAgree(brokers, partitions, unused),
        OneLeaderOfAnEpoch(brokers, unused),
    ]


def _leading(
    brokers: Sequence[ReplicatedBroker], unused: AbstractSet[int]
) -> Iterator[tuple[Replica, LeaderState]]:
    """Yield what brokers that run take themselves to lead."""
    for broker in brokers:
        for replica in broker.replicas.values():
            if replica.state is not None and replica.partition not in unused:
                yield replica, replica.state


def _name(partition: Partition, node: int) -> str:
    return f"topic {partition.topic} partition {partition.number}, broker {node + 1}"


class LeadersHighWatermark:
    """A leader's high watermark never goes back, nor passes a log end of its ISR.

    Of its maximal ISR (BR-11, BR-12).
    """

    rule = "high watermark"

    def __init__(
        self,
        brokers: Sequence[ReplicatedBroker],
        partitions: Sequence[Partition],
        unused: AbstractSet[int] = frozenset(),
    ) -> None:
        self._brokers = brokers
        self._partitions = partitions
        self._unused = unused
        self._last: dict[tuple[int, int, int], int] = {}

    def broken(self) -> Iterator[tuple[str, str]]:
        """Compare with the last look in the same epoch, and with the copies."""
        for replica, state in _leading(self._brokers, self._unused):
            partition = self._partitions[replica.partition]
            where = _name(partition, replica.node)
            high_watermark = replica.log.high_watermark
            key = replica.partition, replica.node, state.leader_epoch
            if high_watermark < self._last.get(key, 0):
                yield where, f"{self._last[key]} went back to {high_watermark}"
            self._last[key] = high_watermark
            if partition.leader != replica.node:
                continue  # another one leads, and this one does not know yet
            for node in state.maximal_isr:
                copy = partition.replicas[node]
                end = copy.log.log_end_offset
                if high_watermark > end and not copy.is_new:
                    yield (
                        where,
                        f"{high_watermark} > {end}, the end of broker {node + 1}",
                    )


class CopiesAgree:
    """What lies below the high watermark is the same in every log of the ISR."""

    rule = "copies agree"

    def __init__(
        self,
        brokers: Sequence[ReplicatedBroker],
        partitions: Sequence[Partition],
        unused: AbstractSet[int] = frozenset(),
    ) -> None:
        self._brokers = brokers
        self._partitions = partitions
        self._unused = unused

    def broken(self) -> Iterator[tuple[str, str]]:
        """Compare the last committed batch of each leader with that of its ISR."""
        for replica, state in _leading(self._brokers, self._unused):
            partition = self._partitions[replica.partition]
            offset = replica.log.high_watermark - 1
            if (
                partition.leader != replica.node
                or offset < replica.log.log_start_offset
            ):
                continue
            mine = _at(replica, offset)
            for node in state.isr:
                other = partition.replicas[node]
                if other is replica or other.log.log_start_offset > offset:
                    continue
                if other.is_new:
                    continue  # the leader has not heard of that yet
                found = _at(other, offset)
                compacted = partition.config.compacts and None in {mine, found}
                if found is not mine and not compacted:
                    yield _name(partition, node), f"another batch at offset {offset}"


def _at(replica: Replica, offset: int) -> Batch | None:
    """Return the batch, as appended, of which a log holds an offset."""
    for segment in reversed(replica.log.segments):
        if segment.base_offset <= offset:
            batches = contents_of(segment)
            number = bisect_right(batches.base_offsets, offset) - 1
            held = batches.batches[number] if number >= 0 else None
            if held is None or batches.end_offset(number) <= offset:
                return None
            return parts(held)[0]
    return None


class OneLeaderOfAnEpoch:
    """In one leader epoch no two brokers lead a partition."""

    rule = "one leader"

    def __init__(
        self,
        brokers: Sequence[ReplicatedBroker],
        unused: AbstractSet[int] = frozenset(),
    ) -> None:
        self._brokers = brokers
        self._unused = unused

    def broken(self) -> Iterator[tuple[str, str]]:
        """Look for a second one."""
        seen: dict[tuple[int, int], int] = {}
        for replica, state in _leading(self._brokers, self._unused):
            key = replica.partition, state.leader_epoch
            if key in seen:
                first = seen[key] + 1
                yield f"partition {key[0]}", f"brokers {first} and {replica.node + 1}"
            seen[key] = replica.node
