"""A map that is walked in the order of Java's `HashMap`.

Kafka keeps the members of a group in one, and the order in which it is walked decides
who leads when the leader is gone, or which protocol wins when votes are equal. That
order follows from the keys, and from how large the map has ever been: a table of 16
buckets that doubles as soon as it holds more keys than three quarters of its buckets,
and never shrinks. Within a bucket keys stand in the order in which they came. Buckets
of more than eight keys, which Java turns into trees, are not treated apart: keys would
have to be chosen for that. Source: `java.util.HashMap` (JDK 17).
"""

from collections.abc import Collection, Iterable, Iterator
from typing import Final, Generic, TypeVar

from kafkasim.protocol.offsets_topic import java_hash

Value = TypeVar("Value")

_FIRST_BUCKETS: Final = 16


class JavaHashMap(Generic[Value]):
    """A map from text, in Java's order.

    Parameters
    ----------
    items : iterable of tuple, optional
        Put into it one after another.

    Examples
    --------
    >>> list(JavaHashMap((name, 0) for name in ("sticky", "roundrobin", "range")))
    ['sticky', 'range', 'roundrobin']
    """

    __slots__ = ("_buckets", "_hashes", "_order", "_values")

    def __init__(self, items: Iterable[tuple[str, Value]] = ()) -> None:
        self._values: dict[str, Value] = {}
        self._hashes: dict[str, int] = {}
        self._buckets = _FIRST_BUCKETS
        self._order: list[str] | None = None
        for key, value in items:
            self[key] = value

    def __len__(self) -> int:
        return len(self._values)

    def __contains__(self, key: object) -> bool:
        return key in self._values

    def __getitem__(self, key: str) -> Value:
        return self._values[key]

    def __setitem__(self, key: str, value: Value) -> None:
        if key not in self._values:
            spread = java_hash(key) & 0xFFFFFFFF
            self._hashes[key] = spread ^ spread >> 16
            self._order = None
        self._values[key] = value
        while 4 * len(self._values) > 3 * self._buckets:
            self._buckets *= 2

    def __iter__(self) -> Iterator[str]:
        if self._order is None:
            last = self._buckets - 1
            self._order = sorted(self._values, key=lambda key: self._hashes[key] & last)
        return iter(self._order)

    def get(self, key: str) -> Value | None:
        """Return the value of a key; None if there is none."""
        return self._values.get(key)

    def pop(self, key: str) -> Value | None:
        """Take a key out; return its value, or None if there was none."""
        if key in self._values:
            del self._hashes[key]
            self._order = None
        return self._values.pop(key, None)

    def values(self) -> list[Value]:
        """Return the values in the order of their keys."""
        return [self._values[key] for key in self]

    def unordered(self) -> Collection[Value]:
        """Return the values in any order, which costs nothing."""
        return self._values.values()

    def items(self) -> list[tuple[str, Value]]:
        """Return keys and values in order."""
        return [(key, self._values[key]) for key in self]
