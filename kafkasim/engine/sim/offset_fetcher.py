"""What a member has to know before it can fetch a partition, and how it asks.

Where to go on, when a position is out of range: at the log end or the log start, by
`auto.offset.reset`. Or whether a position still holds when a partition has a new
leader: where the leader epoch of the last record ends there (KIP-320).

Source: `OffsetFetcher`, `OffsetFetcherUtils` and `SubscriptionState` (clients). What
fails is asked again when `retry.backoff.ms` are over and the metadata is asked for.
"""

from dataclasses import dataclass
from typing import Final

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
from kafkasim.units import MISSING_NS

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

    def is_reset(self, index: int) -> bool:
        """Return whether the position in a partition is being reset."""
        question = self.open.get(index)
        return question is not None and question.epoch == NO_EPOCH

    def note(
        self, partition: Partition, epoch: int = NO_EPOCH, wish: int | None = None
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
        """
        self.open[partition.index] = Question(partition, epoch, wish=wish)
        self._all_asked = False

    def ask_due(self, now_ns: int) -> None:
        """Ask all that may be asked now."""
        if self._all_asked:
            return
        self._all_asked = True
        for question in list(self.open.values()):
            if not question.asked and now_ns >= question.not_before_ns:
                self._ask(question, now_ns)
            self._all_asked &= question.asked

    def _ask(self, question: Question, now_ns: int) -> None:
        """Send a question to the leader, if there is one that can be sent to."""
        partition = question.partition
        leader, question.leader_epoch = leader_of(self._metadata, partition)
        if leader < 0:
            self._metadata.request_update(now_ns)
            return
        if not self._network.can_send(leader, now_ns):
            return
        question.asked = True
        connection = self._network.connections[leader]
        api = OFFSET_FOR_LEADER_EPOCH
        wish: int | None = question.epoch
        if question.epoch == NO_EPOCH:
            api, wish = LIST_OFFSETS, question.wish
            if wish is None:
                wish = self._group.reset_timestamp_ms(now_ns)
        what = question, partition, wish
        request = Request(api, connection, now_ns, what, self._calls.received)
        request.request_id = self._calls.next_request_id()
        self._network.send(request)

    def take(self, request: Request, now_ns: int) -> Question | None:
        """Take an answer, or a failure with the connection; return what is answered.

        None if that is no question any more, or it has to be asked again.
        """
        question: Question = request.payload[0]
        answered_ns = MISSING_NS if request.failed else now_ns
        self._calls.write_request(request, answered_ns)
        index = question.partition.index
        if self.open.get(index) is not question:
            return None  # the leader has changed meanwhile
        if request.errors or request.failed:
            self._metadata.request_update(now_ns)
            self._ask_later(question, now_ns, self._settings.retry_backoff_ns)
            return None
        if question.epoch == NO_EPOCH and request.answer is None:
            timeout_ns = self._settings.network.request_timeout_ns
            self._ask_later(question, request.sent_ns, timeout_ns)
            return None  # no record is so young
        del self.open[index]
        return question

    def _ask_later(self, question: Question, since_ns: int, after_ns: int) -> None:
        question.asked = self._all_asked = False
        question.not_before_ns = max(since_ns + after_ns, self._calls.now_ns() + 1)
        self._network.at(question.not_before_ns, self._calls.on_retry)


def leader_of(metadata: ClientMetadata, partition: Partition) -> tuple[int, int]:
    """Return the leader of a partition that a client knows, and its epoch."""
    place = metadata.place(partition.index)
    return metadata.leaders[place], metadata.epochs[place]
