"""A quorum queue: a replicated log of commands, and what they do to its messages.

Everything that channels say becomes an entry of the log (`quorum_log`) and is carried
out when it is committed (`quorum_messages`): a message is ready, and confirmed, when a
majority has it on disk; an acknowledgement frees credit when a majority has that. All
messages are durable, whatever their publisher said (RQ-3).

The queue says whom the leader sends what (`Replicate`), itself included for its own
disk; `Written` comes back. Between two looks of the host any number of commands gathers
in one such message, as in the server.

Sources: RabbitMQ's documentation, "Quorum queues"; `rabbit_fifo`, `rabbit_fifo_client`
(4.3.5). Assumed: a node that the members miss is missed by all of them at once, and its
channels with it.
"""

from collections.abc import Iterable, Sequence
from typing import assert_never

from kafkasim.engine.sim.systems.rabbitmq.messages import REQUEUES, Outcome, Reason
from kafkasim.engine.sim.systems.rabbitmq.queue_messages import (
    ChannelDown,
    Confirmed,
    Dropped,
    Enqueue,
    Flushed,
    Handed,
    LeaderChanged,
    Loss,
    NodeDown,
    NodeUp,
    QueueEffect,
    QueueRequest,
    Replicate,
    Settle,
    Subscribe,
    Unsubscribe,
    Written,
)
from kafkasim.engine.sim.systems.rabbitmq.quorum_log import (
    NOBODY,
    Draw,
    QuorumLog,
    State,
)
from kafkasim.engine.sim.systems.rabbitmq.quorum_messages import (
    QuorumMessages,
    Taken,
)
from kafkasim.engine.sim.systems.rabbitmq.quorum_settings import QuorumSettings

Control = Subscribe | Unsubscribe | ChannelDown | NodeDown | NodeUp
Command = tuple[int, int, int] | tuple[int, str, tuple[int, ...], Outcome] | Control
"""(message, channel, publish_seq_no), (channel, tag, positions, outcome), or others."""


