"""A producer's connections, metadata and requests, wired to each other."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from kafkasim.config.producer import ProducerConfig
from kafkasim.config.topic import TopicConfig
from kafkasim.engine.sim.broker import Broker
from kafkasim.engine.sim.calendar import Calendar
from kafkasim.engine.sim.client import NetworkClient, NetworkSettings
from kafkasim.engine.sim.client_metadata import ClientMetadata, MetadataSettings
from kafkasim.engine.sim.delivery import Delivery
from kafkasim.engine.sim.partition import Partition
from kafkasim.engine.sim.producer import Batch
from kafkasim.engine.sim.request import Connection, Request
from kafkasim.engine.sim.systems.kafka_clients import ProduceRequests
from kafkasim.scenario.streams import stream
from kafkasim.units import MISSING_NS, ns_from_ms


@dataclass(frozen=True, kw_only=True)
class DeliveryCalls:
    """What a producer's requests call in its run."""

    next_request_id: Callable[[], int]
    """Gives the number of the next request."""
    on_done: Callable[[Request, int], None]
    """Takes a request with batches and the time of its answer, missing without one."""
    on_metadata: Callable[[Request, int], None]
    """Takes a METADATA request, likewise."""
    on_batches_done: Callable[[Sequence[Batch]], object]
    """Takes batches that are final, acknowledged or not."""
    new_producer_id: Callable[[], int]
    """Gives a producer id that nobody has."""


def wire_delivery(
    *,
    calendar: Calendar,
    actor: int,
    source: str,
    seed: int,
    config: ProducerConfig,
    topic: tuple[str, TopicConfig],
    partitions: Sequence[Partition],
    connections: Sequence[Connection],
    brokers: Sequence[Broker],
    calls: DeliveryCalls,
) -> tuple[ProduceRequests, Delivery]:
    """Return what sends a producer's batches, and what meets their failures.

    Parameters
    ----------
    calendar, actor
        Where arrivals and deadlines go, and the producer's number among the actors.
    source, seed
        Name of the source and seed of the scenario: of the client's own streams, for
        the choice of a node to ask, and the jitter of reconnects and retries.
    config : ProducerConfig
        Resolved configuration.
    topic : tuple of str and TopicConfig
        Name and resolved settings of the producer's topic.
    partitions : sequence of Partition
        Of that topic, by number.
    connections, brokers : sequences
        By broker index.
    calls : DeliveryCalls
        What it calls.
    """

    def failed(request: Request) -> None:
        if metadata.failed(request):
            calls.on_metadata(request, MISSING_NS)
        else:
            send.failed(request)

    reconnect_ns = ns_from_ms(config.reconnect_backoff_ms)
    network = NetworkClient(
        calendar=calendar,
        actor=actor,
        connections=list(connections),
        brokers=brokers,
        settings=NetworkSettings(
            reconnect_backoff_ns=reconnect_ns,
            reconnect_backoff_max_ns=ns_from_ms(config.reconnect_backoff_max_ms),
            request_timeout_ns=ns_from_ms(config.request_timeout_ms),
            max_in_flight=config.max_in_flight_requests_per_connection,
        ),
        draws=stream(seed, f"connections/{source}"),
        on_failed=failed,
    )
    metadata = ClientMetadata(
        calendar=calendar,
        network=network,
        partitions=[partition.index for partition in partitions],
        leaders=[partition.leader for partition in partitions],
        settings=MetadataSettings(
            retry_backoff_ns=ns_from_ms(config.retry_backoff_ms),
            retry_backoff_max_ns=ns_from_ms(config.retry_backoff_max_ms),
            reconnect_backoff_ns=reconnect_ns,
        ),
        draws=stream(seed, f"metadata/{source}"),
        next_request_id=calls.next_request_id,
        on_done=calls.on_metadata,
    )
    send = ProduceRequests(
        calendar=calendar,
        actor=actor,
        connections=network.connections,
        brokers=brokers,
        topic=topic,
        first_partition=partitions[0].index,
        wants_answers=config.acks != "0",
        next_request_id=calls.next_request_id,
        on_done=calls.on_done,
        network=network,
    )
    delivery = Delivery(
        network=network,
        metadata=metadata,
        draws=stream(seed, f"retries/{source}"),
        on_batches_done=calls.on_batches_done,
        producer_id=calls.new_producer_id() if config.enable_idempotence else -1,
        new_producer_id=calls.new_producer_id,
    )
    return send, delivery
