"""RabbitMQ's rules as someone new to SimPy would write them: a process per message.

One publisher with confirms, one node without a disk, one classic queue, one consumer
that acknowledges each message. What takes time is a timeout, what is shared a resource:
the queue's process, the consumer, its prefetch. A row is kept for each message and for
each thing that happens to it in the queue.
"""

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
import simpy

Steps = Generator[simpy.Event, object, None]


@dataclass(frozen=True)
class Settings:
    """What the model is of; seconds and bytes."""

    duration_s: float
    rate_per_s: float
    value_bytes: int
    delay_s: float
    s_per_byte_sent: float
    request_s: float
    s_per_byte_served: float
    work_s: float
    prefetch: int


@dataclass(slots=True)
class Message:
    """A message and its times, in seconds."""

    number: int
    created: float
    enqueued: float = -1.0
    acked: float = -1.0
    fetched: float = -1.0
    started: float = -1.0
    ended: float = -1.0
    settled: float = -1.0


class Pipeline:
    """A publisher, a queue and a consumer."""

    def __init__(self, settings: Settings, seed: int) -> None:
        self.settings = settings
        self.env = simpy.Environment()
        self.draws = np.random.default_rng(seed)
        self.publishers_card = simpy.Resource(self.env)
        self.nodes_card = simpy.Resource(self.env)
        self.process = simpy.Resource(self.env)
        self.credit = simpy.Resource(self.env, capacity=settings.prefetch)
        self.consumer = simpy.Resource(self.env)
        self.messages: list[Message] = []
        self.changes: list[tuple[float, int, str, int, int]] = []
        self.ready = self.unacked = 0

    def run(self) -> list[Message]:
        """Run to the end and return all messages."""
        self.env.process(self._publish())
        self.env.run()
        return self.messages

    def _publish(self) -> Steps:
        settings = self.settings
        while True:
            yield self.env.timeout(self.draws.exponential(1 / settings.rate_per_s))
            if self.env.now >= settings.duration_s:
                return
            message = Message(len(self.messages), self.env.now)
            self.messages.append(message)
            self.env.process(self._carry(message))

    def _carry(self, message: Message) -> Steps:
        settings, env = self.settings, self.env
        send_s = settings.value_bytes * settings.s_per_byte_sent
        serve_s = settings.value_bytes * settings.s_per_byte_served
        with self.publishers_card.request() as card:
            yield card
            yield env.timeout(send_s)
        yield env.timeout(settings.delay_s)
        with self.process.request() as turn:
            yield turn
            yield env.timeout(settings.request_s + serve_s)
        message.enqueued = env.now
        self.ready += 1
        self._note(message, "enqueued")
        env.process(self._confirm(message))
        with self.credit.request() as credit:
            yield credit
            self.ready -= 1
            self.unacked += 1
            self._note(message, "delivered")
            with self.nodes_card.request() as card:
                yield card
                yield env.timeout(send_s)
            yield env.timeout(settings.delay_s)
            message.fetched = env.now
            with self.consumer.request() as turn:
                yield turn
                message.started = env.now
                yield env.timeout(self.draws.exponential(settings.work_s))
                message.ended = env.now
            yield env.timeout(settings.delay_s)
            with self.process.request() as turn:
                yield turn
                yield env.timeout(settings.request_s)
        self.unacked -= 1
        message.settled = env.now
        self._note(message, "acked")

    def _confirm(self, message: Message) -> Steps:
        yield self.env.timeout(self.settings.delay_s)
        message.acked = self.env.now

    def _note(self, message: Message, change: str) -> None:
        row = self.env.now, message.number, change, self.ready, self.unacked
        self.changes.append(row)
