"""What one source publishes: its plan, and what became of each message.

A message is known by one int, the code of its source above its ordinal, so that a
closed loop, of which nobody knows how many it sends, needs no other numbers.
"""

from array import array
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from kafkasim.engine.sim.systems.ends import LoopOfEvents
from kafkasim.result.schema import OUTCOMES
from kafkasim.scenario.plan import SourcePlan
from kafkasim.units import FOREVER_NS, MISSING_NS

ROW_SHIFT: Final = 40
"""A message is its source's code and, in so many bits below it, its ordinal."""
ORDINAL: Final = (1 << ROW_SHIFT) - 1
ACKED, FAILED, UNACKED, IN_FLIGHT = map(
    OUTCOMES["records"].index, ("acked", "failed", "unacked", "in_flight")
)
"""Codes of outcomes."""


class Feed:
    """The messages of one source.

    Parameters
    ----------
    code : int
        Of the source.
    plan : SourcePlan
        What it publishes.
    work : mapping of str to int64 array
        Work on each message, by subscriber.
    loop : LoopOfEvents, optional
        What it publishes beyond its plan, if it is a closed loop.
    """

    __slots__ = (
        "acked_ns", "appended_ns", "base", "causes", "code", "created_ns", "errors",
        "intended", "loop", "next_ordinal", "outcomes", "plan", "send_count", "sizes",
        "work",
    )  # fmt: skip

    def __init__(
        self,
        code: int,
        plan: SourcePlan,
        work: Mapping[str, NDArray[np.int64]],
        loop: LoopOfEvents | None = None,
    ) -> None:
        self.code = code
        self.base = code << ROW_SHIFT
        self.plan = plan
        self.loop = loop
        self.intended = plan.intended_ns.data
        self.sizes = np.maximum(plan.value_bytes, 0).tolist()
        self.work = {name: column.tolist() for name, column in work.items()}
        self.next_ordinal = 0
        count = len(plan.intended_ns)
        self.created_ns = array("q", [MISSING_NS]) * count
        self.acked_ns = array("q", [MISSING_NS]) * count
        self.appended_ns = array("q", [MISSING_NS]) * count
        """When the first queue had it."""
        self.send_count = array("i", [0]) * count
        self.outcomes = array("b", [IN_FLIGHT]) * count
        self.errors = array("b", [-1]) * count
        self.causes = array("h", [-1]) * count

    def due_ns(self) -> int:
        """Return when the next message is to be sent; `FOREVER_NS` if there is none."""
        if self.loop is not None:
            return self.loop.due_ns()
        at = self.next_ordinal
        return self.intended[at] if at < len(self.intended) else FOREVER_NS

    def take(self, now_ns: int) -> int:
        """Create the next message; return its ordinal."""
        ordinal = self.next_ordinal
        self.next_ordinal = ordinal + 1
        if self.loop is None:
            self.created_ns[ordinal] = now_ns
        else:
            if ordinal == len(self.created_ns):
                self._draw()
            self.created_ns[ordinal] = self.loop.take(now_ns)
        return ordinal

    def _draw(self) -> None:
        """Make room for more messages of the loop."""
        assert self.loop is not None
        block, plan = self.loop.draw(), self.plan
        count = len(block)
        key_id = np.concatenate([plan.key_id, block.key_id])
        entity_id = key_id
        if not plan.entity_is_key:
            entity_id = np.concatenate([plan.entity_id, block.entity_id])
        missing = np.full(count, MISSING_NS)
        self.plan = replace(
            plan,
            intended_ns=np.concatenate([plan.intended_ns, missing]),
            key_id=key_id,
            entity_id=entity_id,
            value_bytes=np.concatenate([plan.value_bytes, block.value_bytes]),
        )
        self.sizes += np.maximum(block.value_bytes, 0).tolist()
        for name, work in self.work.items():
            work.extend(self.loop.more_work(name, (), block).tolist())
        for column in (self.created_ns, self.acked_ns, self.appended_ns):
            column.extend([MISSING_NS] * count)
        self.send_count.extend([0] * count)
        self.outcomes.extend([IN_FLIGHT] * count)
        self.errors.extend([-1] * count)
        self.causes.extend([-1] * count)

    def cut(self) -> None:
        """Keep what was created of a closed loop."""
        count, plan = self.next_ordinal, self.plan
        key_id = plan.key_id[:count]
        self.plan = replace(
            plan,
            intended_ns=plan.intended_ns[:count],
            key_id=key_id,
            entity_id=key_id if plan.entity_is_key else plan.entity_id[:count],
            value_bytes=plan.value_bytes[:count],
        )
        for column in (
            *(self.created_ns, self.acked_ns, self.appended_ns, self.send_count),
            *(self.outcomes, self.errors, self.causes),
        ):
            del column[count:]

    def key(self, ordinal: int) -> str:
        """Return the text of a message's key; nothing if it has none."""
        number = int(self.plan.key_id[ordinal])
        return self.plan.key_labels[number] if number >= 0 else ""
