"""A Kafka run without per-record tables: blocks of records as they become final.

Appends and polls write their rows as ever. Each time a producer is about to let go of
records, the rows since the last time are laid over the records they are about, which
are still in the producers' windows, and go to a `Streamed` as blocks; rows that may be
needed again, because a group has yet to read those offsets, are kept until then.
"""

import struct
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from kafkasim.engine.sim.group import Group
from kafkasim.engine.sim.hand_outs import POLL_DTYPE, poll_work
from kafkasim.engine.sim.partition import Partition
from kafkasim.engine.sim.passes import Passes
from kafkasim.engine.sim.producer import Batch
from kafkasim.protocol.producing.batch import NEVER
from kafkasim.protocol.producing.columns import ranges
from kafkasim.result.schema import OUTCOMES
from kafkasim.result.streaming import Streamed
from kafkasim.result.streaming_blocks import PassedBlock, ProcessedBlock, RecordBlock
from kafkasim.result.table import Table
from kafkasim.scenario.scenario import Scenario
from kafkasim.units import MISSING_NS

if TYPE_CHECKING:
    from kafkasim.engine.sim.systems.kafka_cluster import KafkaCluster

Ints = NDArray[np.int64]

SOURCE_SHIFT: Final = 40
"""A record's row is its source's code and its ordinal, in one number."""

_PLACED: Final = struct.Struct("<iiqqiq")
_PLACED_DTYPE: Final = np.dtype(
    [
        ("partition", "<i4"),
        ("source", "<i4"),
        ("base_offset", "<i8"),
        ("lo", "<i8"),
        ("count", "<i4"),
        ("appended_ns", "<i8"),
    ]
)
_ACKED: Final = OUTCOMES["records"].index("acked")
_FAILED: Final = OUTCOMES["records"].index("failed")
_IN_FLIGHT: Final = OUTCOMES["records"].index("in_flight")


