"""The nodes of a run, and the processes of queues that run on them.

A queue is one process: it does one thing after the other, in the order in which it is
told. To take a message in, or what a consumer says of some, takes it the processor's
time per request; what processes of one cluster tell each other takes none.
"""

from collections import deque
from collections.abc import Callable, Iterator
from heapq import heappop
from typing import Any, Final

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


Do = Callable[[Any, Any], None]
"""Does something to a queue: takes what its host knows of it, and a request."""

Job = tuple[Do, Any, int]
"""Something that a queue's process is told: who does it, the request, and how many
bytes come with it; `AT_ONCE` in place of these if it takes no time."""
AT_ONCE: Final = -1
_LAST: Final = 1 << 127
"""Above all keys."""


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

    Attributes
    ----------
    hosted : Hosted
        What the host knows of its queue; whoever makes that says so.
    """

    __slots__ = (
        "_calendar", "_ends_ns", "_is_busy", "_job", "_key", "_life", "_ns_per_byte",
        "_services", "hosted", "jobs", "late", "name", "node", "track",
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
    ) -> None:
        self._calendar = calendar
        self._key = key_base(Rank.SERVICE, actor)
        self._services = services
        self._ns_per_byte = ns_per_byte
        self._job: Job | None = None
        self._ends_ns = 0
        self._life = 0
        self._is_busy = False
        self.hosted: Any = None
        self.name = name
        self.node = node
        self.jobs: deque[Job] = deque()
        """What it was told and has not begun with."""
        self.late: list[tuple[int, int, Job]] = []
        """A heap: what it is told without an entry, when, and with which key.

        Nobody sees anything of that before it is told more, so it comes with that.
        """
        self.track: Track | None = None

    def tell(self, job: Job) -> None:
        """Let it do something when it has done all it was told before."""
        if self.late:
            self.catch_up()
        if self._is_busy:
            self.jobs.append(job)
        elif self.jobs or job[2] == AT_ONCE or self.node.paused:
            self.jobs.append(job)
            self._serve()
        elif not self._start(job):
            self._serve()

    def tell_in_turn(self, told: tuple[int, Job]) -> None:
        """Tell it something that has its place by its key among what is `late`."""
        key, job = told
        self.catch_up(key)
        self.jobs.append(job)
        if not self._is_busy:
            self._serve()

    def catch_up(self, key: int = _LAST) -> None:
        """Let it be told what is late by now, before a key."""
        late, until = self.late, (self._calendar.now_ns, key)
        while late and late[0] < until:
            job = heappop(late)[2]
            if self._is_busy or self.jobs:
                self.jobs.append(job)
            else:
                job[0](self.hosted, job[1])

    def _start(self, job: Job) -> bool:
        """Begin with something; do it if it takes no time, and return False then."""
        size_bytes = job[2]
        takes_ns = next(self._services)
        if size_bytes:
            takes_ns += round(size_bytes * self._ns_per_byte)
        slowed = self.node.slowed
        if slowed != UNSLOWED:
            takes_ns = slowed_ns(takes_ns, slowed)
        self._is_busy = True
        if not takes_ns:
            job[0](self.hosted, job[1])
            return False
        calendar = self._calendar
        now_ns = calendar.now_ns
        self._job = job
        self._ends_ns = ends_ns = now_ns + takes_ns
        if self.track is not None:
            self.track.busy(now_ns, ends_ns, size_bytes)
            self.track.waits(now_ns, len(self.jobs))
        self._key = key = self._key + 1
        calendar.push((ends_ns, key, self._done, self._life))
        return True

    def _serve(self) -> None:
        """Go on with what it was told, until something takes time."""
        jobs = self.jobs
        self._is_busy = True
        while jobs and not self.node.paused:
            job = jobs.popleft()
            if job[2] == AT_ONCE:
                job[0](self.hosted, job[1])
            elif self._start(job):
                return
        self._is_busy = False

    def _done(self, life: int) -> None:
        job = self._job
        if job is None or life != self._life or self._ends_ns > self._calendar.now_ns:
            return  # its node went, or a pause has moved the end
        self._job = None
        job[0](self.hosted, job[1])
        if self.jobs:
            self._serve()
        else:
            self._is_busy = False

    def stand_still(self, until_ns: int) -> None:
        """Let what it is at take longer, while its node stands still."""
        self.catch_up()
        if self._job is not None:
            self._ends_ns += until_ns - self._calendar.now_ns
            self._life += 1
            self._key += 1
            self._calendar.push((self._ends_ns, self._key, self._done, self._life))

    def go_on(self) -> None:
        """Go on after a pause."""
        if not self._is_busy:
            self._serve()

    def stop(self) -> list[Job]:
        """Forget all it was told; return that."""
        lost = [] if self._job is None else [self._job]
        lost += self.jobs
        self.jobs.clear()
        self._job = None
        self._is_busy = False
        self._life += 1
        return lost
