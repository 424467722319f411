"""Small runs of RabbitMQ, whose times are worked out by hand."""

from collections.abc import Mapping

from kafkasim.analysis import receipts
from kafkasim.engine.sim.run import run
from kafkasim.result.result import Result
from kafkasim.scenario.arrivals import Periodic
from kafkasim.scenario.events import Event
from kafkasim.scenario.hardware import Cpu, Disk, Hardware, Link
from kafkasim.scenario.rabbitmq import RabbitMQ
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.traffic import Arrivals, Source, Subscriber, Traffic

MS = 1_000_000


def hardware(
    *, delay_ms: float = 1.0, request_ms: float = 0.0, disk: Disk | None = None
) -> Hardware:
    """1 ms each way; bytes take no time."""
    return Hardware(
        link=Link(delay_ms=delay_ms, bandwidth_mb_per_s=1e9),
        cpu=Cpu(request_ms=request_ms, mb_ms=0.0),
        disk=disk,
    )


PLAIN = hardware()


def scenario_of(
    system: RabbitMQ | None = None,
    *,
    every_ms: float = 10.0,
    count: int = 3,
    arrivals: Arrivals | None = None,
    subscribers: Mapping[str, Subscriber] | None = None,
    events: tuple[Event, ...] = (),
    **settings: object,
) -> Scenario:
    """Source `web` sends one message of 1 byte every so often; `a` works 2 ms on it."""
    law = arrivals or Periodic(1_000.0 / every_ms)
    return Scenario(
        Traffic(
            sources={"web": Source("orders", law, value_bytes=1)},
            subscribers=subscribers or {"a": Subscriber(["orders"], work_ms=2.0)},
            duration_s=count * every_ms / 1_000.0,
        ),
        system=system or RabbitMQ(hardware=PLAIN),
        events=events,
        **settings,  # type: ignore[arg-type]
    )


def sound(scenario: Scenario) -> Result:
    """Run it, and see that nothing broke that must hold."""
    result = run(scenario, check=True)
    assert result.table("violations").empty
    return result


def times(result: Result, column: str, subscriber: str = "a") -> list[float]:
    """Return a time column of a subscriber's deliveries, in milliseconds."""
    table = result.table("deliveries")
    mine = table[table["subscriber"] == subscriber]
    return [round(float(each), 3) for each in mine[column]]


def outcomes(result: Result, subscriber: str = "a") -> list[str]:
    """Return what became of a subscriber's deliveries."""
    table = result.table("deliveries")
    return table[table["subscriber"] == subscriber]["outcome"].tolist()


def changes(result: Result, queue: str = "a") -> list[tuple[float, str, int, int]]:
    """Return when (ms) what happened in a queue, and what it then held."""
    table = result.table("queues")
    mine = table[table["topic"] == queue]
    columns = (mine["at_ms"].round(3), mine["change"], mine["ready"], mine["unacked"])
    return list(zip(*(each.tolist() for each in columns), strict=True))


def became(result: Result, subscriber: str = "a") -> list[str]:
    """Return the outcome of each receipt of a subscriber."""
    table = receipts(result)
    return table[table["subscriber"] == subscriber]["outcome"].tolist()
