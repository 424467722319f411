"""The controller's host: heartbeats, requests of brokers, and how metadata spread.

The rules are those of `kafkasim.protocol.cluster.controller`; here they get a clock and
a network. What the controller decides waits `controller.quorum.append.linger.ms` (25
ms) in its log, goes to the other controllers and back, and then to each broker that
runs (CT-14): one linger and three ways over the network until a broker acts on it. When
the active controller dies, another one takes over after
`controller.quorum.fetch.timeout.ms` (2 s) and the way of a vote and its answer (CT-15);
a vote that nobody wins does not happen here.

Heartbeats run only where a broker or the controller may fail: nobody would miss them.
"""

from collections.abc import Callable, Sequence
from typing import Final

from kafkasim.engine.sim.calendar import Calendar, Rank, key_base
from kafkasim.engine.sim.network import Pipe
from kafkasim.engine.sim.replicated_broker import ReplicatedBroker
from kafkasim.protocol.cluster.controller import Controller
from kafkasim.protocol.cluster.controller_messages import (
    AddPartitions,
    AlterPartition,
    Answer,
    Changed,
    Effect,
    Failover,
    Heartbeat,
    MayStop,
    MoveLeader,
    Register,
    Resign,
)
from kafkasim.protocol.errors import NONE, NOT_CONTROLLER
from kafkasim.units import NS_PER_MS

LINGER_NS: Final = 25 * NS_PER_MS
"""`controller.quorum.append.linger.ms`."""
TAKE_OVER_NS: Final = 2_000 * NS_PER_MS
"""`controller.quorum.fetch.timeout.ms`: until another controller calls for a vote."""
_ASK_AGAIN_NS: Final = 50 * NS_PER_MS
"""Until a broker that may not stop yet asks for the second time."""
_RETRY_NS: Final = 50 * NS_PER_MS
"""Until a broker asks again when nobody is the controller (`retry.backoff.ms` of its
channel to the controller)."""
_REFUSED_MS: Final = 100
"""Until a broker that may not register yet asks again: doubled each time, at most one
session timeout (`BrokerLifecycleManager`, without its jitter of 2 %)."""

Sent = Register | Heartbeat | AlterPartition


