"""Ids of topics, as records and requests of 4.x name them."""

import hashlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

_BYTES: Final = 16
_TEXT: Final = 22
"""Characters of an id: 16 bytes in base64, without the padding."""


def id_text(raw: bytes) -> str:
    """Return an id as Kafka prints it (`Uuid.toString`).

    Examples
    --------
    >>> id_text(bytes(16))
    'AAAAAAAAAAAAAAAAAAAAAA'
    """
    return urlsafe_b64encode(raw).decode().rstrip("=")


def id_bytes(text: str) -> bytes:
    """Return the 16 bytes of an id as Kafka prints it (`Uuid.fromString`).

    Raises
    ------
    ValueError
        The text is no such id.
    """
    try:
        raw = urlsafe_b64decode(text + "==")
    except ValueError:
        raw = b""
    if len(raw) != _BYTES or id_text(raw) != text:
        raise ValueError(f"{text!r} is not the id of a topic")
    return raw


def made_id(topic: str) -> str:
    """Return the id that a topic of a run has (or its cluster): made from its name.

    A random id of the controller's own looks the same (version 4, and no dash in front:
    `Uuid.randomUuid`), but would be another one in each run.

    Examples
    --------
    >>> made_id("orders")
    'VJUSmLGXRwOnomVwtchK5g'
    """
    for attempt in range(256):
        raw = bytearray(hashlib.sha256(f"{attempt} {topic}".encode()).digest()[:_BYTES])
        raw[6] = raw[6] & 0x0F | 0x40
        raw[8] = raw[8] & 0x3F | 0x80
        text = id_text(bytes(raw))
        if not text.startswith("-"):
            return text
    raise AssertionError(topic)


class TopicIds:
    """Names of topics and their ids, both ways.

    A topic that is not known here goes by the text of its id, so that records of a
    foreign log can be read, and written again.

    Parameters
    ----------
    ids : mapping of str to str
        Id of each topic by its name, as Kafka prints it.
    """

    def __init__(self, ids: Mapping[str, str] = MappingProxyType({})) -> None:
        self._ids = {topic: id_bytes(text) for topic, text in ids.items()}
        self._names = {raw: topic for topic, raw in self._ids.items()}

    def raw(self, topic: str) -> bytes:
        """Return the 16 bytes of a topic's id.

        Raises
        ------
        ValueError
            The topic is not known, and its name is not the text of an id.
        """
        known = self._ids.get(topic)
        return id_bytes(topic) if known is None else known

    def text(self, topic: str) -> str:
        """Return a topic's id as Kafka prints it; empty if it is not known."""
        known = self._ids.get(topic)
        return "" if known is None else id_text(known)

    def name(self, raw: bytes) -> str:
        """Return the topic with an id."""
        known = self._names.get(raw)
        return id_text(raw) if known is None else known
