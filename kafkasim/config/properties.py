r"""Reading a real client's `.properties` file.

The format is that of `java.util.Properties`: one `key=value` (or `key: value`, or
`key value`) a line, comments after `#` or `!`, a backslash at the end joins the next
line, `\uXXXX` is a character. Every key is accounted for: one that kafkasim models is
read, one that only Kafka knows is named in a warning, any other is an error.
"""

import re
from collections.abc import Iterator
from os import PathLike
from pathlib import Path
from typing import Final

from kafkasim.catalogue import say
from kafkasim.config.document import Document, rules_of
from kafkasim.config.known import Kind, is_known, known_keys
from kafkasim.config.paths import suggestion
from kafkasim.errors import ValidationError

_ESCAPE: Final = re.compile(r"\\(u[0-9a-fA-F]{4}|.)", re.DOTALL)
_SPECIAL: Final = {"t": "\t", "n": "\n", "r": "\r", "f": "\f"}
_KEY: Final = re.compile(r"((?:\\.|[^\\=:\s])*)[ \t\f]*[=:]?[ \t\f]*(.*)", re.DOTALL)


def read_properties(
    config: type[Document], source: str | PathLike[str], kind: Kind
) -> tuple[dict[str, object], dict[str, str]]:
    """Return the properties that `config` has as fields, values read, and the others.

    Parameters
    ----------
    config : type of Document
        Its fields are Kafka's keys with underscores.
    source : str or path
        A text with a line break or `=` is taken as the properties themselves.
    kind : str
        Whose keys Kafka may know beside them.

    Raises
    ------
    ValidationError
        For a key that Kafka does not know.
    """
    modelled = {name.replace("_", "."): name for name in rules_of(config)}
    found: dict[str, object] = {}
    others: dict[str, str] = {}
    for key, text in pairs(_text(source)).items():
        if key in modelled:
            found[modelled[key]] = _value(text)
        elif is_known(key, kind):
            others[key] = text
        else:
            near = suggestion(key, {*modelled, *known_keys(kind)})
            allowed = say(
                "a key that Kafka knows, such as {keys}", keys=", ".join(modelled)
            )
            raise ValidationError(f'"{key}"', text, allowed, near)
    return found, others


def _text(source: str | PathLike[str]) -> str:
    if isinstance(source, str) and ("\n" in source or "=" in source or not source):
        return source
    return Path(source).read_text(encoding="utf-8")


def _value(text: str) -> object:
    """Return the value as `org.apache.kafka.common.config.ConfigDef` types it."""
    text = text.strip()
    if text.lower() in {"true", "false"}:
        return text.lower() == "true"
    if re.fullmatch(r"[+-]?[0-9]+", text):
        return int(text)
    return text


def pairs(text: str) -> dict[str, str]:
    r"""Return the keys and values of a `.properties` text; the last one wins.

    >>> pairs("linger.ms = 5\n# a comment\nacks: all")
    {'linger.ms': '5', 'acks': 'all'}
    """
    found: dict[str, str] = {}
    for line in _logical_lines(text):
        match = _KEY.match(line)
        assert match is not None
        found[_unescaped(match[1])] = _unescaped(match[2])
    return found


def _logical_lines(text: str) -> Iterator[str]:
    lines = iter(re.split(r"\r\n|\r|\n", text))
    for line in lines:
        joined = line.lstrip(" \t\f")
        if not joined or joined[0] in "#!":
            continue
        while _continues(joined):
            joined = joined[:-1] + next(lines, "").lstrip(" \t\f")
        yield joined


def _continues(line: str) -> bool:
    return (len(line) - len(line.rstrip("\\"))) % 2 == 1


def _unescaped(text: str) -> str:
    def character(match: re.Match[str]) -> str:
        code = match[1]
        if len(code) == 5:
            return chr(int(code[1:], 16))
        return _SPECIAL.get(code, code)

    return _ESCAPE.sub(character, text)