class ControllerHost:
    """Runs the controller.

    Parameters
    ----------
    calendar, actor
        Where its deadlines go, and its number among the run's actors.
    machine : Controller
        The rules.
    brokers : sequence of ReplicatedBroker
        By node.
    up, down : sequence of Pipe
        From each broker to the controller, and back.
    quorum : Pipe
        From the controller to the others that vote.
    heartbeat_ns : int
        `broker.heartbeat.interval.ms`.
    phases_ns : sequence of int
        When each broker sends its first heartbeat.
    """

    def __init__(
        self,
        *,
        calendar: Calendar,
        actor: int,
        machine: Controller,
        brokers: Sequence[ReplicatedBroker],
        up: Sequence[Pipe],
        down: Sequence[Pipe],
        quorum: Pipe,
        heartbeat_ns: int,
        phases_ns: Sequence[int],
    ) -> None:
        self._calendar = calendar
        self.machine = machine
        self._brokers = brokers
        self._up = up
        self._down = down
        self._quorum = quorum
        self._heartbeat_ns = heartbeat_ns
        self._phases_ns = phases_ns
        self._command_key = key_base(Rank.ARRIVAL, actor)
        self._timer_key = key_base(Rank.TIMER, actor)
        self._answer_key = key_base(Rank.ANSWER, actor)
        self._armed_ms: int | None = None
        self._watches = False
        self._stopping: dict[int, int] = {}
        """Brokers that want to stop, and how often they have asked."""
        self.on_stopped: Callable[[int], None] = lambda _: None
        """Takes a broker that has stopped in order."""
        self._may_stop: dict[int, int] = {}
        """Those that may, and which of their processes."""
        self._refusals: dict[int, int] = {}
        self._replicated_ns = 0

    def watch(self) -> None:
        """Let brokers send heartbeats, and look at them."""
        self._watches = True
        for broker, phase_ns in zip(self._brokers, self._phases_ns, strict=True):
            self._beat_at(phase_ns, broker)
        self._arm()

    # --- brokers ------------------------------------------------------------------

    def _beat_at(self, at_ns: int, broker: ReplicatedBroker) -> None:
        self._timer_key += 1
        what = broker, broker.incarnation
        self._calendar.at(at_ns, self._timer_key, self._beat, what)

    def _beat(self, what: tuple[ReplicatedBroker, int]) -> None:
        """Send a heartbeat and set the time of the next one."""
        broker, incarnation = what
        if not broker.up or broker.incarnation != incarnation:
            return
        if broker.holds(self._beat, what) or broker.index in self._stopping:
            return
        self._send_heartbeat(broker)
        self._beat_at(self._calendar.now_ns + self._heartbeat_ns, broker)

    def _send_heartbeat(self, broker: ReplicatedBroker) -> None:
        node = broker.index
        heartbeat = Heartbeat(
            node,
            broker.epoch,
            wants_shutdown=node in self._stopping,
            offset=broker.metadata_offset,
        )
        self.send(node, heartbeat)

    def register(self, node: int, *, clean: bool) -> None:
        """Let a broker that has started say so; it goes on when it has an epoch."""
        self._stopping.pop(node, None)
        self._refusals[node] = 0
        self.send(node, Register(node, clean))

    def _register_later(self, broker: ReplicatedBroker, request: Register) -> None:
        """Ask again: the session of the process before it lasts still (CT-12)."""
        session_ms = self.machine.settings.session_timeout_ms
        wait_ms = min(_REFUSED_MS << self._refusals[broker.index], session_ms)
        self._refusals[broker.index] += 1
        at_ns = self._calendar.now_ns + wait_ms * NS_PER_MS
        self._timer_key += 1
        what = broker, broker.incarnation, request
        self._calendar.at(at_ns, self._timer_key, self._register_again, what)

    def _register_again(self, what: tuple[ReplicatedBroker, int, Register]) -> None:
        broker, incarnation, request = what
        if broker.incarnation == incarnation:
            self.send(broker.index, request)

    def stop_in_order(self, node: int) -> None:
        """Let a broker ask for a controlled shutdown (CT-11)."""
        broker = self._brokers[node]
        if node in self._stopping:
            return
        self._stopping[node] = 0
        self._ask_to_stop((broker, broker.incarnation))

    def _ask_to_stop(self, what: tuple[ReplicatedBroker, int]) -> None:
        broker, incarnation = what
        if broker.incarnation != incarnation or broker.index not in self._stopping:
            return
        if not broker.holds(self._ask_to_stop, what):
            self._stopping[broker.index] += 1
            self._send_heartbeat(broker)

    def _stop_or_ask_again(self, what: tuple[ReplicatedBroker, int]) -> None:
        """Take an answer: stop, or ask again after 50 ms, and then at each beat.

        Source: `BrokerLifecycleManager`.
        """
        broker, incarnation = what
        node = broker.index
        if broker.incarnation != incarnation or node not in self._stopping:
            return
        if broker.holds(self._stop_or_ask_again, what):
            return
        if self._may_stop.pop(node, -1) == incarnation:
            del self._stopping[node]
            broker.crash("shut down")
            self.on_stopped(node)
            return
        wait_ns = _ASK_AGAIN_NS if self._stopping[node] == 1 else self._heartbeat_ns
        self._timer_key += 1
        at_ns = self._calendar.now_ns + wait_ns
        self._calendar.at(at_ns, self._timer_key, self._ask_to_stop, what)

    def send(self, node: int, request: Sent) -> None:
        """Send a broker's request to the controller."""
        at_ns = self._up[node].transfer(self._calendar.now_ns, 0)
        self._command_key += 1
        self._calendar.at(at_ns, self._command_key, self._take, request)

    def add_partitions(
        self,
        ask: Callable[[], AddPartitions | None],
        take_up: Callable[[Changed], None],
    ) -> int | None:
        """Do what an administrator asks; again and again while nobody is there to.

        Parameters
        ----------
        ask : callable
            Returns the request as it is when there is a controller; None: none any
            more.
        take_up : callable
            Told of the partitions that will be there, before anybody else is.

        Returns
        -------
        int or None
            The error that was answered, a code of `protocol.errors`; None as long as
            there is no controller.
        """
        if not self.machine.active:
            at_ns = self._calendar.now_ns + _RETRY_NS
            self._command_key += 1
            self._calendar.at(
                at_ns,
                self._command_key,
                lambda _: self.add_partitions(ask, take_up),
                None,
            )
            return None
        request = ask()
        if request is None:
            return NONE
        *changes, answer = self.machine.handle(request, self._now_ms)
        for changed in changes:
            assert isinstance(changed, Changed)
            take_up(changed)
        self._do(changes)
        assert isinstance(answer, Answer)
        return answer.error

    def move_leader(self, partition: int, node: int) -> int:
        """Let another copy of a partition lead; return the error of that."""
        if not self.machine.active:
            return NOT_CONTROLLER
        request = MoveLeader(partition, node)
        *changes, answer = self.machine.handle(request, self._now_ms)
        self._do(changes)
        assert isinstance(answer, Answer)
        return answer.error

    # --- the controller -----------------------------------------------------------

    @property
    def _now_ms(self) -> int:
        return self._calendar.now_ns // NS_PER_MS

    def _take(self, request: Sent) -> None:
        if not self.machine.active:
            self._try_again(request)
            return
        self._do(self.machine.handle(request, self._now_ms))

    def _try_again(self, request: Sent) -> None:
        """Nobody is the controller: heartbeats are lost, other requests come again."""
        if isinstance(request, Heartbeat) and not request.wants_shutdown:
            return
        at_ns = self._calendar.now_ns + _RETRY_NS
        self._command_key += 1
        self._calendar.at(at_ns, self._command_key, self._take, request)

    def _do(self, effects: Sequence[Effect]) -> None:
        """Spread what changed, send answers, and set the next deadline."""
        for effect in effects:
            if isinstance(effect, Changed):
                self._spread(effect)
            elif isinstance(effect, Answer):
                self._answer(effect)
            else:
                self._let_stop(effect)
        if self._watches:
            self._arm()

    def _spread(self, changed: Changed) -> None:
        """Write a batch of metadata, and let brokers that run have it."""
        written_ns = self._calendar.now_ns + LINGER_NS
        there_ns = self._quorum.transfer(written_ns, 0)
        back_ns = self._quorum.transfer(there_ns, 0)
        self._replicated_ns = back_ns
        for broker, pipe in zip(self._brokers, self._down, strict=True):
            self._deliver(pipe, back_ns, broker, changed)

    def _deliver(
        self, pipe: Pipe, at_ns: int, broker: ReplicatedBroker, changed: Changed
    ) -> None:
        what = broker, broker.incarnation, changed
        self._answer_key += 1
        arrived_ns = pipe.transfer(at_ns, 0)
        self._calendar.at(arrived_ns, self._answer_key, self._delivered, what)

    def _delivered(self, what: tuple[ReplicatedBroker, int, Changed]) -> None:
        broker, incarnation, changed = what
        if broker.incarnation == incarnation:
            broker.apply(changed)

    def _answer(self, answer: Answer) -> None:
        """Answer once what it says is replicated."""
        request = answer.request
        if not isinstance(request, AlterPartition | Register | Heartbeat):
            return
        if isinstance(request, Heartbeat) and not request.wants_shutdown:
            return
        if answer.error == NOT_CONTROLLER:
            self._try_again(request)
            return
        broker = self._brokers[request.node]
        at_ns = max(self._calendar.now_ns, self._replicated_ns)
        arrived_ns = self._down[request.node].transfer(at_ns, 0)
        what = broker, broker.incarnation, answer
        self._answer_key += 1
        self._calendar.at(arrived_ns, self._answer_key, self._answered, what)

    def _answered(self, what: tuple[ReplicatedBroker, int, Answer]) -> None:
        broker, incarnation, answer = what
        if broker.incarnation != incarnation:
            return
        if isinstance(answer.request, AlterPartition):
            broker.altered(answer)
        elif isinstance(answer.request, Heartbeat):
            self._stop_or_ask_again((broker, incarnation))
        elif answer.broker is None:
            assert isinstance(answer.request, Register)
            self._register_later(broker, answer.request)
        else:
            broker.epoch = answer.broker.epoch
            broker.registered = True
            every = tuple(enumerate(self.machine.partitions))
            broker.apply(Changed(every, self.machine.brokers, self.machine.offset))
            self._beat((broker, incarnation))

    def _let_stop(self, effect: MayStop) -> None:
        self._may_stop[effect.node] = self._brokers[effect.node].incarnation

    def _arm(self) -> None:
        """Set the machine's next deadline, unless one is set that comes no later."""
        due_ms = self.machine.next_deadline_ms
        if due_ms is None or (self._armed_ms is not None and self._armed_ms <= due_ms):
            return
        self._armed_ms = due_ms
        self._timer_key += 1
        at_ns = max(due_ms * NS_PER_MS, self._calendar.now_ns)
        self._calendar.at(at_ns, self._timer_key, self._due, due_ms)

    def _due(self, due_ms: int) -> None:
        if self._armed_ms == due_ms:
            self._armed_ms = None
        self._do(self.machine.handle_timeout(self._now_ms))

    def crash(self) -> None:
        """Let the active controller die; another one takes over."""
        self._do(self.machine.handle(Resign(), self._now_ms))
        at_ns = self._calendar.now_ns + TAKE_OVER_NS
        there_ns = self._quorum.transfer(at_ns, 0)
        self._answer_key += 1
        back_ns = self._quorum.transfer(there_ns, 0)
        self._calendar.at(back_ns, self._answer_key, self._take_over, None)

    def _take_over(self, _: None) -> None:
        if not self.machine.active:
            self._do(self.machine.handle(Failover(), self._now_ms))
