"""What the settings of producer, consumer and broker have in common.

A field is Kafka's key with dots as underscores. It is `UNSET` until someone says it,
because Kafka's own rules tell a default from the same value set by hand; `resolve`
gives the effective values.
"""

import warnings
from collections.abc import Mapping
from os import PathLike
from typing import Any, ClassVar, Self

from kafkasim.config.document import Document, with_defaults
from kafkasim.config.frozen import UNSET
from kafkasim.config.known import Kind
from kafkasim.config.properties import read_properties


class Settings(Document):
    """Base of the settings; `document` makes its subclasses dataclasses."""

    __slots__ = ()

    kind: ClassVar[Kind]
    """Whose settings, in the tables of keys that no field models."""

    def resolve(self) -> Self:
        """Return the effective settings, every field filled in."""
        return with_defaults(self)

    @classmethod
    def from_properties(cls, source: str | PathLike[str]) -> Self:
        """Read a real `.properties` file, or its text.

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
        said, others = read_properties(cls, source, cls.kind)
        config = cls.from_dict(said)
        config.check_beside(others)
        if others:
            text = "known to Kafka, not modelled yet, without effect: "
            warnings.warn(text + ", ".join(others), UserWarning, stacklevel=2)
        return config

    def check_beside(self, others: Mapping[str, str]) -> None:
        """Check what Kafka checks between settings and keys that no field models.

        Parameters
        ----------
        others : mapping of str to str
            Those keys, with the texts that stand in the file.
        """


def reconnect_backoff(client: Any) -> dict[str, Any]:  # noqa: ANN401 - of two classes
    """Return the longest pause before a new connection, where only the first was set.

    Who sets `reconnect.backoff.ms` alone has no exponential backoff
    (`CommonClientConfigs.postProcessReconnectBackoffConfigs`).
    """
    first, longest = client.reconnect_backoff_ms, client.reconnect_backoff_max_ms
    if longest is UNSET and first is not UNSET:
        return {"reconnect_backoff_max_ms": first}
    return {}
