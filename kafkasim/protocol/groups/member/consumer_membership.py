"""How a member of the consumer protocol stands with its group (KIP-848).

Its states are those of `consumer_states`. What the coordinator wants it to own is
reconciled in the order commit, `onPartitionsRevoked`, `onPartitionsAssigned`; only then
is the coordinator told (N8-10). Callbacks run in the application's thread, so they wait
for it to be in `poll()`; one that was overtaken meanwhile does not run (Kafka would
still run it).

Source: `AbstractMembershipManager` and `ConsumerMembershipManager` (clients, 4.3).
Kafka's members also wait for the names of the topic ids they get; here topics are
names.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from kafkasim.protocol.groups.group_messages import (
    JOIN_EPOCH,
    LEAVE_EPOCH,
    LEAVE_FOR_A_WHILE_EPOCH,
    ConsumerGroupBeaten,
    TopicPartition,
)
from kafkasim.protocol.groups.member.consumer_states import BEFORE, NOT_IN_GROUP, State
from kafkasim.protocol.groups.member.member_effects import (
    Assigned,
    Effect,
    HeldBack,
    Lost,
    Partitions,
    Raised,
    Revoked,
)


@dataclass(frozen=True, slots=True)
class Local:
    """What the member owns, or is to own, and how often that has changed."""

    epoch: int = -1
    partitions: frozenset[TopicPartition] = frozenset()


NOTHING: Final = Local()
"""What is owned by one that was told nothing."""


class Call(Enum):
    """Why a callback runs."""

    REVOKE = auto()
    ASSIGN = auto()
    FENCED = auto()
    FATAL = auto()
    STALE = auto()


Called = Revoked | Lost | Assigned | Raised
"""What the application's thread has to do."""


