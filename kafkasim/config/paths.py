"""Paths into a document: `system.topics."orders.v1".partitions`, `events.0.at_s`.

A path is written as TOML writes a dotted key: names joined by dots, a name that holds
anything but letters, digits, `_` and `-` in double quotes; a position in a list is a
number.
"""

import json
import re
from collections.abc import Iterable
from typing import Final

from kafkasim.catalogue import say
from kafkasim.errors import ValidationError

Parts = tuple[str, ...]
"""The names along a path."""

_BARE: Final = re.compile(r"[A-Za-z0-9_-]+")
_PART: Final = re.compile(r'([A-Za-z0-9_-]+)|("(?:[^"\\]|\\.)*")|\'([^\']*)\'')


def quoted(name: str) -> str:
    """Return a name as it stands in a path.

    >>> quoted("orders"), quoted("orders.v1")
    ('orders', '"orders.v1"')
    """
    if _BARE.fullmatch(name):
        return name
    return json.dumps(name, ensure_ascii=False)


def join_path(parts: Iterable[str]) -> str:
    """Return the path of the names along it; the inverse of `split_path`."""
    return ".".join(quoted(part) for part in parts)


def split_path(path: str) -> Parts:
    """Return the names along a path.

    Raises
    ------
    ValidationError
        When the path is empty, a name is missing or a quote is not closed.

    Examples
    --------
    >>> split_path('system.topics."orders.v1".partitions')
    ('system', 'topics', 'orders.v1', 'partitions')
    """
    parts: list[str] = []
    at = 0
    while True:
        match = _PART.match(path, at)
        if match is None:
            raise ValidationError(
                path or "path",
                path[at:],
                say(
                    "names joined by dots, a name with other characters in double "
                    "quotes"
                ),
            )
        parts.append(_name(match, path))
        at = match.end()
        if at == len(path):
            return tuple(parts)
        if path[at] != ".":
            raise ValidationError(path, path[at:], say("a dot between two names"))
        at += 1


def _name(match: re.Match[str], path: str) -> str:
    bare, double, single = match.groups()
    if double is None:
        return str(bare if bare is not None else single)
    try:
        return str(json.loads(double))
    except json.JSONDecodeError as error:
        raise ValidationError(path, double, say("a quoted name")) from error


def suggestion(name: str, names: Iterable[str]) -> str:
    """Return `did you mean …?` for the nearest of `names`, or nothing."""
    from difflib import get_close_matches

    near = get_close_matches(name, list(names), n=1)
    return say("did you mean {name}?", name=quoted(near[0])) if near else ""


def one_of(names: Iterable[str]) -> str:
    """Return the allowed names as a phrase for an error."""
    listed = [quoted(name) for name in names]
    if not listed:
        return say("nothing here")
    if len(listed) == 1:
        return listed[0]
    return say("one of {names}", names=", ".join(listed))
