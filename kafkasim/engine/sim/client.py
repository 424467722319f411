"""A client's connections: what is in flight, what was lost, when to connect again.

Source: `NetworkClient`, `InFlightRequests` and `ClusterConnectionStates` (clients). A
connection that is lost fails all requests in flight on it, oldest first. It is made
again when someone wants to send and `reconnect.backoff.ms` is over, which doubles up to
`reconnect.backoff.max.ms` with every failure and starts anew once it is up. The
handshake is one round trip; a broker that is down refuses. One that takes longer than
`socket.connection.setup.timeout.ms` is given up, which only happens on links that an
event befalls. A request without an answer
for longer than `request.timeout.ms` closes its connection (PR-37).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

import numpy as np

from kafkasim.engine.sim.calendar import SEQUENCE_BITS, Calendar, Rank, key_base
from kafkasim.engine.sim.request import Connection, Request
from kafkasim.protocol.backoff import Backoff
from kafkasim.protocol.errors import NETWORK_EXCEPTION, REQUEST_TIMED_OUT
from kafkasim.protocol.producing.batch import NEVER
from kafkasim.units import NS_PER_MS

_UPPER_HALF: Final = 1 << (SEQUENCE_BITS - 1)
"""Added to an actor's keys, so that it and its network client share no key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkSettings:
    """What a network client takes from its client's configuration, in nanoseconds."""

    reconnect_backoff_ns: int = 50 * NS_PER_MS
    """`reconnect.backoff.ms`."""
    reconnect_backoff_max_ns: int = 1_000 * NS_PER_MS
    """`reconnect.backoff.max.ms`."""
    request_timeout_ns: int = 30_000 * NS_PER_MS
    """`request.timeout.ms`."""
    max_in_flight: int = 1 << 31
    """`max.in.flight.requests.per.connection`, for requests that choose their node."""


_SETUP_NS: Final = 10_000 * NS_PER_MS
"""`socket.connection.setup.timeout.ms`, with its default."""
_LONGEST_SETUP_NS: Final = 30_000 * NS_PER_MS
"""`socket.connection.setup.timeout.max.ms`, with its default."""


class Listener(Protocol):
    """A broker, as far as a client's connections see it."""

    def arrive(self, request: Request) -> None:
        """Take a request off the network."""
        ...

    def accept(self, connection: Connection) -> bool:
        """Take a new connection; False when there is nobody to take it."""
        ...


