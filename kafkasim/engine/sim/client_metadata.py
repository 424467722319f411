"""What a client knows of its partitions' leaders, and how it asks anew.

Source: `Metadata` and `NetworkClient.DefaultMetadataUpdater` (clients). One request is
in flight at most. After an answer or a failure the next one waits
`retry.backoff.ms`, doubling up to `retry.backoff.max.ms` with every failure in a row,
and likewise with every answer in a row that told of no newer leader epoch. A connection
that was lost and a partition without a leader are reasons to ask, and so is the age of
what is known (`metadata.max.age.ms`).
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from kafkasim.engine.sim.calendar import Calendar
from kafkasim.engine.sim.client import NetworkClient
from kafkasim.engine.sim.request import METADATA, Request
from kafkasim.protocol.backoff import Backoff
from kafkasim.protocol.producing.batch import NEVER
from kafkasim.units import MISSING_NS, NS_PER_MS


@dataclass(frozen=True, slots=True, kw_only=True)
class MetadataSettings:
    """What it takes from its client's configuration, in nanoseconds."""

    retry_backoff_ns: int = 100 * NS_PER_MS
    """`retry.backoff.ms`."""
    retry_backoff_max_ns: int = 1_000 * NS_PER_MS
    """`retry.backoff.max.ms`."""
    reconnect_backoff_ns: int = 50 * NS_PER_MS
    """`reconnect.backoff.ms`: how long to wait when there is no node to ask."""
    max_age_ns: int = 0
    """`metadata.max.age.ms`; 0: it is never asked for by its age."""


def places_of(partitions: Iterable[int]) -> dict[int, int]:
    """Return the place of each partition: where it stands among these."""
    return {index: place for place, index in enumerate(partitions)}


