"""The records of a client that are not all known before the run.

In the order in which the client is handed them, they are those of the world's plan (or
of a closed loop, as far as it came), and between them those that the application sent
again. One of these has the key, the size and the work of the record it repeats.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from kafkasim.engine.sim.handing_over import SourceHandOver
from kafkasim.scenario.blocks import SourceBlock, SourceBlocks
from kafkasim.scenario.plan import SourcePlan
from kafkasim.units import MISSING_NS

Ints = NDArray[np.int64]
Cause = int | str
"""Why a record was sent again, or lost: the code of an error, or an event's name."""


class LiveRecords:
    """One client's records so far; a record's *ordinal* is its place among them.

    Parameters
    ----------
    plan : SourcePlan
        Those planned; empty for a closed loop, whose blocks are added as they are
        drawn.
    work_ns : mapping of str to int64 array
        By subscriber, work on each of those planned.
    is_loop : bool
        Whether they are those of a closed loop.
    each_work_ns : mapping of str to int
        Work on every record, of the subscribers for whom it is all the same.

    Attributes
    ----------
    repeats : list of int
        Of each record that was sent again, in their order: the ordinal of the one it
        repeats.
    lost : list of tuple
        Ordinals of records that were in its memory when it crashed, and the cause.
    """

    def __init__(
        self,
        plan: SourcePlan,
        work_ns: Mapping[str, Ints],
        *,
        is_loop: bool,
        each_work_ns: Mapping[str, int] | None = None,
    ) -> None:
        self._each_work_ns = each_work_ns or {}
        self._plan = plan
        self._work_ns = dict(work_ns)
        self._blocks: list[SourceBlock] = []
        self.is_loop = is_loop
        self._begun_ns: list[int] = []
        self._added: list[int] = []
        self._added_ns: list[int] = []
        self.repeats: list[int] = []
        self.lost: list[tuple[int, Cause]] = []
        self._causes: list[Cause] = []
        self.key_labels = plan.key_labels

    def __len__(self) -> int:
        known = len(self._begun_ns) if self.is_loop else len(self._plan)
        return known + len(self._added)

    @property
    def begun(self) -> int:
        """Records of the loop that were created so far."""
        return len(self._begun_ns)

    # --- what happens ---------------------------------------------------------------

    def draw(self, block: SourceBlock) -> None:
        """Know the next records of the loop, whenever they will be created."""
        self._blocks.append(block)

    def begin(self, count: int, now_ns: int) -> None:
        """Let the next records of the loop be created now."""
        self._begun_ns += [now_ns] * count
        self._forget()

    def add(
        self, at: int, repeats: Sequence[int], causes: Sequence[Cause], now_ns: int
    ) -> None:
        """Put repetitions behind all that was handed over, the first at an ordinal."""
        assert not self._added or at > self._added[-1]
        self._added += range(at, at + len(repeats))
        self._added_ns += [now_ns] * len(repeats)
        self.repeats += repeats
        self._causes += causes
        self._forget()

    def _forget(self) -> None:
        for name in ("roots", "plan"):
            self.__dict__.pop(name, None)

    # --- what there is --------------------------------------------------------------

    @property
    def added(self) -> Ints:
        """Ordinals of the records that were sent again."""
        return np.array(self._added, np.int64)

    @property
    def added_ns(self) -> Sequence[int]:
        """When each of them was."""
        return self._added_ns

    def caused(self) -> list[tuple[int, Cause]]:
        """Return the ordinals of what was lost or sent again, and why."""
        return [*self.lost, *zip(self._added, self._causes, strict=True)]

    def ordinals_of(self, numbers: Ints) -> Ints:
        """Return the ordinals of records of the plan, or of the loop, by number."""
        is_own = np.ones(len(self), np.bool_)
        is_own[self.added] = False
        own = np.flatnonzero(is_own)
        return own[numbers[numbers < len(own)]]

    @cached_property
    def roots(self) -> Ints:
        """Of each record, the number of the one in the plan that it is or repeats."""
        added = self.added
        roots = np.empty(len(self), np.int64)
        is_own = np.ones(len(self), np.bool_)
        is_own[added] = False
        roots[is_own] = np.arange(np.count_nonzero(is_own))
        for at, repeated in zip(self._added, self.repeats, strict=True):
            roots[at] = roots[repeated]
        return roots

    def block_of(self, ordinals: Ints, now_ns: int) -> SourceBlock:
        """Return repetitions of some records, to be created now."""
        self._join_blocks()
        roots = self.roots[ordinals]
        plan = self._plan
        return SourceBlock(
            np.full(len(roots), now_ns, np.int64),
            plan.key_id[roots],
            plan.entity_id[roots],
            plan.value_bytes[roots],
            {name: column[roots] for name, column in self._work_ns.items()},
        )

    def _join_blocks(self) -> None:
        """Make one plan of what was drawn."""
        if not self._blocks:
            return
        blocks, self._blocks = self._blocks, []
        plan = self._plan

        def joined(
            column: NDArray[np.int32], of: Callable[[SourceBlock], NDArray[np.int32]]
        ) -> NDArray[np.int32]:
            return np.concatenate([column, *map(of, blocks)])

        key_id = joined(plan.key_id, lambda block: block.key_id)
        entity_id, entity_labels = key_id, plan.key_labels
        if not plan.entity_is_key:
            entity_id = joined(plan.entity_id, lambda block: block.entity_id)
            entity_labels = plan.entity_labels
        self._plan = replace(
            plan,
            intended_ns=np.full(len(key_id), MISSING_NS),
            key_id=key_id,
            entity_id=entity_id,
            entity_labels=entity_labels,
            value_bytes=joined(plan.value_bytes, lambda block: block.value_bytes),
        )
        for name, column in self._work_ns.items():
            each_ns = self._each_work_ns.get(name)
            more = [
                block.work_ns[name]
                if each_ns is None
                else np.full(len(block), each_ns, np.int64)
                for block in blocks
            ]
            self._work_ns[name] = np.concatenate([column, *more])

    @cached_property
    def plan(self) -> SourcePlan:
        """All of them, as if they had been planned."""
        self._join_blocks()
        plan, roots = self._plan, self.roots
        key_id = plan.key_id[roots]
        return replace(
            plan,
            intended_ns=plan.intended_ns[roots],
            key_id=key_id,
            entity_id=key_id if plan.entity_is_key else plan.entity_id[roots],
            value_bytes=plan.value_bytes[roots],
        )

    @property
    def key_id(self) -> NDArray[np.int32]:
        """Position of each one's key in `key_labels`; −1 for none."""
        return self.plan.key_id

    @property
    def value_bytes(self) -> NDArray[np.int32]:
        """Size of each value; −1 for a null value."""
        return self.plan.value_bytes

    def works_ns(self) -> Mapping[str, Ints]:
        """Return by subscriber the work on each of them."""
        self._join_blocks()
        return {name: column[self.roots] for name, column in self._work_ns.items()}

    def handed_ns(self) -> Ints:
        """Return when each was to be handed over."""
        roots = self.roots
        begun_ns = np.array(self._begun_ns, np.int64)
        times_ns = (begun_ns if self.is_loop else self._plan.intended_ns)[roots]
        times_ns[self.added] = np.array(self._added_ns, np.int64)
        return times_ns


