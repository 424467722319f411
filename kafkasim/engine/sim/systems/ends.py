"""The two ends of a link without a broker, and what travels between them."""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import replace
from heapq import heappop, heappush

import numpy as np
from numpy.typing import NDArray

from kafkasim.engine.sim.at_work import UNSLOWED
from kafkasim.engine.sim.calendar import Rank, key_base
from kafkasim.engine.sim.network import Pipe
from kafkasim.engine.sim.pace import Pace
from kafkasim.scenario.blocks import SourceBlock
from kafkasim.scenario.drawn_blocks import DrawnBlocks
from kafkasim.scenario.plan import SourcePlan
from kafkasim.units import FOREVER_NS, MISSING_NS


class Subscribing:
    """The receiving end: works through what arrives, one event at a time."""

    __slots__ = (
        "answer_key", "at_work", "code", "paused", "queue", "service_key", "services",
        "slowed", "up",
    )  # fmt: skip

    def __init__(self, code: int, services: Iterator[int]) -> None:
        self.code = code
        self.services = services
        """What it takes to take a request in, one after the other."""
        self.up = True
        self.paused = False
        self.slowed = UNSLOWED
        self.at_work: Send | None = None
        self.queue: deque[Send] = deque()
        """What has arrived and waits for its turn."""
        self.service_key = key_base(Rank.SERVICE, code + 1)
        self.answer_key = key_base(Rank.ANSWER, code + 1)


class Send:
    """One event on its way to one subscriber."""

    __slots__ = (
        "arrived_ns", "ended_ns", "ordinal", "position", "source", "started_ns",
        "subscriber", "tries",
    )  # fmt: skip

    def __init__(self, source: "Sending", ordinal: int, position: int) -> None:
        self.source = source
        self.ordinal = ordinal
        self.position = position
        """Place of the subscriber in `source.wants`."""
        self.subscriber = source.wants[position][0]
        self.tries = 0
        self.arrived_ns = self.started_ns = self.ended_ns = MISSING_NS


class Sending:
    """The sending end: one event at a time, to all who want it.

    Parameters
    ----------
    code, actor : int
        Its numbers among the sources and among the run's actors.
    plan : SourcePlan
        What it sends.
    loop : LoopOfEvents, optional
        What it sends beyond that, if it is a closed loop.
    """

    __slots__ = (
        "acked_ns", "arrival_key", "blocked_since_ns", "code", "created_ns", "down",
        "intended", "is_due", "is_still", "loop", "next_ordinal", "plan", "resumed_ns",
        "send_count", "sends", "sent_bytes", "timer_key", "unseen", "up", "waiting",
        "wants", "was_blocked",
    )  # fmt: skip

    def __init__(
        self,
        code: int,
        actor: int,
        plan: SourcePlan,
        loop: "LoopOfEvents | None" = None,
    ) -> None:
        count = len(plan.intended_ns)
        self.code = code
        self.plan = plan
        self.loop = loop
        self.intended = plan.intended_ns.data
        self.created_ns = np.full(count, MISSING_NS, np.int64)
        self.acked_ns = np.full(count, MISSING_NS, np.int64)
        self.send_count = np.zeros(count, np.int16)
        self.next_ordinal = 0
        self.waiting = 0
        """Answers still to come for the event being sent."""
        self.blocked_since_ns = MISSING_NS
        self.is_still = False
        """It stands still, and does not see the answers that come."""
        self.is_due = self.was_blocked = False
        """Since it stood still its next event was due; it was behind before."""
        self.unseen: list[Send] = []
        """Those that have come meanwhile, by what they answer."""
        self.resumed_ns = 0
        """When it last went on, or will."""
        self.wants: list[tuple[Subscribing, memoryview]] = []
        """Subscribers of its stream, each with its work per event."""
        self.up: list[Pipe] = []
        self.down: list[Pipe] = []
        self.sends: list[int] = []
        """Events sent to each of them so far, and their bytes."""
        self.sent_bytes: list[int] = []
        self.timer_key = key_base(Rank.TIMER, actor)
        self.arrival_key = key_base(Rank.ARRIVAL, actor)

    def stand_still(self, until_ns: int) -> None:
        """Stand still until a time."""
        self.was_blocked = self.blocked_since_ns != MISSING_NS
        self.is_still, self.resumed_ns = True, until_ns

    def resume(self) -> list[Send]:
        """Go on; return what was answered meanwhile."""
        self.is_still = False
        if self.was_blocked:
            self.blocked_since_ns = self.resumed_ns
        unseen, self.unseen = self.unseen, []
        return unseen

    def due_ns(self) -> int:
        """Return when the next event is to be sent; `FOREVER_NS` if there is none."""
        if self.loop is not None:
            return self.loop.due_ns()
        at = self.next_ordinal
        return self.intended[at] if at < len(self.intended) else FOREVER_NS

    def draw(self) -> None:
        """Make room for more events of the loop."""
        assert self.loop is not None
        block = self.loop.draw()
        plan = self.plan
        key_id = np.concatenate([plan.key_id, block.key_id])
        entity_id = key_id
        if not plan.entity_is_key:
            entity_id = np.concatenate([plan.entity_id, block.entity_id])
        missing = np.full(len(block), MISSING_NS)
        self.plan = replace(
            plan,
            intended_ns=np.concatenate([plan.intended_ns, missing]),
            key_id=key_id,
            entity_id=entity_id,
            value_bytes=np.concatenate([plan.value_bytes, block.value_bytes]),
        )
        self.created_ns = np.concatenate([self.created_ns, missing])
        self.acked_ns = np.concatenate([self.acked_ns, missing])
        none = np.zeros(len(block), np.int16)
        self.send_count = np.concatenate([self.send_count, none])
        self.wants = [
            (subscriber, self.loop.more_work(name, work, block).data)
            for (subscriber, work), name in zip(
                self.wants, self.loop.readers, strict=True
            )
        ]

    def cut(self, count: int) -> None:
        """Keep so many events: no more were created."""
        plan = self.plan
        key_id = plan.key_id[:count]
        self.plan = replace(
            plan,
            intended_ns=plan.intended_ns[:count],
            key_id=key_id,
            entity_id=key_id if plan.entity_is_key else plan.entity_id[:count],
            value_bytes=plan.value_bytes[:count],
        )
        self.created_ns = self.created_ns[:count]
        self.acked_ns = self.acked_ns[:count]
        self.send_count = self.send_count[:count]


