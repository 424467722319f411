"""When a member of the classic protocol sends heartbeats, and when it gives up.

A thread of its own sends one every `heartbeat.interval.ms`, also while the application
works (GR-8). It looks for another coordinator when none was answered for
`session.timeout.ms`, and leaves the group when the application has not called `poll()`
for `max.poll.interval.ms`.

Source: `Heartbeat` and `AbstractCoordinator.HeartbeatThread` (clients). The thread
there looks every `retry.backoff.ms`, or at once when a `poll()` finds that a beat is
due; here it is always in time.
"""

from collections.abc import Callable

from kafkasim.protocol.groups.member.member_settings import MemberSettings


class Beats:
    """The three timers of a member; times are milliseconds.

    Parameters
    ----------
    settings : MemberSettings
        Its configuration.
    backoff_ms : callable
        Returns how long to wait after so many failures, from 0.
    """

    __slots__ = (
        "_backoff_ms",
        "_failures",
        "_settings",
        "beat_ms",
        "poll_ms",
        "session_ms",
    )

    def __init__(
        self, settings: MemberSettings, backoff_ms: Callable[[int], int]
    ) -> None:
        self._settings = settings
        self._backoff_ms = backoff_ms
        self._failures = 0
        self.beat_ms = 0
        """When the next one is due."""
        self.session_ms = 0
        """When the coordinator will have been silent for too long."""
        self.poll_ms = 0
        """When the application will not have polled for too long."""

    @property
    def next_deadline_ms(self) -> int:
        """The first of the three."""
        return min(self.beat_ms, self.session_ms, self.poll_ms)

    def begin(self, now_ms: int) -> None:
        """Count anew: the member has a generation (`resetTimeouts`)."""
        self.beat_ms = now_ms + self._settings.heartbeat_interval_ms
        self.found(now_ms)
        self.polled(now_ms)

    def polled(self, now_ms: int) -> None:
        """Take note of a `poll()`."""
        self.poll_ms = now_ms + self._settings.max_poll_interval_ms

    def found(self, now_ms: int) -> None:
        """Count the session anew: a coordinator was found (`resetSessionTimeout`)."""
        self.session_ms = now_ms + self._settings.session_timeout_ms

    def sent(self, now_ms: int) -> None:
        """Take note that one was sent; the next is due after the interval."""
        self.beat_ms = now_ms + self._settings.heartbeat_interval_ms

    def received(self, now_ms: int) -> None:
        """Take note of an answer that tells that the member lives."""
        self._failures = 0
        self.found(now_ms)

    def failed(self, now_ms: int) -> None:
        """Send the next one after a backoff."""
        self.beat_ms = now_ms + self._backoff_ms(self._failures)
        self._failures += 1
