"""How a member of the classic protocol takes part in a rebalance.

Before it joins, it commits and waits for that, if it commits automatically (CO-10).
With the eager protocol it gives up all it has; with the cooperative one it gives up,
when the new assignment has come, what that takes away, and joins a second time (GR-12).
What it gives up is revoked, or lost if it was expelled; only then something is
assigned (GR-13).

Source: `AbstractCoordinator.joinGroupIfNeeded`, `ConsumerCoordinator.onJoinPrepare`,
`onJoinComplete`, `onLeavePrepare` (clients). All of it happens in the application's
thread, inside `poll()`.
"""

from collections.abc import Callable

from kafkasim.protocol.assignors import RebalanceProtocol, common_protocol
from kafkasim.protocol.groups.member.coordinator_lookup import CoordinatorLookup
from kafkasim.protocol.groups.member.join_effort import JoinEffort
from kafkasim.protocol.groups.member.member_commits import Flight, MemberCommits
from kafkasim.protocol.groups.member.member_effects import (
    Assigned,
    Effect,
    HeldBack,
    Lost,
    Outcome,
    Partitions,
    Raised,
    Revoked,
)
from kafkasim.protocol.groups.member.member_reactions import Again
from kafkasim.protocol.groups.member.member_settings import MemberSettings
from kafkasim.protocol.groups.member.membership import NOBODY, Membership


