"""When a member commits, and what becomes of a commit.

An automatic commit is sent by a poll when `auto.commit.interval.ms` is over, and nobody
waits for it; when it fails and may be retried, the next one is due `retry.backoff.ms`
after the poll that hears of it (CO-10, CO-11). `commitSync` tries again until
`default.api.timeout.ms` is over, and the application waits (CO-12). `commitAsync` never
does: an older commit could overtake a newer one (CO-13).

An application that commits before the work, and whose `commitSync` throws, keeps what
it has polled. It pauses its partitions and polls, so that a rebalance may end, and
commits again (RebalanceInProgressException of `KafkaConsumer.commitSync`). What is
taken from it meanwhile it drops.

Source: `ConsumerCoordinator` (clients). The coordinator of a group does not move.
"""

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np

from kafkasim.engine.sim import poll_settings
from kafkasim.engine.sim.application import Application
from kafkasim.engine.sim.client import NetworkClient
from kafkasim.engine.sim.member_calls import ClientCalls
from kafkasim.engine.sim.poll_settings import PollSettings
from kafkasim.engine.sim.request import OFFSET_COMMIT, Request
from kafkasim.protocol.backoff import Backoff
from kafkasim.protocol.errors import RETRIABLE
from kafkasim.result.schema_groups import COMMIT_KINDS
from kafkasim.units import FOREVER_NS, MISSING_NS

AUTO: Final = COMMIT_KINDS.index("auto")
SYNC: Final = COMMIT_KINDS.index("sync")
ASYNC: Final = COMMIT_KINDS.index("async")


