"""What the client's side of a group hears, and what it asks of its host.

Both client machines speak so: that of the classic protocol and that of KIP-848. A
machine has no clock, sends nothing and holds no records. It is told when the
application is in `poll()`, what was answered, and when a callback has returned; it says
what to send, which callback to run, and what the application owns from then on.

The order is Kafka's (CO-1, CO-10, GR-13):

1. `Polled`. The machine looks for the coordinator, joins, or goes on with what came.
2. Before it gives partitions up it commits what polls have returned, if it commits
   automatically, and waits for the answer. `HeldBack` says which partitions are neither
   fetched nor handed out meanwhile.
3. `Revoked`: the callback may still commit. `Lost`: the member was expelled, a commit
   would be refused. The host runs the callback, drops the partitions and what it has
   buffered of them, and says `CallbackDone`.
4. `Assigned`: the host adds the partitions, runs the callback and says `CallbackDone`;
   then it asks where to begin in them (`OffsetsWanted`).

One callback runs at a time: no other effect of the application's thread comes before
its `CallbackDone`. Heartbeats go on meanwhile.

After it has handled anything while the application waits in `poll()`, the host says
`Polled` again: in Kafka any answer ends the wait inside `poll()`
(`ConsumerNetworkClient.poll`), and the loop begins anew. A machine whose answer to
`Polled` is nothing has nothing to do.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Protocol

from kafkasim.protocol.assignors import Racks
from kafkasim.protocol.errors import NONE
from kafkasim.protocol.groups.group_messages import (
    CommittedOffset,
    Request,
    Response,
    TopicPartition,
)

Partitions = tuple[TopicPartition, ...]
"""By topic, then partition."""
Consumed = Callable[[], tuple[CommittedOffset, ...]]
"""Returns what an automatic commit would store now: the positions of all partitions
that have a valid one (`SubscriptionState.allConsumed`)."""


# What a machine hears


@dataclass(frozen=True, slots=True)
class Polled:
    """The application calls `poll()`, or something has come while it waits there."""


@dataclass(frozen=True, slots=True)
class Answered:
    """A response has come to a request that the machine sent."""

    request: Request
    response: Response


@dataclass(frozen=True, slots=True)
class Failed:
    """No response will come: the connection was lost, or the request timed out."""

    request: Request


@dataclass(frozen=True, slots=True)
class Disconnected:
    """The connection to the coordinator is lost; nothing was under way on it."""


@dataclass(frozen=True, slots=True)
class CallbackDone:
    """The callback has returned that the machine has asked for last."""


@dataclass(frozen=True, slots=True)
class MetadataCame:
    """Metadata has come."""

    topics: Mapping[str, int]
    """How many partitions each topic has."""
    racks: Racks | None = None
    """Where their replicas are, if that is known."""


@dataclass(frozen=True, slots=True)
class Commit:
    """The application commits (`commitSync`, `commitAsync`); trying again is its own.

    `CommitEnded` with the same ticket tells how it went.
    """

    ticket: int
    offsets: tuple[CommittedOffset, ...]
    until_ms: int | None = None
    """When nobody waits for it any more: it is not sent then; None: that is never."""


@dataclass(frozen=True, slots=True)
class OffsetsWanted:
    """Positions are to be found for these; `OffsetsFound` brings them.

    The machine tries until it has them, or until something else is wanted instead.
    """

    partitions: Partitions


@dataclass(frozen=True, slots=True)
class Close:
    """The application closes its consumer: commit, revoke, leave; then `Closed`."""


Input = (
    Polled
    | Answered
    | Failed
    | Disconnected
    | CallbackDone
    | MetadataCame
    | Commit
    | OffsetsWanted
    | Close
)


# What a machine asks for


@dataclass(frozen=True, slots=True)
class Send:
    """Send a request to the coordinator; `FindCoordinator` to any broker."""

    request: Request
    timeout_ms: int | None = None
    """After which it fails; None: `request.timeout.ms`."""
    ticket: int | None = None
    """Of the application's commit; None: nobody's, or an automatic one."""
    kind: str = "auto"
    """Why it commits by itself: `auto`: that was due; `rebalance`, `close`."""


@dataclass(frozen=True, slots=True)
class CoordinatorIs:
    """Who coordinates is known, or not known any more."""

    node: int | None
    """Index of the broker; None: unknown. What is under way to the old one fails:
    close the connection."""


@dataclass(frozen=True, slots=True)
class HeldBack:
    """Neither fetch nor hand out these (`markPendingRevocation`)."""

    partitions: Partitions


@dataclass(frozen=True, slots=True)
class Revoked:
    """Run `onPartitionsRevoked`, in which may be committed; then give these up."""

    partitions: Partitions


@dataclass(frozen=True, slots=True)
class Lost:
    """Run `onPartitionsLost`; others may own them already. Then give these up."""

    partitions: Partitions


@dataclass(frozen=True, slots=True)
class Assigned:
    """Own these too; then run `onPartitionsAssigned`."""

    partitions: Partitions
    """Those that were added; none of them: nothing was."""
    generation: int
    """Generation, or member epoch."""


class Outcome(Enum):
    """How a commit ended, as the application sees it (CO-12)."""

    DONE = auto()
    RETRIABLE = auto()
    """`commitSync` tries again; `commitAsync` gets `RetriableCommitFailedException`."""
    REBALANCING = auto()
    """`RebalanceInProgressException`: poll, then commit again."""
    EXPELLED = auto()
    """`CommitFailedException`: others may own the partitions."""
    FATAL = auto()
    """Another exception, such as `FencedInstanceIdException`."""


@dataclass(frozen=True, slots=True)
class CommitEnded:
    """A commit of the application has ended."""

    ticket: int
    outcome: Outcome
    error: int = NONE
    """That the coordinator answered, if it did."""


@dataclass(frozen=True, slots=True)
class OffsetsFound:
    """Go on at these offsets; -1: none is committed, reset (CO-7)."""

    offsets: tuple[CommittedOffset, ...]


@dataclass(frozen=True, slots=True)
class Raised:
    """`poll()` throws an exception of this error, which ends the application."""

    error: int


@dataclass(frozen=True, slots=True)
class Closed:
    """`close()` has returned; the process may go."""


Effect = (
    Send
    | CoordinatorIs
    | HeldBack
    | Revoked
    | Lost
    | Assigned
    | CommitEnded
    | OffsetsFound
    | Raised
    | Closed
)


class MemberMachine(Protocol):
    """What a host may ask of either machine."""

    @property
    def member_id(self) -> str:
        """As the coordinator knows it; empty as long as it has none."""

    @property
    def generation(self) -> int:
        """Generation, or member epoch; -1 in no group."""

    @property
    def owned(self) -> Partitions:
        """What the application owns now."""

    @property
    def blocks(self) -> bool:
        """Whether `poll()` now hands out nothing before it times out.

        So it is as long as the coordinator is looked for, and offsets that are wanted
        have not come.
        """

    @property
    def is_ready(self) -> bool:
        """Whether `poll()` goes on to positions now (`ConsumerCoordinator.poll`)."""

    @property
    def reads_in_background(self) -> bool:
        """Whether a thread takes answers while the application is not in the client.

        If not, what comes waits until it calls `poll()` or commits: the heartbeat
        thread of the classic protocol reads only while there is something to beat for.
        """

    @property
    def polls_again_ms(self) -> int | None:
        """When a `poll()` that waits begins anew by itself: say `Polled` then.

        Nothing is due then to an application that works.
        """

    @property
    def next_deadline_ms(self) -> int | None:
        """When to call `handle_timeout`, whatever the application does; None: never."""

    def handle(self, event: Input, now_ms: int) -> list[Effect]:
        """Take what has happened."""

    def handle_timeout(self, now_ms: int) -> list[Effect]:
        """Do what is due, if anything; the application may be at work meanwhile."""
