"""Point to point against a hub in closed form: what the tables of runs are held to.

N sources, M subscribers, d the share of their pairs that are wanted, B brokers, RF
copies of each partition, G groups that read, s bytes of an event, r events per second
of a source. The numbers PH-1 to PH-14 are those of the rules in the tests' names; each
function is arithmetic alone, and none of them is used to make a table of a run.
"""

from typing import NamedTuple


def point_to_point_links(sources: int, subscribers: int, density: float = 1.0) -> float:
    """Return d·N·M, the links without a hub (PH-1)."""
    return density * sources * subscribers


def hub_links(sources: int, subscribers: int) -> int:
    """Return N + M, the links with one (PH-1)."""
    return sources + subscribers


def crossover(density: float = 1.0) -> float:
    """Return 2/d: for N = M = n the hub has fewer links when n is larger (PH-2).

    Examples
    --------
    >>> crossover(), crossover(0.25)
    (2.0, 8.0)
    """
    return 2 / density


def mesh_links(systems: int) -> tuple[int, int]:
    """Return S(S−1) and 2S: links of systems that all write and read (PH-1).

    Parameters
    ----------
    systems : int
        How many.

    Examples
    --------
    >>> mesh_links(3), mesh_links(10)
    ((6, 6), (90, 20))
    """
    return systems * (systems - 1), 2 * systems


def hub_sockets(
    sources: int, subscribers: int, brokers: int, coordinators: int = 0
) -> int:
    """Return (N + M)·B and a connection of each group to its coordinator (PH-3).

    Parameters
    ----------
    sources, subscribers, brokers : int
        Each client is connected to each broker: each leads a partition of its topic.
    coordinators : int
        Groups whose coordinator has a connection of its own.
    """
    return (sources + subscribers) * brokers + coordinators


def point_to_point_sockets(
    sources: int, subscribers: int, density: float = 1.0, pooled: int = 1
) -> float:
    """Return d·N·M·c, with c connections for each pair (PH-3)."""
    return density * sources * subscribers * pooled


class Traffic(NamedTuple):
    """Bytes per second, and sends of one event by its source (PH-2's table)."""

    source_egress: float
    """Of one source."""
    total: float
    """Over all links."""
    disk: float
    """Written by all brokers."""
    sends: float
    """Of one event by its source."""


def point_to_point_traffic(
    sources: int, subscribers: int, density: float, bytes_per_s: float
) -> Traffic:
    """Return what moves without a hub; `bytes_per_s` is r·s of one source."""
    out = density * subscribers * bytes_per_s
    return Traffic(out, sources * out, 0.0, density * subscribers)


def hub_traffic(
    sources: int,
    readers: int,
    density: float,
    bytes_per_s: float,
    replication_factor: int = 1,
) -> Traffic:
    """Return what moves through a hub that keeps `replication_factor` copies.

    Parameters
    ----------
    sources, readers : int
        N, and G: groups that each read the share `density` of all that is sent.
    density : float
    bytes_per_s : float
        What one source sends, r·s.
    replication_factor : int
        RF.
    """
    sent = sources * bytes_per_s
    total = sent * (1 + (replication_factor - 1) + readers * density)
    return Traffic(bytes_per_s, total, replication_factor * sent, 1.0)


def hub_fan_out(
    readers: int, density: float = 1.0, replication_factor: int = 1
) -> float:
    """Return G·d + RF − 1: bytes out of the hub's machines ÷ bytes into it (PH-6)."""
    return readers * density + replication_factor - 1


def outage_buffer_bytes(bytes_per_s: float, outage_s: float) -> float:
    """Return r·s·T: what one source keeps for one subscriber that is away (PH-8)."""
    return bytes_per_s * outage_s


def catch_up_s(outage_s: float, arrivals_per_s: float, served_per_s: float) -> float:
    """Return T·λ/(μ − λ): how long a backlog of T seconds takes to go (PH-9).

    Examples
    --------
    >>> catch_up_s(10, 100, 500)
    2.5
    """
    return outage_s * arrivals_per_s / (served_per_s - arrivals_per_s)


def all_reached(availability: float, subscribers: int) -> float:
    """Return a^M: the share of events that find all M subscribers up (PH-12).

    Examples
    --------
    >>> round(all_reached(0.99, 5), 3)
    0.951
    """
    return availability**subscribers


def majority_up(availability: float, brokers: int = 3, may_fail: int = 1) -> float:
    """Return how often at most `may_fail` of the brokers are down (PH-12).

    Examples
    --------
    >>> round(majority_up(0.999), 6)
    0.999997
    """
    from math import comb

    down = 1 - availability
    return sum(
        comb(brokers, count) * down**count * availability ** (brokers - count)
        for count in range(may_fail + 1)
    )


def changes_for_newcomer(sources: int, density: float = 1.0) -> float:
    """Return d·N: sources that a new subscriber touches without a hub (PH-14)."""
    return density * sources
