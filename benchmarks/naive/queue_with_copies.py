"""The same queue with copies on other nodes (Raft), as plainly written.

What `queue_of_messages.py` says holds, and besides: what the queue's process has taken
in goes into a log, and counts when a majority has it. So each message and each
acknowledgement is sent to every follower, and each of these is a process, too: the card
of the leader, the way there, the way back. The queue's process hears of it when it has
done what it was told before, which takes it no time.
"""

import simpy

from benchmarks.naive.queue_of_messages import Message, Pipeline, Steps


class CopiedPipeline(Pipeline):
    """A publisher, a queue with two copies more, and a consumer."""

    followers = 2

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
        yield self._copied(send_s)
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
            yield self._copied(0.0)
        self.unacked -= 1
        message.settled = env.now
        self._note(message, "acked")

    def _copied(self, send_s: float) -> simpy.Event:
        """Send something to all followers; return what happens when one has it."""
        majority = self.env.event()
        for _ in range(self.followers):
            self.env.process(self._copy(send_s, majority))
        return majority

    def _copy(self, send_s: float, majority: simpy.Event) -> Steps:
        env, delay_s = self.env, self.settings.delay_s
        if send_s:
            with self.nodes_card.request() as card:
                yield card
                yield env.timeout(send_s)
        yield env.timeout(delay_s)
        yield env.timeout(delay_s)
        with self.process.request() as turn:
            yield turn
        if not majority.triggered:
            majority.succeed()
