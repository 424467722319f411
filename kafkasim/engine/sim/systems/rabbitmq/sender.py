"""What a publisher sends, and when: as it is due, or ahead of its time."""

from array import array
from collections import deque
from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from kafkasim.engine.sim.calendar import Calendar, Rank, key_base
from kafkasim.engine.sim.request import Connection
from kafkasim.engine.sim.systems.rabbitmq.feed import Feed
from kafkasim.engine.sim.systems.rabbitmq.node import Node
from kafkasim.engine.sim.timeline import Timeline
from kafkasim.result.recorder import Writer
from kafkasim.scenario.rabbitmq import Publisher
from kafkasim.units import FOREVER_NS, MISSING_NS, ns_from_ms

BLOCKED_BY: Final = ("unconfirmed", "no connection", "crashed", "paused")
"""Labels of `blocked.cause`."""
UNCONFIRMED, NO_CONNECTION, CRASHED, PAUSED = range(len(BLOCKED_BY))
Sent = tuple[Any, int, int, int]
"""A message on its way: its publisher, that one's channel, its ordinal, and its number
among those confirmed."""


class Sending:
    """A publisher, as far as it sends.

    Parameters
    ----------
    calendar, timeline
        The run's.
    actor : int
        Its number among the run's actors.
    feed : Feed
        What it publishes.
    settings : Publisher
        As it was said.
    connect : callable
        Connects it to a node; returns whether there is one that is up.
    send : callable
        Sends a message over its connection: takes the publisher, the ordinal, its
        number among those to be confirmed, 0 if there are none, and the time.
    arrive : callable
        Takes what it has sent when it arrives.
    calm_ns : int
        Until when nothing happens to it: it need not look before it sends.
    write_blocked : callable
        Writes a row of `blocked`.

    Attributes
    ----------
    connection, node, channel
        To which node it is connected, through what; None while it is not.
    life : int
        How often a connection of it has ended.
    send_ahead : callable or None
        It sends messages before their time comes, as nothing can happen meanwhile: call
        this when one has arrived.
    under_way : int
        Messages that have not arrived, while it is ahead.
    sure_ns : int
        Before then nothing depends on when it sees a confirm: it sends anyway, and the
        run is not over.
    """

    __slots__ = (
        "_again", "_arrive", "_blocked_by", "_blocked_since_ns", "_calendar",
        "_calm_ns", "_connect", "_delayed", "_is_down", "_is_still", "_known_from",
        "_known_ns", "_resumed_ns", "_retry_ns",
        "_send", "_sequence", "_timeline", "_timer_key", "_unseen", "_wakes_ns",
        "_write_blocked", "arrival_key", "channel", "confirm_key", "connection",
        "exchange", "feed", "fixed_key", "life", "node", "persistent", "send_ahead",
        "settings", "sure_ns", "unconfirmed", "under_way", "ways",
    )  # fmt: skip

    def __init__(
        self,
        calendar: Calendar,
        timeline: Timeline,
        actor: int,
        feed: Feed,
        settings: Publisher,
        *,
        connect: Callable[[Any], bool],
        send: Callable[[Any, int, int, int], None],
        arrive: Callable[[Sent], None],
        calm_ns: int,
        write_blocked: Writer,
    ) -> None:
        self._calendar, self._timeline = calendar, timeline
        self._connect, self._write_blocked = connect, write_blocked
        self._send, self._arrive = send, arrive
        self._retry_ns = ns_from_ms(settings.retry_ms)
        self.feed, self.settings = feed, settings
        is_free = feed.loop is None and settings.max_unconfirmed is None
        self._calm_ns = calm_ns if is_free else 0
        last_ns = feed.intended[-1] if len(feed.intended) else 0
        self.sure_ns = min(self._calm_ns, last_ns)
        self.send_ahead: Callable[[], None] | None = None
        self._known_ns: NDArray[np.int64] | None = None
        """When what it sends ahead of time would arrive, and whose that is first."""
        self.under_way = self._sequence = 0
        self.connection: Connection | None = None
        self.node: Node | None = None
        self.ways: Any = None
        """To its node and back."""
        self.channel = self.life = 0
        self.exchange, self.persistent = settings.exchange, settings.persistent
        self.fixed_key = (
            self._key_of("") if "{key}" not in settings.routing_key else None
        )
        self.unconfirmed: dict[int, int] = {}
        """Ordinals of what it waits for, by their numbers in its channel."""
        self._again: deque[int] = deque()
        """What it has to send again."""
        self._delayed: dict[int, None] = {}
        """What it will have to, in a while."""
        self._is_still = self._is_down = False
        self._unseen: list[tuple[int, bool, bool]] = []
        """Confirms that came while it stood still."""
        self._blocked_since_ns, self._blocked_by = MISSING_NS, UNCONFIRMED
        self._resumed_ns, self._wakes_ns = 0, MISSING_NS
        self._timer_key = key_base(Rank.TIMER, actor)
        self.arrival_key = key_base(Rank.ARRIVAL, actor)
        self.confirm_key = key_base(Rank.ANSWER, actor)

    def start(self) -> None:
        """Connect, and send what is due."""
        self._reconnect(self.life)

    def go_on(self) -> None:
        """Send what is due, as far as it may; come back for the rest."""
        now_ns = self._calendar.now_ns
        if self._is_still or self._is_down:
            return
        feed = self.feed
        while True:
            due_ns = now_ns if self._again else feed.due_ns()
            if due_ns >= now_ns and not self._again:
                self._end_blocked()
                if due_ns > now_ns:
                    if due_ns < self._calm_ns and self.connection is not None:
                        self._go_ahead()
                    else:
                        self._wake_at(due_ns)
                    return
            if (cause := self._hindrance()) >= 0:
                self._block(cause, max(due_ns, self._resumed_ns))
                return
            if self._again:
                self._publish(self._again.popleft(), now_ns)
                continue
            ordinal = feed.take(now_ns)
            if feed.loop is not None:
                self._timeline.unsettled += 1
            self._publish(ordinal, now_ns)
            if not self.settings.confirms:
                self._answered()

    def _hindrance(self) -> int:
        """Return why it may not send; -1 if it may."""
        if self.connection is None:
            return NO_CONNECTION
        most = self.settings.max_unconfirmed
        if most is not None and len(self.unconfirmed) >= most:
            return UNCONFIRMED
        return -1

    def routing_key(self, ordinal: int) -> str:
        """Return the routing key of a message."""
        if self.fixed_key is not None:
            return self.fixed_key
        return self._key_of(self.feed.key(ordinal))

    def _key_of(self, key: str) -> str:
        plan = self.feed.plan
        text = self.settings.routing_key.replace("{stream}", plan.stream)
        return text.replace("{source}", plan.source).replace("{key}", key)

    def _publish(self, ordinal: int, at_ns: int) -> None:
        self.feed.send_count[ordinal] += 1
        number = 0
        if self.settings.confirms:
            self._sequence = number = self._sequence + 1
            self.unconfirmed[number] = ordinal
        self._send(self, ordinal, number, at_ns)

    # --- ahead of time ------------------------------------------------------------

    def _go_ahead(self) -> None:
        """Send ahead of time until something may happen to it."""
        self._timer_key += 1
        until_ns = self._calm_ns - 1
        self._calendar.push((until_ns, self._timer_key, self._look_again, None))
        self.under_way = 0
        self._know()
        self.send_ahead = (
            self._send_ahead if self._known_ns is None else self._send_known
        )
        self.send_ahead()

    def _know(self) -> None:
        """Work out when all arrives that is sent ahead of time, if that can be."""
        feed, first = self.feed, self.feed.next_ordinal
        due_ns = feed.plan.intended_ns[first:]
        due_ns = due_ns[: np.searchsorted(due_ns, self._calm_ns)]
        last = first + len(due_ns)
        sizes = np.array(feed.sizes[first:last], np.int64)
        arrive_ns = self.ways.all_there(due_ns, sizes)
        if arrive_ns is not None:
            self._known_from, self._known_ns = first, arrive_ns.data
            feed.created_ns[first:last] = array("q", due_ns.tobytes())
            feed.send_count[first:last] = array("i", [1]) * len(due_ns)

    def _send_known(self) -> None:
        """Do what `send_ahead` does with what is known already."""
        feed, calendar, known_ns = self.feed, self._calendar, self._known_ns
        assert known_ns is not None
        first = self._known_from
        for ordinal in range(feed.next_ordinal, first + len(known_ns)):
            if self.under_way and feed.intended[ordinal] > calendar.now_ns:
                return
            feed.next_ordinal = ordinal + 1
            self.under_way += 1
            number = 0
            if self.settings.confirms:
                self._sequence = number = self._sequence + 1
                self.unconfirmed[number] = ordinal
            self.arrival_key = key = self.arrival_key + 1
            sent = self, self.channel, ordinal, number
            calendar.push((known_ns[ordinal - first], key, self._arrive, sent))

    def _send_ahead(self) -> None:
        """Send what is due by now, and the next one too if none is under way.

        Each goes when it is due: it leaves then, whenever that is worked out, for only
        this publisher's messages use its card. The next one is worked out before it
        arrives, since an earlier one arrives first.
        """
        feed, now_ns = self.feed, self._calendar.now_ns
        intended = feed.intended
        for ordinal in range(feed.next_ordinal, len(intended)):
            due_ns = intended[ordinal]
            if due_ns > now_ns and (self.under_way or due_ns >= self._calm_ns):
                return
            feed.next_ordinal = ordinal + 1
            feed.created_ns[ordinal] = due_ns
            self.under_way += 1
            self._publish(ordinal, due_ns)

    def _look_again(self, _: object) -> None:
        """Look before each message from now on."""
        assert self.send_ahead is not None
        self.send_ahead()
        self.send_ahead = self._known_ns = None
        self.go_on()

    def _wake_at(self, time_ns: int) -> None:
        if time_ns >= FOREVER_NS or time_ns == self._wakes_ns:
            return
        self._wakes_ns = time_ns
        self._timer_key += 1
        self._calendar.at(time_ns, self._timer_key, self._wake, time_ns)

    def _wake(self, time_ns: int) -> None:
        if time_ns == self._wakes_ns:
            self._wakes_ns = MISSING_NS
            self.go_on()

    # --- blocked ------------------------------------------------------------------

    def _block(self, cause: int, since_ns: int) -> None:
        if self._blocked_since_ns != MISSING_NS:
            if cause == self._blocked_by:
                return
            self._end_blocked()
            since_ns = self._calendar.now_ns
        self._blocked_since_ns, self._blocked_by = since_ns, cause

    def _end_blocked(self) -> None:
        since_ns, now_ns = self._blocked_since_ns, self._calendar.now_ns
        if since_ns != MISSING_NS:
            self._blocked_since_ns = MISSING_NS
            if since_ns < now_ns:
                self._write_blocked(self.feed.code, since_ns, now_ns, self._blocked_by)

    def finish(self) -> None:
        """Write what is under way when the run ends."""
        self._end_blocked()

    # --- what becomes of it -------------------------------------------------------

    def _answered(self) -> None:
        """Let the user of a closed loop think who waited for it."""
        loop = self.feed.loop
        if loop is not None and loop.answered(self._calendar.now_ns):
            self._timeline.settle(1)

    def _reconnect(self, life: int) -> None:
        """Connect, unless it was connected anew since."""
        raise NotImplementedError
