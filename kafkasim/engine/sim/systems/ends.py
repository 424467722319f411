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
from kafkasim.scenario.arrivals import ClosedLoop
from kafkasim.scenario.blocks import SourceBlock
from kafkasim.scenario.drawn_blocks import DrawnBlocks, Stuck, drawn_source
from kafkasim.scenario.draws import thinks_ns
from kafkasim.scenario.plan import SourcePlan
from kafkasim.scenario.traffic import Traffic
from kafkasim.units import FOREVER_NS, MISSING_NS, ns_from_s


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
        "arrived_ns", "ended_ns", "is_lost", "is_orphan", "ordinal", "position",
         "source", "started_ns", "subscriber", "tries",
    )  # fmt: skip

    def __init__(self, source: "Sending", ordinal: int, position: int) -> None:
        self.source = source
        self.ordinal = ordinal
        self.position = position
        """Place of the subscriber in `source.wants`."""
        self.subscriber = source.wants[position]
        self.tries = 0
        self.is_lost = False
        """Its connection broke before it was answered."""
        self.is_orphan = False
        """Its source has crashed and waits for no answer."""
        self.arrived_ns = self.started_ns = self.ended_ns = MISSING_NS


class SourceEvents:
    """What a source sends, and the columns that come of it.

    Parameters
    ----------
    code : int
        Its number among the sources.
    plan : SourcePlan
        What it sends.
    loop : LoopOfEvents, optional
        What it sends beyond that, if it is a closed loop.
    """

    def __init__(
        self, code: int, plan: SourcePlan, loop: "LoopOfEvents | None" = None
    ) -> None:
        count = len(plan.intended_ns)
        self.code = code
        self.plan = plan
        self.loop = loop
        self.intended = plan.intended_ns.data
        self.created_ns = np.full(count, MISSING_NS, np.int64)
        self.acked_ns = np.full(count, MISSING_NS, np.int64)
        self.send_count = np.zeros(count, np.int16)
        self.failed: dict[int, int] = {}
        """Ordinals of those that it has given up, and the codes of the causes."""
        self.next_ordinal = 0
        self.works: list[memoryview] = []
        """Work per event of each subscriber of its stream."""

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
        self.works = [
            self.loop.more_work(name, work, block).data
            for work, name in zip(self.works, self.loop.readers, strict=True)
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


class Sending(SourceEvents):
    """The sending end: one event at a time, to all who want it.

    Parameters
    ----------
    code, actor : int
        Its numbers among the sources and among the run's actors.
    plan, loop
        As of `SourceEvents`.
    """

    def __init__(
        self,
        code: int,
        actor: int,
        plan: SourcePlan,
        loop: "LoopOfEvents | None" = None,
    ) -> None:
        super().__init__(code, plan, loop)
        self.waiting = 0
        """Answers still to come for the event being sent."""
        self.blocked_since_ns = MISSING_NS
        self.is_still = False
        """It stands still, and does not see the answers that come."""
        self.is_due = self.was_blocked = False
        """Since it stood still its next event was due; it was behind before."""
        self.unseen: list[Send] = []
        """Those that have come meanwhile, by what they answer."""
        self.current: list[Send | None] = []
        """What each subscriber has to answer."""
        self.is_down = False
        self.lost_users = 0
        """Users of a loop whose events a crash took, until it is back."""
        self.resumed_ns = 0
        """When it last went on, or will."""
        self.wants: list[Subscribing] = []
        """Subscribers of its stream."""
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


def loop_of_events(
    source: str, traffic: Traffic, seed: int, stuck: Stuck
) -> "LoopOfEvents | None":
    """Return the closed loop that is a source's traffic, if it is one.

    `stuck` is that of `DrawnBlocks`.
    """
    law = traffic.sources[source].arrivals
    if not isinstance(law, ClosedLoop):
        return None
    return LoopOfEvents(
        drawn_source(source, traffic, seed, stuck),
        thinks_ns(source, law, seed),
        law.outstanding,
        ns_from_s(traffic.duration_s),
    )


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
        Subscribers of its stream, in the order of `SourceEvents.works`.
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
