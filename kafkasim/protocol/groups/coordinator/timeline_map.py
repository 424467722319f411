"""In which order a coordinator walks through its members.

It keeps them in a `TimelineHashMap` (`BaseHashTable.findSlot`, `SnapshottableHashTable
.CurrentIterator`, 4.3): a table of 2^n slots, chosen by the highest bits of a product;
the last of a slot comes first. The table grows with what is put in, never shrinks, and
counts what is put in again as if it were new. Some of what assignors and records are
like depends on this order.
"""

from typing import Final, TypeVar

from kafkasim.protocol.offsets_topic import java_hash

Value = TypeVar("Value")

_MULTIPLIER: Final = -7_046_029_254_386_353_131
_SMALLEST: Final = 2


class TimelineMap(dict[str, Value]):
    """A dictionary that is also walked as Kafka walks it.

    Examples
    --------
    >>> members = TimelineMap[int]()
    >>> for number, name in enumerate(["m1", "m2", "m3"]):
    ...     members[name] = number
    >>> list(members), members.walk()
    (['m1', 'm2', 'm3'], ['m2', 'm1', 'm3'])
    """

    def __init__(self) -> None:
        super().__init__()
        self._slots = _SMALLEST

    def __setitem__(self, name: str, value: Value) -> None:
        """Put a value in; the table may grow."""
        if 3 * (len(self) + 1) > 4 * self._slots:
            self._slots *= 2
        super().__setitem__(name, value)

    def walk(self) -> list[str]:
        """Return the names in Kafka's order."""
        shift = 65 - self._slots.bit_length()

        def slot(name: str) -> int:
            return (java_hash(name) * _MULTIPLIER & (1 << 64) - 1) >> shift

        last_first = list(self)[::-1]
        return sorted(last_first, key=slot)
