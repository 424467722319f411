"""What the replication explorer shows of a run: numbers, from numpy columns."""

from dataclasses import dataclass

import numpy as np

from kafkasim.analysis.arrays import nearest_ranks
from kafkasim.analysis.copies import Copies
from kafkasim.analysis.replica_rows import copies_of
from kafkasim.plot.replica_words import broker_events
from kafkasim.result.result import Result
from kafkasim.result.rows import code, wanted_ns
from kafkasim.units import MISSING_NS, NS_PER_MS, NS_PER_S


@dataclass(frozen=True, slots=True)
class Shown:
    """What the figure shows of one run."""

    copies: Copies
    """The one partition."""
    events: tuple[tuple[float, str], ...]
    """When, in seconds, what was done to which broker."""
    sent: int
    """Records that the world wanted sent."""
    acked: int
    """Records of which the producer was told that they were accepted."""
    failed: int
    """Records that the producer gave up."""
    read: int
    """Records that the subscriber processed."""
    ack_ms: float
    """Median time from when a record was wanted to its acknowledgement; NaN without."""

    @property
    def until_s(self) -> float:
        """When the run ended."""
        return self.copies.until_ns / NS_PER_S

    @property
    def elections(self) -> int:
        """How often a broker began to lead after the start."""
        return max(0, len(self.copies.leaders) - 1)


def shown_of(result: Result, topic: str) -> Shown:
    """Return what the figure shows of a run.

    Parameters
    ----------
    result : Result
        Of a topic with one partition and one subscriber.
    topic : str
    """
    records, deliveries = result.columns("records"), result.columns("deliveries")
    acked_ns = records["acked_ns"]
    acked = acked_ns != MISSING_NS
    failed = records["outcome"] == code(records, "outcome", "failed")
    processed = deliveries["outcome"] == code(deliveries, "outcome", "processed")
    waited = (acked_ns - wanted_ns(records))[acked]
    (median_ns,) = nearest_ranks(waited, (0.5,))
    return Shown(
        copies=copies_of(result, topic, 0),
        events=tuple((at / NS_PER_S, text) for at, text in broker_events(result)),
        sent=len(records),
        acked=int(np.count_nonzero(acked)),
        failed=int(np.count_nonzero(failed)),
        read=len(np.unique(deliveries["record_id"][processed])),
        ack_ms=median_ns / NS_PER_MS,
    )
