"""Consumer group members: fetch, poll, work, commit.

`poll()` commits when the auto-commit interval is over (CO-10: inside poll, before
fetching, and what earlier polls returned), sees to its positions, returns up to
`max.poll.records` of what has been fetched (CO-1), and before returning sends the next
fetches, so that the next batch travels while this one is worked on (CO-3). No fetch
goes to a broker that still owes an answer or leads a partition with records not yet
returned. The application works through the records one after the other and polls
again; it may commit by itself: before the work, after it, or every so many records.

A group starts joined: its members own what the range assignor gives them, and nobody
moves. A member that comes back after a crash owns what it owned and goes on from the
committed offsets, as a static member does (GR-14).
"""

from collections.abc import Mapping

import numpy as np

from kafkasim.engine.sim.application import Application
from kafkasim.engine.sim.broker import Broker
from kafkasim.engine.sim.calendar import Calendar, Rank, key_base
from kafkasim.engine.sim.client import NetworkClient
from kafkasim.engine.sim.client_metadata import ClientMetadata
from kafkasim.engine.sim.committer import Committer
from kafkasim.engine.sim.fetch_session import FetchSession
from kafkasim.engine.sim.group import Group
from kafkasim.engine.sim.member_calls import ClientCalls, MemberCalls
from kafkasim.engine.sim.partition import Partition
from kafkasim.engine.sim.poll_settings import AUTO, BEFORE_WORK, PollSettings
from kafkasim.engine.sim.request import FETCH, OFFSET_COMMIT, Connection, Request
from kafkasim.engine.sim.seeking import SeekingFetcher, Wish
from kafkasim.units import FOREVER_NS, MISSING_NS


