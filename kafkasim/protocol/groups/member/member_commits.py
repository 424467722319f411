"""What a member of the classic protocol commits, and what errors make of it.

A commit goes out only in a generation that has its assignment; one that waits for the
coordinator to be found is sent then. Automatic commits are due in a `poll()`,
`auto.commit.interval.ms` after the last one or the last assignment (CO-10), and
`retry.backoff.ms` after the poll that hears that one failed and may be tried again
(CO-11).

Source: `ConsumerCoordinator`: `sendOffsetCommitRequest`, `OffsetCommitResponseHandler`,
`commitOffsetsAsync` (clients).
"""

from typing import Final

from kafkasim.protocol import errors
from kafkasim.protocol.errors import NONE
from kafkasim.protocol.groups.group_messages import (
    CommittedOffset,
    OffsetCommit,
    OffsetsCommitted,
)
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
from kafkasim.protocol.groups.member.membership import Identity, Membership

_TRIED_AGAIN: Final = frozenset({
    errors.COORDINATOR_LOAD_IN_PROGRESS, errors.UNKNOWN_TOPIC_OR_PARTITION,
})  # fmt: skip
_LOOKS: Final = frozenset({
    errors.COORDINATOR_NOT_AVAILABLE, errors.NOT_COORDINATOR, errors.REQUEST_TIMED_OUT,
})  # fmt: skip

_EXPELLED: Final = frozenset({
    errors.UNKNOWN_MEMBER_ID, errors.ILLEGAL_GENERATION, errors.FENCED_INSTANCE_ID,
})  # fmt: skip


class Flight:
    """A commit under way."""

    __slots__ = (
        "error", "identity", "kind", "offsets", "outcome", "request", "ticket",
        "until_ms",
    )  # fmt: skip

    def __init__(
        self,
        offsets: tuple[CommittedOffset, ...],
        ticket: int | None,
        kind: str = "auto",
    ) -> None:
        self.offsets = offsets
        self.kind = kind
        self.ticket = ticket
        """Of the application's; None: an automatic one."""
        self.until_ms: int | None = None
        """When it is not sent any more, if it has waited so long."""
        self.request: OffsetCommit | None = None
        self.identity: Identity | None = None
        """As whom it was sent."""
        self.outcome: Outcome | None = None
        """None: it has not ended."""
        self.error = NONE


