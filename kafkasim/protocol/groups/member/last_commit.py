"""The commit with which a consumer closes.

`close()` commits what polls have returned, if it commits automatically, and tries again
until its time is over (`ConsumerCoordinator.maybeAutoCommitOffsetsSync`, CO-10).
"""

from collections.abc import Callable
from typing import Final

from kafkasim.protocol.groups.member.member_commits import Flight, MemberCommits
from kafkasim.protocol.groups.member.member_effects import Effect, Outcome

CLOSE_MS: Final = 30_000
"""How long `close()` may take (`CloseOptions`, `DEFAULT_CLOSE_TIMEOUT_MS`)."""


class LastCommit:
    """That commit.

    Parameters
    ----------
    commits : MemberCommits
        Of the member.
    backoff_ms : callable
        Returns how long to wait after so many failures, from 0.
    now_ms : int
        When the application calls `close()`.
    """

    def __init__(
        self, commits: MemberCommits, backoff_ms: Callable[[int], int], now_ms: int
    ) -> None:
        self._commits = commits
        self._backoff_ms = backoff_ms
        self.deadline_ms = now_ms + CLOSE_MS
        """When `close()` waits no longer."""
        self._flight: Flight | None = None
        self._due_ms: int | None = None if commits.due_ms is None else now_ms
        self._failures = 0

    @property
    def next_deadline_ms(self) -> int:
        """When to go on."""
        if self._due_ms is None:
            return self.deadline_ms
        return min(self._due_ms, self.deadline_ms)

    def go_on(self, now_ms: int) -> tuple[list[Effect], bool]:
        """Commit, or try again; return what to do, and whether all is done."""
        effects: list[Effect] = []
        if self._due_ms is not None and now_ms >= self._due_ms:
            self._due_ms = None
            self._flight, effects = self._commits.automatic("close", now_ms)
        flight = self._flight
        if flight is not None and flight.outcome is Outcome.RETRIABLE:
            self._flight = flight = None
            self._due_ms = now_ms + self._backoff_ms(self._failures)
            self._failures += 1
        waits = self._due_ms is not None or (
            flight is not None and flight.outcome is None
        )
        return effects, not waits or now_ms >= self.deadline_ms
