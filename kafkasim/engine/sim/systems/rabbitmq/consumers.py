"""The consumers of a queue: each works on one delivery after the other."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

from kafkasim.engine.sim.at_work import UNSLOWED, slowed_ns
from kafkasim.engine.sim.calendar import Calendar, Rank, key_base
from kafkasim.engine.sim.request import Connection
from kafkasim.engine.sim.systems.rabbitmq.feed import ORDINAL, ROW_SHIFT
from kafkasim.engine.sim.systems.rabbitmq.messages import (
    ClientRequest,
    Nack,
    Reject,
)
from kafkasim.engine.sim.timeline import Timeline
from kafkasim.result.recorder import Writer
from kafkasim.scenario.draws import LEAST_WORK_NS
from kafkasim.scenario.rabbitmq import Consumers
from kafkasim.units import FOREVER_NS, MISSING_NS, ns_from_ms

PROCESSED, ABANDONED, IN_FLIGHT, NACKED, REJECTED = range(5)
"""Codes into the schema's outcomes of `deliveries`."""


Delivery = tuple[int, int, int]
"""A message that was handed to a consumer, its delivery tag, and when it is there."""


class RunOfConsumer(Protocol):
    """What a consumer asks of the run."""

    def connect(self, consumer: "Consuming") -> bool:
        """Connect it and subscribe; return whether its queue can be reached."""
        ...

    def say(self, consumer: "Consuming", request: ClientRequest) -> None:
        """Send something over its channel."""
        ...

    def hang_up(self, consumer: "Consuming") -> None:
        """Close its connection."""
        ...


