"""The plan: what the world does, drawn before any system is asked.

Per source: when each record is wanted, with which key, for which entity, how large. Per
subscriber and source it wants: how long the work on each record takes. All of it comes
from traffic and seed alone, each column from a stream of its own
(`kafkasim.scenario.streams`), and has a digest of its own. So two systems can be shown
to have met the very same traffic, and adding a source moves no other's column.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from kafkasim.config.frozen import FrozenDict
from kafkasim.config.rules import INT32_MAX
from kafkasim.errors import ChangedFileError
from kafkasim.scenario.arrivals import Bursts, DayCurve, Periodic, Poisson
from kafkasim.scenario.checks import check_traffic
from kafkasim.scenario.distributions import draw_ns, draw_whole
from kafkasim.scenario.keys import Keys, NoKeys, TraceColumn
from kafkasim.scenario.plan_file import read_columns, write_columns
from kafkasim.scenario.resolution import resolved_traffic
from kafkasim.scenario.streams import stream
from kafkasim.scenario.trace import Trace
from kafkasim.scenario.traffic import Source, Traffic
from kafkasim.units import ns_from_s

PLAN_VERSION: Final = 1
"""Rises when the recipe of a column or of its digest changes."""

LEAST_WORK_NS: Final = 1
"""Work takes some time, so that records one member works on have an order."""

NULL: Final = -1
"""No key, no entity, or (as a size) a null value."""


@dataclass(frozen=True, slots=True, eq=False)
class SourcePlan:
    """The records of one source, sorted by intended time; arrays are read-only."""

    source: str
    """Name of the source."""
    stream: str
    """The stream it emits into."""
    intended_ns: NDArray[np.int64]
    """When the world wants each record sent."""
    key_id: NDArray[np.int32]
    """Position in `key_labels`; −1 for a record without a key."""
    key_labels: tuple[str, ...] = field(repr=False)
    """The keys' text."""
    entity_id: NDArray[np.int32]
    """Position in `entity_labels`; −1 for a record of no entity."""
    entity_labels: tuple[str, ...] = field(repr=False)
    """The entities' names."""
    value_bytes: NDArray[np.int32]
    """Size of each value; −1 for a null value (a tombstone)."""

    def __len__(self) -> int:
        return len(self.intended_ns)

    @property
    def entity_is_key(self) -> bool:
        """Whether the entity moves with the key."""
        return self.entity_id is self.key_id and self.entity_labels is self.key_labels


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """What is to happen, for all sources and subscribers.

    Two plans are equal when their digests are, and their seeds and durations.
    """

    seed: int
    """The seed it was drawn with."""
    duration_ns: int
    """How long sources emit."""
    sources: Mapping[str, SourcePlan]
    """By source, in the order of their names."""
    work_ns: Mapping[tuple[str, str], NDArray[np.int64]]
    """By subscriber and source: work on each record of the source."""
    digests: Mapping[str, str]
    """SHA-256 of each column: `arrivals/<source>`, `keys/<source>`, `entity/<source>`,
    `value_bytes/<source>`, `work/<subscriber>/<source>`."""

    @property
    def digest(self) -> str:
        """SHA-256 over the digests of all columns, in the order of their names."""
        return _sha(["plan", PLAN_VERSION, sorted(self.digests.items())])

    def __repr__(self) -> str:
        counts = [f"{name}: {len(plan)}" for name, plan in self.sources.items()]
        return f"<Plan {self.digest[:12]}: records of {', '.join(counts) or 'none'}>"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Plan):
            return NotImplemented
        return (self.seed, self.duration_ns, self.digest) == (
            other.seed,
            other.duration_ns,
            other.digest,
        )

    def __hash__(self) -> int:
        return hash((self.seed, self.duration_ns, self.digest))

    def save(self, path: str | PathLike[str]) -> None:
        """Write the plan to a file that `load_plan` reads back equal.

        Parameters
        ----------
        path : path
            An .npz file (a zip of numpy arrays, without pickle); replaced if it exists.

        Raises
        ------
        OutputError
            When it cannot be written; what stood there is untouched.
        """
        columns: dict[str, NDArray[Any]] = {}
        for number, source in enumerate(self.sources.values()):
            columns[f"intended_ns.{number}"] = source.intended_ns
            columns[f"key_id.{number}"] = source.key_id
            columns[f"value_bytes.{number}"] = source.value_bytes
            if not source.entity_is_key:
                columns[f"entity_id.{number}"] = source.entity_id
        for number, work_ns in enumerate(self.work_ns.values()):
            columns[f"work_ns.{number}"] = work_ns
        header = {
            "plan_version": PLAN_VERSION,
            "seed": self.seed,
            "duration_ns": self.duration_ns,
            "sources": [_source_header(each) for each in self.sources.values()],
            "work": list(self.work_ns),
            "digests": dict(self.digests),
        }
        write_columns(Path(path), header, columns)


