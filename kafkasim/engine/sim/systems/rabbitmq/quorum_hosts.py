"""Quorum queues whose every message is moved without a request and its effects.

What is published to such a queue, and what is acknowledged, is appended and sent to the
members by the parts of the machine that take plain numbers; they have the same rules.
While nothing can happen, it is known at once when a majority will have an entry: that
is the only time at which the leader has to look. What the other members say changes
nothing that anybody sees, and is told with what comes after it.
"""

from heapq import heappush
from typing import Any, Final

from kafkasim.engine.sim.systems.rabbitmq.classic_hosts import ClassicHosts
from kafkasim.engine.sim.systems.rabbitmq.hosted import Copying, Hosted
from kafkasim.engine.sim.systems.rabbitmq.messages import Outcome
from kafkasim.engine.sim.systems.rabbitmq.node import AT_ONCE, Job
from kafkasim.engine.sim.systems.rabbitmq.queue_messages import (
    Enqueue,
    Settle,
    Written,
)
from kafkasim.engine.sim.systems.rabbitmq.sender import Sent
from kafkasim.result.schema_queues import QUEUE_CHANGES
from kafkasim.units import NS_PER_MS

_ACKED: Final = QUEUE_CHANGES.index("acked")


_MESSAGE: Final = 3
"""Numbers of a command that brings a message."""


class QuorumHosts(ClassicHosts):
    """All queues of a run; messages of both kinds go the short way.

    Attributes
    ----------
    sure_ns : int
        Before then everything arrives when its link has brought it.
    """

    sure_ns = 0

    def _as_enqueue(self, hosted: Hosted, job: Job) -> Enqueue | None:
        if job[0] == self.append:
            return self._enqueue(hosted, job[1])
        return super()._as_enqueue(hosted, job)

    def _as_request(self, hosted: Hosted, job: Job) -> object:
        if job[0] == self.append:
            return self._enqueue(hosted, job[1])
        if job[0] == self.append_ack:
            channel, tag, position = job[1]
            return Settle(
                queue=hosted.process.name,
                channel=channel,
                consumer_tag=tag,
                positions=(position,),
                outcome=Outcome.ACK,
            )
        if job[0] in (self.commit, self.hear):
            return Written(*job[1])
        return super()._as_request(hosted, job)

    # --- what a process gets ------------------------------------------------------

    def do(self, hosted: Hosted, request: Any) -> None:  # noqa: ANN401
        """Let a queue decide on what its process has got."""
        if hosted.is_quorum and type(request) is Enqueue:
            self._note_bytes(hosted, request)
            hosted.machine.publish(
                request.message,
                request.channel,
                request.publish_seq_no,
                node=request.node,
                now_ms=self._now_ms,
            )
            self._send(hosted)
        else:
            super().do(hosted, request)

    def append(self, hosted: Hosted, sent: Sent) -> None:
        """Let a quorum queue append a message to its log."""
        publisher, channel, ordinal, seq = sent
        feed, node = publisher.feed, hosted.process.node
        now_ms = self._calendar.now_ns // NS_PER_MS
        message = feed.base + ordinal
        hosted.machine.publish(message, channel, seq, node=node.code, now_ms=now_ms)
        size_bytes, unsent = feed.sizes[ordinal], hosted.unsent
        for member in hosted.members:
            unsent[member] += size_bytes
        self._send(hosted)

    def append_ack(self, hosted: Hosted, done: tuple[int, str, int]) -> None:
        """Let it append that a consumer has acknowledged a message."""
        channel, tag, position = done
        hosted.machine.discard(channel, tag, (position,))
        self._send(hosted)

    def hear(self, hosted: Hosted, written: tuple[int, int, int]) -> None:
        """Let it learn what a member has on disk that no majority waits for."""
        node, index, _ = written
        hosted.machine.log.heard(node, index)

    # --- the log ------------------------------------------------------------------

    def _send(self, hosted: Hosted) -> None:
        """Send the members what they have not been sent."""
        log, unsent, ways = hosted.machine.log, hosted.unsent, hosted.ways
        now_ns, sure_ns = self._calendar.now_ns, self.sure_ns
        term, last_ns = log.term, now_ns
        copies: list[tuple[int, int, tuple[int, int, int]]] = []
        is_plain = now_ns < sure_ns and not self._disks and len(ways) == log.size
        for node, index in log.unsent_ends():
            size_bytes = unsent.pop(node, 0)
            if is_plain:
                self.disk_bytes += size_bytes
                there, back = ways[node]
                done_ns = now_ns
                if there is not None and back is not None:
                    done_ns = back(there(now_ns, size_bytes), 0)
            else:
                done_ns = self._copied_ns(hosted, node, size_bytes)
            last_ns = max(last_ns, done_ns)
            copies.append((done_ns, len(copies) + 1, (node, index, term)))
        if len(copies) < log.size or last_ns >= sure_ns:
            for done_ns, _, written in copies:
                self._look(hosted, Written(*written), done_ns)
            return
        process, key = hosted.process, hosted.key
        hosted.key = key + len(copies)
        copies.sort()
        done_ns, place, written = copies.pop(log.majority - 1)
        hear, late = self.hear, process.late
        for at_ns, other, heard in copies:
            heappush(late, (at_ns, key + other, (hear, heard, AT_ONCE)))
        job = self.commit, written, AT_ONCE
        if done_ns > now_ns:
            at = key + place
            self._calendar.push((done_ns, at, process.tell_in_turn, (at, job)))
        else:
            process.tell(job)

    def _written(self, copying: Copying) -> None:
        if copying.still_counts:
            written = copying.written
            what = written.node, written.index, written.term
            copying.hosted.process.tell((self.commit, what, AT_ONCE))

    def commit(self, hosted: Hosted, written: tuple[int, int, int]) -> None:
        """Let a quorum queue carry out what is committed by what a member wrote."""
        machine = hosted.machine
        log = machine.log
        node, index, term = written
        commands = log.written(node, index, term)
        if not commands:
            return
        position = log.committed - len(commands)
        for command in commands:
            position += 1
            if command is None:
                continue
            if type(command) is tuple:
                self._carry_out(hosted, command, position)
            else:
                machine.carry_out(command, position, self._now_ms)
                self._perform(hosted, machine.take_told())
            self._hand_out(hosted, machine.messages.take)
        for channel, seqs in machine.take_confirmed():
            self.confirm(channel, seqs, hosted.process.node)
        if machine.messages.expires_ms * NS_PER_MS < hosted.armed_ns:
            self._arm(hosted)

    def _carry_out(self, hosted: Hosted, command: Any, position: int) -> None:  # noqa: ANN401
        machine = hosted.machine
        if len(command) == _MESSAGE:
            message, channel, seq = command
            machine.messages.take_in(position, message)
            machine.confirm(channel, seq)
            self._came(hosted, message)
        elif command[3] is Outcome.ACK:
            channel, tag, positions, _ = command
            for each, message in machine.messages.acknowledge(channel, tag, positions):
                if hosted.out.pop(each, None) is None:
                    hosted.ready -= 1
                hosted.went += 1
                self._row(hosted, message, _ACKED, -1)
                self._timeline.settle(1)
        else:
            machine.carry_out(command, position, self._now_ms)
            self._perform(hosted, machine.take_told())
