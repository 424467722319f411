"""The columns of a plan, one law at a time: whole, or block after block.

Every column is drawn from a stream of its own, named after it. Drawing goes on where it
stopped, so many small blocks hold the same numbers as one large block.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from kafkasim.config.rules import INT32_MAX
from kafkasim.scenario.arrivals import ClosedLoop
from kafkasim.scenario.distributions import Distribution, draw_ns, draw_whole
from kafkasim.scenario.keys import Keys, NoKeys, TraceColumn
from kafkasim.scenario.streams import stream
from kafkasim.scenario.trace import Trace
from kafkasim.scenario.traffic import Source
from kafkasim.units import NOT_YET_NS

LEAST_WORK_NS: Final = 1
"""Work takes some time, so that records one member works on have an order."""

NULL: Final = -1
"""No key, no entity, or (as a size) a null value."""

_LOOP_BLOCK: Final = 1 << 10
"""Records of a closed loop drawn at a time."""

Draw = Callable[[int], NDArray[Any]]
"""Returns a column's next so many numbers."""


def arrival_blocks(
    name: str, source: Source, seed: int, duration_ns: int
) -> Iterator[NDArray[np.int64]]:
    """Yield the intended times of a source, sorted, in blocks.

    In a closed loop nobody knows them, nor how many there are: blocks without end.

    Parameters
    ----------
    name : str
        The source's name.
    source : Source
        Resolved.
    seed, duration_ns : int
        The scenario's seed, and when the source ends.
    """
    if isinstance(source.arrivals, ClosedLoop):
        while True:
            yield np.full(_LOOP_BLOCK, NOT_YET_NS)
    generator = stream(seed, f"arrivals/{name}")
    if isinstance(source.arrivals, Trace):
        times_ns = source.arrivals.arrivals_ns(generator)
        yield times_ns[: np.searchsorted(times_ns, duration_ns, side="left")]
        return
    yield from source.arrivals.blocks_ns(generator, duration_ns)


def thinks_ns(name: str, loop: ClosedLoop, seed: int) -> Iterator[int]:
    """Yield the times to think of a closed loop, nanoseconds, without end."""
    generator = stream(seed, f"think/{name}")
    while True:
        yield from draw_ns(loop.think_ms, generator, _LOOP_BLOCK).tolist()


def keys_of(name: str, source: Source, seed: int) -> tuple[Draw, tuple[str, ...]]:
    """Return how to draw a source's keys, and their labels."""
    law = f"entity/{name}" if source.sends_entity_as_key else f"keys/{name}"
    return _ids(source, source.keys, seed, law)


def entities_of(name: str, source: Source, seed: int) -> tuple[Draw, tuple[str, ...]]:
    """Return how to draw the entities of a source that names them, and their labels."""
    assert source.entity is not None
    return _ids(source, source.entity, seed, f"entity/{name}")


def _ids(
    source: Source, keys: Keys, seed: int, name: str
) -> tuple[Draw, tuple[str, ...]]:
    if isinstance(keys, NoKeys):
        return lambda count: np.full(count, NULL, np.int32), ()
    if isinstance(keys, TraceColumn):
        assert isinstance(source.arrivals, Trace)
        codes, labels = source.arrivals.codes(keys.column)
        return _reader(codes), labels
    labels = tuple(f"{keys.prefix}{number}" for number in range(keys.count))
    draw = keys.drawer()
    generator = stream(seed, name)
    if not keys.null_share:
        return lambda count: draw(generator, count), labels
    nulls = stream(seed, f"{name}/null")
    share = keys.null_share

    def with_nulls(count: int) -> NDArray[np.int32]:
        ids = draw(generator, count)
        ids[nulls.random(count) < share] = NULL
        return ids

    return with_nulls, labels


def sizes_of(name: str, source: Source, seed: int) -> Draw:
    """Return how to draw the sizes of a source's values."""
    value_bytes = source.value_bytes
    if isinstance(value_bytes, TraceColumn):
        assert isinstance(source.arrivals, Trace)
        draw: Draw = _reader(source.arrivals.numbers(value_bytes.column))
    else:
        law = value_bytes
        sizes = stream(seed, f"value_bytes/{name}")

        def draw(count: int) -> NDArray[np.int64]:
            return draw_whole(law, sizes, count, scale=1, limit=INT32_MAX)

    if not source.tombstones:
        return lambda count: draw(count).astype(np.int32)
    tombstones = stream(seed, f"tombstones/{name}")

    def with_tombstones(count: int) -> NDArray[np.int32]:
        drawn = draw(count).astype(np.int32)
        drawn[tombstones.random(count) < source.tombstones] = NULL
        return drawn

    return with_tombstones


def work_of(
    subscriber: str, name: str, work_ms: Distribution | float, seed: int
) -> Draw:
    """Return how to draw a subscriber's work on a source's records, nanoseconds."""
    generator = stream(seed, f"work/{subscriber}/{name}")
    return lambda count: np.maximum(LEAST_WORK_NS, draw_ns(work_ms, generator, count))


def _reader(column: NDArray[Any]) -> Draw:
    """Return a function that gives a column's next so many numbers."""
    reached = 0

    def read(count: int) -> NDArray[Any]:
        nonlocal reached
        reached += count
        return column[reached - count : reached].copy()

    return read
