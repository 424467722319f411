"""What the controller is asked, what it answers, and what it keeps of a cluster.

Nodes and partitions are numbers from 0; a partition's number is its own in the run.
"""

from dataclasses import dataclass
from typing import Final, NamedTuple

from kafkasim.protocol.errors import NONE

NO_LEADER: Final = -1
"""In place of a leader's node (`LeaderConstants.NO_LEADER`)."""


class PartitionState(NamedTuple):
    """What the metadata say of a partition (`PartitionRegistration`)."""

    replicas: tuple[int, ...]
    """Nodes in the order of the assignment; the first is the preferred leader."""
    isr: tuple[int, ...]
    """In-sync replicas. Empty only with eligible leader replicas."""
    leader: int
    """Node that leads, `NO_LEADER` for none."""
    leader_epoch: int = 0
    """One more with each change of the leader, from and to none included."""
    partition_epoch: int = 0
    """One more with each change of anything here."""
    elr: tuple[int, ...] = ()
    """Eligible leader replicas, ascending (KIP-966): out of the ISR, but with all that
    lies below the high watermark."""
    last_known_elr: tuple[int, ...] = ()
    """The last leader of a partition that has none; one node or nobody."""
    recovering: bool = False
    """The leader came by an unclean election and did not say yet that it took over."""


class BrokerState(NamedTuple):
    """What the metadata say of a broker (`BrokerRegistration`)."""

    node: int
    fenced: bool
    """It may not lead and not be in an ISR; clients are not told of it."""
    shutting_down: bool
    """It is in controlled shutdown; so it stays until it registers again."""
    epoch: int
    """A higher one with each registration."""

    @property
    def active(self) -> bool:
        """Whether it may lead and join an ISR."""
        return not self.fenced and not self.shutting_down


@dataclass(frozen=True, slots=True, kw_only=True)
class ControllerSettings:
    """The controller's own configuration; times in ms."""

    session_timeout_ms: int = 9_000
    """`broker.session.timeout.ms`: so long after its last heartbeat a broker counts as
    alive."""
    elr: bool = True
    """The feature `eligible.leader.replicas.version`, on in a new cluster since 4.1."""
    preferred_interval_ms: int | None = 300_000
    """`leader.imbalance.check.interval.seconds`; None: `auto.leader.rebalance.enable`
    is false."""
    unclean_interval_ms: int = 300_000
    """`unclean.leader.election.interval.ms`."""


# Requests


@dataclass(frozen=True, slots=True)
class Register:
    """A process of a broker has started and asks for an epoch of its own.

    Refused, it asks again: 100 ms later, then after twice as long each time, at most
    one session timeout, ± 2 % (`BrokerLifecycleManager`). While the session of the
    process before it lasts it is refused with DUPLICATE_BROKER_REGISTRATION.
    """

    node: int
    clean: bool
    """The process before it stopped in order: its clean shutdown file names the epoch
    that the controller knows (KIP-966)."""


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """A broker is alive.

    The first follows the registration at once, the next comes 10 ms after the answer
    while the broker waits to catch up, and `broker.heartbeat.interval.ms` (2 s) after
    the answer from then on. One that wants to shut down is sent at once, then 50 ms
    after its answer, then every 2 s. An error is met as by `Register`
    (`BrokerLifecycleManager`).
    """

    node: int
    broker_epoch: int
    caught_up: bool = True
    """It has replayed the metadata up to its registration and is ready to serve."""
    wants_shutdown: bool = False
    """It asks for a controlled shutdown, and then whether it may stop."""
    offset: int | None = None
    """The last metadata record it has replayed (`Changed.offset`); None: all that were
    written."""


@dataclass(frozen=True, slots=True)
class AlterPartition:
    """A leader wants another ISR (KIP-497)."""

    node: int
    broker_epoch: int
    partition: int
    leader_epoch: int
    partition_epoch: int
    isr: tuple[int, ...]
    isr_epochs: tuple[int, ...] = ()
    """Per node of `isr` the broker epoch that the leader knows it by (KIP-903); -1 for
    any, empty for any of all."""
    recovering: bool = False
    """What the state's `recovering` becomes; leaders say False."""


@dataclass(frozen=True, slots=True)
class ElectPreferred:
    """Move every leadership to its preferred leader that can take it, now."""


@dataclass(frozen=True, slots=True)
class MoveLeader:
    """Put a broker first among the copies of a partition, and let it lead.

    As a reassignment to the same brokers in another order, and the election of the
    preferred leader after it.
    """

    partition: int
    node: int


@dataclass(frozen=True, slots=True)
class AddPartitions:
    """Give a topic more partitions; they get the next free numbers of the run."""

    first: int
    """The topic's first partition: the new ones have its number of replicas and its
    settings."""
    count: int
    """How many more."""
    assignment: tuple[tuple[int, ...], ...] = ()
    """Replicas of each, chosen by hand; empty: they are placed."""


@dataclass(frozen=True, slots=True)
class AlterTopic:
    """Change settings of a topic."""

    partitions: tuple[int, ...]
    """All of its partitions."""
    min_isr: int | None = None
    """`min.insync.replicas`, if it was set."""
    unclean: bool | None = None
    """`unclean.leader.election.enable`, if it was set."""


@dataclass(frozen=True, slots=True)
class Resign:
    """The active controller is gone; until another takes over nothing is decided."""


@dataclass(frozen=True, slots=True)
class Failover:
    """Another controller has become active; it has the metadata and no heartbeats."""


Request = (
    Register
    | Heartbeat
    | AlterPartition
    | ElectPreferred
    | MoveLeader
    | AddPartitions
    | AlterTopic
    | Resign
    | Failover
)


# Effects


@dataclass(frozen=True, slots=True)
class Changed:
    """A batch of metadata records: brokers and clients are to learn of it."""

    partitions: tuple[tuple[int, PartitionState], ...]
    """Partitions that changed or are new, and how they are now."""
    brokers: tuple[BrokerState, ...]
    """Brokers that changed, and how they are now."""
    offset: int
    """That of its last record in the metadata log; a batch has one record for each
    partition and broker that it names."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The response to a request, to be sent once the batch before it is replicated."""

    request: Request
    error: int = NONE
    """Code of `kafkasim.protocol.errors`."""
    state: PartitionState | None = None
    """To `AlterPartition`: the partition as it is now, if there is no error."""
    broker: BrokerState | None = None
    """To `Register` and `Heartbeat`: the sender as it is now, if there is no error."""


@dataclass(frozen=True, slots=True)
class MayStop:
    """The broker may stop its process: nobody needs it any more (`shouldShutDown`)."""

    node: int


Effect = Changed | Answer | MayStop
