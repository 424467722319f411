"""The client's side of the consumer protocol, as a machine (KIP-848).

What Kafka's `AsyncKafkaConsumer` and the request managers of its background thread do
for a group, without their clock, network and threads (see `member_effects` for who
tells it what). The background thread looks for the coordinator, sends heartbeats and
commits, and takes all answers, whatever the application does; it begins to give up
partitions, and runs callbacks, only while the application is in `poll()`.

Rules: N8-2, N8-8 to N8-10, CO-10, CO-12, GR-13. Left out: subscriptions by regular
expression or that change, and topic ids.
"""

from collections.abc import Callable

from kafkasim.protocol.errors import GROUP_ID_NOT_FOUND, NONE
from kafkasim.protocol.groups.group_messages import (
    NO_GENERATION,
    ConsumerGroupBeaten,
    ConsumerGroupHeartbeat,
    CoordinatorFound,
    FindCoordinator,
    OffsetCommit,
    OffsetFetch,
    OffsetsCommitted,
    OffsetsFetched,
    Request,
    Response,
)
from kafkasim.protocol.groups.member.committed_offsets import CommittedOffsets
from kafkasim.protocol.groups.member.consumer_beats import ConsumerBeats
from kafkasim.protocol.groups.member.consumer_closing import Closing
from kafkasim.protocol.groups.member.consumer_commits import ConsumerCommits, Why
from kafkasim.protocol.groups.member.consumer_membership import (
    Call,
    Called,
    ConsumerMembership,
)
from kafkasim.protocol.groups.member.consumer_states import (
    NOT_IN_GROUP,
    REACTIONS,
    Reaction,
    State,
)
from kafkasim.protocol.groups.member.coordinator_lookup import CoordinatorLookup
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
from kafkasim.protocol.groups.member.member_settings import MemberSettings


