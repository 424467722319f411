"""The coordinators of groups on one broker: the host of their machines.

The rules are those of `kafkasim.protocol.groups.coordinator.coordinator_shard`, one
machine for each partition of `__consumer_offsets` that the broker leads. Here they get
a clock, a log and a network: what a machine writes is appended to the leader's log like
any record, and what it answers to that is sent when the high watermark has passed
(OF-6). When the broker comes to lead a partition the machine is made by replaying the
log; when it leads it no more it is dropped, and whoever waits is told so (OF-7). So a
coordinator moves with its leader, and nothing else is needed for that.

Sources: `GroupCoordinatorService`, `CoordinatorRuntime`, `CoordinatorLoaderImpl` (4.3).
Reading the log takes a broker as long as appending so many bytes.
"""

from collections.abc import Collection, Sequence
from dataclasses import replace

from kafkasim.engine.sim.calendar import Calendar
from kafkasim.engine.sim.coordinator_parts import (
    Coordinator,
    CoordinatorCalls,
    CoordinatorSettings,
    Hosting,
)
from kafkasim.engine.sim.coordinator_writes import WritingCoordinators
from kafkasim.engine.sim.group_requests import GroupRequest
from kafkasim.engine.sim.literal_batches import LiteralBatch, records_in
from kafkasim.engine.sim.partition import Partition
from kafkasim.engine.sim.request import FIND_COORDINATOR
from kafkasim.protocol.errors import (
    COORDINATOR_LOAD_IN_PROGRESS,
    COORDINATOR_NOT_AVAILABLE,
    NONE,
    NOT_COORDINATOR,
)
from kafkasim.protocol.groups.coordinator.coordinator_answers import refusal
from kafkasim.protocol.groups.coordinator_records import Record
from kafkasim.protocol.groups.group_messages import (
    CoordinatorFound,
    OffsetCommit,
    Request,
)
from kafkasim.protocol.offsets_topic import offsets_partition


class Coordinators(WritingCoordinators):
    """The coordinators of one broker.

    Parameters
    ----------
    calendar, actor
        Where its deadlines go, and its number among the run's actors.
    broker : Hosting
        The broker.
    partitions : sequence of Partition
        Of the topic, by number.
    settings, calls
        Its settings, and whom to tell what.
    """

    def __init__(
        self,
        *,
        calendar: Calendar,
        actor: int,
        broker: Hosting,
        partitions: "list[Partition]",
        settings: CoordinatorSettings,
        calls: CoordinatorCalls,
    ) -> None:
        super().__init__(
            calendar=calendar, actor=actor, broker=broker, partitions=partitions,
            settings=settings, calls=calls,
        )  # fmt: skip
        self._loading: dict[int, int] = {}
        """Partitions that are being loaded, and in which leader epoch."""

    # --- requests -----------------------------------------------------------------

    def take(self, request: GroupRequest) -> None:
        """Take a request that an IO thread has served."""
        message: Request = request.payload
        index = self._partitions[
            offsets_partition(message.group, len(self._partitions))
        ].index
        if request.api == FIND_COORDINATOR:
            node = self._broker.leader_of(index)
            error = NONE if node >= 0 else COORDINATOR_NOT_AVAILABLE
            self._send(request, CoordinatorFound(error=error, node=node))
            return
        if index in self._loading:
            self._send(request, refusal(message, COORDINATOR_LOAD_IN_PROGRESS))
            return
        coordinator = self._coordinator_of(index)
        if coordinator is None:
            self._send(request, refusal(message, NOT_COORDINATOR))
            return
        message = replace(message)  # one like it may be open
        coordinator.open[id(message)] = request
        request.payload = message
        self._do(coordinator, coordinator.shard.handle(message, self._now_ms))

    def keep(self, number: int, records: Sequence[Record]) -> bool:
        """Have records of before the run in the log of a partition, and load it.

        Return whether this broker leads it.
        """
        index = self._partitions[number].index
        replica = self._broker.replicas.get(index)
        if replica is None or replica.state is None:
            return False
        encoded = [self._calls.encode(each) for each in records]
        batch = LiteralBatch(number, index, encoded, self._calendar.now_ns)
        self._broker.append_records(batch)
        epoch = replica.state.leader_epoch
        self._calls.on_append(batch, tuple(records), epoch)
        self._begin(index, epoch)
        return True

    def administer(self, commit: OffsetCommit) -> int | None:
        """Store offsets for no member; return the error at once, None: not led here."""
        number = offsets_partition(commit.group, len(self._partitions))
        index = self._partitions[number].index
        if self._loading.get(index) is not None:
            return COORDINATOR_LOAD_IN_PROGRESS
        coordinator = self._coordinator_of(index)
        if coordinator is None:
            return None
        self._refused = NONE
        self._do(coordinator, coordinator.shard.handle(commit, self._now_ms))
        return self._refused

    def _coordinator_of(self, index: int) -> Coordinator | None:
        """Return the coordinator of a partition, if it is led here."""
        known = self._active.get(index)
        if known is not None:
            return known
        replica = self._broker.replicas.get(index)
        if replica is None or replica.state is None:
            return None
        return self._begin(index, replica.state.leader_epoch)

    # --- leaders that move ----------------------------------------------------------

    def elected(self, index: int) -> None:
        """Load a partition that this broker leads from now on."""
        self.resigned(index)
        replica = self._broker.replicas[index]
        state, log = replica.state, replica.log
        assert state is not None
        if log.log_end_offset == log.log_start_offset:
            return  # there is nothing to load: whoever comes first begins
        epoch = self._loading[index] = state.leader_epoch
        size_bytes = sum(segment.size_bytes for segment in log.segments)
        at_ns = self._calendar.now_ns + max(1, self._broker.reading_ns(size_bytes))
        self._at(at_ns, self._load, (index, epoch, self._broker.incarnation))

    def _load(self, what: tuple[int, int, int]) -> None:
        index, epoch, incarnation = what
        if incarnation != self._broker.incarnation or self._loading.get(index) != epoch:
            return
        if not self._broker.holds(self._load, what):
            del self._loading[index]
            self._begin(index, epoch)

    def _begin(self, index: int, epoch: int) -> Coordinator:
        """Make the machine of a partition by replaying its log."""
        shard = self._calls.new_shard(self._number_of[index])
        coordinator = self._active[index] = Coordinator(index, epoch, shard)
        decode = self._calls.decode
        records = records_in(self._broker.replicas[index].log)
        loaded = (decode(key, value) for key, value in records)
        self._do(coordinator, shard.load(loaded, self._now_ms))
        return coordinator

    def resigned(self, index: int) -> None:
        """Drop a partition that this broker leads no more (`onResignation`)."""
        self._loading.pop(index, None)
        coordinator = self._active.pop(index, None)
        if coordinator is not None:
            self._unload(coordinator)

    def metadata_changed(self, topics: Collection[str]) -> None:
        """Take note that topics have other partitions than before, by name."""
        for coordinator in self._active.values():
            coordinator.shard.metadata_changed(topics)

    def crashed(self) -> None:
        """Forget all: the process has died."""
        self._loading.clear()
        self._active.clear()
