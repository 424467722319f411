"""What a member of the consumer protocol commits, and what errors make of it.

Commits carry the member's epoch. One that the coordinator finds too old is sent again
with the new one if it is the member's own, before it gives partitions up (N8-9); the
application is told that its own has failed. Automatic commits are due in a `poll()`,
`auto.commit.interval.ms` after the last one or the last assignment (CO-10).

Source: `CommitRequestManager` (clients, 4.3).
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from kafkasim.protocol import errors
from kafkasim.protocol.errors import NONE
from kafkasim.protocol.groups.group_messages import (
    NO_GENERATION,
    CommittedOffset,
    OffsetCommit,
    OffsetsCommitted,
)
from kafkasim.protocol.groups.member.consumer_membership import ConsumerMembership
from kafkasim.protocol.groups.member.coordinator_lookup import CoordinatorLookup
from kafkasim.protocol.groups.member.member_effects import (
    Commit,
    CommitEnded,
    Consumed,
    Effect,
    Outcome,
    Send,
)
from kafkasim.protocol.groups.member.member_settings import MemberSettings

_LOOKS: Final = frozenset({
    errors.COORDINATOR_NOT_AVAILABLE, errors.NOT_COORDINATOR, errors.REQUEST_TIMED_OUT,
})  # fmt: skip
_TRIED_AGAIN: Final = _LOOKS | {
    errors.COORDINATOR_LOAD_IN_PROGRESS, errors.UNKNOWN_TOPIC_OR_PARTITION,
}  # fmt: skip
_EXPELLED: Final = frozenset({errors.UNKNOWN_MEMBER_ID, errors.STALE_MEMBER_EPOCH})


class Why(Enum):
    """Who wants a commit."""

    APPLICATION = auto()
    INTERVAL = auto()
    """It was due in a poll."""
    REBALANCE = auto()
    """Partitions are about to be given up; they wait for it."""
    CLOSE = auto()
    """The consumer closes, and waits for it."""


@dataclass(slots=True, eq=False)
class Flight:
    """A commit that has not ended."""

    why: Why
    offsets: tuple[CommittedOffset, ...]
    deadline_ms: int | None = None
    """After which it is not tried again; None: it is tried once."""
    ticket: int | None = None
    until_ms: int | None = None
    """When it is not sent any more, if it has waited so long."""
    request: OffsetCommit | None = None
    """None: it waits to be sent."""
    not_before_ms: int = 0
    failures: int = 0

    def is_over(self, now_ms: int) -> bool:
        """Whether it was not sent in its time."""
        is_late = self.until_ms is not None and now_ms >= self.until_ms
        return is_late and self.request is None


class ConsumerCommits:
    """The commits of a member.

    Parameters
    ----------
    settings : MemberSettings
        Its configuration.
    membership : ConsumerMembership
        How it stands with its group.
    lookup : CoordinatorLookup
        Where the coordinator is.
    consumed : callable
        Returns what an automatic commit stores.
    backoff_ms : callable
        Returns how long to wait after so many failures, from 0.
    now_ms : int
        When it was made.
    """

    def __init__(
        self,
        settings: MemberSettings,
        membership: ConsumerMembership,
        lookup: CoordinatorLookup,
        *,
        consumed: Consumed,
        backoff_ms: Callable[[int], int],
        now_ms: int,
    ) -> None:
        self._settings = settings
        self._membership = membership
        self._lookup = lookup
        self._consumed = consumed
        self._backoff_ms = backoff_ms
        self._open: list[Flight] = []
        self.due_ms: int | None = None
        """When the next automatic one is due, in a poll; None: never."""
        self.count_anew(now_ms)

    def is_idle(self, why: Why) -> bool:
        """Tell whether none of a kind is under way."""
        return all(flight.why is not why for flight in self._open)

    @property
    def next_ms(self) -> int | None:
        """When one that has failed is sent again."""
        if self._lookup.node is None:
            return None
        waiting = [one.not_before_ms for one in self._open if one.request is None]
        return min(waiting, default=None)

    @property
    def polls_again_ms(self) -> int | None:
        """When a `poll()` can begin the next automatic one; None: not of itself."""
        idle = self.is_idle(Why.INTERVAL) and self.is_idle(Why.REBALANCE)
        return self.due_ms if idle else None

    def count_anew(self, now_ms: int) -> None:
        """Count `auto.commit.interval.ms` from now on, if it commits automatically."""
        if self._settings.auto_commit_ms is not None:
            self.due_ms = now_ms + self._settings.auto_commit_ms

    def commit_due(self, now_ms: int) -> None:
        """Commit automatically in a poll, if that is due and none is under way."""
        if self.due_ms is None or now_ms < self.due_ms:
            return
        if self.is_idle(Why.INTERVAL) and self.is_idle(Why.REBALANCE):
            self._begin(Flight(Why.INTERVAL, self._consumed()))
            self.count_anew(now_ms)

    def commit_all(self, why: Why, deadline_ms: int, now_ms: int) -> None:
        """Commit what polls have returned; `is_idle` tells when that has ended."""
        flight = Flight(why, self._consumed(), deadline_ms, not_before_ms=now_ms)
        self._begin(flight)

    def commit(self, wanted: Commit) -> list[Effect]:
        """Commit as the application wants to."""
        offsets, ticket = wanted.offsets, wanted.ticket
        if not offsets:
            return [CommitEnded(ticket, Outcome.DONE)]
        until_ms = wanted.until_ms
        self._begin(Flight(Why.APPLICATION, offsets, ticket=ticket, until_ms=until_ms))
        return []

    def _begin(self, flight: Flight) -> None:
        if flight.offsets:
            self._open.append(flight)

    def send(self, now_ms: int) -> list[Effect]:
        """Send what waits, if it is known to whom.

        Not what has waited for too long (`failAndRemoveExpiredCommitRequests`).
        """
        if self._lookup.node is None:
            return []
        self._open = [flight for flight in self._open if not flight.is_over(now_ms)]
        effects: list[Effect] = []
        settings, membership = self._settings, self._membership
        for flight in self._open:
            if flight.request is not None or now_ms < flight.not_before_ms:
                continue
            flight.request = OffsetCommit(
                group=settings.group,
                generation=membership.epoch if membership.epoch > 0 else NO_GENERATION,
                member_id=membership.member_id,
                instance_id=settings.instance_id,
                offsets=flight.offsets,
            )
            effects.append(Send(flight.request, ticket=flight.ticket))
        return effects

    # Answers

    def take(
        self, request: OffsetCommit, response: OffsetsCommitted, now_ms: int
    ) -> list[Effect]:
        """Take the answer; the first partition's error is that of all."""
        error = next((each for _, each in response.errors if each != NONE), NONE)
        effects = self._lookup.lose(now_ms) if error in _LOOKS else []
        return [*effects, *self._ended(request, error, now_ms)]

    def fail(self, request: OffsetCommit, now_ms: int) -> list[Effect]:
        """Take note that there will be no answer."""
        return self._ended(request, errors.NETWORK_EXCEPTION, now_ms)

    def _ended(self, request: OffsetCommit, error: int, now_ms: int) -> list[Effect]:
        flight = next((one for one in self._open if one.request is request), None)
        if flight is None:
            return []
        outcome = Outcome.FATAL
        if error == NONE:
            outcome = Outcome.DONE
        elif error in _TRIED_AGAIN or error == errors.NETWORK_EXCEPTION:
            outcome = Outcome.RETRIABLE
        elif error in _EXPELLED:
            outcome = Outcome.EXPELLED
        if self._may_be_sent_again(flight, error, outcome, now_ms):
            if flight.why is Why.REBALANCE:
                flight.offsets = self._consumed()
            flight.request = None
            flight.not_before_ms = now_ms + self._backoff_ms(flight.failures)
            flight.failures += 1
            return []
        self._open.remove(flight)
        if flight.why is Why.INTERVAL and outcome is Outcome.RETRIABLE:
            self.due_ms = now_ms + self._settings.retry_backoff_ms
        if flight.ticket is None:
            return []
        return [CommitEnded(flight.ticket, outcome, error)]

    def _may_be_sent_again(
        self, flight: Flight, error: int, outcome: Outcome, now_ms: int
    ) -> bool:
        if flight.deadline_ms is None or now_ms >= flight.deadline_ms:
            return False
        if flight.why is Why.REBALANCE:
            if error == errors.STALE_MEMBER_EPOCH:
                return self._membership.epoch > 0
            if error == errors.UNKNOWN_TOPIC_OR_PARTITION:
                return False
        return outcome is Outcome.RETRIABLE
