"""A run's table `links`, read as systems: ends, the parts of a hub, and who is new."""

from dataclasses import dataclass
from typing import Final, NamedTuple

from kafkasim.result.result import Result

ENDS: Final = ("source", "subscriber")
"""Kinds of systems that something flows from or to; all other parts are a hub's."""


class Node(NamedTuple):
    """Who talked: a source, a subscriber, or a part of a hub."""

    kind: str
    """`source`, `subscriber` (a member too), or what a part of a hub is called."""
    name: str
    """Of the source or subscriber, without the number of a process; a part's own."""


class Row(NamedTuple):
    """A row of `links`."""

    sender: Node
    receiver: Node
    hosts: tuple[str, str]
    """As the table has them, such as `member:billing/2`."""
    connection_count: int
    request_count: int
    moved_bytes: int


HUB: Final = Node("hub", "")
"""All parts of a hub as one."""

Pair = tuple[Node, Node]
"""Two that talked, in no direction."""


def node_of(host: str) -> Node:
    """Return who a host is.

    Examples
    --------
    >>> node_of("member:billing/2"), node_of("broker:1")
    (Node(kind='subscriber', name='billing'), Node(kind='broker', name='1'))
    """
    kind, _, rest = host.partition(":")
    if kind == "member":
        kind = "subscriber"
    if kind in ENDS:
        return Node(kind, rest.rpartition("/")[0] or rest)
    return Node(kind, rest)


def system_of(node: Node) -> Node:
    """Return the system that a node belongs to: itself, or the hub."""
    return node if node.kind in ENDS else HUB


@dataclass(frozen=True, slots=True)
class Wired:
    """The links of a run over which anything went."""

    rows: tuple[Row, ...]

    def links(self) -> set[Pair]:
        """Return pairs of systems that talked; what a hub says to itself is none."""
        pairs = ((system_of(row.sender), system_of(row.receiver)) for row in self.rows)
        return {tuple(sorted(pair)) for pair in pairs if pair[0] != pair[1]}  # type: ignore[misc]

    def sockets(self) -> dict[tuple[str, str], int]:
        """Return connections by pair of hosts; both directions share them."""
        most: dict[tuple[str, str], int] = {}
        for row in self.rows:
            pair = (min(row.hosts), max(row.hosts))
            most[pair] = max(most.get(pair, 0), row.connection_count)
        return most

    def has_end(self, hosts: tuple[str, str]) -> bool:
        """Tell whether one of two hosts is a source or a subscriber."""
        return any(node_of(host).kind in ENDS for host in hosts)

    def hub_nodes(self) -> set[Node]:
        """Return the parts of the hub that talked."""
        every = {node for row in self.rows for node in (row.sender, row.receiver)}
        return {node for node in every if node.kind not in ENDS}

    def nodes(self) -> set[Node]:
        """Return who talked."""
        return {node for row in self.rows for node in (row.sender, row.receiver)}


def wired(result: Result) -> Wired:
    """Return the links of a run over which anything went.

    Raises
    ------
    TableNotRecorded
        When the run did not record `links`.
    """
    links = result.columns("links")
    senders, receivers = links.labels["sender"], links.labels["receiver"]
    numbers = zip(
        *(
            links[name].tolist()
            for name in (
                *("sender", "receiver"),
                *("connection_count", "request_count", "moved_bytes"),
            )
        ),
        strict=True,
    )
    return Wired(
        tuple(
            Row(
                node_of(senders[sender]),
                node_of(receivers[receiver]),
                (senders[sender], receivers[receiver]),
                *counts,
            )
            for sender, receiver, *counts in numbers
            if counts[1] or counts[2]
        )
    )