class Committer:
    """The commits of one member.

    Parameters
    ----------
    who : tuple
        Its group and its own code, as the coordinator wants them.
    network : NetworkClient
        The client's connections.
    node : int
        The coordinator's among them.
    settings : PollSettings
        The member's configuration.
    draws : numpy.random.Generator
        The client's own stream, for the jitter of backoffs.
    calls : ClientCalls
        Whom to tell what.
    """

    def __init__(
        self,
        *,
        who: tuple[object, int],
        network: NetworkClient,
        node: int,
        settings: PollSettings,
        draws: np.random.Generator,
        calls: ClientCalls,
    ) -> None:
        self._who = who
        self._network = network
        self._node = node
        self._settings = settings
        self._calls = calls
        self._backoff = Backoff(
            settings.retry_backoff_ns, settings.retry_backoff_max_ns, draws
        )
        self.due_ns = FOREVER_NS
        """When the next automatic commit is due."""
        self.failed = False
        """An automatic commit failed, and no poll has heard of it."""
        self.threw = False
        """The last `commitSync` did: as long as no answer says otherwise."""
        self._sync: dict[int, int] | None = None
        """What `commitSync` commits; none when nobody waits."""
        self._deadline_ns = 0
        self._failures = 0
        self._round = 0
        """Rises when a `commitSync` begins or ends; what was to happen then is void."""

    # --- automatic ------------------------------------------------------------------

    def start(self, now_ns: int) -> None:
        """Begin to count `auto.commit.interval.ms`, if it commits automatically."""
        if self._settings.auto_commit_ns is not None:
            self._due_in(self._settings.auto_commit_ns, now_ns)

    def stop(self) -> None:
        """Forget what is under way: the process has gone."""
        self.due_ns = FOREVER_NS
        self.failed = False
        self._sync = None
        self._round += 1

    def hear(self, now_ns: int) -> None:
        """Let a poll hear of a failed automatic commit."""
        if self.failed:
            self.failed = False
            self._due_in(self._settings.retry_backoff_ns, now_ns)

    def commit_automatically(self, positions: Mapping[int, int], now_ns: int) -> None:
        """Commit what polls have returned, and count anew."""
        assert self._settings.auto_commit_ns is not None
        self._due_in(self._settings.auto_commit_ns, now_ns)
        if self._network.can_send(self._node, now_ns):
            self._commit(positions, AUTO, now_ns)
        else:
            self.failed = True
            self.hear(now_ns)

    def _due_in(self, after_ns: int, now_ns: int) -> None:
        self.due_ns = now_ns + after_ns
        self._calls.arm_commit(self.due_ns)

    # --- by the application ---------------------------------------------------------

    def commit_after_work(
        self, application: Application, consumed: Mapping[int, int], now_ns: int
    ) -> bool:
        """Commit as the application does after some work; return whether it waits."""
        commit = self._settings.commit
        if commit in {poll_settings.AUTO, poll_settings.BEFORE_WORK}:
            return False
        if commit == poll_settings.EACH_POLL:
            self.commit_async(consumed, now_ns)
            return False
        done = consumed
        if commit == poll_settings.MANUAL:
            done = application.done_since_commit()
        if done:
            self.commit_sync(done, now_ns)
        return self.waits

    def commit_async(self, positions: Mapping[int, int], now_ns: int) -> None:
        """Commit and wait for nothing (`commitAsync`)."""
        if self._network.can_send(self._node, now_ns):
            self._commit(positions, ASYNC, now_ns)

    def commit_sync(self, positions: Mapping[int, int], now_ns: int) -> None:
        """Commit; `on_settled` is called when that has ended (`commitSync`)."""
        settings = self._settings
        self._sync = dict(positions)
        self.threw = True
        self._deadline_ns = now_ns + settings.api_timeout_ns
        self._failures = 0
        self._round += 1
        if settings.api_timeout_ns < settings.network.request_timeout_ns:
            self._at(self._deadline_ns, self._settle)
        self._try()

    @property
    def waits(self) -> bool:
        """Whether the application waits for a commit."""
        return self._sync is not None

    def keeps(self, application: Application) -> bool:
        """Whether records wait for a commit that has thrown, and will be made again."""
        precedes = self._settings.commit == poll_settings.BEFORE_WORK
        return self.threw and precedes and bool(application.waiting)

    def _try(self) -> None:
        assert self._sync is not None
        now_ns = self._calls.now_ns()
        if self._network.can_send(self._node, now_ns):
            self._commit(self._sync, SYNC, now_ns)
        else:
            self._try_later(now_ns)

    def _try_later(self, now_ns: int) -> None:
        if not self._failures:
            self._at(self._deadline_ns, self._settle)  # with a TimeoutException
        self._at(now_ns + self._backoff.draw_ns(self._failures), self._try)
        self._failures += 1

    def _at(self, time_ns: int, function: Callable[[], None]) -> None:
        """Call a function then, if the application still waits for this commit."""
        number = self._round

        def call(_: object) -> None:
            if self._round == number:
                function()

        self._network.at(time_ns, call)

    def _settle(self) -> None:
        self._sync = None
        self._round += 1
        self._calls.on_settled()

    # --- requests -------------------------------------------------------------------

    def _commit(self, positions: Mapping[int, int], kind: int, now_ns: int) -> None:
        connection = self._network.connections[self._node]
        what = (*self._who, dict(positions), kind)
        received = self._calls.received
        request = Request(OFFSET_COMMIT, connection, now_ns, what, received)
        request.epoch = self._round if kind == SYNC else 0
        request.request_id = self._calls.next_request_id()
        self._network.send(request)

    def take(self, request: Request, now_ns: int) -> None:
        """Take the answer to a commit, or its failure with the connection."""
        answered_ns = MISSING_NS if request.failed else now_ns
        self._calls.write_request(request, answered_ns)
        kind = request.payload[-1]
        is_retriable = request.error in RETRIABLE
        if kind == SYNC and request.epoch == self._round:
            if is_retriable:
                self._try_later(now_ns)
            else:
                self.threw = False
                self._settle()
        elif kind == AUTO and is_retriable:
            self.failed = True
            self.due_ns = now_ns
