"""What a coordinator's host deals with: its machine, its broker, what is under way."""

from collections import deque
from collections.abc import Callable, Collection, Iterable
from typing import Any, NamedTuple, Protocol

from kafkasim.engine.sim.group_requests import GroupRequest
from kafkasim.engine.sim.literal_batches import KeyValue, LiteralBatch
from kafkasim.engine.sim.replica import Replica
from kafkasim.log.header import HEADER_BYTES
from kafkasim.protocol.groups.coordinator_records import Record
from kafkasim.protocol.groups.group_messages import (
    Answer,
    Effect,
    GroupChanged,
    Request,
    Response,
    Write,
    WriteFailed,
    Written,
)


class Shard(Protocol):
    """The machine of one partition."""

    @property
    def next_deadline_ms(self) -> int | None:
        """When to call `handle_timeout`."""

    def handle(
        self, message: Request | Written | WriteFailed, now_ms: int
    ) -> list[Effect]:
        """Take a request, or how a write went."""

    def handle_timeout(self, now_ms: int) -> list[Effect]:
        """Do what is due."""

    def load(self, records: Iterable[Record], now_ms: int) -> list[Effect]:
        """Begin with what the log holds."""

    def metadata_changed(self, topics: Collection[str]) -> None:
        """Take note that topics have other partitions than before."""

    def unload(self, now_ms: int) -> list[Effect]:
        """Coordinate no more, once all writes have failed; answer whoever waits."""


class CoordinatorSettings(NamedTuple):
    """What a coordinator's host takes from its broker's configuration."""

    write_timeout_ns: int
    """`offsets.commit.timeout.ms`."""
    linger_ns: int
    """`group.coordinator.append.linger.ms`; negative: adaptive."""
    epoch_ms: int
    """What the run's clock counts from, in milliseconds since 1970."""


class CoordinatorCalls(NamedTuple):
    """What a coordinator's host calls."""

    new_shard: Callable[[int], Shard]
    """Makes the machine of a partition of the topic, by its number."""
    encode: Callable[[Record], KeyValue]
    """Gives a record Kafka's bytes."""
    decode: Callable[[bytes, bytes | None], Record]
    """Reads them."""
    on_append: Callable[[LiteralBatch, tuple[Record, ...], int], None]
    """Takes a batch that was appended, its records, and the leader epoch."""
    on_changed: Callable[[GroupChanged], None]
    """Takes what has become of a group."""
    on_answered: Callable[[GroupRequest, Response], None]
    """Takes a request that a coordinator has handled, and its answer when it is due."""


class Hosting(Protocol):
    """The broker, as far as its coordinators see it."""

    replicas: dict[int, Replica]
    incarnation: int

    def leader_of(self, index: int) -> int:
        """Return the leader of a partition as known here; negative: none."""

    def append_records(self, batch: LiteralBatch) -> int:
        """Append a batch; return the offset after it, or −1 less the error."""

    def answer(self, request: GroupRequest) -> None:
        """Send an answer."""

    def holds(self, function: Callable[[Any], None], argument: Any) -> bool:  # noqa: ANN401
        """Say whether it stands still; then the call is made when it goes on."""

    def most_bytes(self, index: int) -> int:
        """Return how large a batch of a partition may be (`max.message.bytes`)."""

    def reading_ns(self, size_bytes: int) -> int:
        """Return how long it takes to read so many bytes of a log."""


class Batched:
    """Writes of a coordinator that go into one batch, and who waits for them."""

    __slots__ = (
        "answers", "encoded", "end", "records", "size_bytes", "until_ns", "writes",
    )  # fmt: skip

    def __init__(self, until_ns: int) -> None:
        self.records: list[Record] = []
        self.encoded: list[KeyValue] = []
        """The same in bytes."""
        self.writes: list[Write] = []
        self.answers: list[Answer] = []
        """Of those that wrote nothing and wait all the same."""
        self.end = -1
        """Offset after the batch in the log."""
        self.until_ns = until_ns
        """When who waits has waited for too long."""
        self.size_bytes = HEADER_BYTES
        """Of the batch, as it would be in the log."""


class Coordinator:
    """One machine, and what is under way with it."""

    __slots__ = (
        "armed_ms", "batch", "epoch", "index", "is_busy", "open", "pending", "shard",
        "timer_set",
    )  # fmt: skip

    def __init__(self, index: int, epoch: int, shard: Shard) -> None:
        self.index = index
        self.epoch = epoch
        self.shard = shard
        self.open: dict[int, GroupRequest] = {}
        """Requests without an answer, by the identity of their payload."""
        self.batch: Batched | None = None
        """What is not appended yet."""
        self.pending: deque[Batched] = deque()
        """What is appended and not replicated."""
        self.armed_ms: int | None = None
        self.timer_set = False
        self.is_busy = False
