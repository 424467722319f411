"""The clients of a run's sources, and which records of the world each is handed.

A source with `instances=n` is n processes: record k goes through instance k mod n, and
each has a client of its own, `web/1` to `web/n`. To the engine they are n sources; here
a plan is dealt out to them and what they recorded is put together again.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import tee
from typing import Final

import numpy as np
from numpy.typing import NDArray

from kafkasim.ids import instance_name
from kafkasim.scenario.blocks import SourceBlock, SourceBlocks
from kafkasim.scenario.plan import Plan, SourcePlan, planned
from kafkasim.scenario.systems import Producer

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Lane:
    """One client, and whose records it sends."""

    name: str
    """Of the client: the source's, or `web/2` for the second of several instances."""
    source: str
    """Name of the source."""
    code: int
    """Position of the source among all, by name."""
    first: int
    """Number of its first record among those of the source."""
    step: int
    """Every how-many-th is its own; the source's number of instances."""


def lanes_of(sources: Sequence[str], producers: Mapping[str, Producer]) -> list[Lane]:
    """Return the lanes of all sources, in the order of their names.

    Parameters
    ----------
    sources : sequence of str
        Names, sorted.
    producers : mapping of str to Producer
        By source.

    Examples
    --------
    >>> [lane.name for lane in lanes_of(["web"], {"web": Producer(instances=2)})]
    ['web/1', 'web/2']
    """
    lanes = []
    for code, source in enumerate(sources):
        count = producers[source].instances
        lanes += [
            Lane(instance_name(source, number + 1, count), source, code, number, count)
            for number in range(count)
        ]
    return lanes


def dealt_plan(plan: Plan, lanes: Sequence[Lane]) -> Plan:
    """Return the plan with a source for every lane."""
    if all(lane.step == 1 for lane in lanes):
        return plan
    work_ns = {
        (subscriber, lane.name): column[lane.first :: lane.step]
        for (subscriber, source), column in plan.work_ns.items()
        for lane in lanes
        if lane.source == source
    }
    sources = {lane.name: _dealt(plan.sources[lane.source], lane) for lane in lanes}
    return planned(plan.seed, plan.duration_ns, sources, work_ns)


def _dealt(plan: SourcePlan, lane: Lane) -> SourcePlan:
    mine = slice(lane.first, None, lane.step)
    key_id = np.ascontiguousarray(plan.key_id[mine])
    entity_id, entity_labels = key_id, plan.key_labels
    if not plan.entity_is_key:
        entity_id = np.ascontiguousarray(plan.entity_id[mine])
        entity_labels = plan.entity_labels
    return replace(
        plan,
        source=lane.name,
        intended_ns=np.ascontiguousarray(plan.intended_ns[mine]),
        key_id=key_id,
        entity_id=entity_id,
        entity_labels=entity_labels,
        value_bytes=np.ascontiguousarray(plan.value_bytes[mine]),
    )


def dealt_blocks(
    sources: Sequence[SourceBlocks], lanes: Sequence[Lane]
) -> list[SourceBlocks]:
    """Return the blocks of every lane; those of a source are read but once."""
    found: list[SourceBlocks] = []
    for code, source in enumerate(sources):
        mine = [lane for lane in lanes if lane.code == code]
        if len(mine) == 1:
            found.append(source)
            continue
        readers = tee(source, len(mine))
        found += [
            DealtBlocks(source, lane, reader)
            for lane, reader in zip(mine, readers, strict=True)
        ]
    return found


class DealtBlocks:
    """The blocks of one instance of a source: every n-th record.

    Parameters
    ----------
    whole : SourceBlocks
        Those of the source.
    lane : Lane
        Which are its own.
    reader : iterator of SourceBlock
        Gives the source's blocks, from the first on.
    """

    def __init__(
        self, whole: SourceBlocks, lane: Lane, reader: Iterator[SourceBlock]
    ) -> None:
        self.source: Final = lane.name
        self.stream: Final = whole.stream
        self.key_labels: Final = whole.key_labels
        self.entity_labels: Final = whole.entity_labels
        self.may_lack_keys: Final = whole.may_lack_keys
        self.work_names: Final = whole.work_names
        self.each_work_ns: Final = whole.each_work_ns
        self._lane = lane
        self._reader = reader

    def __iter__(self) -> Iterator[SourceBlock]:
        """Yield the blocks, none of them empty."""
        lane = self._lane
        first = lane.first
        for block in self._reader:
            mine = slice(first, None, lane.step)
            first = (first - len(block)) % lane.step
            if len(block.intended_ns[mine]):
                yield SourceBlock(
                    np.ascontiguousarray(block.intended_ns[mine]),
                    np.ascontiguousarray(block.key_id[mine]),
                    np.ascontiguousarray(block.entity_id[mine]),
                    np.ascontiguousarray(block.value_bytes[mine]),
                    {
                        name: np.ascontiguousarray(column[mine])
                        for name, column in block.work_ns.items()
                    },
                )


def planned_rows(lanes: Sequence[Lane], sizes: Sequence[int]) -> list[Ints]:
    """Return for each lane the rows of its records in the table `records`.

    Parameters
    ----------
    lanes : sequence of Lane
        Of the run.
    sizes : sequence of int
        Records of each.
    """
    totals = np.zeros(max((lane.code for lane in lanes), default=-1) + 1, np.int64)
    for lane, size in zip(lanes, sizes, strict=True):
        totals[lane.code] += size
    bases = np.cumsum(totals) - totals
    return [
        bases[lane.code] + lane.first + lane.step * np.arange(size, dtype=np.int64)
        for lane, size in zip(lanes, sizes, strict=True)
    ]
