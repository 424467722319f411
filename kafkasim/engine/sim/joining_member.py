"""A member that joins its group by asking: what it owns, a coordinator tells it.

The rules are those of a client machine (`protocol.groups.member.member_effects`), of
the classic protocol or of KIP-848. Here it gets a clock, a network and an application.
A `poll()` goes in Kafka's order (CO-1): first what has to do with the group, callbacks
included; then positions, from the committed offsets of what was assigned, or as
`auto.offset.reset` says; then records. So nothing is taken from an application while it
works: the work of its last poll is over by then. Its heartbeats do not wait for that.

While the coordinator is looked for, until committed offsets have come, and where all
partitions are paused, `poll()` returns nothing before its own timeout.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType

import numpy as np

from kafkasim.engine.sim.broker import Broker
from kafkasim.engine.sim.calendar import Calendar
from kafkasim.engine.sim.consumer import Member
from kafkasim.engine.sim.fetch_session import FetchSession
from kafkasim.engine.sim.group import Group
from kafkasim.engine.sim.group_committer import GroupCommitter
from kafkasim.engine.sim.member_calls import MemberCalls
from kafkasim.engine.sim.member_driver import DriverCalls, MemberDriver, OfApplication
from kafkasim.engine.sim.owning_member import POLL_TIMEOUT_NS, OwnerCalls, OwningMember
from kafkasim.engine.sim.partition import Partition
from kafkasim.engine.sim.poll_settings import BEFORE_WORK, MANUAL, PollSettings
from kafkasim.engine.sim.request import Connection, Request
from kafkasim.protocol.backoff import Backoff
from kafkasim.protocol.groups.group_messages import Request as Message
from kafkasim.protocol.groups.group_messages import Response
from kafkasim.protocol.groups.member.consumer_member import ConsumerMember
from kafkasim.protocol.groups.member.member_effects import (
    Answered,
    Assigned,
    CallbackDone,
    Close,
    Closed,
    Commit,
    CommitEnded,
    Consumed,
    HeldBack,
    Input,
    Lost,
    MemberMachine,
    MetadataCame,
    OffsetsFound,
    OffsetsWanted,
    Partitions,
    Polled,
    Raised,
    Revoked,
)
from kafkasim.protocol.groups.member.member_settings import MemberSettings
from kafkasim.units import MISSING_NS, NS_PER_MS

NewMachine = Callable[[Consumed, Callable[[int], int], int], MemberMachine]
"""Makes the machine of a process: it takes what an automatic commit stores, how long to
wait after so many failures (ms), and when that is (ms)."""


class JoiningMember(OwningMember):
    """Such a member.

    Parameters
    ----------
    calendar, actor, code, group
        As of a `Member`.
    connections : list of Connection
        By broker index for data, then by broker index as coordinators.
    brokers, settings, draws, calls
        As of a `Member`.
    topics : mapping of str to sequence of Partition
        All partitions of the topics it reads, by number; there may come to be more.
    joining : MemberSettings
        Its configuration as a member.
    new_machine : callable
        Makes the machine of each of its processes.
    owner_calls : OwnerCalls
        Whom to tell what it owns.
    """

    def __init__(
        self,
        *,
        calendar: Calendar,
        actor: int,
        code: int,
        group: Group,
        connections: list[Connection],
        brokers: list[Broker],
        settings: PollSettings,
        draws: np.random.Generator,
        calls: MemberCalls[Member],
        topics: Mapping[str, Sequence[Partition]],
        joining: MemberSettings,
        new_machine: NewMachine,
        owner_calls: OwnerCalls,
    ) -> None:
        self._new_machine = new_machine
        self._retries = Backoff(
            settings.retry_backoff_ns, settings.retry_backoff_max_ns, draws
        )
        self._callback: tuple[Partitions, str] | None = None
        """What a callback that runs takes away, and why."""
        self._closes = self._is_closing = False
        self._blocked_until_ns = MISSING_NS
        """When a `poll()` that is blocked returns what it has."""
        super().__init__(
            calendar=calendar, actor=actor, code=code, group=group,
            connections=connections, brokers=brokers, settings=settings, draws=draws,
            calls=calls, topics=topics, joining=joining, owner_calls=owner_calls,
        )  # fmt: skip

    def _connect(
        self,
        actor: int,
        sessions: list[FetchSession],
        connections: list[Connection],
        brokers: list[Broker],
        draws: np.random.Generator,
    ) -> None:
        super()._connect(actor, sessions, connections, brokers, draws)
        calls, client_calls = self._calls, self._client_calls()
        self._committer = self._commits = GroupCommitter(
            who=(self.group, self.code),
            network=self._network,
            settings=self._settings,
            draws=draws, calls=client_calls, send=self._send,
        )  # fmt: skip
        self._driver = MemberDriver(
            self.code,
            self._network,
            DriverCalls(
                now_ns=client_calls.now_ns,
                next_request_id=calls.next_request_id,
                write_request=calls.write_request,
                received=self._received,
                do=self._do,
                reads=self._reads,
                stands_still=lambda: self._held is not None,
                on_news=self._go_on,
            ),
        )

    # --- from start to end ------------------------------------------------------------

    @property
    def machine(self) -> MemberMachine | None:
        """That of its process; None while it is down."""
        return self._driver.machine

    def start(self, _positions: Mapping[int, int] = MappingProxyType({})) -> None:
        """Begin to poll; what it will own, and from where, is not known yet."""
        self.begin()
        self._poll(self._wake)

    def begin(self) -> None:
        """Be there, with a machine that has heard nothing."""
        self.epoch += 1
        self.up = True
        self._fetcher.start({})
        self.begun = {}
        backoff_ms = lambda failures: self._retries.draw_ns(failures) // NS_PER_MS  # noqa: E731
        now_ms = self._driver.now_ms
        machine = self._new_machine(self._consumed, backoff_ms, now_ms)
        self._has_thread = isinstance(machine, ConsumerMember)
        self._driver.start(machine)
        self._counts = {}

    def rehearse(self, answers: Iterable[tuple[Message, Response]]) -> list[Message]:
        """Take answers, poll, and return what it says: before a run nothing is sent."""
        overheard = self._driver.overheard = []
        for message, response in answers:
            self._tell(Answered(message, response))
        self._sees_to_group(self._calendar.now_ns)
        return overheard

    def go_live(self) -> None:
        """Go on from what was rehearsed."""
        self._driver.overheard = None
        self._poll(self._wake)

    def crash(self) -> None:
        """Stop at once, without a word to anybody."""
        super().crash()
        self._driver.stop()
        self._callback = None
        self._closes = self._is_closing = False
        self._blocked_until_ns = MISSING_NS
        self._give_up(self.owned, "crashed")

    def close(self) -> None:
        """Let the application end its poll loop, and close its consumer."""
        if self.up:
            self._closes = True
            self._go_on()

    def resume(self) -> None:
        """Go on after a pause, with what came meanwhile in the order it came."""
        if self._held is None:
            return
        held, self._held = self._held, None
        self._for_good = False
        for request in held:
            self._take(request)
        if self.up:
            self._driver.catch_up()
            self._go_on()

    # --- poll -------------------------------------------------------------------------

    def _poll(self, wake: int) -> None:
        """End the work of the last poll and poll again."""
        if wake != self._wake or self._runs:
            return
        self._polls = False
        self._runs = True
        self._poll_on(self._calendar.now_ns)
        self._runs = False

    def _poll_on(self, now_ns: int) -> None:
        """Work and poll until one of both takes time."""
        fetcher, committer, application = self._fetcher, self._commits, self.application
        while True:
            has_work = application.rows or application.waiting
            keeps = committer.keeps(application)
            if has_work and not keeps and self._is_at_work(now_ns):
                return
            if self._closes:
                self._closes, self._is_closing = False, True
                self._tell(Close())
                return
            if not self._sees_to_group(now_ns) or self._is_blocked(now_ns):
                return
            if committer.keeps(application):
                committer.commit_sync(fetcher.consumed(), now_ns)
                if committer.waits:
                    return
                continue
            if not fetcher.buffer.fetches:
                fetcher.send_fetches(now_ns)
                if self._goes_round(now_ns):
                    continue
                self._wait()
                return
            if self._takes_records(now_ns):
                return

    def _takes_records(self, now_ns: int) -> bool:
        """Return records from `poll()`, and begin with them.

        Return whether that takes time, or the application waits for a commit.
        """
        fetcher, committer, application = self._fetcher, self._commits, self.application
        rows, end_ns = fetcher.take(now_ns, application.slowed)
        if not fetcher.has_failed:
            fetcher.send_fetches(now_ns)
        if self._begins_at_once:
            application.rows = rows
            if end_ns > now_ns:
                self._wake_at(end_ns)
            return end_ns > now_ns
        application.waiting = rows
        if rows and self._settings.commit == BEFORE_WORK:
            committer.commit_sync(fetcher.consumed(), now_ns)
        return committer.waits

    def _wait(self) -> None:
        """Wait in `poll()` for what will come."""
        self._polls = True
        self._driver.arm_poll()

    def _sees_to_group(self, now_ns: int) -> bool:
        """Do what comes first in a poll; return whether it goes on to records."""
        if not self._commits.keeps(self.application):
            self._fulfil(now_ns)
        self._driver.read()
        if self._sees_more_topics():
            self._driver.tell(MetadataCame(self._counts))
        self._tell(Polled())
        machine = self.machine
        if machine is None or self._callback is not None:
            return False
        if not machine.is_ready:
            return True
        if self._unplaced:
            self._tell(OffsetsWanted(self._named(self._unplaced.values())))
        if self._fetcher.is_unsure and not self._fetcher.has_failed:
            self._fetcher.update(now_ns)
        if self._fetcher.has_failed:
            self._throw()
            return False
        return True

    def _is_blocked(self, now_ns: int) -> bool:
        """Whether this poll returns nothing yet; then it waits."""
        machine = self.machine
        assert machine is not None
        if not (machine.blocks or self._commits.keeps(self.application)):
            self._blocked_until_ns = MISSING_NS
            return False
        if self._blocked_until_ns == MISSING_NS:
            self._blocked_until_ns = now_ns + POLL_TIMEOUT_NS
            self._network.at(self._blocked_until_ns, self._retry)
        if now_ns < self._blocked_until_ns:
            self._wait()
            return True
        self._blocked_until_ns = MISSING_NS
        return False

    def _throw(self, error: int | None = None) -> None:
        """Let an exception of `poll()` end the application."""
        self.thrown = error
        self.crash()
        self._calls.on_stopped(self)

    def _go_on(self) -> None:
        """Go on where nothing but this was waited for."""
        waits = self.application.rows or self._committer.waits
        busy = self._held is not None or self._runs or self._driver.is_telling
        if busy or waits or not self.up:
            return
        self._end_callbacks()
        if self._is_closing:
            return
        if self._callback is None:
            self._poll(self._wake)

    def _reads(self) -> bool:
        """Whether the application is in the client, or a thread of the client runs."""
        machine = self.machine
        in_client = self._polls or self._committer.waits or self._callback is not None
        in_background = machine is not None and machine.reads_in_background
        return in_client or self._runs or self._is_closing or in_background

    def _take(self, request: Request) -> None:
        """Do what an answer or a failure asks for; poll on if it was waited for."""
        if not self._driver.take(request):
            super()._take(request)

    # --- the machine ------------------------------------------------------------------

    def _tell(self, event: Input) -> None:
        """Tell the machine, and end callbacks that wait for nothing."""
        self._driver.tell(event)
        if not self._driver.is_telling:
            self._end_callbacks()

    def _end_callbacks(self) -> None:
        while self._callback is not None and not self._committer.waits:
            partitions, cause = self._callback
            self._callback = None
            self._give_up([self._topics[t][number] for t, number in partitions], cause)
            if not self._unplaced:
                self._driver.tell(OffsetsWanted(()))
            self._driver.tell(CallbackDone())

    def _do(self, effect: OfApplication) -> None:
        """Do what the machine asks of the application."""
        match effect:
            case HeldBack(partitions):
                self._hold_back(partitions)
            case Revoked(partitions):
                self._callback = partitions, "revoked"
                self._commit_before_revoked()
            case Lost(partitions):
                self._callback = partitions, "lost"
            case Assigned(partitions, generation):
                self._callback = (), "assigned"
                self._own(partitions, generation)
            case CommitEnded():
                self._driver.kinds.pop(effect.ticket, None)
                self._commits.ended(effect, self._calendar.now_ns)
            case OffsetsFound(offsets):
                self._place(offsets)
            case Raised(error):
                self._throw(error)
            case Closed():
                self.crash()
                self._owner_calls.on_closed(self)

    # --- commits ----------------------------------------------------------------------

    def _commit_before_revoked(self) -> None:
        """Commit, as an application does that counts records, what it has done."""
        if self._settings.commit == MANUAL:
            done = self.application.done_so_far()
            if self._offsets(done):
                self._commits.commit_sync(done, self._calendar.now_ns)

    def _send(self, ticket: int, positions: Mapping[int, int], kind: int) -> bool:
        self._driver.kinds[ticket] = kind
        self._tell(Commit(ticket, self._offsets(positions), self._commits.until_ms))
        self._go_on()
        return ticket in self._driver.kinds
