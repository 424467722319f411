"""A small cluster whose times can be worked out by hand, for tests of the engine."""

from collections.abc import Callable

import pytest

from kafkasim.config.producer import ProducerConfig
from kafkasim.result.result import Result
from kafkasim.scenario.arrivals import Periodic
from kafkasim.scenario.events import Event
from kafkasim.scenario.hardware import Cpu, Hardware, Link
from kafkasim.scenario.keys import UniformKeys
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.systems import Group, Kafka, Producer, Topic
from kafkasim.scenario.traffic import Source, Subscriber, Traffic
from kafkasim.units import MISSING_NS

MS = 1_000_000
PLAIN = Hardware(
    link=Link(delay_ms=1.0, bandwidth_mb_per_s=1e9), cpu=Cpu(request_ms=0.5, mb_ms=0.0)
)
"""1 ms each way, 0.5 ms a request, bytes cost nothing."""
AT_ONCE = Producer(config=ProducerConfig(linger_ms=0))


def scenario_of(
    *,
    rate_per_s: float = 100.0,
    count: int = 3,
    partitions: int = 1,
    work_ms: float = 10.0,
    group: Group | None = None,
    subscriber: Subscriber | None = None,
    events: tuple[Event, ...] = (),
    producer: Producer = AT_ONCE,
    brokers: int = 1,
    hardware: Hardware = PLAIN,
    keys: UniformKeys | None = None,
    **settings: object,
) -> Scenario:
    """A source with `count` evenly spaced records and one subscriber."""
    source = Source("orders", Periodic(rate_per_s=rate_per_s), value_bytes=100)
    if keys is not None:
        source = Source(
            "orders", Periodic(rate_per_s=rate_per_s), keys=keys, value_bytes=100
        )
    return Scenario(
        Traffic(
            sources={"web": source},
            subscribers={
                "billing": subscriber or Subscriber(["orders"], work_ms=work_ms)
            },
            duration_s=count / rate_per_s,
        ),
        system=Kafka(
            brokers=brokers,
            topics={"orders": Topic(partitions=partitions)},
            producers={"web": producer},
            groups={"billing": group or Group(members=1)},
            hardware=hardware,
        ),
        events=events,
        **settings,  # type: ignore[arg-type]
    )


def ms(result: Result, table: str, column: str) -> list[float | None]:
    """A time column in milliseconds, None where it is missing."""
    values = result.columns(table)[column].tolist()
    return [None if value == MISSING_NS else value / MS for value in values]


@pytest.fixture(name="scenario_of")
def scenario_builder() -> Callable[..., Scenario]:
    """A source with `count` evenly spaced records and one subscriber, on `PLAIN`."""
    return scenario_of


@pytest.fixture(name="ms")
def milliseconds() -> Callable[[Result, str, str], list[float | None]]:
    """A time column in milliseconds, None where it is missing."""
    return ms
