"""Reading the fields of many records, column by column.

The places are guesses (`kafkasim.log.record_walk`), so the first thing read is each
record's length: the record must end where the next one begins, and its fields where it
does. Records are read some thousands at a time: their columns stay in the cache.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from kafkasim.log.columns import NULL_SIZE, Blob, Bytes, Headers, Ints
from kafkasim.log.decode import read_headers
from kafkasim.log.varint_columns import (
    MOST_INT_BYTES,
    MOST_LONG_BYTES,
    read_varints,
)

_AT_ONCE: Final = 1 << 14
"""Records whose fields are read together."""


@dataclass(frozen=True, slots=True, eq=False)
class Fields:
    """What records say.

    Parameters
    ----------
    timestamp_deltas_ms, offset_deltas : int64 arrays of shape (records,)
        Against their batch.
    keys, values : Blob
        In the bytes that were read.
    headers : sequence of tuples, optional
        Each record's headers; None if no record has any.
    """

    timestamp_deltas_ms: Ints
    offset_deltas: Ints
    keys: Blob
    values: Blob
    headers: Sequence[Headers] | None


def read_fields(data: Bytes, places: Ints, stops: Ints) -> Fields | int:
    """Read records, every one of which must end where it is to.

    Parameters
    ----------
    data : uint8 array, at least one byte
        Where they lie.
    places, stops : int64 arrays of shape (records,), bytes
        Where each begins and ends.

    Returns
    -------
    Fields or int
        The index of the first record that is none, if there is one.
    """
    count = len(places)
    columns = [np.empty(count, dtype=np.int64) for _ in range(6)]
    headers: dict[int, Headers] = {}
    known: dict[bytes, Headers] = {}
    for lo in range(0, count, _AT_ONCE):
        part = slice(lo, lo + _AT_ONCE)
        reader = _Reader(data, places[part], stops[part])
        reader.read([column[part] for column in columns])
        if reader.with_headers is not None:
            found = reader.headers(known)
            headers |= {lo + index: each for index, each in found.items()}
        if reader.bad.any():
            return lo + int(reader.bad.argmax())
    return Fields(
        columns[0],
        columns[1],
        Blob(data, columns[2], columns[3]),
        Blob(data, columns[4], columns[5]),
        [headers.get(index, ()) for index in range(count)] if headers else None,
    )


class _Reader:
    """Reads some records, and remembers which are bad."""

    __slots__ = ("at", "bad", "data", "stops", "with_headers")

    def __init__(self, data: Bytes, places: Ints, stops: Ints) -> None:
        self.data = data
        self.at = places
        self.stops = stops
        self.bad: NDArray[np.bool_] = np.zeros(len(places), dtype=np.bool_)
        self.with_headers: NDArray[np.intp] | None = None

    def read(self, columns: Sequence[Ints]) -> None:
        """Fill in the two deltas, and starts and sizes of keys and values."""
        sizes = self._number(MOST_INT_BYTES)
        self.bad |= self.at + sizes != self.stops
        self.at += 1  # the attributes: none are used, and any are accepted
        columns[0][:] = self._number(MOST_LONG_BYTES)
        columns[1][:] = self._number(MOST_INT_BYTES)
        self._field(columns[2], columns[3])
        self._field(columns[4], columns[5])
        counts = self.data.take(self.at, mode="clip")
        self.at += 1
        ends = self.at == self.stops
        if counts.any():
            some = np.flatnonzero(counts)
            self.with_headers = some
            ends[some] = True
        self.bad |= ~ends

    def _number(self, most_bytes: int) -> Ints:
        """Return the next varint of every record."""
        values, self.at, endless = read_varints(self.data, self.at, most_bytes)
        if endless is not None:
            self.bad |= endless
        return values

    def _field(self, starts: Ints, sizes: Ints) -> None:
        """Fill in the next sized field of every record; it is null if below 0."""
        found = self._number(MOST_INT_BYTES)
        starts[:] = self.at
        if int(found.min()) >= 0:
            sizes[:] = found
            self.at += found
        else:
            np.maximum(found, NULL_SIZE, out=sizes)
            self.at += np.maximum(found, 0)

    def headers(self, known: dict[bytes, Headers]) -> dict[int, Headers]:
        """Return the headers of those records that have some, by index.

        Records with the same bytes there are read once.
        """
        some = self.with_headers
        if some is None:
            return {}
        headers = {}
        data = self.data.data
        starts, ends = (self.at[some] - 1).tolist(), self.stops[some].tolist()
        for index, start, end in zip(some.tolist(), starts, ends, strict=True):
            encoded = bytes(data[start:end])
            found = known.get(encoded)
            if found is None:
                found = _headers(encoded)
                if found is None:
                    self.bad[index] = True
                    continue
                known[encoded] = found
            headers[index] = found
        return headers


def _headers(encoded: bytes) -> Headers | None:
    """Return the headers that some bytes are; None if they are none."""
    try:
        headers, after = read_headers(encoded, 0)
    except (IndexError, ValueError):
        return None
    return headers if after == len(encoded) else None
