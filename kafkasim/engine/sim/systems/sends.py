"""What travels between a sender and a receiver: records, requests, and their lanes."""

from collections import deque
from typing import Final, Protocol

from kafkasim.engine.sim.network import Pipe
from kafkasim.engine.sim.request import Connection
from kafkasim.units import MISSING_NS

ALIVE: Final = -1
"""In place of why a record was let go: it was not."""
QUEUE_FULL, GAVE_UP, SOURCE_CRASHED, HUB_CRASHED = range(4)
CAUSES: Final = ("queue full", "gave up", "source crashed", "hub crashed")
"""Why a record was let go before a subscriber had worked on it."""


class Send:
    """One record that is to come to one receiver, until that has answered."""

    __slots__ = (
        "cause", "copies", "first", "hand_outs", "is_final", "is_processed", "live",
        "ordinal", "queued_ns", "readers", "row", "size_bytes", "tries",
        "work_ns",
    )  # fmt: skip

    def __init__(
        self,
        ordinal: int,
        row: int,
        readers: tuple[int, ...],
        size_bytes: int,
        work_ns: int = 0,
    ) -> None:
        self.ordinal = ordinal
        """Its place among its source's records."""
        self.row = row
        """Its row in `records`, as far as rows are known."""
        self.readers = readers
        """Codes of the subscribers that get it this way."""
        self.size_bytes = size_bytes
        self.work_ns = work_ns
        """Work on it at a subscriber."""
        self.queued_ns = 0
        self.tries = 0
        """Requests with it so far."""
        self.live = 0
        """Requests with it that may still be served."""
        self.hand_outs = 0
        self.first: Send | None = None
        """The one for the same subscriber that an earlier request brought to a hub."""
        self.copies: list[Send] | None = None
        """What a hub made of it, one for each subscriber."""
        self.is_processed = self.is_final = False
        self.cause = ALIVE
        """Why the sender has let go of it."""


class Request:
    """One try to bring it there; times are nanoseconds."""

    __slots__ = (
        "arrived_ns", "ended_ns", "has_arrived", "is_closed", "is_lost", "lane", "send",
        "sent_ns", "started_ns",
    )  # fmt: skip

    def __init__(self, lane: "Lane", send: Send, sent_ns: int) -> None:
        self.lane = lane
        self.send = send
        self.sent_ns = sent_ns
        self.arrived_ns = self.started_ns = self.ended_ns = MISSING_NS
        self.has_arrived = False
        self.is_closed = False
        """Its connection is closed: nobody hears an answer."""
        self.is_lost = False
        """It will not arrive, or nobody works on it any more."""


class LaneOwner(Protocol):
    """An outlet, as its lanes and its receiver see it."""

    def transmit(self, lane: "Lane", send: Send) -> None:
        """Send a record on a lane."""
        ...

    def fill(self, lane: "Lane") -> None:
        """Send on a lane while its window is open."""
        ...

    def arrive_later(self, at_ns: int, request: Request) -> None:
        """Let a request that the receiver's card holds up arrive then."""
        ...

    def answer(self, request: Request) -> None:
        """Send an answer back from the receiver."""
        ...

    def refuse(self, request: Request) -> None:
        """Let a request die at a receiver that is down."""
        ...

    def bury(self, request: Request) -> None:
        """Let a request die."""
        ...

    def reset(self, lane: "Lane") -> None:
        """Send word from the receiver that a connection is no more."""
        ...

    def broken(self, told: "OfLane") -> None:
        """Learn that a connection is no more."""
        ...


class Lane:
    """One connection of an outlet, and those that take its place."""

    __slots__ = (
        "again", "busy", "connecting_ns", "connection", "down", "epoch", "failures",
        "heard_ns", "is_open", "is_timed", "outlet", "unanswered", "up", "waits",
    )  # fmt: skip

    def __init__(self, outlet: "LaneOwner", up: Pipe, down: Pipe) -> None:
        self.outlet = outlet
        self.up = up
        self.down = down
        self.unanswered: deque[Request] = deque()
        self.again: deque[Send] = deque()
        """What is sent again before anything new."""
        self.busy: Send | None = None
        """What the sender's processors have at work, on its way to be sent."""
        self.epoch = 0
        """Rises with each connection."""
        self.failures = 0
        """Since the last answer."""
        self.is_open = True
        self.waits = False
        """It waits for its next try, or for a connection."""
        self.is_timed = False
        """The calendar has an entry for its next timeout."""
        self.heard_ns = self.connecting_ns = MISSING_NS
        """Of the last answer; since when it connects."""
        self.connection: Connection
        self.connect_anew()

    def connect_anew(self) -> None:
        """Begin with a connection that knows nothing of the last one."""
        self.connection = Connection(client=0, broker=0, up=self.up, down=self.down)
        outlet, lane, epoch = self.outlet, self, self.epoch
        self.connection.on_lost = lambda _: outlet.broken((lane, epoch))

    def close(self) -> list[Send]:
        """Close the connection; return what had no answer, oldest first.

        What has not arrived yet never does.
        """
        self.connection.broken = True
        self.epoch += 1
        requests, self.unanswered = self.unanswered, deque()
        for request in requests:
            request.is_closed = True
            if not request.has_arrived and not request.is_lost:
                request.is_lost = True
                request.send.live -= 1
        sends = [request.send for request in requests]
        if self.busy is not None:
            sends.append(self.busy)
            self.busy = None
        self.connecting_ns = MISSING_NS
        self.is_open = False
        self.connect_anew()
        return sends


OfLane = tuple[Lane, int]
"""A lane, and the epoch of the connection that is meant."""


class Receiver(Protocol):
    """The other end of an outlet."""

    is_up: bool

    def arrive(self, request: Request) -> None:
        """Take a request in, whose last byte has come."""
        ...


class Owner(Protocol):
    """Whose outlet it is."""

    def answered(self, send: Send) -> None:
        """Take note that a record has its answer."""
        ...

    def given_up(self, send: Send) -> None:
        """Take note that a record waits no longer."""
        ...

    def has_room(self) -> None:
        """Go on: a queue that was full has room."""
        ...


class Accounts(Protocol):
    """What a run knows of all records under way."""

    def refuse(self, row: int, readers: tuple[int, ...], cause: int) -> None:
        """Take note of a record that never comes to some subscribers."""
        ...

    def made(self) -> None:
        """Take note of a new one."""
        ...

    def settle(self, send: Send) -> None:
        """Take note that it is final: answered, or nobody will work on it."""
        ...

    def let_go(self, send: Send, cause: int) -> None:
        """Take note that its sender will not send it again."""
        ...
