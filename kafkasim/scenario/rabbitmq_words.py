"""A RabbitMQ system in words."""

from collections.abc import Iterator, Mapping

from kafkasim.config.document import Document
from kafkasim.scenario.rabbitmq import Consumers, Exchange, Publisher, Queue, RabbitMQ

FILLED = "  (filled in)"


def rabbitmq_in_words(said: RabbitMQ, resolved: RabbitMQ) -> Iterator[str]:
    """Yield the lines by which `Scenario.describe` tells of a system, but for hardware.

    Parameters
    ----------
    said, resolved : RabbitMQ
        As it was said, and with everything filled in.
    """
    nodes = "1 node" if said.nodes == 1 else f"{said.nodes} nodes"
    yield f"System: RabbitMQ {said.rabbitmq_version}, {nodes}"
    for name, exchange in resolved.exchanges.items():
        yield f"  exchange {name}: {_exchange(exchange)}{_mark(name, said.exchanges)}"
    for name, publisher in resolved.publishers.items():
        words = _publisher(publisher)
        yield f"  publisher {name} → {words}{_mark(name, said.publishers)}"
    for name, queue in resolved.queues.items():
        yield f"  queue {name} ← {_queue(queue)}{_mark(name, said.queues)}"
    for name, consumers in resolved.consumers.items():
        words = _consumers(consumers)
        yield f"  consumers of {name}: {words}{_mark(name, said.consumers)}"


def _mark(name: str, said: Mapping[str, Document]) -> str:
    return "" if name in said else FILLED


def _exchange(exchange: Exchange) -> str:
    return exchange.type


def _publisher(publisher: Publisher) -> str:
    phrases = [f"exchange {publisher.exchange or 'of all queues'}"]
    if publisher.routing_key != Publisher().routing_key:
        phrases.append(f"routing key {publisher.routing_key}")
    phrases.append("confirms" if publisher.confirms else "no confirms")
    if publisher.max_unconfirmed is not None:
        phrases.append(f"at most {publisher.max_unconfirmed} unconfirmed")
    phrases += ["transient"] * (not publisher.persistent)
    phrases += ["mandatory"] * publisher.mandatory
    return ", ".join(phrases)


def _queue(queue: Queue) -> str:
    bound = [
        each.exchange + (f" {each.key!r}" if each.key else "")
        for each in queue.bindings
    ]
    phrases = [f"{', '.join(bound) or 'its own name'}: {queue.type}"]
    if queue.type == "quorum":
        limit = queue.delivery_limit
        phrases.append(f"{queue.members} copies")
        phrases.append(f"delivery limit {limit}" if limit >= 0 else "no delivery limit")
    phrases += ["not durable"] * (not queue.durable)
    phrases += ["declared at the start"] * (queue.declared == "start")
    phrases += ["a single active consumer"] * queue.single_active_consumer
    return ", ".join(phrases)


def _consumers(consumers: Consumers) -> str:
    phrases = [f"{consumers.count}, prefetch {consumers.prefetch or 'unlimited'}"]
    every = f" every {consumers.ack_every}" if consumers.ack_every > 1 else ""
    phrases.append(f"ack {consumers.ack}{every}")
    if consumers.failing_share:
        requeue = "" if consumers.requeue else " without requeue"
        phrases.append(
            f"{consumers.failing_share:.4g} of the work fails: "
            f"{consumers.on_failure}{requeue}"
        )
    if consumers.priorities:
        phrases.append(f"priorities {', '.join(map(str, consumers.priorities))}")
    return ", ".join(phrases)