class LoopBlocks:
    """The records of a closed loop, as one of its clients reads them.

    Parameters
    ----------
    blocks : SourceBlocks
        Without end.
    records : LiveRecords
        Told what was read.
    """

    def __init__(self, blocks: SourceBlocks, records: LiveRecords) -> None:
        self.source = blocks.source
        self.stream = blocks.stream
        self.key_labels = blocks.key_labels
        self.entity_labels = blocks.entity_labels
        self.may_lack_keys = blocks.may_lack_keys
        self.work_names = blocks.work_names
        self.each_work_ns = blocks.each_work_ns
        self._blocks = blocks
        self._records = records

    def __iter__(self) -> Iterator[SourceBlock]:
        """Yield the blocks, none of them empty."""
        for block in self._blocks:
            self._records.draw(block)
            yield block


class LiveHandOver(SourceHandOver):
    """What became of live records on their way into the client.

    Parameters
    ----------
    source : int
        Its code.
    records : LiveRecords
        Which.
    write_blocked, on_timed_out : callable
        As those of `SourceHandOver`.
    """

    __slots__ = ("_later", "_records", "on_failed")

    def __init__(
        self,
        source: int,
        records: LiveRecords,
        *,
        write_blocked: Callable[[int, int, int, int], None],
        on_timed_out: Callable[[int, int], None],
    ) -> None:
        super().__init__(
            source, None, write_blocked=write_blocked, on_timed_out=on_timed_out
        )
        self._records = records
        self._later: dict[int, int] = {}
        self.on_failed: Callable[[int], object] = lambda _: None
        """Told of a record that has failed, by its ordinal, before others are."""

    def timed_out(self, ordinal: int, intended_ns: int) -> None:
        """Take note that a record has failed: there was no memory for it in time."""
        self.on_failed(ordinal)
        super().timed_out(ordinal, intended_ns)

    def delayed(self, ordinal: int, created_ns: int) -> None:
        """Take note that a record is handed over later than intended, or never."""
        self._later[ordinal] = created_ns

    @property
    def created_ns(self) -> Ints | None:
        """When they were handed over; later than any run for those that were not."""
        times_ns = self._records.handed_ns()
        for ordinal, created_ns in self._later.items():
            times_ns[ordinal] = created_ns
        return times_ns
