"""In which order Java walks through a hash map, where an answer of Kafka depends on it.

A `HashMap` has a table of 2^n bins. A key goes to bin ``(h ^ (h >>> 16)) mod 2^n`` of
its 32-bit hash code h, behind those that are there; the table doubles when it holds
more than three quarters of its size, and also when a bin of a table below 64 gets its
ninth key. A walk goes through the bins in turn and through each from its first key to
its last, so the order depends on the keys, on the table's size and, within a bin, on
who came first. A key that is taken out leaves the table as large as it was. A key that
`computeIfAbsent` puts in goes to the head of its bin.

A bin of nine keys in a table of 64 or more becomes a tree, within which Java walks in
another order. That takes ids made to collide (it happens to one group of a thousand
members in a thousand million), and is left out.

Source: `java.util.HashMap` of JDK 17 (`hash`, `putVal`, `computeIfAbsent`,
`treeifyBin`, `resize`, `tableSizeFor`), and the `hashCode` of `String`, `Integer`,
`TopicPartition` and `Uuid`.
"""

from collections.abc import Callable, Collection, Iterable
from functools import lru_cache
from typing import Final, Generic, TypeVar

from kafkasim.protocol.offsets_topic import java_hash
from kafkasim.protocol.subscription import TopicPartition

Key = TypeVar("Key")

DEFAULT_CAPACITY: Final = 16
_TREE_CAPACITY: Final = 64
"""`MIN_TREEIFY_CAPACITY`: below it a long bin doubles the table."""
_LONG_BIN: Final = 8
"""`TREEIFY_THRESHOLD`: keys of a bin that one more makes too long."""
_BITS: Final = 0xFFFFFFFF


def spread(code: int) -> int:
    """Return the hash that chooses the bin (`HashMap.hash`), from 0 to 2^32 - 1."""
    code &= _BITS
    return code ^ (code >> 16)


@lru_cache(maxsize=1 << 16)
def text_hash(text: str) -> int:
    """Return `spread` of `String.hashCode`."""
    return spread(java_hash(text))


def partition_hash(partition: TopicPartition) -> int:
    """Return `spread` of `TopicPartition.hashCode`."""
    topic, number = partition
    return spread(31 * (31 + number) + java_hash(topic))


@lru_cache(maxsize=1 << 16)
def id_hash(topic_id: int) -> int:
    """Return `spread` of `Uuid.hashCode`; an id is a number of 128 bits."""
    both = (topic_id >> 64) ^ topic_id
    return spread((both >> 32) ^ both)


def number_hash(number: int) -> int:
    """Return `spread` of `Integer.hashCode`, for a number from 0 to 2^16 - 1."""
    return number


def table_size(capacity: int) -> int:
    """Return the size of a table that is asked for (`HashMap.tableSizeFor`)."""
    return 1 << max(capacity - 1, 0).bit_length()


@lru_cache(maxsize=1 << 12)
def copied_size(count: int) -> int:
    """Return the table of a `HashSet` made of a collection of `count`."""
    return table_size(max(int(count / 0.75) + 1, DEFAULT_CAPACITY))


def undisturbed(numbers: Collection[int], capacity: int) -> bool:
    """Return whether distinct numbers leave a table as it is.

    They fill three quarters of it at most, and it is sure that no bin has nine.
    """
    count = len(numbers)
    if count > capacity * 3 // 4:
        return False
    if count <= _LONG_BIN or capacity >= _TREE_CAPACITY:
        return True
    return count - len(set(map((capacity - 1).__and__, numbers))) < _LONG_BIN


class JavaSet(Generic[Key]):
    """Keys of a `HashMap`, or a `HashSet`.

    Parameters
    ----------
    hash_of : callable
        Spread hash of a key.
    capacity : int
        Size of the table, a power of two.
    keys : iterable of keys
        Put in at once, in this order.
    """

    __slots__ = ("_hash_of", "_keys", "_limit", "capacity")

    def __init__(
        self,
        hash_of: Callable[[Key], int],
        capacity: int = DEFAULT_CAPACITY,
        keys: Iterable[Key] = (),
    ) -> None:
        self._hash_of = hash_of
        self._keys: dict[Key, int] = {}
        self.capacity = capacity
        self._limit = capacity * 3 // 4
        self.add_all(keys)

    def __len__(self) -> int:
        return len(self._keys)

    def __contains__(self, key: Key) -> bool:
        return key in self._keys

    def add(self, key: Key) -> None:
        """Put a key in; nothing happens if it is there."""
        keys = self._keys
        if key in keys:
            return
        code = self._hash_of(key)
        if len(keys) >= _LONG_BIN and self.capacity < _TREE_CAPACITY:
            mask = self.capacity - 1
            if sum(not (code ^ other) & mask for other in keys.values()) >= _LONG_BIN:
                self._double()
        keys[key] = code
        if len(keys) > self._limit:
            self._double()

    def add_first(self, key: Key) -> None:
        """Put a key in at the head of its bin (`HashMap.computeIfAbsent`).

        The table doubles one key later, but then also for a key that is there, and for
        a bin that had seven.
        """
        keys = self._keys
        if len(keys) > self._limit:
            self._double()
        if key in keys:
            return
        code, mask = self._hash_of(key), self.capacity - 1
        self._keys = {key: code, **keys} if keys else {key: code}
        if len(self._keys) >= _LONG_BIN and self.capacity < _TREE_CAPACITY:
            bins = [not (code ^ other) & mask for other in self._keys.values()]
            if sum(bins) >= _LONG_BIN:
                self._double()

    def add_all(self, keys: Iterable[Key]) -> None:
        """Put keys in, one after the other."""
        mine, hash_of = self._keys, self._hash_of
        some = list(keys)
        total = len(mine) + len(some)
        if self.capacity < _TREE_CAPACITY and total > min(self._limit, _LONG_BIN):
            start = 0
            while start < len(some) and self.capacity < _TREE_CAPACITY:
                self.add(some[start])
                start += 1
            some = some[start:]
        for key in some:  # no bin is too long now
            if key not in mine:
                mine[key] = hash_of(key)
        while len(mine) > self._limit:
            self._double()

    def remove(self, key: Key) -> None:
        """Take a key out; nothing happens if it is not there."""
        self._keys.pop(key, None)

    def walk(self) -> list[Key]:
        """Return the keys in the order in which Java walks through them."""
        keys, mask = self._keys, self.capacity - 1
        bins = [code & mask for code in keys.values()]
        if bins == sorted(bins):
            return list(keys)
        return sorted(keys, key=lambda key: keys[key] & mask)

    def first(self) -> Key:
        """Return the first key of a walk."""
        keys, mask = self._keys, self.capacity - 1
        return min(keys, key=lambda key: keys[key] & mask)

    def _double(self) -> None:
        self.capacity *= 2
        self._limit = self.capacity * 3 // 4


def walk_names(names: Collection[str]) -> list[str]:
    """Return names in the order of a new map that is given them in theirs.

    Examples
    --------
    >>> walk_names(["m-1", "m-2", "m-10", "c"])
    ['m-1', 'm-2', 'c', 'm-10']
    """
    if len(names) <= _LONG_BIN:
        return sorted(names, key=lambda name: text_hash(name) & 15)
    walked: JavaSet[str] = JavaSet(text_hash, keys=names)
    return walked.walk()


def walk_grouped(names: Iterable[str]) -> list[str]:
    """Return names in the order of a new map in which `computeIfAbsent` puts them."""
    walked: JavaSet[str] = JavaSet(text_hash)
    for name in names:
        walked.add_first(name)
    return walked.walk()
