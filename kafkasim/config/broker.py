"""The broker's settings: Kafka's keys with dots as underscores.

Source: `org.apache.kafka.server.config` and `SocketServerConfigs` (4.3). What is not
modelled yet has no field; `from_properties` names such a key instead of dropping it.
"""

# ruff: noqa: RUF009 - the defaults are frozen

from dataclasses import dataclass
from typing import ClassVar

from kafkasim.config.document import setting
from kafkasim.config.known import BROKER_KEYS
from kafkasim.config.rules import Count
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
