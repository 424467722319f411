"""Values that never change: a mapping that can be hashed, and the mark of the unsaid.

A scenario is equal to another when all its parts are, and can then be a key in a
dictionary; so every mapping in it is copied into a `FrozenDict`. `UNSET` stands where
nobody said anything: Kafka's own rules tell a default from the same value set by hand
(PR-1, PR-2), so a document has to remember which it was.
"""

from collections.abc import Iterator, Mapping
from dataclasses import FrozenInstanceError
from typing import Any, Final, TypeVar, final

ValueT = TypeVar("ValueT", covariant=True)  # noqa: PLC0105 - read only


@final
class Unset:
    """The class of `UNSET`."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "UNSET"

    def __bool__(self) -> bool:
        return False

    def __reduce__(self) -> str:
        return "UNSET"


UNSET: Final[Any] = Unset()
"""A field that was not said; `resolve()` gives its effective value.

Typed `Any`, so that a field is declared with the type it has once resolved.
"""


class SetOnce:
    """Base of what gets its slots filled once, by its `__init__`, and never again.

    Raises
    ------
    FrozenInstanceError
        When a field is to be changed or deleted.
    """

    __slots__ = ()

    def __setattr__(self, name: str, value: object) -> None:
        if hasattr(self, name):  # `__init__` was here
            raise FrozenInstanceError(f"cannot assign to field {name!r}")
        object.__setattr__(self, name, value)

    def __delattr__(self, name: str) -> None:
        raise FrozenInstanceError(f"cannot delete field {name!r}")


@final
class FrozenDict(Mapping[str, ValueT]):
    """A mapping from names that keeps its order, never changes and can be hashed.

    Equality and hash leave the order out: two documents that say the same in another
    order are the same document.

    Parameters
    ----------
    items : Mapping
        Copied.

    Examples
    --------
    >>> FrozenDict({"orders": 3})
    {'orders': 3}
    >>> FrozenDict({"a": 1, "b": 2}) == {"b": 2, "a": 1}
    True
    """

    __slots__ = ("_items",)

    def __init__(self, items: "Mapping[str, ValueT] | None" = None) -> None:
        self._items: dict[str, ValueT] = dict(items or {})

    def __getitem__(self, name: str) -> ValueT:
        return self._items[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, FrozenDict):
            return self._items == other._items
        return self._items == other

    def __hash__(self) -> int:
        return hash(frozenset(self._items.items()))

    def __repr__(self) -> str:
        return repr(self._items)

    def __reduce__(self) -> tuple[type, tuple[dict[str, ValueT]]]:
        return (FrozenDict, (self._items,))
