"""How a coordinator's host writes what its machine decides, and answers in turn.

What a machine writes goes into a batch, which is appended when it has lingered, or when
the next write would make it too large (`CoordinatorContext.append`). With
`group.coordinator.append.linger.ms` of −1, the default since 4.2, it is appended as
soon as the coordinator has nothing else to do: here at once. A write that is too large
by itself is refused by the log, and whoever waits for it is told (`flushCurrentBatch`,
`failCurrentBatch`).

Source: `CoordinatorRuntime` (4.3).
"""

from collections.abc import Callable, Iterable
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
from kafkasim.engine.sim.literal_batches import LiteralBatch, records_bytes
from kafkasim.engine.sim.partition import Partition
from kafkasim.log.header import HEADER_BYTES
from kafkasim.protocol.errors import NONE, NOT_COORDINATOR, REQUEST_TIMED_OUT
from kafkasim.protocol.groups.coordinator.coordinator_answers import refused
from kafkasim.protocol.groups.group_messages import (
    Answer,
    Effect,
    GroupChanged,
    Response,
    Write,
    WriteFailed,
    Written,
)
from kafkasim.units import NS_PER_MS


class WritingCoordinators:
    """The coordinators of one broker, as far as they write and answer.

    Parameters
    ----------
    calendar, actor, broker, partitions, settings, calls
        As of `Coordinators`.
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

    @property
    def _now_ms(self) -> int:
        return self._settings.epoch_ms + self._calendar.now_ns // NS_PER_MS

    # --- answers ------------------------------------------------------------------

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
        """Put records into the batch that comes next.

        Those of one write stay together (`isAtomic`): if they might not fit, by an
        upper bound that counts a header of their own, what is there goes first.
        """
        encoded = [self._calls.encode(each) for each in write.records]
        most_bytes = self._broker.most_bytes(coordinator.index)
        batch = coordinator.batch
        if batch is not None and (
            batch.size_bytes + HEADER_BYTES + records_bytes(encoded) > most_bytes
        ):
            self._flush(coordinator)
            batch = None
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
        batch.size_bytes += records_bytes(encoded, len(batch.records))
        batch.records += write.records
        batch.encoded += encoded
        batch.writes.append(write)
        if batch.size_bytes >= most_bytes:
            self._flush(coordinator)

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
        now_ns = self._calendar.now_ns
        batch = LiteralBatch(number, coordinator.index, batched.encoded, now_ns)
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

    def _unload(self, coordinator: Coordinator) -> None:
        """Let whoever waits know that this is no coordinator any more.

        Writes under way fail first, then the machine answers whoever waits for a
        rebalance (`CoordinatorContext.unload`). What it says of its groups is nobody's
        any more.
        """
        under_way = [*coordinator.pending]
        if coordinator.batch is not None:
            under_way.append(coordinator.batch)
        now_ms, shard = self._now_ms, coordinator.shard
        for batched in under_way:
            for write in batched.writes:
                failed = WriteFailed(write, NOT_COORDINATOR)
                self._only_answer(coordinator, shard.handle(failed, now_ms))
            for answer in batched.answers:
                self._refuse(coordinator, answer, NOT_COORDINATOR)
        self._only_answer(coordinator, shard.unload(now_ms))

    def _only_answer(self, coordinator: Coordinator, effects: Iterable[Effect]) -> None:
        for effect in effects:
            if isinstance(effect, Answer):
                self._answer(coordinator, effect)

    # --- time ---------------------------------------------------------------------

    def _at(self, at_ns: int, function: Callable[[Any], None], what: object) -> None:
        self._timer_key += 1
        self._calendar.at(at_ns, self._timer_key, function, what)

    def _set_timer(self, coordinator: Coordinator) -> None:
        """Look again when the oldest write has waited for too long.

        That may be over while the broker stood still.
        """
        coordinator.timer_set = True
        what = coordinator, self._broker.incarnation
        at_ns = max(coordinator.pending[0].until_ns, self._calendar.now_ns + 1)
        self._at(at_ns, self._write_over, what)

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
