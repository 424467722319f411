"""How long a broker makes a producer wait that is over its quota."""

from collections.abc import Callable, Mapping

from kafkasim.engine.sim.calendar import Calendar
from kafkasim.engine.sim.request import Request
from kafkasim.protocol.quotas import BrokerLimits, BrokerQuotas, Entity, Limits
from kafkasim.scenario.systems import Kafka
from kafkasim.units import NS_PER_MS


def quota_pauses(
    system: Kafka,
    clients: Mapping[str, str],
    client_code: Callable[[str], int],
    calendar: Calendar,
) -> Callable[[Request], int] | None:
    """Return what gives the pauses of one broker; None if no producer has a quota.

    Parameters
    ----------
    system : Kafka
        Resolved; a client's id is the name of its source.
    clients : mapping of str to str
        Name of each producer's client → its id; several instances share one.
    client_code : callable
        Returns a client's code as a sender of requests.
    calendar : Calendar
        Tells the time.
    """
    limits: dict[Entity, float] = {
        (None, name): producer.byte_rate_quota
        for name, producer in system.producers.items()
        if producer.byte_rate_quota is not None
    }
    if not limits:
        return None
    names = {client_code(f"source:{name}"): each for name, each in clients.items()}
    quotas = BrokerQuotas(BrokerLimits(produce=Limits(limits)))

    def pause_ns(request: Request) -> int:
        pause_ms = quotas.produced(
            names[request.connection.client],
            request.size_bytes,
            0,
            calendar.now_ns // NS_PER_MS,
            acks_none=not request.wants_answer,
        )
        return pause_ms * NS_PER_MS

    return pause_ns