class LoopOfEvents:
    """A closed loop that a source sends, event by event.

    Users whose time to think is over stand in a queue; the one in front is next.

    Parameters
    ----------
    blocks : DrawnBlocks
        The events, without end.
    thinks : iterator of int
        Times to think, nanoseconds.
    outstanding : int
        Users.
    duration_ns : int
        No event is created from then on.

    Attributes
    ----------
    readers : list of str
        Subscribers of its stream, in the order of `Sending.wants`.
    """

    def __init__(
        self,
        blocks: DrawnBlocks,
        thinks: Iterator[int],
        outstanding: int,
        duration_ns: int,
    ) -> None:
        self.readers: list[str] = []
        self.pace = Pace(blocks.source, outstanding)
        self._each_work_ns = blocks.each_work_ns
        self._blocks = iter(blocks)
        self._thinks = thinks
        self._duration_ns = duration_ns
        self._due = [0] * outstanding
        """A heap of when users send."""
        self.users = outstanding
        """Who send, wait for an answer or think."""

    def due_ns(self) -> int:
        """Return when the next user sends; `FOREVER_NS` if none has to."""
        return self._due[0] if self._due else FOREVER_NS

    def take(self, now_ns: int) -> int:
        """Let the next user send; return since when he wanted to.

        Raises
        ------
        ValidationError
            The loop goes round and round without time passing.
        """
        self.pace.count(1, now_ns)
        return heappop(self._due)

    def answered(self, now_ns: int) -> bool:
        """Let a user think whose event is done; return whether he was the last."""
        due_ns = now_ns + next(self._thinks)
        if due_ns < self._duration_ns:
            heappush(self._due, due_ns)
            return False
        self.users -= 1
        return self.users == 0

    def draw(self) -> SourceBlock:
        """Return the next events, whenever they will be created."""
        return next(self._blocks)

    def more_work(
        self, subscriber: str, work: Sequence[int], block: SourceBlock
    ) -> NDArray[np.int64]:
        """Return a subscriber's work with that on the next events."""
        each_ns = self._each_work_ns.get(subscriber)
        more = block.work_ns.get(subscriber)
        if more is None:
            more = np.full(len(block), each_ns, np.int64)
        return np.concatenate([np.asarray(work, np.int64), more])
