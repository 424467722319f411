"""Who of a group reads which partition: Kafka's assignors, exact.

Those of the clients run at the leader of a classic group (`CLIENT_ASSIGNORS`,
`assign`), those of the broker at the coordinator of a group of the consumer protocol
(`SERVER_ASSIGNORS`, `assign_at_broker`). Where the answer of Kafka's classes depends on
the order in which Java walks through a hash map, so does the answer here.
"""

from collections.abc import Mapping

from kafkasim.protocol.assignors.client import (
    CLIENT_ASSIGNORS,
    ClientAssignor,
    RebalanceProtocol,
    common_protocol,
)
from kafkasim.protocol.assignors.in_ranges import assign_range
from kafkasim.protocol.assignors.inputs import AssignorError, Racks
from kafkasim.protocol.assignors.server import SERVER_ASSIGNORS, assign_at_broker
from kafkasim.protocol.assignors.server_group import topic_id
from kafkasim.protocol.subscription import Assigned, Subscription

__all__ = [
    "CLIENT_ASSIGNORS",
    "SERVER_ASSIGNORS",
    "AssignorError",
    "ClientAssignor",
    "Racks",
    "RebalanceProtocol",
    "assign",
    "assign_at_broker",
    "assign_range",
    "common_protocol",
    "topic_id",
]


def assign(
    name: str,
    members: Mapping[str, Subscription],
    topics: Mapping[str, int],
    *,
    instances: Mapping[str, str | None] | None = None,
    racks: Racks | None = None,
) -> dict[str, Assigned]:
    """Assign as the leader of a group that has led no rebalance before.

    As `ClientAssignor.assign`, with one of `CLIENT_ASSIGNORS`.

    Examples
    --------
    >>> both = {"a": Subscription(("t",)), "b": Subscription(("t",))}
    >>> assign("roundrobin", both, {"t": 3})
    {'a': (('t', 0), ('t', 2)), 'b': (('t', 1),)}
    """
    return CLIENT_ASSIGNORS[name]().assign(
        members, topics, instances=instances, racks=racks
    )
