"""How a client finds the coordinator of its group (GR-1), and loses it.

It asks any broker. While it does not know, `poll()` does nothing else; it asks again
after a backoff that doubles. Meanwhile, as long as it is a member, its heartbeat thread
asks for itself.

Source: `AbstractCoordinator.ensureCoordinatorReady`, `lookupCoordinator`,
`markCoordinatorUnknown`, `HeartbeatThread.run` (clients). A backoff there begins anew
with each `poll()`; here it grows until the coordinator is found.
"""

from collections.abc import Callable

from kafkasim.protocol.errors import NONE, RETRIABLE
from kafkasim.protocol.groups.group_messages import CoordinatorFound, FindCoordinator
from kafkasim.protocol.groups.member.member_effects import CoordinatorIs, Effect, Send


class CoordinatorLookup:
    """Which broker coordinates the group, as far as a client knows.

    Parameters
    ----------
    group : str
        Its name.
    retry_backoff_ms : int
        `retry.backoff.ms`.
    backoff_ms : callable
        Returns how long to wait after so many failures, from 0.
    """

    def __init__(
        self, group: str, retry_backoff_ms: int, backoff_ms: Callable[[int], int]
    ) -> None:
        self._group = group
        self._retry_backoff_ms = retry_backoff_ms
        self._backoff_ms = backoff_ms
        self.node: int | None = None
        """Index of the broker; None: unknown."""
        self.fatal = NONE
        """Error that `poll()` has to throw."""
        self._asked: FindCoordinator | None = None
        self._looks = False
        """The application's thread looks for it."""
        self._not_before_ms = 0
        self._failures = 0
        self._answers = False
        """It has answered since it was found."""
        self._tick_ms = 0
        """When the heartbeat thread looks again."""

    @property
    def next_deadline_ms(self) -> int | None:
        """When it is asked again; None: there is an answer to come, or no need."""
        waits = self._looks and self.node is None and self._asked is None
        return self._not_before_ms if waits else None

    def look(self, now_ms: int) -> list[Effect]:
        """Ask, if it is unknown, no answer is to come and no backoff lasts."""
        if self.node is not None:
            return []
        self._looks = True
        if self._asked is not None or now_ms < self._not_before_ms:
            return []
        return self._ask()

    def handle_timeout(self, now_ms: int) -> list[Effect]:
        """Ask again if that is due."""
        due_ms = self.next_deadline_ms
        return [] if due_ms is None or now_ms < due_ms else self._ask()

    def _ask(self) -> list[Effect]:
        self._asked = FindCoordinator(group=self._group)
        return [Send(self._asked)]

    # --- by the heartbeat thread ----------------------------------------------------

    @property
    def next_tick_ms(self) -> int | None:
        """When the heartbeat thread has to look; None: it need not."""
        return None if self._looks or self.node is not None else self._tick_ms

    def tick(self, now_ms: int) -> list[Effect]:
        """Ask; one `retry.backoff.ms` later give the answer up, and so on."""
        if self.next_tick_ms is None or now_ms < self._tick_ms:
            return []
        self._tick_ms = now_ms + self._retry_backoff_ms
        if self._asked is None:
            return self._ask()
        self._asked = None
        return []

    # --- answers --------------------------------------------------------------------

    def take(
        self, request: FindCoordinator, response: CoordinatorFound, now_ms: int
    ) -> list[Effect]:
        """Take the answer, also one that was given up."""
        if response.error != NONE:
            self.fail(request, now_ms)
            if response.error not in RETRIABLE:
                self.fatal = response.error
            return []
        self._asked = None
        self._looks = False
        if response.node == self.node:
            return []
        self.node = response.node
        self._answers = False
        return [CoordinatorIs(response.node)]

    def fail(self, request: FindCoordinator, now_ms: int) -> None:
        """Wait before the next one: this one failed."""
        if request is self._asked:
            self._asked = None
            self._wait(now_ms)

    def answered(self) -> None:
        """Take note that the coordinator has answered: it is there."""
        self._answers = True
        self._failures = 0

    def lose(self, now_ms: int) -> list[Effect]:
        """Know it no more; at once if it had answered, else after a backoff."""
        if self.node is None:
            return []
        self.node = None
        self._not_before_ms = now_ms
        self._tick_ms = max(self._tick_ms, now_ms)
        if not self._answers:
            self._wait(now_ms)
        return [CoordinatorIs(None)]

    def _wait(self, now_ms: int) -> None:
        self._not_before_ms = now_ms + self._backoff_ms(self._failures)
        self._failures += 1
