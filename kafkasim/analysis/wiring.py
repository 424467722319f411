"""Who talked to whom: a run's links as a directed graph.

Point to point, every source knows every subscriber: n × m connections. With one broker
between, each knows only the broker: n + m. More brokers are more connections, up to one
of each client to each, and a member has another one to the coordinator of its group,
for its commits. The graph shows which, and how much went where.
"""

from typing import TYPE_CHECKING

import numpy as np

from kafkasim.analysis.arrays import Int64
from kafkasim.analysis.frames import ATTRIBUTE
from kafkasim.analysis.inversions import group_sums
from kafkasim.analysis.provenance import provenance
from kafkasim.result.result import Result

if TYPE_CHECKING:
    import networkx as nx

WEIGHTS = ("connection_count", "request_count", "moved_bytes")
"""Attributes of an edge."""


def topology(result: Result) -> "nx.DiGraph[str]":
    """Return the links of a run as a graph.

    Parameters
    ----------
    result : Result
        With the table `links`.

    Returns
    -------
    networkx.DiGraph
        Nodes are targets such as `source:web`, `broker:1`, `member:billing/2`, with
        `kind` (what stands before the colon; `other` without one) and `group` (the
        subscriber of a member, the name otherwise). Edges go from sender to receiver,
        with `connection_count`, `request_count`, `moved_bytes` summed over the rows of
        that pair. The graph's attribute `scenario` says what ran.

    Raises
    ------
    TableNotRecorded
        When the run did not record `links`.
    """
    import networkx as nx

    links = result.columns("links")
    senders, receivers = links.labels["sender"], links.labels["receiver"]
    span = max(1, len(receivers))
    packed = links["sender"].astype(np.int64) * span + links["receiver"]
    pairs, places = np.unique(packed, return_inverse=True)
    sums: dict[str, Int64] = {
        name: group_sums(links[name].astype(np.int64), places, len(pairs))
        for name in WEIGHTS
    }
    graph: nx.DiGraph[str] = nx.DiGraph(**{ATTRIBUTE: provenance(result)})
    for name in sorted({*senders, *receivers}):
        kind, group = _kind(name)
        graph.add_node(name, kind=kind, group=group)
    for place, pair in enumerate(pairs.tolist()):
        graph.add_edge(
            senders[pair // span],
            receivers[pair % span],
            **{name: int(sums[name][place]) for name in WEIGHTS},
        )
    return graph


def _kind(name: str) -> tuple[str, str]:
    """Return the kind of a node and the name of the group it belongs to."""
    kind, colon, rest = name.partition(":")
    if not colon:
        return "other", name
    return kind, rest.rpartition("/")[0] or rest
