"""What a member has to know before it can fetch a partition, and how it asks.

Where to go on, when a position is out of range: at the log end or the log start, by
`auto.offset.reset`. Or whether a position still holds when a partition has a new
leader: where the leader epoch of the last record ends there (KIP-320).

Source: `OffsetFetcher`, `OffsetFetcherUtils` and `SubscriptionState` (clients). A
leader gets one request about all of its partitions, of each of the two kinds. What
fails is asked again when `retry.backoff.ms` are over and the metadata is asked for.
"""

from dataclasses import dataclass
from operator import itemgetter
from typing import Final, NamedTuple

from kafkasim.engine.sim.client import NetworkClient
from kafkasim.engine.sim.client_metadata import ClientMetadata
from kafkasim.engine.sim.group import Group
from kafkasim.engine.sim.member_calls import ClientCalls
from kafkasim.engine.sim.partition import Partition
from kafkasim.engine.sim.poll_settings import PollSettings
from kafkasim.engine.sim.request import (
    LIST_OFFSETS,
    OFFSET_FOR_LEADER_EPOCH,
    Request,
)
from kafkasim.units import FOREVER_NS, MISSING_NS

NO_EPOCH: Final = -1
"""In place of a leader epoch that is not known."""


@dataclass(slots=True, eq=False)
class Question:
    """What has to be known of a partition before it can be fetched."""

    partition: Partition
    """Of which."""
    epoch: int
    """The leader epoch whose end is asked for; `NO_EPOCH`: where to go on."""
    leader_epoch: int = 0
    """Of the partition, as the client knows it when it asks."""
    asked: bool = False
    """A request is in flight."""
    not_before_ns: int = 0
    """When it may be asked."""
    wish: int | None = None
    """A timestamp to ask for; none: as `auto.offset.reset` says."""


class Asked(NamedTuple):
    """A partition of a request; the request's payload is a list of these."""

    question: Question
    """What is asked."""
    partition: Partition
    """Of which."""
    wish: int
    """The epoch, or a timestamp as ListOffsets has them."""


