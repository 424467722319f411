"""The consumer's settings: Kafka's keys with dots as underscores.

Source: `org.apache.kafka.clients.consumer.ConsumerConfig` (4.3). What is not modelled
yet has no field; `from_properties` names such a key instead of dropping it.
"""

from dataclasses import replace
from typing import Annotated, ClassVar, Final, Literal, Self

from kafkasim.catalogue import say
from kafkasim.config.assignors import AssignmentStrategy
from kafkasim.config.document import document, effective, setting, with_defaults
from kafkasim.config.frozen import UNSET
from kafkasim.config.known import Kind
from kafkasim.config.offset_reset import OffsetReset
from kafkasim.config.rules import Bytes, Count, LongMilliseconds, Milliseconds
from kafkasim.config.settings import Settings, reconnect_backoff
from kafkasim.errors import ValidationError

_CLASSIC_ONLY: Final = (
    "partition_assignment_strategy", "heartbeat_interval_ms", "session_timeout_ms",
)  # fmt: skip
"""What the broker says where the consumer protocol is spoken."""


@document
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
    group_protocol: Literal["classic", "consumer"] = setting("classic")
    """How the group agrees on who reads what: among the members, with one that leads
    them, or by the broker (`consumer`, KIP-848); default classic."""
    partition_assignment_strategy: Annotated[tuple[str, ...], AssignmentStrategy()] = (
        setting(("range", "cooperative-sticky"))
    )
    """Assignors in the order of preference: `range`, `roundrobin`, `sticky`,
    `cooperative-sticky`; default range and cooperative-sticky, of which range is used
    while all members list both. With the classic protocol only."""
    group_remote_assignor: Literal["uniform", "range"] = UNSET
    """The broker's assignor that the group wants, with the consumer protocol only; not
    said, the broker's first, `uniform`, is used."""
    session_timeout_ms: Milliseconds = setting(45_000)
    """Whole ms without a heartbeat after which a member counts as dead; default 45 s.
    With the classic protocol only: else the broker says it."""
    heartbeat_interval_ms: Milliseconds = setting(3_000)
    """Whole ms between two heartbeats to the coordinator; default 3 s. With the classic
    protocol only."""
    max_poll_interval_ms: Count = setting(300_000)
    """Whole ms between two polls after which a member leaves its group; also how long a
    rebalance waits for it; default 5 min."""

    def resolve(self) -> Self:
        """Return the effective settings, every field filled in.

        The default of `reconnect_backoff_max_ms` follows `reconnect_backoff_ms`; what
        the broker says where the consumer protocol is spoken stays unsaid.
        """
        speaks_consumer = self.group_protocol == "consumer"
        return with_defaults(
            replace(self, **reconnect_backoff(self)),
            but=_CLASSIC_ONLY if speaks_consumer else (),
        )

    def check(self) -> None:
        """Check what belongs to one of the group protocols only.

        Sources: `ConsumerConfig.checkUnsupportedConfigsPostProcess`, `Heartbeat`.
        """
        protocol = effective(self, "group_protocol")
        wrong = [name for name in _CLASSIC_ONLY if getattr(self, name) is not UNSET]
        if protocol == "consumer" and wrong:
            raise ValidationError(
                wrong[0],
                getattr(self, wrong[0]),
                say("not set while group_protocol is 'consumer'"),
                say("the broker says it there (group.consumer.*); ConfigException"),
            )
        if protocol == "classic" and self.group_remote_assignor is not UNSET:
            raise ValidationError(
                "group_remote_assignor",
                self.group_remote_assignor,
                say("not set while group_protocol is 'classic'"),
                say("members assign there; ConfigException"),
            )
        session_ms = effective(self, "session_timeout_ms")
        if effective(self, "heartbeat_interval_ms") >= session_ms:
            raise ValidationError(
                "heartbeat_interval_ms",
                effective(self, "heartbeat_interval_ms"),
                say(
                    "less than session_timeout_ms, {session_ms}", session_ms=session_ms
                ),
                say("a member would count as dead between two; Heartbeat"),
            )
