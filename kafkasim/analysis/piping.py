"""What a run's pipelines are made of and what they carry, as numbers.

The systems at the ends are the sources and the subscribers (all members of one
together); whatever else talked stands between them and is the **hub**: brokers, nodes.
Defined on the tables, alike for every system:

`sources`, `subscribers`, `pairs`, `density`
    those of the traffic; pairs of a source and a subscriber that wants its stream; and
    their share of all that there could be.
`links`
    pairs of systems that talked, the whole hub being one: what has to be agreed upon,
    set up and watched (PH-1).
`adapters`, `adapters_per_source`
    one for every link: what makes one end speak as the other system does, in format,
    protocol and rights (PH-4); and how many of them a source has, in the mean.
`sockets`, `hub_sockets`
    connections of the ends, and those between the parts of a hub (PH-3). Each is
    counted once, though both its directions have a row in `links`.
`hub_nodes`
    machines of the hub that talked.
`records`
    sent, those that an application sent again included.
`sends_per_record`
    times that a source sent a record, retries included: to each subscriber, or to a hub
    once.
`source_bytes`, `total_bytes`, `hub_in_bytes`, `hub_out_bytes`
    moved over links: away from sources; over all of them; into the hub from its ends,
    and out of its machines (to ends and to each other). Bytes of records and what they
    are packed in, as `links.moved_bytes` counts them.
`disk_bytes`
    written to disks: to logs, all copies and what compaction wrote included; by
    RabbitMQ's queues the values, by a classic one of what is persistent, by a quorum
    queue of everything on each of its members. 0 for a system that keeps nothing, NaN
    for one that does not say.
`source_buffer_bytes`
    what sources had to keep at most, all together: values of records that were wanted
    sent and of which no acknowledgement was held yet (PH-8). Records that a client gave
    up are left out.
`kept_share`
    share of the acknowledged records that a log still holds when the run ends.
`replayed_share`, `replay_per_s`
    of the records wanted before subscribers came that want history too: the share that
    they processed, and how many in a second, from the first to the last of them; the
    slowest subscriber. NaN when nobody came later and wants it.
"""

from typing import Final

import numpy as np

from kafkasim.analysis.arrays import step_counts
from kafkasim.analysis.dealings import dealings
from kafkasim.analysis.wired import ENDS, Wired, wired
from kafkasim.result.removals import removed_ns
from kafkasim.result.result import Result
from kafkasim.result.rows import code, wanted_ns
from kafkasim.result.wants import wants_of
from kafkasim.scenario.pipelines import PointToPoint, Relay
from kafkasim.units import MISSING_NS, NS_PER_S

PIPELINES: Final = (
    *("sources", "subscribers", "pairs", "density"),
    *("links", "adapters", "adapters_per_source"),
    *("sockets", "hub_sockets", "hub_nodes"),
    *("records", "sends_per_record"),
    *("source_bytes", "total_bytes", "hub_in_bytes", "hub_out_bytes", "disk_bytes"),
    *("source_buffer_bytes", "kept_share", "replayed_share", "replay_per_s"),
)
"""Names of the numbers, in their order."""

_KEEPING_NOTHING: Final = (PointToPoint, Relay)
"""Systems without a log or a queue on a disk."""

_NAN: Final = float("nan")


def pipelines(result: Result) -> dict[str, float]:
    """Return what a run's pipelines are made of and what they carry.

    Parameters
    ----------
    result : Result
        With the tables `links`, `records` and `deliveries`.

    Returns
    -------
    dict of str to float
        `PIPELINES`, in that order; this module's first lines define each, in pieces,
        bytes, shares and records per second.

    Raises
    ------
    TableNotRecorded
        When the run did not record those tables.
    """
    net = wired(result)
    scenario = result.scenario.resolve()
    traffic, wants = scenario.traffic, wants_of(scenario)
    streams = [source.stream for source in traffic.sources.values()]
    pairs = sum(stream in want.streams for want in wants for stream in streams)
    records = result.columns("records")
    count = len(records)
    replayed, rate = _replayed(result)
    values = (
        float(len(streams)),
        float(len(wants)),
        float(pairs),
        pairs / (len(streams) * len(wants)) if pairs else 0.0,
        *_structure(net, len(streams)),
        float(count),
        float(records["send_count"].sum()) / count if count else _NAN,
        *_moved(net),
        _disk_bytes(result),
        _buffered(result),
        _kept_share(result),
        replayed,
        rate,
    )
    return dict(zip(PIPELINES, values, strict=True))


