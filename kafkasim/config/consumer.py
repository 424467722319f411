"""The consumer's settings: Kafka's keys with dots as underscores.

Source: `org.apache.kafka.clients.consumer.ConsumerConfig` (4.3). What is not modelled
yet has no field; `from_properties` names such a key instead of dropping it.
"""

# ruff: noqa: RUF009 - the defaults are frozen

from dataclasses import dataclass, replace
from typing import Annotated, ClassVar, Literal, Self

from kafkasim.config.document import setting, with_defaults
from kafkasim.config.known import Kind
from kafkasim.config.offset_reset import OffsetReset
from kafkasim.config.rules import Bytes, Count, LongMilliseconds, Milliseconds
from kafkasim.config.settings import Settings, reconnect_backoff


@dataclass(frozen=True, slots=True, repr=False)
class ConsumerConfig(Settings):
    """Settings of a consumer; what is not said has Kafka's default once resolved.

    Examples
    --------
    >>> ConsumerConfig(max_poll_records=10).resolve().fetch_max_wait_ms
    500
    """

    kind: ClassVar[Kind] = "consumer"

    fetch_min_bytes: Bytes = setting(1)
    """Bytes a broker waits for before it answers a fetch; default 1."""
    fetch_max_wait_ms: Milliseconds = setting(500)
    """Whole ms a broker waits for `fetch_min_bytes`; default 500."""
    max_partition_fetch_bytes: Bytes = setting(1_048_576)
    """Bytes of one partition in an answer, one batch at least; default 1 MiB."""
    fetch_max_bytes: Bytes = setting(52_428_800)
    """Bytes of an answer, one batch at least; default 50 MiB."""
    max_poll_records: Count = setting(500)
    """Records that one poll hands out at most; default 500."""
    enable_auto_commit: bool = setting(default=True)
    """Commit the position at a poll, once the interval is over; default true."""
    auto_commit_interval_ms: Milliseconds = setting(5_000)
    """Whole ms between two automatic commits; default 5000."""
    auto_offset_reset: Annotated[str, OffsetReset()] = setting("latest")
    """Where to start without a valid committed offset: `latest`, `earliest`, `none`
    (an error), or `by_duration:` and how long ago, as ISO 8601 has it (KIP-1106);
    default latest."""
    isolation_level: Literal["read_uncommitted", "read_committed"] = setting(
        "read_uncommitted"
    )
    """How far it reads: up to the high watermark, or up to the last stable offset,
    which lies before the first open transaction. No producer of a run is transactional,
    so the two are one (KIP-98); default read_uncommitted."""
    request_timeout_ms: Milliseconds = setting(30_000)
    """Whole ms after which a request without answer has failed; default 30 s."""
    default_api_timeout_ms: Milliseconds = setting(60_000)
    """Whole ms that a call such as a commit takes at most; default 60 s (KIP-266)."""
    retry_backoff_ms: LongMilliseconds = setting(100)
    """Whole ms before a request is sent again, doubled each time; default 100."""
    retry_backoff_max_ms: LongMilliseconds = setting(1_000)
    """Most that they become; default 1000. If less than the first, it holds from the
    start (KIP-580)."""
    reconnect_backoff_ms: LongMilliseconds = setting(50)
    """Whole ms until a lost connection is made again, doubled each time; default 50."""
    reconnect_backoff_max_ms: LongMilliseconds = setting(1_000)
    """Most that they become; default 1000, or the first where only that was set
    (KIP-144)."""
    metadata_max_age_ms: LongMilliseconds = setting(300_000)
    """Whole ms after which metadata is asked for again; default 5 min (`Metadata`)."""

    def resolve(self) -> Self:
        """Return the effective settings, every field filled in.

        The default of `reconnect_backoff_max_ms` follows `reconnect_backoff_ms`.
        """
        return with_defaults(replace(self, **reconnect_backoff(self)))
