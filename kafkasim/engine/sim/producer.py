"""A producer client: the accumulator, its sender, and the requests in flight.

The sender acts at the very moment a node becomes ready; Kafka's sender thread would,
within its loop (`Sender.runOnce`). A node that is ready and has fewer than
`max.in.flight.requests.per.connection` requests in flight is drained into one Produce
request (PR-27 to PR-29), again and again while that holds; several nodes that are ready
at one time take turns, by number. With one request in flight this is also Kafka's
muting of partitions (PR-30). With acks=0 no response is awaited, so a request is never
in flight and its batches are complete as they are sent (`NetworkClient
.handleCompletedSends`, PR-41).

At one time records are appended first, then the client's own deadline acts, then an
answer (ranks of the calendar). An answer frees the memory of its batches; an
application that waited for it goes on before the sender acts again.

What failures ask of it is in `producer_care`, which acts only while something failed.
"""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from kafkasim.config.producer import ProducerConfig
from kafkasim.engine.sim.accumulating import accumulator_of, settings_of
from kafkasim.engine.sim.calendar import Calendar, Rank, key_base
from kafkasim.engine.sim.delivery import Delivery
from kafkasim.engine.sim.producer_care import Care
from kafkasim.engine.sim.source_columns import Placing, SourceColumns
from kafkasim.protocol.producing.accumulator import WorkOf
from kafkasim.protocol.producing.batch import NEVER, Batch
from kafkasim.protocol.producing.buffer_pool import HandOver
from kafkasim.protocol.producing.careful import CarefulAccumulator
from kafkasim.protocol.producing.columns import Keeper, RecordBlocks, RecordColumns
from kafkasim.protocol.producing.joining import Application
from kafkasim.protocol.producing.partitioner import Draws
from kafkasim.protocol.producing.sequences import Sequences
from kafkasim.protocol.producing.sticky import StickyAccumulator
from kafkasim.scenario.blocks import SourceBlocks

__all__ = ["Batch", "Delivery", "ProducerClient"]