def draw_plan(traffic: Traffic, seed: int) -> Plan:
    """Draw the plan of a traffic under a seed.

    Parameters
    ----------
    traffic : Traffic
        What the world wants.
    seed : int
        At least 0.

    Returns
    -------
    Plan

    Raises
    ------
    ValidationError
        When the traffic's parts do not fit together.

    Examples
    --------
    >>> from kafkasim.scenario.traffic import Subscriber
    >>> web = Source("orders", Periodic(rate_per_s=2))
    >>> plan = draw_plan(Traffic({"web": web}, {}, duration_s=2), seed=1)
    >>> plan.sources["web"].intended_ns.tolist()
    [0, 500000000, 1000000000, 1500000000]
    """
    check_traffic(traffic)
    traffic = resolved_traffic(traffic)
    duration_ns = ns_from_s(traffic.duration_s)
    sources = {
        name: _draw_source(name, traffic.sources[name], seed, duration_ns)
        for name in sorted(traffic.sources)
    }
    work_ns = {
        (subscriber, name): _frozen(
            np.maximum(
                LEAST_WORK_NS,
                draw_ns(
                    traffic.subscribers[subscriber].work_ms,
                    stream(seed, f"work/{subscriber}/{name}"),
                    len(source),
                ),
            )
        )
        for subscriber in sorted(traffic.subscribers)
        for name, source in sources.items()
        if source.stream in traffic.subscribers[subscriber].streams
    }
    return planned(seed, duration_ns, sources, work_ns)


def load_plan(path: str | PathLike[str]) -> Plan:
    """Read a plan that `Plan.save` wrote.

    Parameters
    ----------
    path : path
        The .npz file.

    Raises
    ------
    ChangedFileError
        When what is in the file is not what was saved; names the column.
    """
    header, columns = read_columns(Path(path))
    try:
        sources = {
            each["source"]: _source_from(each, number, columns)
            for number, each in enumerate(header["sources"])
        }
        work_ns = {
            (subscriber, source): columns[f"work_ns.{number}"]
            for number, (subscriber, source) in enumerate(header["work"])
        }
        plan = planned(header["seed"], header["duration_ns"], sources, work_ns)
        saved = header["digests"]
    except (LookupError, TypeError, ValueError) as error:
        raise ChangedFileError(f"{path} is no whole plan: {error}") from error
    changed = [name for name in saved if plan.digests.get(name) != saved[name]]
    if changed or len(saved) != len(plan.digests):
        raise ChangedFileError(f"{path} was changed: {', '.join(changed) or 'columns'}")
    return plan


def planned(
    seed: int,
    duration_ns: int,
    sources: Mapping[str, SourcePlan],
    work_ns: Mapping[tuple[str, str], NDArray[np.int64]],
) -> Plan:
    """Return the plan of columns, with their digests."""
    digests: dict[str, str] = {}
    for name, source in sources.items():
        digests |= _source_digests(name, source)
    for (subscriber, name), column in work_ns.items():
        digests[f"work/{subscriber}/{name}"] = _column_digest(column)
    return Plan(
        seed, duration_ns, FrozenDict(sources), dict(work_ns), FrozenDict(digests)
    )


def _draw_source(name: str, source: Source, seed: int, duration_ns: int) -> SourcePlan:
    arrivals = stream(seed, f"arrivals/{name}")
    intended_ns = _intended_ns(source.arrivals, arrivals, duration_ns)
    count = len(intended_ns)
    law = f"entity/{name}" if source.sends_entity_as_key else f"keys/{name}"
    key_id, key_labels = _draw_keys(source, source.keys, seed, law, count)
    if source.entity is None:
        entity_id, entity_labels = key_id, key_labels
    else:
        entity_id, entity_labels = _draw_keys(
            source, source.entity, seed, f"entity/{name}", count
        )
    return SourcePlan(
        source=name,
        stream=source.stream,
        intended_ns=_frozen(intended_ns),
        key_id=_frozen(key_id),
        key_labels=key_labels,
        entity_id=_frozen(entity_id),
        entity_labels=entity_labels,
        value_bytes=_frozen(_draw_sizes(name, source, seed, count)),
    )


