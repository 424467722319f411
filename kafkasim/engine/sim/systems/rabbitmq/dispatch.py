"""Whom a queue hands its next message: consumers with credit, in turn.

A queue pushes. Each consumer may have `prefetch` deliveries unacknowledged, 0 is
without a limit (RQ-6); the rest of that is its *credit*. The next message goes to the
consumers of the highest `x-priority` that have credit, in turn among equals; lower ones
get something only while no higher one has credit (RQ-5).

The turn is a line: who was served goes to its end. A quorum queue takes a consumer out
of the line with its last credit and puts it at the end when it has some again. A
classic queue notices it only when the turn comes to it, so one that acknowledges before
that keeps its place (`lazy`).

With a *single active consumer* one alone is served, the others wait (RQ-13). The first
that registers is it; when it goes, the next is the first of those with the highest
priority, in the order they registered. In a quorum queue one with a higher priority
takes over when it registers, as soon as the active one has nothing unacknowledged, and
until then that one gets nothing more; a classic queue ignores priorities as long as the
active one lives.

Sources: RabbitMQ's documentation, "Consumer priorities", "Consumer acknowledgements and
publisher confirms", "Consumers: single active consumer"; `rabbit_queue_consumers` and
`rabbit_fifo` (4.3.5) for the order. The documentation calls a classic queue's choice of
the next active consumer random; the server's takes the head of its list, and so does
this.
"""

from collections import deque
from collections.abc import Iterator
from typing import Final

UNLIMITED: Final = 2**62
"""Credit of a consumer without a limit."""


class Consumer:
    """A subscription of a channel to a queue, with what it has unacknowledged.

    Parameters
    ----------
    channel, tag
        Who it is.
    prefetch : int
        Deliveries that it may have unacknowledged; 0 without a limit.
    auto_ack : bool
        It acknowledges nothing.
    priority : int
        `x-priority`.
    timeout_ms : int or None
        For how long it may hold a delivery (RQ-11).
    node : int
        Where its channel is.
    """

    __slots__ = (
        *("active", "auto_ack", "cancelled", "channel", "credit", "in_line", "node"),
        *("limit", "overdue", "priority", "quiescing", "suspected", "tag"),
        *("timeout_ms", "unacked"),
    )

    def __init__(
        self,
        channel: int,
        tag: str,
        *,
        prefetch: int = 0,
        auto_ack: bool = False,
        priority: int = 0,
        timeout_ms: int | None = None,
        node: int = 0,
    ) -> None:
        self.channel = channel
        self.tag = tag
        self.limit = prefetch or UNLIMITED
        self.credit = self.limit
        self.auto_ack = auto_ack
        self.priority = priority
        self.timeout_ms = timeout_ms
        self.node = node
        self.unacked: dict[int, int] = {}
        """Position → what the queue keeps with it, in the order of deliveries."""
        self.in_line = False
        self.active = True
        """False while another one is the single active consumer."""
        self.quiescing = False
        """It is to hand over to one of a higher priority, and gets nothing more."""
        self.cancelled = False
        self.suspected = False
        """Its node is out of sight (RQ-11)."""
        self.overdue: set[int] = set()
        """Positions that were taken back from it in time; it has to settle them."""

    @property
    def is_up(self) -> bool:
        """Whether it may be served at all."""
        return not (self.cancelled or self.suspected or self.overdue)

    @property
    def may_be_served(self) -> bool:
        """Whether it has a place in the line while it has credit."""
        return self.active and not self.quiescing and self.is_up

    def __repr__(self) -> str:
        return f"Consumer({self.channel}, {self.tag!r})"


