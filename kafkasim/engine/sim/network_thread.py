"""A broker's network threads, and answers on their way through one.

Each connection belongs to one of `num.network.threads` (`SocketServer.Processor`),
dealt out in turn. A thread reads requests and writes answers, both in no time of its
own; but it stands still while the queue of requests is full, and while it writes
records that are not in memory: they go from the file to the socket by `sendfile`, and
that waits for the disk (KAFKA-7504). All its other connections wait along. After each
piece of an answer that it had to wait for it turns to the others, as a socket takes no
more at once (`socket.send.buffer.bytes`).
"""

from collections import deque
from collections.abc import Callable
from typing import Any, NamedTuple

from kafkasim.engine.sim.planned_batches import PlannedBatches
from kafkasim.engine.sim.request import Request


class NetworkThread:
    """One network thread."""

    __slots__ = ("held_since_ns", "is_held", "waiting")

    def __init__(self) -> None:
        self.is_held = False
        self.held_since_ns = 0
        self.waiting: deque[tuple[Callable[[Any], None], Any]] = deque()
        """What it has to do when it goes on, in the order it came."""

    def go_on(self) -> None:
        """Do what waits, until it has to wait again."""
        waiting = self.waiting
        while waiting and not self.is_held:
            function, argument = waiting.popleft()
            function(argument)


class Piece(NamedTuple):
    """What an answer takes from one block of a file."""

    batches: PlannedBatches
    number: int
    """Of the block."""
    size_bytes: int


class Sending:
    """An answer that is being written."""

    __slots__ = ("pieces", "ready_bytes", "request", "thread")

    def __init__(
        self, request: Request, thread: NetworkThread, pieces: deque[Piece]
    ) -> None:
        self.request = request
        self.thread = thread
        self.pieces = pieces
        """What is left of it."""
        self.ready_bytes = 0
        """What is in memory and not yet on its way."""
