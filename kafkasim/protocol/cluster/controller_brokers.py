"""Which brokers there are, how they stand, and when each was last heard of.

`ClusterControlManager`, `BrokerHeartbeatManager`, `BrokerHeartbeatTracker`. How a
broker stands is a table, `TRANSITIONS`; what that means for partitions is the
controller's.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import Final

from kafkasim.protocol.cluster.controller_messages import BrokerState, Heartbeat


class Standing(Enum):
    """How the controller sees a broker (`BrokerControlState`)."""

    UNREGISTERED = "unregistered"
    FENCED = "fenced"
    UNFENCED = "unfenced"
    SHUTTING_DOWN = "shutting down"


class Cause(Enum):
    """What makes it stand otherwise."""

    REGISTERED = "registered"
    CAUGHT_UP = "caught up with the metadata"
    EXPIRED = "session timed out"
    LEAVES = "wants to shut down and leads partitions"
    STOPS = "wants to shut down and is not needed"


TRANSITIONS: Final[Mapping[tuple[Standing, Cause], Standing]] = MappingProxyType({
    (Standing.UNREGISTERED, Cause.REGISTERED): Standing.FENCED,
    (Standing.FENCED, Cause.REGISTERED): Standing.FENCED,
    (Standing.UNFENCED, Cause.REGISTERED): Standing.FENCED,
    (Standing.SHUTTING_DOWN, Cause.REGISTERED): Standing.FENCED,
    (Standing.FENCED, Cause.CAUGHT_UP): Standing.UNFENCED,
    (Standing.FENCED, Cause.EXPIRED): Standing.FENCED,
    (Standing.UNFENCED, Cause.EXPIRED): Standing.FENCED,
    (Standing.SHUTTING_DOWN, Cause.EXPIRED): Standing.FENCED,
    (Standing.UNFENCED, Cause.LEAVES): Standing.SHUTTING_DOWN,
    (Standing.FENCED, Cause.STOPS): Standing.FENCED,
    (Standing.UNFENCED, Cause.STOPS): Standing.FENCED,
    (Standing.SHUTTING_DOWN, Cause.STOPS): Standing.FENCED,
})  # fmt: skip
"""How a broker stands after something happened to it; what is not here cannot happen.

