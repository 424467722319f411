"""A topic's settings: Kafka's keys with dots as underscores.

Source: `org.apache.kafka.common.config.TopicConfig` and
`org.apache.kafka.storage.internals.log.LogConfig` (4.3). What no log here follows has
no field; `from_properties` names such a key instead of dropping it. A log in a run does
not look at `message_timestamp_after_max_ms`, `file_delete_delay_ms`, `flush_…`, and
none at `flush_ms`: `kafkasim.log` knows no clock.
"""

from typing import Annotated, ClassVar, Final, Literal

from kafkasim.config.document import document, setting
from kafkasim.config.frozen import FrozenDict
from kafkasim.config.known import Kind
from kafkasim.config.rules import INT32_MAX, INT64_MAX, Choice, Number, Whole
from kafkasim.config.settings import Settings

_POLICIES: Final = Choice(
    ("delete", "compact", "compact,delete", ""),
    FrozenDict({"delete,compact": "compact,delete"}),
)
_MIB: Final = 1_048_576


@document
class TopicConfig(Settings):
    """Settings of a topic; what is not said has Kafka's default once resolved.

    A field that ends in `_ms` is in whole milliseconds, one in `_bytes` in bytes.

    Examples
    --------
    >>> TopicConfig(retention_ms=60_000).resolve().segment_bytes
    1073741824
    """

    kind: ClassVar[Kind] = "topic"

    cleanup_policy: Annotated[
        Literal["delete", "compact", "compact,delete", ""], _POLICIES
    ] = setting("delete")
    """What is done to old segments: delete, compact, both, or nothing (empty)."""
    segment_bytes: Annotated[int, Whole(_MIB, INT32_MAX)] = setting(1_073_741_824)
    """A segment takes no batch that would make it larger; default 1 GiB."""
    internal_segment_bytes: Annotated[int, Whole(0, INT32_MAX)] = setting(0)
    """In place of `segment_bytes`, below its least value; 0 for not so. Kafka's own
    tests have it too (`internal.segment.bytes`)."""
    segment_ms: Annotated[int, Whole(1, INT64_MAX)] = setting(604_800_000)
    """A segment takes no batch this much later than its first one; default 7 days."""
    segment_jitter_ms: Annotated[int, Whole(0, INT64_MAX)] = setting(0)
    """Most that is taken off `segment_ms` by chance; default 0."""
    segment_index_bytes: Annotated[int, Whole(4, INT32_MAX)] = setting(10_485_760)
    """Room for a segment's offset index and for its time index; default 10 MiB."""
    index_interval_bytes: Annotated[int, Whole(0, INT32_MAX)] = setting(4_096)
    """More bytes than this lie between two index entries; default 4 KiB."""
    retention_ms: Annotated[int, Whole(-1, INT64_MAX)] = setting(604_800_000)
    """A segment is deleted when its largest timestamp is older; −1 for never."""
    retention_bytes: Annotated[int, Whole(-1, INT64_MAX)] = setting(-1)
    """The oldest segment is deleted while the rest is at least so large; −1: never."""
    file_delete_delay_ms: Annotated[int, Whole(0, INT64_MAX)] = setting(60_000)
    """How long a deleted segment's files stay; default 1 minute."""
    delete_retention_ms: Annotated[int, Whole(0, INT64_MAX)] = setting(86_400_000)
    """How long a tombstone stays once it was compacted; default 1 day."""
    min_cleanable_dirty_ratio: Annotated[float, Number(0.0, 1.0)] = setting(0.5)
    """The share of bytes not yet compacted above which a log is; default 0.5."""
    min_compaction_lag_ms: Annotated[int, Whole(0, INT64_MAX)] = setting(0)
    """A segment with a younger record is not compacted; default 0."""
    max_compaction_lag_ms: Annotated[int, Whole(1, INT64_MAX)] = setting(INT64_MAX)
    """A record this old makes its log be compacted; default never."""
    max_message_bytes: Annotated[int, Whole(0, INT32_MAX)] = setting(_MIB + 12)
    """Largest batch that is taken; default 1 MiB and 12 bytes."""
    message_timestamp_type: Literal["CreateTime", "LogAppendTime"] = setting(
        "CreateTime"
    )
    """Whose clock a record's timestamp is: the producer's, or the broker's."""
    message_timestamp_before_max_ms: Annotated[int, Whole(0, INT64_MAX)] = setting(
        INT64_MAX
    )
    """How far a timestamp may lie in the past; default any."""
    message_timestamp_after_max_ms: Annotated[int, Whole(0, INT64_MAX)] = setting(
        3_600_000
    )
    """How far a timestamp may lie in the future; default 1 hour."""
    flush_messages: Annotated[int, Whole(1, INT64_MAX)] = setting(INT64_MAX)
    """Records after which the log is flushed; default never."""
    flush_ms: Annotated[int, Whole(0, INT64_MAX)] = setting(INT64_MAX)
    """Time after which the log is flushed; default never."""
    min_insync_replicas: Annotated[int, Whole(1, INT32_MAX)] = setting(1)
    """Copies in sync that `acks=all` needs, and that the high watermark needs to move
    (KIP-966); default 1. No more than the topic has copies counts."""
    unclean_leader_election_enable: bool = setting(default=False)
    """Let a copy lead that was not in sync, losing what it lacks; default false
    (KIP-106)."""

    @property
    def most_segment_bytes(self) -> int:
        """The size that holds, of resolved settings (`LogConfig.segmentSize`)."""
        return self.internal_segment_bytes or self.segment_bytes

    @property
    def deletes(self) -> bool:
        """Whether old segments are deleted."""
        return "delete" in self.cleanup_policy

    @property
    def compacts(self) -> bool:
        """Whether old segments are compacted."""
        return "compact" in self.cleanup_policy