class ConsumerMember:
    """The client's side of one member, from its start to its end.

    Parameters
    ----------
    settings : MemberSettings
        Its configuration.
    member_id : str
        A UUID that it keeps (KIP-848: the client chooses it).
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
        member_id: str,
        consumed: Consumed,
        backoff_ms: Callable[[int], int],
        now_ms: int = 0,
    ) -> None:
        self._settings = settings
        group, retry_ms = settings.group, settings.retry_backoff_ms
        self._lookup = CoordinatorLookup(group, retry_ms, backoff_ms)
        self._membership = ConsumerMembership(
            member_id,
            is_static=settings.instance_id is not None,
            auto_commits=settings.auto_commit_ms is not None,
            commit=self._commit_before_giving_up,
        )
        self._beats = ConsumerBeats(settings, self._membership, backoff_ms, now_ms)
        self._commits = ConsumerCommits(
            settings,
            self._membership,
            self._lookup,
            consumed=consumed,
            backoff_ms=backoff_ms,
            now_ms=now_ms,
        )
        self._offsets = CommittedOffsets(group, self._lookup, backoff_ms, who=self._who)
        self._running: tuple[Called, Call | None] | None = None
        """The callback that has not returned."""
        self._has_polled = False
        self._polled_ms = now_ms
        self._gives_up = False
        """It waits for the commit before it gives partitions up."""
        self._closing: Closing | None = None

    # --- what a host may ask --------------------------------------------------------

    @property
    def state(self) -> State:
        """How it stands with its group."""
        return self._membership.state

    @property
    def member_id(self) -> str:
        """Its id."""
        return self._membership.member_id

    @property
    def generation(self) -> int:
        """Its epoch; -1 in no group."""
        epoch = self._membership.epoch
        return epoch if epoch > 0 else NO_GENERATION

    @property
    def owned(self) -> Partitions:
        """What the application owns now."""
        return tuple(sorted(self._membership.owned))

    @property
    def blocks(self) -> bool:
        """Never: `poll()` hands out what there is, whatever the group does."""
        return False

    @property
    def is_ready(self) -> bool:
        """Always: `poll()` waits for nothing before positions."""
        return True

    @property
    def reads_in_background(self) -> bool:
        """Always: it has a thread of its own for that."""
        return True

    @property
    def polls_again_ms(self) -> int | None:
        """When a `poll()` that waits begins anew by itself (`pollForFetches`)."""
        if not self._membership.owned or self._offsets.wanted:
            return self._polled_ms + self._settings.retry_backoff_ms
        beat_ms = None if self._lookup.node is None else self._beats.next_ms
        dues = [beat_ms, self._commits.polls_again_ms]
        return min((due for due in dues if due is not None), default=None)

    @property
    def next_deadline_ms(self) -> int | None:
        """When to call `handle_timeout`, whatever the application does."""
        dues = [self._lookup.next_deadline_ms, self._commits.next_ms]
        if self._lookup.node is not None:
            dues += [self._beats.next_ms, self._offsets.next_ms]
        if self._closing is not None:
            dues.append(self._closing.deadline_ms)
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
        calls = False
        effects: list[Effect] = []
        match event:
            case Polled():
                effects = self._poll(now_ms)
                calls = True
            case CallbackDone():
                self._returned(now_ms)
                calls = True
            case MetadataCame():
                pass
            case Commit():
                effects = self._commits.commit(event)
            case OffsetsWanted(partitions):
                effects = self._offsets.want(partitions, now_ms)
            case Close():
                self._check_no_callback()
                self._closing = Closing(self._membership, self._commits, now_ms)
            case _:
                effects = self._heard(event, now_ms)
        return self._go_on(effects, now_ms, calls=calls)

    def _heard(
        self, event: Answered | Failed | Disconnected, now_ms: int
    ) -> list[Effect]:
        match event:
            case Answered(FindCoordinator() as request, CoordinatorFound() as found):
                return self._lookup.take(request, found, now_ms)
            case Answered(request, response):
                self._lookup.answered()
                return self._answered(request, response, now_ms)
            case Failed(request):
                return self._failed(request, now_ms)
            case Disconnected():
                return self._lookup.lose(now_ms)

    def handle_timeout(self, now_ms: int) -> list[Effect]:
        """Do what is due, if anything; the application may be at work meanwhile."""
        return self._go_on(self._lookup.handle_timeout(now_ms), now_ms)

    def _poll(self, now_ms: int) -> list[Effect]:
        """Do what a poll asks of the background thread (`AsyncPollEvent`)."""
        self._check_no_callback()
        self._polled_ms = now_ms
        effects = self._membership.reconcile(now_ms, polls=True)
        self._commits.commit_due(now_ms)
        if not self._has_polled:
            self._has_polled = True
            self._membership.join()
        if self._beats.polled(now_ms):
            self._membership.polled_in_time_again()
        if self._lookup.fatal != NONE:
            self._membership.calls.append(Raised(self._lookup.fatal))
            self._lookup.fatal = NONE
        return effects

    def _check_no_callback(self) -> None:
        if self._running is not None:
            raise ValueError("a callback has not returned")

    def _commit_before_giving_up(self, now_ms: int) -> list[Effect]:
        deadline_ms = now_ms + self._settings.max_poll_interval_ms
        self._commits.commit_all(Why.REBALANCE, deadline_ms, now_ms)
        self._gives_up = True
        return []

    def _who(self) -> tuple[str | None, int]:
        is_out = self.generation == NO_GENERATION
        return None if is_out else self.member_id, self.generation

    # --- the background thread --------------------------------------------------------

    def _go_on(
        self, effects: list[Effect], now_ms: int, *, calls: bool = False
    ) -> list[Effect]:
        """Go on as far as that goes without waiting."""
        done = list(effects)
        while True:
            state = self._membership.state
            more = self._background(now_ms)
            if self._closing is not None:
                if self._running is None:
                    more += self._close(now_ms)
            elif calls and self._running is None:
                more += self._call()
            done += more
            if not more and self._membership.state is state:
                return done

    def _background(self, now_ms: int) -> list[Effect]:
        effects: list[Effect] = []
        if self._closing is None or not self._closing.looks_no_more:
            effects += self._lookup.look(now_ms)
        effects += self._commits.send(now_ms)
        if self._gives_up and self._commits.is_idle(Why.REBALANCE):
            self._gives_up = False
            self._membership.committed()
        effects += self._beat(now_ms)
        effects += self._membership.reconcile(now_ms, polls=False)
        if self._lookup.node is not None:
            effects += self._offsets.ask(now_ms)
        return effects

    def _beat(self, now_ms: int) -> list[Effect]:
        """Send a heartbeat if it is due, or leave if the application is late."""
        membership, beats = self._membership, self._beats
        if self._lookup.node is None or membership.state in NOT_IN_GROUP:
            membership.beat_skipped()
            return []
        late = beats.is_late(now_ms)
        if late:
            membership.send_leave(poll_expired=True)
        elif not beats.is_due(now_ms):
            return []
        effects: list[Effect] = [Send(beats.beat(now_ms)), *membership.beat_sent()]
        if late:
            beats.reset(now_ms)
            beats.forget_sent()
        return effects

    # --- callbacks --------------------------------------------------------------------

    def _call(self) -> list[Effect]:
        """Let the application's thread do what it has to do next."""
        self._running = self._membership.next_call()
        if self._running is None:
            return []
        effect, why = self._running
        if why is None:
            self._running = None
        return [effect]

    def _returned(self, now_ms: int) -> None:
        if self._running is None:
            raise ValueError("no callback was called")
        effect, why = self._running
        self._running = None
        if self._closing is None and why is not None:
            if self._membership.returned(effect, why):
                self._commits.count_anew(now_ms)
        elif self._closing is not None:
            self._closing.returned()

    def _close(self, now_ms: int) -> list[Effect]:
        closing = self._closing
        assert closing is not None
        effect = closing.go_on(now_ms)
        if effect is None:
            return []
        if isinstance(effect, Closed):
            self._closing = None
        else:
            self._running = effect, None
        return [effect]

    # --- answers ----------------------------------------------------------------------

    def _answered(
        self, request: Request, response: Response, now_ms: int
    ) -> list[Effect]:
        match request, response:
            case ConsumerGroupHeartbeat(), ConsumerGroupBeaten():
                if request is not self._beats.asked:
                    return []
                return self._beaten(response, now_ms)
            case OffsetCommit(), OffsetsCommitted():
                return self._commits.take(request, response, now_ms)
            case OffsetFetch(), OffsetsFetched():
                return self._offsets.take(request, response, now_ms)
            case _:
                raise ValueError(f"{response} is no answer to {request}")

    def _beaten(self, response: ConsumerGroupBeaten, now_ms: int) -> list[Effect]:
        """Take the answer to a heartbeat (`onResponse`, `onErrorResponse`)."""
        membership, beats = self._membership, self._beats
        if response.error == NONE:
            beats.succeeded(response.heartbeat_interval_ms, now_ms)
            membership.beaten(response)
            return []
        beats.failed(now_ms)
        effects: list[Effect] = []
        reaction = REACTIONS.get(response.error, Reaction.FAILS)
        has_left = membership.state is State.UNSUBSCRIBED
        if reaction is Reaction.LOOKS:
            effects = self._lookup.lose(now_ms)
        elif reaction is Reaction.REJOINS:
            effects = membership.fence()
        elif reaction is Reaction.FAILS and not (
            response.error == GROUP_ID_NOT_FOUND and has_left
        ):
            effects = membership.fail(response.error)
        if reaction in {Reaction.LOOKS, Reaction.REJOINS}:
            beats.reset(now_ms)
        membership.beat_failed()
        return effects

    def _failed(self, request: Request, now_ms: int) -> list[Effect]:
        """Take note that there will be no answer: the coordinator is lost."""
        if isinstance(request, FindCoordinator):
            self._lookup.fail(request, now_ms)
            return []
        effects = self._lookup.lose(now_ms)
        match request:
            case ConsumerGroupHeartbeat():
                if request is self._beats.asked:
                    self._beats.failed(now_ms)
                    self._membership.beat_failed()
            case OffsetCommit():
                effects += self._commits.fail(request, now_ms)
            case OffsetFetch():
                self._offsets.fail(request, now_ms)
            case _:
                raise ValueError(f"a member of this protocol sends no {request}")
        return effects
