"""Keys that Kafka knows and that no field models, each with what that means.

`from_properties` names them in a warning; any other unknown key is a mistake. They
stand in `known.toml`, in groups.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Final, Literal

Kind = Literal["producer", "consumer", "topic", "broker"]
"""Whose keys."""
FILE: Final = Path(__file__).with_name("known.toml")


@dataclass(frozen=True, slots=True)
class KeyGroup:
    """Keys that are not modelled for one reason."""

    title: str
    means: str
    """What a run does in their place, for its reader."""
    keys: Mapping[Kind, tuple[str, ...]]
    """By whose they are; one that ends in a dot stands for all that begin with it."""


@cache
def key_groups() -> tuple[KeyGroup, ...]:
    """Return all groups, in the order of the file."""
    import tomllib  # not at each start

    kinds: tuple[Kind, ...] = ("producer", "consumer", "topic", "broker")
    tables = tomllib.loads(FILE.read_text(encoding="utf-8"))["group"]
    return tuple(
        KeyGroup(
            each["title"],
            each["means"],
            {kind: tuple(each[kind].split()) for kind in kinds if kind in each},
        )
        for each in tables
    )


@cache
def known_keys(kind: Kind) -> Mapping[str, str]:
    """Return the keys of a producer, consumer, topic or broker, and what each means.

    Examples
    --------
    >>> known_keys("topic")["preallocate"]
    'Files grow as they are written.'
    """
    return MappingProxyType(
        {key: each.means for each in key_groups() for key in each.keys.get(kind, ())}
    )


def is_known(key: str, kind: Kind) -> bool:
    """Return whether Kafka knows the key and no field models it."""
    known = known_keys(kind)
    return key in known or any(
        key.startswith(each) for each in known if each.endswith(".")
    )