class QuorumQueue:
    """A quorum queue with its members.

    Parameters
    ----------
    name : str
        Its name.
    members : sequence of int
        The nodes that keep it.
    leader : int, optional
        The one that leads at the start; the first of them when left out.
    settings : QuorumSettings, optional
        Its arguments.
    draw : Draw
        For the waits before elections.
    """

    def __init__(
        self,
        name: str,
        *,
        members: Sequence[int] = (0, 1, 2),
        leader: int | None = None,
        settings: QuorumSettings | None = None,
        draw: Draw,
    ) -> None:
        self.name = name
        self.settings = QuorumSettings() if settings is None else settings
        leads = members[0] if leader is None else leader
        self.log = QuorumLog[Command](members, leads, draw)
        self.messages = QuorumMessages(name, self.settings)
        self._pending: list[Command] = []
        """What is to be said to the next leader."""
        self._confirmed: dict[int, list[int]] = {}
        self._nodes: dict[int, int] = {}
        """Channel → node."""
        self._dead: set[int] = set()
        """Channels that say nothing again."""
        self._went: dict[int, Loss] = {}
        """How nodes out of sight went, as far as commands were carried out."""

    # What it holds

    @property
    def state(self) -> State:
        """Whether it has a leader, and a majority."""
        return self.log.state

    @property
    def leader(self) -> int:
        """Node of its leader, or `NOBODY`."""
        return self.log.leader

    @property
    def ready_count(self) -> int:
        """Messages that could be handed out."""
        return self.messages.ready_count

    @property
    def unacked_count(self) -> int:
        """Messages that were handed out and not settled."""
        return self.messages.unacked_count

    def delivery_count(self, position: int) -> int:
        """Return x-delivery-count: how often the delivery of a message failed."""
        return self.messages.counts(position)[1]

    def acquired_count(self, position: int) -> int:
        """Return x-acquired-count: how often a message came back."""
        return self.messages.counts(position)[0]

    # Parts: the same rules with plain numbers. After them, `replicate`. A host may
    # carry out some of the commands itself that `log.written` returns.

    def publish(
        self,
        message: int,
        channel: int,
        seq: int,
        *,
        persistent: bool = True,  # noqa: ARG002 - all messages are durable
        node: int = 0,
        now_ms: int,  # noqa: ARG002 - as the other kind of queue
    ) -> int:
        """Append a message; return its position, 0 if there is no leader to have it."""
        self._nodes.setdefault(channel, node)
        return self._say((message, channel, seq))

    def discard(
        self,
        channel: int,
        tag: str,
        positions: Iterable[int],
        outcome: Outcome = Outcome.ACK,
    ) -> None:
        """Append that a consumer is done with messages."""
        self._say((channel, tag, tuple(positions), outcome))

    def requeue(
        self, channel: int, tag: str, positions: Iterable[int], *, failed: bool
    ) -> None:
        """Append that a consumer gives messages back.

        A basic.nack without a delivery limit appends each message anew (RQ-9).
        """
        if failed or self.settings.delivery_limit is not None:
            outcome = Outcome.REJECT if failed else Outcome.NACK
            self._say((channel, tag, tuple(positions), outcome))
            return
        for position in positions:
            self._say((channel, tag, (position,), Outcome.NACK))

    def replicate(self) -> list[tuple[int, int, int]]:
        """Return (node, first, last) of the entries that the leader is to send now."""
        return self.log.unsent()

    def written(self, node: int, index: int, term: int, now_ms: int) -> None:
        """Learn what a member has on disk; carry out what is committed by that."""
        entries = self.log.written(node, index, term)
        position = self.log.committed - len(entries)
        for command in entries:
            position += 1
            if command is not None:
                self.carry_out(command, position, now_ms)
                self._hand_out(now_ms)

    def take_confirmed(self) -> list[tuple[int, list[int]]]:
        """Return (channel, numbers) that are confirmed since the last call (RQ-14)."""
        if not self._confirmed:
            return []
        confirmed, self._confirmed = self._confirmed, {}
        return list(confirmed.items())

    def take_told(self) -> list[QueueEffect]:
        """Return what became of messages since the last call."""
        told, self.messages.told = self.messages.told, []
        return told

    def confirm(self, channel: int, seq: int) -> None:
        """Count a number as confirmed; 0 wants no confirm."""
        if seq:
            self._confirmed.setdefault(channel, []).append(seq)

    def _say(self, command: Command) -> int:
        if self.log.leader == NOBODY:
            self._pending.append(command)
            return 0
        return self.log.append(command)

    def _hand_out(self, now_ms: int) -> None:
        while (taken := self.messages.take(now_ms)) is not None:
            self.messages.told.append(self._handed_over(taken))

    def _handed_over(self, taken: Taken) -> Handed:
        consumer, position, message, redelivered = taken
        acquired, failed = self.messages.counts(position)
        return Handed(
            queue=self.name,
            channel=consumer.channel,
            consumer_tag=consumer.tag,
            position=position,
            message=message,
            redelivered=redelivered,
            delivery_count=failed,
            acquired_count=acquired,
        )

    def carry_out(self, command: Command, position: int, now_ms: int) -> None:
        """Do what a command says that is committed at a position."""
        if isinstance(command, tuple):
            if len(command) == 3:
                message, channel, seq = command
                self.messages.enqueue(position, message)
                self.confirm(channel, seq)
                return
            channel, tag, positions, outcome = command
            if outcome == Outcome.NACK and self.settings.delivery_limit is None:
                self.messages.append_anew(channel, tag, positions[0], position)
                return
            self.messages.settle(channel, tag, positions, outcome, now_ms)
            return
        self._carry_out_control(command, now_ms)

    def _carry_out_control(self, command: Control, now_ms: int) -> None:
        match command:
            case Subscribe():
                self.messages.subscribe(command)
            case Unsubscribe():
                self.messages.unsubscribe(command.channel, command.consumer_tag)
            case ChannelDown():
                self.messages.channel_down(command.channel, now_ms)
            case NodeDown(how=Loss.STOPPED):
                self.messages.node_stopped(command.node, now_ms)
            case NodeDown():
                self._went[command.node] = command.how
                self.messages.suspect(command.node, now_ms)
            case NodeUp():
                how = self._went.pop(command.node, None)
                if how is not None:
                    died = how == Loss.CRASHED
                    self.messages.see_again(command.node, now_ms, died=died)
            case _:
                assert_never(command)

    # The machine

    @property
    def next_deadline_ms(self) -> int | None:
        """When to call `handle_timeout`; None while nothing waits."""
        if self.log.state == State.LED:
            return self.messages.next_deadline_ms
        return self.log.next_deadline_ms

    def handle_timeout(self, now_ms: int) -> list[QueueEffect]:
        """Elect a leader, or take back what is overdue, if it is time."""
        due_ms = self.next_deadline_ms
        if due_ms is None or now_ms < due_ms:
            return []
        if self.log.state == State.LED:
            self.messages.pass_time(now_ms)
            self._hand_out(now_ms)
            return self._tell()
        unheard = self.log.elect(now_ms)
        if unheard is None:
            return []
        effects: list[QueueEffect] = [
            LeaderChanged(self.name, self.log.term, self.log.leader)
        ]
        again, self._pending = [*unheard, *self._pending], []
        for command in again:
            if self._is_heard(command):
                self._say(command)
            elif isinstance(command, tuple) and len(command) == 3:
                effects.append(Dropped(command[0], Reason.NOT_REPLICATED))
        return effects + self._tell()

    def _is_heard(self, command: Command) -> bool:
        """Whether somebody is left to say a command again."""
        if isinstance(command, tuple):
            return (command[1] if len(command) == 3 else command[0]) not in self._dead
        if isinstance(command, Subscribe | Unsubscribe):
            return command.channel not in self._dead
        return True

    def handle(self, request: QueueRequest, now_ms: int) -> list[QueueEffect]:
        """Take a request; what it does comes when it is committed."""
        effects: list[QueueEffect] = []
        match request:
            case Enqueue():
                self.publish(
                    request.message,
                    request.channel,
                    request.publish_seq_no,
                    persistent=request.persistent,
                    node=request.node,
                    now_ms=now_ms,
                )
            case Settle():
                self._settle(request)
            case Written():
                self.written(request.node, request.index, request.term, now_ms)
            case NodeDown() | NodeUp():
                effects = self._node(request, now_ms)
            case Subscribe():
                self._nodes[request.channel] = request.node
                self._say(request)
            case Unsubscribe():
                self._say(request)
            case ChannelDown():
                self._dead.add(request.channel)
                self._say(request)
            case Flushed():
                pass
            case _:
                assert_never(request)
        return effects + self._tell()

    def _settle(self, request: Settle) -> None:
        who = request.channel, request.consumer_tag
        if request.outcome in REQUEUES:
            failed = request.outcome == Outcome.REJECT
            self.requeue(*who, request.positions, failed=failed)
        else:
            self.discard(*who, request.positions, request.outcome)

    def _node(self, request: NodeDown | NodeUp, now_ms: int) -> list[QueueEffect]:
        leader = self.log.leader
        if isinstance(request, NodeDown):
            if request.how != Loss.DISCONNECTED:
                there = [who for who, at in self._nodes.items() if at == request.node]
                self._dead.update(there)
            self.log.node_down(request.node, request.how, now_ms)
        elif not request.disk_lost:
            self.log.node_up(request.node, now_ms)
        self._say(request)
        if self.log.leader == leader:
            return []
        return [LeaderChanged(self.name, self.log.term, self.log.leader)]

    def _tell(self) -> list[QueueEffect]:
        """Return what has happened, and what the leader sends."""
        effects = self.take_told()
        effects += [
            Confirmed(self.name, channel, tuple(seqs))
            for channel, seqs in self.take_confirmed()
        ]
        return effects + [
            Replicate(self.name, node, self.log.term, first, last)
            for node, first, last in self.replicate()
        ]