def _structure(net: Wired, sources: int) -> tuple[float, ...]:
    """Return links, adapters, sockets of the ends and in the hub, and its machines."""
    links, sockets = net.links(), net.sockets()
    at_sources = sum(node.kind == "source" for pair in links for node in pair)
    return (
        float(len(links)),
        float(len(links)),
        at_sources / sources if sources else _NAN,
        float(sum(n for pair, n in sockets.items() if net.has_end(pair))),
        float(sum(n for pair, n in sockets.items() if not net.has_end(pair))),
        float(len(net.hub_nodes())),
    )


def _moved(net: Wired) -> tuple[float, float, float, float]:
    """Return bytes away from sources, of all, into the hub and out of its machines."""
    sources = total = into = out = 0
    for row in net.rows:
        total += row.moved_bytes
        if row.sender.kind == "source":
            sources += row.moved_bytes
        if row.sender.kind in ENDS and row.receiver.kind not in ENDS:
            into += row.moved_bytes
        if row.sender.kind not in ENDS:
            out += row.moved_bytes
    return float(sources), float(total), float(into), float(out)


def _disk_bytes(result: Result) -> float:
    if "segments" in result.tables:
        return float(result.columns("segments")["size_bytes"].sum())
    if "disk_bytes" in result.facts:
        return float(result.facts["disk_bytes"])
    system = result.scenario.resolve().system
    return 0.0 if isinstance(system, _KEEPING_NOTHING) else _NAN


def _buffered(result: Result) -> float:
    """Return the bytes that sources had to keep at most, together."""
    records = result.columns("records")
    rows = np.flatnonzero(records["outcome"] != code(records, "outcome", "failed"))
    since, acked = wanted_ns(records)[rows], records["acked_ns"][rows].copy()
    unasked = records["outcome"][rows] == code(records, "outcome", "unacked")
    acked[unasked] = records["created_ns"][rows][unasked]
    values = np.maximum(records["value_bytes"][rows].astype(np.int64), 0)
    gone = acked != MISSING_NS
    times = np.concatenate([since, acked[gone]])
    return float(
        step_counts(times, np.concatenate([values, -values[gone]]))[1].max(initial=0)
    )


def _kept_share(result: Result) -> float:
    """Return the share of the acknowledged records that a log still holds."""
    records = result.columns("records")
    acked = records["outcome"] == code(records, "outcome", "acked")
    held = (records["log_copies"] > 0) & acked
    if "removals" in result.tables:
        rows = np.arange(len(records))
        gone_ns = removed_ns(records, rows, result.columns("removals"))
        held &= gone_ns == MISSING_NS
    return float(held.sum() / acked.sum()) if acked.any() else _NAN


def _replayed(result: Result) -> tuple[float, float]:
    """Return the share of history read by those who came for it, and how fast."""
    wanted = wanted_ns(result.columns("records"))
    shares, rates = [], []
    for dealing in dealings(result):
        want = dealing.want
        early = wanted[dealing.rows] < want.from_ns
        if want.history != "all" or not early.any():
            continue
        done = dealing.first_processed_ns[early]
        done = done[done != MISSING_NS]
        shares.append(len(done) / int(early.sum()))
        took_ns = int(done.max() - done.min()) if len(done) else 0
        rates.append((len(done) - 1) * NS_PER_S / took_ns if took_ns else _NAN)
    return (min(shares), min(rates)) if shares else (_NAN, _NAN)