class OffsetFetcher:
    """The questions of a member.

    Parameters
    ----------
    group : Group
        Of the member: how to reset.
    network, metadata
        The client's connections, by broker index, and what it knows of the leaders.
    settings : PollSettings
        Its configuration.
    calls : ClientCalls
        Whom to tell what.

    Attributes
    ----------
    open : dict of int to Question
        Those without an answer, by partition index.
    """

    def __init__(
        self,
        *,
        group: Group,
        network: NetworkClient,
        metadata: ClientMetadata,
        settings: PollSettings,
        calls: ClientCalls,
    ) -> None:
        self._group = group
        self._network = network
        self._metadata = metadata
        self._settings = settings
        self._calls = calls
        self.open: dict[int, Question] = {}
        self._all_asked = True
        self._fresh: list[Question] = []
        """Those that `poll()` has to go round for once more."""

    def is_reset(self, index: int) -> bool:
        """Return whether the position in a partition is being reset."""
        question = self.open.get(index)
        return question is not None and question.epoch == NO_EPOCH

    def note(
        self,
        partition: Partition,
        epoch: int = NO_EPOCH,
        wish: int | None = None,
        *,
        later: bool = False,
    ) -> None:
        """Note what is to be asked, in place of what was before.

        Parameters
        ----------
        partition : Partition
            Of which.
        epoch : int
            The end of which leader epoch; `NO_EPOCH`: where to go on.
        wish : int, optional
            Then at which timestamp; left out, as `auto.offset.reset` says.
        later : bool
            Not before `release`.
        """
        question = self.open[partition.index] = Question(partition, epoch, wish=wish)
        if later:
            question.not_before_ns = FOREVER_NS
            self._fresh.append(question)
        self._all_asked = False

    def release(self) -> bool:
        """Let be asked from now on what was to be asked later; return if any was."""
        fresh, self._fresh = self._fresh, []
        for question in fresh:
            question.not_before_ns = 0
        return bool(fresh)

    @property
    def awaits_resets(self) -> bool:
        """Whether it has asked where to go on somewhere, and there is no answer yet."""
        return any(q.asked and q.epoch == NO_EPOCH for q in self.open.values())

    def ask_due(self, now_ns: int) -> None:
        """Ask all that may be asked now, the ends of epochs first."""
        self._ask_of((OFFSET_FOR_LEADER_EPOCH, LIST_OFFSETS), now_ns)

    def ask_resets(self, now_ns: int) -> None:
        """Ask where to go on, as far as that may be asked now, and nothing else."""
        self._ask_of((LIST_OFFSETS,), now_ns)

    def _ask_of(self, apis: tuple[int, ...], now_ns: int) -> None:
        if self._all_asked:
            return
        due = [
            each
            for each in self.open.values()
            if not each.asked and now_ns >= each.not_before_ns
        ]
        if due:
            for api in apis:
                self._ask(api, due, now_ns)
        self._all_asked = all(each.asked for each in self.open.values())

    def _ask(self, api: int, due: list[Question], now_ns: int) -> None:
        """Send each leader that can be sent to what is asked of it.

        `OffsetFetcherUtils.regroupFetchPositionsByLeader`, `regroupPartitionMapByNode`.
        """
        by_leader: dict[int, list[Asked]] = {}
        for question in due:
            if (question.epoch == NO_EPOCH) != (api == LIST_OFFSETS):
                continue
            partition = question.partition
            leader, question.leader_epoch = leader_of(self._metadata, partition)
            if leader < 0:
                self._metadata.request_update(now_ns)
                continue
            wish = question.epoch if api == OFFSET_FOR_LEADER_EPOCH else question.wish
            if wish is None:
                wish = self._group.reset_timestamp_ms(now_ns)
            by_leader.setdefault(leader, []).append(Asked(question, partition, wish))
        for leader, asked in sorted(by_leader.items(), key=itemgetter(0)):
            if self._network.can_send(leader, now_ns):
                self._send(api, leader, asked, now_ns)

    def _send(self, api: int, leader: int, asked: list[Asked], now_ns: int) -> None:
        for each in asked:
            each.question.asked = True
        connection = self._network.connections[leader]
        request = Request(api, connection, now_ns, asked, self._calls.received)
        request.request_id = self._calls.next_request_id()
        self._network.send(request)

    def take(self, request: Request, now_ns: int) -> list[tuple[Question, object]]:
        """Take an answer, or a failure with the connection; return what is answered.

        Not what is no question any more, nor what has to be asked again.
        """
        answered_ns = MISSING_NS if request.failed else now_ns
        self._calls.write_request(request, answered_ns)
        errors = request.errors or {}
        if request.failed or errors:
            self._metadata.request_update(now_ns)
        backoff_ns = self._settings.retry_backoff_ns
        taken: list[tuple[Question, object]] = []
        asked: list[Asked] = request.payload
        for question, partition, _ in asked:
            index = partition.index
            if self.open.get(index) is not question:
                continue  # the leader has changed meanwhile
            if request.failed or index in errors:
                self._ask_later(question, now_ns, backoff_ns)
            elif question.epoch == NO_EPOCH and request.answer[index] is None:
                timeout_ns = self._settings.network.request_timeout_ns
                self._ask_later(question, request.sent_ns, timeout_ns)
            else:
                del self.open[index]
                taken.append((question, request.answer[index]))
        return taken

    def _ask_later(self, question: Question, since_ns: int, after_ns: int) -> None:
        question.asked = self._all_asked = False
        question.not_before_ns = max(since_ns + after_ns, self._calls.now_ns() + 1)
        self._network.at(question.not_before_ns, self._calls.on_retry)


def leader_of(metadata: ClientMetadata, partition: Partition) -> tuple[int, int]:
    """Return the leader of a partition that a client knows, and its epoch."""
    place = metadata.place(partition.index)
    return metadata.leaders[place], metadata.epochs[place]
