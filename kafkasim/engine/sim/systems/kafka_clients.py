"""Between a Kafka run and its clients: produce requests, settings, work along a log."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from kafkasim.config.consumer import ConsumerConfig
from kafkasim.engine.sim.broker import Broker
from kafkasim.engine.sim.calendar import Calendar, Rank, key_base
from kafkasim.engine.sim.fetch_session import PollSettings
from kafkasim.engine.sim.partition import WorkOf
from kafkasim.engine.sim.producer import Batch, ProducerClient
from kafkasim.engine.sim.request import PRODUCE, Connection, Request
from kafkasim.errors import ValidationError
from kafkasim.scenario.distributions import Distribution, Uniform
from kafkasim.scenario.systems import Kafka
from kafkasim.units import MISSING_NS, ns_from_ms


class ProduceRequests:
    """Carries one producer's requests to the brokers and their answers back.

    Parameters
    ----------
    calendar, actor
        Where arrivals go, and the producer's number among the run's actors.
    connections, brokers : sequences
        By broker index.
    first_partition : int
        Run-wide index of partition 0 of the producer's topic.
    wants_answers : bool
        False with acks=0.
    number_request, on_done : callables
        Called with a request when it is sent, and with it and the time of its answer
        when nothing more will happen to it.
    """

    def __init__(
        self,
        *,
        calendar: Calendar,
        actor: int,
        connections: Sequence[Connection],
        brokers: Sequence[Broker],
        first_partition: int,
        wants_answers: bool,
        number_request: Callable[[Request], None],
        on_done: Callable[[Request, int], None],
    ) -> None:
        self._calendar = calendar
        self._key = key_base(Rank.ARRIVAL, actor)
        self._connections = connections
        self._brokers = brokers
        self._first_partition = first_partition
        self._wants_answers = wants_answers
        self._number_request = number_request
        self._on_done = on_done
        self._producer: ProducerClient | None = None

    def __call__(
        self,
        producer: ProducerClient,
        node: int,
        batches: Sequence[Batch],
        size_bytes: int,
    ) -> None:
        """Send one request."""
        now_ns = self._calendar.now_ns
        connection = self._connections[node]
        request = Request(
            api=PRODUCE,
            connection=connection,
            sent_ns=now_ns,
            payload=batches,
            on_answer=self._answered if self._wants_answers else self._appended,
        )
        request.wants_answer = self._wants_answers
        request.size_bytes = size_bytes
        request.batch_count = len(batches)
        self._producer = producer
        self._number_request(request)
        for batch in batches:
            batch.partition_index = self._first_partition + batch.partition
        self._key += 1
        self._calendar.at(
            connection.up.transfer(now_ns, size_bytes),
            self._key,
            self._brokers[node].arrive,
            request,
        )

    def _answered(self, request: Request) -> None:
        """Take an answer at the client."""
        now_ns = self._calendar.now_ns
        for batch in request.payload:
            batch.acked_ns = now_ns
        self._on_done(request, now_ns)
        assert self._producer is not None
        self._producer.on_answer(request.connection.broker, request.payload)

    def _appended(self, request: Request) -> None:
        """Take note of an append that nobody is told of (acks=0)."""
        self._on_done(request, MISSING_NS)


def check_time_passes(system: Kafka) -> None:
    """Refuse empty fetches without end: no wait at the broker, no time on the way."""
    hardware = system.hardware
    if not (
        _is_nothing(hardware.cpu.request_ms) and _is_nothing(hardware.link.delay_ms)
    ):
        return
    for name, group in system.groups.items():
        if group.config.fetch_max_wait_ms == 0:
            raise ValidationError(
                f"system.groups.{name}.config.fetch_max_wait_ms",
                0,
                "at least 1 while link.delay_ms and cpu.request_ms are 0",
                "an idle member would fetch again and again at one moment",
            )


def _is_nothing(duration_ms: Distribution | float) -> bool:
    """Return whether it is always 0."""
    if isinstance(duration_ms, Uniform):
        return duration_ms.high == 0
    return duration_ms == 0


def poll_settings(config: ConsumerConfig) -> PollSettings:
    """Return a consumer's resolved settings in the engine's units."""
    return PollSettings(
        min_bytes=config.fetch_min_bytes,
        max_wait_ns=ns_from_ms(config.fetch_max_wait_ms),
        max_partition_bytes=config.max_partition_fetch_bytes,
        max_bytes=config.fetch_max_bytes,
        max_poll_records=config.max_poll_records,
        auto_commit_ns=ns_from_ms(config.auto_commit_interval_ms)
        if config.enable_auto_commit
        else None,
    )


def same_for_all(works: Sequence[NDArray[np.int64] | None]) -> int | None:
    """Return the work of every record in nanoseconds, None when they differ."""
    columns = [column for column in works if column is not None and len(column)]
    if not columns:
        return 0
    each = int(columns[0][0])
    return each if all((column == each).all() for column in columns) else None


def work_of_source(
    work_ns: NDArray[np.int64] | None, producer: ProducerClient
) -> WorkOf:
    """Return how to sum the work of a batch's first records.

    By a prefix sum along an append list that is known from the start, by a loop over
    one that grows.
    """
    if work_ns is None:
        return lambda _, __: 0
    if producer.lists_are_known:
        prefixes: dict[int, memoryview] = {}

        def from_prefix(batch: Batch, count: int) -> int:
            prefix = prefixes.get(batch.partition)
            if prefix is None:
                ordinals = np.asarray(producer.append_list(batch.partition))
                sums = np.concatenate([[0], np.cumsum(work_ns[ordinals])])
                prefix = prefixes[batch.partition] = sums.data
            return prefix[batch.lo + count] - prefix[batch.lo]

        return from_prefix
    column = work_ns.data

    def from_list(batch: Batch, count: int) -> int:
        ordinals = producer.append_list(batch.partition)[batch.lo : batch.lo + count]
        return sum([column[ordinal] for ordinal in ordinals])

    return from_list
