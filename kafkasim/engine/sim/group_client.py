"""The connections of a member that joins its group.

It has two to each broker: one for data, and one that is used while that broker is its
coordinator, so that a heartbeat does not wait behind a fetch (`AbstractCoordinator`).
With n brokers node b is broker b, and node n + b broker b as a coordinator.
"""

from collections.abc import Callable, Sequence

import numpy as np

from kafkasim.engine.sim.calendar import Calendar
from kafkasim.engine.sim.client import Listener, NetworkClient, NetworkSettings
from kafkasim.engine.sim.request import JOIN_GROUP, Connection, Request
from kafkasim.protocol.errors import NETWORK_EXCEPTION, REQUEST_TIMED_OUT
from kafkasim.protocol.producing.batch import NEVER
from kafkasim.units import NS_PER_MS


class GroupClient(NetworkClient):
    """Those connections; a JoinGroup may wait longer than other requests.

    Parameters
    ----------
    calendar, actor, connections, brokers, settings, draws, on_failed
        As of a `NetworkClient`.
    join_timeout_ns : int
        Until a JoinGroup without an answer closes its connection
        (`AbstractCoordinator.sendJoinGroupRequest`).
    """

    __slots__ = ("_coordinators", "_join_timeout_ns")

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
        join_timeout_ns: int,
    ) -> None:
        super().__init__(
            calendar=calendar, actor=actor, connections=connections, brokers=brokers,
            settings=settings, draws=draws, on_failed=on_failed, reserved=len(brokers),
        )  # fmt: skip
        self._coordinators = len(brokers)
        self._join_timeout_ns = join_timeout_ns

    def as_coordinator(self, broker: int) -> int:
        """Return the node of a broker as a coordinator."""
        return self._coordinators + broker

    @property
    def awaits_coordinator(self) -> bool:
        """Whether an answer of a coordinator is due."""
        return any(each.in_flight for each in self.connections[self._coordinators :])

    def is_lost(self, node: int) -> bool:
        """Return whether there is no connection, and none is being made."""
        return not self._up[node] and not self._connecting[node]

    def disconnect(self, node: int) -> None:
        """Close a connection; what is under way on it fails (`disconnectAsync`)."""
        if not self.is_lost(node):
            self._close(node, NETWORK_EXCEPTION)

    def _look_for_timeouts(self, _: object) -> None:
        """Close the connections on which a request has waited for too long."""
        now_ns = self._calendar.now_ns
        for node, connection in enumerate(self.connections):
            if any(self._deadline_ns(each) <= now_ns for each in connection.in_flight):
                self._close(node, REQUEST_TIMED_OUT)
        # What is sent from now on may be over before a JoinGroup is.
        next_ns = now_ns + self._settings.request_timeout_ns + NS_PER_MS
        waiting = [self._deadline_ns(r) for c in self.connections for r in c.in_flight]
        self._timeout_ns = min(next_ns, *waiting) if waiting else NEVER
        if waiting:
            self.at(self._timeout_ns, self._look_for_timeouts)

    def _deadline_ns(self, request: Request) -> int:
        timeout_ns = self._settings.request_timeout_ns
        if request.api == JOIN_GROUP:
            timeout_ns = self._join_timeout_ns
        return request.sent_ns + timeout_ns + NS_PER_MS
