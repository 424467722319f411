"""A disk is one queue: M/D/1 for reads alone, M/G/1 where finding a place is drawn.

Reads of one block each come as a Poisson process. The mean wait is that of Pollaczek
and Khinchine, λ E[S²] / (2 (1 − load)), within four standard errors from independent
blocks of the run; and every single read is done when Lindley's recursion says, to the
nanosecond.
"""

import numpy as np
import pytest

from kafkasim.engine.sim.disk import DiskQueue
from kafkasim.engine.sim.page_cache import BLOCK_BYTES, PageCache
from kafkasim.scenario.distributions import Exponential
from kafkasim.scenario.hardware import Disk
from kafkasim.scenario.streams import stream
from tests.tiers import Tier

TRANSFER_MS = 1.0
"""What a block takes of the disk."""
ACCESS_MS = 3.0
LOAD = 0.7
BLOCKS = 50
MS = 1_000_000


def reads(access_ms: float | Exponential, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return when reads come and when they are done; no two touch one place."""
    bandwidth = BLOCK_BYTES / 1e6 / (TRANSFER_MS / 1e3)
    disk = Disk(bandwidth_mb_per_s=bandwidth, access_ms=access_ms, page_cache_mb=10.0)
    queue = DiskQueue(bandwidth, access_ms, seed=3, host="broker:1")
    memory = PageCache(disk, queue)
    rate = LOAD / (TRANSFER_MS + ACCESS_MS)
    gaps = stream(5, "test/arrivals").exponential(1 / rate, count) * MS
    at_ns = np.cumsum(gaps).astype(np.int64)
    done = [
        memory.read(now_ns, "log", 2 * number, BLOCK_BYTES)
        for number, now_ns in enumerate(at_ns.tolist())
    ]
    return at_ns, np.array(done)


def mean_wait_ms(second_moment: float) -> float:
    """Return λ E[S²] / (2 (1 − load)) in milliseconds."""
    rate = LOAD / (TRANSFER_MS + ACCESS_MS)
    return rate * second_moment / (2 * (1 - LOAD))


@pytest.mark.parametrize(
    ("access_ms", "second_moment"),
    [
        (ACCESS_MS, (TRANSFER_MS + ACCESS_MS) ** 2),
        # Var + mean², the variance of an exponential being its mean squared.
        (Exponential(ACCESS_MS), ACCESS_MS**2 + (TRANSFER_MS + ACCESS_MS) ** 2),
    ],
    ids=["M/D/1", "M/G/1"],
)
def test_reads_wait_as_pollaczek_and_khinchine_say(
    access_ms: float | Exponential, second_moment: float, tier: Tier
) -> None:
    at_ns, done_ns = reads(access_ms, tier.records // 2)
    starts = np.maximum(at_ns, np.concatenate([[0], done_ns[:-1]]))
    waits_ms = (starts - at_ns) / MS
    means = np.array([part.mean() for part in np.array_split(waits_ms, BLOCKS)])
    error = means.std(ddof=1) / np.sqrt(BLOCKS)
    assert abs(waits_ms.mean() - mean_wait_ms(second_moment)) < 4 * error
    assert error < 0.1 * waits_ms.mean()


def test_every_read_is_done_when_lindley_says() -> None:
    at_ns, done_ns = reads(ACCESS_MS, 20_000)
    free_ns = 0
    for now_ns, found_ns in zip(at_ns.tolist(), done_ns.tolist(), strict=True):
        free_ns = max(now_ns, free_ns) + round((TRANSFER_MS + ACCESS_MS) * MS)
        assert found_ns == free_ns
