"""The broker's settings: Kafka's keys with dots as underscores.

Source: `org.apache.kafka.server.config` and `SocketServerConfigs` (4.3). What is not
modelled yet has no field; `from_properties` names such a key instead of dropping it.
"""

from dataclasses import dataclass
from os import PathLike
from typing import Self

from kafkasim.config.document import Document, setting, with_defaults
from kafkasim.config.known import BROKER_KEYS
from kafkasim.config.properties import read_properties
from kafkasim.config.rules import Count


@dataclass(frozen=True, slots=True, repr=False)
class BrokerConfig(Document):
    """Settings of every broker; what is not said has Kafka's default once resolved.

    Examples
    --------
    >>> BrokerConfig().resolve().num_io_threads
    8
    """

    num_io_threads: Count = setting(8)
    """Threads that serve requests from the queue; default 8."""

    def resolve(self) -> Self:
        """Return the effective settings, every field filled in."""
        return with_defaults(self)

    @classmethod
    def from_properties(cls, source: str | PathLike[str]) -> Self:
        """Read a broker's `server.properties` file, or its text.

        Parameters
        ----------
        source : str or path
            A text with a line break or `=` is taken as the properties themselves.

        Raises
        ------
        ValidationError
            For a key Kafka does not know, with the nearest one, or a refused value.

        Warns
        -----
        UserWarning
            Naming the keys that Kafka knows and kafkasim does not model yet.
        """
        return cls.from_dict(read_properties(cls, source, BROKER_KEYS))
