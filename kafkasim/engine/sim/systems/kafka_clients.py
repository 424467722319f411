"""Between a Kafka run and its clients: produce requests, settings, work along a log."""

from collections.abc import Callable, Sequence

from kafkasim.catalogue import say
from kafkasim.config.producer import ProducerConfig
from kafkasim.config.rules import INT64_MAX
from kafkasim.config.topic import TopicConfig
from kafkasim.engine.sim.broker import Broker
from kafkasim.engine.sim.calendar import Calendar, Rank, key_base
from kafkasim.engine.sim.client import NetworkClient, NetworkSettings
from kafkasim.engine.sim.client_metadata import MetadataSettings
from kafkasim.engine.sim.consumer import Member
from kafkasim.engine.sim.partition import Partition
from kafkasim.engine.sim.poll_settings import MANUAL, PollSettings
from kafkasim.engine.sim.producer import Batch, ProducerClient
from kafkasim.engine.sim.request import PRODUCE, Connection, Request
from kafkasim.engine.sim.systems.kafka_refusals import Refusal
from kafkasim.errors import ValidationError
from kafkasim.protocol.producing.accumulator import WorkOf
from kafkasim.scenario.blocks import SourceBlocks
from kafkasim.scenario.commit_mode import commit_every
from kafkasim.scenario.distributions import Distribution, Uniform
from kafkasim.scenario.draft import Draft
from kafkasim.scenario.groups import is_coordinated
from kafkasim.scenario.systems import Group, Kafka
from kafkasim.units import MISSING_NS, ns_from_ms


class ProduceRequests:
    """Carries one producer's requests to the brokers and their answers back.

    Parameters
    ----------
    calendar, actor
        Where arrivals go, and the producer's number among the run's actors.
    connections, brokers : sequences
        By broker index.
    topic : tuple of str and TopicConfig
        Name and resolved settings of the producer's topic.
    partitions : sequence of Partition
        Of its topic, by number; there may come to be more.
    wants_answers : bool
        False with acks=0.
    next_request_id : callable
        Gives the number of the next request.
    on_done : callable
        Called with a request and the time of its answer when nothing more will happen
        to it; the time is missing when no answer comes.
    expects_refusals : bool
        Whether brokers may refuse batches.
    network : NetworkClient, optional
        What sends them and knows when one fails; its `on_failed` must lead to `failed`,
        and `connections` must be its.
    """

    def __init__(
        self,
        *,
        calendar: Calendar,
        actor: int,
        connections: Sequence[Connection],
        brokers: Sequence[Broker],
        topic: tuple[str, TopicConfig],
        partitions: Sequence[Partition],
        wants_answers: bool,
        next_request_id: Callable[[], int],
        on_done: Callable[[Request, int], None],
        expects_refusals: bool,
        network: NetworkClient | None = None,
    ) -> None:
        self._calendar = calendar
        self._network = network
        self._expects_refusals = expects_refusals
        self._key = key_base(Rank.ARRIVAL, actor)
        self._connections = connections
        self._brokers = brokers
        self._topic = topic
        config = topic[1]
        self._most_bytes = min(config.max_message_bytes, config.most_segment_bytes)
        self._partitions = partitions
        self._wants_answers = wants_answers
        self._next_request_id = next_request_id
        self._on_done = on_done
        self._producer: ProducerClient | None = None

    def __call__(
        self,
        producer: ProducerClient,
        node: int,
        batches: Sequence[Batch],
        size_bytes: int,
    ) -> None:
        """Send one request.

        Raises
        ------
        Refusal
            A broker would refuse a batch in it, and nobody expects that.
        """
        now_ns = self._calendar.now_ns
        connection = self._connections[node]
        on_answer = self._answered if self._wants_answers else self._appended
        request = Request(PRODUCE, connection, now_ns, batches, on_answer)
        request.wants_answer = self._wants_answers
        request.size_bytes = size_bytes
        request.batch_count = len(batches)
        self._producer = producer
        request.request_id = self._next_request_id()
        for batch in batches:
            batch.partition_index = self._partitions[batch.partition].index
            if batch.size_bytes > self._most_bytes and not self._expects_refusals:
                raise Refusal(*self._topic, batch.size_bytes)
        if self._network is not None:
            self._network.send(request)
            return
        self._key += 1
        arrived_ns = connection.up.transfer(now_ns, size_bytes)
        arrive = self._brokers[node].arrive
        self._calendar.push((arrived_ns, self._key, arrive, request))

    def _answered(self, request: Request) -> None:
        """Take an answer at the client."""
        now_ns = self._calendar.now_ns
        assert self._producer is not None
        if self._network is None:
            for batch in request.payload:
                batch.acked_ns = now_ns
        elif not self._network.answered(request):
            return
        self._on_done(request, now_ns)
        if request.throttle_ns:
            node = request.connection.broker
            self._producer.hold_back(node, now_ns + request.throttle_ns)
        self._producer.on_answer(
            request.connection.broker, request.payload, request.errors, request.hints
        )

    def failed(self, request: Request) -> None:
        """Take note that a request gets no answer; its `error` says why."""
        self._on_done(request, MISSING_NS)
        assert self._producer is not None
        self._producer.on_failed(request.payload, request.error)

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
        waits = {
            "fetch_max_wait_ms": group.config.fetch_max_wait_ms,
            "fetch_min_bytes": group.config.fetch_min_bytes,
        }
        for setting in [each for each, value in waits.items() if value == 0]:
            raise ValidationError(
                f"system.groups.{name}.config.{setting}",
                0,
                say("at least 1 while link.delay_ms and cpu.request_ms are 0"),
                say("an idle member would fetch again and again at one moment"),
            )


