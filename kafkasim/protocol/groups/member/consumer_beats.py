"""When a member of the consumer protocol sends heartbeats, and what is in them.

A background thread sends them, whatever the application does; but it also watches how
long the application has not polled. A heartbeat says in full what a member wants when
it joins and after an error, otherwise only what is new (N8-10).

Source: `AbstractHeartbeatRequestManager`, `HeartbeatRequestState`, `RequestState` and
`ConsumerHeartbeatRequestManager.HeartbeatState` (clients, 4.3).
"""

from collections.abc import Callable

from kafkasim.protocol.groups.group_messages import ConsumerGroupHeartbeat
from kafkasim.protocol.groups.member.consumer_membership import (
    ConsumerMembership,
    Local,
)
from kafkasim.protocol.groups.member.consumer_states import AT_ONCE, NOT_IN_GROUP, State
from kafkasim.protocol.groups.member.member_settings import MemberSettings


class ConsumerBeats:
    """The heartbeats of a member.

    Parameters
    ----------
    settings : MemberSettings
        Its configuration.
    membership : ConsumerMembership
        How it stands with its group.
    backoff_ms : callable
        Returns how long to wait after so many failures, from 0.
    now_ms : int
        When it was made.
    """

    def __init__(
        self,
        settings: MemberSettings,
        membership: ConsumerMembership,
        backoff_ms: Callable[[int], int],
        now_ms: int,
    ) -> None:
        self._settings = settings
        self._membership = membership
        self._backoff_ms = backoff_ms
        self.interval_ms = 0
        """As the coordinator has told."""
        self._due_ms = now_ms
        self._not_before_ms = now_ms
        """End of the backoff."""
        self._failures = 0
        self.asked: ConsumerGroupHeartbeat | None = None
        """Sent, not answered."""
        self.poll_by_ms = now_ms + settings.max_poll_interval_ms
        """Until then the application has to poll, or the member leaves."""
        self._sent_timeout = False
        self._sent_topics: tuple[str, ...] | None = None
        self._sent_assignor: str | None = None
        self._sent_owned: Local | None = None

    # The application polls

    def polled(self, now_ms: int) -> bool:
        """Count anew until it has to poll; return whether it came too late."""
        late = now_ms >= self.poll_by_ms
        self.poll_by_ms = now_ms + self._settings.max_poll_interval_ms
        return late

    # When

    @property
    def next_ms(self) -> int | None:
        """When the next one is due or the application late; None: not of itself."""
        membership = self._membership
        if membership.state in NOT_IN_GROUP:
            return None
        dues = [] if membership.is_leaving else [self.poll_by_ms]
        if self.asked is None:
            dues.append(max(self._due_ms, self._not_before_ms))
        return min(dues, default=None)

    @property
    def is_urgent(self) -> bool:
        """Whether one goes out at once."""
        state = self._membership.state
        return state is State.LEAVING or (state in AT_ONCE and self.asked is None)

    def is_late(self, now_ms: int) -> bool:
        """Whether the application has not polled for too long."""
        return now_ms >= self.poll_by_ms and not self._membership.is_leaving

    def is_due(self, now_ms: int) -> bool:
        """Whether one goes out now."""
        rested = now_ms >= max(self._due_ms, self._not_before_ms)
        return self.is_urgent or (self.asked is None and rested)

    # What

    def beat(self, now_ms: int) -> ConsumerGroupHeartbeat:
        """Make the next one; it counts as sent."""
        settings, membership = self._settings, self._membership
        in_full = membership.state is State.JOINING
        timeout_ms = topics = assignor = owned = None
        if in_full or not self._sent_timeout:
            timeout_ms = settings.max_poll_interval_ms
            self._sent_timeout = True
        if in_full or self._sent_topics != settings.topics:
            topics = self._sent_topics = settings.topics
        if in_full or self._sent_assignor != settings.server_assignor:
            assignor = self._sent_assignor = settings.server_assignor
        if in_full or self._sent_owned != membership.current:
            self._sent_owned = membership.current
            owned = tuple(sorted(membership.current.partitions))
        self._due_ms = now_ms + self.interval_ms
        self.asked = ConsumerGroupHeartbeat(
            group=settings.group,
            member_id=membership.member_id,
            member_epoch=membership.epoch,
            instance_id=settings.instance_id,
            rack=settings.rack if in_full else None,
            rebalance_timeout_ms=timeout_ms,
            topics=topics,
            server_assignor=assignor,
            owned=owned,
            client_id=settings.client_id,
        )
        return self.asked

    # Answers

    def succeeded(self, interval_ms: int, now_ms: int) -> None:
        """Take note of an answer."""
        if interval_ms != self.interval_ms:
            self.interval_ms = interval_ms
            self._due_ms = now_ms + interval_ms
        self.asked = None
        self._failures = 0
        self._not_before_ms = now_ms + self._backoff_ms(0)

    def failed(self, now_ms: int) -> None:
        """Say all in the next one, after a backoff: this one failed."""
        self.asked = None
        self._due_ms = now_ms
        self._not_before_ms = now_ms + self._backoff_ms(self._failures)
        self._failures += 1
        self.forget_sent()

    def reset(self, now_ms: int) -> None:
        """Wait for no answer and no backoff (`RequestState.reset`)."""
        self.asked = None
        self._failures = 0
        self._not_before_ms = now_ms

    def forget_sent(self) -> None:
        """Say all in the next one."""
        self._sent_timeout = False
        self._sent_topics = self._sent_assignor = self._sent_owned = None
