"""Traffic of few sources and subscribers, for what is held to formulas."""

from kafkasim.scenario.arrivals import Periodic
from kafkasim.scenario.traffic import Source, Subscriber, Traffic


def of_one(sources: dict[str, float], works_ms: dict[str, float], s: float) -> Traffic:
    """Return traffic of one stream: rates of sources, and work of subscribers."""
    return Traffic(
        {name: Source("orders", Periodic(rate)) for name, rate in sources.items()},
        {name: Subscriber(["orders"], work_ms=ms) for name, ms in works_ms.items()},
        duration_s=s,
    )
