"""Names of the things in a run.

A target is `kind:name`: `broker:1`, `member:billing/2`, `source:web`,
`subscriber:billing`; or the only one of its kind, `controller` or `hub`. Brokers and
members count from 1, partitions and offsets from 0.
"""

from dataclasses import dataclass
from typing import Final

from kafkasim.catalogue import say
from kafkasim.errors import ValidationError

HUB: Final = "hub"
"""What stands between sources and subscribers, whole: all brokers, all nodes."""

ONLY_ONES: Final = ("controller", HUB)
"""Kinds of which there is one, so that it needs no name."""


@dataclass(frozen=True, slots=True)
class Target:
    """What an event is aimed at."""

    kind: str
    """`broker`, `source`, `subscriber`, …"""
    name: str
    """Its name within the kind."""

    def __str__(self) -> str:
        return f"{self.kind}:{self.name}" if self.name else self.kind

    @classmethod
    def parse(cls, text: str, *, path: str = "target") -> "Target":
        """Read `kind:name`.

        Raises
        ------
        ValidationError
            When a colon, the kind or the name is missing.
        """
        if text in ONLY_ONES:
            return cls(text, "")
        kind, colon, name = text.partition(":")
        if not (kind and colon and name):
            raise ValidationError(
                path, text, say("kind:name, such as subscriber:billing")
            )
        return cls(kind, name)


def instance_name(source: str, number: int, count: int) -> str:
    """Return the name of a source's client `number` (from 1) of so many: `web/1`."""
    return source if count == 1 else f"{source}/{number}"


def member_name(group: str, number: int) -> str:
    """Return the name of the group's member `number` (from 1): `billing/1`."""
    return f"{group}/{number}"
