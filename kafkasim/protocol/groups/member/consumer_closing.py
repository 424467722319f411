"""How a member of the consumer protocol leaves when its consumer is closed.

It commits what polls have returned, if it commits automatically; gives up all it has in
one callback; sends one heartbeat that says so, and waits for the answer
(`AsyncKafkaConsumer.close`, 4.3). A dynamic member leaves for good with epoch -1, a
static one for a while with -2.
"""

from typing import Final

from kafkasim.protocol.groups.member.consumer_commits import ConsumerCommits, Why
from kafkasim.protocol.groups.member.consumer_membership import ConsumerMembership
from kafkasim.protocol.groups.member.member_effects import Closed, Lost, Revoked

CLOSE_MS: Final = 30_000
"""How long `close()` may take (`CloseOptions`)."""


class Closing:
    """A consumer that is being closed.

    Parameters
    ----------
    membership : ConsumerMembership
        How the member stands with its group.
    commits : ConsumerCommits
        Its commits.
    now_ms : int
        When the application calls `close()`.
    """

    def __init__(
        self, membership: ConsumerMembership, commits: ConsumerCommits, now_ms: int
    ) -> None:
        self._membership = membership
        self._commits = commits
        self.deadline_ms = now_ms + CLOSE_MS
        """When `close()` waits no longer."""
        self.looks_no_more = False
        """The coordinator is not looked for any more."""
        self._gave_up = False
        self._left = False
        membership.calls.clear()
        if commits.due_ms is not None:
            commits.commit_all(Why.CLOSE, self.deadline_ms, now_ms)

    def go_on(self, now_ms: int) -> Revoked | Lost | Closed | None:
        """Return what to do next; None while something is waited for."""
        late = now_ms >= self.deadline_ms
        if not self._commits.is_idle(Why.CLOSE) and not late:
            return None
        self.looks_no_more = True
        membership = self._membership
        if not self._gave_up:
            self._gave_up = True
            owned = tuple(sorted(membership.owned))
            if owned:
                return Revoked(owned) if membership.epoch > 0 else Lost(owned)
        if not self._left:
            self._left = True
            membership.leave()
        waits = membership.is_leaving or membership.leaves_now
        return None if waits and not late else Closed()

    def returned(self) -> None:
        """Take note that the callback has returned."""
        self._membership.owned = frozenset()