class Rebalance:
    """What a member owns, and how that changes.

    Parameters
    ----------
    settings : MemberSettings
        Its configuration.
    membership : Membership
        How it stands with its group.
    lookup : CoordinatorLookup
        Where the coordinator is.
    commits : MemberCommits
        Its commits.
    effort : JoinEffort
        Its way into the next generation.
    """

    def __init__(
        self,
        settings: MemberSettings,
        membership: Membership,
        lookup: CoordinatorLookup,
        commits: MemberCommits,
        effort: JoinEffort,
    ) -> None:
        self._settings = settings
        protocol = common_protocol(settings.assignors)
        self._is_cooperative = protocol is RebalanceProtocol.COOPERATIVE
        self._membership = membership
        self._lookup = lookup
        self._commits = commits
        self._effort = effort
        self.owned: Partitions = ()
        self.again_ms: int | None = None
        """When a `poll()` that waits has to look again; None: when something comes."""
        self._joined_as = NOBODY
        """As whom it got the assignment that it takes: callbacks may outlast that."""
        self.is_done = False
        """Whether the last step left nothing to be done."""
        self._after: Callable[[int], list[Effect]] | None = None
        """What follows the callback that runs now; None: none runs."""
        self._prepares_until_ms: int | None = None
        """When it gives up what it has though its commit has not ended."""
        self._flight: Flight | None = None
        """The commit that it waits for before it gives up what it has."""

    # --- callbacks ------------------------------------------------------------------

    @property
    def calls(self) -> bool:
        """Whether a callback runs."""
        return self._after is not None

    def check_no_callback(self) -> None:
        """Raise ValueError if a callback runs: the application is in it."""
        if self.calls:
            raise ValueError("a callback of this consumer has not returned")

    def returned(self, now_ms: int) -> list[Effect]:
        """Go on after a callback; raise ValueError if none runs."""
        after, self._after = self._after, None
        if after is None:
            raise ValueError("no callback of this consumer runs")
        return after(now_ms)

    def _call(
        self, callback: Revoked | Lost | Assigned, after: Callable[[int], list[Effect]]
    ) -> list[Effect]:
        """Have a callback run; `after` is what follows it."""
        self._after = after
        return [callback]

    # --- joining --------------------------------------------------------------------

    def go_on(self, now_ms: int) -> list[Effect]:
        """Join as far as that goes without waiting (`joinGroupIfNeeded`)."""
        effects: list[Effect] = []
        goes_on = True
        while goes_on and self._after is None and self._must_join():
            did, goes_on = self._step(now_ms)
            effects += did
        self.is_done = goes_on and self._after is None
        return effects

    def _must_join(self) -> bool:
        """Whether it has to join, or see how that went (`rejoinNeededOrPending`)."""
        if self._effort.is_outdated:
            self._membership.rejoin_needed = True
        return self._membership.rejoin_needed or self._effort.is_open

    def _step(self, now_ms: int) -> tuple[list[Effect], bool]:
        """Take one step; return what to do, and whether another may follow."""
        effort = self._effort
        if self._lookup.node is None:
            return self._lookup.look(now_ms), False
        if self._membership.prepare_needed:
            return self._prepare(now_ms)
        if not effort.is_open:
            return effort.begin(self.owned), False
        if effort.assigned is not None:
            return self._complete(now_ms), True
        return self._retry(now_ms)

    def _retry(self, now_ms: int) -> tuple[list[Effect], bool]:
        """See whether joining has failed, and when to try again."""
        effort = self._effort
        again, error = effort.again, effort.error
        if again is None:
            return [], False
        effort.close()
        self._membership.rejoin_needed = True
        if again is Again.NEVER:
            return [Raised(error)], False
        if again is Again.LATER:
            self.again_ms = now_ms + self._settings.retry_backoff_ms
        return [], again is Again.AT_ONCE

    # --- giving up, before it joins ---------------------------------------------------

    def _prepare(self, now_ms: int) -> tuple[list[Effect], bool]:
        """Commit, wait for that, and give up what it has (`onJoinPrepare`)."""
        effects: list[Effect] = []
        if self._prepares_until_ms is None:
            self._prepares_until_ms = now_ms + self._settings.max_poll_interval_ms
        if self._commits.due_ms is not None and self._flight is None:
            if not self._is_cooperative and self.owned:
                effects.append(HeldBack(self.owned))
            self._flight, sent = self._commits.automatic("rebalance", now_ms)
            effects += sent
        if self._flight is not None and now_ms < self._prepares_until_ms:
            outcome = self._flight.outcome
            if outcome is None:
                self.again_ms = self._prepares_until_ms
                return effects, False
            if outcome is Outcome.RETRIABLE:
                self._flight = None
                self.again_ms = now_ms + self._settings.retry_backoff_ms
                return effects, False
        self._flight = self._prepares_until_ms = None
        self._membership.prepare_needed = False
        self._effort.is_leader = False
        return [*effects, *self._give_up()], True

    def _give_up(self) -> list[Effect]:
        """Have the callback run that fits (GR-12, GR-13)."""
        if self._membership.was_expelled:
            if self.owned:
                return self._call(Lost(self.owned), self._own_nothing)
        elif not self._is_cooperative:
            return self._call(Revoked(self.owned), self._own_nothing)
        return []

    def _own_nothing(self, _now_ms: int) -> list[Effect]:
        self.owned = ()
        return []

    # --- the assignment ---------------------------------------------------------------

    def _complete(self, now_ms: int) -> list[Effect]:
        """Take an assignment (`onJoinComplete`)."""
        membership, assigned = self._membership, self._effort.assigned
        assert assigned is not None
        if membership.identity.is_reset or not membership.is_stable:
            membership.reset(keeps_id=False)
            self._effort.close()
            return []
        if any(topic not in self._settings.topics for topic, _ in assigned):
            membership.rejoin_needed = True
            return self._joined(now_ms)
        self._joined_as = membership.identity
        revoked = tuple(sorted(set(self.owned) - set(assigned)))
        if self._is_cooperative and revoked:
            return self._call(Revoked(revoked), self._join_anew)
        return self._assign(now_ms)

    def _join_anew(self, now_ms: int) -> list[Effect]:
        """Take the assignment, then join again: others wait for what was revoked."""
        self._membership.rejoin_needed = True
        return self._assign(now_ms)

    def _assign(self, now_ms: int) -> list[Effect]:
        assert self._effort.assigned is not None
        assigned = tuple(sorted(self._effort.assigned))
        added = tuple(sorted(set(assigned) - set(self.owned)))
        self._effort.remember(self._effort.assigned, self._joined_as)
        self._commits.count_anew(now_ms)
        self.owned = assigned
        return self._call(Assigned(added, self._joined_as.generation), self._joined)

    def _joined(self, _now_ms: int) -> list[Effect]:
        self._effort.close()
        self._membership.prepare_needed = True
        return []

    def drop_all(self) -> list[Effect]:
        """Give up all it has, before it leaves (`onLeavePrepare`)."""
        if not self.owned:
            return []
        membership = self._membership
        is_lost = membership.was_expelled or membership.is_rebalancing
        callback = Lost(self.owned) if is_lost else Revoked(self.owned)
        return self._call(callback, self._own_nothing)