class Member:
    """One member of a group and the application behind it.

    Parameters
    ----------
    calendar, actor
        Where its deadlines go, and its number among the run's actors.
    code : int
        Code of its name in the tables.
    group : Group
        The group it belongs to.
    sessions : list of FetchSession
        One per broker that leads a partition it owns.
    connections : list of Connection
        By broker index, and behind them the one to the group's coordinator.
    brokers : list of Broker
        By index.
    settings : PollSettings
        Its configuration.
    draws : numpy.random.Generator
        Its own stream: jitter of backoffs, choice of whom to ask for metadata.
    calls : MemberCalls
        Whom to tell what.
    """

    def __init__(
        self,
        *,
        calendar: Calendar,
        actor: int,
        code: int,
        group: Group,
        sessions: list[FetchSession],
        connections: list[Connection],
        brokers: list[Broker],
        settings: PollSettings,
        draws: np.random.Generator,
        calls: MemberCalls["Member"],
    ) -> None:
        self.code = code
        self.group = group
        self.owned = [p for session in sessions for p in session.partitions]
        self._calendar = calendar
        self._settings = settings
        self._calls = calls
        self._connect(actor, sessions, connections, brokers, draws)
        self._network.on_ready.append(self._retry)
        self._metadata.on_change.append(self._retry)
        self.sessions = self._fetcher.sessions
        self.positions = self._fetcher.positions
        self.application = Application(
            group,
            {p.index: p for p in self.owned},
            every=settings.commit_every,
            workers=settings.workers,
            write_returned=calls.write_returned,
            on_processed=calls.on_processed,
        )
        self._begins_at_once = settings.begins_at_once
        self._commits_after = settings.commit not in {AUTO, BEFORE_WORK}
        self._polls = False
        """It waits in `poll()` for what will come."""
        self._held: list[Request] | None = None
        """What came during a pause; none: there is no pause."""
        self._for_good = False
        """Whether it stands still and nothing will let it go on but a crash."""
        self._wishes: list[Wish] = []
        self.epoch = 0
        self.up = False
        self.begun: dict[int, tuple[int, int]] = {}
        """Partition index → when and at which offset it began to read it."""
        self._wake = 0
        self._wake_key = key_base(Rank.WAKE, actor)
        self._timer_key = key_base(Rank.TIMER, actor)

    def _connect(
        self,
        actor: int,
        sessions: list[FetchSession],
        connections: list[Connection],
        brokers: list[Broker],
        draws: np.random.Generator,
    ) -> None:
        """Make the parts of its client."""
        calendar, calls, settings = self._calendar, self._calls, self._settings
        self._network = NetworkClient(
            calendar=calendar, actor=actor, connections=connections, brokers=brokers,
            settings=settings.network, draws=draws, on_failed=self._failed, reserved=1,
        )  # fmt: skip
        self._metadata = ClientMetadata(
            calendar=calendar, network=self._network,
            partitions=[p.index for p in self.owned],
            leaders=[p.leader for p in self.owned],
            settings=settings.metadata, draws=draws,
            next_request_id=calls.next_request_id, on_done=calls.write_request,
        )  # fmt: skip
        client_calls = self._client_calls()
        self._fetcher = SeekingFetcher(
            group=self.group,
            code=self.code,
            sessions=sessions,
            network=self._network,
            metadata=self._metadata,
            brokers=brokers,
            settings=settings,
            calls=client_calls,
        )
        self._committer = Committer(
            who=(self.group, self.code), network=self._network, node=len(brokers),
            settings=settings, draws=draws, calls=client_calls,
        )  # fmt: skip

    def _client_calls(self) -> ClientCalls:
        return ClientCalls(
            now_ns=lambda: self._calendar.now_ns,
            next_request_id=self._calls.next_request_id,
            write_request=self._calls.write_request,
            received=self._received,
            on_reset=self._reset,
            on_retry=self._retry,
            arm_commit=self._arm_commit_timer,
            on_settled=self._go_on,
        )

    def start(self, positions: Mapping[int, int]) -> None:
        """Begin to poll at these offsets, of all its partitions."""
        now_ns = self._calendar.now_ns
        self.epoch += 1
        self.up = True
        self._fetcher.start(positions)
        self.begun = {index: (now_ns, at) for index, at in self.positions.items()}
        if self.owned:
            self._committer.start(now_ns)
        self._fetcher.send_fetches(now_ns)
        self._polls = True

    @property
    def begun_ns(self) -> int:
        """When the oldest work under way began; `NEVER` when it is idle."""
        return self.application.begun_ns

    def slow(self, factor: float) -> None:
        """Multiply the work of the records that begin from now on."""
        end_ns = self.application.slow(self._calendar.now_ns, factor)
        if end_ns != MISSING_NS:
            self._wake_at(end_ns)

    def pause(self, until_ns: int) -> None:
        """Stand still: what is at work, and what the client would do, waits.

        Parameters
        ----------
        until_ns : int
            When `resume` will be called; `FOREVER_NS`: never.
        """
        if not self.up:
            return
        self._held = []
        self._for_good = until_ns == FOREVER_NS
        end_ns = self.application.hold(self._calendar.now_ns, until_ns)
        if self.application.rows:
            self._wake_at(max(until_ns, end_ns))

    def resume(self) -> None:
        """Go on after a pause, with what came meanwhile in the order it came."""
        if self._held is None:
            return  # a crash has ended it, or it found nobody here
        held, self._held = self._held, None
        self._commit_timer(self.epoch)
        for request in held:
            self._take(request)
        self._go_on()

    @property
    def held(self) -> list[Request]:
        """What was answered during a pause and the client has not seen yet."""
        return list(self._held or ())

    def crash(self) -> None:
        """Stop at once; what was not finished is abandoned."""
        now_ns = self._calendar.now_ns
        self.up = self._polls = False
        self.epoch += 1
        self._wake += 1
        self._wishes.clear()
        held, self._held = self._held or [], None
        self._for_good = False
        self._network.start_anew()
        self._metadata.start_anew()
        self._fetcher.stop()
        self._committer.stop()
        for request in held:
            if not request.written:
                self._calls.write_request(request, MISSING_NS)
        self.application.stop(now_ns, crashed=1)

    def cut(self) -> None:
        """End the run: write what is being worked on as it stands."""
        self.application.stop(self._calendar.now_ns, crashed=0)

    # --- poll ---------------------------------------------------------------------

    def _wake_at(self, time_ns: int) -> None:
        """Poll again then, and not when it was meant to before."""
        self._wake += 1
        if self._for_good:
            return
        self._wake_key += 1
        self._calls.on_working(time_ns)
        self._calendar.push((time_ns, self._wake_key, self._poll, self._wake))

    def _poll(self, wake: int) -> None:
        """End the work of the last poll and poll again."""
        if wake != self._wake:
            return
        now_ns = self._calendar.now_ns
        self._polls = False
        fetcher, committer = self._fetcher, self._committer
        application, buffer = self.application, fetcher.buffer
        while True:
            if (application.rows or application.waiting) and self._is_at_work(now_ns):
                return
            cares = fetcher.is_unsure or now_ns >= committer.due_ns
            if (cares or self._wishes) and self._has_ended(now_ns):
                return
            if not buffer.fetches:
                fetcher.send_fetches(now_ns)
                self._polls = True
                return
            rows, end_ns = fetcher.take(now_ns, application.slowed)
            application.polled_ns = now_ns
            if not fetcher.has_failed:
                fetcher.send_fetches(now_ns)
            if self._begins_at_once:
                application.rows = rows
                if end_ns > now_ns:
                    self._wake_at(end_ns)
                    return
            else:
                application.waiting = rows
                if rows and self._settings.commit == BEFORE_WORK:
                    committer.commit_sync(fetcher.consumed(), now_ns)
                    return

    def ask(self, wish: Wish) -> None:
        """Let the application do something with its consumer before it polls again."""
        if self.up:
            self._wishes.append(wish)
            self._retry()

    def _fulfil(self, now_ns: int) -> None:
        wishes, self._wishes = self._wishes, []
        for wish in wishes:
            wish(self._fetcher, now_ns)

    def _is_at_work(self, now_ns: int) -> bool:
        """End the work of now and begin with what waits.

        Return whether that takes time, or the application waits for a commit.
        """
        application, fetcher = self.application, self._fetcher
        while True:
            if application.rows:
                application.finish()
                if self._commits_after and self._committer.commit_after_work(
                    application, fetcher.consumed(), now_ns
                ):
                    return True
            if not application.waiting:
                return False
            if self._committer.keeps(application):
                self._committer.commit_sync(fetcher.consumed(), now_ns)
                return True
            end_ns = application.begin(now_ns)
            if end_ns > now_ns:
                self._wake_at(end_ns)
                return True

    def _has_ended(self, now_ns: int) -> bool:
        """Do what is wished, commit if that is due, see to the positions (CO-1).

        Return whether that throws an exception, which ends the application.
        """
        committer = self._committer
        self._fulfil(now_ns)
        if committer.failed:
            committer.hear(now_ns)
        if now_ns >= committer.due_ns:
            committer.commit_automatically(self._fetcher.consumed(), now_ns)
        fetcher = self._fetcher
        if fetcher.has_failed:
            self.crash()
            self._calls.on_stopped(self)
        else:
            fetcher.update(now_ns)
        return fetcher.has_failed

    def _go_on(self) -> None:
        """Go on where nothing but this was waited for."""
        waits = self.application.rows or self._committer.waits
        if self._held is None and not waits:
            self._poll(self._wake)

    def _retry(self, _: object = None) -> None:
        """Look again at what could not be done, if it waits in `poll()`."""
        if self._polls and self._held is None:
            self._poll(self._wake)

    # --- requests -----------------------------------------------------------------

    def _received(self, request: Request) -> None:
        """Take an answer off the network; a member that crashed never sees it."""
        if not self._network.answered(request):
            if not request.written:
                self._calls.write_request(request, MISSING_NS)
        elif self._held is not None:
            self._held.append(request)
        else:
            self._take(request)

    def _failed(self, request: Request) -> None:
        """Take note that a request failed with its connection."""
        if self._metadata.failed(request):
            self._calls.write_request(request, MISSING_NS)
        elif self._held is not None:
            self._held.append(request)
        else:
            self._take(request)

    def _take(self, request: Request) -> None:
        """Do what an answer or a failure asks for; poll on if it was waited for."""
        now_ns = self._calendar.now_ns
        polls, self._polls = self._polls, False
        if request.api == FETCH:
            if request.failed:
                self._fetcher.lose_fetch(request)
            else:
                self._fetcher.take_fetch(request, now_ns)
        elif request.api == OFFSET_COMMIT:
            self._committer.take(request, now_ns)
        else:
            self._fetcher.take_offset(request, now_ns)
        if polls:
            self._poll(self._wake)

    def _reset(self, partition: Partition, offset: int) -> None:
        """Note that it is about to go on at another offset."""
        self._calls.on_reset(self, partition, offset)
        self.begun[partition.index] = (self._calendar.now_ns, offset)

    # --- automatic commits ----------------------------------------------------------

    def _arm_commit_timer(self, at_ns: int) -> None:
        self._timer_key += 1
        self._calendar.at(at_ns, self._timer_key, self._commit_timer, self.epoch)

    def _commit_timer(self, epoch: int) -> None:
        """Commit in a poll that waits for records; one that works does it later."""
        if epoch != self.epoch or not self._polls:
            return
        if self._held is not None:
            return  # `resume` comes back to it
        now_ns = self._calendar.now_ns
        if now_ns >= self._committer.due_ns:
            self._committer.commit_automatically(self._fetcher.consumed(), now_ns)
