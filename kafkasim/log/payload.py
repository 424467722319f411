"""The values of simulated records: text that says which record it is.

A simulation knows a value's size and no more. Where its logs are written as files, the
value of record 123 is `record 000000123 ` and dots up to its size, so that who opens a
file sees the records in it; one too small for that is the end of `record 000000123`,
the last digits. Nothing else goes into it: the same record has the same bytes in every
run and on every machine.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from kafkasim.log.columns import Blob, Bytes, Ints
from kafkasim.log.pieces import words

_WORD: Final = b"record "
_DIGITS: Final = 9
_NAME_BYTES: Final = len(_WORD) + _DIGITS
_HEAD_BYTES: Final = _NAME_BYTES + 1
_FILLER: Final = ord(".")
_THREE_DIGITS: Final[NDArray[np.void]] = np.array(
    [f"{number:03}".encode() for number in range(1000)], dtype="S3"
).view("V3")


def payload(record_ids: Ints, sizes: Ints) -> Blob:
    """Return the values of some records.

    Parameters
    ----------
    record_ids : int64 array of shape (records,)
        Their numbers, from 0 to 999,999,999.
    sizes : int64 array of shape (records,), bytes
        Their values' sizes; −1 for null.

    Returns
    -------
    Blob
        The values, back to back.

    Raises
    ------
    ValueError
        A number has more than nine digits, or is negative.

    Examples
    --------
    >>> payload(np.array([123, 123, 7, 8]), np.array([20, 4, 0, -1])).tolist()
    [b'record 000000123 ...', b'0123', b'', None]
    """
    data = np.full(int(np.maximum(sizes, 0).sum()), _FILLER, dtype=np.uint8)
    blob = Blob.packed(data, sizes)
    heads = _heads(record_ids)
    large = np.flatnonzero(sizes >= _HEAD_BYTES)
    if len(large):
        whole = heads.reshape(-1).view(f"V{_HEAD_BYTES}")
        words(data, _HEAD_BYTES)[blob.starts[large]] = whole[large]
    small = np.flatnonzero((sizes > 0) & (sizes < _HEAD_BYTES))
    for size in np.unique(sizes[small]).tolist():
        these = small[sizes[small] == size]
        ends = np.ascontiguousarray(heads[these, _NAME_BYTES - size : _NAME_BYTES])
        words(data, size)[blob.starts[these]] = ends.reshape(-1).view(f"V{size}")
    return blob


def _heads(record_ids: Ints) -> Bytes:
    """Return `record 000000123 ` of each record, uint8 of shape (records, bytes)."""
    if len(record_ids) and not (
        int(record_ids.min()) >= 0 and int(record_ids.max()) < 10**_DIGITS
    ):
        raise ValueError("record ids have nine digits at most")
    heads = np.empty((len(record_ids), _HEAD_BYTES), dtype=np.uint8)
    if not len(heads):
        return heads
    heads[:, : len(_WORD)] = np.frombuffer(_WORD, dtype=np.uint8)
    heads[:, -1] = ord(" ")
    rest = record_ids
    for at in range(_NAME_BYTES - 3, len(_WORD) - 1, -3):
        place = np.ndarray((len(heads),), "V3", heads, at, (_HEAD_BYTES,))
        place[:] = _THREE_DIGITS[rest % 1000]
        rest = rest // 1000
    return heads