class ConsumerMembership:
    """State, epoch and partitions of a member.

    Parameters
    ----------
    member_id : str
        Its id, which it has chosen itself and keeps.
    is_static : bool
        Whether it has a `group.instance.id`.
    auto_commits : bool
        Whether it commits automatically.
    commit : callable
        Begins the commit before partitions are given up; `committed` tells its end.
    """

    def __init__(
        self,
        member_id: str,
        *,
        is_static: bool,
        auto_commits: bool,
        commit: Callable[[int], list[Effect]],
    ) -> None:
        self.member_id = member_id
        self.state = State.UNSUBSCRIBED
        self.epoch = JOIN_EPOCH
        self.current = NOTHING
        """What the coordinator is told it owns."""
        self.target = NOTHING
        self.owned: frozenset[TopicPartition] = frozenset()
        """What the application owns."""
        self.calls: deque[Call | Raised] = deque()
        """What the application's thread has to do, in its next poll."""
        self.leaves_now = False
        """It waits for the answer to its leaving (`leaveGroupInProgress`)."""
        self._away_epoch = LEAVE_FOR_A_WHILE_EPOCH if is_static else LEAVE_EPOCH
        self._auto_commits = auto_commits
        self._commit = commit
        self._reconciles: Local | None = None
        """What is being reconciled."""
        self._rejoined = False
        """It joined again while it reconciled, so that is void."""
        self._poll_expired = False
        self._released = True
        """Whether a stale member has given up what it had."""
        self._waits_for_release = False

    def _go(self, to: State) -> None:
        if to is not self.state and self.state not in BEFORE[to]:
            raise ValueError(f"a member in {self.state.value} cannot be {to.value}")
        self.state = to

    @property
    def is_reconciled(self) -> bool:
        """Whether it owns what it was told to."""
        return self.current == self.target

    @property
    def is_leaving(self) -> bool:
        """Whether it gives up what it has, or is about to say so."""
        return self.state in {State.PREPARE_LEAVING, State.LEAVING}

    # Joining and leaving

    def join(self) -> None:
        """Begin to join."""
        if self.state is State.FATAL:
            return
        self._rejoined |= self._reconciles is not None
        self.epoch = JOIN_EPOCH
        self._go(State.JOINING)
        self.target = NOTHING

    def polled_in_time_again(self) -> None:
        """Join again, if it left because the application did not poll."""
        self._poll_expired = False
        if self.state is State.STALE:
            self._waits_for_release = not self._released
            if self._released:
                self.join()

    def leave(self) -> None:
        """Leave, with all given up already (`leaveGroupOnClose`)."""
        if self.state in NOT_IN_GROUP:
            if self.state is State.FENCED:
                self._clear()
                self._go(State.UNSUBSCRIBED)
            self.owned = frozenset()
            return
        self._go(State.PREPARE_LEAVING)
        self.leaves_now = True
        self._clear()
        self.send_leave()

    def send_leave(self, *, poll_expired: bool = False) -> None:
        """Let the next heartbeat say that it leaves."""
        if self.state in {State.FATAL, State.UNSUBSCRIBED}:
            return
        if poll_expired:
            self._poll_expired = True
            self._go(State.PREPARE_LEAVING)
        self.epoch = self._away_epoch
        self.current = NOTHING
        self._go(State.LEAVING)

    def fence(self) -> list[Effect]:
        """Take note that it was expelled, and give up all (N8-8)."""
        if self.state is State.PREPARE_LEAVING:
            self.send_leave()
        if self.state is State.LEAVING:
            self._go(State.UNSUBSCRIBED)
            self.leaves_now = False
            return []
        if self.state is State.UNSUBSCRIBED:
            return []
        self._go(State.FENCED)
        self.epoch = JOIN_EPOCH
        return self._lose(Call.FENCED)

    def fail(self, error: int) -> list[Effect]:
        """Fail for good: `poll()` throws."""
        before = self.state
        self._go(State.FATAL)
        left = before is State.UNSUBSCRIBED and self.leaves_now
        self.leaves_now = False
        effects: list[Effect] = []
        if not left and before not in {State.LEAVING, State.PREPARE_LEAVING}:
            effects = self._lose(Call.FATAL)
        self.calls.append(Raised(error))
        return effects

    def _lose(self, why: Call) -> list[Effect]:
        if not self.owned:
            self._lost(why)
            return []
        self.calls.append(why)
        return [HeldBack(_sorted(self.owned))]

    def _lost(self, why: Call) -> None:
        self._clear()
        if why is Call.FENCED and self.state is State.FENCED:
            self.join()
        elif why is Call.STALE:
            self._released = True
            if self._waits_for_release:
                self._waits_for_release = False
                self.join()

    def _clear(self) -> None:
        self.owned = frozenset()
        self.current = self.target = NOTHING

    # Heartbeats

    def beat_sent(self) -> list[Effect]:
        """Take note that a heartbeat goes out (`onHeartbeatRequestGenerated`)."""
        if self.state is State.ACKNOWLEDGING:
            self._go(State.STABLE if self.is_reconciled else State.RECONCILING)
        elif self.state is State.LEAVING and self._poll_expired:
            self._go(State.STALE)
            self._released = False
            return self._lose(Call.STALE)
        elif self.state is State.LEAVING:
            self._go(State.UNSUBSCRIBED)
        return []

    def beat_skipped(self) -> None:
        """Take note that none can go out: nobody is known to send it to."""
        if self.state is State.LEAVING:
            self._go(State.UNSUBSCRIBED)
            self.leaves_now = False

    def beat_failed(self) -> None:
        """Take note that one was not answered, or with an error."""
        if self.state is State.UNSUBSCRIBED:
            self.leaves_now = False

    def beaten(self, response: ConsumerGroupBeaten) -> None:
        """Take the answer to a heartbeat (`onHeartbeatSuccess`)."""
        epoch = response.member_epoch
        if self.state is State.UNSUBSCRIBED and epoch < 0:
            self.leaves_now = False
        if self.state is State.LEAVING or self.state in NOT_IN_GROUP:
            return
        if epoch < 0:
            self.leaves_now = False
            return
        self.epoch = epoch
        if response.assigned is None or self.state not in BEFORE[State.RECONCILING]:
            return
        assigned = frozenset(response.assigned)
        if self.target is NOTHING or assigned != self.target.partitions:
            self.target = Local(self.target.epoch + 1, assigned)
        if not self.is_reconciled:
            self._go(State.RECONCILING)
        elif self.state in {State.RECONCILING, State.JOINING}:
            self._go(State.STABLE)

    # Reconciliation

    def reconcile(self, now_ms: int, *, polls: bool) -> list[Effect]:
        """Begin to get to the target, if that is due (`maybeReconcile`).

        Parameters
        ----------
        now_ms : int
            The time.
        polls : bool
            Whether the application is in `poll()`; if not, it may be at work on what it
            would give up or commit.
        """
        if self.state is not State.RECONCILING or self.is_reconciled:
            return []
        if self._reconciles is not None:
            return []
        target = self.target
        if self.current is not NOTHING and target.partitions == self.current.partitions:
            self.current = target
            self._go(State.ACKNOWLEDGING)
            return []
        revoked = self.owned - target.partitions
        if not polls and (self._auto_commits or revoked):
            return []
        self._reconciles = target
        self._rejoined = False
        effects: list[Effect] = [HeldBack(_sorted(revoked))] if revoked else []
        if self._auto_commits:
            return [*effects, *self._commit(now_ms)]
        self.committed()
        return effects

    def committed(self) -> None:
        """Go on: the commit has ended, however."""
        target = self._still()
        if target is None:
            return
        gives_up = not self.owned <= target.partitions
        self.calls.append(Call.REVOKE if gives_up else Call.ASSIGN)

    def _still(self) -> Local | None:
        """Return what is reconciled, if that still counts."""
        target = self._reconciles
        if self.state is not State.RECONCILING or self._rejoined:
            self._reconciles, self._rejoined = None, False
            return None
        return target

    # Callbacks

    def next_call(self) -> tuple[Called, Call | None] | None:
        """Take what the application's thread has to do next; None: nothing."""
        while self.calls:
            why = self.calls.popleft()
            if isinstance(why, Raised):
                return why, None
            if why in {Call.REVOKE, Call.ASSIGN}:
                target = self._still()
                if target is not None:
                    return self._change(target, why), why
            elif self.owned:
                return Lost(_sorted(self.owned)), why
            else:
                self._lost(why)
        return None

    def _change(self, target: Local, why: Call) -> Called:
        if why is Call.REVOKE:
            return Revoked(_sorted(self.owned - target.partitions))
        added = target.partitions - self.owned
        self.owned |= added
        return Assigned(_sorted(added), self.epoch)

    def returned(self, effect: Called, why: Call) -> bool:
        """Go on after a callback; return whether an assignment is complete."""
        if isinstance(effect, Revoked | Lost):
            self.owned -= frozenset(effect.partitions)
        if why not in {Call.REVOKE, Call.ASSIGN}:
            self._lost(why)
            return False
        target = self._still()
        if target is not None and why is Call.REVOKE:
            self.calls.append(Call.ASSIGN)
        elif target is not None:
            self.current = target
            self._reconciles = None
            self._go(State.ACKNOWLEDGING)
        return target is not None and why is Call.ASSIGN


def _sorted(partitions: frozenset[TopicPartition]) -> Partitions:
    return tuple(sorted(partitions))
