"""A source's records in blocks: cut from a plan, or drawn as they are needed.

A run reads each source block by block and lets go of what it no longer needs. Cut from
a plan or drawn, the blocks hold the same numbers, whatever their size.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from kafkasim.scenario.plan import Plan, SourcePlan

BLOCK: Final = 1 << 16
"""Records of the blocks of all sources together, one of each."""
_LEAST: Final = 1 << 12
"""Records of a source's block at least, unless `BLOCK` is less."""


@dataclass(frozen=True, slots=True, eq=False)
class SourceBlock:
    """Consecutive records of a source; all arrays have one entry per record."""

    intended_ns: NDArray[np.int64]
    """When the world wants each record sent."""
    key_id: NDArray[np.int32]
    """Position in the source's key labels; −1 for a record without a key."""
    entity_id: NDArray[np.int32]
    """Position in the source's entity labels; −1 for a record of no entity."""
    value_bytes: NDArray[np.int32]
    """Size of each value; −1 for a null value."""
    work_ns: Mapping[str, NDArray[np.int64]]
    """By subscriber: work on each record; without those whose work is all the same."""

    def __len__(self) -> int:
        return len(self.intended_ns)


class SourceBlocks(Protocol):
    """The records of one source, to be read once, block by block."""

    @property
    def source(self) -> str:
        """Name of the source."""
        ...

    @property
    def stream(self) -> str:
        """The stream it emits into."""
        ...

    @property
    def key_labels(self) -> tuple[str, ...]:
        """The keys' text."""
        ...

    @property
    def entity_labels(self) -> tuple[str, ...]:
        """The entities' names."""
        ...

    @property
    def may_lack_keys(self) -> bool:
        """Whether some of its records may have no key."""
        ...

    @property
    def work_names(self) -> frozenset[str]:
        """The subscribers that want its records."""
        ...

    @property
    def each_work_ns(self) -> Mapping[str, int]:
        """Work on every record, of the subscribers for whom it is all the same."""
        ...

    def __iter__(self) -> Iterator[SourceBlock]:
        """Yield the blocks, none of them empty."""
        ...


class PlannedBlocks:
    """The blocks of a source whose plan is drawn.

    Parameters
    ----------
    plan : SourcePlan
        The source's records.
    work_ns : mapping of str to int64 array
        By subscriber: work on each record.
    size : int, optional
        Records of a block; `block_size(1)` when not given.
    """

    def __init__(
        self,
        plan: SourcePlan,
        work_ns: Mapping[str, NDArray[np.int64]],
        size: int | None = None,
    ) -> None:
        self.source: Final = plan.source
        self.stream: Final = plan.stream
        self.key_labels: Final = plan.key_labels
        self.entity_labels: Final = plan.entity_labels
        self.may_lack_keys: Final = bool((plan.key_id < 0).any())
        self.work_names: Final = frozenset(work_ns)
        self.each_work_ns: Final = {
            name: int(column[0]) if len(column) else 0
            for name, column in work_ns.items()
            if _is_constant(column[:_LEAST]) and _is_constant(column)
        }
        self._plan = plan
        self._work_ns = {
            name: column
            for name, column in work_ns.items()
            if name not in self.each_work_ns
        }
        self._size = size or block_size(1)

    def __iter__(self) -> Iterator[SourceBlock]:
        """Yield the blocks, none of them empty."""
        plan = self._plan
        for start in range(0, len(plan), self._size):
            part = slice(start, start + self._size)
            yield SourceBlock(
                plan.intended_ns[part],
                plan.key_id[part],
                plan.entity_id[part],
                plan.value_bytes[part],
                {name: column[part] for name, column in self._work_ns.items()},
            )


def _is_constant(column: NDArray[np.int64]) -> bool:
    return not len(column) or bool((column == column[0]).all())


def blocks_of(plan: Plan) -> list[PlannedBlocks]:
    """Return the blocks of every source of a plan, in the order of their names."""
    work_ns: dict[str, dict[str, NDArray[np.int64]]] = {
        name: {} for name in plan.sources
    }
    for (subscriber, source), column in plan.work_ns.items():
        work_ns[source][subscriber] = column
    size = block_size(len(plan.sources))
    return [
        PlannedBlocks(source, work_ns[name], size)
        for name, source in plan.sources.items()
    ]


def block_size(sources: int) -> int:
    """Return how many records a block of one of so many sources should hold."""
    return max(min(_LEAST, BLOCK), BLOCK // max(1, sources))
