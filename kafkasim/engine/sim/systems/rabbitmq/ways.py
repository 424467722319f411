"""The pipes between two hosts of a run, and what goes over them."""

import numpy as np
from numpy.typing import NDArray

from kafkasim.engine.sim.network import Pipe


class Ways:
    """The pipes between two hosts, and what went over them."""

    __slots__ = (
        "_go", "_go_back", "bytes_back", "bytes_there", "delay_back_ns", "down",
        "sent_back", "sent_there", "up",
    )  # fmt: skip

    def __init__(self, up: Pipe, down: Pipe) -> None:
        self.up = up
        self.down = down
        self._go, self._go_back = up.transfer, down.transfer
        self.delay_back_ns = down.delay_ns
        """Of what has no bytes, as long as it is the same for all."""
        self.sent_there = self.sent_back = 0
        """Messages."""
        self.bytes_there = self.bytes_back = 0

    def there(self, now_ns: int, size_bytes: int) -> int:
        """Send there; return when it arrives."""
        self.sent_there += 1
        self.bytes_there += size_bytes
        return self._go(now_ns, size_bytes)

    def all_there(
        self, times_ns: NDArray[np.int64], sizes: NDArray[np.int64]
    ) -> NDArray[np.int64] | None:
        """Send much there, each piece at its time; return when each arrives.

        None, and nothing is sent, where each has to be looked at by itself.
        """
        arrive_ns = self.up.transfers(times_ns, sizes)
        if arrive_ns is not None:
            self.sent_there += len(sizes)
            self.bytes_there += int(sizes.sum())
        return arrive_ns

    def back(self, now_ns: int, size_bytes: int) -> int:
        """Send back; return when it arrives."""
        self.sent_back += 1
        self.bytes_back += size_bytes
        return self._go_back(now_ns, size_bytes)