class MemberCommits:
    """The commits of a member.

    Parameters
    ----------
    settings : MemberSettings
        Its configuration.
    membership : Membership
        How it stands with its group.
    lookup : CoordinatorLookup
        Where the coordinator is.
    consumed : callable
        Returns what an automatic commit stores.
    now_ms : int
        When it was made.
    """

    def __init__(
        self,
        settings: MemberSettings,
        membership: Membership,
        lookup: CoordinatorLookup,
        consumed: Consumed,
        now_ms: int,
    ) -> None:
        self._settings = settings
        self._membership = membership
        self._lookup = lookup
        self._consumed = consumed
        self._open: list[Flight] = []
        """Sent, not answered."""
        self._waiting: list[Flight] = []
        """To be sent when the coordinator is found."""
        self.due_ms: int | None = None
        """When the next automatic one is due, in a poll; None: never."""
        self._failed = False
        """An automatic one may be tried again, and no poll has heard of it."""
        self.fenced = False
        """The next poll has to throw `FencedInstanceIdException`."""
        self.count_anew(now_ms)

    @property
    def is_idle(self) -> bool:
        """Whether none is under way."""
        return not self._open and not self._waiting

    def count_anew(self, now_ms: int) -> None:
        """Count `auto.commit.interval.ms` from now on, if it commits automatically."""
        if self._settings.auto_commit_ms is not None:
            self.due_ms = now_ms + self._settings.auto_commit_ms

    def hear(self, now_ms: int) -> None:
        """Let a poll hear of an automatic one that failed."""
        if self._failed:
            self._failed = False
            self.due_ms = now_ms + self._settings.retry_backoff_ms

    def commit_due(self, now_ms: int) -> list[Effect]:
        """Commit automatically in a poll, if that is due."""
        if self.due_ms is None or now_ms < self.due_ms:
            return []
        self.count_anew(now_ms)
        return self.automatic("auto", now_ms)[1]

    def automatic(self, kind: str, now_ms: int) -> tuple[Flight, list[Effect]]:
        """Commit what polls have returned; return the commit, and what to do.

        `kind` is why, as `Send` has it.
        """
        flight = Flight(self._consumed(), None, kind)
        return flight, self._begin(flight, now_ms)

    def commit(self, wanted: Commit, now_ms: int) -> list[Effect]:
        """Commit as the application wants to."""
        flight = Flight(wanted.offsets, wanted.ticket)
        flight.until_ms = wanted.until_ms
        return self._begin(flight, now_ms)

    def _begin(self, flight: Flight, now_ms: int) -> list[Effect]:
        if not flight.offsets:
            return self._end(flight, Outcome.DONE)
        if self._lookup.node is None:
            self._waiting.append(flight)
            return self._lookup.look(now_ms)
        return self._send(flight)

    def _send(self, flight: Flight) -> list[Effect]:
        """Send one, unless the member is in no generation that has its assignment."""
        membership, settings = self._membership, self._settings
        if membership.is_rebalancing:
            return self._end(flight, Outcome.REBALANCING)
        if not membership.is_stable:
            return self._end(flight, Outcome.EXPELLED)
        flight.identity = membership.identity
        flight.request = OffsetCommit(
            group=settings.group,
            generation=flight.identity.generation,
            member_id=flight.identity.member_id,
            instance_id=settings.instance_id,
            offsets=flight.offsets,
        )
        self._open.append(flight)
        return [Send(flight.request, ticket=flight.ticket, kind=flight.kind)]

    def coordinator_found(self, now_ms: int) -> list[Effect]:
        """Send what has waited for it, unless `commitSync` has thrown meanwhile."""
        waiting, self._waiting = self._waiting, []
        effects: list[Effect] = []
        for flight in waiting:
            if flight.until_ms is None or now_ms < flight.until_ms:
                effects += self._send(flight)
        return effects

    def coordinator_not_found(self) -> list[Effect]:
        """End what has waited for it."""
        waiting, self._waiting = self._waiting, []
        ended = [self._end(flight, Outcome.RETRIABLE) for flight in waiting]
        return [effect for effects in ended for effect in effects]

    # --- answers --------------------------------------------------------------------

    def take(
        self, request: OffsetCommit, response: OffsetsCommitted, now_ms: int
    ) -> list[Effect]:
        """Take the answer; the first partition's error is that of all."""
        flight = self._pop(request)
        if flight is None:
            return []
        error = next((e for _, e in response.errors if e != NONE), NONE)
        effects: list[Effect] = []
        if error in _LOOKS:
            effects = self._lookup.lose(now_ms)
        flight.error = error
        return [*effects, *self._end(flight, self._outcome_of(flight, error))]

    def fail(self, request: OffsetCommit) -> list[Effect]:
        """Take note that there will be no answer."""
        flight = self._pop(request)
        return [] if flight is None else self._end(flight, Outcome.RETRIABLE)

    def _pop(self, request: OffsetCommit) -> Flight | None:
        for place, flight in enumerate(self._open):
            if flight.request is request:
                return self._open.pop(place)
        return None

    def _outcome_of(self, flight: Flight, error: int) -> Outcome:
        """Return what an error means, and do what it asks for (CO-12)."""
        membership = self._membership
        is_same = membership.identity == flight.identity
        outcome = Outcome.FATAL
        if error == NONE:
            outcome = Outcome.DONE
        elif error in _TRIED_AGAIN | _LOOKS:
            outcome = Outcome.RETRIABLE
        elif error == errors.REBALANCE_IN_PROGRESS:
            membership.rejoin_needed = True
            outcome = Outcome.REBALANCING
        elif error in _EXPELLED and not is_same and membership.is_joining:
            outcome = Outcome.REBALANCING
        elif error == errors.FENCED_INSTANCE_ID and not is_same:
            outcome = Outcome.EXPELLED
        elif error in {errors.UNKNOWN_MEMBER_ID, errors.ILLEGAL_GENERATION}:
            membership.reset(keeps_id=error == errors.ILLEGAL_GENERATION)
            outcome = Outcome.EXPELLED
        return outcome

    def _end(self, flight: Flight, outcome: Outcome) -> list[Effect]:
        flight.outcome = outcome
        if outcome is Outcome.FATAL and flight.error == errors.FENCED_INSTANCE_ID:
            self.fenced = True
        if flight.ticket is not None:
            return [CommitEnded(flight.ticket, outcome, flight.error)]
        self._failed |= outcome is Outcome.RETRIABLE
        return []
