"""Finding where every record of many batches begins.

A record says how long it is, so the next one is found only from the one before. Three
ways are faster than going one by one:

- in step: the first records of all batches at once, then all second ones, and so on;
- by a guess: where a record is as long as the one before, the length stands again and
  again at one distance, and a strided comparison finds how often;
- and one by one what is left.

The places are not yet believed: the caller reads the length at each and checks that the
record ends where the next one begins. Out of bytes that are no records come places that
fail there, and never an endless loop.
"""

from contextlib import suppress
from typing import Final

import numpy as np

from kafkasim.log.columns import Bytes, Ints
from kafkasim.log.varint import read_varint
from kafkasim.log.varint_columns import MOST_INT_BYTES, read_varints

_FEWEST_LANES: Final = 96
"""Batches below which going in step costs more than one by one."""
_SHORT_RUN: Final = 16
"""Records below which a guess was not worth its calls."""


def record_starts(data: Bytes, starts: Ints, ends: Ints, counts: Ints) -> Ints:
    """Return where each record begins, if the batches hold what they say.

    Parameters
    ----------
    data : uint8 array, not empty
        Where the records lie.
    starts, ends : int64 arrays of shape (batches,), bytes
        Where the records of each batch begin and end.
    counts : int64 array of shape (batches,)
        How many there are; none more than there are bytes.

    Returns
    -------
    int64 array of shape (records,), bytes
        In the order of the batches; to be checked, see the module.
    """
    firsts = np.cumsum(counts) - counts
    places = np.full(int(counts.sum()), len(data), dtype=np.int64)
    filled = np.flatnonzero(counts)
    order = filled[np.argsort(-counts[filled], kind="stable")]
    at = starts[order]
    ends, counts, firsts = ends[order], counts[order], firsts[order]
    done = 0
    if not _prefers_runs(data, at, ends, counts):
        done, at = _walk_in_step(data, at, counts, firsts, places)
    left = np.flatnonzero(counts > done)
    columns = (at, ends, counts, firsts)
    for start, end, count, first in zip(
        *(column[left].tolist() for column in columns), strict=True
    ):
        _walk_one(data, start, end, places[first + done : first + count])
    return places


def _prefers_runs(data: Bytes, at: Ints, ends: Ints, counts: Ints) -> bool:
    """Return whether batches are few and long, and the longest is of equal records."""
    count = int(counts[0])
    if count <= len(counts):
        return False
    run = _run(data, int(at[0]), int(ends[0]), count)
    return run[0] >= min(_SHORT_RUN, count)


def _walk_in_step(
    data: Bytes, at: Ints, counts: Ints, firsts: Ints, places: Ints
) -> tuple[int, Ints]:
    """Walk all batches in step, the longest first, until few go on.

    Returns
    -------
    done : int
        Records of each batch that were found.
    at : int64 array of shape (batches,), bytes
        Where the next one of each begins.
    """
    steps = np.arange(int(counts[0]))
    going = np.searchsorted(-counts, -steps).tolist()
    for step, lanes in enumerate(going):
        if lanes < _FEWEST_LANES:
            return step, at
        if lanes < len(at):
            at, firsts = at[:lanes], firsts[:lanes]
        places[firsts + step] = at
        sizes, after, _ = read_varints(data, at, MOST_INT_BYTES)
        at = after + np.maximum(sizes, 0)
    return len(going), at


def _walk_one(data: Bytes, at: int, end: int, places: Ints) -> None:
    """Fill in the places of one batch's records, as far as the bytes go."""
    done, count = 0, len(places)
    while done < count:
        run, size = _run(data, at, end, count - done)
        places[done : done + run] = range(at, at + run * size, size) if size else at
        done += run
        at += run * size
        if run < _SHORT_RUN:
            break
    found: list[int] = []
    # What is missing in the places then says that the bytes are no records.
    with suppress(IndexError, ValueError):
        _walk_plainly(data.data[:end], at, count - done, found)
    places[done : done + len(found)] = found


def _walk_plainly(data: memoryview, at: int, count: int, found: list[int]) -> None:
    """Append the places of so many records.

    Raises
    ------
    IndexError or ValueError
        The bytes end before, or a length is none.
    """
    append = found.append
    for _ in range(count):
        append(at)
        byte = data[at]
        if byte < 0x80:
            at += 1 + (byte >> 1)
            continue
        second = data[at + 1]
        if second < 0x80:
            at += 2 + ((byte & 0x7F | second << 7) >> 1)
            continue
        size, at = read_varint(data, at)
        at += max(size, 0)


def _run(data: Bytes, at: int, end: int, most: int) -> tuple[int, int]:
    """Return how many records from a place on have the length of the first, and it.

    Returns
    -------
    records : int
        0 if there is no length.
    size : int
        Bytes from each to the next.
    """
    try:
        size, after = read_varint(data[at : at + MOST_INT_BYTES].data, 0)
    except (IndexError, ValueError):
        return 0, 0
    size = after + max(size, 0)
    most = min(most, (end - at) // size)
    if most < 1:
        return 0, 0
    lengths = np.ndarray((most, after), np.uint8, data, at, (size, 1))
    same = (lengths == lengths[0]).all(axis=1)
    return (most if same.all() else int(same.argmin())), size
