"""Hosts, their network cards, and connections between them.

A transfer leaves its host when the card is free, takes its bytes over the bandwidth,
and arrives after the link's delay; one connection keeps its order (TCP), so a transfer
never arrives before the one sent ahead of it. What arrives at a host is not limited:
only sending occupies a card. Protocol headers are not counted, only record batches.
"""

from collections.abc import Iterator
from typing import Final

from kafkasim.engine.sim.drawn import durations_ns
from kafkasim.scenario.systems import Link

MIN_LINK_NS: Final = 1
"""Least time on a link: a chain of answers and sends never stands still."""


class Nic:
    """A host's network card, sending side."""

    __slots__ = ("free_ns", "ns_per_byte")

    def __init__(self, bandwidth_mb_per_s: float) -> None:
        self.free_ns = 0
        self.ns_per_byte = 1_000.0 / bandwidth_mb_per_s


class Pipe:
    """One direction of a connection."""

    __slots__ = ("_delays", "_fixed_ns", "_nic", "arrived_ns", "left_ns")

    def __init__(self, nic: Nic, link: Link, *, seed: int, name: str) -> None:
        self._nic = nic
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

    def transfer(self, now_ns: int, size_bytes: int) -> int:
        """Send `size_bytes` at `now_ns`; return when they have all arrived."""
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
