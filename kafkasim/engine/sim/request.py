"""Requests and the connections that carry them.

A broker reads one request at a time from a connection: the connection is muted from the
moment a request is read until its answer has been sent, also while the request waits in
purgatory (BR-2, `SocketServer.processCompletedReceives`). What the client sent
meanwhile waits in the socket's buffer.
"""

from collections import deque
from collections.abc import Callable
from typing import Any, Final

from kafkasim.engine.sim.network import Pipe
from kafkasim.units import MISSING_NS

PRODUCE: Final = 0
FETCH: Final = 1
OFFSET_COMMIT: Final = 2
LIST_OFFSETS: Final = 3
FETCH_FOLLOWER: Final = 4
METADATA: Final = 5
INIT_PRODUCER_ID: Final = 6
OFFSET_FOR_LEADER_EPOCH: Final = 7
FIND_COORDINATOR: Final = 8
JOIN_GROUP: Final = 9
SYNC_GROUP: Final = 10
HEARTBEAT: Final = 11
LEAVE_GROUP: Final = 12
OFFSET_FETCH: Final = 13
CONSUMER_GROUP_HEARTBEAT: Final = 14
"""Codes into `kafkasim.result.schema.APIS`. What a group's coordinator is asked carries
an object of `protocol.groups.group_messages` as its payload, and one as its answer."""


class Connection:
    """A client's connection to one broker."""

    __slots__ = (
        "broken",
        "broker",
        "client",
        "down",
        "free_ns",
        "in_flight",
        "muted",
        "on_lost",
        "successor",
        "up",
        "waiting",
    )

    def __init__(self, *, client: int, broker: int, up: Pipe, down: Pipe) -> None:
        self.client = client
        """Code of the client's name."""
        self.broker = broker
        """Index of the broker, from 0."""
        self.up = up
        """Client to broker."""
        self.down = down
        """Broker to client."""
        self.muted = False
        """A request of it is being served, or it waits for `free_ns`."""
        self.free_ns = 0
        """When the last answer has left the broker."""
        self.waiting: list[Request] = []
        """Requests that have arrived and were not read yet."""
        self.successor: Connection | None = None
        """The one that took its place when its client crashed or it was lost."""
        self.broken = False
        """It is closed: what comes through it vanishes."""
        self.in_flight: deque[Request] = deque()
        """Requests whose answers the client awaits, oldest first."""
        self.on_lost: Callable[[Connection], None] | None = None
        """Tells the client that the other end has gone."""
        up.begin(self)
        down.begin(self)

    def renewed(self) -> "Connection":
        """Return a new connection between the same two hosts, its successor."""
        self.broken = True
        self.successor = Connection(
            client=self.client, broker=self.broker, up=self.up, down=self.down
        )
        self.successor.on_lost = self.on_lost
        return self.successor


class Request:
    """One request on its way through a broker; times are nanoseconds.

    Parameters
    ----------
    api : int
        `PRODUCE`, `FETCH`, ….
    connection : Connection
        What carries it.
    sent_ns : int
        When the client sends it.
    payload : object
        What the API carries.
    on_answer : callable
        Called with the request when its answer has come.

    Attributes
    ----------
    received_ns, dequeued_ns, done_ns : int
        When it was read from its connection, taken up by an IO thread, and answered;
        missing until then.
    error : int
        What a partition in the answer met: a code into `protocol.errors.ERRORS`.
    errors : dict of int to int or None
        Partition index → what it met; None when none met an error.
    hints : dict of int to tuple of two int or None
        Partition index → the leader that the broker knows and its epoch (KIP-951).
    size_bytes : int
        Of the record batches that it carries, or that its answer does.
    said_bytes : int
        Of a group's request, and of its answer when there is one; they take no time.
    thread_ns : int
        Time that a thread of the broker took for it.
    throttle_ns : int
        How long its client is told to wait, being over its quota (`throttle_time_ms`).
    failed : bool
        The client gave it up: its connection was lost or closed.
    wants_answer : bool
        False with acks=0: the broker appends and says nothing (BR-3).
    written : bool
        Its row is in the table.
    """

    __slots__ = (
        "answer",
        "api",
        "batch_count",
        "connection",
        "dequeued_ns",
        "done_ns",
        "epoch",
        "error",
        "errors",
        "failed",
        "hints",
        "on_answer",
        "payload",
        "received_ns",
        "request_id",
        "said_bytes",
        "sent_ns",
        "size_bytes",
        "thread_ns",
        "throttle_ns",
        "wants_answer",
        "written",
    )

    def __init__(
        self,
        api: int,
        connection: Connection,
        sent_ns: int,
        payload: Any,  # noqa: ANN401
        on_answer: Any,  # noqa: ANN401
    ) -> None:
        self.request_id = -1
        self.api = api
        self.connection = connection
        self.sent_ns = sent_ns
        self.received_ns = self.dequeued_ns = self.done_ns = MISSING_NS
        self.size_bytes = self.said_bytes = self.batch_count = self.epoch = 0
        self.thread_ns = self.throttle_ns = 0
        self.error = -1
        self.payload = payload
        self.answer: Any = None
        self.on_answer = on_answer
        self.wants_answer = True
        self.written = False
        self.failed = False
        self.errors: dict[int, int] | None = None
        self.hints: dict[int, tuple[int, int]] | None = None
