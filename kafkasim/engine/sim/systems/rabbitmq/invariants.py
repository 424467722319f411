"""What must hold in every queue after every entry of the calendar."""

from collections.abc import Iterator, Sequence

from kafkasim.engine.sim.systems.rabbitmq.hosted import Hosted


class Conservation:
    """What came into a queue is ready, unacknowledged, or gone, and counted so."""

    rule = "conservation of messages"

    def __init__(self, queues: Sequence[Hosted]) -> None:
        self._queues = queues

    def broken(self) -> Iterator[tuple[str, str]]:
        """Compare what the host has seen with what the queue holds."""
        for queue in self._queues:
            ready, unacked = queue.ready, len(queue.out)
            name = f"queue {queue.process.name}"
            if queue.came - queue.went != ready + unacked:
                yield name, f"{queue.came} - {queue.went} != {ready} + {unacked}"
            held = queue.machine.ready_count, queue.machine.unacked_count
            if queue.process.node.up and held != (ready, unacked):
                yield name, f"it holds {held}, seen was {(ready, unacked)}"


class FirstInFirstOut:
    """What was never handed out goes in the order in which it came (RQ-12)."""

    rule = "first in, first out"

    def __init__(self, queues: Sequence[Hosted]) -> None:
        self._queues = queues

    def broken(self) -> Iterator[tuple[str, str]]:
        """Look whether one was handed out before an earlier one."""
        for queue in self._queues:
            if queue.overtook:
                yield f"queue {queue.process.name}", queue.overtook
