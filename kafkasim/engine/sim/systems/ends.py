"""The two ends of a link without a broker, and what travels between them."""

from collections import deque
from collections.abc import Iterator

import numpy as np

from kafkasim.engine.sim.at_work import UNSLOWED
from kafkasim.engine.sim.calendar import Rank, key_base
from kafkasim.engine.sim.network import Pipe
from kafkasim.scenario.plan import SourcePlan
from kafkasim.units import MISSING_NS


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
    """The sending end: one event at a time, to all who want it."""

    __slots__ = (
        "acked_ns", "arrival_key", "blocked_since_ns", "code", "created_ns", "down",
        "intended", "next_ordinal", "plan", "send_count", "sends", "sent_bytes",
        "timer_key", "up", "waiting", "wants",
    )  # fmt: skip

    def __init__(self, code: int, actor: int, plan: SourcePlan) -> None:
        count = len(plan.intended_ns)
        self.code = code
        self.plan = plan
        self.intended = plan.intended_ns.data
        self.created_ns = np.full(count, MISSING_NS, np.int64)
        self.acked_ns = np.full(count, MISSING_NS, np.int64)
        self.send_count = np.zeros(count, np.int16)
        self.next_ordinal = 0
        self.waiting = 0
        """Answers still to come for the event being sent."""
        self.blocked_since_ns = MISSING_NS
        self.wants: list[tuple[Subscribing, memoryview]] = []
        """Subscribers of its stream, each with its work per event."""
        self.up: list[Pipe] = []
        self.down: list[Pipe] = []
        self.sends: list[int] = []
        """Events sent to each of them so far, and their bytes."""
        self.sent_bytes: list[int] = []
        self.timer_key = key_base(Rank.TIMER, actor)
        self.arrival_key = key_base(Rank.ARRIVAL, actor)
