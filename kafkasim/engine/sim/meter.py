"""How busy each part of the hardware was, second by second: the table `resources`.

A part says when it was busy; its share of a second is that time over what all its
servers have (three network threads have three seconds in one). Nothing of a run depends
on it, and a run that nobody asked to measure has none of it.
"""

from collections import deque
from collections.abc import Iterator

from kafkasim.engine.sim.disk import DiskQueue
from kafkasim.engine.sim.links import FaultyPipe
from kafkasim.engine.sim.network import Nic, Pipe
from kafkasim.engine.sim.page_cache import PageCache
from kafkasim.engine.sim.request import PRODUCE, Request
from kafkasim.result.schema import RESOURCE_KINDS
from kafkasim.units import FOREVER_NS, NS_PER_S


class Track:
    """What one part did.

    Parameters
    ----------
    resource, kind : str
        Whose, and what it is.
    servers : int
        How many may be busy at once.
    """

    __slots__ = ("_ends", "_seconds", "kind", "resource", "servers")

    def __init__(self, resource: str, kind: str, servers: int = 1) -> None:
        self.resource = resource
        self.kind = kind
        self.servers = servers
        self._seconds: dict[int, list[float]] = {}
        self._ends: deque[int] = deque()

    def _of(self, second: int) -> list[float]:
        """Return busy time, bytes, and the longest queue of a second."""
        found = self._seconds.get(second)
        if found is None:
            found = self._seconds[second] = [0.0, 0.0, 0.0]
        return found

    def busy(self, since_ns: int, until_ns: int, size_bytes: int = 0) -> None:
        """Take note of a time in which one server was busy, and of bytes it moved."""
        if until_ns >= FOREVER_NS:
            return  # it never comes to it
        first, last = since_ns // NS_PER_S, until_ns // NS_PER_S
        if first == last:
            of_second = self._of(first)
            of_second[0] += until_ns - since_ns
            of_second[1] += size_bytes
            return
        lasted_ns = until_ns - since_ns
        for second in range(first, last + 1):
            start_ns = max(since_ns, second * NS_PER_S)
            part_ns = min(until_ns, (second + 1) * NS_PER_S) - start_ns
            of_second = self._of(second)
            of_second[0] += part_ns
            of_second[1] += size_bytes * part_ns / lasted_ns

    def waits(self, now_ns: int, count: int) -> None:
        """Take note of how many wait for it."""
        of_second = self._of(now_ns // NS_PER_S)
        if count > of_second[2]:
            of_second[2] = count

    def comes(self, now_ns: int, done_ns: int) -> None:
        """Take note of one that comes now and will be done then, behind the others."""
        ends = self._ends
        while ends and ends[0] <= now_ns:
            ends.popleft()
        self.waits(now_ns, len(ends))
        ends.append(done_ns)

    def level(self, now_ns: int, share: float, moved_bytes: int, count: int) -> None:
        """Take note of how full it is, in place of how busy."""
        of_second = self._of(now_ns // NS_PER_S)
        of_second[0] = max(of_second[0], share * NS_PER_S)
        of_second[1] += moved_bytes
        if count > of_second[2]:
            of_second[2] = count

    def rows(self, end_ns: int) -> Iterator[tuple[int, float, int, int]]:
        """Yield begin, busy share, bytes and longest queue of each second."""
        level = 0.0
        for second in range(max(1, -(-end_ns // NS_PER_S))):
            start_ns = second * NS_PER_S
            lasts_ns = max(1, min(NS_PER_S, end_ns - start_ns))
            busy_ns, size_bytes, count = self._seconds.get(second, (0.0, 0.0, 0.0))
            if self.kind == "page_cache":
                share = level = busy_ns / NS_PER_S or level
            else:
                share = min(1.0, busy_ns / (lasts_ns * self.servers))
            yield start_ns, share, round(size_bytes), int(count)


class QueueTrack(Track):
    """How much one host holds for another, of what it may hold.

    Parameters
    ----------
    resource : str
        The two hosts.
    most : int
        Records that it may hold.
    """

    __slots__ = ("_held", "_since", "most")

    def __init__(self, resource: str, most: int) -> None:
        super().__init__(resource, "queue")
        self.most = most
        self._held = 0
        self._since = 0

    def holds(self, now_ns: int, count: int) -> None:
        """Take note of how many it holds from now on."""
        second = now_ns // NS_PER_S
        if self._held:
            for each in range(self._since, second + 1):
                self._at_most(each, self._held)
        self._at_most(second, count)
        self._held, self._since = count, second

    def _at_most(self, second: int, count: int) -> None:
        of_second = self._of(second)
        if count > of_second[2]:
            of_second[2] = count
            of_second[0] = NS_PER_S * count / self.most

    def rows(self, end_ns: int) -> Iterator[tuple[int, float, int, int]]:
        """Yield begin, share that is full, no bytes, and most held of each second."""
        self.holds(end_ns, self._held)
        for second in range(max(1, -(-end_ns // NS_PER_S))):
            full_ns, _, count = self._seconds.get(second, (0.0, 0.0, 0.0))
            yield second * NS_PER_S, min(1.0, full_ns / NS_PER_S), 0, int(count)


class Meter:
    """All that is measured in a run."""

    def __init__(self) -> None:
        self.tracks: list[Track] = []

    def track(self, resource: str, kind: str, servers: int = 1) -> Track:
        """Return a new track."""
        assert kind in RESOURCE_KINDS
        track = Track(resource, kind, servers)
        self.tracks.append(track)
        return track


class BrokerMeter:
    """What is measured of one broker beside its card and its disk."""

    __slots__ = ("_cpu", "_memory", "io_threads", "network_threads")

    def __init__(
        self,
        meter: Meter,
        host: str,
        *,
        io_threads: int,
        network_threads: int,
        has_disk: bool,
    ) -> None:
        self._cpu = meter.track(host, "cpu", io_threads)
        self.io_threads = meter.track(host, "io_thread", io_threads)
        self.network_threads = meter.track(host, "network_thread", network_threads)
        self._memory = meter.track(host, "page_cache") if has_disk else None

    def served(self, since_ns: int, until_ns: int, request: Request) -> None:
        """Take note of a request's time at an IO thread."""
        size_bytes = request.size_bytes if request.api == PRODUCE else 0
        self._cpu.busy(since_ns, until_ns, size_bytes)
        self.io_threads.busy(since_ns, until_ns, size_bytes)

    def memory(self, now_ns: int, cache: PageCache) -> None:
        """Take note of how full memory is, and of what of it waits for the disk."""
        assert self._memory is not None
        self._memory.level(now_ns, cache.held_share, 0, cache.dirty_bytes)

    def from_memory(self, now_ns: int, size_bytes: int) -> None:
        """Take note of bytes that were read without the disk."""
        assert self._memory is not None
        self._memory.level(now_ns, 0.0, size_bytes, 0)


class MeteredNic(Nic):
    """A card that is measured."""

    __slots__ = ("into", "out")

    def __init__(self, bandwidth_mb_per_s: float, meter: Meter, host: str) -> None:
        super().__init__(bandwidth_mb_per_s)
        self.out = meter.track(host, "nic_out")
        self.into = meter.track(host, "nic_in")


class _Measured(Pipe):
    """A pipe between two such cards."""

    __slots__ = ()

    def transfer(self, now_ns: int, size_bytes: int) -> int:
        """Send bytes, and have them measured."""
        arrived_ns = super().transfer(now_ns, size_bytes)
        card = self._nic
        if size_bytes and isinstance(card, MeteredNic):
            left_ns = self.left_ns
            since_ns = left_ns - round(size_bytes * card.ns_per_byte)
            card.out.busy(since_ns, left_ns, size_bytes)
            card.out.comes(now_ns, left_ns)
        return arrived_ns

    def receive(self, now_ns: int, size_bytes: int) -> int:
        """Take bytes in, and have them measured."""
        done_ns = super().receive(now_ns, size_bytes)
        card = self._to
        if size_bytes and isinstance(card, MeteredNic):
            since_ns = done_ns - round(size_bytes * card.ns_per_byte)
            card.into.busy(max(0, since_ns), done_ns, size_bytes)
            if done_ns > now_ns:
                card.into.comes(now_ns, done_ns)
        return done_ns


class MeteredPipe(_Measured):
    """A direction of a connection that is measured."""

    __slots__ = ()


class MeteredFaultyPipe(_Measured, FaultyPipe):
    """One that events befall, measured."""

    __slots__ = ()


class MeteredDisk(DiskQueue):
    """A disk that is measured."""

    __slots__ = ("track",)

    track: Track

    def note(self, now_ns: int, start_ns: int, end_ns: int, size_bytes: int) -> None:
        """Have what it does measured."""
        self.track.busy(start_ns, end_ns, size_bytes)
        self.track.comes(now_ns, end_ns)
