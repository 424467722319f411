"""Durations that are drawn as they are needed: delays of a link, times of service."""

from collections.abc import Iterator
from itertools import repeat
from typing import Final

import numpy as np

from kafkasim.scenario.distributions import Distribution, draw_ns
from kafkasim.scenario.streams import stream
from kafkasim.scenario.systems import Producer
from kafkasim.units import NS_PER_MS, ns_from_ms

_BLOCK: Final = 256


def durations_ns(
    duration_ms: Distribution, seed: int, name: str, *, least_ns: int = 0
) -> Iterator[int]:
    """Yield durations in nanoseconds without end, drawn in blocks.

    Parameters
    ----------
    duration_ms : distribution
        In milliseconds.
    seed, name
        Of the stream they are drawn from.
    least_ns : int
        No duration is shorter.
    """
    generator = stream(seed, name)
    while True:
        block = draw_ns(duration_ms, generator, _BLOCK)
        yield from np.maximum(block, least_ns).tolist()


def service_ns(
    request_ms: Distribution | float, seed: int, host: str
) -> int | Iterator[int]:
    """Return what a host takes for a request: a number, or one after the other.

    Parameters
    ----------
    request_ms : distribution or float
        In milliseconds.
    seed : int
        Of the scenario.
    host : str
        Such as `broker:1`; each has its own stream.
    """
    if isinstance(request_ms, (int, float)):
        return ns_from_ms(request_ms)
    return durations_ns(request_ms, seed, f"service/{host}")


def services(request_ms: Distribution | float, seed: int, host: str) -> Iterator[int]:
    """Return the same as `service_ns`, a number as one that repeats."""
    each = service_ns(request_ms, seed, host)
    return repeat(each) if isinstance(each, int) else each


def compression_ratios(
    producer: Producer, seed: int, source: str
) -> Iterator[float] | None:
    """Return the ratio of one batch of a producer after the other; None without any."""
    ratio = producer.compression_ratio
    if producer.config.compression_type == "none" or ratio is None:
        return None
    if isinstance(ratio, (int, float)):
        return repeat(float(ratio))
    return _numbers(ratio, seed, f"compression/{source}")


def _numbers(law: Distribution, seed: int, name: str) -> Iterator[float]:
    generator = stream(seed, name)
    while True:
        yield from (draw_ns(law, generator, _BLOCK) / NS_PER_MS).tolist()
