"""Which key a record carries, and to which entity it belongs.

A *key* is what is sent; an *entity* is whose order matters. The key's bytes are its
text in UTF-8. A law of keys turns a stream into ids from 0 and the labels they stand
for. Which records have no key at all is drawn from another stream, so a record that
keeps its key keeps the same one whatever the share without a key is.
"""

from dataclasses import dataclass
from typing import Annotated, Final

import numpy as np
from numpy.typing import NDArray

from kafkasim.config.document import Document
from kafkasim.config.rules import Number, Share, Whole

KeyCount = Annotated[int, Whole(1, 10_000_000)]

_GUIDE_MIN: Final = 1 << 16


@dataclass(frozen=True, slots=True, repr=False)
class NoKeys(Document):
    """No record has a key."""


@dataclass(frozen=True, slots=True, repr=False)
class UniformKeys(Document):
    """Every key is as frequent as any other."""

    count: KeyCount
    """Number of different keys."""
    null_share: Share = 0.0
    """Probability that a record has no key."""
    prefix: str = "key-"
    """Key i (from 0) is this text followed by i."""

    def draw(self, generator: np.random.Generator, count: int) -> NDArray[np.int32]:
        """Return `count` ids from 0."""
        return generator.integers(0, self.count, size=count, dtype=np.int32)


@dataclass(frozen=True, slots=True, repr=False)
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

    def draw(self, generator: np.random.Generator, count: int) -> NDArray[np.int32]:
        """Return `count` ids from 0, by inverting the cumulative distribution."""
        ranks = np.arange(1, self.count + 1, dtype=np.float64)
        cumulative = np.cumsum(ranks**-self.exponent)
        cumulative /= cumulative[-1]
        return invert(cumulative, generator.random(count))


@dataclass(frozen=True, slots=True, repr=False)
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

    def draw(self, generator: np.random.Generator, count: int) -> NDArray[np.int32]:
        """Return `count` ids from 0."""
        uniform = generator.random(count)
        others = self.count - 1
        if others == 0:
            return np.zeros(count, np.int32)
        cold = (uniform - self.hot_share) / max(1.0 - self.hot_share, 1e-300)
        ids = np.minimum(np.floor(cold * others), others - 1) + 1
        return np.where(uniform < self.hot_share, 0, ids).astype(np.int32)


@dataclass(frozen=True, slots=True, repr=False)
class TraceColumn(Document):
    """What a column of the source's trace says; missing means none."""

    column: str
    """Name of the column."""


DrawnKeys = UniformKeys | ZipfKeys | HotKey
Keys = NoKeys | UniformKeys | ZipfKeys | HotKey | TraceColumn


def invert(
    cumulative: NDArray[np.float64], uniform: NDArray[np.float64]
) -> NDArray[np.int32]:
    """Return per uniform number the first index whose cumulative value exceeds it.

    The same as `searchsorted(cumulative, uniform, side="right")`, by a guide table
    (Chen and Asau 1974): most cells of an even grid hold no step, and a number in such
    a cell is answered by one look-up.
    """
    last = len(cumulative) - 1
    cells = max(_GUIDE_MIN, 1 << (4 * len(cumulative) - 1).bit_length())
    edges = np.arange(cells + 1, dtype=np.float64) / cells
    guide = np.searchsorted(cumulative, edges, side="right").astype(np.int32)
    steps = guide[1:] != guide[:-1]
    cell = (uniform * cells).astype(np.int32)
    ids = guide[cell]
    unclear = np.flatnonzero(steps[cell])
    ids[unclear] = np.searchsorted(cumulative, uniform[unclear], side="right")
    return np.minimum(ids, np.int32(last), out=ids)
