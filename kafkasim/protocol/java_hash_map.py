"""A map that is walked in the order of Java's `HashMap`.

Kafka keeps the members of a group in one, and the order in which it is walked decides
who leads when the leader is gone, or which protocol wins when votes are equal. In
which order that is, and why, is in `kafkasim.protocol.java_order`. Source:
`java.util.HashMap` (JDK 17).
"""

from collections.abc import Collection, Iterable, Iterator
from typing import Generic, TypeVar

from kafkasim.protocol.java_order import JavaSet, text_hash

Value = TypeVar("Value")


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

    __slots__ = ("_keys", "_order", "_values")

    def __init__(self, items: Iterable[tuple[str, Value]] = ()) -> None:
        self._values: dict[str, Value] = {}
        self._keys: JavaSet[str] = JavaSet(text_hash)
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
            self._keys.add(key)
            self._order = None
        self._values[key] = value

    def __iter__(self) -> Iterator[str]:
        if self._order is None:
            self._order = self._keys.walk()
        return iter(self._order)

    def get(self, key: str) -> Value | None:
        """Return the value of a key; None if there is none."""
        return self._values.get(key)

    def pop(self, key: str) -> Value | None:
        """Take a key out; return its value, or None if there was none."""
        if key in self._values:
            self._keys.remove(key)
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
