"""The consumer's settings: Kafka's keys with dots as underscores.

Source: `org.apache.kafka.clients.consumer.ConsumerConfig` (4.3). What is not modelled
yet has no field; `from_properties` names such a key instead of dropping it.
"""

# ruff: noqa: RUF009 - the defaults are frozen

from dataclasses import dataclass
from typing import ClassVar

from kafkasim.config.document import setting
from kafkasim.config.known import CONSUMER_KEYS
from kafkasim.config.rules import Bytes, Count, Milliseconds
from kafkasim.config.settings import Settings


@dataclass(frozen=True, slots=True, repr=False)
class ConsumerConfig(Settings):
    """Settings of a consumer; what is not said has Kafka's default once resolved.

    Examples
    --------
    >>> ConsumerConfig(max_poll_records=10).resolve().fetch_max_wait_ms
    500
    """

    known_keys: ClassVar[frozenset[str]] = CONSUMER_KEYS

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
