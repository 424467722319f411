"""The copies of one partition over time: who led, who was in sync, what was safe.

Three lines of offsets. The **log end** is what the leader has; below the **high
watermark** every in-sync replica has it, and consumers may read; up to the
**acknowledged** offset a producer was told that all went well. With `acks=all` the last
is never above the high watermark; with `acks=1` it may be, and what lies between the
two is accepted and invisible (BR-11, BR-13). A leader that is elected begins with its
own log end: what an older one had above it is gone, acknowledged or not. What was
committed stays so under a leader that has it.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from kafkasim.analysis.arrays import Int64

State = Literal["leader", "in sync", "behind", "down, in sync", "down"]
"""A broker's part in a partition: leads it; follows and is in the ISR; follows and is
not; is down and counts as in sync all the same; is down."""


@dataclass(frozen=True, slots=True)
class Span:
    """A time in which a broker had the same part in the partition."""

    broker: int
    state: State
    since_ns: int
    until_ns: int


@dataclass(frozen=True, slots=True)
class Loss:
    """What an election cost: offsets that the new leader did not have."""

    at_ns: int
    leader: int
    """Broker that was elected."""
    from_offset: int
    to_offset: int
    """One past the last."""
    acked_records: int
    """Records among them of which a producer had been told that they were safe."""


@dataclass(frozen=True, slots=True)
class Steps:
    """A line of steps: each value holds from its time on."""

    at_ns: Int64
    value: Int64

    def then(self, at_ns: Int64) -> Int64:
        """Return the value at each of these times; 0 before the first."""
        slots = np.searchsorted(self.at_ns, at_ns, side="right")
        found: Int64 = np.concatenate((np.zeros(1, np.int64), self.value))[slots]
        return found


@dataclass(frozen=True, slots=True)
class Copies:
    """One partition and its replicas over a run; times in nanoseconds."""

    topic: str
    partition: int
    until_ns: int
    """When the run ended."""
    wanted_until_ns: int
    """When the world wanted the last record of the topic sent."""
    log_end: Steps
    high_watermark: Steps
    acked: Steps
    """One past the highest offset that a producer knows to be accepted."""
    acks_ns: Int64
    """When batches were acknowledged, rising."""
    refused_ns: Int64
    """When produce requests were answered with an error, rising."""
    refused_with: tuple[str, ...]
    """Kafka's names of those errors, the most frequent first."""
    spans: tuple[Span, ...]
    """By broker, then by time."""
    losses: tuple[Loss, ...]

    @property
    def brokers(self) -> tuple[int, ...]:
        """Numbers of the brokers that have a replica, rising."""
        return tuple(sorted({span.broker for span in self.spans}))

    @property
    def leaders(self) -> tuple[Span, ...]:
        """Who led, in order of time."""
        led = (span for span in self.spans if span.state == "leader")
        return tuple(sorted(led, key=lambda span: span.since_ns))

    @property
    def acked_lost(self) -> int:
        """Records that were acknowledged and are gone."""
        return sum(loss.acked_records for loss in self.losses)

    def longest_without_ack(self) -> tuple[int, int]:
        """Return the longest time without an acknowledgement: since, until.

        From the first one to when the last record was wanted, or acknowledged.
        """
        if not len(self.acks_ns):
            return 0, self.wanted_until_ns
        last = max(self.wanted_until_ns, int(self.acks_ns[-1]))
        ends = np.append(self.acks_ns, last)
        longest = int(np.diff(ends).argmax())
        return int(ends[longest]), int(ends[longest + 1])

    def longest_hidden(self) -> tuple[int, int, int]:
        """Return where most waited for the high watermark: since, until, records.

        The longest time in which the high watermark stood still below what was
        acknowledged; records is how far it was behind in the end.
        """
        best = (0, 0, 0)
        moves = np.concatenate(([0], self.high_watermark.at_ns, [self.until_ns]))
        heights = np.concatenate(([0], self.high_watermark.value))
        stood_ns = np.diff(moves)
        bounds = np.searchsorted(self.acked.at_ns, moves)
        # Most slots have no acknowledgement above: they are passed over together.
        some = np.flatnonzero(bounds[:-1] < bounds[1:])
        acked = self.acked.value[: bounds[-1]]
        highest = np.maximum.reduceat(acked, bounds[some]) if len(some) else some
        some = some[highest > heights[some]]
        for slot in some[np.argsort(-stood_ns[some], kind="stable")].tolist():
            if stood_ns[slot] < best[1] - best[0]:
                break
            first, last = bounds[slot], bounds[slot + 1]
            above = np.flatnonzero(self.acked.value[first:last] > heights[slot])
            since = int(self.acked.at_ns[first + above[0]])
            until = int(moves[slot + 1])
            if (best[0] - best[1], best[0]) > (since - until, since):
                hidden = self.acked.value[first:last].max() - heights[slot]
                best = (since, until, int(hidden))
        return best
