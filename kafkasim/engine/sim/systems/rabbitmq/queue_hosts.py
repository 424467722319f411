"""The queues of a run: their machines, the processes these run in, and their disks.

A classic queue's messages go to the disk of its node; a quorum queue's log goes to its
members over the links between nodes, and to the disk of each. Hardware without disks
writes in no time.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from kafkasim.engine.sim.calendar import Calendar
from kafkasim.engine.sim.disk import DiskQueue
from kafkasim.engine.sim.network import Pipe
from kafkasim.engine.sim.systems.rabbitmq.exchanges import Exchanges
from kafkasim.engine.sim.systems.rabbitmq.feed import ORDINAL, ROW_SHIFT, Feed
from kafkasim.engine.sim.systems.rabbitmq.hosted import Copying, Hosted
from kafkasim.engine.sim.systems.rabbitmq.messages import Reason, Returned
from kafkasim.engine.sim.systems.rabbitmq.node import AT_ONCE, Job, Node
from kafkasim.engine.sim.systems.rabbitmq.queue_messages import (
    Confirmed,
    Dropped,
    Enqueue,
    Enqueued,
    Flush,
    Flushed,
    Handed,
    LeaderChanged,
    Loss,
    NodeDown,
    NodeUp,
    QueueDown,
    Refused,
    Released,
    Removed,
    Replicate,
    Requeued,
    Written,
)
from kafkasim.engine.sim.timeline import Timeline
from kafkasim.result.schema_queues import QUEUE_CHANGES
from kafkasim.units import FOREVER_NS, MISSING_NS, NS_PER_MS

_ENQUEUED: Final = QUEUE_CHANGES.index("enqueued")
_DELIVERED: Final = QUEUE_CHANGES.index("delivered")
_REMOVED: Final[Mapping[Reason, int]] = {
    reason: QUEUE_CHANGES.index(reason)
    for reason in Reason
    if reason is not Reason.UNROUTABLE
}
_REQUEUED: Final = {
    cause: QUEUE_CHANGES.index(f"requeued: {cause}") for cause in Returned
}
"""Codes of changes."""


class QueueHosts:
    """All queues of a run.

    Parameters
    ----------
    calendar, timeline
        The run's.
    nodes : sequence of Node
        All.
    disks : mapping of int to DiskQueue
        By node; empty if writing takes no time.
    pipe : callable
        Returns the pipe from one node to another.
    feeds : sequence of Feed
        By source.
    rows : list of int
        Takes the values of rows of `queues`.
    pack : callable
        Packs them, before they are too many.
    to_channel : callable
        Takes what a queue tells a channel, and the node that it comes from.
    is_open : callable
        Tells whether a channel is there.
    exchanges : Exchanges
        Those of the cluster.
    make : callable
        Makes the machine of a queue.

    Attributes
    ----------
    disk_bytes : int
        Values written to disks so far: of a classic queue what is persistent, once; of
        a quorum queue everything, by each member.
    """

    def __init__(
        self,
        calendar: Calendar,
        timeline: Timeline,
        *,
        nodes: Sequence[Node],
        disks: Mapping[int, DiskQueue],
        pipe: Callable[[Node, Node], Pipe],
        feeds: Sequence[Feed],
        rows: list[int],
        pack: Callable[[], object],
        to_channel: Callable[[Any, Node], int],
        is_open: Callable[[int], bool],
        exchanges: Exchanges,
        make: Callable[[str], Any],
    ) -> None:
        self._calendar = calendar
        self._timeline = timeline
        self._nodes = nodes
        self._disks = disks
        self._pipe = pipe
        self._feeds = feeds
        self._rows = rows
        self._pack = pack
        self._to_channel = to_channel
        self._is_open = is_open
        self._exchanges = exchanges
        self._make = make
        self.hosted: dict[str, Hosted] = {}
        self.disk_bytes = 0
        self._acts: Mapping[type, Callable[[Hosted, Any], None]] = {
            Enqueued: self._enqueued,
            Handed: self._handed,
            Removed: self._removed,
            Requeued: self._requeued,
            Confirmed: self._tell_channel,
            Refused: self._tell_channel,
            Released: self._tell_channel,
            QueueDown: self._tell_channel,
            Flush: self._flush,
            Replicate: self._replicate,
            LeaderChanged: self._move,
            Dropped: self._dropped,
        }

    @property
    def _now_ms(self) -> int:
        return self._calendar.now_ns // NS_PER_MS

    def size_of(self, message: int) -> int:
        """Return the bytes of a message's value."""
        size: int = self._feeds[message >> ROW_SHIFT].sizes[message & ORDINAL]
        return size

    def tell(self, hosted: Hosted, job: Job) -> None:
        """Tell the process of a queue something, if its node is there."""
        if hosted.process.node.up:
            hosted.process.tell(job)
        else:
            self.do(hosted, job[1])

    # --- what a process gets ------------------------------------------------------

    def do(self, hosted: Hosted, request: Any) -> None:  # noqa: ANN401
        """Let a queue decide on what its process has got."""
        if type(request) is Enqueue:
            self._note_bytes(hosted, request)
        effects = hosted.machine.handle(request, self._now_ms)
        is_lost = not hosted.is_quorum and type(request) is Enqueue
        if is_lost and not (effects and type(effects[0]) is Enqueued):
            self._timeline.settle(1)  # its process is gone
        if not hosted.process.jobs and not hosted.is_quorum:
            effects += hosted.machine.idle()
        self._perform(hosted, effects)
        self._arm(hosted)

    def _note_bytes(self, hosted: Hosted, request: Enqueue) -> None:
        size_bytes = self.size_of(request.message)
        if hosted.is_quorum:
            for node in hosted.members:
                hosted.unsent[node] += size_bytes
        elif request.persistent:
            hosted.unflushed += size_bytes

    def _arm(self, hosted: Hosted) -> None:
        """See to it that the queue is asked again at its next deadline."""
        due_ms = hosted.machine.next_deadline_ms
        if due_ms is None:
            return
        due_ns = max(due_ms * NS_PER_MS, self._calendar.now_ns + 1)
        if due_ns < hosted.armed_ns:
            hosted.armed_ns = due_ns
            hosted.key += 1
            self._calendar.push((due_ns, hosted.key, self._deadline, (hosted, due_ns)))

    def _deadline(self, armed: tuple[Hosted, int]) -> None:
        hosted, due_ns = armed
        if hosted.armed_ns != due_ns:
            return
        hosted.armed_ns = FOREVER_NS
        self._perform(hosted, hosted.machine.handle_timeout(self._now_ms))
        self._arm(hosted)

    # --- what a queue decides -----------------------------------------------------

    def _perform(self, hosted: Hosted, effects: Sequence[Any]) -> None:
        for effect in effects:
            self._acts[type(effect)](hosted, effect)

    def _tell_channel(self, hosted: Hosted, effect: Any) -> None:  # noqa: ANN401
        self._to_channel(effect, hosted.process.node)

    def _dropped(self, _hosted: Hosted, _effect: Dropped) -> None:
        self._timeline.settle(1)

    def _row(self, hosted: Hosted, message: int, change: int, member: int) -> None:
        now_ns, unacked = self._calendar.now_ns, len(hosted.out)
        row = hosted.code, message, now_ns, change, member, hosted.ready, unacked
        self._rows += row

    def _enqueued(self, hosted: Hosted, effect: Enqueued) -> None:
        self._came(hosted, effect.message)

    def _came(self, hosted: Hosted, message: int) -> None:
        """Count a message that is in a queue now."""
        hosted.ready += 1
        hosted.came += 1
        feed, ordinal = self._feeds[message >> ROW_SHIFT], message & ORDINAL
        if feed.appended_ns[ordinal] == MISSING_NS:
            feed.appended_ns[ordinal] = self._calendar.now_ns
        self._row(hosted, message, _ENQUEUED, -1)

    def _handed(self, hosted: Hosted, effect: Handed) -> None:
        hosted.ready -= 1
        hosted.out[effect.position] = effect.message
        self._note_order(hosted, effect.position, again=effect.redelivered)
        member = self._to_channel(effect, hosted.process.node)
        self._row(hosted, effect.message, _DELIVERED, member)

    @staticmethod
    def _note_order(hosted: Hosted, position: int, *, again: bool) -> None:
        """Take note of what was handed out before an earlier message, and of again."""
        if again:
            hosted.hands_out_again = True
        elif position > hosted.newest:
            hosted.newest = position
        else:
            hosted.overtook = f"{position} was handed out after {hosted.newest}"

    def _removed(self, hosted: Hosted, effect: Removed) -> None:
        if hosted.out.pop(effect.position, None) is None:
            hosted.ready -= 1
        hosted.went += 1
        self._row(hosted, effect.message, _REMOVED[effect.reason], -1)
        self._timeline.settle(1)

    def _requeued(self, hosted: Hosted, effect: Requeued) -> None:
        self._back(hosted, effect.was, effect.message, effect.cause)

    def _back(
        self, hosted: Hosted, position: int, message: int, cause: Returned
    ) -> None:
        """Count a message as ready again."""
        hosted.out.pop(position, None)
        hosted.ready += 1
        self._row(hosted, message, _REQUEUED[cause], -1)

    # --- disks and copies ---------------------------------------------------------

    def _on_disk_ns(self, node: int, at_ns: int, size_bytes: int) -> int:
        """Return when bytes that come at a time are on a node's disk."""
        self.disk_bytes += size_bytes
        disk = self._disks.get(node)
        return at_ns if disk is None else disk.take(at_ns, size_bytes, finds=True)

    def _flush(self, hosted: Hosted, effect: Flush) -> None:
        node = hosted.process.node
        size_bytes, hosted.unflushed = hosted.unflushed, 0
        now_ns = self._calendar.now_ns
        done_ns = self._on_disk_ns(node.code, now_ns, size_bytes)
        flushed = Flushed(effect.position)
        if done_ns <= now_ns:
            hosted.process.tell((self.do, flushed, AT_ONCE))
            return
        hosted.key += 1
        what = hosted, flushed, node.epoch
        self._calendar.at(done_ns, hosted.key, self._flushed, what)

    def _flushed(self, what: tuple[Hosted, Flushed, int]) -> None:
        hosted, flushed, epoch = what
        if hosted.process.node.epoch == epoch:
            hosted.process.tell((self.do, flushed, AT_ONCE))

    def _replicate(self, hosted: Hosted, effect: Replicate) -> None:
        """Send a piece of the log to a member; know when it says that it has it."""
        size_bytes = hosted.unsent.pop(effect.node, 0)
        done_ns = self._copied_ns(hosted, effect.node, size_bytes)
        self._look(hosted, Written(effect.node, effect.last, effect.term), done_ns)

    def _look(self, hosted: Hosted, written: Written, done_ns: int) -> None:
        """Let the leader look when it knows what a member has written."""
        leader, member = hosted.process.node, self._nodes[written.node]
        copying = Copying(hosted, written, leader, member, (leader.epoch, member.epoch))
        if done_ns <= self._calendar.now_ns:
            self._written(copying)
            return
        hosted.key += 1
        self._calendar.at(done_ns, hosted.key, self._written, copying)

    def _copied_ns(self, hosted: Hosted, node: int, size_bytes: int) -> int:
        """Send bytes of a log to a member; return when its leader knows it has them."""
        done_ns, leader = self._calendar.now_ns, hosted.process.node
        member, ways = self._nodes[node], hosted.ways.get(node)
        if ways is None:
            ways = None, None
            if member is not leader:
                pipes = self._pipe(leader, member), self._pipe(member, leader)
                ways = pipes[0].transfer, pipes[1].transfer
            hosted.ways[node] = ways
        there, back = ways
        if there is None or back is None:
            return self._on_disk_ns(node, done_ns, size_bytes)
        done_ns = there(done_ns, size_bytes)
        if member.paused:
            done_ns = max(done_ns, member.until_ns)
        done_ns = self._on_disk_ns(node, done_ns, size_bytes)
        return back(done_ns, 0)

    def _written(self, copying: Copying) -> None:
        if copying.still_counts:
            copying.hosted.process.tell((self.do, copying.written, AT_ONCE))

    def _move(self, hosted: Hosted, effect: LeaderChanged) -> None:
        if effect.node >= 0:
            hosted.process.node = self._nodes[effect.node]
            hosted.ways.clear()

    # --- nodes --------------------------------------------------------------------

    def node_down(self, node: Node) -> None:
        """Let all queues learn that a node has crashed; it is not up any more."""
        for hosted in self.hosted.values():
            hosted.process.catch_up()
            lost: list[Job] = []
            if hosted.process.node is node:
                lost = hosted.process.stop()
            effects = hosted.machine.handle(
                NodeDown(node.code, Loss.CRASHED), self._now_ms
            )
            self._perform(hosted, effects)
            if hosted.is_quorum:
                self._say_again(hosted, lost)
            elif hosted.process.node is node:
                hosted.unflushed = 0
                for position, message in list(hosted.out.items()):
                    self._back(hosted, position, message, Returned.NODE_RESTARTED)
                self._void(hosted, lost)
                if not hosted.machine.durable:
                    self._delete(hosted)
            self._arm(hosted)

    def node_up(self, node: Node) -> None:
        """Let all queues learn that a node is back."""
        for hosted in self.hosted.values():
            if not (hosted.is_quorum or hosted.machine.durable):
                continue  # it is a new queue
            hosted.process.catch_up()
            effects = hosted.machine.handle(NodeUp(node.code), self._now_ms)
            self._perform(hosted, effects)
            self._arm(hosted)

    def _delete(self, hosted: Hosted) -> None:
        """Let a queue be gone that is not durable; its consumers declare a new one."""
        self._exchanges.delete_queue(hosted.process.name)
        hosted.machine = self._make(hosted.process.name)
        hosted.newest = -1

    def _void(self, hosted: Hosted, jobs: Sequence[Job]) -> None:
        """Refuse what a process was told, and had not done when its node crashed."""
        for job in jobs:
            enqueue = self._as_enqueue(hosted, job)
            if enqueue is not None:
                self._timeline.settle(1)
                if enqueue.publish_seq_no:
                    seqs = (enqueue.publish_seq_no,)
                    refused = Refused(enqueue.queue, enqueue.channel, seqs)
                    self._to_channel(refused, self._nodes[enqueue.node])

    def _as_enqueue(self, _hosted: Hosted, job: Job) -> Enqueue | None:
        """Return what brings a message, as a request; None if it is something else."""
        return job[1] if type(job[1]) is Enqueue else None

    def _as_request(self, _hosted: Hosted, job: Job) -> Any:  # noqa: ANN401
        """Return what a process was told as a request."""
        return job[1]

    def _say_again(self, hosted: Hosted, jobs: Sequence[Job]) -> None:
        """Let channels that live tell the next leader what the last one had not done.

        What the nodes of a cluster tell each other is void.
        """
        for job in jobs:
            request = self._as_request(hosted, job)
            if isinstance(request, Written | NodeDown | NodeUp):
                continue
            if self._is_open(request.channel):
                self.do(hosted, request)
            elif type(request) is Enqueue:
                self._timeline.settle(1)