class ClientMetadata:
    """The leaders of a client's partitions, as far as it knows.

    Parameters
    ----------
    calendar : Calendar
        Tells the time.
    network : NetworkClient
        The client's connections.
    partitions : sequence of int, or dict of int to int
        Run-wide indices of its partitions; a partition's *place* is its position here.
        A dict gives the places themselves: clients that know the same share one.
    leaders : sequence of int
        By place, the node that leads it, −1 for none.
    settings : MetadataSettings
        Backoffs.
    draws : numpy.random.Generator
        The client's own stream, for the jitter.
    next_request_id : callable
        Gives the number of the next request.
    on_done : callable
        Called with each METADATA request and the time of its answer.
    epochs : sequence of int, optional
        By place, the leader epoch; 0 if not given.

    Attributes
    ----------
    leaders, epochs : list of int
        As in the parameters, by place.
    on_new : callable or None
        Called with partitions that an answer told of and that are none of its own:
        index → (node, leader epoch).
    on_change : list of callable
        Called without arguments after every answer, and after a hint that told of a
        newer epoch.
    """

    __slots__ = (
        "_asked",
        "_backoff",
        "_calendar",
        "_expires_ns",
        "_max_age_ns",
        "_may_ask_ns",
        "_needed",
        "_network",
        "_next_request_id",
        "_on_done",
        "_places",
        "_reconnect_ns",
        "_same",
        "_shares",
        "_waking_ns",
        "_wrong",
        "epochs",
        "leaders",
        "on_change",
        "on_new",
    )

    def __init__(
        self,
        *,
        calendar: Calendar,
        network: NetworkClient,
        partitions: Sequence[int] | dict[int, int],
        leaders: Sequence[int],
        settings: MetadataSettings,
        draws: np.random.Generator,
        next_request_id: Callable[[], int],
        on_done: Callable[[Request, int], None],
        epochs: Sequence[int] | None = None,
    ) -> None:
        self._calendar = calendar
        self._network = network
        self._shares = isinstance(partitions, dict)
        self._places = (
            partitions if isinstance(partitions, dict) else places_of(partitions)
        )
        self.leaders = list(leaders)
        self.epochs = [0] * len(leaders) if epochs is None else list(epochs)
        self._backoff = Backoff(
            settings.retry_backoff_ns, settings.retry_backoff_max_ns, draws
        )
        self._reconnect_ns = settings.reconnect_backoff_ns
        self._next_request_id = next_request_id
        self._on_done = on_done
        self.on_change: list[Callable[[], object]] = []
        self.on_new: Callable[[dict[int, tuple[int, int]]], object] | None = None
        self._needed = False
        self._asked: Request | None = None
        self._wrong = 0
        """Failures in a row (`attempts`)."""
        self._same = 0
        """Answers in a row without news (`equivalentResponseCount`)."""
        self._may_ask_ns = 0
        self._waking_ns = NEVER
        self._max_age_ns = settings.max_age_ns
        self._expires_ns = calendar.now_ns + settings.max_age_ns
        if settings.max_age_ns:
            network.at(self._expires_ns, self._grow_old)
        network.on_disconnect.append(self._disconnected)
        network.on_ready.append(self._ready)

    @property
    def is_due(self) -> bool:
        """Whether it asks, or will as soon as it may."""
        return self._needed or self._asked is not None

    @property
    def expires_ns(self) -> int:
        """When it asks because of the age of what it knows, if it does at all."""
        return self._expires_ns

    def add(self, partition: int, leader: int, epoch: int) -> None:
        """Know one partition more: its index, the node that leads it, the epoch."""
        if self._shares:
            self._shares, self._places = False, dict(self._places)
        self._places[partition] = len(self.leaders)
        self.leaders.append(leader)
        self.epochs.append(epoch)

    def add_all(self, new: dict[int, tuple[int, int]]) -> None:
        """Know all partitions that an answer told of, by number."""
        for partition in sorted(new):
            self.add(partition, *new[partition])

    @property
    def count(self) -> int:
        """How many partitions it knows; they never become fewer."""
        return len(self.leaders)

    def knows(self, partition: int) -> bool:
        """Return whether it knows of a partition, by its run-wide index."""
        return partition in self._places

    def place(self, partition: int) -> int:
        """Return the place of a partition, by its run-wide index."""
        return self._places[partition]

    def update(self, partition: int, leader: int, epoch: int) -> bool:
        """Take news of a partition unless a newer epoch is known.

        Parameters
        ----------
        partition : int
            Its run-wide index.
        leader : int
            The node, −1 for none.
        epoch : int
            The leader epoch.

        Returns
        -------
        bool
            Whether the epoch is newer than the one known before.
        """
        place = self._places[partition]
        known = self.epochs[place]
        if epoch >= known:
            self.leaders[place] = leader
            self.epochs[place] = epoch
        return epoch > known

    def take_hints(self, hints: dict[int, tuple[int, int]]) -> None:
        """Take the leaders that an error told of, those with a newer epoch (KIP-951).

        Parameters
        ----------
        hints : dict
            Partition index → (node, leader epoch); −1 where the broker does not know.
        """
        news = False
        for partition, (leader, epoch) in hints.items():
            place = self._places.get(partition)
            if place is not None and leader >= 0 and epoch > self.epochs[place]:
                news |= self.update(partition, leader, epoch)
        if news:
            self._call_changed()

    def request_update(self, now_ns: int) -> None:
        """Ask for the leaders as soon as that is allowed (`requestUpdate`)."""
        self._needed = True
        self._ask(now_ns)

    def failed(self, request: Request) -> bool:
        """Take note that a request failed; return False if it is not one of its own."""
        if request is not self._asked:
            return False
        self._asked = None
        self._note_failure(self._calendar.now_ns)
        self._ask(self._calendar.now_ns)
        return True

    def start_anew(self) -> None:
        """Forget what was asked: the process crashed. It keeps what it knew."""
        if self._asked is not None:
            self._on_done(self._asked, MISSING_NS)
        self._asked = None
        self._needed = False
        self._wrong = self._same = self._may_ask_ns = 0

    def _grow_old(self, _: object) -> None:
        """Ask if nothing was learnt for too long, without a growing backoff."""
        now_ns = self._calendar.now_ns
        if now_ns >= self._expires_ns:
            self._expires_ns = now_ns + self._max_age_ns
            self._same = 0
            self.request_update(now_ns)
        self._network.at(self._expires_ns, self._grow_old)

    def _ask(self, now_ns: int) -> None:
        if self._asked is not None or not self._needed:
            return
        if now_ns < self._may_ask_ns:
            self._look_again(self._may_ask_ns)
            return
        node = self._network.least_loaded(now_ns)
        if node is None:
            self._look_again(now_ns + max(self._reconnect_ns, NS_PER_MS))
            return
        request = Request(
            METADATA,
            self._network.connections[node],
            now_ns,
            list(self._places),
            self._answered,
        )
        request.request_id = self._next_request_id()
        self._asked = request
        self._network.send(request)

    def _look_again(self, time_ns: int) -> None:
        if time_ns < self._waking_ns:
            self._waking_ns = time_ns

            def wake(_: object) -> None:
                if self._waking_ns == time_ns:
                    self._waking_ns = NEVER
                    self._ask(self._calendar.now_ns)

            self._network.at(time_ns, wake)

    def _answered(self, request: Request) -> None:
        if not self._network.answered(request):
            return
        now_ns = self._calendar.now_ns
        self._on_done(request, now_ns)
        self._asked = None
        self._needed = False
        self._expires_ns = now_ns + self._max_age_ns
        self._wrong = 0
        self._same += 1
        if self.on_new is not None:
            self._tell_new(request.answer, self.on_new)
        for partition, (leader, epoch) in request.answer.items():
            if partition in self._places:
                if self.update(partition, leader, epoch):
                    self._same = 0
                # LEADER_NOT_AVAILABLE asks again, and so does an answer that is older
                # than what is known: the leader is still unknown then (PR-32).
                self._needed |= self.leaders[self._places[partition]] < 0
        self._may_ask_ns = now_ns + max(
            self._backoff.draw_ns(0),
            self._backoff.draw_ns(self._same - 1) if self._same else 0,
        )
        self._call_changed()
        self._ask(now_ns)

    def _tell_new(
        self,
        answer: dict[int, tuple[int, int]],
        tell: Callable[[dict[int, tuple[int, int]]], object],
    ) -> None:
        new = {index: led for index, led in answer.items() if index not in self._places}
        if new:
            self._same = 0
            tell(new)

    def _note_failure(self, now_ns: int) -> None:
        self._may_ask_ns = now_ns + self._backoff.draw_ns(self._wrong)
        self._wrong += 1
        self._same = 0

    def _disconnected(self, now_ns: int) -> None:
        """Ask anew, since old metadata may be why a node is gone.

        When an update was due already, this counts as its failure
        (`handleServerDisconnect`).
        """
        if self._needed and self._asked is None and now_ns >= self._may_ask_ns:
            self._note_failure(now_ns)
        self.request_update(now_ns)

    def _ready(self, _: int) -> None:
        self._ask(self._calendar.now_ns)

    def _call_changed(self) -> None:
        for call in self.on_change:
            call()
