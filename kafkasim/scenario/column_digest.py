"""The digest of a plan's column: SHA-256, fed as the column comes.

Its recipe: the dtype and the labels in canonical JSON, the little-endian bytes of the
numbers, and how many there were, in JSON again. So a column that comes in blocks has
the digest of the whole.
"""

import hashlib
import json
from typing import Any

from numpy.typing import NDArray


class ColumnDigest:
    """The running digest of one column.

    Parameters
    ----------
    dtype : str
        Little-endian numpy dtype, such as ``"<i8"``.
    labels : tuple of str
        What the numbers stand for.
    """

    def __init__(self, dtype: str, labels: tuple[str, ...] = ()) -> None:
        self._dtype = dtype
        self._count = 0
        self._sha = hashlib.sha256(canonical([dtype, labels]))

    def update(self, column: NDArray[Any]) -> None:
        """Take the column's next numbers."""
        self._count += len(column)
        little = column.astype(self._dtype, order="C", copy=False)
        if little.size:
            self._sha.update(little.data.cast("B"))

    def hexdigest(self) -> str:
        """Return the digest of all numbers so far, in hexadecimal."""
        whole = self._sha.copy()
        whole.update(canonical([self._count]))
        return whole.hexdigest()


def column_digest(column: NDArray[Any], labels: tuple[str, ...] = ()) -> str:
    """Return the digest of a whole column, in hexadecimal."""
    digest = ColumnDigest(column.dtype.newbyteorder("<").str, labels)
    digest.update(column)
    return digest.hexdigest()


def canonical(value: object) -> bytes:
    """Return a value as JSON that is the same everywhere."""
    return json.dumps(value, separators=(",", ":"), sort_keys=True).encode()
