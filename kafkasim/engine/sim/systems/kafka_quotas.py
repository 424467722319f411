"""How long a broker makes clients wait that are over their quotas.

The records of a source and its producer, and a subscriber and its members, are one
client of Kafka each: they share a client id, and so their quotas, at every broker.
"""

from collections.abc import Callable, Mapping, Sequence

from kafkasim.config.rules import INT64_MAX
from kafkasim.engine.sim.calendar import Calendar
from kafkasim.engine.sim.request import FETCH, FETCH_FOLLOWER, PRODUCE, Request
from kafkasim.protocol.cluster.quotas import (
    BrokerLimits,
    BrokerQuotas,
    Limits,
    QuotaSettings,
)
from kafkasim.scenario.systems import Group, Kafka, Producer
from kafkasim.units import NS_PER_MS


def quota_pauses(
    system: Kafka,
    clients: Mapping[str, str],
    groups: Mapping[str, Sequence[str]],
    client_code: Callable[[str], int],
    calendar: Calendar,
) -> Callable[[Request], int] | None:
    """Return what gives the pauses of one broker; None if no client has a quota.

    Parameters
    ----------
    system : Kafka
        Resolved.
    clients : mapping of str to str
        Name of each producer's client → its source; several instances share one.
    groups : mapping of str to list of str
        Subscriber → names of the members of its group.
    client_code : callable
        Returns a client's code as a sender of requests.
    calendar : Calendar
        Tells the time.
    """
    limits = _limits(system)
    if not (limits.produce or limits.fetch or limits.request):
        return None
    quotas = BrokerQuotas(limits, _settings(system))
    names = {}
    for name, source in clients.items():
        names[client_code(f"source:{name}")] = f"source:{source}"
    for name, members in groups.items():
        for member in members:
            names[client_code(f"member:{member}")] = f"subscriber:{name}"

    def pause_ns(request: Request) -> int:
        if request.api == FETCH_FOLLOWER:
            return 0  # a follower has no quota
        client = names[request.connection.client]
        now_ms = calendar.now_ns // NS_PER_MS
        size_bytes, thread_ns = request.size_bytes, request.thread_ns
        if request.api == PRODUCE:
            none = not request.wants_answer
            pause_ms = quotas.produced(
                client, size_bytes, thread_ns, now_ms, acks_none=none
            )
        elif request.api == FETCH:
            pause_ms = quotas.fetched(client, size_bytes, thread_ns, now_ms)
        else:
            pause_ms = quotas.other(client, thread_ns, now_ms)
        return pause_ms * NS_PER_MS

    return pause_ns


def most_bytes_at_once(system: Kafka, subscriber: str) -> int:
    """Return the most bytes that a broker answers a member (QU-2).

    What its quota gives it in all complete windows (`KafkaApis.handleFetchRequest`).
    """
    quotas = BrokerQuotas(_limits(system), _settings(system))
    return quotas.fetch_max_bytes(f"subscriber:{subscriber}", INT64_MAX)


def _settings(system: Kafka) -> QuotaSettings:
    config = system.broker_config
    return QuotaSettings(
        windows=config.quota_window_num,
        window_ms=config.quota_window_size_seconds * 1_000,
    )


def _limits(system: Kafka) -> BrokerLimits:
    """Return what is set for the clients of a cluster."""
    limits = BrokerLimits()
    clients: list[tuple[str, Producer | Group, Limits]] = [
        (f"source:{name}", producer, limits.produce)
        for name, producer in system.producers.items()
    ]
    clients += [
        (f"subscriber:{name}", group, limits.fetch)
        for name, group in system.groups.items()
    ]
    for name, client, bytes_of in clients:
        bytes_of.set((None, name), client.byte_rate_quota)
        limits.request.set((None, name), client.request_percentage_quota)
    return limits
