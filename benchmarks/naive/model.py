"""A Kafka pipeline as someone new to SimPy would write it: every message is a process.

One producer, one broker with one partition, one consumer:

- the producer waits for the gap to the next message, then starts the message's process;
- a message joins the open batch and waits until that is closed: when it holds
  `batch_records` messages, or when `linger_s` is over;
- it travels to the broker with its batch; the first of the batch asks for one of the IO
  threads and holds it for the time of a request and of the batch's bytes, the others
  wait for it; then each appends itself to the log (a list), and its acknowledgement
  travels back;
- the consumer's fetch travels to the broker, takes an IO thread, waits until the log
  has something new, travels back and puts the messages into the consumer's Store;
- the consumer gets one message after the other from the Store and works on it; as it
  begins with what a fetch brought, the next fetch leaves;
- sending bytes takes their time over the bandwidth.

It counts in seconds, draws a random number where it needs one, and keeps the times of
each message, so that it can tell what kafkasim's tables tell. Times of travel, service
and work have the same laws as in the scenario it is held against; requests in flight
are not limited, which is the same where fewer than five are ever open.
"""

from collections.abc import Generator
from dataclasses import dataclass

import numpy as np
import simpy

Steps = Generator[simpy.Event, object, None]


@dataclass(frozen=True, slots=True)
class Settings:
    """The pipeline's numbers, in seconds and bytes."""

    duration_s: float
    rate_per_s: float
    batch_records: int
    record_bytes: float
    """Of a batch, over its records."""
    linger_s: float
    delay_s: float
    s_per_byte_sent: float
    request_s: float
    s_per_byte_served: float
    io_threads: int
    work_s: float
    followers: int = 0
    """Copies of the log beside the leader's, for the model that has them."""


@dataclass(slots=True)
class Message:
    """One message and its times, in seconds."""

    key: int
    created: float
    acked: float = -1.0
    appended: float = -1.0
    committed: float = -1.0
    """When all copies had it, in the model that has copies."""
    fetched: float = -1.0
    started: float = -1.0
    ended: float = -1.0
    next_position: int = 0
    """Where the next fetch begins, at the first message that a fetch brought."""


class Batch:
    """Messages that are sent together."""

    def __init__(self, env: simpy.Environment) -> None:
        self.messages: list[Message] = []
        self.full = env.event()
        self.closed = env.event()
        self.served = env.event()


class Pipeline:
    """Producer, broker and consumer of one run."""

    def __init__(self, settings: Settings, seed: int) -> None:
        self.settings = settings
        self.env = simpy.Environment()
        self.draw = np.random.default_rng(seed)
        self.threads = simpy.Resource(self.env, settings.io_threads)
        self.open: Batch | None = None
        self.log: list[Message] = []
        self.appended = self.env.event()
        self.fetched = simpy.Store(self.env)

    def run(self) -> list[Message]:
        """Run until every message has been worked on; return them in log order."""
        self.env.process(self.produce())
        self.env.process(self.consume())
        self.env.run()
        return self.log

    def produce(self) -> Steps:
        """Create the messages."""
        env, settings, draw = self.env, self.settings, self.draw
        while True:
            yield env.timeout(draw.exponential(1 / settings.rate_per_s))
            if env.now >= settings.duration_s:
                return
            env.process(self.message(Message(int(draw.integers(10_000)), env.now)))

    def message(self, message: Message) -> Steps:
        """Go through a batch, the network and the broker into the log."""
        env, settings = self.env, self.settings
        batch = self.join(message)
        yield batch.closed
        size = len(batch.messages) * settings.record_bytes
        yield env.timeout(size * settings.s_per_byte_sent + settings.delay_s)
        if batch.messages[0] is message:
            with self.threads.request() as thread:
                yield thread
                served_s = size * settings.s_per_byte_served
                yield env.timeout(settings.request_s + served_s)
            batch.served.succeed()
        else:
            yield batch.served
        message.appended = env.now
        self.log.append(message)
        if batch.messages[-1] is message:
            self.appended.succeed()
            self.appended = env.event()
        yield env.timeout(settings.delay_s)
        message.acked = env.now

    def join(self, message: Message) -> Batch:
        """Put a message into the open batch; return the batch."""
        batch = self.open
        if batch is None:
            batch = self.open = Batch(self.env)
            self.env.process(self.close(batch))
        batch.messages.append(message)
        if len(batch.messages) == self.settings.batch_records:
            self.open = None
            batch.full.succeed()
        return batch

    def close(self, batch: Batch) -> Steps:
        """Close a batch that is full or has lingered."""
        yield batch.full | self.env.timeout(self.settings.linger_s)
        if self.open is batch:
            self.open = None
        batch.closed.succeed()

    def fetch(self, position: int) -> Steps:
        """Bring what the log has from a position on, once it has something."""
        env, settings = self.env, self.settings
        yield env.timeout(settings.delay_s)
        with self.threads.request() as thread:
            yield thread
            yield env.timeout(settings.request_s)
        while len(self.log) == position:
            yield self.appended
        messages = self.log[position:]
        size = len(messages) * settings.record_bytes
        yield env.timeout(size * settings.s_per_byte_sent + settings.delay_s)
        messages[0].next_position = position + len(messages)
        for message in messages:
            message.fetched = env.now
            yield self.fetched.put(message)

    def consume(self) -> Steps:
        """Work on one message after the other, while the next fetch is on its way."""
        env, work_s, draw = self.env, self.settings.work_s, self.draw
        env.process(self.fetch(0))
        while True:
            message = yield self.fetched.get()
            assert isinstance(message, Message)
            if message.next_position:
                env.process(self.fetch(message.next_position))
            message.started = env.now
            yield env.timeout(draw.exponential(work_s))
            message.ended = env.now
