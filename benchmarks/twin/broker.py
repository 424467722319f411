"""The twin's brokers: IO threads are a Resource, a connection is a process.

The rules and their sources stand in `kafkasim.engine.sim.broker`; here is another way
to drive the same logs, fetch sessions and network cards.
"""

from collections.abc import Callable, Generator, Iterator, Sequence
from typing import Any

import simpy

from benchmarks.twin.clock import Clock
from kafkasim.engine.sim.fetch_session import FetchSession
from kafkasim.engine.sim.partition import Partition
from kafkasim.engine.sim.request import Connection, Request
from kafkasim.protocol.producing.batch import Batch

Steps = Generator[simpy.Event, Any, None]
"""What a process does between its waits."""


class Fetcher:
    """A member's connection to one broker and the one fetch that it carries.

    Attributes
    ----------
    go : simpy.Event
        Succeeds with the next request and the time of its arrival.
    busy : bool
        A fetch has no answer yet.
    parked : simpy.Event or None
        What the fetch waits for in purgatory.
    """

    def __init__(self, env: Clock, session: FetchSession) -> None:
        self.session = session
        self.connection = session.connection
        self.go = env.event()
        self.busy = False
        self.parked: simpy.Event | None = None


class Broker:
    """One broker of the cluster.

    Parameters
    ----------
    env : Clock
        Counts nanoseconds.
    partitions : sequence of Partition
        All partitions of the run, by index.
    io_threads : int
        `num.io.threads`.
    services_ns : iterator of int
        Service time of one request after the other.
    ns_per_byte : float
        Service time of each byte that a request appends.
    on_append : callable
        Called with (batch, partition) for every append.
    """

    def __init__(
        self,
        env: Clock,
        *,
        partitions: Sequence[Partition],
        io_threads: int,
        services_ns: Iterator[int],
        ns_per_byte: float,
        on_append: Callable[[Batch, Partition], None],
    ) -> None:
        self.env = env
        self.io_threads = simpy.Resource(env, io_threads)
        self.services_ns = services_ns
        self._ns_per_byte = ns_per_byte
        self._partitions = partitions
        self._on_append = on_append
        self._fetchers: list[list[Fetcher]] = [[] for _ in partitions]

    def add(self, fetcher: Fetcher) -> None:
        """Let a fetcher know what is appended to its partitions."""
        for partition in fetcher.session.partitions:
            self._fetchers[partition.index].append(fetcher)

    def serve_producer(
        self, connection: Connection, wire: simpy.Store, answers: simpy.Store
    ) -> Steps:
        """Serve the produce requests of one connection, one at a time.

        The wire holds requests that have arrived, `answers` pairs: a request and when
        its answer arrives. A client that wants no answer (acks=0) learns of the append
        as it happens.
        """
        env = self.env
        while True:
            request = yield wire.get()
            request.received_ns = env.now
            with self.io_threads.request() as thread:
                yield thread
                request.dequeued_ns = env.now
                of_bytes_ns = round(request.size_bytes * self._ns_per_byte)
                yield env.timeout(next(self.services_ns) + of_bytes_ns)
            request.done_ns = env.now
            self._append(request)
            if request.wants_answer:
                answers.put((request, connection.down.transfer(env.now, 0)))
            else:
                request.on_answer(request)

    def _append(self, request: Request) -> None:
        """Append each batch, then wake the parked fetches that have enough now."""
        touched: dict[Fetcher, None] = {}
        for batch in request.payload:
            partition = self._partitions[batch.partition_index]
            batch.base_offset = partition.append(batch, request.done_ns)
            batch.appended_ns = request.done_ns
            self._on_append(batch, partition)
            for fetcher in self._fetchers[partition.index]:
                fetcher.session.ready[partition.index] = partition
                if fetcher.parked is not None:
                    touched[fetcher] = None
        for fetcher in touched:
            if fetcher.parked is not None and fetcher.session.has_enough():
                fetcher.parked.succeed()
                fetcher.parked = None
