"""The thread that keeps a member of the classic protocol in its group.

It runs as long as the member has a generation and its consumer is open, whatever the
application does (GR-8): it sends heartbeats, takes their answers (GR-7), looks for the
coordinator when that is lost, and leaves the group for an application that polls no
more.

Source: `AbstractCoordinator.HeartbeatThread`, `HeartbeatResponseHandler`,
`maybeLeaveGroup` (clients).
"""

from collections.abc import Callable

from kafkasim.protocol import errors
from kafkasim.protocol.errors import NONE
from kafkasim.protocol.groups.group_messages import Beaten, Heartbeat, LeaveGroup
from kafkasim.protocol.groups.member.beats import Beats
from kafkasim.protocol.groups.member.coordinator_lookup import CoordinatorLookup
from kafkasim.protocol.groups.member.member_effects import Effect, Send
from kafkasim.protocol.groups.member.member_reactions import (
    TO_HEARTBEAT,
    UNEXPECTED,
    Reset,
)
from kafkasim.protocol.groups.member.member_settings import MemberSettings
from kafkasim.protocol.groups.member.membership import Identity, Membership, State


class HeartbeatThread:
    """That thread, of one member.

    Parameters
    ----------
    settings : MemberSettings
        Its configuration.
    membership : Membership
        How it stands with its group.
    lookup : CoordinatorLookup
        Where the coordinator is.
    backoff_ms : callable
        Returns how many milliseconds to wait after so many failures, from 0.
    """

    def __init__(
        self,
        settings: MemberSettings,
        membership: Membership,
        lookup: CoordinatorLookup,
        backoff_ms: Callable[[int], int],
    ) -> None:
        self._settings = settings
        self._membership = membership
        self._lookup = lookup
        self.beats = Beats(settings, backoff_ms)
        self.failure = NONE
        """Error that has ended it; the next `poll()` throws it."""
        self.closed = False
        """`close()` has ended it."""
        self._open: list[tuple[Heartbeat, Identity]] = []
        """Heartbeats without an answer."""

    @property
    def runs(self) -> bool:
        """Whether it does anything, and takes what comes from the network."""
        ended = self.closed or self.failure != NONE
        return not ended and self._membership.has_joined

    @property
    def next_deadline_ms(self) -> int | None:
        """When it has something to do; None: not on account of time."""
        if not self.runs:
            return None
        if self._lookup.node is None:
            return self._lookup.next_tick_ms
        return self.beats.next_deadline_ms

    def handle_timeout(self, now_ms: int) -> list[Effect]:
        """Do all that is due."""
        effects: list[Effect] = []
        while (due_ms := self.next_deadline_ms) is not None and due_ms <= now_ms:
            effects += self._do_one(now_ms)
        return effects

    def _do_one(self, now_ms: int) -> list[Effect]:
        """Do what comes first of what is due (`HeartbeatThread.run`)."""
        if self._lookup.node is None:
            return self._lookup.tick(now_ms)
        if now_ms >= self.beats.session_ms:
            return self._lookup.lose(now_ms)
        if now_ms >= self.beats.poll_ms:
            return self.leave()
        self.beats.sent(now_ms)
        who = self._membership.identity
        request = Heartbeat(
            group=self._settings.group,
            generation=who.generation,
            member_id=who.member_id,
            instance_id=self._settings.instance_id,
        )
        self._open.append((request, who))
        return [Send(request)]

    def leave(self) -> list[Effect]:
        """Be no member any more; tell the coordinator, unless it is a static one."""
        membership, settings = self._membership, self._settings
        member_id = membership.identity.member_id
        is_known = self._lookup.node is not None and member_id
        effects: list[Effect] = []
        if (
            settings.instance_id is None
            and is_known
            and membership.state is not State.UNJOINED
        ):
            effects = [Send(LeaveGroup(group=settings.group, member_id=member_id))]
        membership.reset(keeps_id=False)
        return effects

    def take(self, request: Heartbeat, response: Beaten, now_ms: int) -> list[Effect]:
        """Take the answer to a heartbeat (GR-7)."""
        sent_as = self._pop(request)
        error, membership = response.error, self._membership
        if error in {NONE, errors.REBALANCE_IN_PROGRESS}:
            membership.rejoin_needed |= error != NONE and membership.is_stable
            self.beats.received(now_ms)
            return []
        reaction = TO_HEARTBEAT.get(error, UNEXPECTED)
        if reaction.resets is not Reset.NOTHING:
            if membership.identity != sent_as:
                self.beats.received(now_ms)
                return []
            membership.reset(keeps_id=reaction.resets is Reset.GENERATION)
        if error == errors.FENCED_INSTANCE_ID:
            self.failure = error
            return []
        self.beats.failed(now_ms)
        return self._lookup.lose(now_ms) if reaction.looks else []

    def lost(self, request: Heartbeat, now_ms: int) -> None:
        """Take note that there will be no answer."""
        self._pop(request)
        self.beats.failed(now_ms)

    def _pop(self, request: Heartbeat) -> Identity | None:
        for place, (sent, who) in enumerate(self._open):
            if sent is request:
                del self._open[place]
                return who
        return None
