"""The publisher of one source: it sends, and keeps what is not confirmed."""

from collections import deque
from collections.abc import Callable
from itertools import takewhile
from typing import Any, Final

from kafkasim.engine.sim.calendar import Calendar, Rank, key_base
from kafkasim.engine.sim.request import Connection
from kafkasim.engine.sim.systems.rabbitmq.feed import ACKED, FAILED, UNACKED, Feed
from kafkasim.engine.sim.systems.rabbitmq.node import Node
from kafkasim.engine.sim.timeline import Timeline
from kafkasim.result.recorder import Writer
from kafkasim.scenario.rabbitmq import Publisher
from kafkasim.units import FOREVER_NS, MISSING_NS, ns_from_ms

BLOCKED_BY: Final = ("unconfirmed", "no connection", "crashed", "paused")
"""Labels of `blocked.cause`."""
UNCONFIRMED, NO_CONNECTION, CRASHED, PAUSED = range(len(BLOCKED_BY))
NO_ROUTE: Final = 0
"""Code of the error of a message that came back."""

Sent = tuple["Publishing", int, int, int]
"""A message on its way: its publisher, that one's channel, its ordinal, and its number
among those confirmed."""


class Publishing:
    """A publisher.

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
    is_ahead : bool
        It sends messages before their time comes, as nothing can happen meanwhile.
    under_way : int
        Messages that have not arrived, while it is ahead.
    sure_ns : int
        Before then nothing depends on when it sees a confirm: it sends anyway, and the
        run is not over.
    """

    __slots__ = (
        "_again", "_blocked_by", "_blocked_since_ns", "_calendar", "_calm_ns",
        "_connect", "_delayed", "_is_down", "_is_still", "_resumed_ns", "_retry_ns",
        "_send", "_sequence", "_timeline", "_timer_key", "_unseen", "_wakes_ns",
        "_write_blocked", "arrival_key", "channel", "confirm_key", "connection", "feed",
        "fixed_key", "is_ahead", "life", "node", "settings", "sure_ns", "unconfirmed",
        "under_way", "ways",
    )  # fmt: skip

    def __init__(
        self,
        calendar: Calendar,
        timeline: Timeline,
        actor: int,
        feed: Feed,
        settings: Publisher,
        *,
        connect: "Callable[[Publishing], bool]",
        send: "Callable[[Publishing, int, int, int], None]",
        calm_ns: int,
        write_blocked: Writer,
    ) -> None:
        self._calendar = calendar
        self._timeline = timeline
        self._connect, self._send, self._write_blocked = connect, send, write_blocked
        self._retry_ns = ns_from_ms(settings.retry_ms)
        self.feed, self.settings = feed, settings
        is_free = feed.loop is None and settings.max_unconfirmed is None
        self._calm_ns = calm_ns if is_free else 0
        last_ns = feed.intended[-1] if len(feed.intended) else 0
        self.sure_ns = min(self._calm_ns, last_ns)
        self.is_ahead = False
        self.under_way = 0
        self.connection: Connection | None = None
        self.node: Node | None = None
        self.ways: Any = None
        """To its node and back."""
        self.channel = self.life = 0
        self.fixed_key = (
            self._key_of("") if "{key}" not in settings.routing_key else None
        )
        self._sequence = 0
        self.unconfirmed: dict[int, int] = {}
        """Ordinals of what it waits for, by their numbers in its channel."""
        self._again: deque[int] = deque()
        """What it has to send again."""
        self._delayed: dict[int, None] = {}
        """What it will have to, in a while."""
        self._is_still = self._is_down = False
        self._unseen: list[tuple[int, bool, bool]] = []
        """Confirms that came while it stood still."""
        self._blocked_since_ns = MISSING_NS
        self._blocked_by = UNCONFIRMED
        self._resumed_ns = 0
        self._wakes_ns = MISSING_NS
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
        self.is_ahead = True
        self._timer_key += 1
        until_ns = self._calm_ns - 1
        self._calendar.push((until_ns, self._timer_key, self._look_again, None))
        self.under_way = 0
        self.send_ahead()

    def send_ahead(self) -> None:
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
        self.send_ahead()
        self.is_ahead = False
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

    # --- confirms -----------------------------------------------------------------

    def confirmed(
        self, number: int, at_ns: int, *, multiple: bool, refused: bool
    ) -> None:
        """Take a confirm, or a refusal, of one number or of all up to it."""
        if self._is_still:
            self._unseen.append((number, multiple, refused))
            return
        waiting = self.unconfirmed
        numbers = [number] if number in waiting else []
        if multiple:  # numbers ascend
            numbers = list(takewhile(number.__ge__, waiting))
        if refused:
            self._refused([waiting.pop(each) for each in numbers])
            return
        feed = self.feed
        for each in numbers:
            ordinal = waiting.pop(each)
            if feed.outcomes[ordinal] != FAILED:
                feed.outcomes[ordinal] = ACKED
                feed.acked_ns[ordinal] = at_ns
            self._timeline.settle(1)
            if feed.loop is not None:
                self._answered()
        if self._blocked_since_ns != MISSING_NS or feed.loop is not None:
            self.go_on()

    def sent(self, ordinal: int) -> None:
        """Count a message without confirms, of which it hears no more, as settled."""
        self.feed.outcomes[ordinal] = UNACKED
        self._timeline.settle(1)

    def returned(self, ordinal: int) -> None:
        """Take back a message that no queue wanted; its confirm follows."""
        self.feed.outcomes[ordinal] = FAILED
        self.feed.errors[ordinal] = NO_ROUTE

    def _answered(self) -> None:
        """Let the user of a closed loop think who waited for it."""
        loop = self.feed.loop
        if loop is not None and loop.answered(self._calendar.now_ns):
            self._timeline.settle(1)

    def _refused(self, ordinals: list[int]) -> None:
        """Send again, after a while, what a node could not take."""
        self._delayed |= dict.fromkeys(ordinals)
        self._timer_key += 1
        at_ns = self._calendar.now_ns + self._retry_ns
        what = self.life, ordinals
        self._calendar.at(at_ns, self._timer_key, self._send_delayed, what)

    def _send_delayed(self, what: tuple[int, list[int]]) -> None:
        life, ordinals = what
        if life == self.life:
            for ordinal in ordinals:
                del self._delayed[ordinal]
            self._again.extend(ordinals)
            self.go_on()

    # --- connections and events ---------------------------------------------------

    def connection_lost(self) -> None:
        """Connect anew, after a while, and send again what was not confirmed."""
        self._disconnect()
        if not self._is_down:
            self._reconnect_later()
            self.go_on()

    def _disconnect(self) -> None:
        """Forget the connection; keep what has to be sent again."""
        self.connection = self.node = None
        self.life += 1
        waiting = [*self.unconfirmed.values(), *self._delayed, *self._again]
        self._again = deque(sorted(waiting))
        self.unconfirmed.clear()
        self._delayed = {}
        self._unseen.clear()
        self._sequence = 0

    def _reconnect_later(self) -> None:
        self._timer_key += 1
        at_ns = self._calendar.now_ns + self._retry_ns
        self._calendar.at(at_ns, self._timer_key, self._reconnect, self.life)

    def _reconnect(self, life: int) -> None:
        if life != self.life or self._is_down or self.connection is not None:
            return
        if self._is_still or not self._connect(self):
            self._reconnect_later()
        self.go_on()

    def crash(self, until_ns: int, caused_by: int) -> int:
        """Stop: what is not confirmed is lost with it; return how much that is."""
        self._disconnect()
        self._is_down, self._is_still = True, False
        lost = list(self._again)
        self._again.clear()
        feed = self.feed
        for ordinal in lost:
            feed.outcomes[ordinal] = FAILED
            feed.causes[ordinal] = caused_by
            self._timeline.settle(1)
            self._answered()
        self._stop_until(until_ns, CRASHED)
        return len(lost)

    def stand_still(self, until_ns: int) -> None:
        """Hand nothing over, and see no confirm, until a time."""
        self._is_still = True
        self._stop_until(until_ns, PAUSED)

    def _stop_until(self, until_ns: int, cause: int) -> None:
        self._end_blocked()
        self._resumed_ns = until_ns
        end_ns = until_ns if until_ns < FOREVER_NS else MISSING_NS
        self._write_blocked(self.feed.code, self._calendar.now_ns, end_ns, cause)

    def resume(self) -> None:
        """Go on after a pause, with the confirms that have come."""
        if not self._is_still:
            return  # a crash has ended it
        self._is_still = False
        unseen, self._unseen = self._unseen, []
        for number, multiple, refused in unseen:
            now_ns = self._calendar.now_ns
            self.confirmed(number, now_ns, multiple=multiple, refused=refused)
        self.go_on()

    def restart(self) -> None:
        """Start again after a crash."""
        self._is_down = False
        self._reconnect(self.life)
