"""The columns of an index: taken from a file, and searched as Kafka does.

Source: `org.apache.kafka.storage.internals.log.AbstractIndex` (4.3).
"""

from array import array
from typing import Final

import numpy as np
import numpy.typing as npt

_WARM_BYTES: Final = 8_192
"""The last part of an index, where a search looks first."""


def native(code: str, column: npt.NDArray[np.signedinteger]) -> "array[int]":
    """Return a column in this machine's byte order, of a type code of `array`."""
    made: array[int] = array(code)
    made.frombytes(column.astype(np.dtype(code)).tobytes())
    return made


def rises(column: npt.NDArray[np.signedinteger]) -> bool:
    """Whether no number is below the one before it."""
    return bool((column[1:] >= column[:-1]).all())


def kafkas_slot(keys: "array[int]", target: int, entry_bytes: int) -> int:
    """Return the slot where Kafka's search ends; −1 for before the first.

    For keys that do not rise, which a damaged file can have. It first looks whether the
    target lies in the last 8 KiB (`AbstractIndex.indexSlotRangeFor`).
    """
    if not keys:
        return -1
    low, high = 0, len(keys) - 1
    warm = max(0, high - _WARM_BYTES // entry_bytes)
    if keys[warm] < target:
        low = warm
    elif keys[0] > target:
        return -1
    else:
        high = warm
    while low < high:
        middle = (low + high + 1) // 2
        if keys[middle] > target:
            high = middle - 1
        elif keys[middle] < target:
            low = middle
        else:
            return middle
    return low
