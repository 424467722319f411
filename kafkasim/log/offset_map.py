"""The cleaner's memory: which offset is the newest of each key.

Source: `org.apache.kafka.storage.internals.log.SkimpyOffsetMap` and
`Cleaner.buildOffsetMapForSegment` (4.3). Kafka keeps the MD5 of a key and its offset,
24 bytes, in a buffer of fixed size; here keys stand for themselves, and the buffer's
size remains as the number of keys that it holds.
"""

from collections.abc import Hashable, Sequence
from typing import Final

BYTES_PER_KEY: Final = 24
"""MD5 and offset (`SkimpyOffsetMap.bytesPerEntry`)."""
DEDUPE_BUFFER_BYTES: Final = 134_217_728
DEDUPE_LOAD_FACTOR: Final = 0.9
"""Defaults of `log.cleaner.dedupe.buffer.size`, of all threads together, and of
`log.cleaner.io.buffer.load.factor` (`CleanerConfig`)."""


def keys_that_fit(
    buffer_bytes: int = DEDUPE_BUFFER_BYTES,
    load_factor: float = DEDUPE_LOAD_FACTOR,
    threads: int = 1,
) -> int:
    """Return how many keys a cleaner thread maps in one round.

    Parameters
    ----------
    buffer_bytes : int, bytes
        `log.cleaner.dedupe.buffer.size`, shared by the threads.
    load_factor : float
        Share of the slots that may be filled.
    threads : int
        `log.cleaner.threads`.

    Raises
    ------
    ValueError
        There is no room for a single key: cleaning would never get on.

    Examples
    --------
    >>> keys_that_fit()
    5033164
    """
    slots = buffer_bytes // threads // BYTES_PER_KEY
    if slots * load_factor <= 1:
        message = "the dedupe buffer must have room for more than one key a thread"
        raise ValueError(message)
    return int(slots * load_factor)


class OffsetMap:
    """Newest offset of each key, of as many keys as fit.

    Parameters
    ----------
    most_keys : int
        Keys that it takes, see `keys_that_fit`.

    Attributes
    ----------
    newest : dict of key to int
        Newest offset of each key seen.
    latest_offset : int
        Last offset that is mapped, −1 before: what lies beyond is not judged.
    """

    __slots__ = ("latest_offset", "most_keys", "newest")

    def __init__(self, most_keys: int) -> None:
        self.newest: dict[Hashable, int] = {}
        self.most_keys = most_keys
        self.latest_offset = -1

    def add(
        self,
        base_offset: int,
        offset_deltas: Sequence[int],
        keys: Sequence[Hashable | None],
        first_offset: int,
    ) -> bool:
        """Map a batch's records; return whether all of them found room.

        A full map takes no further record, not even one of a key that it has: the
        round then ends with the record before it, in the middle of a batch as it may
        be. Source: `Cleaner.buildOffsetMapForSegment`.

        Parameters
        ----------
        base_offset : int
            The batch's.
        offset_deltas : sequence of int, shape (records,)
            Offsets less the base offset, rising.
        keys : sequence of hashable or None, shape (records,)
            Keys; a record without one is passed over.
        first_offset : int
            Records before it are clean, and passed over.
        """
        newest = self.newest
        room = self.most_keys - len(newest)
        if len(keys) <= room and base_offset >= first_offset and None not in keys:
            newest.update(
                zip(keys, map(base_offset.__add__, offset_deltas), strict=True)
            )
            return True
        for delta, key in zip(offset_deltas, keys, strict=True):
            offset = base_offset + delta
            if key is None or offset < first_offset:
                continue
            if len(newest) >= self.most_keys:
                return False
            newest[key] = self.latest_offset = offset
        return True
