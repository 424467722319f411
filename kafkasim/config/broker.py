"""The broker's settings: Kafka's keys with dots as underscores.

Source: `org.apache.kafka.server.config` and `SocketServerConfigs` (4.3). What is not
modelled yet has no field; `from_properties` names such a key instead of dropping it.
"""

# ruff: noqa: RUF009 - the defaults are frozen

from dataclasses import dataclass
from typing import Annotated, ClassVar

from kafkasim.config.document import setting
from kafkasim.config.known import BROKER_KEYS
from kafkasim.config.rules import INT64_MAX, Count, Number, Whole
from kafkasim.config.settings import Settings


@dataclass(frozen=True, slots=True, repr=False)
class BrokerConfig(Settings):
    """Settings of every broker; what is not said has Kafka's default once resolved.

    Examples
    --------
    >>> BrokerConfig().resolve().num_io_threads
    8
    """

    known_keys: ClassVar[frozenset[str]] = BROKER_KEYS

    num_io_threads: Count = setting(8)
    """Threads that serve requests from the queue; default 8."""
    log_retention_check_interval_ms: Annotated[int, Whole(1, INT64_MAX)] = setting(
        300_000
    )
    """Whole ms between two looks for segments to delete; default 5 minutes."""
    log_initial_task_delay_ms: Annotated[int, Whole(0, INT64_MAX)] = setting(30_000)
    """Whole ms from the start to the first of them; default 30 s."""
    log_cleaner_enable: bool = setting(default=True)
    """Compact topics that ask for it; default true."""
    log_cleaner_backoff_ms: Annotated[int, Whole(1, INT64_MAX)] = setting(15_000)
    """Whole ms that the cleaner waits when no log needs it; default 15 s."""
    log_cleaner_dedupe_buffer_size: Annotated[int, Whole(1_048_576, INT64_MAX)] = (
        setting(134_217_728)
    )
    """Bytes of the cleaner's map of keys, 24 for each key; default 128 MiB."""
    log_cleaner_io_buffer_load_factor: Annotated[float, Number(0.0, 1.0)] = setting(0.9)
    """The share of that map that one pass fills; default 0.9."""