def has_coordinators(scenario: Draft) -> bool:
    """Say whether the groups of a scenario need coordinators."""
    resolved = scenario.resolve()
    assert isinstance(resolved.system, Kafka)
    return is_coordinated(resolved.system, resolved.events)


def not_streamed() -> ValidationError:
    """Return the error of a run with coordinators that is to be streamed."""
    return ValidationError(
        "result",
        "streamed",
        say("'full' where a group starts cold or something befalls its members"),
        say("a record that may be handed out again is kept to the end"),
    )


def check_producers(system: Kafka, sources: Sequence[SourceBlocks]) -> None:
    """Refuse producers whose every send would throw.

    `BufferPool.allocate` throws where a batch is larger than all memory, and a send
    to a partition that is not there waits for it (`KafkaProducer.waitOnMetadata`).
    """
    for source in sources:
        producer = system.producers[source.source]
        path = f"system.producers.{source.source}"
        memory, batch = producer.config.buffer_memory, producer.config.batch_size
        if memory < batch:
            raise ValidationError(
                f"{path}.config.buffer_memory",
                memory,
                say("at least batch_size, {batch}", batch=batch),
                say("no batch could be opened; BufferPool.allocate"),
            )
        count = system.topics[source.stream].partitions
        if producer.partition is not None and producer.partition >= count:
            raise ValidationError(
                f"{path}.partition",
                producer.partition,
                say(
                    "less than {count}, the partitions of topic {stream}",
                    count=count,
                    stream=source.stream,
                ),
                say("a send would wait for it in vain; KafkaProducer.waitOnMetadata"),
            )


def _is_nothing(duration_ms: Distribution | float) -> bool:
    """Return whether it is always 0."""
    if isinstance(duration_ms, Uniform):
        return duration_ms.high == 0
    return duration_ms == 0


def poll_settings(
    group: Group, most_bytes: int = INT64_MAX, *, topics_grow: bool = False
) -> PollSettings:
    """Return the settings of a resolved group's members in the engine's units.

    No answer to them has more than `most_bytes`. Where topics grow they ask for
    metadata because of its age, too.
    """
    config = group.config
    every = commit_every(group.commit)
    return PollSettings(
        min_bytes=config.fetch_min_bytes,
        max_wait_ns=ns_from_ms(config.fetch_max_wait_ms),
        max_partition_bytes=config.max_partition_fetch_bytes,
        max_bytes=min(config.fetch_max_bytes, most_bytes),
        max_poll_records=config.max_poll_records,
        auto_commit_ns=ns_from_ms(config.auto_commit_interval_ms)
        if config.enable_auto_commit
        else None,
        commit=MANUAL if every else group.commit,
        commit_every=every,
        workers=group.workers,
        retry_backoff_ns=ns_from_ms(config.retry_backoff_ms),
        retry_backoff_max_ns=ns_from_ms(config.retry_backoff_max_ms),
        api_timeout_ns=ns_from_ms(config.default_api_timeout_ms),
        metadata_max_age_ns=ns_from_ms(config.metadata_max_age_ms)
        if topics_grow
        else 0,
        network=NetworkSettings(
            reconnect_backoff_ns=ns_from_ms(config.reconnect_backoff_ms),
            reconnect_backoff_max_ns=ns_from_ms(config.reconnect_backoff_max_ms),
            request_timeout_ns=ns_from_ms(config.request_timeout_ms),
        ),
    )


def network_settings(config: ProducerConfig) -> NetworkSettings:
    """Return what a producer's connections need of its settings."""
    return NetworkSettings(
        reconnect_backoff_ns=ns_from_ms(config.reconnect_backoff_ms),
        reconnect_backoff_max_ns=ns_from_ms(config.reconnect_backoff_max_ms),
        request_timeout_ns=ns_from_ms(config.request_timeout_ms),
        max_in_flight=config.max_in_flight_requests_per_connection,
    )


def metadata_settings(config: ProducerConfig) -> MetadataSettings:
    """Return what a producer's metadata need of its settings."""
    return MetadataSettings(
        retry_backoff_ns=ns_from_ms(config.retry_backoff_ms),
        retry_backoff_max_ns=ns_from_ms(config.retry_backoff_max_ms),
        reconnect_backoff_ns=ns_from_ms(config.reconnect_backoff_ms),
        max_age_ns=ns_from_ms(config.metadata_max_age_ms),
    )


def same_for_all(sources: Sequence[SourceBlocks], subscriber: str) -> int | None:
    """Return a subscriber's work on every record in nanoseconds, None if it differs."""
    read = [source for source in sources if subscriber in source.work_names]
    each = {source.each_work_ns.get(subscriber) for source in read}
    return each.pop() if len(each) == 1 else None if each else 0


def work_of_source(
    source: SourceBlocks, producer: ProducerClient, subscriber: str
) -> WorkOf:
    """Return how to sum a subscriber's work over a batch's first records."""
    if subscriber not in source.work_names:
        return lambda _, __: 0
    each_ns = source.each_work_ns.get(subscriber)
    if each_ns is not None:
        return lambda _, count: each_ns * count
    return producer.work_of(f"work/{subscriber}")


def running(members: Sequence[Member]) -> list[Member]:
    """Return those whose application no exception has ended."""
    return [member for member in members if member.up]


def counted(members: Sequence[Member]) -> str:
    """Return how many there are, in words."""
    return f"{len(members)} member{'s' * (len(members) != 1)}"
