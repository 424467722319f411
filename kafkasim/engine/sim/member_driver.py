"""Between a client machine and the network: what it hears and when, what it sends.

A machine is told of answers as they come, unless nobody reads them: a process that
stands still reads nothing, and neither does one whose application works while no
thread of its client runs (`MemberMachine.reads_in_background`). What comes then is told
in the order in which it came when somebody reads again.
"""

from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from kafkasim.engine.sim.group_client import GroupClient
from kafkasim.engine.sim.group_requests import GroupRequest
from kafkasim.engine.sim.request import Request
from kafkasim.protocol.groups.group_messages import FindCoordinator
from kafkasim.protocol.groups.group_messages import Request as Message
from kafkasim.protocol.groups.member.member_effects import (
    Answered,
    Assigned,
    Closed,
    CommitEnded,
    CoordinatorIs,
    Disconnected,
    Effect,
    Failed,
    HeldBack,
    Input,
    Lost,
    MemberMachine,
    OffsetsFound,
    Raised,
    Revoked,
    Send,
)
from kafkasim.result.schema_groups import COMMIT_KINDS
from kafkasim.units import MISSING_NS, NS_PER_MS

OfApplication = (
    HeldBack | Revoked | Lost | Assigned | CommitEnded | OffsetsFound | Raised | Closed
)
"""What a machine asks of the application's side."""


class DriverCalls(NamedTuple):
    """What a driver calls."""

    now_ns: Callable[[], int]
    """Tells the time."""
    next_request_id: Callable[[], int]
    """Gives the number of the next request."""
    write_request: Callable[[Request, int], None]
    """Takes a request and the time of its answer, missing when it never comes."""
    received: Callable[[Request], None]
    """Is called with a request whose answer has come."""
    do: Callable[[OfApplication], None]
    """Does what the machine asks of the application."""
    reads: Callable[[], bool]
    """Says whether somebody reads what comes now."""
    stands_still: Callable[[], bool]
    """Says whether the process is paused."""
    on_news: Callable[[], None]
    """Is called when the machine has heard something."""


