"""A consumer's settings, in the engine's units."""

from dataclasses import dataclass, field
from typing import Final

from kafkasim.engine.sim.client import NetworkSettings
from kafkasim.engine.sim.client_metadata import MetadataSettings
from kafkasim.units import NS_PER_MS

AUTO: Final = "auto"
BEFORE_WORK: Final = "before_work"
AFTER_WORK: Final = "after_work"
EACH_POLL: Final = "each_poll"
MANUAL: Final = "manual"
"""When an application commits; see `kafkasim.scenario.commit_mode`."""


@dataclass(frozen=True, slots=True)
class PollSettings:
    """The consumer's settings, in the engine's units."""

    min_bytes: int
    """`fetch.min.bytes`."""
    max_wait_ns: int
    """`fetch.max.wait.ms`."""
    max_partition_bytes: int
    """`max.partition.fetch.bytes`."""
    max_bytes: int
    """`fetch.max.bytes`."""
    max_poll_records: int
    """`max.poll.records`."""
    auto_commit_ns: int | None
    """`auto.commit.interval.ms`; None when `enable.auto.commit` is false."""
    commit: str = AUTO
    """When the application commits: `AUTO`, `EACH_POLL`, …"""
    commit_every: int = 0
    """With `MANUAL`, after how many records."""
    workers: int = 1
    """How many records the application works on at a time."""
    retry_backoff_ns: int = 100 * NS_PER_MS
    """`retry.backoff.ms`."""
    retry_backoff_max_ns: int = 1_000 * NS_PER_MS
    """`retry.backoff.max.ms`."""
    api_timeout_ns: int = 60_000 * NS_PER_MS
    """`default.api.timeout.ms`."""
    metadata_max_age_ns: int = 0
    """`metadata.max.age.ms`; 0: metadata are never asked for by their age."""
    network: NetworkSettings = field(default_factory=NetworkSettings)
    """Backoffs and timeouts of its connections."""

    @property
    def begins_at_once(self) -> bool:
        """Whether one worker begins with all of a poll, and no commit goes first."""
        return self.workers == 1 and self.commit not in {BEFORE_WORK, MANUAL}

    @property
    def metadata(self) -> MetadataSettings:
        """Backoffs of its requests for metadata."""
        return MetadataSettings(
            retry_backoff_ns=self.retry_backoff_ns,
            retry_backoff_max_ns=self.retry_backoff_max_ns,
            reconnect_backoff_ns=self.network.reconnect_backoff_ns,
            max_age_ns=self.metadata_max_age_ns,
        )
