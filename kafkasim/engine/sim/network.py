"""Hosts, their network cards, and connections between them.

A transfer leaves its host when the card is free, takes its bytes over the bandwidth,
and arrives after the link's delay; one connection keeps its order (TCP), so a transfer
never arrives before the one sent ahead of it. The receiver's card takes it in while it
comes (cut-through), so on the way alone it takes no longer for that; where several
senders meet, what comes waits its turn, and whose last byte would be there first is
first, whenever its sender's last one was in; at one time the calendar's order of actors
decides. What has no bytes needs no time of a card, but stays behind what came before it
on its connection. A card sends and receives at once, each at its full bandwidth.
Protocol headers are not counted, only record batches.
"""

from collections.abc import Iterator
from typing import Any, ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from kafkasim.engine.sim.drawn import durations_ns
from kafkasim.scenario.hardware import Link

MIN_LINK_NS: Final = 1
"""Least time on a link: a chain of answers and sends never stands still."""


class Nic:
    """A host's network card.

    Attributes
    ----------
    free_ns : int
        When all has left that is to be sent so far.
    received_ns : int
        When all is in that has come so far.
    """

    __slots__ = ("free_ns", "ns_per_byte", "received_ns")

    def __init__(self, bandwidth_mb_per_s: float) -> None:
        self.free_ns = self.received_ns = 0
        self.ns_per_byte = 1_000.0 / bandwidth_mb_per_s


class Pipe:
    """One direction of a connection.

    Parameters
    ----------
    nic : Nic
        The sender's card.
    link : Link
        What is between the two ends.
    seed, name
        Of the stream that its delays are drawn from.
    to : Nic, optional
        The receiver's card; one of its own if there is none.

    Attributes
    ----------
    held_ns : int
        Until when the receiver's card makes the last one wait that had to. Whoever
        comes at that very time goes behind it.
    """

    __slots__ = (
        "_delays", "_fixed_ns", "_nic", "_to", "arrived_ns", "held_ns", "left_ns",
    )  # fmt: skip

    may_stall: ClassVar[bool] = False
    """Whether a message may be late for its connection, or get lost."""

    def __init__(
        self, nic: Nic, link: Link, *, seed: int, name: str, to: Nic | None = None
    ) -> None:
        self._nic = nic
        self._to = Nic(link.bandwidth_mb_per_s) if to is None else to
        self.held_ns = 0
        self.arrived_ns = 0
        """When the last transfer arrives."""
        self.left_ns = 0
        """When the last transfer has left its host."""
        if isinstance(link.delay_ms, (int, float)):
            self._fixed_ns = max(MIN_LINK_NS, round(link.delay_ms * 1_000_000))
            self._delays: Iterator[int] | None = None
        else:
            self._fixed_ns = 0
            self._delays = durations_ns(
                link.delay_ms, seed, f"network/{name}", least_ns=MIN_LINK_NS
            )

    @property
    def delay_ns(self) -> int:
        """The link's delay if it is the same for all; 0 if each draws its own."""
        return self._fixed_ns

    def begin(self, connection: Any) -> None:  # noqa: ANN401 - a `Connection`
        """Serve a new connection."""

    def transfer(self, now_ns: int, size_bytes: int) -> int:
        """Send `size_bytes` at `now_ns`; return when they would all have arrived.

        Whether the receiver's card is free then, `receive` says when they come.
        """
        if size_bytes:
            nic = self._nic
            left = now_ns if now_ns > nic.free_ns else nic.free_ns
            left += round(size_bytes * nic.ns_per_byte)
            nic.free_ns = left
        else:
            left = now_ns
        self.left_ns = left
        delay = self._fixed_ns if self._delays is None else next(self._delays)
        arrived = left + delay
        if arrived < self.arrived_ns:
            arrived = self.arrived_ns
        self.arrived_ns = arrived
        return arrived

    def transfers(
        self, times_ns: NDArray[np.int64], sizes: NDArray[np.int64]
    ) -> NDArray[np.int64] | None:
        """Send much, each piece at its time; return when each would have arrived.

        That is what `transfer` would say of one after the other. Nothing else may use
        the sender's card before the last one has left. None, and nothing is sent, where
        each has to be looked at by itself.
        """
        if self._delays is not None or not len(times_ns):
            return None
        takes_ns = np.rint(sizes * self._nic.ns_per_byte).astype(np.int64)
        done_ns = np.cumsum(takes_ns)
        waits_ns = np.maximum.accumulate(times_ns - (done_ns - takes_ns))
        left_ns = done_ns + np.maximum(waits_ns, self._nic.free_ns)
        if sizes.any():
            self._nic.free_ns = int(left_ns[np.flatnonzero(sizes)[-1]])
        left_ns = np.where(sizes > 0, left_ns, times_ns)
        self.left_ns = int(left_ns[-1])
        arrive_ns = np.maximum.accumulate(left_ns + self._fixed_ns)
        arrive_ns = np.maximum(arrive_ns, self.arrived_ns)
        self.arrived_ns = int(arrive_ns[-1])
        return arrive_ns

    def receive(self, now_ns: int, size_bytes: int) -> int:
        """Take in bytes whose last one comes at `now_ns`; return when they are in.

        That is later when others came just before: the card needs its time for each.
        Without bytes it is later when the last one on this connection is not in yet.
        """
        if not size_bytes:
            return self.held_ns if self.held_ns > now_ns else now_ns
        card = self._to
        done_ns = card.received_ns + round(size_bytes * card.ns_per_byte)
        if done_ns <= now_ns:
            card.received_ns = now_ns
            return now_ns
        card.received_ns = self.held_ns = done_ns
        return done_ns
