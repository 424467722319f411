"""What a member of a group is configured with, of what its machines read."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberSettings:
    """A member's settings; the defaults are Kafka's (`ConsumerConfig`)."""

    group: str
    client_id: str
    topics: tuple[str, ...]
    """That it subscribes to; sorted."""
    instance_id: str | None = None
    """`group.instance.id`; None: a dynamic member."""
    rack: str | None = None
    """`client.rack`."""
    assignors: tuple[str, ...] = ("range", "cooperative-sticky")
    """`partition.assignment.strategy`, by name; of the classic protocol."""
    server_assignor: str | None = None
    """`group.remote.assignor`; of the consumer protocol."""
    session_timeout_ms: int = 45_000
    heartbeat_interval_ms: int = 3_000
    max_poll_interval_ms: int = 300_000
    """Also its rebalance timeout."""
    auto_commit_ms: int | None = 5_000
    """`auto.commit.interval.ms`; None: it does not commit automatically."""
    request_timeout_ms: int = 30_000
    retry_backoff_ms: int = 100
