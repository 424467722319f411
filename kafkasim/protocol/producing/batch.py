"""A record batch on its way from the accumulator to the log.

A batch is a range of its partition's append list (the ordinals of the source's records
in the order in which the accumulator admitted them), with the times of its life. It
holds no records.
"""

from typing import Any, Final

from kafkasim.log.header import BatchHeader
from kafkasim.protocol.errors import NONE
from kafkasim.units import MISSING_NS

OPEN: Final = -1
FULL: Final = 0
LINGER: Final = 1
DRAINED: Final = 2
CUT: Final = 3
"""Why a batch took no more records; codes into `kafkasim.result.schema.CLOSED_BY`."""

NEVER: Final = 1 << 62
"""A time in nanoseconds after everything."""


class Batch:
    """One record batch; times are nanoseconds, `MISSING_NS` while they never came.

    Attributes
    ----------
    source_index
        Position of the source in the plan.
    partition
        Partition of its topic.
    lo
        First record, a position in the partition's append list.
    hi
        One past the last record.
    size_bytes
        Exact size of the v2 batch, header included.
    opened_ns
        When its first record was added.
    closed_ns
        When it took no more records.
    closed_by
        Why: a code into `CLOSED_BY`.
    sent_ns
        When it was sent first.
    acked_ns
        When the client held the answer that acknowledged it.
    raw_bytes
        With compression: bytes of its records before.
    capacity
        Memory that it holds until it completes (`initialCapacity`); its producer fills
        this.
    batch_id
        Its number, in the order of sending.
    base_offset
        Offset of its first record; the broker fills this and what follows.
    header
        As the leader appended it; in a cluster that replicates.
    append
        The append of it that this object stands for; likewise.
    producer_id, producer_epoch, base_sequence
        What a producer with idempotence wrote into its header when it was sent.
    leader_epoch
        Of its partition, as the client knew it when it was sent.
    attempts
        How often sending it failed and it was put back.
    last_attempt_ns, retry_ns
        When it was put back last, and from when on it may be sent again; the latter is
        missing once it was.
    parent_id
        Number of the batch that it was split from.
    error
        What it failed with in the end: a code of `protocol.errors`.
    """

    __slots__ = (
        "acked_ns",
        "append",
        "appended_ns",
        "attempts",
        "base_offset",
        "base_sequence",
        "batch_id",
        "capacity",
        "closed_by",
        "closed_ns",
        "error",
        "header",
        "hi",
        "last_attempt_ns",
        "leader_epoch",
        "lo",
        "opened_ns",
        "parent_id",
        "partition",
        "partition_index",
        "producer_epoch",
        "producer_id",
        "raw_bytes",
        "retry_ns",
        "sent_ns",
        "size_bytes",
        "source_index",
    )

    def __init__(  # noqa: PLR0917 - hot path: one is made per batch
        self,
        source_index: int,
        partition: int,
        lo: int,
        hi: int,
        size_bytes: int,
        opened_ns: int,
        closed_ns: int = MISSING_NS,
        closed_by: int = OPEN,
        sent_ns: int = MISSING_NS,
    ) -> None:
        self.source_index = source_index
        self.partition = partition
        self.lo = lo
        self.hi = hi
        self.size_bytes = size_bytes
        self.opened_ns = opened_ns
        self.closed_ns = closed_ns
        self.closed_by = closed_by
        self.sent_ns = sent_ns
        self.acked_ns = MISSING_NS
        self.capacity = self.raw_bytes = 0
        self.batch_id = -1
        self.base_offset = -1
        self.appended_ns = MISSING_NS
        self.header: BatchHeader | None = None
        self.append: Any = None
        self.partition_index = -1
        self.producer_id = self.producer_epoch = self.base_sequence = -1
        self.leader_epoch = 0
        self.attempts = 0
        self.last_attempt_ns = self.retry_ns = MISSING_NS
        self.parent_id = -1
        self.error = NONE

    @property
    def sends(self) -> int:
        """How many requests it was part of."""
        waits = self.sent_ns == MISSING_NS or self.retry_ns != MISSING_NS
        return self.attempts + (not waits)

    def __repr__(self) -> str:
        return (
            f"Batch({self.batch_id}: source {self.source_index} partition "
            f"{self.partition} records [{self.lo}, {self.hi}) {self.size_bytes} B)"
        )
