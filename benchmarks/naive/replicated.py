"""The same pipeline with copies of the log on other brokers, as plainly written.

What `model.py` says holds, and besides:

- every follower is a process too: its fetch travels to the leader, takes an IO thread,
  and says how far its copy goes; it waits until the log has more, which is sent back
  and appended to the copy; then the next fetch leaves;
- up to where the followers' fetches say that all copies go, the log is committed. A
  message waits for that before its acknowledgement travels back (`acks=all`), and the
  consumer's fetch brings only what is committed;
- all that the leader sends goes through its one network card.

A broker reads a request of the producer once the one before is answered; that is left
out here, which is the same where no two are ever open.
"""

import simpy

from benchmarks.naive.model import Message, Pipeline, Settings, Steps


class ReplicatedPipeline(Pipeline):
    """Producer, leader, followers and consumer of one run."""

    def __init__(self, settings: Settings, seed: int) -> None:
        super().__init__(settings, seed)
        self.card = simpy.Resource(self.env, 1)
        self.copies: list[list[Message]] = [[] for _ in range(settings.followers)]
        self.reported = [0] * settings.followers
        """How far each copy goes, as the leader knows."""
        self.high_watermark = 0
        self.advanced = self.env.event()

    def run(self) -> list[Message]:
        """Run until every message has been worked on; return them in log order."""
        for number in range(self.settings.followers):
            self.env.process(self.follow(number))
        return super().run()

    def message(self, message: Message) -> Steps:
        """Go through a batch, the network and the leader into all logs."""
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
        offset = len(self.log)
        self.log.append(message)
        if batch.messages[-1] is message:
            self.appended.succeed()
            self.appended = env.event()
        while self.high_watermark <= offset:
            yield self.advanced
        message.committed = env.now
        yield env.timeout(settings.delay_s)
        message.acked = env.now

    def follow(self, number: int) -> Steps:
        """Copy the log, one fetch after the other."""
        env, settings, copy = self.env, self.settings, self.copies[number]
        while True:
            yield env.timeout(settings.delay_s)
            with self.threads.request() as thread:
                yield thread
                yield env.timeout(settings.request_s)
            self.report(number, len(copy))
            while len(self.log) == len(copy):
                yield self.appended
            messages = self.log[len(copy) :]
            yield from self.send(messages)
            copy.extend(messages)

    def report(self, number: int, end: int) -> None:
        """Learn how far a copy goes; commit what all have."""
        self.reported[number] = end
        committed = min(self.reported)
        if committed > self.high_watermark:
            self.high_watermark = committed
            self.advanced.succeed()
            self.advanced = self.env.event()

    def send(self, messages: list[Message]) -> Steps:
        """Send messages from the leader to whoever asked for them."""
        env, settings = self.env, self.settings
        with self.card.request() as card:
            yield card
            size = len(messages) * settings.record_bytes
            yield env.timeout(size * settings.s_per_byte_sent)
        yield env.timeout(settings.delay_s)

    def fetch(self, position: int) -> Steps:
        """Bring what is committed from a position on, once there is something."""
        env, settings = self.env, self.settings
        yield env.timeout(settings.delay_s)
        with self.threads.request() as thread:
            yield thread
            yield env.timeout(settings.request_s)
        while self.high_watermark == position:
            yield self.advanced
        messages = self.log[position : self.high_watermark]
        yield from self.send(messages)
        messages[0].next_position = position + len(messages)
        for message in messages:
            message.fetched = env.now
            yield self.fetched.put(message)
