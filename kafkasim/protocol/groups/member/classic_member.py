"""The client's side of the classic group protocol, as a machine.

What Kafka's `AbstractCoordinator` and `ConsumerCoordinator` do, without their clock,
network and threads (see `member_effects` for who tells it what). Two threads share it
there: the application's, which does all that is said here of `poll()`, and one that
sends heartbeats as long as the member has a generation, whatever the application does.

Rules: GR-1, GR-7, GR-8, GR-12 to GR-15, CO-10, CO-12. Left out: topics by pattern, and
subscriptions that change.
"""

from collections.abc import Callable

from kafkasim.protocol import errors
from kafkasim.protocol.assignors import CLIENT_ASSIGNORS
from kafkasim.protocol.errors import NONE
from kafkasim.protocol.groups.group_messages import (
    Beaten,
    CoordinatorFound,
    FindCoordinator,
    Heartbeat,
    Joined,
    JoinGroup,
    LeaveGroup,
    Left,
    OffsetCommit,
    OffsetFetch,
    OffsetsCommitted,
    OffsetsFetched,
    Request,
    Response,
    Synced,
    SyncGroup,
)
from kafkasim.protocol.groups.member.committed_offsets import CommittedOffsets
from kafkasim.protocol.groups.member.coordinator_lookup import CoordinatorLookup
from kafkasim.protocol.groups.member.heartbeat_thread import HeartbeatThread
from kafkasim.protocol.groups.member.join_effort import JoinEffort
from kafkasim.protocol.groups.member.last_commit import LastCommit
from kafkasim.protocol.groups.member.member_commits import MemberCommits
from kafkasim.protocol.groups.member.member_effects import (
    Answered,
    CallbackDone,
    Close,
    Closed,
    Commit,
    Consumed,
    Disconnected,
    Effect,
    Failed,
    Input,
    MetadataCame,
    OffsetsWanted,
    Partitions,
    Polled,
    Raised,
    Send,
)
from kafkasim.protocol.groups.member.member_rebalance import Rebalance
from kafkasim.protocol.groups.member.member_settings import MemberSettings
from kafkasim.protocol.groups.member.membership import Membership