class ProducerClient:
    """One producer of one source, sending to one topic.

    Parameters
    ----------
    calendar : Calendar
        Where its deadlines go.
    actor : int
        Its number among the run's actors.
    source_index : int
        Position of its source in the plan, written into batches.
    source : SourceBlocks
        The source's records. They are created when they are intended.
    config : ProducerConfig
        Resolved configuration.
    topic_index : int
        Number of the topic in the run; for the engine.
    leaders : sequence of int
        Node that leads each partition of the topic.
    node_count : int
        Number of nodes.
    draws : numpy.random.Generator
        Its own stream, for sticky partitions.
    send : callable
        Called with (client, node, batches, size_bytes) at the moment of sending.
    next_batch_id : callable
        Gives the next batch number of the run.
    keeper : Keeper, optional
        Says which records are still needed; without one all are kept.
    on_block : callable, optional
        Called with each block of records as it is read; with None after the last.
    entity_codes : int32 array, optional
        Code of each of the source's entities, and −1; carried with the records as
        `entity`.
    hand_over : HandOver, optional
        Told how long the application waits for memory.
    delivery : Delivery, optional
        What it needs to meet failures; without it every request must be answered
        without an error.
    placing : Placing, optional
        How its records find their partitions, if not by key.
    application : Application, optional
        What hands over more records as the run goes on; told of final batches by the
        client where there is no `delivery`; `placing.by_record` must be set.

    Attributes
    ----------
    columns_of : callable
        Returns what the accumulator must know of a block of records.
    """

    __slots__ = (
        "_accumulator", "_application", "_armed_ns", "_calendar", "_care", "_delivery",
        "_held_until_ns", "_in_flight", "_may_send", "_most_in_flight",
        "_next_batch_id", "_on_block", "_refused", "_send", "_sequences", "_timer_key",
        "awaits_answers", "columns_of", "partition_count", "source_index",
        "topic_index",
    )  # fmt: skip

    def __init__(
        self,
        *,
        calendar: Calendar,
        actor: int,
        source_index: int,
        source: SourceBlocks,
        config: ProducerConfig,
        topic_index: int,
        leaders: Sequence[int],
        node_count: int,
        draws: np.random.Generator,
        send: Callable[["ProducerClient", int, list[Batch], int], None],
        next_batch_id: Callable[[], int],
        keeper: Keeper | None = None,
        on_block: Callable[[RecordColumns | None], None] | None = None,
        entity_codes: NDArray[np.int32] | None = None,
        hand_over: HandOver | None = None,
        delivery: Delivery | None = None,
        placing: Placing | None = None,
        application: Application | None = None,
    ) -> None:
        self._calendar = calendar
        self._timer_key = key_base(Rank.TIMER, actor)
        self._send, self._next_batch_id = send, next_batch_id
        self.source_index = source_index
        self.topic_index = topic_index
        self.partition_count = len(leaders)
        self.awaits_answers = config.acks != "0"
        """Whether the broker answers its requests (not with acks=0)."""
        self._most_in_flight = config.max_in_flight_requests_per_connection
        self._in_flight, self._may_send = [0] * node_count, [True] * node_count
        self._armed_ns = NEVER
        self._held_until_ns: dict[int, int] = {}
        self._refused: list[NDArray[np.int64]] = []
        self._on_block = on_block
        placing = placing or Placing()
        settings = settings_of(source_index, config, leaders, node_count, placing)
        columns_of = SourceColumns(source, config, len(leaders), entity_codes, placing)
        self.columns_of = columns_of
        blocks = RecordBlocks(self._read(source))
        self._application = application
        self._accumulator = accumulator_of(
            settings, blocks, Draws(draws), keeper, hand_over,
            by_record=placing.by_record or columns_of.decides_late,
        )  # fmt: skip
        self._accumulator.joiner = application
        self._delivery = delivery
        self._sequences: Sequences | None = None
        self._care = self._make_care(actor, config, delivery) if delivery else None

    def _make_care(
        self, actor: int, config: ProducerConfig, delivery: Delivery
    ) -> Care:
        if config.enable_idempotence:
            self._sequences = Sequences(
                delivery.producer_id, self.partition_count, delivery.new_producer_id
            )
        return Care(
            calendar=self._calendar,
            actor=actor,
            config=config,
            accumulator=self._accumulator,
            delivery=delivery,
            sequences=self._sequences,
            client=self,
        )

    def _read(self, source: SourceBlocks) -> Iterator[RecordColumns]:
        """Yield the source's blocks as the accumulator wants them."""
        first = 0
        for block in source:
            columns = self.columns_of(block)
            refused = columns.refused()
            if len(refused):
                self._refused.append(refused + first)
            first += len(block)
            if self._on_block is not None:
                self._on_block(columns)
            yield columns
        if self._on_block is not None:
            self._on_block(None)

    @property
    def refused(self) -> NDArray[np.int64]:
        """Ordinals of records that failed at once: MESSAGE_TOO_LARGE (PR-5)."""
        return np.concatenate([np.zeros(0, np.int64), *self._refused])

    @property
    def care(self) -> Care | None:
        """What it does about failures, if any can befall it."""
        return self._care

    @property
    def accumulator(self) -> CarefulAccumulator:
        """What waits in it, and the columns of the records it still knows."""
        return self._accumulator

    def ordinals_of(self, batch: Batch) -> NDArray[np.int64]:
        """Return the ordinals of a batch's records, which are appended one by one."""
        assert isinstance(self._accumulator, StickyAccumulator)
        return self._accumulator.ordinals_of(batch)

    def join(self) -> None:
        """Take in what the application hands over now, and send what is ready.

        Where failures are being dealt with, that comes with the next turn.
        """
        if self._care is not None and self._care.waking:
            return
        now_ns = self._calendar.now_ns
        self._accumulator.join(now_ns)
        self._accumulator.catch_up(now_ns)
        self._send_ready()

    def start(self) -> None:
        """Set the first deadlines."""
        if self._care is not None:
            self._care.start()
        self._arm()

    def on_answer(
        self,
        node: int,
        batches: Sequence[Batch],
        errors: dict[int, int] | None = None,
        hints: dict[int, tuple[int, int]] | None = None,
    ) -> None:
        """Take the answer to a request: its batches are acknowledged, or met errors.

        Parameters
        ----------
        node : int
            Who answered.
        batches : sequence of Batch
            What the request carried.
        errors : dict, optional
            Partition index → the error its batch met, a code of `protocol.errors`.
        hints : dict, optional
            Partition index → its leader and leader epoch, as the broker knows them.
        """
        care = self._care
        if care is not None and (care.active or errors is not None):
            care.answered(batches, errors, hints)
            return
        now_ns = self._calendar.now_ns
        accumulator = self._accumulator
        for batch in batches:
            batch.acked_ns = now_ns
        if self._delivery is not None:
            self._delivery.on_batches_done(batches)
        self._in_flight[node] -= 1
        is_news = accumulator.attentive or not self._may_send[node]
        if self._application is not None:
            if self._delivery is None:
                self._application.done(batches)
            accumulator.join(now_ns)
            is_news = True
        accumulator.answered(batches, now_ns)
        if is_news:
            accumulator.catch_up(now_ns)
            self._may_send[node] = node not in self._held_until_ns
            accumulator.look(self._may_send, now_ns)
            self._send_ready()

    def hold_back(self, node: int, until_ns: int) -> None:
        """Send nothing to a node until a time: it said so (KIP-219)."""
        self._held_until_ns[node] = until_ns
        self._may_send[node] = False
        self._timer_key += 1
        self._calendar.at(until_ns, self._timer_key, self._send_again, node)

    def _send_again(self, node: int) -> None:
        """Send to a node again, if it has not told to wait for longer since."""
        now_ns = self._calendar.now_ns
        if self._held_until_ns[node] > now_ns:
            return
        del self._held_until_ns[node]
        self._accumulator.catch_up(now_ns)
        if self._care is not None and self._care.active:
            self._care.wake()
        else:
            self._may_send[node] = self._in_flight[node] < self._most_in_flight
            self._accumulator.look(self._may_send, now_ns)
            self._send_ready()

    def on_failed(self, batches: Sequence[Batch], error: int) -> None:
        """Take note that a request gets no answer, and why."""
        assert self._care is not None
        self._care.failed(batches, error)

    def append_list(self, partition: int) -> NDArray[np.int32]:
        """Return the partition's append list: record ordinals in order of appending.

        A batch is its range [`lo`, `hi`). It begins where the keeper was given the
        records before. When some records have no key it grows during the run, and what
        lies beyond the batches that were sent may still change.
        """
        return self._accumulator.append_list(partition)

    def work_of(self, name: str) -> WorkOf:
        """Return how to sum a carried column over a batch's first records."""
        return self._accumulator.work_of(name)

    def finish(self, now_ns: int) -> list[Batch]:
        """Return the batches that wait to be sent, numbered; the run ends at `now_ns`.

        Those that were sent before come first and have their numbers. A batch that was
        open is closed by `cut` now. Records created later than `now_ns` are in none.
        """
        batches = self._accumulator.finish(now_ns)
        batches = self._accumulator.to_send_again() + batches
        for batch in batches:
            if batch.batch_id < 0:
                batch.batch_id = self._next_batch_id()
        return batches

    def _on_deadline(self, armed_ns: int) -> None:
        if armed_ns == self._armed_ns:
            self._armed_ns = NEVER
            if self._care is not None and self._care.waking:
                return  # the turn that comes looks at all
            if self._accumulator.attentive:
                self._accumulator.catch_up(self._calendar.now_ns)
            self._send_ready()

    def turn(self, may_send: Sequence[bool], in_flight: Sequence[int]) -> None:
        """Look and send after something failed or has changed.

        Parameters
        ----------
        may_send : sequence of bool
            Per node, whether another request may go to it.
        in_flight : sequence of int
            Per node, how many have no answer.
        """
        self._may_send[:] = may_send
        for node in self._held_until_ns:
            self._may_send[node] = False
        self._in_flight[:] = in_flight
        self._accumulator.look(self._may_send, self._calendar.now_ns)
        self._send_ready()

    def _send_ready(self) -> None:
        """Send to every node that is ready, in turns, until none is."""
        now_ns = self._calendar.now_ns
        ready_ns = self._accumulator.ready_ns
        may_send = self._may_send
        sent = True
        while sent:
            sent = False
            for node, may in enumerate(may_send):
                if may and ready_ns[node] <= now_ns:
                    self._send_request(node, now_ns)
                    sent = True
            if sent and (self._accumulator.attentive or not self.awaits_answers):
                if self._application is not None:
                    self._accumulator.join(now_ns)
                self._accumulator.catch_up(now_ns)
                self._accumulator.look(may_send, now_ns)
        self._arm()

    def _send_request(self, node: int, now_ns: int) -> None:
        batches = self._accumulator.drain(node, now_ns)
        if self._care is not None:
            self._care.prepare(batches)
            if not batches:
                return
        next_batch_id = self._next_batch_id
        size_bytes = 0
        for batch in batches:
            if batch.attempts == 0:
                batch.batch_id = next_batch_id()
            size_bytes += batch.size_bytes
        if self.awaits_answers:
            in_flight = self._in_flight[node] + 1
            self._in_flight[node] = in_flight
            self._may_send[node] = in_flight < self._most_in_flight
        else:
            for batch in batches:
                batch.acked_ns = now_ns
                self._accumulator.completed(batch)
            if self._delivery is not None:
                self._delivery.on_batches_done(batches)
            elif self._application is not None:
                self._application.done(batches)
        self._send(self, node, batches, size_bytes)

    def _arm(self) -> None:
        """Set the next deadline, unless one that is set comes no later."""
        look_at: Sequence[bool] = self._may_send
        if self._care is not None and self._care.active:
            look_at = self._care.wanted(self._may_send)
        wake_ns = self._accumulator.look_ahead(look_at, self._calendar.now_ns)
        if wake_ns < self._armed_ns:
            self._armed_ns = wake_ns
            self._timer_key += 1
            self._calendar.push((wake_ns, self._timer_key, self._on_deadline, wake_ns))
