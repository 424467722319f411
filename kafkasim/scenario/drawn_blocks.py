"""A source's records, drawn as they are read, for runs too long to hold a plan.

They are those of the plan: the same numbers from the same streams, and the same digests
once all have been read.
"""

from collections.abc import Iterator, Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from kafkasim.config.frozen import FrozenDict
from kafkasim.scenario.blocks import SourceBlock, block_size
from kafkasim.scenario.checks import check_traffic
from kafkasim.scenario.column_digest import ColumnDigest
from kafkasim.scenario.distributions import Distribution
from kafkasim.scenario.draws import (
    LEAST_WORK_NS,
    Draw,
    arrival_blocks,
    entities_of,
    keys_of,
    sizes_of,
    work_of,
)
from kafkasim.scenario.keys import NoKeys, TraceColumn
from kafkasim.scenario.plan import PlanOutline
from kafkasim.scenario.resolution import resolved_traffic
from kafkasim.scenario.trace import Trace
from kafkasim.scenario.traffic import Source, Traffic
from kafkasim.units import NS_PER_MS, ns_from_s

Stuck = Mapping[str, Mapping[int, int]]
"""Work that is not as it is drawn: nanoseconds by subscriber and ordinal."""
_NOTHING: Final[Stuck] = FrozenDict()


class DrawnBlocks:
    """The blocks of a source, each drawn when it is asked for.

    Parameters
    ----------
    name : str
        The source's name.
    source : Source
        Resolved.
    work_ms : mapping of str to distribution or float
        By subscriber that wants its records: work on each, milliseconds.
    seed, duration_ns : int
        The scenario's seed, and when the source ends.
    size : int
        Most records of a block.
    stuck : mapping of str to mapping of int to int
        By subscriber and ordinal: work on a record that is not as it is drawn,
        nanoseconds. The digests are of what is drawn.

    Attributes
    ----------
    records : int
        How many were drawn so far.
    """

    def __init__(  # noqa: PLR0917
        self,
        name: str,
        source: Source,
        work_ms: Mapping[str, Distribution | float],
        seed: int,
        duration_ns: int,
        size: int,
        *,
        stuck: Stuck = _NOTHING,
    ) -> None:
        self._size = size
        self._stuck = stuck
        self.source: Final = name
        self.stream: Final = source.stream
        self.work_names: Final = frozenset(work_ms)
        self.each_work_ns: Final = {
            subscriber: max(LEAST_WORK_NS, round(work * NS_PER_MS))
            for subscriber, work in work_ms.items()
            if isinstance(work, (int, float)) and subscriber not in stuck
        }
        self.may_lack_keys: Final = _may_lack_keys(source)
        self._keys, self.key_labels = keys_of(name, source, seed)
        self._entities: Draw | None = None
        self.entity_labels = self.key_labels
        if source.entity is not None:
            self._entities, self.entity_labels = entities_of(name, source, seed)
        self._sizes = sizes_of(name, source, seed)
        self._works = {
            subscriber: work_of(subscriber, name, work, seed)
            for subscriber, work in work_ms.items()
        }
        self._arrivals = arrival_blocks(name, source, seed, duration_ns)
        self.records = 0
        keys = ColumnDigest("<i4", self.key_labels)
        self._digests = {
            f"arrivals/{name}": ColumnDigest("<i8", (source.stream,)),
            f"keys/{name}": keys,
            f"entity/{name}": keys
            if self._entities is None
            else ColumnDigest("<i4", self.entity_labels),
            f"value_bytes/{name}": ColumnDigest("<i4"),
        } | {f"work/{subscriber}/{name}": ColumnDigest("<i8") for subscriber in work_ms}

    def __iter__(self) -> Iterator[SourceBlock]:
        """Yield the blocks, none of them empty."""
        for times_ns in self._arrivals:
            for start in range(0, len(times_ns), self._size):
                yield self._draw(times_ns[start : start + self._size])

    def _draw(self, intended_ns: NDArray[np.int64]) -> SourceBlock:
        count = len(intended_ns)
        key_id = self._keys(count)
        entity_id = key_id if self._entities is None else self._entities(count)
        works = {name: work(count) for name, work in self._works.items()}
        for name, work_ns in works.items():
            self._digests[f"work/{name}/{self.source}"].update(work_ns)
            for ordinal, stuck_ns in self._stuck.get(name, {}).items():
                if 0 <= ordinal - self.records < count:
                    work_ns[ordinal - self.records] = stuck_ns
        block = SourceBlock(
            intended_ns,
            key_id,
            entity_id,
            self._sizes(count),
            {n: work for n, work in works.items() if n not in self.each_work_ns},
        )
        self._take_note(block)
        return block

    def _take_note(self, block: SourceBlock) -> None:
        """Take a block into the digests."""
        name, digests = self.source, self._digests
        self.records += len(block)
        digests[f"arrivals/{name}"].update(block.intended_ns)
        digests[f"keys/{name}"].update(block.key_id)
        if self._entities is not None:
            digests[f"entity/{name}"].update(block.entity_id)
        digests[f"value_bytes/{name}"].update(block.value_bytes)

    @property
    def digests(self) -> dict[str, str]:
        """SHA-256 of each column as far as it was read, as those of a plan."""
        return {name: digest.hexdigest() for name, digest in self._digests.items()}


def drawn_blocks(traffic: Traffic, seed: int) -> list[DrawnBlocks]:
    """Return the blocks of every source, in the order of their names.

    Parameters
    ----------
    traffic : Traffic
        What the world wants.
    seed : int
        At least 0.

    Raises
    ------
    ValidationError
        When the traffic's parts do not fit together.
    """
    check_traffic(traffic)
    traffic = resolved_traffic(traffic)
    return [drawn_source(name, traffic, seed) for name in sorted(traffic.sources)]


def drawn_source(
    name: str, traffic: Traffic, seed: int, stuck: Stuck = _NOTHING
) -> DrawnBlocks:
    """Return the blocks of one source of a resolved traffic; see `DrawnBlocks`."""
    source = traffic.sources[name]
    return DrawnBlocks(
        name,
        source,
        {
            subscriber: wanted.work_ms
            for subscriber, wanted in sorted(traffic.subscribers.items())
            if source.stream in wanted.streams
        },
        seed,
        ns_from_s(traffic.duration_s),
        block_size(len(traffic.sources)),
        stuck=stuck,
    )


def outline_of(sources: list[DrawnBlocks], traffic: Traffic, seed: int) -> PlanOutline:
    """Return what is left of a plan all of whose blocks were read."""
    digests: dict[str, str] = {}
    for source in sources:
        digests |= source.digests
    return PlanOutline(
        seed,
        ns_from_s(resolved_traffic(traffic).duration_s),
        FrozenDict({source.source: source.records for source in sources}),
        FrozenDict(digests),
    )


def _may_lack_keys(source: Source) -> bool:
    """Return whether the law of a source's keys leaves some records without one."""
    keys = source.keys
    if isinstance(keys, NoKeys):
        return True
    if isinstance(keys, TraceColumn):
        assert isinstance(source.arrivals, Trace)
        codes, _ = source.arrivals.codes(keys.column)
        return bool((codes < 0).any())
    return keys.null_share > 0
