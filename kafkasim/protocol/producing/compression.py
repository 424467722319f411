"""Compression in a producer: what it expects of a batch, and what comes out.

While a batch is open its compressed size is not known. The producer goes by an estimate
of the ratio, one for each topic and codec, which begins at 1: it sinks slowly while
batches come out smaller than expected, and jumps up when one comes out larger
(PR-23, `CompressionRatioEstimator`). So the first batches of a producer are far too
small, and after a few hundred they are as large as `batch.size` says. Numbers are
Java's floats, of 32 bits.

No byte is compressed here: the ratio is given, as a number for each batch.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np

from kafkasim.log.record_size import BATCH_HEADER_BYTES

_IMPROVES: Final = np.float32(0.005)
"""`COMPRESSION_RATIO_IMPROVING_STEP`."""
_WORSENS: Final = np.float32(0.05)
"""`COMPRESSION_RATIO_DETERIORATE_STEP`."""
_SAFETY: Final = np.float32(1.05)
"""`MemoryRecordsBuilder.COMPRESSION_RATE_ESTIMATION_FACTOR`."""
_ONE: Final = np.float32(1.0)


class Compression:
    """A producer's compression of one topic.

    Parameters
    ----------
    ratios : iterator of float
        Of one batch after the other: bytes of its records after compression, by those
        before.

    Attributes
    ----------
    estimate : float32
        The ratio that the next batch is opened with.
    """

    __slots__ = ("_ratios", "estimate")

    def __init__(self, ratios: Iterator[float]) -> None:
        self._ratios = ratios
        self.estimate = _ONE

    def expected_bytes(self, raw_bytes: int, estimate: np.float32) -> int:
        """Return what a batch is thought to take, header included.

        Parameters
        ----------
        raw_bytes : int
            Of its records before compression.
        estimate : float32
            The ratio that it was opened with.
        """
        return BATCH_HEADER_BYTES + int(np.float32(raw_bytes) * estimate * _SAFETY)

    def close(self, raw_bytes: int) -> int:
        """Compress a batch; return its size, header included, and learn from it.

        As `ProducerBatch.close` does when the batch is drained.
        """
        body_bytes = max(1, round(raw_bytes * next(self._ratios)))
        self._learn(np.float32(body_bytes) / np.float32(raw_bytes))
        return BATCH_HEADER_BYTES + body_bytes

    def _learn(self, observed: np.float32) -> None:
        estimate = self.estimate
        if observed > estimate:
            self.estimate = max(estimate + _WORSENS, observed)
        elif observed < estimate:
            self.estimate = max(estimate - _IMPROVES, observed)

    def was_too_large(self, size_bytes: int, raw_bytes: int) -> None:
        """Expect the worst after a broker has refused a batch for its size.

        Source: `RecordAccumulator.splitAndReenqueue`.
        """
        body_bytes = size_bytes - BATCH_HEADER_BYTES
        self.estimate = max(_ONE, np.float32(body_bytes) / np.float32(raw_bytes))
