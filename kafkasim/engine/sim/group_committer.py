"""The commits of an application whose consumer joins its group.

Its client's machine sends them, with the member's generation; automatic ones are its
own business. What an error means is said by `member_effects.Outcome`: `commitSync`
tries again until `default.api.timeout.ms` is over where that may help, and throws
where the member is no owner any more (CO-12).
"""

from collections.abc import Callable, Mapping

import numpy as np

from kafkasim.engine.sim.client import NetworkClient
from kafkasim.engine.sim.committer import ASYNC, SYNC, Committer
from kafkasim.engine.sim.member_calls import ClientCalls
from kafkasim.engine.sim.poll_settings import PollSettings
from kafkasim.protocol.groups.member.member_effects import CommitEnded, Outcome
from kafkasim.units import NS_PER_MS


class GroupCommitter(Committer):
    """Such commits.

    Parameters
    ----------
    who, network, settings, draws, calls
        As of a `Committer`.
    send : callable
        Takes a ticket, positions by partition index, and the kind of a commit; says
        whether that waits for the coordinator to be found.
    """

    def __init__(
        self,
        *,
        who: tuple[object, int],
        network: NetworkClient,
        settings: PollSettings,
        draws: np.random.Generator,
        calls: ClientCalls,
        send: Callable[[int, Mapping[int, int], int], bool],
    ) -> None:
        super().__init__(
            who=who, network=network, node=0, settings=settings, draws=draws,
            calls=calls,
        )  # fmt: skip
        self._send = send
        self._tickets = 0
        self._ticket = -1
        """Of the `commitSync` under way."""
        self._is_held = False
        """The last commit waits for the coordinator to be found."""

    @property
    def until_ms(self) -> int | None:
        """When the `commitSync` under way throws; None: there is none."""
        return self._deadline_ns // NS_PER_MS if self.waits else None

    def start(self, now_ns: int) -> None:
        """Count nothing: automatic commits are the machine's."""

    def commit_async(self, positions: Mapping[int, int], now_ns: int) -> None:
        """Commit and wait for nothing (`commitAsync`)."""
        self._commit(positions, ASYNC, now_ns)

    def _try(self) -> None:
        assert self._sync is not None
        self._ticket = self._tickets
        number = self._round
        self._commit(self._sync, SYNC, self._calls.now_ns())
        if self._is_held and number == self._round:
            self._at(self._deadline_ns, self._settle)  # with a TimeoutException

    def _commit(self, positions: Mapping[int, int], kind: int, _now_ns: int) -> None:
        self._tickets += 1
        self._is_held = self._send(self._tickets - 1, positions, kind)

    def ended(self, commit: CommitEnded, now_ns: int) -> None:
        """Take note that a commit has ended; try it again, or go on."""
        if self._sync is None or commit.ticket != self._ticket:
            return
        self._ticket = -1
        self.threw = commit.outcome is not Outcome.DONE
        if commit.outcome is Outcome.RETRIABLE:
            self._try_later(now_ns)
        else:
            self._settle()