def _intended_ns(
    arrivals: Poisson | Periodic | Bursts | DayCurve | Trace,
    generator: np.random.Generator,
    duration_ns: int,
) -> NDArray[np.int64]:
    if isinstance(arrivals, Trace):
        times_ns = arrivals.arrivals_ns(generator)
        return times_ns[: np.searchsorted(times_ns, duration_ns, side="left")]
    return arrivals.times_ns(generator, duration_ns)


def _draw_keys(
    source: Source, keys: Keys, seed: int, name: str, count: int
) -> tuple[NDArray[np.int32], tuple[str, ...]]:
    if isinstance(keys, NoKeys):
        return np.full(count, NULL, np.int32), ()
    if isinstance(keys, TraceColumn):
        assert isinstance(source.arrivals, Trace)
        codes, labels = source.arrivals.codes(keys.column)
        return codes[:count], labels
    ids = keys.draw(stream(seed, name), count)
    if keys.null_share:
        ids[stream(seed, f"{name}/null").random(count) < keys.null_share] = NULL
    return ids, tuple(f"{keys.prefix}{number}" for number in range(keys.count))


def _draw_sizes(name: str, source: Source, seed: int, count: int) -> NDArray[np.int32]:
    if isinstance(source.value_bytes, TraceColumn):
        assert isinstance(source.arrivals, Trace)
        drawn = source.arrivals.numbers(source.value_bytes.column)[:count]
    else:
        drawn = draw_whole(
            source.value_bytes,
            stream(seed, f"value_bytes/{name}"),
            count,
            scale=1,
            limit=INT32_MAX,
        )
    sizes = drawn.astype(np.int32)
    if source.tombstones:
        uniform = stream(seed, f"tombstones/{name}").random(count)
        sizes[uniform < source.tombstones] = NULL
    return sizes


def _source_header(source: SourcePlan) -> dict[str, object]:
    return {
        "source": source.source,
        "stream": source.stream,
        "key_labels": source.key_labels,
        "entity_labels": None if source.entity_is_key else source.entity_labels,
    }


def _source_from(
    header: Mapping[str, Any], number: int, columns: Mapping[str, NDArray[Any]]
) -> SourcePlan:
    key_id, key_labels = columns[f"key_id.{number}"], tuple(header["key_labels"])
    entity_id, entity_labels = key_id, key_labels
    if header["entity_labels"] is not None:
        entity_id = columns[f"entity_id.{number}"]
        entity_labels = tuple(header["entity_labels"])
    return SourcePlan(
        source=header["source"],
        stream=header["stream"],
        intended_ns=columns[f"intended_ns.{number}"],
        key_id=key_id,
        key_labels=key_labels,
        entity_id=entity_id,
        entity_labels=entity_labels,
        value_bytes=columns[f"value_bytes.{number}"],
    )


def _source_digests(name: str, source: SourcePlan) -> dict[str, str]:
    keys = _column_digest(source.key_id, source.key_labels)
    return {
        f"arrivals/{name}": _column_digest(source.intended_ns, (source.stream,)),
        f"keys/{name}": keys,
        f"entity/{name}": keys
        if source.entity_is_key
        else _column_digest(source.entity_id, source.entity_labels),
        f"value_bytes/{name}": _column_digest(source.value_bytes),
    }


def _column_digest(column: NDArray[Any], labels: tuple[str, ...] = ()) -> str:
    little = column.astype(column.dtype.newbyteorder("<"), copy=False)
    sha = hashlib.sha256(_canonical([little.dtype.str, len(little), labels]))
    sha.update(np.ascontiguousarray(little).data)
    return sha.hexdigest()


def _sha(value: object) -> str:
    return hashlib.sha256(_canonical(value)).hexdigest()


def _canonical(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":"), sort_keys=True).encode()


def _frozen(column: NDArray[Any]) -> NDArray[Any]:
    column.flags.writeable = False
    return column
