"""What a producer does about failures: retries, moved leaders, batches out of time.

Source: `Sender` (clients). It begins with a failure and ends when everything is as it
was before: nothing is sent again, every partition has a leader whose connection is up,
and no metadata is being asked for. So a producer without failures does nothing for
them.

Several requests that fail together are all dealt with before anything is sent: the
sender handles all responses of a poll before its next turn.
"""

from collections.abc import Sequence
from typing import Protocol

from kafkasim.config.producer import ProducerConfig
from kafkasim.engine.sim.calendar import Calendar, Rank, key_base
from kafkasim.engine.sim.delivery import Delivery
from kafkasim.engine.sim.producer_outcomes import Outcomes
from kafkasim.engine.sim.request import Request
from kafkasim.protocol.errors import NONE
from kafkasim.protocol.producing.batch import Batch
from kafkasim.protocol.producing.careful import CarefulAccumulator
from kafkasim.protocol.producing.retries import Retries
from kafkasim.protocol.producing.sequences import Sequences
from kafkasim.units import ns_from_ms


class Client(Protocol):
    """A producer, as far as its care sees it."""

    partition_count: int

    def turn(self, may_send: Sequence[bool], in_flight: Sequence[int]) -> None:
        """Look and send after something failed or has changed."""
        ...


class Care:
    """A producer's way through failures.

    Parameters
    ----------
    calendar : Calendar
        Tells the time.
    actor : int
        The producer's number among the run's actors.
    config : ProducerConfig
        Resolved configuration.
    accumulator : CarefulAccumulator
        What waits to be sent.
    delivery : Delivery
        The client's other parts.
    sequences : Sequences or None
        With idempotence.
    client : Client
        The producer itself.

    Attributes
    ----------
    active : bool
        Something failed and is not over.
    """

    __slots__ = (
        "_accumulator",
        "_asked",
        "_calendar",
        "_client",
        "_config",
        "_delivery",
        "_delivery_timeout_ns",
        "_most_in_flight",
        "_node_count",
        "_outcomes",
        "_retries",
        "_sequences",
        "_touched",
        "_wake_key",
        "_waking",
        "active",
    )

    def __init__(
        self,
        *,
        calendar: Calendar,
        actor: int,
        config: ProducerConfig,
        accumulator: CarefulAccumulator,
        delivery: Delivery,
        sequences: Sequences | None,
        client: Client,
    ) -> None:
        self._calendar = calendar
        self._wake_key = key_base(Rank.WAKE, actor)
        self._config = config
        self._accumulator = accumulator
        self._delivery = delivery
        self._sequences = sequences
        self._client = client
        self._most_in_flight = config.max_in_flight_requests_per_connection
        self._delivery_timeout_ns = ns_from_ms(config.delivery_timeout_ms)
        self._node_count = len(accumulator.ready_ns)
        self._retries = Retries(sequences)
        self._outcomes = Outcomes(
            calendar=calendar,
            config=config,
            accumulator=accumulator,
            delivery=delivery,
            sequences=sequences,
            retries=self._retries,
        )
        self._touched: set[int] = set()
        """Partitions to look at again."""
        self._asked: set[int] = set()
        """Nodes without a connection that will say when to ask again."""
        self._waking = False
        self.active = False
        delivery.network.on_disconnect.append(self._disconnected)
        delivery.network.on_ready.append(self._ready)
        delivery.metadata.on_change.append(self._changed)

    @property
    def waking(self) -> bool:
        """Whether a turn of the sender comes at this very time."""
        return self._waking

    # --- beginning and end --------------------------------------------------------

    def begin(self, batches: Sequence[Batch] = ()) -> None:
        """Begin to take care.

        Parameters
        ----------
        batches : sequence of Batch
            Those that failed, if their request is no longer in flight.
        """
        if self.active:
            return
        self.active = True
        self._delivery.on_trouble()
        now_ns = self._calendar.now_ns
        in_flight = [*batches, *self._delivery.batches_in_flight()]
        self._note_epochs(in_flight)
        if self._sequences is not None:
            self._sequences.track(in_flight, self._positions())
        self._accumulator.care(self._retries, now_ns)

    def _end_if_over(self) -> None:
        network, metadata = self._delivery.network, self._delivery.metadata
        retries = self._retries
        if retries.fronts or retries.blocked or metadata.is_due:
            return
        if not all(n >= 0 and network.is_up(n) for n in set(metadata.leaders)):
            return
        if not self._delivery.is_plain():
            return
        if self._sequences is not None:
            if not self._sequences.calm():
                return
            self._sequences.rest(self._positions())
        self.active = False
        retries.muted.clear()
        self._asked.clear()
        self._accumulator.care(None, self._calendar.now_ns)

    def _positions(self) -> list[int]:
        count = self._client.partition_count
        return [self._accumulator.position(partition) for partition in range(count)]

    def crash(self) -> tuple[list[Batch], list[Request]]:
        """Lose what is in memory, and come back as a new session (ID-6).

        Returns
        -------
        lost : list of Batch
            What was not known to be acknowledged.
        requests : list of Request
            Those whose answers nobody will see.
        """
        self.begin()
        delivery = self._delivery
        requests = delivery.in_flight()
        lost = self._outcomes.abandon()
        delivery.network.start_anew()
        delivery.metadata.start_anew()
        self._retries.muted.clear()
        self._asked.clear()
        if self._sequences is not None:
            self._sequences.start_anew()
        self._touched.update(range(len(delivery.metadata.leaders)))
        self.wake()
        return lost, requests

    # --- sending ------------------------------------------------------------------

    def prepare(self, batches: Sequence[Batch]) -> None:
        """Write into drained batches what a broker and a failure want to know."""
        sequences = self._sequences
        if not self.active:
            if sequences is not None:
                sequences.stamp(batches)
            return
        self._note_epochs(batches)
        if sequences is not None:
            for batch in batches:
                sequences.drained(batch)
        if self._most_in_flight == 1 and self._config.acks != "0":
            self._retries.muted.update(batch.partition for batch in batches)

    def _note_epochs(self, batches: Sequence[Batch]) -> None:
        """Note under which leader epochs batches are sent.

        While nothing fails no epoch changes, and it is enough to do so afterwards.
        """
        epochs = self._delivery.metadata.epochs
        for batch in batches:
            batch.leader_epoch = epochs[batch.partition]

    def wanted(self, may_send: Sequence[bool]) -> list[bool]:
        """Return for which nodes to look when they are ready.

        Also for one whose connection is down: it is made when there is something to
        send (`Sender.sendProducerData`).
        """
        network = self._delivery.network
        now_ns = self._calendar.now_ns
        wanted = list(may_send)
        for node, ready_ns in enumerate(self._accumulator.ready_ns):
            if not network.is_up(node) and node not in self._asked:
                if ready_ns <= now_ns:
                    self._asked.add(node)
                    network.can_send(node, now_ns)
                else:
                    wanted[node] = True
        return wanted

    # --- answers ------------------------------------------------------------------

    def answered(
        self,
        batches: Sequence[Batch],
        errors: dict[int, int] | None,
        hints: dict[int, tuple[int, int]] | None,
    ) -> None:
        """Take the answer to a request.

        Parameters
        ----------
        batches : sequence of Batch
            What it carried.
        errors : dict or None
            Partition index → what it met.
        hints : dict or None
            Partition index → the present leader (KIP-951).
        """
        self.begin(batches)
        for batch in batches:
            error = NONE if errors is None else errors.get(batch.partition_index, NONE)
            self._outcomes.complete(batch, error)
            self._touched.add(batch.partition)
        if hints:
            self._delivery.metadata.take_hints(hints)
        self.wake()

    def failed(self, batches: Sequence[Batch], error: int) -> None:
        """Take note that a request gets no answer."""
        self.begin(batches)
        for batch in batches:
            self._outcomes.complete(batch, error)
            self._touched.add(batch.partition)
        self.wake()

    # --- time ---------------------------------------------------------------------

    def start(self) -> None:
        """Set the first deadlines; ask for leaders that are not known."""
        self._look_later(self._calendar.now_ns + self._delivery_timeout_ns)
        if min(self._delivery.metadata.leaders) < 0:
            self.begin()
            self._delivery.metadata.request_update(self._calendar.now_ns)

    def _look_later(self, time_ns: int) -> None:
        self._delivery.network.at(time_ns, self._look_for_old)

    def _look_for_old(self, _: object) -> None:
        """Fail what was not acknowledged in time (PR-35).

        Once each `delivery.timeout.ms` while nothing is that old.
        """
        now_ns = self._calendar.now_ns
        limit_ns = now_ns - self._delivery_timeout_ns
        if self._oldest_ns() <= limit_ns:
            self.begin()
            expired = self._outcomes.expire(limit_ns)
            self._touched.update(batch.partition for batch in expired)
            self.wake()
        oldest_ns = min(self._oldest_ns(), now_ns)
        self._look_later(oldest_ns + self._delivery_timeout_ns)

    def _oldest_ns(self) -> int:
        """Return when the oldest batch was opened that is not done."""
        return min(self._accumulator.oldest_ns(), self._delivery.oldest_ns())

    # --- what other parts say -----------------------------------------------------

    def _disconnected(self, _: int) -> None:
        self.begin()
        self.wake()

    def _ready(self, node: int) -> None:
        self._asked.discard(node)
        if self.active:
            self.wake()

    def _changed(self) -> None:
        """Take new leaders; what waits for one with a newer epoch waits no longer."""
        metadata = self._delivery.metadata
        now_ns = self._calendar.now_ns
        self.begin()
        self._accumulator.set_leaders(metadata.leaders, now_ns)
        if len(metadata.leaders) > self._client.partition_count:
            self._grow(len(metadata.leaders))
        self.wake()

    def _grow(self, partition_count: int) -> None:
        """Send to so many partitions from now on."""
        self._client.partition_count = partition_count
        if self._sequences is not None:
            self._sequences.grow(partition_count)
        self._delivery.on_grown(partition_count)

    def _skip_backoffs(self, now_ns: int) -> None:
        """Skip the backoff of what has a leader newer than its last one (PR-34)."""
        epochs = self._delivery.metadata.epochs
        for partition, front in self._retries.fronts.items():
            for batch in front:
                if batch.leader_epoch < epochs[partition] and batch.retry_ns > now_ns:
                    batch.retry_ns = now_ns
                    self._touched.add(partition)

    def wake(self) -> None:
        """Go on when all that happens at this time has happened."""
        if not self._waking:
            self._waking = True
            self._wake_key += 1
            now_ns = self._calendar.now_ns
            self._calendar.push((now_ns, self._wake_key, self._go_on, None))

    def _go_on(self, _: object) -> None:
        """Do a turn of the sender (`Sender.runOnce`)."""
        self._waking = False
        now_ns = self._calendar.now_ns
        if self._sequences is not None:
            self._sequences.resolve()
        self._skip_backoffs(now_ns)
        if self._most_in_flight == 1:
            self._mute()
        leaders = self._delivery.metadata.leaders
        nodes = {leaders[partition] for partition in self._touched} - {-1}
        self._touched.clear()
        self._accumulator.join(now_ns)
        self._accumulator.catch_up(now_ns)
        self._accumulator.look_again(nodes, now_ns)
        self._end_if_over()
        network = self._delivery.network
        in_flight = [network.in_flight(node) for node in range(self._node_count)]
        self._client.turn(
            [
                network.is_up(node) and count < self._most_in_flight
                for node, count in enumerate(in_flight)
            ],
            in_flight,
        )

    def _mute(self) -> None:
        """Mute the partitions that have something in flight (PR-30)."""
        muted = {batch.partition for batch in self._delivery.batches_in_flight()}
        self._touched |= muted ^ self._retries.muted
        self._retries.muted.clear()
        self._retries.muted.update(muted)
