"""Which key a record carries, and to which entity it belongs.

A *key* is what is sent; an *entity* is whose order matters. The key's bytes are its
text in UTF-8. A law of keys turns a stream into ids from 0 and the labels they stand
for. Which records have no key at all is drawn from another stream, so a record that
keeps its key keeps the same one whatever the share without a key is.
"""

from collections.abc import Callable
from typing import Annotated, Final

import numpy as np
from numpy.typing import NDArray

from kafkasim.config.document import Document, document
from kafkasim.config.rules import Number, Share, Whole

Drawer = Callable[["np.random.Generator", int], NDArray[np.int32]]
"""Draws so many ids from 0; the ids do not depend on how many are drawn at a time."""

KeyCount = Annotated[int, Whole(1, 10_000_000)]

_GUIDE_MIN: Final = 1 << 16


@document
class NoKeys(Document):
    """No record has a key."""


@document
class UniformKeys(Document):
    """Every key is as frequent as any other."""

    count: KeyCount
    """Number of different keys."""
    null_share: Share = 0.0
    """Probability that a record has no key."""
    prefix: str = "key-"
    """Key i (from 0) is this text followed by i."""

    def drawer(self) -> Drawer:
        """Return a function that draws ids."""
        return lambda generator, count: generator.integers(
            0, self.count, size=count, dtype=np.int32
        )


@document
class ZipfKeys(Document):
    """Few keys are very frequent: key i has weight 1 / (i + 1) ** exponent."""

    count: KeyCount
    """Number of different keys."""
    exponent: Annotated[float, Number(low=0.0, high=20.0)] = 1.0
    """0 is uniform, 1 is Zipf's law."""
    null_share: Share = 0.0
    """Probability that a record has no key."""
    prefix: str = "key-"
    """Key i (from 0, the most frequent) is this text followed by i."""

    def drawer(self) -> Drawer:
        """Return a function that draws ids, by inverting the cumulative shares."""
        ranks = np.arange(1, self.count + 1, dtype=np.float64)
        cumulative = np.cumsum(ranks**-self.exponent)
        cumulative /= cumulative[-1]
        inverse = Inverse(cumulative)
        return lambda generator, count: inverse(generator.random(count))


@document
class HotKey(Document):
    """One key, number 0, has a share of its own; the others are uniform."""

    count: KeyCount
    """Number of different keys, the hot one included."""
    hot_share: Share
    """Probability of key 0."""
    null_share: Share = 0.0
    """Probability that a record has no key."""
    prefix: str = "key-"
    """Key i (from 0) is this text followed by i."""

    def drawer(self) -> Drawer:
        """Return a function that draws ids."""
        return self._draw

    def _draw(self, generator: "np.random.Generator", count: int) -> NDArray[np.int32]:
        uniform = generator.random(count)
        others = self.count - 1
        if others == 0:
            return np.zeros(count, np.int32)
        cold = (uniform - self.hot_share) / max(1.0 - self.hot_share, 1e-300)
        ids = np.minimum(np.floor(cold * others), others - 1) + 1
        return np.where(uniform < self.hot_share, 0, ids).astype(np.int32)


@document
class TraceColumn(Document):
    """What a column of the source's trace says; missing means none."""

    column: str
    """Name of the column."""


DrawnKeys = UniformKeys | ZipfKeys | HotKey
Keys = NoKeys | UniformKeys | ZipfKeys | HotKey | TraceColumn


class Inverse:
    """Inverts a cumulative distribution.

    Gives per uniform number the first index whose cumulative value exceeds it: the same
    as `searchsorted(cumulative, uniform, side="right")`, by a guide table (Chen and
    Asau 1974): most cells of an even grid hold no step, and a number in such a cell is
    answered by one look-up.

    Parameters
    ----------
    cumulative : float64 array
        Rising to 1.
    """

    def __init__(self, cumulative: NDArray[np.float64]) -> None:
        cells = max(_GUIDE_MIN, 1 << (4 * len(cumulative) - 1).bit_length())
        edges = np.arange(cells + 1, dtype=np.float64) / cells
        guide = np.searchsorted(cumulative, edges, side="right").astype(np.int32)
        self._cumulative = cumulative
        self._cells = cells
        self._guide = guide
        self._steps = guide[1:] != guide[:-1]

    def __call__(self, uniform: NDArray[np.float64]) -> NDArray[np.int32]:
        """Return the indices of uniform numbers in [0, 1)."""
        cell = (uniform * self._cells).astype(np.int32)
        ids = self._guide[cell]
        unclear = np.flatnonzero(self._steps[cell])
        ids[unclear] = np.searchsorted(self._cumulative, uniform[unclear], side="right")
        last = np.int32(len(self._cumulative) - 1)
        return np.minimum(ids, last, out=ids)
