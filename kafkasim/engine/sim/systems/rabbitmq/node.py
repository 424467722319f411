"""The nodes of a run, and the processes of queues that run on them.

A queue is one process: it does one thing after the other, in the order in which it is
told. To take a message in, or what a consumer says of some, takes it the processor's
time per request; what processes of one cluster tell each other takes none.
"""

from collections import deque
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from kafkasim.engine.sim.at_work import UNSLOWED, slowed_ns
from kafkasim.engine.sim.calendar import Calendar, Rank, key_base
from kafkasim.engine.sim.meter import Track


class Node:
    """A node.

    Attributes
    ----------
    up, paused : bool
        Whether it is there, and whether it stands still.
    epoch : int
        How often it has crashed: what was on its way to or from an earlier life is
        void.
    until_ns : int
        Until when it stands still.
    """

    __slots__ = ("code", "epoch", "host", "paused", "slowed", "until_ns", "up")

    def __init__(self, code: int) -> None:
        self.code = code
        self.host = f"node:{code + 1}"
        self.up = True
        self.paused = False
        self.slowed = UNSLOWED
        self.epoch = 0
        self.until_ns = 0


class Job(NamedTuple):
    """Something that a queue's process is told."""

    request: Any
    """What its machine takes; of a message that is published, see `Incoming`."""
    costs: bool
    """Whether it takes the processor's time."""
    size_bytes: int = 0


class QueueProcess:
    """The process of a queue, on the node that leads it.

    Parameters
    ----------
    calendar : Calendar
        The run's.
    actor : int
        Its number among the run's actors.
    name : str
        The queue's.
    node : Node
        Where it runs.
    services, ns_per_byte
        What it takes to be told something, one after the other, and per byte of it.
    do : callable
        Takes the process and a request that it has got.
    """

    __slots__ = (
        "_calendar", "_do", "_ends_ns", "_is_serving", "_job", "_key", "_life",
        "_ns_per_byte", "_services", "jobs", "name", "node", "track",
    )  # fmt: skip

    def __init__(
        self,
        calendar: Calendar,
        actor: int,
        name: str,
        node: Node,
        *,
        services: Iterator[int],
        ns_per_byte: float,
        do: "Callable[[QueueProcess, Any], None]",
    ) -> None:
        self._calendar = calendar
        self._key = key_base(Rank.SERVICE, actor)
        self._services = services
        self._ns_per_byte = ns_per_byte
        self._do = do
        self._job: Job | None = None
        self._ends_ns = 0
        self._life = 0
        self._is_serving = False
        self.name = name
        self.node = node
        self.jobs: deque[Job] = deque()
        """What it was told and has not begun with."""
        self.track: Track | None = None

    def tell(self, job: Job) -> None:
        """Let it do something when it has done all it was told before."""
        if self._job is None and not self._is_serving:
            if job.costs and not self.jobs and not self.node.paused:
                if not self._start(job):
                    self._serve()
            else:
                self.jobs.append(job)
                self._serve()
        else:
            self.jobs.append(job)

    def _start(self, job: Job) -> bool:
        """Begin with something; do it if it takes no time, and return False then."""
        takes_ns = next(self._services) + round(job.size_bytes * self._ns_per_byte)
        if self.node.slowed != UNSLOWED:
            takes_ns = slowed_ns(takes_ns, self.node.slowed)
        if takes_ns:
            self._begin(job, takes_ns)
            return True
        self._is_serving = True
        self._do(self, job.request)
        return False

    def _serve(self) -> None:
        """Go on with what it was told, until something takes time."""
        jobs = self.jobs
        self._is_serving = True
        while jobs and not self.node.paused:
            job = jobs.popleft()
            if job.costs:
                if self._start(job):
                    break
            else:
                self._do(self, job.request)
        self._is_serving = False

    def _begin(self, job: Job, takes_ns: int) -> None:
        now_ns = self._calendar.now_ns
        self._job = job
        self._ends_ns = now_ns + takes_ns
        if self.track is not None:
            self.track.busy(now_ns, self._ends_ns, job.size_bytes)
            self.track.waits(now_ns, len(self.jobs))
        self._end_later()

    def _end_later(self) -> None:
        self._key += 1
        self._calendar.at(self._ends_ns, self._key, self._done, self._life)

    def _done(self, life: int) -> None:
        job = self._job
        if job is None or life != self._life or self._ends_ns > self._calendar.now_ns:
            return  # its node went, or a pause has moved the end
        self._job = None
        self._is_serving = True
        self._do(self, job.request)
        self._serve()

    def stand_still(self, until_ns: int) -> None:
        """Let what it is at take longer, while its node stands still."""
        if self._job is not None:
            self._ends_ns += until_ns - self._calendar.now_ns
            self._life += 1
            self._end_later()

    def go_on(self) -> None:
        """Go on after a pause."""
        if self._job is None and not self._is_serving:
            self._serve()

    def stop(self) -> list[Any]:
        """Forget all it was told; return these requests."""
        lost = [] if self._job is None else [self._job.request]
        lost += [job.request for job in self.jobs]
        self.jobs.clear()
        self._job = None
        self._life += 1
        return lost
