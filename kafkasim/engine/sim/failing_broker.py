"""A broker whose process may stop, and come back, or stand still for a while.

What is on its way to a process that has died vanishes; whoever is connected to it
learns that the connection has gone once that has travelled (CT-2).
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

from kafkasim.engine.sim.broker import Broker
from kafkasim.engine.sim.fetch_session import FetchSession
from kafkasim.engine.sim.request import (
    FETCH,
    METADATA,
    OFFSET_COMMIT,
    PRODUCE,
    Connection,
    Request,
)
from kafkasim.protocol.cluster.controller_messages import PartitionState
from kafkasim.protocol.errors import FENCED_LEADER_EPOCH, NOT_LEADER_OR_FOLLOWER
from kafkasim.units import NS_PER_MS

_METADATA_NS: Final = 500 * NS_PER_MS
"""`metadata.max.idle.interval.ms`, which nobody changes."""
_TOLD: Final = frozenset(
    {
        (PRODUCE, NOT_LEADER_OR_FOLLOWER),
        (FETCH, NOT_LEADER_OR_FOLLOWER),
        (FETCH, FENCED_LEADER_EPOCH),
    }
)
"""APIs and errors whose answer names the leader (`KafkaApis`)."""


class FailingBroker(Broker):
    """Such a broker; it knows the cluster's metadata as far as they have reached it.

    It is made like a `Broker`, and then given the rest.

    Attributes
    ----------
    up : bool
        Whether its process runs.
    registered, serves : bool
        Whether the controller has given this process an epoch, and whether clients can
        connect to it.
    incarnation : int
        How often it has died.
    image : list of PartitionState
        What it knows of each partition.
    metadata_offset : int
        Of the last metadata record that has reached it.
    is_full, has_halted : bool
        Whether nothing more fits on its disk, and whether it has halted for that.
    """

    __slots__ = (
        "_added", "_connections", "_held", "_io_threads", "_up_since_ns", "has_halted",
        "image",
        "incarnation", "is_full", "metadata_offset", "registered", "serves", "up",
    )  # fmt: skip

    def connect(
        self,
        image: Sequence[PartitionState],
        connections: Callable[[], Sequence[Connection]],
        metadata_offset: int = 0,
    ) -> None:
        """Give it what it knows at the start, and its connections.

        Parameters
        ----------
        image : sequence of PartitionState
            Of each partition.
        connections : callable
            Returns all connections to it that are open.
        metadata_offset : int
            Of the last record of these metadata.
        """
        self.up = self.registered = self.serves = True
        self.is_full = self.has_halted = False
        self.incarnation = 0
        self.image = list(image)
        self._added: list[int] = []
        self.metadata_offset = metadata_offset
        self._connections = connections
        self._held: list[tuple[Callable[[Any], None], Any]] | None = None
        self._up_since_ns = 0
        self._io_threads = self._free_threads

    def holds(self, function: Callable[[Any], None], argument: Any) -> bool:  # noqa: ANN401
        """Say whether it stands still; then the call is made when it goes on."""
        if self._held is None:
            return False
        self._held.append((function, argument))
        return True

    def _take_in(self, request: Request) -> None:
        """Read a request unless its connection is muted, or the process has gone."""
        connection = request.connection
        if not self.up and not connection.broken:
            self._break(connection)
        if connection.broken:
            self._vanish(request)
        elif self._held is None or not self.holds(self._take_in, request):
            super()._take_in(request)

    def _vanish(self, request: Request) -> None:
        """Lose a request; who sent it learns of it by its connection."""

    def accept(self, connection: Connection) -> bool:  # noqa: ARG002
        """Take a new connection, unless the process has gone or does not serve yet.

        It listens from when it is unfenced (`BrokerServer.startup`).
        """
        return self.up and self.serves

    def _serviced(self, request: Request) -> None:
        if request.dequeued_ns < self._up_since_ns or not self.up:
            self._vanish(request)  # the process has died
            return
        if self._held is not None and self.holds(self._serviced, request):
            return
        if self.is_full and self._would_append(request):
            self.halt()
            self._vanish(request)
        elif request.api == METADATA:
            self._next_of_queue()
            request.answer = self._leaders_of(request.payload)
            self._answer(request, 0)
        else:
            super()._serviced(request)

    def expect(self, state: PartitionState) -> None:
        """Take note of a partition that is added; what it is the metadata will say."""
        self._added.append(len(self.image))
        unknown = state._replace(leader=-1, leader_epoch=-1, partition_epoch=-1)
        self.image.append(unknown)

    def _leaders_of(self, partitions: Sequence[int]) -> dict[int, tuple[int, int]]:
        """Return who leads partitions, and those that their topics have got since."""
        image = self.image
        known = [*partitions]
        if self._added:
            topics = {self._partitions[index].topic for index in partitions}
            known += [
                index
                for index in self._added
                if self._partitions[index].topic in topics
                and image[index].partition_epoch >= 0
                and index not in partitions
            ]
        return {
            index: (image[index].leader, image[index].leader_epoch) for index in known
        }

    def _fetch_wait_over(self, session: FetchSession) -> None:
        if not self.holds(self._fetch_wait_over, session):
            super()._fetch_wait_over(session)

    def _next_of_queue(self) -> None:
        if self._queue:
            self._serve(self._queue.popleft())
        else:
            self._free_threads += 1

    def _refuse(self, request: Request, index: int, error: int) -> None:
        """Note an error of a partition, and who leads it by what is known here.

        The latter in the answers of Produce and Fetch alone (KIP-951).
        """
        super()._refuse(request, index, error)
        state = self.image[index]
        if (request.api, error) in _TOLD and state.leader >= 0:
            if request.hints is None:
                request.hints = {}
            request.hints[index] = state.leader, state.leader_epoch

    # --- faults -------------------------------------------------------------------

    def lose(self, connection: Connection) -> None:
        """Let a connection break on the way here."""
        self._break(connection)

    def _break(self, connection: Connection) -> None:
        """Close a connection; its client learns of it when that has travelled."""
        connection.broken = True
        for request in connection.waiting:
            self._vanish(request)
        connection.waiting.clear()
        if connection.on_lost is not None:
            at_ns = connection.down.transfer(self._calendar.now_ns, 0)
            self._answer_key += 1
            self._calendar.at(at_ns, self._answer_key, self._bring_loss, connection)

    def _bring_loss(self, connection: Connection) -> None:
        """Let a client learn that its connection has gone."""
        assert connection.on_lost is not None
        self._give(connection, connection.on_lost, connection)

    def crash(self) -> None:
        """Stop at once; what was in memory is gone."""
        self.up = self.registered = self.serves = False
        self.incarnation += 1
        held, self._held = self._held or [], None
        for _, what in held:
            if isinstance(what, Request):
                self._vanish(what)
        for request in self._queue:
            self._vanish(request)
        self._queue.clear()
        self._free_threads = self._io_threads
        for connection in self._connections():
            if not connection.broken:
                self._break(connection)

    def fill_disk(self) -> None:
        """Let nothing more fit on its disk.

        It appends the controllers' metadata, too, and they write something every
        `metadata.max.idle.interval.ms`.
        """
        self.is_full = True
        next_ns = (self._calendar.now_ns // _METADATA_NS + 1) * _METADATA_NS
        self._timer_key += 1
        self._calendar.at(next_ns, self._timer_key, self._append_metadata, None)

    def _would_append(self, request: Request) -> bool:
        if request.api != PRODUCE:
            return request.api == OFFSET_COMMIT
        return any(
            self.image[batch.partition_index].leader == self.index
            for batch in request.payload
        )

    def _append_metadata(self, _: None) -> None:
        if self.is_full and not self.holds(self._append_metadata, None):
            self.halt()

    def halt(self) -> None:
        """Stop because the only log directory has failed."""
        if self.up:
            self.crash()
            self.has_halted = True

    def come_back(self) -> None:
        """Run again."""
        self.up = True
        self.has_halted = False
        self._up_since_ns = self._calendar.now_ns

    def pause(self) -> None:
        """Stand still: what comes waits."""
        if self.up:
            self._held = []

    def resume(self) -> None:
        """Go on with what came meanwhile, in the order it came."""
        held, self._held = self._held or [], None
        for function, argument in held:
            function(argument)