class MemberDriver:
    """Drives the machine of one member.

    Parameters
    ----------
    code : int
        Of the member.
    network : GroupClient
        The client's connections.
    calls : DriverCalls
        Whom to tell what.

    Attributes
    ----------
    machine : MemberMachine or None
        That of the process that runs now.
    kinds : dict of int to int
        Ticket of an application's commit → its kind, a code into `COMMIT_KINDS`.
    is_telling : bool
        What the machine asks for is being done.
    overheard : list of Message or None
        Takes what the machine says before a run; None: it is sent.
    """

    def __init__(self, code: int, network: GroupClient, calls: DriverCalls) -> None:
        self._code = code
        self._network = network
        self._calls = calls
        self.machine: MemberMachine | None = None
        self.kinds: dict[int, int] = {}
        self.is_telling = False
        self.overheard: list[Message] | None = None
        self._number = 0
        """Of the process; what was to happen in an earlier one is void."""
        self._coordinator: int | None = None
        self._events: deque[Input | None] = deque()
        """To be told; None: that time has passed."""
        self._unread: deque[Input] = deque()
        self._asked: dict[Request, Message] = {}
        self._unsent: list[tuple[int, Message, int]] = []
        """Node, message and kind of what waits for a connection."""
        self._armed_ms: int | None = None
        self._poll_armed_ms: int | None = None
        network.on_ready.append(self._ready)
        network.on_disconnect.append(self._disconnected)

    @property
    def now_ms(self) -> int:
        """The time in milliseconds, as machines count it."""
        return self._calls.now_ns() // NS_PER_MS

    def start(self, machine: MemberMachine) -> None:
        """Drive this one from now on."""
        self._number += 1
        self.machine = machine

    def stop(self) -> None:
        """Forget all: the process has gone."""
        self._number += 1
        self.machine = self._coordinator = None
        self._armed_ms = self._poll_armed_ms = None
        for each in (self._events, self._unread, self._asked, self._unsent, self.kinds):
            each.clear()

    # --- to the machine -------------------------------------------------------------

    def tell(self, event: Input | None) -> None:
        """Tell the machine, and do what it asks for; None: that time has passed."""
        self._events.append(event)
        if self.is_telling:
            return
        self.is_telling = True
        while self._events and self.machine is not None:
            told = self._events.popleft()
            effects = (
                self.machine.handle_timeout(self.now_ms)
                if told is None
                else self.machine.handle(told, self.now_ms)
            )
            for effect in effects:
                self._do(effect)
        self.is_telling = False
        self._arm()

    def read(self) -> None:
        """Tell what has come while nobody read."""
        while self._unread:
            self.tell(self._unread.popleft())

    def catch_up(self) -> None:
        """Do what was due while the process stood still."""
        self.tell(None)

    def _hear(self, event: Input) -> None:
        if self.machine is None:
            return
        if self._unread or self._calls.stands_still() or not self._calls.reads():
            self._unread.append(event)
            return
        self.tell(event)
        if not self.is_telling:
            self._calls.on_news()

    # --- from the machine -----------------------------------------------------------

    def _do(self, effect: Effect) -> None:
        if isinstance(effect, Send):
            self._send(effect)
        elif isinstance(effect, CoordinatorIs):
            self._know(effect.node)
        elif self.machine is not None:
            self._calls.do(effect)

    def _know(self, node: int | None) -> None:
        """Know another coordinator, or none: what is under way to the old one fails."""
        old, self._coordinator = self._coordinator, node
        if node is None and old is not None:
            self._network.disconnect(self._network.as_coordinator(old))
        elif node is not None:
            at = self._network.as_coordinator(node)
            self._network.can_send(at, self._calls.now_ns())
            if self._network.is_lost(at):
                self._events.append(Disconnected())

    def _send(self, effect: Send) -> None:
        message, network = effect.request, self._network
        if self.overheard is not None:
            self.overheard.append(message)
            return
        kind = COMMIT_KINDS.index(effect.kind)
        if effect.ticket is not None:
            kind = self.kinds.pop(effect.ticket)
        node: int | None = None
        if isinstance(message, FindCoordinator):
            node = network.least_loaded(self._calls.now_ns())
        elif self._coordinator is not None:
            node = network.as_coordinator(self._coordinator)
        if node is None:
            self._events.append(Failed(message))
        else:
            self._post(node, message, kind)

    def _post(self, node: int, message: Message, kind: int) -> None:
        """Send to a node, at once or when there is a connection."""
        now_ns, network = self._calls.now_ns(), self._network
        if network.can_send(node, now_ns):
            connection = network.connections[node]
            request = GroupRequest(
                connection, now_ns, message, self._calls.received, self._code, kind
            )
            request.request_id = self._calls.next_request_id()
            self._asked[request] = message
            network.send(request)
        elif network.is_lost(node):
            self._fail(message)
        else:
            self._unsent.append((node, message, kind))

    def _fail(self, message: Message) -> None:
        if self.is_telling:
            self._events.append(Failed(message))
        else:
            self._hear(Failed(message))

    # --- from the network -----------------------------------------------------------

    def take(self, request: Request) -> bool:
        """Take an answer or a failure; return False if it is not one of these."""
        message = self._asked.pop(request, None)
        if message is None:
            return False
        if request.failed:
            self._calls.write_request(request, MISSING_NS)
            self._fail(message)
        else:
            self._calls.write_request(request, self._calls.now_ns())
            self._hear(Answered(message, request.answer))
        return True

    def _ready(self, node: int) -> None:
        """Send what has waited for this node, or see that it cannot be."""
        waiting = [each for each in self._unsent if each[0] == node]
        self._unsent = [each for each in self._unsent if each[0] != node]
        for each in waiting:
            self._post(*each)

    def _disconnected(self, _now_ns: int) -> None:
        """Take note that a connection is lost, maybe that to the coordinator."""
        network = self._network
        lost = [each for each in self._unsent if network.is_lost(each[0])]
        self._unsent = [each for each in self._unsent if not network.is_lost(each[0])]
        for _, message, _ in lost:
            self._fail(message)
        if self._coordinator is None:
            return
        node = network.as_coordinator(self._coordinator)
        if network.is_lost(node) and not network.in_flight(node):
            self._hear(Disconnected())

    # --- time -----------------------------------------------------------------------

    def _arm(self) -> None:
        """Look again when the machine wants to, unless that is set already."""
        due_ms = None if self.machine is None else self.machine.next_deadline_ms
        if due_ms is None or (self._armed_ms is not None and self._armed_ms <= due_ms):
            return
        self._armed_ms = due_ms
        self._at(due_ms, self._due)

    def _due(self, due_ms: int) -> None:
        if self._armed_ms != due_ms:
            return  # a sooner one has taken its place
        self._armed_ms = None
        if self._calls.stands_still() or self.machine is None:
            return
        self.tell(None)
        self._calls.on_news()

    def arm_poll(self) -> None:
        """Let a `poll()` that waits begin anew when the machine wants it to."""
        due_ms = None if self.machine is None else self.machine.polls_again_ms
        armed_ms = self._poll_armed_ms
        if due_ms is not None and due_ms < self.now_ms:
            due_ms = self.now_ms + 1  # this poll could not do it
        if due_ms is None or (armed_ms is not None and armed_ms <= due_ms):
            return
        self._poll_armed_ms = due_ms
        self._at(due_ms, self._poll_due)

    def _poll_due(self, due_ms: int) -> None:
        if self._poll_armed_ms == due_ms:
            self._poll_armed_ms = None
            self._calls.on_news()

    def _at(self, due_ms: int, function: Callable[[int], None]) -> None:
        """Call a function then, with the time, if this process still runs.

        At the next millisecond at the earliest: before that its clock says the same.
        """
        number = self._number

        def call(_: object) -> None:
            if self._number == number:
                function(due_ms)

        at_ms = max(due_ms, self.now_ms + 1)
        self._network.at(at_ms * NS_PER_MS, call)