class KafkaStream:
    """Hands a run's records over, block by block.

    Parameters
    ----------
    cluster : KafkaCluster
        Whose records; its clients are made later.
    scenario : Scenario
        Resolved.
    """

    def __init__(self, cluster: "KafkaCluster", scenario: Scenario) -> None:
        sources = cluster.sources
        streams = sorted({source.stream for source in sources})
        self._cluster = cluster
        self._streamed = Streamed(
            scenario,
            streams=streams,
            subscribers=list(cluster.subscribers),
            topics=cluster.topics,
        )
        self._recorder = cluster.tables.recorder
        self._names = list(cluster.subscribers)
        self._topics = np.array([p.topic for p in cluster.partitions], np.int16)
        self._numbers = np.array([p.number for p in cluster.partitions], np.int32)
        self._streams = np.array([streams.index(s.stream) for s in sources], np.int16)
        lanes = cluster.traffic.lanes
        starts = [(lane.code << SOURCE_SHIFT) + lane.first for lane in lanes]
        self._row_starts = np.array(starts, np.int64)
        self._row_steps = np.array([lane.step for lane in lanes], np.int64)
        self._new = bytearray()
        self._kept = np.zeros(0, _PLACED_DTYPE)
        self._polls = 0
        self._refused: list[list[Ints]] = [[] for _ in sources]
        self._passes = Passes()

    def note_append(self, batch: Batch, partition: Partition) -> None:
        """Take note of what stands where in a log."""
        self._new += _PLACED.pack(
            partition.index,
            batch.source_index,
            batch.base_offset,
            batch.lo,
            batch.hi - batch.lo,
            batch.appended_ns,
        )

    def note_refused(self, source: int, created_ns: Ints) -> None:
        """Take note of records that the client refuses (PR-5)."""
        self._refused[source].append(created_ns)

    def flush(self) -> None:
        """Hand over what has become final."""
        now_ns = self._cluster.calendar.now_ns
        new = np.frombuffer(bytes(self._new), _PLACED_DTYPE)
        self._new.clear()
        self._hand_over_appended(new)
        self._kept = np.concatenate([self._kept, new])
        self._kept = self._kept[np.argsort(self._kept["partition"], kind="stable")]
        self._hand_over_refused(now_ns, _FAILED)
        rows = self._recorder.row_count("polls")
        if rows > self._polls:
            polls = self._recorder.rows("polls")[self._polls :].view(POLL_DTYPE).copy()
            self._polls = rows
            self._hand_over_processed(polls)
        begun = [m.begun_ns for ms in self._cluster.members.values() for m in ms]
        self._streamed.advance(min([now_ns - 1, *begun]))
        low = np.array([*map(self._cluster.low_offset, self._cluster.partitions)])
        ends = self._kept["base_offset"] + self._kept["count"]
        self._kept = self._kept[ends > low[self._kept["partition"]]]

    def pass_over(self, group: Group, positions: Mapping[int, int]) -> None:
        """Hand over what a group does not read that goes on at these offsets.

        What its logs do not hold any more has expired; the rest is skipped.
        """
        jumps = [
            (index, group.processed[index], position)
            for index, position in positions.items()
            if position > group.processed[index]
        ]
        if not jumps:
            return
        self.flush()
        index, begin, end = (np.array(column) for column in zip(*jumps, strict=True))
        logs = [self._cluster.partitions[i].log for i in index.tolist()]
        held = np.clip([log.log_start_offset for log in logs], begin, end)
        now_ns = self._cluster.calendar.now_ns
        self._hand_over_passed(
            self._streamed.expired, group, index, (begin, held), now_ns
        )
        self._hand_over_passed(
            self._streamed.skipped, group, index, (held, end), now_ns
        )

    def _expire(self, group: Group) -> None:
        """Hand over what left its logs and no reset has passed when the run ends.

        A member that is there holds what it has been given and not processed.
        """
        reached = dict(group.processed)
        if group.joined and group.up:
            for member in self._cluster.members[self._names[group.index]]:
                for number, position in member.positions.items():
                    reached[number] = max(reached[number], position)
        logs = {p.index: p.log for p in self._cluster.partitions}
        gone = [
            (number, offset, logs[number].log_start_offset)
            for number, offset in reached.items()
            if offset < logs[number].log_start_offset
        ]
        if gone:
            index, begin, end = (np.array(column) for column in zip(*gone, strict=True))
            self._hand_over_passed(
                self._streamed.expired, group, index, (begin, end), MISSING_NS
            )

    def _hand_over_passed(
        self,
        hand_over: Callable[[PassedBlock], None],
        group: Group,
        index: Ints,
        offsets: tuple[Ints, Ints],
        at_ns: int,
    ) -> None:
        """Hand over the records of some ranges of offsets, one for each partition."""
        begin, end = offsets
        source, place = self._located()
        starts, firsts = self._kept_bounds()
        begin = np.maximum(begin, firsts[index])
        at = ranges(starts[index] + begin - firsts[index], np.maximum(end - begin, 0))
        source = source[at]
        intended_ns = self._gather("intended_ns", source, place[at])
        hand_over(
            PassedBlock(
                np.full(len(at), group.index, np.int16),
                self._streams[source],
                intended_ns,
                np.full(len(at), at_ns, np.int64),
            )
        )

    def finish(self) -> dict[str, Table]:
        """Hand over the rest, the run having ended, and return what came of it all."""
        self.flush()
        cluster = self._cluster
        for group in cluster.groups.values():
            self._expire(group)
        for source, producer in enumerate(cluster.producers):
            accumulator = producer.accumulator
            left = accumulator.rest(cluster.lists[source].appended)
            self._hand_over_unsent(source, accumulator.column("intended_ns")[left])
            for block in accumulator.undrawn():
                kept = np.delete(block.created_ns, block.refused())
                self._hand_over_unsent(source, kept)
        self._hand_over_refused(cluster.calendar.now_ns, _FAILED)
        self._hand_over_refused(NEVER, _IN_FLIGHT)
        return self._streamed.finish()

    # --- records ------------------------------------------------------------------

    def _hand_over_appended(self, rows: NDArray[np.void]) -> None:
        for source, producer in enumerate(self._cluster.producers):
            mine = rows[rows["source"] == source]
            if not len(mine):
                continue
            counts = mine["count"].astype(np.int64)
            accumulator = producer.accumulator
            places = accumulator.places(
                self._numbers[mine["partition"]], mine["lo"], counts
            )
            index = np.repeat(mine["partition"], counts)
            self._streamed.records(
                RecordBlock(
                    np.full(len(places), self._streams[source], np.int16),
                    accumulator.column("intended_ns")[places],
                    np.repeat(mine["appended_ns"], counts),
                    self._topics[index],
                    self._numbers[index],
                    np.full(len(places), _ACKED, np.int8),
                )
            )

    def _hand_over_refused(self, until_ns: int, outcome: int) -> None:
        for source, waiting in enumerate(self._refused):
            if not waiting:
                continue
            times_ns = np.concatenate(waiting)
            here = times_ns <= until_ns
            self._refused[source] = [times_ns[~here]] if not here.all() else []
            self._hand_over_unsent(source, times_ns[here], outcome)

    def _hand_over_unsent(
        self, source: int, intended_ns: NDArray[np.int64], outcome: int = _IN_FLIGHT
    ) -> None:
        count = len(intended_ns)
        self._streamed.records(
            RecordBlock(
                np.full(count, self._streams[source], np.int16),
                intended_ns,
                np.full(count, MISSING_NS, np.int64),
                np.full(count, -1, np.int16),
                np.full(count, -1, np.int32),
                np.full(count, outcome, np.int8),
            )
        )

    # --- deliveries ---------------------------------------------------------------

    def _located(self) -> tuple[NDArray[np.int32], Ints]:
        """Return source and place of every record of the kept rows, in their order."""
        counts = self._kept["count"].astype(np.int64)
        source = np.repeat(self._kept["source"], counts)
        place = np.empty(len(source), np.int64)
        for code, producer in enumerate(self._cluster.producers):
            mine = self._kept["source"] == code
            if mine.any():
                rows = self._kept[mine]
                place[source == code] = producer.accumulator.places(
                    self._numbers[rows["partition"]], rows["lo"], counts[mine]
                )
        return source, place

    def _kept_bounds(self) -> tuple[Ints, Ints]:
        """Return per partition where its kept rows begin, as records and offsets."""
        per_partition = np.bincount(
            self._kept["partition"],
            self._kept["count"],
            minlength=len(self._numbers),
        ).astype(np.int64)
        starts = np.cumsum(per_partition) - per_partition
        firsts = np.array([p.log.log_end_offset for p in self._cluster.partitions])
        return starts, firsts - per_partition

    def _gather(
        self, name: str, source: NDArray[np.int32], place: Ints
    ) -> NDArray[np.int64]:
        """Return a column's number of each record."""
        values = np.empty(len(source), np.int64)
        for code, producer in enumerate(self._cluster.producers):
            column = producer.accumulator.column(name)
            if len(self._cluster.producers) == 1:
                return column[place].astype(np.int64, copy=False)
            mine = source == code
            values[mine] = column[place[mine]]
        return values

    def _hand_over_processed(self, polls: NDArray[np.void]) -> None:
        source_at, place_at = self._located()
        starts, firsts = self._kept_bounds()
        index, first = polls["partition"], polls["from_offset"]
        counts = polls["to_offset"] - first
        at = ranges(starts[index] + first - firsts[index], counts)
        source, place = source_at[at], place_at[at]
        subscriber = np.repeat(polls["group"], counts)
        work_ns = self._work(subscriber, source, place)
        _, ended_ns, outcome = poll_work(polls, counts, work_ns)
        earlier = self._passes.earlier(
            polls,
            counts,
            outcome == 0,
            {g.index for g in self._cluster.groups.values() if g.may_crash},
        )
        done = outcome == 0
        if not done.all():
            source, place, subscriber = source[done], place[done], subscriber[done]
            ended_ns, earlier = ended_ns[done], earlier[done]
        ordinal = self._gather("ordinal", source, place)
        self._streamed.processed(
            ProcessedBlock(
                subscriber,
                self._streams[source],
                self._gather("entity", source, place).astype(np.int32),
                self._row_starts[source] + self._row_steps[source] * ordinal,
                self._gather("intended_ns", source, place),
                np.ones(len(place), np.bool_),
                ended_ns,
                earlier,
            )
        )

    def _work(
        self, subscriber: NDArray[np.int16], source: NDArray[np.int32], place: Ints
    ) -> Ints:
        """Return the work on each record for its subscriber, nanoseconds."""
        work_ns = np.zeros(len(source), np.int64)
        for code, producer in enumerate(self._cluster.producers):
            blocks = self._cluster.sources[code]
            for group, name in enumerate(self._names):
                mine = np.flatnonzero((subscriber == group) & (source == code))
                if not len(mine):
                    continue
                each_ns = blocks.each_work_ns.get(name)
                if each_ns is None:
                    column = producer.accumulator.column(f"work/{name}")
                    work_ns[mine] = column[place[mine]]
                else:
                    work_ns[mine] = each_ns
        return work_ns