class ClassicMember:
    """The client's side of one member, from its start to its end.

    Parameters
    ----------
    settings : MemberSettings
        Its configuration.
    consumed : callable
        Returns what an automatic commit stores.
    backoff_ms : callable
        Returns how many milliseconds to wait after so many failures, from 0.
    now_ms : int
        When it is made.
    """

    def __init__(
        self,
        settings: MemberSettings,
        *,
        consumed: Consumed,
        backoff_ms: Callable[[int], int],
        now_ms: int = 0,
    ) -> None:
        self._settings = settings
        self._backoff_ms = backoff_ms
        self._membership = Membership()
        self._lookup = CoordinatorLookup(
            settings.group, settings.retry_backoff_ms, backoff_ms
        )
        self._thread = HeartbeatThread(
            settings, self._membership, self._lookup, backoff_ms
        )
        self._commits = MemberCommits(
            settings, self._membership, self._lookup, consumed, now_ms
        )
        self._offsets = CommittedOffsets(settings.group, self._lookup, backoff_ms)
        self._effort = JoinEffort(
            settings,
            self._membership,
            self._lookup,
            [CLIENT_ASSIGNORS[name]() for name in settings.assignors],
            self._thread.beats.begin,
        )
        self._rebalance = Rebalance(
            settings, self._membership, self._lookup, self._commits, self._effort
        )
        self._is_ready = False
        self._last: LastCommit | None = None
        """It closes."""
        self._leaves: LeaveGroup | None = None
        """Sent by `close()`, which waits for the answer."""
        self._has_left = False

    # --- what a host may ask --------------------------------------------------------

    @property
    def member_id(self) -> str:
        """As the coordinator knows it; empty as long as it has none."""
        return self._membership.identity.member_id

    @property
    def generation(self) -> int:
        """Its generation; -1 in none."""
        return self._membership.identity.generation

    @property
    def owned(self) -> Partitions:
        """What the application owns now."""
        return self._rebalance.owned

    @property
    def blocks(self) -> bool:
        """Whether `poll()` now hands out nothing before it times out."""
        return self._lookup.node is None or bool(self._offsets.wanted)

    @property
    def is_ready(self) -> bool:
        """Whether `poll()` goes on to positions now."""
        return self._is_ready

    @property
    def reads_in_background(self) -> bool:
        """Whether its heartbeat thread runs, and takes all answers that come."""
        return self._thread.runs

    @property
    def polls_again_ms(self) -> int | None:
        """When a `poll()` that waits begins anew by itself."""
        dues = [self._rebalance.again_ms]
        if self._is_ready:
            dues += [self._commits.due_ms, self._offsets.next_ms]
        return min((due for due in dues if due is not None), default=None)

    @property
    def next_deadline_ms(self) -> int | None:
        """When to call `handle_timeout`; None: not on account of time."""
        dues = [self._lookup.next_deadline_ms, self._thread.next_deadline_ms]
        if self._last is not None and not self._rebalance.calls:
            dues.append(self._last.next_deadline_ms)
        return min((due for due in dues if due is not None), default=None)

    # --- events ---------------------------------------------------------------------

    def handle(self, event: Input, now_ms: int) -> list[Effect]:
        """Take what has happened.

        Raises
        ------
        ValueError
            If the application polls or closes in a callback, or one returns that was
            not called.
        """
        match event:
            case Polled():
                effects = self._poll(now_ms)
            case CallbackDone():
                effects = self._rebalance.returned(now_ms)
                if self._last is None:
                    effects += self._poll_on(now_ms)
            case MetadataCame():
                self._effort.metadata = event
                effects = []
            case Commit():
                effects = self._commits.commit(event, now_ms)
            case OffsetsWanted(partitions):
                effects = self._offsets.want(partitions, now_ms)
            case Close():
                self._rebalance.check_no_callback()
                self._last = LastCommit(self._commits, self._backoff_ms, now_ms)
                effects = []
            case _:
                effects = self._heard(event, now_ms)
        return [*effects, *self._close_on(now_ms)]

    def _heard(
        self, event: Answered | Failed | Disconnected, now_ms: int
    ) -> list[Effect]:
        match event:
            case Answered(FindCoordinator() as request, CoordinatorFound() as found):
                return self._found(request, found, now_ms)
            case Answered(request, response):
                self._lookup.answered()
                return self._answered(request, response, now_ms)
            case Failed(request):
                return self._failed(request, now_ms)
            case Disconnected():
                return self._lookup.lose(now_ms)

    def handle_timeout(self, now_ms: int) -> list[Effect]:
        """Look for the coordinator, send a heartbeat, or leave, if that is due."""
        effects = self._lookup.handle_timeout(now_ms)
        effects += self._thread.handle_timeout(now_ms)
        return [*effects, *self._close_on(now_ms)]

    # --- poll -----------------------------------------------------------------------

    def _poll(self, now_ms: int) -> list[Effect]:
        """Do what comes first in a poll (`ConsumerCoordinator.poll`)."""
        self._rebalance.check_no_callback()
        self._rebalance.again_ms = None
        self._is_ready = False
        self._commits.hear(now_ms)
        error = self._thrown()
        if error != NONE:
            return [Raised(error)]
        self._thread.beats.polled(now_ms)
        if self._lookup.node is None:
            return self._lookup.look(now_ms)
        return self._poll_on(now_ms)

    def _thrown(self) -> int:
        """Return the error that a poll has to throw, NONE for none."""
        if self._commits.fenced:
            self._commits.fenced = False
            return errors.FENCED_INSTANCE_ID
        error = max(self._thread.failure, self._lookup.fatal)
        self._thread.failure = self._lookup.fatal = NONE
        return error

    def _poll_on(self, now_ms: int) -> list[Effect]:
        """Join as far as that goes without waiting; then commit if that is due."""
        effects = self._rebalance.go_on(now_ms)
        if self._rebalance.is_done:
            self._is_ready = True
            effects += self._commits.commit_due(now_ms)
            effects += self._offsets.ask(now_ms)
        return effects

    # --- answers ----------------------------------------------------------------------

    def _answered(
        self, request: Request, response: Response, now_ms: int
    ) -> list[Effect]:
        """Take a response of the coordinator."""
        effects: list[Effect] = []
        match request, response:
            case JoinGroup(), Joined():
                effects = self._effort.take_joined(request, response, now_ms)
            case SyncGroup(), Synced():
                effects = self._effort.take_synced(request, response, now_ms)
            case Heartbeat(), Beaten():
                effects = self._thread.take(request, response, now_ms)
            case OffsetCommit(), OffsetsCommitted():
                effects = self._commits.take(request, response, now_ms)
            case OffsetFetch(), OffsetsFetched():
                effects = self._offsets.take(request, response, now_ms)
            case LeaveGroup(), Left():
                self._leaves = None
            case _:
                raise ValueError(f"{response} is no answer to {request}")
        return effects

    def _found(
        self, request: FindCoordinator, response: CoordinatorFound, now_ms: int
    ) -> list[Effect]:
        effects = self._lookup.take(request, response, now_ms)
        if response.error != NONE:
            return [*effects, *self._commits.coordinator_not_found()]
        self._thread.beats.found(now_ms)
        return [*effects, *self._commits.coordinator_found(now_ms)]

    def _failed(self, request: Request, now_ms: int) -> list[Effect]:
        """Take note that there will be no answer: the coordinator is lost."""
        if isinstance(request, FindCoordinator):
            self._lookup.fail(request, now_ms)
            return self._commits.coordinator_not_found()
        effects = self._lookup.lose(now_ms)
        match request:
            case JoinGroup() | SyncGroup():
                self._effort.lost(request)
            case Heartbeat():
                self._thread.lost(request, now_ms)
            case OffsetCommit():
                effects += self._commits.fail(request)
            case OffsetFetch():
                self._offsets.fail(request, now_ms)
            case LeaveGroup():
                self._leaves = None
            case _:
                raise ValueError(f"a member of this protocol sends no {request}")
        return effects

    # --- close ------------------------------------------------------------------------

    def _close_on(self, now_ms: int) -> list[Effect]:
        """Close as far as that goes without waiting (`AbstractCoordinator.close`)."""
        last, rebalance = self._last, self._rebalance
        if last is None or rebalance.calls:
            return []
        if self._has_left:
            waits = self._leaves is not None or not self._commits.is_idle
            if waits and now_ms < last.deadline_ms:
                return []
            self._last = None
            return [Closed()]
        effects: list[Effect] = []
        if not self._thread.closed:
            effects, settled = last.go_on(now_ms)
            if not settled:
                return effects
            self._thread.closed = True
            called = rebalance.drop_all()
            if called:
                return [*effects, *called]
        self._has_left = True
        effects += self._thread.leave()
        for effect in effects:
            if isinstance(effect, Send) and isinstance(effect.request, LeaveGroup):
                self._leaves = effect.request
        return [*effects, *self._close_on(now_ms)]
