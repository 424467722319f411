"""The coordinators of groups on one broker: the host of their machines.

The rules are those of `kafkasim.protocol.groups.coordinator.coordinator_shard`, one
machine for each partition of `__consumer_offsets` that the broker leads. Here they get
a clock, a log and a network: what a machine writes is appended to the leader's log like
any record, and what it answers to that is sent when the high watermark has passed
(OF-6). When the broker comes to lead a partition the machine is made by replaying the
log; when it leads it no more it is dropped, and whoever waits is told so (OF-7). So a
coordinator moves with its leader, and nothing else is needed for that.

Sources: `GroupCoordinatorService`, `CoordinatorRuntime`, `CoordinatorLoaderImpl` (4.3).
With `group.coordinator.append.linger.ms` of −1, the default since 4.2, a batch is
appended as soon as the coordinator has nothing else to do: here at once. Reading the
log takes a broker as long as appending so many bytes.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from typing import Any

from kafkasim.engine.sim.calendar import Calendar, Rank, key_base
from kafkasim.engine.sim.coordinator_parts import (
    Batched,
    Coordinator,
    CoordinatorCalls,
    CoordinatorSettings,
    Hosting,
)
from kafkasim.engine.sim.group_requests import GroupRequest, error_of
from kafkasim.engine.sim.literal_batches import LiteralBatch, records_in
from kafkasim.engine.sim.partition import Partition
from kafkasim.engine.sim.request import FIND_COORDINATOR
from kafkasim.protocol.errors import (
    COORDINATOR_LOAD_IN_PROGRESS,
    COORDINATOR_NOT_AVAILABLE,
    NONE,
    NOT_COORDINATOR,
    REQUEST_TIMED_OUT,
)
from kafkasim.protocol.groups.coordinator.coordinator_answers import refusal, refused
from kafkasim.protocol.groups.coordinator_records import Record
from kafkasim.protocol.groups.group_messages import (
    Answer,
    CoordinatorFound,
    Effect,
    GroupChanged,
    OffsetCommit,
    Request,
    Response,
    Write,
    WriteFailed,
    Written,
)
from kafkasim.protocol.offsets_topic import offsets_partition
from kafkasim.units import NS_PER_MS


class Coordinators:
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
        self._calendar = calendar
        self._timer_key = key_base(Rank.TIMER, actor)
        self._broker = broker
        self._partitions = partitions
        self._number_of = {p.index: number for number, p in enumerate(partitions)}
        self._settings = settings
        self._calls = calls
        self._active: dict[int, Coordinator] = {}
        self._refused = NONE
        """Error that the last answer to nobody tells."""
        self._loading: dict[int, int] = {}
        """Partitions that are being loaded, and in which leader epoch."""

    @property
    def _now_ms(self) -> int:
        return self._settings.epoch_ms + self._calendar.now_ns // NS_PER_MS

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

    def _send(self, request: GroupRequest, response: Response) -> None:
        if request.connection.broken:
            return  # nobody is there any more
        request.answer = response
        request.error = error_of(response)
        self._broker.answer(request)

    def _answer(self, coordinator: Coordinator, answer: Answer) -> None:
        request = coordinator.open.pop(id(answer.request), None)
        if request is None:  # its time was over, or an administrator asks
            self._refused = error_of(answer.response)
            return
        self._calls.on_answered(request, answer.response)
        self._send(request, answer.response)

    def open_requests(self) -> list[GroupRequest]:
        """Return requests that wait for a coordinator's answer."""
        return [each for one in self._active.values() for each in one.open.values()]

    # --- effects ------------------------------------------------------------------

    def _do(self, coordinator: Coordinator, effects: Iterable[Effect]) -> None:
        """Do what a machine says; append what it writes, and set its next deadline."""
        for effect in effects:
            if isinstance(effect, Write):
                self._write(coordinator, effect)
            elif isinstance(effect, GroupChanged):
                self._calls.on_changed(effect)
            else:
                self._answer_in_turn(coordinator, effect)
        if coordinator.batch is not None and self._settings.linger_ns <= 0:
            self._flush(coordinator)
        self._arm(coordinator)

    def _answer_in_turn(self, coordinator: Coordinator, answer: Answer) -> None:
        """Answer; behind the writes under way, if need be (`waitForPendingWrites`)."""
        if answer.after_writes:
            behind = coordinator.batch
            if behind is None and coordinator.pending:
                behind = coordinator.pending[-1]
            if behind is not None:
                behind.answers.append(answer)
                return
        self._answer(coordinator, answer)

    def _write(self, coordinator: Coordinator, write: Write) -> None:
        """Put records into the batch that comes next."""
        batch = coordinator.batch
        if batch is None:
            now_ns = self._calendar.now_ns
            batch = Batched(now_ns + self._settings.write_timeout_ns)
            coordinator.batch = batch
            if self._settings.linger_ns > 0:
                self._at(
                    now_ns + self._settings.linger_ns,
                    self._linger_over,
                    (coordinator, batch, self._broker.incarnation),
                )
        batch.records += write.records
        batch.writes.append(write)

    def _linger_over(self, what: tuple[Coordinator, Batched, int]) -> None:
        coordinator, batch, incarnation = what
        is_there = self._is_there(coordinator, incarnation)
        if not is_there or coordinator.batch is not batch:
            return
        if not self._broker.holds(self._linger_over, what):
            self._flush(coordinator)

    def _flush(self, coordinator: Coordinator) -> None:
        """Append the batch (`flushCurrentBatch`)."""
        batched, coordinator.batch = coordinator.batch, None
        assert batched is not None
        number = self._number_of[coordinator.index]
        records = tuple(batched.records)
        encoded = [self._calls.encode(each) for each in records]
        now_ns = self._calendar.now_ns
        batch = LiteralBatch(number, coordinator.index, encoded, now_ns)
        coordinator.is_busy = True
        end = self._broker.append_records(batch)
        coordinator.is_busy = False
        if end < 0:
            self._fail(coordinator, batched, -1 - end)
            return
        self._calls.on_append(batch, records, coordinator.epoch)
        batched.end = end
        coordinator.pending.append(batched)
        self.advanced(coordinator.index)

    def _fail(self, coordinator: Coordinator, batched: Batched, error: int) -> None:
        """Tell the machine that a batch could not be appended."""
        for write in batched.writes:
            failed = WriteFailed(write, error)
            self._do(coordinator, coordinator.shard.handle(failed, self._now_ms))
        for answer in batched.answers:
            self._refuse(coordinator, answer, error)

    def _refuse(self, coordinator: Coordinator, answer: Answer, error: int) -> None:
        self._answer(coordinator, refused(answer.request, error))

    def advanced(self, index: int) -> None:
        """Answer what waited for the high watermark of a partition."""
        coordinator = self._active.get(index)
        if coordinator is None or coordinator.is_busy:
            return
        pending = coordinator.pending
        high_watermark = self._broker.replicas[index].log.high_watermark
        while pending and pending[0].end <= high_watermark:
            batched = pending.popleft()
            for write in batched.writes:
                for answer in write.answers:
                    self._answer(coordinator, answer)
                written = coordinator.shard.handle(Written(write), self._now_ms)
                self._do(coordinator, written)
            for answer in batched.answers:
                self._answer(coordinator, answer)
        if pending and not coordinator.timer_set:
            self._set_timer(coordinator)

    # --- time ---------------------------------------------------------------------

    def _at(self, at_ns: int, function: Callable[[Any], None], what: object) -> None:
        self._timer_key += 1
        self._calendar.at(at_ns, self._timer_key, function, what)

    def _set_timer(self, coordinator: Coordinator) -> None:
        """Look again when the oldest write has waited for too long."""
        coordinator.timer_set = True
        what = coordinator, self._broker.incarnation
        self._at(coordinator.pending[0].until_ns, self._write_over, what)

    def _write_over(self, what: tuple[Coordinator, int]) -> None:
        """Answer those that have waited for too long for their records' copies."""
        coordinator, incarnation = what
        if not self._is_there(coordinator, incarnation):
            return
        if self._broker.holds(self._write_over, what):
            return
        coordinator.timer_set = False
        now_ns = self._calendar.now_ns
        for batched in list(coordinator.pending):
            if batched.until_ns > now_ns:
                break
            writes, batched.writes = batched.writes, []
            answers, batched.answers = batched.answers, []
            batched.until_ns = now_ns + self._settings.write_timeout_ns
            for write in writes:
                failed = WriteFailed(write, REQUEST_TIMED_OUT, appended=True)
                self._do(coordinator, coordinator.shard.handle(failed, self._now_ms))
            for answer in answers:
                self._refuse(coordinator, answer, REQUEST_TIMED_OUT)
        if coordinator.pending and not coordinator.timer_set:
            self._set_timer(coordinator)

    def _is_there(self, coordinator: Coordinator, incarnation: int) -> bool:
        return (
            incarnation == self._broker.incarnation
            and self._active.get(coordinator.index) is coordinator
        )

    def _arm(self, coordinator: Coordinator) -> None:
        """Set the machine's next deadline, unless one is set that comes no later."""
        due_ms = coordinator.shard.next_deadline_ms
        armed_ms = coordinator.armed_ms
        if due_ms is None or (armed_ms is not None and armed_ms <= due_ms):
            return
        coordinator.armed_ms = due_ms
        at_ns = (due_ms - self._settings.epoch_ms) * NS_PER_MS
        what = coordinator, due_ms, self._broker.incarnation
        self._at(max(at_ns, self._calendar.now_ns + 1), self._due, what)

    def _due(self, what: tuple[Coordinator, int, int]) -> None:
        coordinator, due_ms, incarnation = what
        if not self._is_there(coordinator, incarnation):
            return
        if self._broker.holds(self._due, what):
            return
        if coordinator.armed_ms == due_ms:
            coordinator.armed_ms = None
        self._do(coordinator, coordinator.shard.handle_timeout(self._now_ms))

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
        """Drop a partition that this broker does not lead any more."""
        self._loading.pop(index, None)
        coordinator = self._active.pop(index, None)
        if coordinator is None:
            return
        opened, coordinator.open = coordinator.open, {}
        for request in opened.values():
            response = refusal(request.payload, NOT_COORDINATOR)
            self._calls.on_answered(request, response)
            self._send(request, response)

    def metadata_changed(self, topics: Collection[str]) -> None:
        """Take note that topics have other partitions than before, by name."""
        for coordinator in self._active.values():
            coordinator.shard.metadata_changed(topics)

    def crashed(self) -> None:
        """Forget all: the process has died."""
        self._loading.clear()
        self._active.clear()
