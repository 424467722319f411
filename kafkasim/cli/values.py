"""What stands after `--set`: a path, an equals sign, and one or several values.

A value is written as in TOML (`8`, `0.5`, `true`, `"text"`, `[1, 2]`,
`{kind = "no_keys"}`), so a command line, a scenario file and an error message say the
same thing the same way; a bare word (`acks=all`) is text, for quotes are hard to type
in a shell. A comma separates values unless it stands within quotes, brackets or braces.
"""

import re
import tomllib
from collections.abc import Sequence
from typing import Final

from kafkasim.errors import ValidationError

_BARE_WORD: Final = re.compile(r"[A-Za-z][A-Za-z0-9_./-]*")
_OPENING: Final = {"{": "}", "[": "]"}
_ALLOWED: Final = 'a number, true, false, a word, "text", [list] or {table} as in TOML'


def split_outside(text: str, separator: str) -> list[str]:
    """Split `text` at each `separator` outside quotes, brackets and braces.

    Examples
    --------
    >>> split_outside('1,{kind="trace_column", column="a,b"},2', ",")
    ['1', '{kind="trace_column", column="a,b"}', '2']
    """
    parts = [""]
    quote = ""
    closers: list[str] = []
    for character in text:
        if quote:
            quote = "" if character == quote else quote
        elif character in "\"'":
            quote = character
        elif character in _OPENING:
            closers.append(_OPENING[character])
        elif closers and character == closers[-1]:
            closers.pop()
        elif character == separator and not closers:
            parts.append("")
            continue
        parts[-1] += character
    return parts


def parse_value(path: str, text: str) -> object:
    """Read one value as TOML does; a bare word is text.

    Raises
    ------
    ValidationError
        When `text` is neither; it names `path`.

    Examples
    --------
    >>> parse_value("system.topics.flights.partitions", "8")
    8
    >>> parse_value("traffic.sources.flights.keys", '{kind = "no_keys"}')
    {'kind': 'no_keys'}
    """
    stripped = text.strip()
    try:
        read: dict[str, object] = tomllib.loads(f"value = {stripped}")
    except tomllib.TOMLDecodeError:
        if _BARE_WORD.fullmatch(stripped):
            return stripped
        raise ValidationError(path, text, _ALLOWED) from None
    value = read.pop("value")
    if read or not isinstance(value, bool | int | float | str | list | dict):
        raise ValidationError(path, text, _ALLOWED)
    return value


def parse_setting(text: str) -> tuple[str, list[object]]:
    """Read `path=value[,value…]`.

    Returns
    -------
    path : str
    values : list
        In the order written; at least one.

    Raises
    ------
    ValidationError
        When the path, the equals sign or a value is missing, or a value is none.

    Examples
    --------
    >>> parse_setting("system.topics.flights.partitions=1,2,4")
    ('system.topics.flights.partitions', [1, 2, 4])
    """
    before, *after = split_outside(text, "=")
    path = before.strip()
    if not (path and after):
        raise ValidationError("--set", text, "path=value, such as seed=7")
    values = split_outside(text[len(before) + 1 :], ",")
    return path, [parse_value(path, value) for value in values]


def parse_settings(texts: Sequence[str]) -> dict[str, list[object]]:
    """Read several settings; each path may be set once.

    Raises
    ------
    ValidationError
        For a setting that cannot be read, or a path that is set twice.
    """
    settings: dict[str, list[object]] = {}
    for text in texts:
        path, values = parse_setting(text)
        if path in settings:
            why = "it is set twice; values to compare go into one --set, with commas"
            raise ValidationError("--set", path, "each path once", why)
        settings[path] = values
    return settings