class NetworkClient:
    """The connections of one client process.

    A *node* is a position in `connections`; usually the broker's index.

    Parameters
    ----------
    calendar : Calendar
        Where arrivals and deadlines go.
    actor : int
        The client's number among the run's actors. Its arrivals are all made here.
    connections : list of Connection
        By node, all of them up; renewed ones take their predecessors' places.
    brokers : sequence of Listener
        By broker index.
    settings : NetworkSettings
        Backoffs and timeouts.
    draws : numpy.random.Generator
        The client's own stream, for the jitter and the choice of a node.
    on_failed : callable
        Called with each request that will not be answered, its `error` being set:
        NETWORK_EXCEPTION, or REQUEST_TIMED_OUT where the client gave up waiting.
    reserved : int
        How many connections at the end are for one purpose only, such as the one to a
        group's coordinator; `least_loaded` leaves them out.

    Attributes
    ----------
    on_ready : list of callable
        Called with a node that may be asked for again (`can_send`): its connection is
        up, or its backoff is over.
    on_disconnect : list of callable
        Called with the time whenever a connection was lost or refused, before the
        requests on it fail; until then they are in flight.
    """

    __slots__ = (
        "_answer_key",
        "_arrival_key",
        "_brokers",
        "_calendar",
        "_connecting",
        "_draws",
        "_failures",
        "_held_until_ns",
        "_may_connect_ns",
        "_on_failed",
        "_open_to_all",
        "_reconnect",
        "_settings",
        "_setup",
        "_setup_failures",
        "_timeout_ns",
        "_timer_key",
        "_tried_ns",
        "_up",
        "_waking",
        "connections",
        "on_disconnect",
        "on_ready",
    )

    def __init__(
        self,
        *,
        calendar: Calendar,
        actor: int,
        connections: list[Connection],
        brokers: Sequence[Listener],
        settings: NetworkSettings,
        draws: np.random.Generator,
        on_failed: Callable[[Request], None],
        reserved: int = 0,
    ) -> None:
        self._calendar = calendar
        self._open_to_all = len(connections) - reserved
        self._arrival_key = key_base(Rank.ARRIVAL, actor)
        self._answer_key = key_base(Rank.ANSWER, actor) + _UPPER_HALF
        self._timer_key = key_base(Rank.TIMER, actor) + _UPPER_HALF
        self._brokers = brokers
        self._settings = settings
        self._draws = draws
        self._reconnect = Backoff(
            settings.reconnect_backoff_ns, settings.reconnect_backoff_max_ns, draws
        )
        self._setup = Backoff(_SETUP_NS, _LONGEST_SETUP_NS, draws)
        self._on_failed = on_failed
        self.connections = connections
        for connection in connections:
            connection.on_lost = self._lost
        count = len(connections)
        self._up = [True] * count
        self._connecting = [False] * count
        self._waking = [False] * count
        self._failures = [0] * count
        self._setup_failures = [0] * count
        self._may_connect_ns = [0] * count
        self._tried_ns = [0] * count
        self._held_until_ns = [0] * count
        """Until when each node has told this client to send it nothing."""
        self._timeout_ns = NEVER
        self.on_ready: list[Callable[[int], object]] = []
        self.on_disconnect: list[Callable[[int], object]] = []

    # --- requests -----------------------------------------------------------------

    def send(self, request: Request) -> None:
        """Send a request on its connection, which must be up."""
        connection = request.connection
        now_ns = self._calendar.now_ns
        if request.wants_answer:
            connection.in_flight.append(request)
            if self._timeout_ns == NEVER:
                self._arm_timeout(now_ns)
        self._arrival_key += 1
        arrived_ns = connection.up.transfer(now_ns, request.size_bytes)
        arrive = self._brokers[connection.broker].arrive
        self._calendar.push((arrived_ns, self._arrival_key, arrive, request))

    def answered(self, request: Request) -> bool:
        """Take note of an answer; return False if the request had failed before.

        To be asked first by whoever gets an answer. Answers come in the order of the
        requests.
        """
        if request.failed:
            return False
        first = request.connection.in_flight.popleft()
        assert first is request
        if request.throttle_ns:
            node = self.connections.index(request.connection)
            self._held_until_ns[node] = self._calendar.now_ns + request.throttle_ns
        return True

    def in_flight(self, node: int) -> int:
        """Return how many requests to a node have no answer yet."""
        return len(self.connections[node].in_flight)

    # --- connections --------------------------------------------------------------

    def is_up(self, node: int) -> bool:
        """Return whether the connection to a node is up."""
        return self._up[node]

    def can_send(self, node: int, now_ns: int) -> bool:
        """Return whether a node can be sent to; if not, see to it (`ready`).

        When the connection is down it is made as soon as its backoff is over, and
        `on_ready` tells when to ask again.
        """
        if self._up[node]:
            return self._is_free(node, now_ns)
        if not self._connecting[node]:
            if now_ns >= self._may_connect_ns[node]:
                self._connect(node)
            else:
                self._wake_later(node)
        return False

    def _is_free(self, node: int, now_ns: int) -> bool:
        """Return whether a node has not told this client to wait; see to it else.

        A client holds back by itself for as long as it is told (KIP-219,
        `ClusterConnectionStates.throttle`).
        """
        until_ns = self._held_until_ns[node]
        if now_ns >= until_ns:
            return True
        if not self._waking[node]:
            self._waking[node] = True

            def wake(_: object) -> None:
                self._waking[node] = False
                self._call_ready(node)

            self.at(until_ns, wake)
        return False

    def least_loaded(self, now_ns: int) -> int | None:
        """Return the node with the fewest requests in flight (`leastLoadedNode`).

        From a random one on, so that equals share the load. None when there is none to
        send to now; then the connection least recently tried is made, unless one is
        being made already.
        """
        count = self._open_to_all
        offset = int(self._draws.integers(count))
        turn = [(offset + step) % count for step in range(count)]
        most = self._settings.max_in_flight
        free = [n for n in turn if self._up[n] and self.in_flight(n) < most]
        free = [n for n in free if now_ns >= self._held_until_ns[n]]
        if free:
            return min(free, key=self.in_flight)
        if not any(self._connecting):
            down = [
                n for n in turn if not self._up[n] and now_ns >= self._may_connect_ns[n]
            ]
            if down:
                self._connect(min(down, key=self._tried_ns.__getitem__))
        return None

    def at(self, time_ns: int, function: Callable[[Any], object]) -> None:
        """Call ``function(None)`` at a time, as a deadline of this client."""
        self._timer_key += 1
        self._calendar.at(time_ns, self._timer_key, function, None)

    def start_anew(self) -> None:
        """Take new connections in place of all: the process crashed and comes back.

        What was in flight has failed, and nobody is told.
        """
        for node, connection in enumerate(self.connections):
            for request in connection.in_flight:
                request.failed = True
            connection.in_flight.clear()
            self.connections[node] = connection.renewed()
            self._up[node], self._connecting[node] = True, False
            self._failures[node] = self._may_connect_ns[node] = 0
            self._held_until_ns[node] = 0

    def _connect(self, node: int) -> None:
        now_ns = self._calendar.now_ns
        self._connecting[node] = True
        self._tried_ns[node] = now_ns
        self._held_until_ns[node] = 0
        connection = self.connections[node] = self.connections[node].renewed()
        self._arrival_key += 1
        at_ns = connection.up.transfer(now_ns, 0)
        self._calendar.at(at_ns, self._arrival_key, self._knock, connection)
        if connection.up.may_stall or connection.down.may_stall:
            self._give_up_later(node)

    def _give_up_later(self, node: int) -> None:
        """Give up a connection that is not up in time (`isConnectionSetupTimeout`)."""
        connection = self.connections[node]
        limit_ns = self._setup.draw_ns(self._setup_failures[node])

        def give_up(_: object) -> None:
            if self.connections[node] is connection and self._connecting[node]:
                self._close(node, NETWORK_EXCEPTION)

        self.at(self._calendar.now_ns + limit_ns + NS_PER_MS, give_up)

    def _knock(self, connection: Connection) -> None:
        """Reach the broker with a new connection, and bring back what it says."""
        if connection.broken:
            return  # given up on the way
        accepted = self._brokers[connection.broker].accept(connection)
        self._answer_key += 1
        self._calendar.at(
            connection.down.transfer(self._calendar.now_ns, 0),
            self._answer_key,
            self._connected if accepted else self._lost,
            connection,
        )

    def _connected(self, connection: Connection) -> None:
        if connection not in self.connections:
            return  # its client crashed
        node = self.connections.index(connection)
        if not self._connecting[node]:
            return  # lost before it was up
        self._connecting[node] = False
        self._up[node] = True
        self._failures[node] = self._setup_failures[node] = 0
        self._call_ready(node)

    def _lost(self, connection: Connection) -> None:
        """Take note that the other end has gone, or that there was none."""
        if connection not in self.connections:
            return
        node = self.connections.index(connection)
        if self._up[node] or self._connecting[node]:
            self._close(node, NETWORK_EXCEPTION)

    def _close(self, node: int, error: int) -> None:
        now_ns = self._calendar.now_ns
        connection = self.connections[node]
        was_connecting = self._connecting[node]
        self._up[node] = self._connecting[node] = False
        self._setup_failures[node] += was_connecting
        connection.broken = True
        self._tried_ns[node] = now_ns
        backoff_ns = self._reconnect.draw_ns(self._failures[node])
        self._may_connect_ns[node] = now_ns + backoff_ns
        self._failures[node] += 1
        requests = list(connection.in_flight)
        for request in requests:
            request.failed = True
            request.error = error
        for call in self.on_disconnect:
            call(now_ns)
        connection.in_flight.clear()
        for request in requests:
            self._on_failed(request)
        if was_connecting and not (self._up[node] or self._connecting[node]):
            self._wake_later(node)

    def _wake_later(self, node: int) -> None:
        """Say so when the backoff of a node is over."""
        if self._waking[node]:
            return
        self._waking[node] = True

        def wake(_: object) -> None:
            self._waking[node] = False
            if not (self._up[node] or self._connecting[node]):
                self._call_ready(node)

        self.at(max(self._may_connect_ns[node], self._calendar.now_ns + 1), wake)

    def _call_ready(self, node: int) -> None:
        for call in self.on_ready:
            call(node)

    # --- timeouts -----------------------------------------------------------------

    def _arm_timeout(self, sent_ns: int) -> None:
        """Look again when a request sent then has waited for too long.

        `InFlightRequests.hasExpiredRequest` asks for more than the timeout, on a clock
        of milliseconds.
        """
        self._timeout_ns = sent_ns + self._settings.request_timeout_ns + NS_PER_MS
        self.at(self._timeout_ns, self._look_for_timeouts)

    def _look_for_timeouts(self, _: object) -> None:
        limit_ns = self._timeout_ns - self._settings.request_timeout_ns - NS_PER_MS
        for node in range(len(self.connections)):
            in_flight = self.connections[node].in_flight
            if in_flight and in_flight[0].sent_ns <= limit_ns:
                self._close(node, REQUEST_TIMED_OUT)
        self._timeout_ns = NEVER
        waiting = [c.in_flight[0].sent_ns for c in self.connections if c.in_flight]
        if waiting:
            self._arm_timeout(min(waiting))