class Consuming:
    """One consumer.

    Parameters
    ----------
    calendar, timeline
        The run's.
    actor, code : int
        Its numbers among the run's actors, and among its consumers.
    queue : str
        Its queue, and its subscriber.
    name : str
        Such as `billing/1`.
    settings : Consumers
        As they were said.
    subscriber : int
        Code of its queue, and its subscriber.
    works : sequence of list of int
        By source: work on each of its messages; None where it wants none of them.
    failures : iterator of bool
        Whether work on a delivery fails, one after the other.
    run : RunOfConsumer
        What it asks of the run.
    acknowledge : callable
        Acknowledges over its channel: takes the consumer, a delivery tag, and whether
        all up to it are meant.
    write : callable
        Writes a row of `deliveries`.
    sure_ns : int
        Before then nothing befalls it, and what it says takes the delay of its link.

    Attributes
    ----------
    connection, channel
        To the node of its queue; None while it has none.
    ways : Ways
        From its node and back.
    life : int
        How often a connection of it has ended.
    is_from_start : bool
        It is subscribed when the run begins.
    is_here : bool
        It has come, and has not gone for good.
    priority : int
        `x-priority`.
    """

    __slots__ = (
        "_begun_in", "_calendar", "_ended_ns", "_failures", "_free_ns", "_is_leaving",
        "_rest", "_retry_ns", "_run", "_say_acknowledged", "_started_ns", "_sure_ns",
        "_timeline", "_timer_key", "_turn", "_unacked", "_work_key", "_works",
        "_write_row", "arrival_key", "at_work", "buffer", "channel", "code",
        "connection", "done_ahead", "is_auto", "is_from_start", "is_here", "life",
        "name", "paused", "priority", "queue", "reply_key", "settings", "slowed",
        "subscriber", "up", "ways",
    )  # fmt: skip

    def __init__(
        self,
        calendar: Calendar,
        timeline: Timeline,
        *,
        actor: int,
        code: int,
        queue: str,
        name: str,
        settings: Consumers,
        subscriber: int,
        works: Sequence[list[int] | None],
        failures: Iterator[bool],
        run: RunOfConsumer,
        acknowledge: "Callable[[Consuming, int, bool], None]",
        write: Writer,
        sure_ns: int,
    ) -> None:
        self._calendar, self._timeline, self._run = calendar, timeline, run
        self._works, self._failures = works, failures
        self._say_acknowledged, self._write_row = acknowledge, write
        self._retry_ns = ns_from_ms(settings.retry_ms)
        self.code, self.queue, self.name = code, queue, name
        self.subscriber, self.settings = subscriber, settings
        self.priority = 0
        self.is_auto = settings.ack == "auto"
        one_by_one = settings.ack_every == 1 and not settings.failing_share
        self._sure_ns = 0 if self.is_auto or not one_by_one else sure_ns
        self._free_ns = 0
        """When it is done with all that it has been known to do."""
        self.done_ahead: list[int] = []
        """Rows of `deliveries`: message, and when it was there, begun and ended."""
        self.connection: Connection | None = None
        self.ways: Any = None
        self.channel = self.life = 0
        self.is_from_start = self.is_here = self.paused = self._is_leaving = False
        self.up, self.slowed = True, UNSLOWED
        self.buffer: deque[Delivery] = deque()
        """What has arrived and waits for its turn."""
        self.at_work: Delivery | None = None
        self._started_ns = self._ended_ns = MISSING_NS
        self._turn = self._begun_in = 0
        """Counts ends of work that were to come; in which life it began."""
        self._unacked = self._rest = 0
        """Deliveries done that are to be acknowledged together; the last one's tag."""
        self._timer_key = key_base(Rank.TIMER, actor)
        self._work_key = key_base(Rank.WAKE, actor)
        self.arrival_key = key_base(Rank.ARRIVAL, actor)
        self.reply_key = key_base(Rank.ANSWER, actor)

    # --- connection ---------------------------------------------------------------

    def come(self) -> None:
        """Begin: connect and subscribe."""
        self.is_here = True
        if self.up:
            self._connect(self.life)

    def _connect(self, life: int) -> None:
        if life != self.life or not self.up or not self.is_here:
            return
        if self.connection is None and (self.paused or not self._run.connect(self)):
            self._connect_later()

    def _connect_later(self) -> None:
        self._timer_key += 1
        at_ns = self._calendar.now_ns + self._retry_ns
        self._calendar.at(at_ns, self._timer_key, self._connect, self.life)

    def connection_lost(self) -> None:
        """Let go of what it holds, and connect anew after a while.

        Work that is under way goes on; nobody will hear of it, for its delivery tag was
        the old channel's.
        """
        self._drop_buffer()
        self._forget_connection()
        if self.up and self.is_here and not self._is_leaving:
            self._connect_later()

    def _forget_connection(self) -> None:
        self.connection = None
        self.life += 1
        self._unacked = 0

    def _drop_buffer(self) -> None:
        for delivery in self.buffer:
            self._write(delivery, MISSING_NS, MISSING_NS, ABANDONED)
        self.buffer.clear()

    # --- work ---------------------------------------------------------------------

    def take(self, message: int, tag: int) -> None:
        """Take a message in, with its delivery tag."""
        self.buffer.append((message, tag, self._calendar.now_ns))
        if self.at_work is None:
            self._work()

    def will_take(self, message: int, tag: int, arrives_ns: int) -> int:
        """Take in a message that will be there then, whatever happens.

        Returns
        -------
        int
            When its acknowledgement will be at the node, if nothing can happen until
            then; the work on it is worked out. Otherwise 0.
        """
        if self._sure_ns:
            start_ns = arrives_ns if arrives_ns > self._free_ns else self._free_ns
            works = self._works[message >> ROW_SHIFT]
            ends_ns = start_ns + (
                LEAST_WORK_NS if works is None else works[message & ORDINAL]
            )
            acked_ns: int = ends_ns + self.ways.delay_back_ns
            if acked_ns < self._sure_ns:
                self._free_ns = ends_ns
                self.done_ahead += (message, arrives_ns, start_ns, ends_ns)
                self.ways.sent_back += 1
                return acked_ns
            self._sure_ns = 0  # and what comes later is done later
        self.buffer.append((message, tag, arrives_ns))
        if self.at_work is None:
            self._work()
        return 0

    def _work(self) -> None:
        """Begin with the next message, as soon as it is there."""
        if not self.buffer or self.paused:
            return
        self.at_work = delivery = self.buffer.popleft()
        message, _, arrived_ns = delivery
        self._begun_in = self.life
        started_ns = max(self._calendar.now_ns, arrived_ns, self._free_ns)
        works = self._works[message >> ROW_SHIFT]
        work_ns = LEAST_WORK_NS if works is None else works[message & ORDINAL]
        if self.slowed != UNSLOWED:
            work_ns = slowed_ns(work_ns, self.slowed)
        self._started_ns, self._ended_ns = started_ns, started_ns + work_ns
        self._end_later()

    def _end_later(self) -> None:
        self._turn += 1
        self._timeline.expect(self._ended_ns)
        self._work_key = key = self._work_key + 1
        self._calendar.push((self._ended_ns, key, self._done, self._turn))

    def _done(self, turn: int) -> None:
        """Say what came of the work, and go on with the next delivery."""
        delivery = self.at_work
        if turn != self._turn or delivery is None:
            return  # it stopped meanwhile, or a pause has moved the end
        self.at_work = None
        settings = self.settings
        outcome = PROCESSED
        if settings.failing_share > 0.0 and next(self._failures):
            outcome = NACKED if settings.on_failure == "nack" else REJECTED
        self._write(delivery, self._started_ns, self._ended_ns, outcome)
        if not self.is_auto and self._begun_in == self.life:
            if outcome == PROCESSED:
                self._succeed(delivery[1])
            else:
                self._fail(delivery[1])
        if self._is_leaving:
            self._leave()
        else:
            self._work()

    def _write(
        self, delivery: Delivery, started_ns: int, ended_ns: int, outcome: int
    ) -> None:
        """Write a row of `deliveries`; without acknowledgements that settles it."""
        message, _, arrived_ns = delivery
        code = self.subscriber
        self._write_row(
            message,
            code,
            self.code,
            code,
            -1,
            -1,
            0,
            1,
            arrived_ns,
            started_ns,
            ended_ns,
            outcome,
        )
        if self.is_auto and outcome != IN_FLIGHT:
            self._timeline.settle(1)

    def _succeed(self, tag: int) -> None:
        self._unacked += 1
        self._rest = tag
        if self._unacked >= self.settings.ack_every or not self._has_more:
            self._acknowledge()

    @property
    def _has_more(self) -> bool:
        """Whether the next message is there already."""
        return bool(self.buffer) and self.buffer[0][2] <= self._calendar.now_ns

    def _acknowledge(self) -> None:
        """Acknowledge what is done."""
        if self._unacked:
            multiple = self._unacked > 1
            self._unacked = 0
            self._say_acknowledged(self, self._rest, multiple)

    def _fail(self, tag: int) -> None:
        self._acknowledge()
        requeue = self.settings.requeue
        if self.settings.on_failure == "nack":
            self._run.say(self, Nack(tag, requeue=requeue))
        else:
            self._run.say(self, Reject(tag, requeue))

    # --- events -------------------------------------------------------------------

    def crash(self) -> None:
        """Stop at once."""
        self.up = self.paused = False
        self._turn += 1
        if self.at_work is not None:
            self._write_unfinished(ABANDONED)
            self.at_work = None
        self._drop_buffer()
        if self.connection is not None:
            self._run.hang_up(self)
        self._forget_connection()

    def restart(self) -> None:
        """Start again."""
        self.up = True
        if self.is_here:
            self._connect(self.life)

    def stand_still(self, until_ns: int) -> None:
        """Let what is at work, and all that arrives, wait for the end of a pause."""
        self.paused = True
        if self.at_work is not None:
            self._ended_ns += until_ns - self._calendar.now_ns
            if until_ns < FOREVER_NS:
                self._end_later()
            else:
                self._turn += 1

    def resume(self) -> None:
        """Go on after a pause, unless a crash has ended it."""
        if self.paused:
            self.paused = False
            if self.at_work is None:
                self._work()

    def leave(self) -> None:
        """Finish what it is at, and close its connection in order, for good."""
        self._is_leaving = True
        if self.at_work is None:
            self._leave()

    def _leave(self) -> None:
        self._acknowledge()
        self.is_here = False
        self._drop_buffer()
        if self.connection is not None:
            self._run.hang_up(self)
        self._forget_connection()

    def finish(self) -> None:
        """Write what is under way when the run ends."""
        if self.at_work is not None:
            self._write_unfinished(IN_FLIGHT)
        for delivery in self.buffer:
            self._write(delivery, MISSING_NS, MISSING_NS, IN_FLIGHT)

    def _write_unfinished(self, outcome: int) -> None:
        assert self.at_work is not None
        self._write(self.at_work, self._started_ns, MISSING_NS, outcome)
