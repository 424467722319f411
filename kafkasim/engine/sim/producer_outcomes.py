"""What becomes of a batch: acknowledged, sent again, split, failed, or out of time.

Source: `Sender.completeBatch` and what it calls (clients).
"""

from kafkasim.config.producer import ProducerConfig
from kafkasim.engine.sim.calendar import Calendar
from kafkasim.engine.sim.delivery import Delivery
from kafkasim.protocol.backoff import Backoff
from kafkasim.protocol.errors import (
    MESSAGE_TOO_LARGE,
    NONE,
    REQUEST_TIMED_OUT,
    RETRIABLE,
    STALE_METADATA,
)
from kafkasim.protocol.producing.batch import Batch
from kafkasim.protocol.producing.careful import CarefulAccumulator
from kafkasim.protocol.producing.retries import Retries
from kafkasim.protocol.producing.sequences import Sequences
from kafkasim.units import ns_from_ms


class Outcomes:
    """Decides what becomes of a producer's batches while it takes care.

    Parameters
    ----------
    calendar : Calendar
        Tells the time.
    config : ProducerConfig
        Resolved configuration.
    accumulator : CarefulAccumulator
        What waits to be sent.
    delivery : Delivery
        The client's other parts.
    sequences : Sequences or None
        With idempotence; tracking.
    retries : Retries
        Where a batch goes that is sent again.
    """

    __slots__ = (
        "_accumulator",
        "_backoff",
        "_calendar",
        "_config",
        "_delivery",
        "_delivery_timeout_ns",
        "_retries",
        "_sequences",
    )

    def __init__(
        self,
        *,
        calendar: Calendar,
        config: ProducerConfig,
        accumulator: CarefulAccumulator,
        delivery: Delivery,
        sequences: Sequences | None,
        retries: Retries,
    ) -> None:
        self._calendar = calendar
        self._config = config
        self._accumulator = accumulator
        self._delivery = delivery
        self._sequences = sequences
        self._retries = retries
        self._delivery_timeout_ns = ns_from_ms(config.delivery_timeout_ms)
        self._backoff = Backoff(
            ns_from_ms(config.retry_backoff_ms),
            ns_from_ms(config.retry_backoff_max_ms),
            delivery.draws,
        )

    def complete(self, batch: Batch, error: int) -> None:
        """Finish a batch whose request is over, or put it back."""
        now_ns = self._calendar.now_ns
        is_done = batch.error != NONE
        if error == NONE:
            if self._sequences is not None:
                self._sequences.completed(batch)
            if not is_done:
                batch.acked_ns = now_ns
                self._delivery.on_batches_done((batch,))
            self._accumulator.completed(batch)
            return
        if is_done:  # it has expired
            self._accumulator.completed(batch)
        elif error == MESSAGE_TOO_LARGE and batch.hi - batch.lo > 1:
            self._split(batch)
        elif self._may_retry(batch, error):
            self._put_back(batch, now_ns)
        else:
            self._fail(batch, error)
        if error in STALE_METADATA:
            self._delivery.metadata.request_update(now_ns)

    def _may_retry(self, batch: Batch, error: int) -> bool:
        """Return whether a batch is sent again (`Sender.canRetry`)."""
        age_ns = self._calendar.now_ns - batch.opened_ns
        if (
            age_ns >= self._delivery_timeout_ns
            or batch.attempts >= self._config.retries
        ):
            return False
        if self._sequences is not None:
            return self._sequences.may_retry(batch, error)
        return error in RETRIABLE

    def _put_back(self, batch: Batch, now_ns: int) -> None:
        batch.attempts += 1
        batch.last_attempt_ns = now_ns
        backoff_ns = self._backoff.draw_tested_ns(batch.attempts - 1)
        batch.retry_ns = now_ns + backoff_ns
        self._retries.put_back(batch)

    def _split(self, batch: Batch) -> None:
        """Put a batch back in parts; no retry is counted (PR-39, `splitAndReenqueue`).

        Parts of `batch.size`; of half the batch, or its largest record, where it came
        from a split already. They are closed, and as old as the batch.
        """
        target = self._config.batch_size
        if batch.parent_id >= 0:
            target = max(self._accumulator.largest_bound(batch), batch.size_bytes // 2)
        parts = self._accumulator.split(batch, target)
        if self._sequences is not None:
            self._sequences.split(batch, parts)
        for part in reversed(parts):
            self._retries.put_back(part)
        batch.error = MESSAGE_TOO_LARGE
        self._accumulator.completed(batch)
        self._delivery.on_split(batch)

    def _fail(self, batch: Batch, error: int) -> None:
        batch.error = error
        if self._sequences is not None:
            is_certain = batch.attempts < self._config.retries
            self._sequences.failed(batch, error, is_certain=is_certain)
        self._accumulator.completed(batch)
        self._delivery.on_batches_done((batch,))

    def abandon(self) -> list[Batch]:
        """Lose all that is in memory: its process has crashed. Return it.

        What is in flight may be in a log or come to be in one; nobody will know.
        """
        in_flight = [
            batch for batch in self._delivery.batches_in_flight() if batch.error == NONE
        ]
        now_ns = self._calendar.now_ns
        lost = in_flight + self._accumulator.expire(now_ns, now_ns)
        for batch in lost:
            self._accumulator.completed(batch)
        return lost

    def expire(self, limit_ns: int) -> list[Batch]:
        """Fail the batches opened up to `limit_ns`; return them (PR-35).

        Their error is the code of a `TimeoutException`. What is in flight keeps its
        memory until its request is over.
        """
        in_flight = self._delivery.expired(limit_ns)
        queued = self._accumulator.expire(limit_ns, self._calendar.now_ns)
        for batch in queued:
            self._accumulator.completed(batch)
        expired = queued + in_flight
        for batch in expired:
            batch.error = REQUEST_TIMED_OUT
            if self._sequences is not None:
                self._sequences.expired(batch)
        self._delivery.on_batches_done(expired)
        return expired
