"""Pipelines without a log as someone new to SimPy would write them.

Every message to a subscriber is a process:

- it waits for one of the connections to its subscriber (a Resource of `in_flight`);
- it travels, asks for the subscriber (a Resource of one), holds it for the request and
  the work, and its answer travels back; who sent it waits for that answer or for the
  timeout, whichever is first;
- without queues its source takes its next message when all have answered the last, and
  nobody looks at a timeout;
- through a hub it first waits for its source's connection, travels to the hub, asks
  for one of its threads, and holds it for the request; then there is such a process for
  each subscriber, which asks for a thread once more before it leaves.

It counts in seconds, is given the times of the messages and the work on each, and keeps
when each was done. Sending bytes takes no time: the scenario's cards are wide.
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field

import simpy

Steps = Generator[simpy.Event, object, None]


@dataclass(frozen=True, slots=True)
class Numbers:
    """The pipelines' numbers, in seconds."""

    delay_s: float
    request_s: float
    timeout_s: float
    window: int
    """Messages on their way to one subscriber at a time."""
    threads: int = 0
    """Of the hub; 0: there is none."""
    queues: bool = True
    """Whether a source goes on before all have answered."""


@dataclass(slots=True)
class Pipelines:
    """All sources and subscribers.

    `intended` has the times of each source's messages, `works` what each of them costs
    each subscriber.
    """

    numbers: Numbers
    intended: Sequence[Sequence[float]]
    works: Sequence[Sequence[Sequence[float]]]
    done: list[tuple[int, int, int, float]] = field(default_factory=list)
    """Source, message, subscriber, and when the work was done."""

    def run(self) -> list[tuple[int, int, int, float]]:
        """Run to the end."""
        env = simpy.Environment()
        readers = range(len(self.works[0]))
        servers = [simpy.Resource(env) for _ in readers]
        hub = simpy.Resource(env, max(1, self.numbers.threads))
        pushes = [simpy.Resource(env) for _ in readers]
        shared = [simpy.Resource(env, self.numbers.window) for _ in readers]
        for source, times in enumerate(self.intended):
            own = [simpy.Resource(env, self.numbers.window) for _ in readers]
            lanes = shared if self.numbers.threads else own
            entry = simpy.Resource(env)
            env.process(
                self._source(env, source, times, entry, hub, lanes, pushes, servers)
            )
        env.run()
        return self.done

    def _source(  # noqa: PLR0917
        self,
        env: simpy.Environment,
        source: int,
        times: Sequence[float],
        entry: simpy.Resource,
        hub: simpy.Resource,
        lanes: list[simpy.Resource],
        pushes: list[simpy.Resource],
        servers: list[simpy.Resource],
    ) -> Steps:
        for message, at in enumerate(times):
            yield env.timeout(max(0.0, at - env.now))
            if self.numbers.threads:
                env.process(
                    self._to_hub(
                        env, source, message, entry, hub, lanes, pushes, servers
                    )
                )
                continue
            sent = [
                env.process(
                    self._send(env, source, message, reader, lanes[reader], server)
                )
                for reader, server in enumerate(servers)
            ]
            if not self.numbers.queues:
                yield env.all_of(sent)

    def _to_hub(  # noqa: PLR0917
        self,
        env: simpy.Environment,
        source: int,
        message: int,
        entry: simpy.Resource,
        hub: simpy.Resource,
        lanes: list[simpy.Resource],
        pushes: list[simpy.Resource],
        servers: list[simpy.Resource],
    ) -> Steps:
        with entry.request() as mine:
            yield mine
            answer = env.event()

            def serve() -> Steps:
                yield env.timeout(self.numbers.delay_s)
                with hub.request() as thread:
                    yield thread
                    yield env.timeout(self.numbers.request_s)
                for reader, server in enumerate(servers):
                    env.process(
                        self._send(
                            env,
                            source,
                            message,
                            reader,
                            lanes[reader],
                            server,
                            hub,
                            pushes[reader],
                        )
                    )
                yield env.timeout(self.numbers.delay_s)
                answer.succeed()

            env.process(serve())
            yield answer | env.timeout(self.numbers.timeout_s)

    def _send(  # noqa: PLR0917
        self,
        env: simpy.Environment,
        source: int,
        message: int,
        reader: int,
        lane: simpy.Resource,
        server: simpy.Resource,
        hub: simpy.Resource | None = None,
        push: simpy.Resource | None = None,
    ) -> Steps:
        with lane.request() as mine:
            yield mine
            if hub is not None and push is not None:
                with push.request() as turn:
                    yield turn
                    with hub.request() as thread:
                        yield thread
                        yield env.timeout(self.numbers.request_s)
            answer = env.event()

            def serve() -> Steps:
                yield env.timeout(self.numbers.delay_s)
                with server.request() as turn:
                    yield turn
                    work = self.works[source][reader][message]
                    yield env.timeout(self.numbers.request_s + work)
                self.done.append((source, message, reader, env.now))
                yield env.timeout(self.numbers.delay_s)
                answer.succeed()

            env.process(serve())
            if self.numbers.queues:
                yield answer | env.timeout(self.numbers.timeout_s)
            else:
                yield answer
