"""The publisher of one source: it sends, and keeps what is not confirmed."""

from collections import deque
from itertools import takewhile
from typing import Final

from kafkasim.engine.sim.systems.rabbitmq.feed import ACKED, FAILED, UNACKED
from kafkasim.engine.sim.systems.rabbitmq.sender import CRASHED, PAUSED, Sending
from kafkasim.units import FOREVER_NS, MISSING_NS

NO_ROUTE: Final = 0
"""Code of the error of a message that came back."""


class Publishing(Sending):
    """A publisher; what it is made of, `Sending` says."""

    __slots__ = ()

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
        for each in numbers:
            self.confirmed_one(each, at_ns)
            if self.feed.loop is not None:
                self._answered()
        if self._blocked_since_ns != MISSING_NS or self.feed.loop is not None:
            self.go_on()

    def confirmed_one(self, number: int, at_ns: int) -> None:
        """Take a confirm of one number on which nothing depends."""
        ordinal = self.unconfirmed.pop(number, -1)
        if ordinal >= 0:
            feed = self.feed
            if feed.outcomes[ordinal] != FAILED:
                feed.outcomes[ordinal] = ACKED
                feed.acked_ns[ordinal] = at_ns
            self._timeline.settle(1)

    def sent(self, ordinal: int) -> None:
        """Count a message without confirms, of which it hears no more, as settled."""
        self.feed.outcomes[ordinal] = UNACKED
        self._timeline.settle(1)

    def returned(self, ordinal: int) -> None:
        """Take back a message that no queue wanted; its confirm follows."""
        self.feed.outcomes[ordinal] = FAILED
        self.feed.errors[ordinal] = NO_ROUTE

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
