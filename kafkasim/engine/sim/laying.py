"""Laying columns out in pieces that fit a processor's cache."""

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

CHUNK: Final = 1 << 14
"""Records laid out at a time: their columns fit a processor's cache."""


def chunks(counts: NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    """Yield (first, end) of stretches that hold some `CHUNK` records, or one entry.

    Examples
    --------
    >>> list(chunks(np.array([9_000, 7_000, 9_000, 20_000])))
    [(0, 2), (2, 3), (3, 4)]
    """
    ends = np.cumsum(counts)
    first = held = 0
    while first < len(counts):
        end = int(np.searchsorted(ends, held + CHUNK, side="right"))
        end = max(end, first + 1)
        yield first, end
        first, held = end, int(ends[end - 1])


def constant(value: int, count: int, dtype: type[np.signedinteger]) -> NDArray[Any]:
    """Return a column that says the same in every row, and takes no memory."""
    return np.broadcast_to(dtype(value), count)


def spread(values: NDArray[Any], counts: NDArray[np.int64]) -> NDArray[Any]:
    """Return each value so many times; without memory when all are the same."""
    if len(values) and (values == values[0]).all():
        return np.broadcast_to(values[0], int(counts.sum()))
    return np.repeat(values, counts)
