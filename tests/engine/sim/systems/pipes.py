"""A small world for pipelines, with times that can be told by hand."""

from kafkasim.engine.sim.run import run
from kafkasim.result.result import Result
from kafkasim.scenario.arrivals import Periodic
from kafkasim.scenario.events import Event
from kafkasim.scenario.hardware import Cpu, Hardware, Link
from kafkasim.scenario.pipelines import PointToPoint, Relay
from kafkasim.scenario.scenario import Scenario
from kafkasim.scenario.traffic import Source, Subscriber, Traffic

MS = 1_000_000
PLAIN = Hardware(
    link=Link(delay_ms=1.0, bandwidth_mb_per_s=1e9), cpu=Cpu(request_ms=0.0, mb_ms=0.0)
)
"""1 ms each way; taking a request in costs nothing."""
SERVED = Hardware(link=PLAIN.link, cpu=Cpu(request_ms=1.0, mb_ms=0.0))
"""1 ms each way, and 1 ms for each request."""


def world(
    system: PointToPoint | Relay,
    *events: Event,
    rate_per_s: float = 500.0,
    count: int = 3,
    works_ms: dict[str, float] | None = None,
    subscribers: dict[str, Subscriber] | None = None,
    sources: tuple[str, ...] = ("web",),
    **settings: object,
) -> Scenario:
    """Return a world: unless it is said, `a` with 1 ms and `b` with 4 ms of work."""
    works = works_ms or {"a": 1.0, "b": 4.0}
    return Scenario(
        Traffic(
            {
                name: Source("orders", Periodic(rate_per_s), value_bytes=100)
                for name in sources
            },
            subscribers
            or {name: Subscriber(["orders"], work_ms=ms) for name, ms in works.items()},
            duration_s=count / rate_per_s,
        ),
        system,
        events=events,
        **settings,  # type: ignore[arg-type]
    )


def ran(scenario: Scenario) -> Result:
    """Return its result; every invariant must have held."""
    result = run(scenario, check=True)
    assert result.table("violations").empty
    return result


def of(result: Result, subscriber: str, column: str = "ended_ns") -> list[float]:
    """Return a time of one subscriber's hand-outs, in milliseconds to the 100 ns."""
    table = result.columns("deliveries")
    code = table.labels["subscriber"].index(subscriber)
    times = table[column][table["subscriber"] == code] / MS
    return [round(float(time), 4) for time in times]


def times(result: Result, column: str) -> list[float]:
    """Return a time of all records, in milliseconds to the 100 ns."""
    found = result.columns("records")[f"{column}_ns"] / MS
    return [round(float(time), 4) for time in found]


def ends(result: Result, subscriber: str) -> list[str]:
    """Return what became of each record for a subscriber."""
    from kafkasim.analysis.receiving import receipts

    table = receipts(result)
    return table[table["subscriber"] == subscriber]["outcome"].tolist()
