"""The plan: what the world does, drawn before any system is asked.

Per source: when each record is wanted, with which key, for which entity, how large. Per
subscriber and source it wants: how long the work on each record takes. All of it comes
from traffic and seed alone, each column from a stream of its own
(`kafkasim.scenario.streams`), and has a digest of its own. So two systems can be shown
to have met the very same traffic, and adding a source moves no other's column.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from os import PathLike
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from kafkasim.catalogue import say
from kafkasim.config.frozen import FrozenDict
from kafkasim.errors import ChangedFileError, ValidationError
from kafkasim.scenario.arrivals import ClosedLoop
from kafkasim.scenario.checks import check_traffic
from kafkasim.scenario.column_digest import canonical, column_digest
from kafkasim.scenario.draws import (
    arrival_blocks,
    entities_of,
    keys_of,
    sizes_of,
    work_of,
)
from kafkasim.scenario.plan_file import read_columns, write_columns
from kafkasim.scenario.resolution import resolved_traffic
from kafkasim.scenario.traffic import Source, Traffic
from kafkasim.units import ns_from_s

PLAN_VERSION: Final = 2
"""Rises when the recipe of a column or of its digest changes."""


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
    law: str = ""
    """Of a closed loop: what its records are drawn by as it goes round; a plan knows
    none of them."""

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
    work_laws: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """The same of closed loops: what it is drawn by."""
    _digests: dict[str, str] = field(default_factory=dict, init=False)

    @property
    def digests(self) -> Mapping[str, str]:
        """SHA-256 of each column, taken when they are first asked for.

        `arrivals/<source>`, `keys/<source>`, `entity/<source>`, `value_bytes/<source>`,
        `work/<subscriber>/<source>`. Those of a closed loop are of its law, the seed
        and the column's name.
        """
        if not self._digests:
            for name, source in self.sources.items():
                self._digests.update(_source_digests(name, source))
            for (subscriber, name), column in self.work_ns.items():
                column_name = f"work/{subscriber}/{name}"
                law = self.work_laws.get((subscriber, name))
                self._digests[column_name] = (
                    column_digest(column)
                    if law is None
                    else _sha([column_name, self.seed, law])
                )
        return FrozenDict(self._digests)

    @property
    def digest(self) -> str:
        """SHA-256 over the digests of all columns, in the order of their names."""
        return plan_digest(self.digests)

    def __repr__(self) -> str:
        counts = [
            f"{name}: {'a closed loop' if plan.law else len(plan)}"
            for name, plan in self.sources.items()
        ]
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
        ValidationError
            A source is a closed loop: its columns have no end.
        """
        for name, each in self.sources.items():
            if each.law:
                raise ValidationError(
                    f"traffic.sources.{name}.arrivals",
                    each.law,
                    say("an open loop, for a plan that is saved"),
                    say("a closed loop is drawn as it goes round"),
                )
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


@dataclass(frozen=True, slots=True)
class PlanOutline:
    """What is left of a plan that was drawn block by block: counts and digests."""

    seed: int
    """The seed it was drawn with."""
    duration_ns: int
    """How long sources emit."""
    records: Mapping[str, int]
    """By source, in the order of their names: how many it sends."""
    digests: Mapping[str, str]
    """SHA-256 of each column, as those of the plan."""

    @property
    def digest(self) -> str:
        """SHA-256 over the digests of all columns; that of the plan."""
        return plan_digest(self.digests)


def plan_digest(digests: Mapping[str, str]) -> str:
    """Return SHA-256 over the digests of all columns, in the order of their names."""
    return _sha(["plan", PLAN_VERSION, sorted(digests.items())])


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
    >>> from kafkasim.scenario.arrivals import Periodic
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
    work_ns, laws = {}, {}
    for subscriber, wanted in sorted(traffic.subscribers.items()):
        for name, source in sources.items():
            if source.stream in wanted.streams:
                draw = work_of(subscriber, name, wanted.work_ms, seed)
                work_ns[subscriber, name] = _frozen(draw(len(source)))
                if source.law:
                    laws[subscriber, name] = repr(wanted.work_ms)
    return Plan(seed, duration_ns, FrozenDict(sources), work_ns, laws)


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
    """Return the plan of columns."""
    return Plan(seed, duration_ns, FrozenDict(sources), dict(work_ns))


def _draw_source(name: str, source: Source, seed: int, duration_ns: int) -> SourcePlan:
    law = ""
    blocks: list[NDArray[np.int64]] = []
    if isinstance(source.arrivals, ClosedLoop):
        law = f"seed {seed}, {duration_ns} ns: {source!r}"
    else:
        blocks += arrival_blocks(name, source, seed, duration_ns)
    intended_ns = np.concatenate([np.zeros(0, np.int64), *blocks])
    count = len(intended_ns)
    keys, key_labels = keys_of(name, source, seed)
    key_id = _frozen(keys(count))
    if source.entity is None:
        entity_id, entity_labels = key_id, key_labels
    else:
        entities, entity_labels = entities_of(name, source, seed)
        entity_id = _frozen(entities(count))
    return SourcePlan(
        source=name,
        stream=source.stream,
        intended_ns=_frozen(intended_ns),
        key_id=key_id,
        key_labels=key_labels,
        entity_id=entity_id,
        entity_labels=entity_labels,
        value_bytes=_frozen(sizes_of(name, source, seed)(count)),
        law=law,
    )


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
    if source.law:
        columns = ("arrivals", "keys", "entity", "value_bytes")
        return {f"{each}/{name}": _sha([each, name, source.law]) for each in columns}
    keys = column_digest(source.key_id, source.key_labels)
    return {
        f"arrivals/{name}": column_digest(source.intended_ns, (source.stream,)),
        f"keys/{name}": keys,
        f"entity/{name}": keys
        if source.entity_is_key
        else column_digest(source.entity_id, source.entity_labels),
        f"value_bytes/{name}": column_digest(source.value_bytes),
    }


def _sha(value: object) -> str:
    return hashlib.sha256(canonical(value)).hexdigest()


def _frozen(column: NDArray[Any]) -> NDArray[Any]:
    column.flags.writeable = False
    return column