A broker that registers with a live session is refused before, and changes nothing.
"""

_NEVER: Final = -1
"""In place of an offset in the metadata log."""


@dataclass(slots=True)
class _Broker:
    """A broker as it is registered."""

    state: BrokerState
    standing: Standing
    registered_offset: int
    """Of its registration in the metadata log."""
    replayed_offset: int = _NEVER
    """The last metadata record that it is known to have replayed."""
    leaves_offset: int = _NEVER
    """What the others must have replayed before it may stop."""


class Brokers:
    """All brokers, as the active controller sees them.

    Parameters
    ----------
    count : int
        Brokers 0 to `count` - 1 are registered and unfenced; the epoch of each is its
        node.
    session_timeout_ms : int
        So long after its last heartbeat a broker's session is valid.
    now_ms : int
        When each was last heard of.
    """

    def __init__(self, count: int, session_timeout_ms: int, now_ms: int) -> None:
        self._session_timeout_ms = session_timeout_ms
        self._brokers = {
            node: _Broker(
                BrokerState(node, fenced=False, shutting_down=False, epoch=node),
                Standing.UNFENCED,
                node,
            )
            for node in range(count)
        }
        self._contacts: dict[tuple[int, int], int] = {}
        """Node and broker epoch → when it was last heard of."""
        self.take_over(now_ms)

    @property
    def states(self) -> tuple[BrokerState, ...]:
        """All registered brokers, by node."""
        return tuple(self._brokers[node].state for node in sorted(self._brokers))

    def __getitem__(self, node: int) -> BrokerState:
        return self._brokers[node].state

    def standing(self, node: int) -> Standing:
        """Return how a broker stands."""
        broker = self._brokers.get(node)
        return Standing.UNREGISTERED if broker is None else broker.standing

    def is_active(self, node: int) -> bool:
        """Return whether a broker may lead and join an ISR."""
        broker = self._brokers.get(node)
        return broker is not None and broker.state.active

    def is_current(self, node: int, epoch: int) -> bool:
        """Return whether a broker is registered with this epoch."""
        broker = self._brokers.get(node)
        return broker is not None and broker.state.epoch == epoch

    # Sessions

    def heard(self, node: int, epoch: int, now_ms: int) -> None:
        """Note a heartbeat, whatever comes of it (`trackBrokerHeartbeat`)."""
        self._contacts[node, epoch] = now_ms

    def has_session(self, node: int, now_ms: int) -> bool:
        """Return whether a broker was heard of lately, by its present epoch."""
        broker = self._brokers.get(node)
        if broker is None:
            return False
        contact_ms = self._contacts.get((node, broker.state.epoch))
        return contact_ms is not None and not self._is_over(contact_ms, now_ms)

    def pop_expired(self, now_ms: int) -> tuple[int, int] | None:
        """Forget one session that is over; return its node and epoch (CT-1).

        Of several it is the one with the lowest node: Kafka's order is that of a hash
        map, so any will do.
        """
        for session in sorted(self._contacts):
            if self._is_over(self._contacts[session], now_ms):
                del self._contacts[session]
                return session
        return None

    def _is_over(self, contact_ms: int, now_ms: int) -> bool:
        return contact_ms + self._session_timeout_ms < now_ms

    def take_over(self, now_ms: int) -> None:
        """Forget what only the controller before knew: sessions and offsets (CT-15)."""
        self._contacts.clear()
        for node, broker in self._brokers.items():
            broker.replayed_offset = _NEVER
            broker.leaves_offset = _NEVER
            broker.standing = Standing.FENCED
            if not broker.state.fenced:
                broker.standing = Standing.UNFENCED
                self.heard(node, broker.state.epoch, now_ms)

    # Changes

    def register(self, node: int, epoch: int) -> None:
        """Register a broker anew, with an epoch that no broker had before."""
        standing = self._after(node, Cause.REGISTERED)
        state = BrokerState(node, fenced=True, shutting_down=False, epoch=epoch)
        self._brokers[node] = _Broker(state, standing, epoch)

    def registered_at(self, node: int, offset: int) -> None:
        """Note where in the metadata log the registration is."""
        self._brokers[node].registered_offset = offset

    def move(self, node: int, cause: Cause) -> bool:
        """Let a broker stand as the table has it; return whether its state changed.

        Raises
        ------
        ValueError
            When it cannot stand so; nothing has changed then.
        """
        standing = self._after(node, cause)
        broker = self._brokers[node]
        before = broker.state
        broker.state = before._replace(
            fenced=standing is Standing.FENCED,
            shutting_down=before.shutting_down or standing is Standing.SHUTTING_DOWN,
        )
        broker.standing = standing
        if standing is Standing.FENCED:
            broker.leaves_offset = _NEVER
        if broker.state == before:
            return False
        broker.replayed_offset = _NEVER  # until its next heartbeat, as in Kafka
        return True

    def _after(self, node: int, cause: Cause) -> Standing:
        standing = self.standing(node)
        after = TRANSITIONS.get((standing, cause))
        if after is None:
            raise ValueError(f"broker {node} is {standing.value}: not {cause.value}")
        return after

    def cause_of(
        self, request: Heartbeat, written_offset: int, leads: Callable[[int], bool]
    ) -> Cause | None:
        """Return what a heartbeat makes of its sender (`calculateNextBrokerState`).

        Parameters
        ----------
        request : Heartbeat
            Of a broker with a current epoch.
        written_offset : int
            Of the last metadata record.
        leads : callable
            Whether a node leads a partition; asked only when that matters.
        """
        broker = self._brokers[request.node]
        if broker.standing is Standing.FENCED:
            if request.wants_shutdown:
                return Cause.STOPS
            replayed = written_offset if request.offset is None else request.offset
            caught_up = request.caught_up and replayed >= broker.registered_offset
            return Cause.CAUGHT_UP if caught_up else None
        if broker.standing is Standing.UNFENCED and not request.wants_shutdown:
            return None
        if leads(request.node):
            unfenced = broker.standing is Standing.UNFENCED
            return Cause.LEAVES if unfenced else None
        if broker.standing is Standing.SHUTTING_DOWN:
            behind = broker.leaves_offset > self._lowest_replayed(written_offset)
            return None if behind else Cause.STOPS
        return Cause.STOPS

    def _lowest_replayed(self, written_offset: int) -> int:
        """Return what all active brokers have replayed, as far as is known."""
        return min(
            (
                broker.replayed_offset
                for broker in self._brokers.values()
                if broker.standing is Standing.UNFENCED
            ),
            default=written_offset,
        )

    def replayed(self, node: int, offset: int) -> None:
        """Note which metadata record a broker has replayed."""
        self._brokers[node].replayed_offset = offset

    def leaves_at(self, node: int, offset: int) -> None:
        """Note what the others must have replayed before a broker may stop."""
        broker = self._brokers[node]
        if broker.leaves_offset == _NEVER:
            broker.leaves_offset = offset