class Dispatch:
    """The consumers of a queue.

    Parameters
    ----------
    lazy : bool
        How a classic queue keeps the line; see above.
    single_active : bool
        One consumer alone is served.
    takes_over : bool
        One with a higher priority becomes the active one.
    """

    def __init__(
        self,
        *,
        lazy: bool = False,
        single_active: bool = False,
        takes_over: bool = False,
    ) -> None:
        self._lazy = lazy
        self._single = single_active
        self._takes_over = takes_over
        self._consumers: dict[tuple[int, str], Consumer] = {}
        """In the order they registered."""
        self._lines: dict[int, deque[Consumer]] = {}
        self._order: list[deque[Consumer]] = []
        """Lines by priority, the highest first."""
        self.active: Consumer | None = None
        """The single active consumer, if there can be one."""

    def __iter__(self) -> Iterator[Consumer]:
        return iter(self._consumers.values())

    def get(self, channel: int, tag: str) -> Consumer | None:
        """Return a consumer that registered and has not gone."""
        return self._consumers.get((channel, tag))

    def add(self, consumer: Consumer) -> None:
        """Register a consumer."""
        self._consumers[consumer.channel, consumer.tag] = consumer
        if consumer.priority not in self._lines:
            self._lines[consumer.priority] = deque()
            order = sorted(self._lines, reverse=True)
            self._order = [self._lines[priority] for priority in order]
        if self._single:
            consumer.active = False
            self._choose()
        else:
            self._queue(consumer)

    def remove(self, consumer: Consumer) -> None:
        """Forget a consumer; another one becomes the active one if it was."""
        self._consumers.pop((consumer.channel, consumer.tag), None)
        self._leave_line(consumer)
        if self.active is consumer:
            consumer.active = consumer.quiescing = False
            self.active = None
        if self._single:
            self._choose()

    def next(self) -> Consumer | None:
        """Return who gets the next message, or None if nobody has credit (RQ-5)."""
        for line in self._order:
            while line:
                consumer = line[0]
                if consumer.credit > 0:
                    return consumer
                line.popleft()
                consumer.in_line = False
        return None

    def served(self, consumer: Consumer) -> None:
        """Take one credit from who stands at the head; it goes to the end."""
        consumer.credit -= 1
        line = self._lines[consumer.priority]
        if consumer.credit > 0 or self._lazy:
            if len(line) > 1:
                line.rotate(-1)
        else:
            line.popleft()
            consumer.in_line = False

    def freed(self, consumer: Consumer, count: int) -> None:
        """Give credit back to a consumer for deliveries that are settled."""
        consumer.credit = min(consumer.limit, consumer.credit + count)
        if consumer.quiescing and not consumer.unacked:
            self._step_down(consumer)
        elif not consumer.in_line:
            self._queue(consumer)

    def resume(self, consumer: Consumer) -> None:
        """Let one that was out of the line stand in it again, if it may."""
        if self._single:
            self._choose()
        self._queue(consumer)

    def suspend(self, consumer: Consumer) -> None:
        """Serve it no more until `resume`; a single active consumer stays active."""
        self._leave_line(consumer)

    def pass_over(self, consumer: Consumer) -> None:
        """Serve another one, if this was the single active consumer."""
        self._leave_line(consumer)
        if self.active is consumer:
            self._step_down(consumer)

    def _queue(self, consumer: Consumer) -> None:
        waits = consumer.credit > 0 and not consumer.in_line
        if waits and consumer.may_be_served:
            self._lines[consumer.priority].append(consumer)
            consumer.in_line = True

    def _leave_line(self, consumer: Consumer) -> None:
        if consumer.in_line:
            self._lines[consumer.priority].remove(consumer)
            consumer.in_line = False

    # The single active consumer (RQ-13)

    def _choose(self) -> None:
        """Let somebody be the active consumer, or another one take over."""
        waiting = [
            consumer
            for consumer in self._consumers.values()
            if consumer is not self.active and consumer.is_up
        ]
        best = max(waiting, key=lambda one: one.priority, default=None)
        if best is None:
            return
        if self.active is None:
            self.active, best.active = best, True
            self._queue(best)
        elif self._takes_over and best.priority > self.active.priority:
            self._leave_line(self.active)
            self.active.quiescing = True
            if not self.active.unacked:
                self._step_down(self.active)

    def _step_down(self, consumer: Consumer) -> None:
        """Let the active consumer wait, behind the others of its priority."""
        consumer.active = consumer.quiescing = False
        self.active = None
        key = consumer.channel, consumer.tag
        self._consumers[key] = self._consumers.pop(key)
        self._choose()
