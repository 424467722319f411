"""The twin's producers: a sender process, and for each broker one that takes answers.

What the sender does is in `kafkasim.engine.sim.producer`; the accumulator is the same.
"""

from collections.abc import Callable, Sequence
from typing import Any

import simpy

from benchmarks.twin.broker import Broker, Steps
from benchmarks.twin.clock import Clock
from kafkasim.engine.sim.request import PRODUCE, Connection, Request
from kafkasim.protocol.producing.accumulator import Accumulator
from kafkasim.protocol.producing.batch import NEVER
from kafkasim.units import MISSING_NS


class Producer:
    """One producer of one source.

    Parameters
    ----------
    env : Clock
        Counts nanoseconds.
    accumulator : Accumulator
        Of its source.
    connections, brokers : sequences
        By broker index.
    first_partition : int
        Run-wide index of partition 0 of its topic.
    most_in_flight : int
        `max.in.flight.requests.per.connection`.
    wants_answers : bool
        False with acks=0.
    next_batch_id, number_request, on_done : callables
        Give a batch its number and a request its own; take a request and the time of
        its answer when nothing more will happen to it.
    """

    def __init__(
        self,
        env: Clock,
        *,
        accumulator: Accumulator,
        connections: Sequence[Connection],
        brokers: Sequence[Broker],
        first_partition: int,
        most_in_flight: int,
        wants_answers: bool,
        next_batch_id: Callable[[], int],
        number_request: Callable[[Request], None],
        on_done: Callable[[Request, int], None],
    ) -> None:
        self._env = env
        self._accumulator = accumulator
        self._connections = connections
        self._first_partition = first_partition
        self._most_in_flight = most_in_flight
        self._wants_answers = wants_answers
        self._next_batch_id = next_batch_id
        self._number_request = number_request
        self._on_done = on_done
        self._in_flight = [0] * len(brokers)
        self._may_send = [True] * len(brokers)
        self._unblocked: simpy.Event | None = None
        self._wires = [simpy.Store(env) for _ in brokers]
        env.process(self._send())
        for node, broker in enumerate(brokers):
            answers = simpy.Store(env)
            env.process(
                broker.serve_producer(connections[node], self._wires[node], answers)
            )
            env.process(self._take_answers(node, answers))

    def _send(self) -> Steps:
        """Sleep until a node is ready, and send to every one that is, in turns."""
        env, accumulator = self._env, self._accumulator
        while True:
            wake_ns = accumulator.look_ahead(self._may_send, env.now)
            if all(self._may_send):
                if wake_ns == NEVER:
                    return
                yield env.timeout(wake_ns - env.now)
            else:
                self._unblocked = env.event()
                if wake_ns == NEVER:
                    yield self._unblocked
                else:
                    yield self._unblocked | env.timeout(wake_ns - env.now)
                self._unblocked = None
                accumulator.catch_up(env.now)
            self._send_ready(env.now)

    def _send_ready(self, now_ns: int) -> None:
        ready_ns, may_send = self._accumulator.ready_ns, self._may_send
        sent = True
        while sent:
            sent = False
            for node, may in enumerate(may_send):
                if may and ready_ns[node] <= now_ns:
                    self._send_request(node, now_ns)
                    sent = True

    def _send_request(self, node: int, now_ns: int) -> None:
        batches = self._accumulator.drain(node, now_ns)
        connection = self._connections[node]
        request = Request(
            api=PRODUCE,
            connection=connection,
            sent_ns=now_ns,
            payload=batches,
            on_answer=self._appended,
        )
        for batch in batches:
            batch.batch_id = self._next_batch_id()
            batch.partition_index = self._first_partition + batch.partition
            request.size_bytes += batch.size_bytes
            if not self._wants_answers:
                batch.acked_ns = now_ns
                self._accumulator.completed(batch)
        request.batch_count = len(batches)
        request.wants_answer = self._wants_answers
        if self._wants_answers:
            self._in_flight[node] += 1
            self._may_send[node] = self._in_flight[node] < self._most_in_flight
        self._number_request(request)
        arrives_ns = connection.up.transfer(now_ns, request.size_bytes)
        arrival = self._env.timeout(arrives_ns - now_ns, request)
        arrival.callbacks.append(self._receive)

    def _receive(self, arrival: simpy.Event) -> None:
        """Take a request through the card that all senders share."""
        request: Any = arrival.value
        env = self._env
        there_ns = request.connection.up.receive(env.now, request.size_bytes)
        if there_ns > env.now:
            late = env.timeout(there_ns - env.now, request)
            late.callbacks.append(self._put)
        else:
            self._put(arrival)

    def _put(self, arrival: simpy.Event) -> None:
        request: Any = arrival.value
        self._wires[request.connection.broker].put(request)

    def _take_answers(self, node: int, answers: simpy.Store) -> Steps:
        env = self._env
        while True:
            request, arrives_ns = yield answers.get()
            if arrives_ns > env.now:
                yield env.timeout(arrives_ns - env.now)
            for batch in request.payload:
                batch.acked_ns = env.now
            self._accumulator.answered(request.payload, env.now)
            self._on_done(request, env.now)
            self._in_flight[node] -= 1
            if not self._may_send[node]:
                self._may_send[node] = True
                if self._unblocked is not None and not self._unblocked.triggered:
                    self._unblocked.succeed()

    def _appended(self, request: Request) -> None:
        self._on_done(request, MISSING_NS)
