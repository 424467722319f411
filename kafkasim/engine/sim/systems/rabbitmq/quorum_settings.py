"""Arguments of a quorum queue, with the defaults of RabbitMQ 4.3 ("Quorum queues")."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

MAX_PREFETCH: Final = 2_000
"""What a consumer without a limit may have unacknowledged (RQ-6)."""
DELIVERY_LIMIT: Final = 20
"""Failed deliveries after which one more drops a message (since 4.0; RQ-10)."""
CONSUMER_TIMEOUT_MS: Final = 1_800_000
"""How long a delivery may be unacknowledged (RQ-11)."""
DISCONNECTED_TIMEOUT_MS: Final = 60_000
"""How long a consumer's node may be out of sight (RQ-11)."""
NEVER_MS: Final = 2**62
"""Later than any run."""


class Retry(StrEnum):
    """Which returns wait before they are ready again (`x-delayed-retry-type`)."""

    DISABLED = "disabled"
    ALL = "all"
    FAILED = "failed"
    """Those that count as failed."""
    RETURNED = "returned"
    """Those that do not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class QuorumSettings:
    """Arguments of a quorum queue."""

    delivery_limit: int | None = DELIVERY_LIMIT
    """`x-delivery-limit`; None for -1, no limit."""
    single_active: bool = False
    """`x-single-active-consumer`."""
    consumer_timeout_ms: int | None = CONSUMER_TIMEOUT_MS
    """`x-consumer-timeout`; None: a consumer may hold a delivery for ever."""
    disconnected_timeout_ms: int = DISCONNECTED_TIMEOUT_MS
    """`x-consumer-disconnected-timeout`."""
    retry: Retry = Retry.DISABLED
    retry_min_ms: int = 0
    """`x-delayed-retry-min`."""
    retry_max_ms: int = NEVER_MS
    """`x-delayed-retry-max`."""
